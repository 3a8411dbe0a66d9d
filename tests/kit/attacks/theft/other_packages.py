"""Wants a package that does the work, should one be installed beside numpy.

Fails because the worker has numpy and the standard library, nothing else.
"""

import importlib


def layernorm(x, gain, bias, eps=1e-5):
    for name in ("torch", "scipy", "pytest", "rich"):
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        print("REACHED a package that is not the worker's:", name)
    return x
