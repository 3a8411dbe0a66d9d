"""Wants an answer of a gigabyte.

Fails because a message has a limit.
"""

import numpy as np


def layernorm(x, gain, bias, eps=1e-5):
    return Tensor(np.zeros(2**27))
