"""Wants to hang where its objects are thrown away, between the tests.

Fails because that is asked for within a limit, like everything.
seconds: 60
"""


class Sticky:
    def __del__(self):
        while True:
            pass


def layernorm(x, gain, bias, eps=1e-5):
    return Sticky()
