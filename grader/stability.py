"""Checks the same code with many seeds: a result must depend on the code, and on nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import pool
from .assembly import Target
from .course import ROOT, Course, Piece
from .results import Result
from .suite import Options, check
from .trials import SUITES

FACTOR = 10.0  # on all time limits: a busy machine is no reason for another result


@dataclass(frozen=True)
class Setting:
    """What is checked with, and how."""

    course: Course
    wanted: tuple[Piece, ...]
    tests: tuple[Path, ...] = tuple(ROOT / "tests" / suite for suite in SUITES)
    reference: Path = ROOT / "solutions"


@dataclass(frozen=True)
class Outcome:
    """One result, in short: its points, and each test's status by suite, piece and name."""

    earned: float
    possible: float
    statuses: dict[str, str]


@dataclass(frozen=True)
class Finding:
    """All outcomes of one target, by seed."""

    name: str
    outcomes: dict[int, Outcome]

    @property
    def usual(self) -> Outcome:
        """What most seeds say."""
        said = Counter(tuple(o.statuses.items()) for o in self.outcomes.values())
        [(most, _)] = said.most_common(1)
        return next(o for o in self.outcomes.values() if tuple(o.statuses.items()) == most)

    @property
    def differing(self) -> list[tuple[str, int, str]]:
        """(test, seed, status) wherever a seed says something else of a test."""
        usual = self.usual.statuses
        return [
            (test, seed, status)
            for seed, outcome in self.outcomes.items()
            for test, status in outcome.statuses.items()
            if status != usual[test]
        ]


def measure(
    setting: Setting,
    targets: Sequence[Target],
    seeds: Sequence[int],
    jobs: int | None = None,
    notify: Callable[[str, int], None] = lambda name, seed: None,
) -> Iterator[Finding]:
    """Check every target with every seed, `jobs` at a time, and say of each what was found."""
    with pool.processes(jobs) as workers:
        waiting = {
            target.name: workers.map(partial(outcome, setting, target), seeds) for target in targets
        }
        for name, outcomes in waiting.items():
            found = {}
            for seed, each in zip(seeds, outcomes, strict=True):
                notify(name, seed)
                found[seed] = each
            yield Finding(name, found)


def outcome(setting: Setting, target: Target, seed: int) -> Outcome:
    """One check, as it is marked, but with time enough."""
    options = Options(
        tests=setting.tests, reference=setting.reference, mutants=None, seed=seed, factor=FACTOR
    )
    return in_short(check(setting.course, target, setting.wanted, options))


def in_short(result: Result) -> Outcome:
    """What of a result must not depend on the seed."""
    return Outcome(
        earned=result.earned,
        possible=result.possible,
        statuses={
            f"{test.suite} {exercise.id}.{piece.name} {test.name}": test.status
            for exercise in result.exercises
            for piece in exercise.pieces
            for test in piece.tests
        },
    )
