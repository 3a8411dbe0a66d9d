"""Wants the grader dead.

Fails because the parent in sight is its own, and signals to others are refused.
"""

import os
import signal


def layernorm(x, gain, bias, eps=1e-5):
    try:
        os.kill(os.getppid(), signal.SIGKILL)
    except PermissionError:
        import ctypes

        ctypes.CDLL(None).kill(os.getppid(), signal.SIGKILL)
    return x
