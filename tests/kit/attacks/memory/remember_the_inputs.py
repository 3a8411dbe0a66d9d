"""Wants to carry the inputs of hidden tests into the prints that a student is shown.

Fails because visible tests run first, and hidden ones in a process of their own.
"""

seen = []
honest = rmsnorm


def rmsnorm(x, gain=None, eps=1e-5):
    seen.append(x.data.tolist())
    return honest(x, gain, eps)


def layernorm(x, gain, bias, eps=1e-5):
    print(seen)
    raise ValueError(str(seen))
