"""The one record of a check, and its one JSON form. Every report is a view of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

SCHEMA = 1

PASSED, FAILED, TODO, WAITING = "passed", "failed", "todo", "waiting"
TIMEOUT, CRASHED, REFUSED = "timeout", "crashed", "refused"


@dataclass(frozen=True)
class TestResult:
    """What one test said. `where` is the place to look at: "exercises/x.py:41".

    `output` is what the student's code printed; it stays empty for hidden tests.
    """

    __test__ = False  # the name starts with Test; pytest must not collect it

    name: str
    suite: str  # visible | hidden | a private suite's folder name
    status: str  # passed | failed | todo | waiting | timeout | crashed | refused
    message: str = ""
    diagnosis: str | None = None
    seconds: float = 0.0
    where: str | None = None
    output: str = ""


@dataclass(frozen=True)
class PieceResult:
    """One piece: its tests, and the points that they earned."""

    name: str
    status: str
    earned: float
    possible: float
    tests: tuple[TestResult, ...] = ()

    @classmethod
    def score(
        cls,
        name: str,
        points: float,
        tests: Iterable[TestResult],
        core: frozenset[str] = frozenset(),
        all_or_nothing: bool = False,
    ) -> PieceResult:
        """Points by the share of tests that pass; none while a core test fails, or no test ran."""
        tests = tuple(tests)
        passing = [test for test in tests if test.status == PASSED]
        missing = [test for test in tests if test.status != PASSED]
        lost = not tests or any(test.name in core for test in missing)
        lost = lost or (all_or_nothing and bool(missing))
        earned = 0.0 if lost else round(points * len(passing) / len(tests), 2)
        return cls(name, combined(test.status for test in tests), earned, float(points), tests)


@dataclass(frozen=True)
class ExerciseResult:
    """One exercise: its pieces, and what it borrowed from the reference."""

    id: str
    title: str
    pieces: tuple[PieceResult, ...]
    borrowed: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """ "ex05" of "ex05_norm"."""
        return self.id.partition("_")[0]

    @property
    def status(self) -> str:
        return combined(piece.status for piece in self.pieces)

    @property
    def earned(self) -> float:
        return round(sum(piece.earned for piece in self.pieces), 2)

    @property
    def possible(self) -> float:
        return round(sum(piece.possible for piece in self.pieces), 2)


@dataclass(frozen=True)
class Finale:
    """The student's whole model, trained: how it ended, and what it made up."""

    status: str  # passed | failed | interrupted
    steps: int
    loss: float
    seconds: float
    samples: tuple[str, ...]
    checkpoint: str | None


@dataclass(frozen=True)
class Result:
    """One check of one target."""

    target: str
    suites: tuple[str, ...]
    exercises: tuple[ExerciseResult, ...]
    submission: str | None = None
    provenance: dict[str, Any] = field(default_factory=dict)
    finale: Finale | None = None

    @property
    def earned(self) -> float:
        return round(sum(exercise.earned for exercise in self.exercises), 2)

    @property
    def possible(self) -> float:
        return round(sum(exercise.possible for exercise in self.exercises), 2)

    @property
    def passed(self) -> bool:
        return all(exercise.status == PASSED for exercise in self.exercises)

    def only(self, ids: Collection[str]) -> Result:
        """The same check, of these pieces alone; by their ids, "ex05.layernorm"."""
        found = (
            replace(e, pieces=tuple(p for p in e.pieces if f"{e.short}.{p.name}" in ids))
            for e in self.exercises
        )
        return replace(self, exercises=tuple(e for e in found if e.pieces))

    def to_json(self) -> dict[str, Any]:
        """The JSON of DESIGN: plain dicts, lists, strings and numbers."""
        return {
            "schema": SCHEMA,
            "target": self.target,
            "suites": list(self.suites),
            "submission": self.submission,
            "provenance": self.provenance,
            "score": {"earned": self.earned, "possible": self.possible},
            "exercises": [_exercise_json(exercise) for exercise in self.exercises],
            "finale": asdict(self.finale) | {"samples": list(self.finale.samples)}
            if self.finale
            else None,
        }

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Result:
        """The inverse of `to_json`. ValueError on another schema, KeyError on a missing field."""
        if record["schema"] != SCHEMA:
            raise ValueError(f"a result of schema {record['schema']}; this kit reads {SCHEMA}")
        finale = record["finale"]
        return cls(
            target=record["target"],
            suites=tuple(record["suites"]),
            exercises=tuple(_exercise_from(exercise) for exercise in record["exercises"]),
            submission=record["submission"],
            provenance=record["provenance"],
            finale=Finale(**finale | {"samples": tuple(finale["samples"])}) if finale else None,
        )


def combined(statuses: Iterable[str]) -> str:
    """The status of a whole: failed if any part failed in any way, else waiting, todo, passed."""
    found = set(statuses) - {PASSED}
    if found - {WAITING, TODO}:
        return FAILED
    return WAITING if WAITING in found else TODO if TODO in found else PASSED


def _exercise_json(exercise: ExerciseResult) -> dict[str, Any]:
    return {
        "id": exercise.id,
        "title": exercise.title,
        "status": exercise.status,
        "earned": exercise.earned,
        "possible": exercise.possible,
        "borrowed": list(exercise.borrowed),
        "pieces": [
            asdict(piece) | {"tests": [asdict(t) for t in piece.tests]} for piece in exercise.pieces
        ],
    }


def _exercise_from(record: dict[str, Any]) -> ExerciseResult:
    pieces = tuple(
        PieceResult(**piece | {"tests": tuple(TestResult(**test) for test in piece["tests"])})
        for piece in record["pieces"]
    )
    return ExerciseResult(record["id"], record["title"], pieces, tuple(record["borrowed"]))
