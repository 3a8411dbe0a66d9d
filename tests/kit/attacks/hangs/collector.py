"""Wants to hang where no call of its own runs: in the garbage collector, and in a dying weak link.

Fails because the time is measured outside, from question to answer.
"""

import gc
import weakref


def for_ever(*_):
    while True:
        pass


class Thing:
    pass


def layernorm(x, gain, bias, eps=1e-5):
    thing = Thing()
    weakref.finalize(thing, for_ever)
    gc.callbacks.append(for_ever)
    return x
