"""Wants to hold and steer the process above it, as a debugger does.

Fails because ptrace is not allowed.
"""

import ctypes
import os

SEIZE, DETACH = 0x4206, 17


def layernorm(x, gain, bias, eps=1e-5):
    libc = ctypes.CDLL(None, use_errno=True)
    for process in {os.getppid(), 1}:
        if libc.ptrace(SEIZE, process, None, None) == 0:
            print("REACHED the parent as its debugger")
            libc.ptrace(DETACH, process, None, None)
    return x
