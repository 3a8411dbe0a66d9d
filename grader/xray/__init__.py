"""Look inside a model at work: `grader.xray(model, "emma")` in a notebook, `xray TEXT` elsewhere.

The module itself can be called: it is the function `xray` of notebook.py.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any


class Room(ModuleType):
    """A module that can be called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        from .notebook import xray

        return xray(*args, **kwargs)


sys.modules[__name__].__class__ = Room
