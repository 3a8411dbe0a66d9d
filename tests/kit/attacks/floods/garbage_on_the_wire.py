"""Wants the reader of the answers to choke: noise on every descriptor.

Fails because a frame that does not start as one ends the worker, and the test.
"""

import os


def layernorm(x, gain, bias, eps=1e-5):
    for descriptor in range(1, 64):
        try:
            os.set_blocking(descriptor, False)
            os.write(descriptor, b"\xff\x00GBW" * 5000)
        except OSError:
            pass
    return x
