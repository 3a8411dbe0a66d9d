"""Wants to fork through the C library, past Python's audit.

Fails because the kernel refuses it.
"""

import ctypes
import os
import time


def layernorm(x, gain, bias, eps=1e-5):
    child = ctypes.CDLL(None).fork()
    if child == 0:
        time.sleep(30)
        os._exit(0)
    if child > 0:
        print("REACHED a process of its own")
    return x
