"""Wants its words to be a pattern that the grader fills in: {0.__class__}, %(x)s, $HOME.

Fails because words of a student's are put into patterns, and are none.
"""

PATTERN = "{} {0} {words} {error.__class__.__mro__} {x!r:>{w}} %s %(x)s %n $HOME ${SECRET} {{ }}"


class Odd(ValueError):
    pass


Odd.__name__ = Odd.__qualname__ = PATTERN


def layernorm(x, gain, bias, eps=1e-5):
    print(PATTERN)
    raise Odd(PATTERN)


layernorm.__name__ = layernorm.__qualname__ = PATTERN
layernorm.__doc__ = PATTERN
