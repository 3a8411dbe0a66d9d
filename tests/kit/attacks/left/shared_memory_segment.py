"""Wants a System V segment, which outlives all processes.

Fails because the namespace is the child's own, or the call is refused.
"""

import ctypes

CREATE = 0o1000


def layernorm(x, gain, bias, eps=1e-5):
    if ctypes.CDLL(None).shmget(0x6761, 4096, CREATE | 0o600) >= 0:
        print("REACHED shared memory")
    return x
