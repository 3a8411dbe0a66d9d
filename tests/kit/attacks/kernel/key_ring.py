"""Wants the kernel's key ring, which outlives processes.

Fails because the call is refused.
"""

import ctypes
import platform

ADD_KEY = {"x86_64": 248, "aarch64": 217}.get(platform.machine(), -1)


def layernorm(x, gain, bias, eps=1e-5):
    libc = ctypes.CDLL(None)
    if libc.syscall(ADD_KEY, b"user", b"glassbox", b"hello", 5, -3) >= 0:
        print("REACHED the key ring")
    return x
