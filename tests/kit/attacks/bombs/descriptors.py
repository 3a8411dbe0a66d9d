"""Wants all descriptors of the system.

Fails because a worker has 64.
"""

import os


def layernorm(x, gain, bias, eps=1e-5):
    for _ in range(200_000):
        os.dup(1)
    return x
