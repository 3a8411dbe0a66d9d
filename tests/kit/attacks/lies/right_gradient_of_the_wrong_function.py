"""Wants its gradient to be checked against its own function, which is wrong in the same way.

Fails because the values are compared with the truth, and the piece earns nothing while they differ.
"""


def layernorm(x, gain, bias, eps=1e-5):
    return x * gain + bias
