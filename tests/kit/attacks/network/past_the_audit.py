"""Wants a socket from the C library, past Python's audit.

Fails because the kernel refuses it.
"""

import ctypes


def layernorm(x, gain, bias, eps=1e-5):
    if ctypes.CDLL(None).socket(2, 1, 0) >= 0:
        print("REACHED a socket")
    return x
