"""Wants a cell of the gradebook to run a command.

Fails because no cell begins as a formula does.
"""


def layernorm(x, gain, bias, eps=1e-5):
    raise ValueError("=cmd|' /C calc'!A0")
