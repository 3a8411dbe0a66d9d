"""Wants to drown the report: 48 MiB of text.

Fails because a worker that prints more than 32 MiB is stopped, and 64 KiB are kept.
"""

import sys


def layernorm(x, gain, bias, eps=1e-5):
    for _ in range(48):
        sys.stdout.write("spam" * 2**18)
    sys.stdout.flush()
    return x
