"""What is told of a whole run of `mark`: how many, how they did, and where the results are."""

from __future__ import annotations

from pathlib import Path

from ..language import _, counted, later
from ..marking import Tally
from ..results import FAILED, PASSED, REFUSED, TODO, WAITING
from .text import number, one_line

# What a submission is, by the status of its record.
SAYS = {
    PASSED: later("every piece passes"),
    FAILED: later("something fails"),
    WAITING: later("something waits for a piece before it"),
    TODO: later("something is still to do"),
    REFUSED: later("refused: could not be marked"),
}
SHOWN = 20  # refused submissions that are named


def summary(tally: Tally, path: Path, absent: int, seconds: float) -> list[str]:
    """The end of a run, as lines."""
    took = clock(seconds)
    lines = [
        counted("{n} submission marked", "{n} submissions marked", tally.marked)
        + ", "
        + counted("{n} kept as it was", "{n} kept as they were", tally.kept)
        + _(", in {time}").format(time=took)
    ]
    found = tally.statuses()
    lines += [f"  {found[status]:5d}  {_(says)}" for status, says in SAYS.items() if found[status]]
    if tally.briefs:
        possible = max(brief.possible for brief in tally.briefs.values())
        words = _("mean {mean} of {possible} points").format(
            mean=number(tally.mean), possible=number(possible)
        )
        lines.append(words)
    refused = [(id, b.why) for id, b in sorted(tally.briefs.items()) if b.status == REFUSED]
    lines += [f"  {one_line(id)}: {one_line(why)}" for id, why in refused[:SHOWN]]
    if len(refused) > SHOWN:
        lines.append(_("  and {n} more that were refused").format(n=len(refused) - SHOWN))
    lines += [
        _("the grader gave up on {id}; look at it").format(id=id) for id in sorted(tally.died)
    ]
    if absent:
        words = _("{n} in the file are not among the submissions any more; they stay in it")
        lines.append(words.format(n=absent))
    return [*lines, _("results: {path}").format(path=path)]


def clock(seconds: float) -> str:
    """ "4.2 s", "3 min 10 s", "2 h 5 min"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
