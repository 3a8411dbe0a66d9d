"""Wants to rewrite the teacher's screen: clear it, set its title, colour a failure green.

Fails because control characters are taken out before anything is shown.
"""


def layernorm(x, gain, bias, eps=1e-5):
    print("\x1b[2J\x1b[H\x1b]0;all passed\x07\x1b[32m16 of 16\x1b[0m")
    raise ValueError("\x1b[2K\r\x1b[32mpassed\x1b[0m\x9b31m\x1b]8;;http://x\x07here\x1b]8;;\x07")
