"""The board: one check in a terminal, ending on the next thing to do.

It says what `plain` says. Colours are the terminal's own, and none carries a fact alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import StringIO

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ..course import Course
from ..language import _
from ..results import FAILED, WAITING, ExerciseResult, PieceResult, Result
from . import text
from .picture import ASCII, STYLES, UNICODE, Ink, draw

WIDEST = 120  # a place set at the right edge must stay near what it belongs to
NARROW = 60  # below this an exercise has its pieces under it, not beside it


def render(result: Result, course: Course) -> Group:
    """The whole board. It fits the width and the encoding of the console that it is printed to."""
    return Group(_Board(result, course))


def show(result: Result, course: Course, console: Console | None = None) -> None:
    """Print the board."""
    (console or Console()).print(render(result, course))


def svg(result: Result, course: Course, width: int = 100) -> str:
    """The board as an SVG picture that needs nothing from the network."""
    console = Console(
        record=True,
        file=StringIO(),
        width=width,
        force_terminal=True,
        color_system="standard",
        no_color=False,
        legacy_windows=False,
    )
    show(result, course, console)
    picture = console.export_svg(title="make check")
    return re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)


@dataclass(frozen=True)
class _Board:
    result: Result
    course: Course

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(options.max_width, WIDEST)
        ink = ASCII if options.ascii_only or options.legacy_windows else UNICODE
        sections = [
            _header(self.result, self.course, ink, width),
            _picture(self.result, self.course, ink, width),
            _exercises(self.result, ink, width),
            *_failures(self.result, ink, width),
            _ending(self.result, self.course, ink),
        ]
        for place, section in enumerate(filter(None, sections)):
            if place:
                yield Text()
            yield from console.render(section, options.update(width=width))


def _header(result: Result, course: Course, ink: Ink, width: int) -> RenderableType:
    """Title and score, a bar, and how far it is."""
    share = result.earned / result.possible if result.possible else 0.0
    done = int(share * width)
    earned, left = ink.bar
    facts = text.summary(result, course) + text.origin(result)
    return Group(
        _ends(ink.text(course.title, "bold"), ink.text(text.score(result), "bold"), width),
        Text.assemble((earned * done, "green"), (left * (width - done), "dim")),
        ink.text("; ".join(facts)),
    )


def _picture(result: Result, course: Course, ink: Ink, width: int) -> RenderableType | None:
    """Only for the whole course: in a selection most parts have no state to show."""
    return Group(*draw(result, course, ink, width)) if text.is_whole(result, course) else None


def _exercises(result: Result, ink: Ink, width: int) -> RenderableType:
    """A row an exercise, and what its signs mean."""
    rows = _rows_stacked if width < NARROW else _rows_in_columns
    return Group(rows(result, ink, width), Text(), _legend(result, ink))


def _rows_in_columns(result: Result, ink: Ink, width: int) -> RenderableType:
    table = _grid(5)
    table.columns[2].max_width = 30 if width > 100 else 21
    table.columns[3].justify = "right"
    for exercise in result.exercises:
        table.add_row(
            ink.sign(exercise.status),
            ink.text(text.short(exercise), "bold"),
            ink.text(text.one_line(_(exercise.title))),
            _points(exercise),
            _pieces(exercise, ink),
        )
    return table


def _rows_stacked(result: Result, ink: Ink, width: int) -> RenderableType:
    rows: list[RenderableType] = []
    for exercise in result.exercises:
        id, title = text.short(exercise), text.one_line(_(exercise.title))
        name = Text.assemble(
            ink.sign(exercise.status), " ", ink.text(id, "bold"), "  ", ink.text(title)
        )
        rows.append(_ends(name, _points(exercise), width))
        rows.append(Padding(_pieces(exercise, ink), (0, 0, 0, 2), expand=False))
    return Group(*rows)


def _points(exercise: ExerciseResult) -> Text:
    return Text(f"{text.number(exercise.earned)}/{text.number(exercise.possible)}")


def _pieces(exercise: ExerciseResult, ink: Ink) -> Text:
    """The pieces with their signs; on lines of their own what is waited for and borrowed."""
    lines = [Text("  ").join(_marked(piece, ink) for piece in exercise.pieces)]
    for reason in text.waits(exercise):
        lines.append(Text.assemble(ink.sign(WAITING), " ", ink.text(reason)))
    if borrowed := text.borrowed(exercise):
        names = ", ".join(borrowed)
        lines.append(ink.text(_("borrowed from the reference: {names}").format(names=names)))
    return Text("\n").join(lines)


def _marked(piece: PieceResult, ink: Ink) -> Text:
    style = STYLES[FAILED] if piece.status == FAILED else ""
    return Text.assemble(ink.sign(piece.status), ink.text(text.one_line(piece.name), style))


def _legend(result: Result, ink: Ink) -> Text:
    """The signs that stand in the rows above, in words."""
    used = {piece.status for exercise in result.exercises for piece in exercise.pieces}
    words = [Text.assemble(ink.sign(s), " ", text.word(s)) for s in ink.signs if s in used]
    return Text("   ").join(words)


def _failures(result: Result, ink: Ink, width: int) -> list[RenderableType]:
    blocks, more = text.shown(result)
    shown: list[RenderableType] = [_block(block, ink, width) for block in blocks]
    return shown + ([Group(*(ink.text(line) for line in more))] if more else [])


def _block(block: text.Block, ink: Ink, width: int) -> RenderableType:
    """Piece, test and place on one line; under it what happened, and why it probably did."""
    piece, test, where = text.heading(block)
    head = Text.assemble(ink.text(piece, "bold red"), "  ", ink.text(test))
    lines = [ink.text(line) for line in text.said(block)]
    if hint := text.likely(block):
        lines.append(Text.assemble((_("likely: "), "bold magenta"), ink.text(hint)))
    if repeats := text.repeats(block):
        lines.append(ink.text(repeats))
    body: list[RenderableType] = [Padding(line, (0, 0, 0, 2), expand=False) for line in lines]
    if output := text.printed(block):
        title, printed = output
        body.append(Padding(ink.text(title), (0, 0, 0, 2), expand=False))
        body += [Padding(ink.text(line), (0, 0, 0, 4), expand=False) for line in printed]
    return Group(_ends(head, ink.text(where, "magenta"), width), *body)


def _ending(result: Result, course: Course, ink: Ink) -> RenderableType:
    """The last thing on the screen: label and fact a line, in a frame."""
    facts = text.ending(result, course)
    colour = "green" if result.passed else "magenta"
    table = _grid(2)
    for place, (label, fact) in enumerate(facts):
        table.add_row(Text(label, colour), ink.text(fact, "bold" if place == 0 else ""))
    return Panel(table, box=box.ROUNDED, border_style=colour)


def _grid(columns: int) -> Table:
    """An unframed table that folds what is too long for it, and never cuts."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for _column in range(columns):
        table.add_column(overflow="fold")
    return table


def _ends(left: Text, right: Text, width: int) -> Text:
    """Two texts at the two ends of a line, or on two lines where one has no room for both."""
    if not right:
        return left
    gap = width - left.cell_len - right.cell_len
    if gap < 2:
        return Text.assemble(left, "\n  ", right)
    return Text.assemble(left, " " * gap, right)
