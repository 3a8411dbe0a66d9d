"""A class, in four forms that say the same: tables, plain text, CSV, and a picture."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator, Sequence

from rich import box
from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from ..language import _, counted
from ..similar import Pair
from ..stats import Stats
from .marking import left_out
from .table import as_csv
from .text import ascii_only, clean, number, one_line

MOST = 15  # of each list that is shown; CSV has all
BAR = 12  # characters
BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#b0b0b0"  # told apart by everybody
BINS = 20

Rows = list[tuple[str, ...]]
# A sentence, the heads of its columns, the rows, and how a row is said without a table.
Section = tuple[str, tuple[str, ...], Rows, Callable[..., str]]


class NoMatplotlib(Exception):
    """A picture takes matplotlib, which is not installed; the message says how."""


def render(stats: Stats, pairs: Sequence[Pair] | None = None, notes: Sequence[str] = ()) -> str:
    """The plain report: linear ASCII, one row a line, each read as a sentence."""
    parts = [summary(stats)]
    for title, head, rows, in_words in sections(stats, pairs, notes):
        lines = [in_words(*row) if len(row) == len(head) else row[0] for row in rows]
        parts.append([title, *(f"  {line}" for line in lines)])
    return ascii_only(clean("\n\n".join("\n".join(part) for part in parts))) + "\n"


def show(
    stats: Stats,
    pairs: Sequence[Pair] | None = None,
    notes: Sequence[str] = (),
    console: Console | None = None,
) -> None:
    """Print it as tables."""
    console = console or Console(highlight=False)
    console.print(Text("\n".join(summary(stats))))
    for title, head, rows, _in_words in sections(stats, pairs, notes):
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in head:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(Text(value) for value in row))
        console.print(Group("", Text(title, "bold"), *([table] if rows else [])))


def summary(stats: Stats) -> list[str]:
    """How many, and how they did."""
    lines = [counted("{n} submission marked", "{n} submissions marked", len(stats.scores))]
    if stats.scores:
        words = _("mean {mean} of {possible} points, median {median}, spread {spread}")
        lines.append(
            words.format(
                mean=number(stats.mean),
                possible=number(stats.possible),
                median=number(stats.median),
                spread=number(stats.spread),
            )
            + left_out(len(stats.unmarked))
        )
    return lines


def sections(stats: Stats, pairs: Sequence[Pair] | None, notes: Sequence[str]) -> Iterator[Section]:
    """What there is to say, in order; nothing of what has not been asked for or is not there."""
    if stats.pieces:
        yield pieces(stats)
    if stats.failed:
        yield misconceptions(stats)
    if stats.unmarked:
        rows = [(one_line(id), one_line(why)) for id, why in stats.unmarked.items()]
        title = counted("{n} not marked", "{n} not marked", len(rows))
        yield title, (_("submission"), _("why")), shortened(rows), "{}: {}".format
    if pairs is not None:
        yield look_alikes(pairs)
    if notes:
        yield _("Not compared"), ("",), shortened([(one_line(note),) for note in notes]), str


def pieces(stats: Stats) -> Section:
    head = (
        *(_("piece"), _("pass"), "", _("points"), _("spread"), _("failed"), _("to do")),
        *(_("waiting"), _("timed out"), _("crashed"), _("refused")),
    )
    rows = [
        (
            one_line(piece.id),
            f"{piece.rate:.0%}",
            "#" * round(BAR * piece.rate),
            _("{mean} of {possible}").format(
                mean=number(piece.mean), possible=number(piece.possible)
            ),
            number(piece.spread),
            *(
                str(count or "")
                for count in (piece.failed, piece.todo, piece.waiting)
                + (piece.timeout, piece.crashed, piece.refused)
            ),
        )
        for piece in stats.pieces
    ]

    def in_words(id: str, *values: str) -> str:
        """ "ex05.layernorm: pass 50%, failed 3": without the values that say nothing."""
        named = [f"{name} {value}" for name, value in zip(head[1:], values) if name and value]
        return f"{id}: {', '.join(named)}"

    return _("The pieces"), head, rows, in_words


def misconceptions(stats: Stats) -> Section:
    title = _("Mistakes that were named, in {named} of {failed} failures ({share})").format(
        named=stats.named, failed=stats.failed, share=f"{stats.named / stats.failed:.0%}"
    )
    rows = [(one_line(m.piece), str(m.count), one_line(m.says)) for m in stats.misconceptions]

    def in_words(piece: str, count: str, mistake: str) -> str:
        times = counted("{n} submission", "{n} submissions", int(count))
        return _("{piece}, in {times}: {mistake}").format(piece=piece, times=times, mistake=mistake)

    return title, (_("piece"), _("how many"), _("mistake")), shortened(rows), in_words


def look_alikes(pairs: Sequence[Pair]) -> Section:
    """A row for every two that are alike: where they are most, and in which other exercises."""
    if not pairs:
        return _("No two submissions are alike in what many do not share"), (), [], str
    title = _("Look at these side by side; how they came to be alike, no number can tell")
    head = (
        *(_("one"), _("other"), _("exercise"), _("shared"), _("lines")),
        *(_("and"), _("alike too")),
    )
    by_owners: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        by_owners.setdefault((pair.first, pair.second), []).append(pair)
    often_first = sorted(by_owners.values(), key=len, reverse=True)
    rows = [
        (
            *(one_line(most.first), one_line(most.second), short(most), f"{most.share:.0%}"),
            *map(places, most.places),
            ", ".join(sorted(map(short, others))),
        )
        for most, *others in often_first
    ]
    return title, head, shortened(rows), pair_in_words


def pair_in_words(
    one: str, other: str, exercise: str, share: str, lines: str, others: str, too: str
) -> str:
    words = _("{one} and {other}: {share} of {exercise} shared, lines {lines} and {others}").format(
        one=one, other=other, share=share, exercise=exercise, lines=lines, others=others
    )
    return words + (_("; alike too in {exercises}").format(exercises=too) if too else "")


def short(pair: Pair) -> str:
    """ "ex05"."""
    return pair.exercise.split("_")[0]


def places(ranges: Sequence[range]) -> str:
    """ "12-18, 30"."""
    ends = [(lines.start, lines.stop - 1) for lines in ranges]
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ends)


def shortened(rows: Rows) -> Rows:
    """The first rows, and how many more there are."""
    more = len(rows) - MOST
    return [*rows[:MOST], (_("{n} more; --csv has all").format(n=more),)] if more > 0 else rows


def scores(stats: Stats) -> Iterator[list[object]]:
    """What each submission earned of what, or why it is not marked; and whether it came late."""
    found: dict[str, list[object]] = {
        id: [earned, stats.possible, ""] for id, earned in stats.scores.items()
    }
    found |= {id: [None, None, one_line(why)] for id, why in stats.unmarked.items()}
    for id, row in found.items():
        yield [one_line(id), *row, "late" if id in stats.late else ""]


def tables(
    stats: Stats, pairs: Sequence[Pair] | None = None, notes: Sequence[str] = ()
) -> dict[str, bytes]:
    """Every number, as CSV files by name, with column names that do not change with a language."""
    columns = "possible of mean spread passed failed todo waiting timeout crashed refused named"
    names = columns.split()
    found: dict[str, list[list[object]]] = {
        "pieces.csv": [["piece", "rate", *names]]
        + [
            [one_line(p.id), float(p.rate), *(getattr(p, name) for name in names)]
            for p in stats.pieces
        ],
        "misconceptions.csv": [["piece", "count", "mistake"]]
        + [[one_line(m.piece), m.count, one_line(m.says)] for m in stats.misconceptions],
        "scores.csv": [["submission", "earned", "possible", "not_marked", "late"]]
        + list(scores(stats)),
    }
    if pairs is not None:
        found["similar.csv"] = [
            ["exercise", "share", "fingerprints", "one", "lines_of_one", "other", "lines_of_other"]
        ] + [
            [
                *(pair.exercise, pair.share, pair.shared),
                *(one_line(pair.first), places(pair.places[0])),
                *(one_line(pair.second), places(pair.places[1])),
            ]
            for pair in pairs
        ]
        found["not_compared.csv"] = [["why"], *([one_line(note)] for note in notes)]
    return {name: as_csv(rows) for name, rows in found.items()}


def picture(stats: Stats, form: str) -> bytes:
    """How many pass each piece, and how the points are spread: as "png" or "svg".

    Raises NoMatplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        words = _("a picture takes matplotlib: sh requirements/install.sh curves")
        raise NoMatplotlib(words) from None
    rows = len(stats.pieces)
    figure = Figure(figsize=(11, max(4, 0.22 * rows + 1)), layout="constrained")
    shares, points = figure.subplots(1, 2, width_ratios=(3, 2))
    left = [0.0] * rows
    counts = {
        (_("passed"), BLUE): [p.passed for p in stats.pieces],
        (_("failed"), ORANGE): [p.failed for p in stats.pieces],
        (_("to do or waiting"), GREY): [p.todo + p.waiting for p in stats.pieces],
    }
    for (label, colour), found in counts.items():
        width = [100 * n / p.of for n, p in zip(found, stats.pieces)]
        shares.barh(range(rows), width, left=left, color=colour, label=label)
        left = [a + b for a, b in zip(left, width)]
    shares.set_yticks(range(rows), [one_line(p.id) for p in stats.pieces], fontsize=8)
    shares.invert_yaxis()
    shares.set_xlim(0, 100)
    shares.margins(y=0.01)
    shares.set_xlabel(_("% of submissions"))
    shares.set_title(_("The pieces"), loc="left")
    shares.legend(loc="lower center", bbox_to_anchor=(0.5, 1.03), ncols=3, frameon=False)
    top = math.ceil(stats.possible) or 1
    points.hist(list(stats.scores.values()), bins=BINS, range=(0, top), color=BLUE)
    points.yaxis.get_major_locator().set_params(integer=True)
    points.set_xlabel(_("points"))
    points.set_ylabel(_("submissions"))
    points.set_title(_("Points of {possible}").format(possible=number(stats.possible)), loc="left")
    drawn = io.BytesIO()
    figure.savefig(drawn, format=form, dpi=150)
    return drawn.getvalue()
