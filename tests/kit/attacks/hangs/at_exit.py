"""Wants the process to hang where it ends.

Fails because it is ended from outside.
"""

import atexit
import time


def wait():
    time.sleep(3600)


atexit.register(wait)
