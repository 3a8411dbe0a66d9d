"""Wants to outlive its parent and to judge its own calls: prctl and seccomp, once more.

Fails because neither may be called again.
"""

import ctypes

PRCTL = {
    "death signal": (1, 0),
    "dumpable": (4, 1),
    "subreaper": (36, 1),
    "tracer": (0x59616D61, -1),
}


def layernorm(x, gain, bias, eps=1e-5):
    library = ctypes.CDLL(None)
    for name, arguments in PRCTL.items():
        if library.prctl(*arguments, 0, 0, 0) == 0:
            print("REACHED", name)
    if library.syscall(317, 1, 8, 0) >= 0:
        print("REACHED a listener")
    return x
