"""What is kept between two commands, in the hidden folder .glassbox: never trusted.

Every entry says what it is true of, by a hash of the files; a missing, corrupt or outdated state
file costs nothing but that time.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from . import writing
from .assembly import Target
from .course import ROOT, Course, Exercise
from .results import TODO, ExerciseResult, Finale, PieceResult, Result, TestResult

FOLDER = ROOT / ".glassbox"
STATE = FOLDER / "state.json"
TESTS = ROOT / "tests" / "visible"
VERSION = 1


@dataclass(frozen=True)
class Progress:
    """How far a folder of exercises is, by the last check of each piece.

    result      the whole course; a piece that was never checked is to do, and has no tests
    checked     when each piece was last checked, in seconds since 1970, by its id
    stale       the pieces whose files, or files that they use, have changed since
    hints       how many rungs of its ladder were shown for each piece, by its id
    given_up    the pieces whose solution was shown before they passed
    """

    result: Result
    checked: Mapping[str, float]
    stale: frozenset[str]
    hints: Mapping[str, int]
    given_up: frozenset[str]

    def piece(self, id: str) -> PieceResult:
        """The last result of the piece "ex05.layernorm"."""
        return next(piece for found, piece in _pieces(self.result) if found == id)

    def known(self) -> dict[str, tuple[TestResult, ...]]:
        """What the tests have said of each piece that is not stale, by its id."""
        return {
            id: piece.tests
            for id, piece in _pieces(self.result)
            if id in self.checked and id not in self.stale
        }


def read(target: Target, course: Course, state: Path = STATE) -> Progress:
    """The progress of the target's files as they stand, without running any of them."""
    table = _read(state)
    checked = table.get("checked", {})
    prints = fingerprints(target, course)
    return Progress(
        result=_whole(_recorded(table), course, target.name),
        checked={id: entry["at"] for id, entry in checked.items() if id in course.pieces},
        stale=frozenset(
            id
            for id, entry in checked.items()
            if id in course.pieces and entry["files"] != prints[course.pieces[id].exercise]
        ),
        hints=table.get("hints", {}),
        given_up=frozenset(table.get("given_up", ())) & course.pieces.keys(),
    )


def record(result: Result, target: Target, course: Course, state: Path = STATE) -> None:
    """Remember the results of the pieces that were checked; the others stay as they are."""
    table = _read(state)
    prints = fingerprints(target, course)
    now = time.time()
    checked = table.setdefault("checked", {})
    for id, _ in _pieces(result):
        checked[id] = {"files": prints[course.pieces[id].exercise], "at": now}
    merged = _merged(_whole(_recorded(table), course, target.name), result)
    table["result"] = merged.to_json()
    _write(state, table)


def record_hint(piece: str, rungs: int, state: Path = STATE) -> None:
    """Remember how many rungs of the piece's ladder were shown."""
    table = _read(state)
    table.setdefault("hints", {})[piece] = rungs
    _write(state, table)


def record_given_up(piece: str, state: Path = STATE) -> None:
    """Remember that the piece's solution was shown before it passed."""
    table = _read(state)
    table["given_up"] = sorted({*table.get("given_up", ()), piece})
    _write(state, table)


def fingerprint(target: Target) -> str:
    """A hash of all of the target's source files."""
    return _hash(f"{id}\0{source.text}" for id, source in target.files.items())


def fingerprints(target: Target, course: Course, tests: Path = TESTS) -> dict[str, str]:
    """For each exercise a hash of all that its result is true of, by its id.

    That is its own file, the files of the exercises that it uses, and the tests of all of these.
    """
    parts = {
        e.id: _hash(
            [
                course.version,
                f"{e.id}\0{target.files[e.id].text}",
                *(file.read_text("utf-8") for file in sorted(tests.glob(f"test_{e.id}*.py"))),
            ]
        )
        for e in course.exercises
    }
    return {e.id: _hash(parts[used.id] for used in uses(e, course)) for e in course.exercises}


def uses(exercise: Exercise, course: Course) -> tuple[Exercise, ...]:
    """The exercise and all those that its pieces need, in course order."""
    needs = {need for piece in exercise.pieces for need in piece.needs}
    needs |= {exercise.gradient} if exercise.gradient else set()
    ids = {exercise.id, *(piece.exercise for piece in course.closure(tuple(needs)))}
    return tuple(e for e in course.exercises if e.id in ids)


def recorded_finale(target: Target, state: Path = STATE) -> Finale | None:
    """The finale that this very code has passed before, if it has."""
    entry = _read(state).get("finale", {}).get(fingerprint(target))
    return Finale(**entry | {"samples": tuple(entry["samples"])}) if entry else None


def record_finale(target: Target, finale: Finale, state: Path = STATE) -> None:
    """Remember a finale; only those of the last few versions of the code are kept."""
    table = _read(state)
    finales = table.get("finale", {})
    finales[fingerprint(target)] = asdict(finale)
    table["finale"] = dict(list(finales.items())[-5:])
    _write(state, table)


def _pieces(result: Result) -> list[tuple[str, PieceResult]]:
    return [
        (f"{exercise.short}.{piece.name}", piece)
        for exercise in result.exercises
        for piece in exercise.pieces
    ]


def _recorded(table: dict[str, Any]) -> Result | None:
    return Result.from_json(table["result"]) if "result" in table else None


def _whole(result: Result | None, course: Course, target: str) -> Result:
    """The result with every exercise and piece of the course, and no others."""
    nothing = tuple(
        ExerciseResult(
            e.id,
            e.title,
            tuple(PieceResult(p.name, TODO, 0.0, float(p.points)) for p in e.pieces),
        )
        for e in course.exercises
    )
    blank = Result(target, ("visible",), nothing)
    return _merged(blank, result) if result else blank


def _merged(result: Result, newer: Result) -> Result:
    """`result`, with the pieces that `newer` has too as they are there."""
    found = {exercise.id: exercise for exercise in newer.exercises}
    exercises = tuple(
        _merged_exercise(exercise, found[exercise.id]) if exercise.id in found else exercise
        for exercise in result.exercises
    )
    return replace(result, exercises=exercises)


def _merged_exercise(exercise: ExerciseResult, newer: ExerciseResult) -> ExerciseResult:
    found = {piece.name: piece for piece in newer.pieces}
    pieces = tuple(found.get(piece.name, piece) for piece in exercise.pieces)
    before = set() if len(found) == len(pieces) else {*exercise.borrowed}
    return replace(exercise, pieces=pieces, borrowed=tuple(sorted({*newer.borrowed, *before})))


def _hash(parts: Any) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def _read(state: Path) -> dict[str, Any]:
    """What the last command wrote. Empty where that is gone, changed, or another version's.

    The digest proves that this version of the kit wrote it whole; so nobody else looks again.
    """
    try:
        table = json.loads(state.read_text("utf-8"))
        body = table["state"]
        intact = table["version"] == VERSION and table["digest"] == _digest(body)
        if intact and "result" in body:
            Result.from_json(body["result"])  # its records may have changed with the kit
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}
    return body if intact else {}


def _write(state: Path, body: dict[str, Any]) -> None:
    table = {"version": VERSION, "digest": _digest(body), "state": body}
    writing.write(state, json.dumps(table, indent=1))


def _digest(body: dict[str, Any]) -> str:
    return _hash([json.dumps(body, sort_keys=True)])
