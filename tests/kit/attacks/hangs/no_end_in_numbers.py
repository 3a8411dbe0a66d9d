"""Wants to compute a number that fills the universe.

Fails because time and memory have limits.
seconds: 60
"""


def layernorm(x, gain, bias, eps=1e-5):
    return 10 ** (10**10)
