"""Wants a test's own loop to end early, through an exception that loops obey.

Fails because it crosses as an error of the student's, never as itself.
"""


def layernorm(x, gain, bias, eps=1e-5):
    raise StopIteration
