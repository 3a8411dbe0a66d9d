"""How it grows: a table, a plot in the terminal, a picture as SVG, and all as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from math import log2

from rich.console import Console
from rich.table import Table

from ..curves import STYLE, text
from ..growth import BASE, Curve
from ..language import _, later
from .bench import number

HEAD = (later("against"), later("figures"), later("exponent"), later("counted"), later("why"))
ABOUT = later(
    "Medians of rounds; the exponent p is that of size^p, by least squares in logarithms;"
    " counted: that of the products' operations, which is what the algebra says."
)
AXES = later("doublings of the size"), later("doublings of the figure, from the first")
COLOURS = "#0072b2 #d55e00 #009e73 #cc79a7 #767676 #e69f00".split()  # told apart by everybody
WIDTH, HEIGHT = 800, 420
LEFT, RIGHT, TOP, BOTTOM = 56, 250, 24, 44

Point = tuple[float, float]


def show(curves: Sequence[Curve], console: Console | None = None) -> None:
    """Print the table, then the plot."""
    console = console or Console(highlight=False)
    table = Table(*map(_, HEAD), box=None, header_style="bold", pad_edge=False)
    for curve in curves:
        table.add_row(*cells(curve))
    console.print(table)
    for line in (_(ABOUT), base()):
        console.print(line, markup=False, style="dim")
    if curves:
        console.print(plot(curves), markup=False)


def markdown(curves: Sequence[Curve]) -> str:
    """The table for a README."""
    lines = [tuple(map(_, HEAD)), ("---",) * len(HEAD), *map(cells, curves)]
    table = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([*table, "", _(ABOUT), base()]) + "\n"


def to_json(curves: Sequence[Curve]) -> str:
    """Every figure of every round."""
    return json.dumps([curve.to_json() for curve in curves], indent=1) + "\n"


def base() -> str:
    return _("Sizes double from {base}.").format(base=BASE.words.partition(": ")[2])


def cells(curve: Curve) -> tuple[str, ...]:
    pairs = zip(curve.at, curve.medians)
    figures = ", ".join(f"{at:,}: {number(figure)}" for at, figure in pairs)
    counted = "" if curve.algebra is None else f"{curve.algebra:.2f}"
    name = f"{_(curve.what)}, {curve.size}"
    return name, f"{figures} {curve.unit}", f"{curve.exponent:.2f}", counted, _(curve.why)


def points(curve: Curve) -> list[Point]:
    """The curve in doublings from its first point: a straight line of slope p is size^p."""
    first, begin = curve.at[0], curve.medians[0]
    return [(log2(at / first), log2(f / begin)) for at, f in zip(curve.at, curve.medians)]


def plot(curves: Sequence[Curve]) -> str:
    """All curves in a terminal, each with a letter of its own."""
    import plotille

    figure = plotille.Figure()
    figure.width, figure.height, figure.color_mode = 60, 20, "names"
    figure.with_colors = False
    figure.register_label_formatter(float, lambda value, chars, **_rest: f"{value:>{chars}.1f}")
    figure.set_x_limits(min_=0)
    figure.x_label, figure.y_label = _(AXES[0]), _(AXES[1])
    for letter, curve in zip("abcdefghij", curves):
        xs, ys = zip(*points(curve))
        figure.plot(list(xs), list(ys), label=label(curve), marker=letter)
    return figure.show(legend=True)


def label(curve: Curve) -> str:
    return f"{_(curve.what)}, {curve.size}: {curve.exponent:.2f}"


def svg(curves: Sequence[Curve]) -> str:
    """All curves as a picture, and in grey what would be linear."""
    lines = [points(curve) for curve in curves]
    x_high = max(x for line in lines for x, _y in line)
    low = min(0.0, *(y for line in lines for _x, y in line))
    high = max(x_high, *(y for line in lines for _x, y in line))

    def x(doublings: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * doublings / x_high

    def y(doublings: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (high - doublings) / (high - low)

    def path(line: Sequence[Point], colour: str, more: str = "") -> str:
        places = "L".join(f"{x(across):.1f} {y(up):.1f}" for across, up in line)
        return f'<path stroke="{colour}" {more} d="M{places}"/>'

    parts = [path([(0, 0), (x_high, x_high)], "#767676", 'stroke-dasharray="4 4"')]
    parts += [text(x(i), HEIGHT - BOTTOM + 18, f"{i}", "middle") for i in range(int(x_high) + 1)]
    parts += [text(LEFT - 8, y(i) + 4, f"{i}", "end") for i in range(int(low), int(high) + 1)]
    parts.append(text(x(x_high / 2), HEIGHT - 8, _(AXES[0]), "middle"))
    parts.append(text(LEFT - 40, TOP - 8, _(AXES[1]), "start"))
    for row, (curve, line, colour) in enumerate(zip(curves, lines, COLOURS)):
        parts.append(path(line, colour))
        parts.append(text(WIDTH - RIGHT + 10, TOP + 12 + 20 * row, label(curve), "start", colour))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}"'
    title = f"<title>{escape(_('How it grows'))}</title>"
    return "\n".join(
        [f'{head} role="img">', title, f"<style>{STYLE}</style>", *parts, "</svg>", ""]
    )
