"""Wants "0 of 16" to read as "61 fo 0": marks that turn the direction of writing.

Fails because these marks are taken out.
"""


def layernorm(x, gain, bias, eps=1e-5):
    raise ValueError("\u202e0 fo 61\u202c \u2066passed\u2069 \u200f")
