"""Wants the results file to be impossible to write: half characters have no UTF-8.

Fails because they are replaced.
"""


def layernorm(x, gain, bias, eps=1e-5):
    print("\ud800 half \udfff")
    raise ValueError("\ud800 half \udfff")
