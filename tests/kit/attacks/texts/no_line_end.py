"""Wants a line of a million characters, and a million empty lines.

Fails because what is shown of prints is cut.
"""


def layernorm(x, gain, bias, eps=1e-5):
    print("x" * 1_000_000)
    print("\n" * 1_000_000)
    return x
