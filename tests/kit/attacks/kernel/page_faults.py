"""Wants to hold up the kernel at a page fault, as exploits do.

Fails because the call is refused.
"""

import ctypes
import platform

USERFAULTFD = {"x86_64": 323, "aarch64": 282}.get(platform.machine(), -1)


def layernorm(x, gain, bias, eps=1e-5):
    if ctypes.CDLL(None).syscall(USERFAULTFD, 0) >= 0:
        print("REACHED userfaultfd")
    return x
