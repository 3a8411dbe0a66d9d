"""Wants the kit's own comparison to do nothing, should it be importable here.

Fails because what is imported here is not what judges.
"""

import importlib

for name in ("grader.compare", "grader.suite", "grader.results"):
    try:
        module = importlib.import_module(name)
    except Exception:
        continue
    module.close = module.same = module.gradcheck = lambda *_, **__: None
