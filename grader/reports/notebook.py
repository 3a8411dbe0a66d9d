"""The report in a notebook: HTML that stands by itself, for workbooks, formgrader and feedback.

It says what `board` says. No style sheet, no script, no network: the styles stand at the tags, so
that it looks alike wherever a notebook is shown, by day and by night.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from .. import workbook
from ..course import Exercise
from ..language import _, counted
from ..results import (
    FAILED,
    PASSED,
    TODO,
    WAITING,
    ExerciseResult,
    PieceResult,
    Result,
)
from . import text

if TYPE_CHECKING:
    from ..marks import Listing, Mark, PiecePoints

COLOURS = {PASSED: "#2e9e44", FAILED: "#d1453b", WAITING: "#b58900", TODO: "#8a8f98"}
FAINT = "opacity:.72"
MONO = "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.92em"
PRE = f"{MONO};white-space:pre-wrap;margin:.25em 0;background:none;border:0;padding:0"


def board(result: Result) -> str:
    """All exercises of the result, piece by piece, and the points."""
    shown = "".join(
        f"<div style='margin:1em 0 .3em'><b>{_escape(_(exercise.title))}</b> "
        f"<span style='{FAINT}'>{_points(exercise)}</span></div>"
        + "".join(piece(exercise, one) for one in exercise.pieces)
        for exercise in result.exercises
    )
    return f"<div style='max-width:60em'>{shown}</div>"


def piece(exercise: ExerciseResult, piece: PieceResult) -> str:
    """One piece: what it earned, each failure with its reason, and where to go on."""
    colour = COLOURS.get(piece.status, COLOURS[FAILED])
    head = (
        f"<b>{_escape(piece.name)}</b> "
        f"<span style='color:{colour}'>{_escape(text.word(piece.status))}</span> "
        f"<span style='{FAINT}'>{_points(piece)}{_tests(piece)}</span>"
    )
    alone = ExerciseResult(exercise.id, exercise.title, (piece,))
    waits = [f"<div style='margin:.25em 0'>{_escape(w)}</div>" for w in text.waits(alone)]
    lines = [head, *waits, *_failures(alone)]
    if piece.status in (FAILED, TODO):
        ask = f'glassbox.hint("{text.piece_id(exercise, piece)}")'
        lines.append(
            f"<div style='{FAINT}'>{_escape(_('Stuck? In the workbook:'))} "
            f"<span style='{MONO}'>{_escape(ask)}</span></div>"
        )
    return _framed(colour, lines)


def undecided(points: PiecePoints) -> str:
    """A piece that a person decides on, and why."""
    head = f"<b>{_escape(points.name)}</b> {_escape(points.note)}"
    return _framed(COLOURS[WAITING], [head])


def _framed(colour: str, lines: list[str]) -> str:
    return (
        f"<div style='border-left:4px solid {colour};padding:.15em .9em;margin:.45em 0;"
        f"line-height:1.45'>{''.join(lines)}</div>"
    )


def _failures(alone: ExerciseResult) -> list[str]:
    """The first failures; the rest behind a line to be opened."""
    found = [_block(block) for block in text.blocks(Result("", (), (alone,)))]
    first, rest = found[: text.BLOCKS_A_PIECE], found[text.BLOCKS_A_PIECE :]
    if rest:
        more = counted("{n} more", "{n} more", len(rest))
        first.append(
            f"<details style='margin:.4em 0'><summary>{_escape(more)}</summary>"
            f"{''.join(rest)}</details>"
        )
    return first


def _block(block: text.Block) -> str:
    """One failure: test and place; under it what happened, and why it probably did."""
    _piece, test, where = text.heading(block)
    lines = [
        f"<div style='margin-top:.55em'><b style='{MONO}'>{_escape(test)}</b> "
        f"<span style='{MONO};{FAINT}'>{_escape(where)}</span></div>",
        _pre(text.said(block)),
    ]
    if hint := text.likely(block):
        lines.append(
            f"<div><b style='color:#b0489b'>{_escape(_('likely:'))}</b> {_escape(hint)}</div>"
        )
    if repeats := text.repeats(block):
        lines.append(f"<div style='{FAINT}'>{_escape(repeats)}</div>")
    if output := text.printed(block):
        title, printed = output
        lines.append(f"<div style='{FAINT}'>{_escape(title)}</div>{_pre(printed)}")
    return "".join(lines)


def _tests(piece: PieceResult) -> str:
    """How many tests pass, suite by suite: " · visible 6 of 6, hidden 8 of 11"."""
    suites = dict.fromkeys(test.suite for test in piece.tests)
    counts = [
        _("{suite} {passing} of {all}").format(
            suite=text.one_line(suite),
            passing=sum(t.status == PASSED for t in piece.tests if t.suite == suite),
            all=sum(t.suite == suite for t in piece.tests),
        )
        for suite in suites
    ]
    return " · " + _escape(_("tests: ") + ", ".join(counts)) if counts else ""


def _points(part: ExerciseResult | PieceResult) -> str:
    earned, possible = text.number(part.earned), text.number(part.possible)
    return _escape(_("{earned} of {possible} points").format(earned=earned, possible=possible))


def _pre(lines: list[str]) -> str:
    return f"<pre style='{PRE}'>{_escape(chr(10).join(lines))}</pre>"


def _escape(words: str) -> str:
    """For HTML, and safe in it whatever a student's code has put into a name or a message."""
    return html.escape(text.clean(words), quote=True)


def document(mark: Mark, exercise: Exercise, listing: Listing | None) -> str:
    """What formgrader and feedback show of one exercise: a notebook that has run already.

    A cell for each piece, its output the report of that piece; and at the end what was handed in.
    The points of each cell stand in its metadata, where nbgrader's autograde finds them.
    """
    cells = [workbook.markdown("title", f"# {text.one_line(_(exercise.title))} ({exercise.id})")]
    found = mark.exercise(exercise)
    for number, points in enumerate(mark.points(exercise), 1):
        cell = workbook.grade_cell(exercise, points.name)
        cell["metadata"]["glassbox"] = {"earned": points.earned}
        if found and points.result and points.earned is not None:
            page = piece(found, points.result)
        else:
            page = undecided(points)
        shown = {"data": {"text/html": page, "text/plain": f"{points.earned}"}, "metadata": {}}
        cell["execution_count"] = number
        cell["outputs"] = [{"output_type": "execute_result", "execution_count": number, **shown}]
        cells.append(cell)
    comment = workbook.comment_cell()
    comment["metadata"]["glassbox"] = {"comment": mark.comment(exercise)}
    cells.append(comment)
    if listing is not None:
        title = _("## What was handed in: {file}, from line {first}")
        title = title.format(file=exercise.file, first=listing.first)
        cells.append(workbook.markdown("source-title", title))
        source = workbook.fenced(text.clean(listing.text), "python")
        cells.append(workbook.markdown("source", source))
    return workbook.dump(cells)
