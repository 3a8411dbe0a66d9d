"""Wants the grader to stand still, with nobody left to notice.

Fails because the parent in sight is its own, and signals to others are refused.
seconds: 60
"""

import ctypes
import os
import signal


def layernorm(x, gain, bias, eps=1e-5):
    ctypes.CDLL(None).kill(os.getppid(), signal.SIGSTOP)
    return x
