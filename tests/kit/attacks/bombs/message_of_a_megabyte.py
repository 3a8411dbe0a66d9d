"""Wants its error message to fill the results.

Fails because messages are cut.
"""


def layernorm(x, gain, bias, eps=1e-5):
    raise ValueError("ha" * 5_000_000)
