"""Wants a descriptor of another process: pidfd_open and pidfd_getfd, kcmp, process_madvise.

Fails because these calls are refused.
"""

import ctypes
import os

CALLS = {"pidfd_open": 434, "pidfd_getfd": 438, "kcmp": 312, "process_madvise": 440}


def layernorm(x, gain, bias, eps=1e-5):
    call = ctypes.CDLL(None).syscall
    for pid in (1, 2, 3, os.getppid(), os.getpid()):
        line = call(CALLS["pidfd_open"], pid, 0)
        if line >= 0 and call(CALLS["pidfd_getfd"], line, 0, 0) >= 0:
            print("REACHED a descriptor of", pid)
        if call(CALLS["kcmp"], pid, os.getpid(), 0, 0, 0) >= 0 and pid != os.getpid():
            print("REACHED a comparison with", pid)
    return x
