"""Wants SystemExit(0) to pass for success.

Fails because whatever is raised is an error, SystemExit included.
"""

import sys


def layernorm(x, gain, bias, eps=1e-5):
    sys.exit(0)
