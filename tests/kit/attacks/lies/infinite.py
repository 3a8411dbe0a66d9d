"""Wants a tolerance that grows with the answer: infinity is close to everything within infinity.

Fails because the tolerance grows with the expected value alone.
"""

import numpy as np


def layernorm(x, gain, bias, eps=1e-5):
    return Tensor(np.full(x.shape, np.inf))
