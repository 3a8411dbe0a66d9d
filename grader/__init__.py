"""The Glass Box grader: `python -m grader`; in a notebook `grader.xray(model, "emma")`.

Nothing is imported here, so that every import stays light.
"""

from importlib import import_module


def __getattr__(name):
    if name == "xray":
        return import_module(".xray", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
