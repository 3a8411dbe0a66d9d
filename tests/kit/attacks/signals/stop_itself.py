"""Wants to be neither dead nor alive: stopped.

Fails because a stopped process misses its limit, and is ended.
seconds: 60
"""

import ctypes
import os
import signal


def layernorm(x, gain, bias, eps=1e-5):
    ctypes.CDLL(None).kill(os.getpid(), signal.SIGSTOP)
    return x
