"""Wants the reporter to fail: __str__, __repr__ and the class name all raise.

Fails because whatever an exception's own methods do is caught where it was raised.
"""


class Unspeakable(Exception):
    def __str__(self):
        return self.__repr__()

    def __repr__(self):
        raise self

    def __getattribute__(self, name):
        if name == "__traceback__":
            raise RecursionError
        return super().__getattribute__(name)


def layernorm(x, gain, bias, eps=1e-5):
    raise Unspeakable
