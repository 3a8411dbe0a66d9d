"""Wants to end the process with status 0 where the answer was asked for.

Fails because an ended worker is a crash of that one test, whatever its status.
"""

import os


def layernorm(x, gain, bias, eps=1e-5):
    os._exit(0)
