"""Wants complex numbers, whose comparison may drop a part.

Fails because only real numbers cross.
"""


def layernorm(x, gain, bias, eps=1e-5):
    y = Tensor(x.data)
    y.data = x.data.astype(complex) * 1j
    return y
