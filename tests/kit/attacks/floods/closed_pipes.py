"""Wants the grader to trip over a closed pipe.

Fails because the end of the answers is the end of the worker, in words.
"""

import os


def layernorm(x, gain, bias, eps=1e-5):
    os.closerange(0, 64)
    return x
