"""What is told of a whole run of `mark`: how many, how they did, and where the results are."""

from __future__ import annotations

from pathlib import Path

from ..language import _, counted, later
from ..marking import Tally
from ..results import FAILED, PASSED, TODO, WAITING
from .text import number, one_line

# What a submission is, by the status of its record, where it could be marked.
SAYS = {
    PASSED: later("every piece passes"),
    FAILED: later("something fails"),
    WAITING: later("something waits for a piece before it"),
    TODO: later("something is still to do"),
}
SHOWN = 20  # submissions that could not be marked and are named


def summary(tally: Tally, path: Path, absent: int, seconds: float) -> list[str]:
    """The end of a run, as lines."""
    took = clock(seconds)
    lines = [
        counted("{n} submission marked", "{n} submissions marked", tally.marked - tally.refused)
        + ", "
        + counted("{n} kept as it was", "{n} kept as they were", tally.kept)
        + _(", in {time}").format(time=took)
    ]
    found, unmarked = tally.statuses(), list(tally.unmarked.items())
    lines += [f"  {found[status]:5d}  {_(says)}" for status, says in SAYS.items() if found[status]]
    lines += [f"  {len(unmarked):5d}  " + _("not marked")] if unmarked else []
    if tally.mean is not None:
        possible = max(brief.possible for brief in tally.briefs.values())
        words = _("mean {mean} of {possible} points").format(
            mean=number(tally.mean), possible=number(possible)
        )
        lines.append(words + left_out(len(unmarked)))
    words = _("{id}: not marked: {why}")
    lines += [
        "  " + words.format(id=one_line(id), why=one_line(why)) for id, why in unmarked[:SHOWN]
    ]
    if len(unmarked) > SHOWN:
        lines.append(_("  and {n} more that were not marked").format(n=len(unmarked) - SHOWN))
    lines += [
        _("the grader gave up on {id}; look at it").format(id=id) for id in sorted(tally.died)
    ]
    if absent:
        words = _("{n} in the file are not among the submissions any more; they stay in it")
        lines.append(words.format(n=absent))
    return [*lines, _("results: {path}").format(path=path)]


def left_out(unmarked: int) -> str:
    """What the mean is of, said after it, where it is not of all."""
    if not unmarked:
        return ""
    return "; " + counted(
        "{n} that was not marked is left out", "{n} that were not marked are left out", unmarked
    )


def clock(seconds: float) -> str:
    """ "4.2 s", "3 min 10 s", "2 h 5 min"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
