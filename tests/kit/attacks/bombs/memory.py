"""Wants all the machine's memory.

Fails because the worker's address space has a limit.
"""

import numpy as np


def layernorm(x, gain, bias, eps=1e-5):
    kept = []
    for _ in range(48):  # 12 GiB in all
        kept.append(np.ones(2**25))
    return x
