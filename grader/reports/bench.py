"""Measured speed as a table: for a terminal, for a README, for a machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from statistics import median

from rich.console import Console
from rich.table import Table

from ..bench import SETTINGS, Row
from ..language import _, counted, later

SPREAD = later("least - most")
HEAD = (
    *("", later("at"), later("threads"), later("ours"), SPREAD),
    *(later("peer"), later("theirs"), SPREAD, later("ratio")),
)
ABOUT = later(
    "Medians of rounds in which both took turns; the ratio is ours / theirs, round by round:"
    " of ms and s less is better, of tokens/s more."
)


def show(rows: Sequence[Row], console: Console | None = None) -> None:
    """Print the table, and what was compared."""
    console = console or Console(highlight=False)
    table = Table(*head(), box=None, header_style="bold", pad_edge=False)
    for i in (2, 3, 6, 8):
        table.columns[i].justify = "right"
        table.columns[i].no_wrap = True
    for row in rows:
        table.add_row(*cells(row))
    console.print(table)
    for line in (_(ABOUT), *notes(rows)):
        console.print(line, markup=False, style="dim")


def markdown(rows: Sequence[Row]) -> str:
    """The table for a README, and what was compared."""
    lines = [head(), ("---",) * len(HEAD), *(cells(row) for row in rows)]
    table = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([*table, "", _(ABOUT), "", *(f"- {note}" for note in notes(rows))]) + "\n"


def to_json(rows: Sequence[Row]) -> str:
    """Every figure of every round."""
    return json.dumps([row.to_json() for row in rows], indent=1) + "\n"


def head() -> tuple[str, ...]:
    return tuple(word and _(word) for word in HEAD)  # of "" gettext gives its own header


def cells(row: Row) -> tuple[str, ...]:
    """A row of the table, the same in all."""
    threads = "" if row.threads is None else str(row.threads)
    start = (f"{_(row.what)}, {row.unit}", row.where, threads, *shown(row.ours))
    if row.peer is None or row.ratio is None:
        return (*start, _("none"), "", "", "")
    return (*start, _(row.peer), *shown(row.theirs), times(row.ratio))


def shown(figures: Sequence[float]) -> tuple[str, str]:
    """The median, and the spread."""
    return number(median(figures)), f"{number(min(figures))} - {number(max(figures))}"


def number(x: float) -> str:
    """Three digits that count; of what is very small, two."""
    if x >= 100:
        return f"{x:,.0f}"
    return f"{x:.1f}" if x >= 10 else f"{x:.2f}" if x >= 0.1 else f"{x:.2g}"


def times(ratio: float) -> str:
    """As a factor; as a fraction where ours is a small part of theirs."""
    return f"{ratio:.2f} x" if ratio >= 0.05 else f"1/{1 / ratio:.0f} x"


def notes(rows: Sequence[Row]) -> list[str]:
    """The settings in the table, and what each note says, once, with all that it is about."""
    about: dict[str, list[str]] = {}
    for row in rows:
        name = f"{_(row.what)} {row.where}"
        if row.threads is not None:
            name += f" ({counted('{n} thread', '{n} threads', row.threads)})"
        about.setdefault(row.note, []).append(name)
    used = [setting.words for name, setting in SETTINGS.items() if name in {r.where for r in rows}]
    return used + [f"{', '.join(names)}: {note}" for note, names in about.items() if note]
