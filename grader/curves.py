"""A training run as curves: a table, and a picture of it, beside the checkpoint.

write(checkpoint, steps, evaluations)     NAME.csv and NAME.svg of these events of a run; and
                                          NAME.png, where matplotlib is installed
read(path)                                the columns of a NAME.csv, or None
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

from . import writing
from .language import _

COLUMNS = (
    "step",
    "seconds",
    "loss",
    "held_out",
    "learning_rate",
    "gradient_norm",
    "tokens_a_second",
)
MOST_POINTS = 600  # of one line; more cannot be seen

WIDTH, HEIGHT = 760, 200  # of one chart
LEFT, RIGHT, TOP, BOTTOM = 64, 120, 34, 28
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#767676"  # told apart by everybody, on light and dark
LINES = {"loss": ("training", BLUE), "held_out": ("held out", ORANGE)}
STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#767676}.title{font-weight:600}"
    ".grid{stroke:#767676;stroke-opacity:.25}path{fill:none;stroke-width:1.8}"
)

Row = dict[str, float | None]
Point = tuple[float, float]


def rows(steps: Sequence[dict[str, Any]], evaluations: Sequence[dict[str, Any]]) -> list[Row]:
    """The events of a run as a table; an evaluation stands in the row of the step it followed."""
    table = [{column: event.get(column) for column in COLUMNS} for event in steps]
    for event in evaluations:
        if event["step"] == 0:  # before the first step was taken
            table.insert(0, dict.fromkeys(COLUMNS) | {"step": 0, "seconds": 0.0})
        row = next((row for row in table if row["step"] >= event["step"]), None)
        if row:
            row["held_out"] = event["loss"]
    return table


def write(
    checkpoint: Path, steps: Sequence[dict[str, Any]], evaluations: Sequence[dict[str, Any]]
) -> list[Path]:
    """Write the curves of a run; if it went on with another, behind those. -> the files"""
    path = checkpoint.with_suffix(".csv")
    table = rows(steps, evaluations)
    table = [row for row in _rows_of(path) if row["step"] < table[0]["step"]] + table
    lines = io.StringIO()
    writer = csv.DictWriter(lines, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({k: "" if v is None else f"{v:.6g}" for k, v in row.items()} for row in table)
    drawn = picture(table)
    writing.write(path, lines.getvalue())
    writing.write(path.with_suffix(".svg"), drawn)
    return [path, path.with_suffix(".svg"), *as_png(table, path.with_suffix(".png"))]


def as_png(table: Sequence[Row], path: Path) -> list[Path]:
    """The same charts as a PNG, by matplotlib, where that is installed."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return []
    shown = charts(table)
    figure = Figure(figsize=(WIDTH / 100, HEIGHT * len(shown) / 100), layout="constrained")
    for axes, (title, found) in zip(figure.subplots(len(shown), squeeze=False)[:, 0], shown):
        axes.set_title(title, loc="left")
        axes.grid(alpha=0.3)
        for column, line in found.items():
            name, colour = LINES.get(column, (None, BLUE))
            axes.plot(*zip(*line), color=colour, label=name and _(name))
        if len(found) > 1:
            axes.legend()
    axes.set_xlabel(_("step"))
    partial = path.with_name(f"partial-{path.name}")
    figure.savefig(partial, dpi=200)
    partial.replace(path)
    return [path]


def read(path: Path) -> dict[str, list[float | None]] | None:
    """The columns of a table of curves; None where there is no such file."""
    if not path.is_file():
        return None
    table = _rows_of(path)
    return {column: [row[column] for row in table] for column in COLUMNS}


def _rows_of(path: Path) -> list[Row]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {column: float(row[column]) if row.get(column) else None for column in COLUMNS}
            for row in csv.DictReader(file)
        ]


def picture(table: Sequence[Row]) -> str:
    """The table as an SVG: one chart below the other, all over the same steps."""
    shown = charts(table)
    drawn = [chart(title, found, HEIGHT * row) for row, (title, found) in enumerate(shown)]
    size = f'viewBox="0 0 {WIDTH} {HEIGHT * len(shown)}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} width="{WIDTH}" role="img">'
    return "\n".join([head, f"<style>{STYLE}</style>", *drawn, "</svg>", ""])


def charts(table: Sequence[Row]) -> list[tuple[str, dict[str, list[Point]]]]:
    """The title of each chart, and its lines by column; without those that were not measured."""
    titles = {
        _("loss, nats per character"): ("loss", "held_out"),
        _("learning rate"): ("learning_rate",),
        _("length of the gradient"): ("gradient_norm",),
        _("tokens a second"): ("tokens_a_second",),
    }
    lines = {
        title: {c: found for c in columns if (found := points(table, c))}
        for title, columns in titles.items()
    }
    return [(title, found) for title, found in lines.items() if found]


def points(table: Sequence[Row], column: str) -> list[Point]:
    """(step, value) where there is one; of very many every so many-th, and the last."""
    found = [(row["step"], row[column]) for row in table if row[column] is not None]
    every = 1 + len(found) // MOST_POINTS
    return [*found[::every], *found[-1:]]


def chart(title: str, lines: dict[str, list[Point]], top: float) -> str:
    """One chart: its title, a few values at the left, steps below, a name at each line's end."""
    xs, ys = zip(*(point for line in lines.values() for point in line))
    x_ticks, y_ticks = ticks(0, max(xs)), ticks(min(ys), max(ys))
    x_low, x_high = 0, max(xs) or 1
    y_low, y_high = min(*ys, *y_ticks), max(*ys, *y_ticks)

    def x(step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (step - x_low) / (x_high - x_low)

    def y(value: float) -> float:
        share = (value - y_low) / ((y_high - y_low) or 1)
        return top + HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    parts = [f'<text class="title" x="{LEFT}" y="{top + 20}">{escape(title)}</text>']
    for tick in y_ticks:
        parts.append(f'<path class="grid" d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}"/>')
        parts.append(text(LEFT - 8, y(tick) + 4, f"{tick:,g}", "end"))
    parts += [text(x(tick), top + HEIGHT - 8, f"{tick:,g}", "middle") for tick in x_ticks]
    for number, (column, line) in enumerate(lines.items()):
        name, colour = LINES.get(column, (None, BLUE))
        path = "L".join(f"{x(step):.1f} {y(value):.1f}" for step, value in line)
        parts.append(f'<path stroke="{colour}" d="M{path}"/>')
        last = line[-1][1]
        end = f"{last:,.0f}" if last >= 1000 else f"{last:.4g}"
        place = y(line[-1][1]) + 4 + 14 * (number - (len(lines) - 1) / 2)  # lines may end as one
        end = f"{end} {_(name)}" if name else end
        parts.append(text(x(line[-1][0]) + 8, place, end, "start", colour))
    return "\n".join(parts)


def text(x: float, y: float, words: str, anchor: str, colour: str = GREY) -> str:
    style = f'text-anchor="{anchor}" style="fill:{colour}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(words)}</text>'


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers from about `low` to about `high`: 0, 0.5, 1, 1.5."""
    if not high > low:
        return [low]
    rough = (high - low) / (most - 1)
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * f for f in (1, 2, 2.5, 5, 10) if power * f >= rough)
    first = math.floor(low / step)
    return [
        round(step * i, 10) for i in range(first, first + most + 1) if step * i < high + step / 2
    ]
