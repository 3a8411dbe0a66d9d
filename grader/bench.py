"""How fast it is, always beside a peer in the same run: ratios hold where seconds drift.

    training    a step of the reference beside PyTorch, and beside the scalar model
    sampling    tokens a second with the cache, beside PyTorch with one
    check       each exercise cold, and all of them, beside pytest alone on as many trivial tests

The model is timed by `race`, in a process for each number of threads: numpy's libraries read that
number once, when they are loaded. Contestants take turns; each turn gives one figure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from .course import ROOT, Course
from .language import _

TRIVIAL = "def test_{}():\n    assert np.ones(3).sum() == 3\n"
TURN = 0.4  # seconds that a contestant has in each round, as many steps as fit
LIBRARIES = ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM")  # each has its own NUM_THREADS


class BenchError(Exception):
    """It could not be measured, or both did not do the same work."""


@dataclass(frozen=True)
class Setting:
    """A size of model and batch."""

    name: str
    batch: int
    T: int
    C: int
    L: int
    V: int
    H: int = 4

    @property
    def words(self) -> str:
        return f"{self.name}: B {self.batch}, T {self.T}, C {self.C}, L {self.L}"


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("a", 1, 16, 16, 1, 27),
        Setting("b1", 32, 16, 16, 1, 27),
        Setting("b2", 64, 16, 64, 1, 27),
        Setting("c1", 12, 64, 128, 4, 63),
        Setting("c2", 32, 128, 128, 4, 63),
    )
}


@dataclass(frozen=True)
class Row:
    """One comparison: a figure of each for every round. Without a peer, `theirs` is empty.

    where     a setting's name, an exercise, or "all"
    unit      of all figures: "ms", "s": less is better; "tokens/s": more is
    threads   that the array libraries had; None where that is not what is measured
    note      what was compared to see that both did the same work, or why there is no peer
    """

    what: str
    where: str
    threads: int | None
    unit: str
    ours: tuple[float, ...]
    peer: str | None = None
    theirs: tuple[float, ...] = ()
    note: str = ""

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ours / theirs, round by round: what slows the machine down slows both."""
        return tuple(mine / other for mine, other in zip(self.ours, self.theirs))

    @property
    def ratio(self) -> float | None:
        return median(self.ratios) if self.theirs else None

    def to_json(self) -> dict:
        """The record, and what the tables show of it."""
        return asdict(self) | {
            "median": median(self.ours),
            "peer_median": median(self.theirs) if self.theirs else None,
            "ratio": self.ratio,
        }


def settings(names: Sequence[str]) -> list[Setting]:
    """The settings of these names, all without any. BenchError for one that there is not."""
    unknown = [name for name in names if name not in SETTINGS]
    if unknown:
        raise BenchError(
            _("there is no setting {unknown!r}; there are {all}").format(
                unknown=unknown[0], all=", ".join(SETTINGS)
            )
        )
    return [setting for name, setting in SETTINGS.items() if not names or name in names]


def measure(
    course: Course,
    names: Sequence[str],
    *,
    threads: Sequence[int],
    rounds: int,
    with_checks: bool,
    notify: Callable[[str], None],
) -> list[Row]:
    """All comparisons at these settings (all without any name), then the latencies.

    notify is told what is measured next. Raises BenchError for a setting that there is not, and
    where something could not be measured or peers differ in more than their speed.
    """
    if rounds < 1:
        raise BenchError(_("--rounds {rounds}: it takes one at least").format(rounds=rounds))
    chosen = settings(names)
    notify(busy())
    rows = [row for number in threads for row in models(chosen, number, rounds, TURN)]
    return rows + (checks(course, rounds, notify) if with_checks else [])


def busy() -> str:
    """How much else the machine has to do, where it tells."""
    if not hasattr(os, "getloadavg"):  # Windows
        return _("{n} processors").format(n=os.cpu_count())
    load = os.getloadavg()[0]
    return _("{n} processors, {load:.1f} programs want them already").format(
        n=os.cpu_count(), load=load
    )


def models(chosen: Sequence[Setting], threads: int, rounds: int, seconds: float) -> list[Row]:
    """Time the model at these settings, in a process that has so many threads.

    seconds   how long each contestant's turn is; one step at least
    """
    names = ",".join(setting.name for setting in chosen)
    command = [sys.executable, "-m", "grader.race", names, str(rounds), str(seconds)]
    bound = {f"{library}_NUM_THREADS": str(threads) for library in LIBRARIES}
    ran = subprocess.run(
        command, cwd=ROOT, env=os.environ | bound, stdout=subprocess.PIPE, encoding="utf-8"
    )
    if ran.returncode:
        raise BenchError(
            _("the race at {names} broke off; its last words stand above").format(names=names)
        )
    return [read(row) for row in json.loads(ran.stdout)]


def read(row: dict) -> Row:
    """A row from its fields as JSON, which has lists for tuples."""
    return Row(**row | {"ours": tuple(row["ours"]), "theirs": tuple(row["theirs"])})


def checks(course: Course, rounds: int, notify: Callable[[str], None]) -> list[Row]:
    """Seconds to check each exercise of the reference from cold, and the whole course."""
    rows = []
    for names in [*([exercise.short] for exercise in course.exercises), []]:
        where = names[0] if names else "all"
        notify(_("check {where}").format(where=where))
        rows.append(check(names, where, rounds))
    return rows


def check(names: list[str], where: str, rounds: int) -> Row:
    """Seconds of one check, beside pytest alone on as many tests that do next to nothing."""
    options = ["--target", "solutions", "--no-finale", "--format", "json"]
    command = [sys.executable, "-m", "grader", "check", *names, *options]
    count = tests_in(timed(command, ROOT)[1])
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        tests = "import numpy as np\n" + "".join(TRIVIAL.format(i) for i in range(count))
        (Path(folder) / "test_trivial.py").write_text(tests, "utf-8")
        alone = [sys.executable, "-m", "pytest", "-q", "test_trivial.py"]
        timed(alone, Path(folder))  # once unmeasured, as ours was, so that all is compiled
        for _round in range(rounds):
            ours.append(timed(command, ROOT)[0])
            theirs.append(timed(alone, Path(folder))[0])
    note = _("{count} tests").format(count=count)
    return Row("check", where, None, "s", tuple(ours), "pytest", tuple(theirs), note)


def timed(command: list[str], folder: Path) -> tuple[float, str]:
    """How many seconds it took, and what it printed. BenchError unless it succeeds."""
    start = time.perf_counter()
    ran = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8")
    seconds = time.perf_counter() - start
    if ran.returncode:
        said = (ran.stderr or ran.stdout).strip().splitlines()[-1:]
        words = " ".join(command[2:])
        raise BenchError(
            _("{words} did not pass, so it is not timed: {all}").format(
                words=words, all=" ".join(said)
            )
        )
    return seconds, ran.stdout


def tests_in(report: str) -> int:
    """How many tests a check has run, by its JSON."""
    pieces = [piece for exercise in json.loads(report)["exercises"] for piece in exercise["pieces"]]
    return sum(len(piece["tests"]) for piece in pieces)
