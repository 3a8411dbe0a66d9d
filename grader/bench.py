"""How fast it is, always beside a peer in the same run: ratios hold where seconds drift.

    race        training and sampling beside PyTorch, the scalar models, and the machine's limit
    footprint   the memory of a training step, beside PyTorch's
    latency     how long one waits for a check, a mark, an answer after a save
    growth      how all that grows with sizes, and marking with submissions

The model is timed in a process for each number of threads: numpy's libraries read that number
once, when they are loaded. Contestants take turns; each turn gives one figure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

from .course import ROOT, Course
from .language import _, later

TURN = 0.4  # seconds that a contestant has in each round, as many steps as fit
LIBRARIES = ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM")  # each has its own NUM_THREADS
LARGEST = "c2"  # the setting whose memory is measured


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
) -> Iterator[Row]:
    """All comparisons at these settings (all without any name), then the latencies, as they come.

    notify is told what is measured next. Raises BenchError for a setting that there is not, and
    where something could not be measured or peers differ in more than their speed.
    """
    from . import latency

    at_least_one(rounds)
    chosen = settings(names)
    notify(busy())
    for number in threads:
        yield from models(chosen, number, rounds, TURN)
    if SETTINGS[LARGEST] in chosen:
        yield from memory(LARGEST, threads[0], rounds, notify)
    if with_checks:
        yield from latency.rows(course, rounds, notify)


def at_least_one(rounds: int) -> None:
    if rounds < 1:
        raise BenchError(_("--rounds {rounds}: it takes one at least").format(rounds=rounds))


def busy() -> str:
    """How much else the machine has to do, where it tells."""
    if not hasattr(os, "getloadavg"):  # Windows
        return _("{n} processors").format(n=os.cpu_count())
    load = os.getloadavg()[0]
    return _("{n} processors, {load:.1f} programs want them already").format(
        n=os.cpu_count(), load=load
    )


def models(chosen: Sequence[Setting], threads: int, rounds: int, seconds: float) -> Iterator[Row]:
    """The rows of the race at these settings, as they come.

    seconds   how long each contestant's turn is; one step at least
    """
    names = ",".join(setting.name for setting in chosen)
    for row in apart("race", [names, str(rounds), str(seconds)], threads):
        yield read(row)


def apart(room: str, arguments: Sequence[str], threads: int) -> Iterator[Any]:
    """What a room of the grader says, line by line, run in a process with so many threads."""
    command = [sys.executable, "-m", f"grader.{room}", *arguments]
    bound = {f"{library}_NUM_THREADS": str(threads) for library in LIBRARIES}
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | bound, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        try:
            for line in process.stdout:
                yield json.loads(line)
        except BaseException:  # whoever listens has stopped
            process.kill()
            raise
    if process.returncode:
        words = _("the {room} of {names} broke off; its last words stand above")
        raise BenchError(words.format(room=room, names=arguments[0]))


def read(row: dict) -> Row:
    """A row from its fields as JSON, which has lists for tuples."""
    return Row(**row | {"ours": tuple(row["ours"]), "theirs": tuple(row["theirs"])})


def memory(name: str, threads: int, rounds: int, notify: Callable[[str], None]) -> Iterator[Row]:
    """Megabytes that training takes at a setting, beside PyTorch's. Nothing where none can tell."""
    from . import footprint, peers

    if not footprint.STATUS.exists():
        notify(_("no memory at {name}: only Linux tells a process's peak").format(name=name))
        return
    notify(_("memory at {name}").format(name=name))

    def megabytes(who: str) -> float:
        (size,) = apart("footprint", [who, name], threads)
        return size / 1e6

    sides = ("ours", "torch") if peers.has_torch() else ("ours",)
    ours, *theirs = zip(*(map(megabytes, sides) for _round in range(rounds)))
    note = _("what the process grows by, at most, over what it was before")
    row = Row(later("memory of training"), name, threads, "MB", ours)
    if theirs:
        yield replace(row, peer="PyTorch", theirs=theirs[0], note=note)
    else:
        yield replace(row, note=f"{note}; {peers.no_torch()}")
