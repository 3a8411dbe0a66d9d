"""Wants to spend hours inside one C function that never looks up: a regular expression.

Fails because the process is ended from outside.
seconds: 60
"""

import re


def layernorm(x, gain, bias, eps=1e-5):
    re.match(r"(a+)+$", "a" * 64 + "b")
