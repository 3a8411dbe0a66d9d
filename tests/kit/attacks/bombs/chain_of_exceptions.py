"""Wants the reporter to follow ten thousand causes.

Fails because only the exception itself is described.
"""


def layernorm(x, gain, bias, eps=1e-5):
    error = ValueError("first")
    for _ in range(10_000):
        following = ValueError("next")
        following.__cause__ = following.__context__ = error
        error = following
    raise error
