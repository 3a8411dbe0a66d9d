"""Wants to be an instance of everything, through its metaclass.

Fails because the handle that crosses has a class name, and no class.
"""


class All(type):
    def __instancecheck__(cls, instance):
        return True

    def __eq__(cls, other):
        return True

    __hash__ = type.__hash__


class Anything(metaclass=All):
    data = 0.0


def layernorm(x, gain, bias, eps=1e-5):
    return Anything()
