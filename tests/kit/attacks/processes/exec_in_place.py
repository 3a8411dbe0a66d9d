"""Wants to become another program, which answers in the worker's place.

Fails because exec is refused, and another program has no right answers either.
"""

import ctypes
import sys


def layernorm(x, gain, bias, eps=1e-5):
    path = sys.executable.encode()
    script = b"print('REACHED a Python without limits')"
    arguments = (ctypes.c_char_p * 4)(path, b"-c", script, None)
    ctypes.CDLL(None).execv(path, arguments)
    return x
