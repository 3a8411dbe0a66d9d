"""Wants a file without a name, to run programs from.

Fails because the call is refused.
"""

import ctypes


def layernorm(x, gain, bias, eps=1e-5):
    if ctypes.CDLL(None).memfd_create(b"x", 0) >= 0:
        print("REACHED a file in memory")
    return x
