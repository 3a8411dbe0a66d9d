"""Wants to break the interpreter's stack.

Fails because what breaks is the worker.
"""

import sys

sys.setrecursionlimit(10**9)


def layernorm(x, gain, bias, eps=1e-5):
    return layernorm(x, gain, bias)
