"""How it grows: the time of a training step against each size, marking against submissions.

    python -m grader.growth ROUNDS SECONDS     a Curve as JSON in each line of stdout

Each size doubles from a small base while the others stay. The exponent p of time = c * size^p is
the slope of the line of least squares through log size and log time. Beside it stands what the
algebra says: the same slope through the FLOP of the step's products, counted.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from math import log
from pathlib import Path
from statistics import fmean, median

from . import latency
from .bench import Setting, apart, at_least_one
from .course import Course
from .language import _, later

BASE = Setting("base", 4, 16, 32, 1, 27)
DOUBLINGS = 4
SIZES = ("T", "C", "L", "batch")
SUBMISSIONS, MANY = (1, 10, 100), 1000
MARKED = ("ex05",)  # of each submission, so that a hundred take a minute
JOBS = 2
WHY = {
    "T": later("attention compares all pairs of positions; all else is the same for each"),
    "C": later("weights are C x C, but what moves memory grows as C, and calls do not grow"),
    "L": later("every block is the same work; embedding, head and loss come once"),
    "batch": later("every row is the same work; a call costs the same for few and for many"),
    "submissions": later("each is the same work; the start is shared, and the second job at first"),
    "memory": later("a result is on the disk before the next is asked for"),
}


@dataclass(frozen=True)
class Curve:
    """What grows with one size: a figure of each round at each of its values.

    what      "training step", "marking", "memory of marking"
    size      "T", "C", "L", "batch", "submissions"
    unit      of all figures: "ms", "s", "MB"
    algebra   the exponent that counting operations gives, None where nothing was counted
    """

    what: str
    size: str
    unit: str
    at: tuple[int, ...]
    figures: tuple[tuple[float, ...], ...]
    algebra: float | None = None
    why: str = ""

    @property
    def medians(self) -> tuple[float, ...]:
        return tuple(map(median, self.figures))

    @property
    def exponent(self) -> float:
        return slope(self.at, self.medians)

    def to_json(self) -> dict:
        return asdict(self) | {"medians": self.medians, "exponent": self.exponent}


def slope(sizes: Sequence[float], figures: Sequence[float]) -> float:
    """The exponent p of figure = c * size^p, by least squares in logarithms."""
    xs, ys = [log(size) for size in sizes], [log(figure) for figure in figures]
    x_mean, y_mean = fmean(xs), fmean(ys)
    rise = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys))
    return rise / sum((x - x_mean) ** 2 for x in xs)


def measure(
    course: Course,
    *,
    threads: int,
    rounds: int,
    seconds: float,
    long: bool,
    with_marking: bool,
    notify: Callable[[str], None],
) -> Iterator[Curve]:
    """The curves, as they come. `long`: up to 1,000 submissions. Raises bench.BenchError."""
    at_least_one(rounds)
    for curve in apart("growth", [str(rounds), str(seconds)], threads):
        yield read(curve)
    if with_marking:
        yield from marking(course, (*SUBMISSIONS, MANY) if long else SUBMISSIONS, notify)


def read(curve: dict) -> Curve:
    """A curve from its fields as JSON, which has lists for tuples."""
    figures = tuple(map(tuple, curve["figures"]))
    return Curve(**curve | {"at": tuple(curve["at"]), "figures": figures})


# the training step


def main(rounds: str, seconds: str) -> None:
    for size in SIZES:
        print(f"bench: {size}", file=sys.stderr, flush=True)
        print(json.dumps(asdict(training(size, int(rounds), float(seconds)))), flush=True)


def training(size: str, rounds: int, seconds: float) -> Curve:
    """Milliseconds of a step while one size doubles; all values take turns."""
    import numpy as np

    from . import limits, race, sandbox

    sandbox.keep_memory()
    base = getattr(BASE, size)
    settings = [replace(BASE, **{size: base * 2**i}) for i in range(DOUBLINGS + 1)]
    steps = []
    for setting in settings:
        rng = np.random.default_rng(0)
        batch = rng.integers(setting.V, size=(2, setting.batch, setting.T))
        steps.append(race.trainer(race.model_of(setting, rng), *batch))
    figures = race.contest(*steps, rounds=rounds, seconds=seconds)
    at = tuple(getattr(setting, size) for setting in settings)
    return Curve(
        race.STEP,
        size,
        "ms",
        at,
        tuple(map(race.in_ms, figures)),
        slope(at, [limits.flops(setting) for setting in settings]),
        WHY[size],
    )


# marking


def marking(
    course: Course, counts: Sequence[int], notify: Callable[[str], None]
) -> Iterator[Curve]:
    """Seconds of `mark`, and the megabytes of its largest process, against submissions."""
    trust, _isolation = latency.isolated()
    measured = []
    for count in counts:
        notify(_("marking {count} submissions").format(count=count))
        with tempfile.TemporaryDirectory() as folder:
            handed_in = latency.submissions(course, Path(folder) / "submissions", count)
            measured.append(latency.marking(handed_in, trust, JOBS, MARKED))
    seconds, sizes = (tuple((figure,) for figure in column) for column in zip(*measured))
    row = partial(Curve, size="submissions", at=tuple(counts))
    yield row(later("marking"), unit="s", figures=seconds, algebra=1.0, why=WHY["submissions"])
    if any(size for (size,) in sizes):  # Windows does not tell
        what = later("memory of marking")
        yield row(what, unit="MB", figures=sizes, algebra=0.0, why=WHY["memory"])


if __name__ == "__main__":
    main(*sys.argv[1:])
