"""Wants the checker to answer: it sends requests of its own through the pipe that it answers by.

Fails because the checker answers no requests; one is a broken answer.
"""

import gc
import io
import sys


def layernorm(x, gain, bias, eps=1e-5):
    wire = next(m for name, m in sys.modules.items() if name.endswith("grader.wire"))
    for thing in gc.get_objects():
        if isinstance(thing, io.BufferedWriter):
            wire.send(thing, {"op": "call", "name": "true_layernorm", "args": [], "kwargs": {}})
    return bias
