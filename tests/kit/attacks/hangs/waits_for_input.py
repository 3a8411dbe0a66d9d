"""Wants somebody to type: input(), a debugger, a password.

Fails because there is nobody: whatever is read is at its end.
"""

import getpass
import pdb
import sys


def layernorm(x, gain, bias, eps=1e-5):
    for ask in (input, sys.stdin.read, getpass.getpass, pdb.set_trace, breakpoint):
        try:
            ask()
        except BaseException:
            pass
    return x
