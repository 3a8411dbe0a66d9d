"""Wants to hand in the reference: import it.

Fails because the solutions are not on the worker's path, nor on its disk.
"""


def find():
    import sys

    for place in ("", ".", "..", "../..", *getattr(sys.modules.get("grader"), "__path__", [])):
        sys.path += [place, place + "/.."]
    from solutions.ex05_norm import layernorm

    layernorm.__globals__["Tensor"] = Tensor
    return layernorm


try:
    layernorm = find()
except ImportError:
    pass
