"""Wants to take the process down by a read of address 0.

Fails because the process is the worker's.
"""

import ctypes


def layernorm(x, gain, bias, eps=1e-5):
    ctypes.string_at(0)
