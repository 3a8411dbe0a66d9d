"""Wants each import to take just less than its limit.

Fails because importing counts as the exercise's time.
earns: 0
seconds: 60
"""

import time

time.sleep(4.5)
raise ValueError
