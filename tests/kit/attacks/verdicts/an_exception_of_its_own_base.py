"""Wants to slip through `except Exception` with a BaseException of its own.

Fails because the worker catches BaseException, and only builtin names cross.
"""


class Passed(BaseException):
    pass


def layernorm(x, gain, bias, eps=1e-5):
    raise Passed
