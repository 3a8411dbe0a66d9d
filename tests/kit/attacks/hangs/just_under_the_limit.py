"""Wants every call to take just less than a call may.

Fails because all calls of an exercise share its time.
seconds: 60
"""

import time


def layernorm(x, gain, bias, eps=1e-5):
    time.sleep(1.8)
    return x
