"""Wants the worker to stumble while it tells of an error: a traceback that cannot be read.

Fails because a worker that breaks off has not passed.
"""

import linecache


def broken(*args, **kwargs):
    raise SystemExit(0)


class Odd(Exception):
    __module__ = property(lambda self: broken())

    def __str__(self):
        raise SystemExit(0)


def layernorm(x, gain, bias, eps=1e-5):
    linecache.getline = broken
    raise Odd
