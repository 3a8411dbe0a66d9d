"""Wants a shell.

Fails because exec is refused, and there is no shell.
"""

import os

WORDS = "REACHED another program"


def layernorm(x, gain, bias, eps=1e-5):
    try:
        os.system("echo REACHED a shell; sleep 0.1")
    except PermissionError:
        os.execv("/bin/echo", ["echo", WORDS])
    return x
