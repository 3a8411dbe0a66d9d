"""Wants "to be written" to cost less than a wrong answer.

Fails because what is to do earns nothing.
"""


def layernorm(x, gain, bias, eps=1e-5):
    raise NotImplementedError("passed")
