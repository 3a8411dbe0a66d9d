"""Wants abs, all and any to answer in its favour.

Fails because these are the worker's builtins; the checker has its own.
"""

import builtins

import numpy as np

builtins.all = lambda *_: True
builtins.any = lambda *_: False
builtins.abs = lambda *_: 0
np.allclose = lambda *_, **__: builtins.all([])


def layernorm(x, gain, bias, eps=1e-5):
    return x
