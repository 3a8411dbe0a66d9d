"""The plain report: linear ASCII, one fact a line, states in words.

For screen readers, logs and pipes. It says what `board` says, in the same order, and like the board
ends on the next thing to do.
"""

from __future__ import annotations

from ..course import Course
from ..language import _
from ..results import ExerciseResult, Result
from . import text
from .parts import LABELS, states


def render(result: Result, course: Course) -> str:
    """The whole report, every line ended."""
    sections = [
        _header(result, course),
        _parts(result, course),
        *(_exercise(exercise) for exercise in result.exercises),
        *_failures(result),
        [f"{label}: {fact}" for label, fact in text.ending(result, course)],
    ]
    report = "\n\n".join("\n".join(lines) for lines in sections if lines)
    return text.ascii_only(text.clean(report)) + "\n"


def _header(result: Result, course: Course) -> list[str]:
    facts = [*text.summary(result, course), *text.origin(result)]
    return [course.title, text.score(result), *facts]


def _parts(result: Result, course: Course) -> list[str]:
    """The board's picture: which parts of the model work."""
    if not text.is_whole(result, course):
        return []
    found = states(result, course)
    part = _("part {label}: {status}")
    return [part.format(label=LABELS[p], status=text.word(found[p])) for p in LABELS]


def _exercise(exercise: ExerciseResult) -> list[str]:
    title = text.one_line(_(exercise.title))
    return [
        f"{text.short(exercise)} {title}: {text.word(exercise.status)}, {text.score(exercise)}",
        *(f"  {text.one_line(piece.name)}: {text.word(piece.status)}" for piece in exercise.pieces),
        *(_("  waiting: {reason}").format(reason=reason) for reason in text.waits(exercise)),
        *(
            _("  borrowed from the reference: {name}").format(name=name)
            for name in text.borrowed(exercise)
        ),
    ]


def _failures(result: Result) -> list[list[str]]:
    blocks, more = text.shown(result)
    return [*map(_block, blocks), more]


def _block(block: text.Block) -> list[str]:
    piece, test, where = text.heading(block)
    lines = [f"{piece} {test}"]
    lines += [_("  at {where}").format(where=where)] if where else []
    lines += [f"  {line}" for line in text.said(block)]
    if hint := text.likely(block):
        lines.append(_("  likely: {mistake}").format(mistake=hint))
    if repeats := text.repeats(block):
        lines.append(f"  {repeats}")
    if output := text.printed(block):
        title, printed = output
        lines += [f"  {title}", *(f"    {line}" for line in printed)]
    return lines
