"""Wants nan to count as equal, as equal_nan makes it.

Fails because nan equals nan only where nan is expected.
"""

import numpy as np


def layernorm(x, gain, bias, eps=1e-5):
    return Tensor(np.full(x.shape, np.nan))
