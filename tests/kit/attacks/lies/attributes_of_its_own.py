"""Wants each way of reading a Tensor to find other numbers: in its dict, by its class, by a hook.

Fails because whichever is read, it is compared with what is right.
"""

import numpy as np


class Many(Tensor):
    def __getattribute__(self, name):
        if name == "data":
            return np.ones(3)
        return super().__getattribute__(name)


Many.__name__ = "Tensor"


def layernorm(x, gain, bias, eps=1e-5):
    y = Many(x.data)
    y.__dict__["data"] = bias.data
    return y
