"""`check --pdb`: Python's debugger, standing where it goes wrong.

Where the student's code raised something, that is its own line, with its own variables; where it
answered wrongly, the line of the test that saw it. `c` goes on to the next failure, `q` ends all.
"""

from __future__ import annotations

import linecache
import pdb
import traceback
from collections.abc import Collection
from types import TracebackType


def part(trace: TracebackType | None, files: Collection[str]) -> TracebackType | None:
    """The trace, cut down to its first and last frame in one of `files`; None if it has none."""
    inside = []
    while trace:
        if trace.tb_frame.f_code.co_filename in files:
            inside.append(trace)
        trace = trace.tb_next
    if not inside:
        return None
    inside[-1].tb_next = None
    return inside[0]


def stand(trace: TracebackType) -> None:
    """Let a person look at the last frame of the trace, and at those above.

    Raises KeyboardInterrupt on `q`.
    """
    debugger = pdb.Pdb()
    for frame, _line in traceback.walk_tb(trace):  # as it was loaded, wherever it lies
        name = frame.f_code.co_filename
        if lines := linecache.getlines(name):
            text = "".join(lines)
            linecache.cache[debugger.canonic(name)] = len(text), None, lines, name
    debugger.reset()
    debugger.interaction(None, trace)
    if debugger.quitting:
        raise KeyboardInterrupt
