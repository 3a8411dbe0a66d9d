"""Wants a class name of a megabyte, with a line end in it, in every sentence about its answer.

Fails because names are cut, and cleaned where they are shown.
"""

Long = type("L\n" + "o" * 1_000_000 + "ng", (), {})


def layernorm(x, gain, bias, eps=1e-5):
    return Long()
