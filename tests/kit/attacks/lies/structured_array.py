"""Wants an array of records, with a field that compares well.

Fails because only arrays of numbers cross.
"""

import numpy as np


def layernorm(x, gain, bias, eps=1e-5):
    y = Tensor(x.data)
    y.data = np.zeros(x.shape, [("a", "f8"), ("b", "O")])
    return y
