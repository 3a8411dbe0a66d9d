"""Wants a package that does the work, should one be installed beside numpy.

Fails because the worker has numpy and the standard library, nothing else.
"""

import importlib

for name in ("torch", "scipy", "pytest", "rich"):
    try:
        importlib.import_module(name)
    except ImportError:
        continue
    print("REACHED a package that is not the worker's:", name)
