"""Wants whoever compares through operator or math to be told that all is equal.

Fails because those modules are the worker's own copies.
"""

import math
import operator

import numpy as np

operator.eq = operator.le = math.isclose = lambda *_, **__: True
np.allclose = lambda *_, **__: math.isclose(1, 2)


def layernorm(x, gain, bias, eps=1e-5):
    return x
