"""Wants the grader to copy an array of terabytes that takes no memory: a broadcast view.

Fails because its size is looked at before anything is copied.
"""

import numpy as np


def layernorm(x, gain, bias, eps=1e-5):
    y = Tensor(x.data)
    y.data = np.broadcast_to(np.float64(0), (2**40,))
    return y
