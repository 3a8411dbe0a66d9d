"""The grader's records, as an nbgrader course knows them: by student and assignment.

    results.jsonl                    what `mark` wrote, of all that a student has handed in
    marks/STUDENT/ASSIGNMENT.json    the part of it that belongs to one assignment

A mark is only ever read from these. A student's notebook has no say in it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import assembly, intake, nbcourse
from .course import Course, Exercise
from .intake import Parcel
from .language import _
from .marker import INTAKE
from .nbcourse import Assignment, write_file
from .reports import text
from .results import (
    CRASHED,
    REFUSED,
    TIMEOUT,
    TODO,
    ExerciseResult,
    PieceResult,
    Result,
)

STOPPED = (TIMEOUT, CRASHED, REFUSED)


class MarksError(Exception):
    """A record cannot be used; the message says which, and what to do."""


@dataclass(frozen=True)
class PiecePoints:
    """What one piece earned; None: a person decides. `note` says why, where it is not the tests."""

    name: str
    earned: float | None
    possible: float
    note: str = ""
    result: PieceResult | None = None


@dataclass(frozen=True)
class Listing:
    """The text of a file from line `first` on."""

    text: str
    first: int


@dataclass(frozen=True)
class Mark:
    """What the grader recorded of one student's assignment."""

    student: str
    assignment: Assignment
    result: Result
    files: dict[str, str]  # name -> digest of what was handed in

    def exercise(self, exercise: Exercise) -> ExerciseResult | None:
        return next((e for e in self.result.exercises if e.id == exercise.id), None)

    def points(self, exercise: Exercise) -> tuple[PiecePoints, ...]:
        """The points of every piece of the exercise, in order.

        Raises MarksError for points that no piece can have: nbgrader would take them.
        """
        found = self.exercise(exercise)
        pieces = {piece.name: piece for piece in found.pieces} if found else {}
        return tuple(
            self._points(exercise, piece.name, float(piece.points), pieces.get(piece.name))
            for piece in exercise.pieces
        )

    def _points(
        self, exercise: Exercise, name: str, possible: float, found: PieceResult | None
    ) -> PiecePoints:
        if found is None:
            note = _("This was not marked: your instructor decides.")
            return PiecePoints(name, None, possible, note)
        if exercise.file not in self.files:
            words = _("{file} was not handed in: your instructor decides.")
            note = words.format(file=exercise.file)
            return PiecePoints(name, None, possible, note, found)
        if found.tests and all(test.suite == INTAKE for test in found.tests):
            words = _("This could not be marked: {reason}. Your instructor decides.")
            note = words.format(reason=text.one_line(found.tests[0].message))
            return PiecePoints(name, None, possible, note, found)
        if not math.isfinite(found.earned) or not 0 <= found.earned <= possible:
            raise MarksError(
                _("{student}: the record gives {name} {earned} of {possible} points").format(
                    student=self.student, name=name, earned=found.earned, possible=possible
                )
            )
        note = _stopped(found) if found.earned == 0 else ""
        return PiecePoints(name, float(found.earned), possible, note, found)

    def comment(self, exercise: Exercise) -> str | None:
        """The notes on the exercise's pieces, for those who only see the marks."""
        pieces: dict[str, list[str]] = {}
        for points in self.points(exercise):
            pieces.setdefault(points.note, []).append(points.name)
        notes = [f"{', '.join(names)}: {note}" for note, names in pieces.items() if note]
        return "\n".join(notes) or None

    def to_json(self) -> dict[str, Any]:
        return {"files": self.files, "record": self.result.to_json()}


def _stopped(piece: PieceResult) -> str:
    """Why a piece has 0 points, where the code did not get as far as a wrong answer.

    It was stopped; or all tests that show values say the same, as when its file cannot be imported.
    """
    test = next((test for test in piece.tests if test.status in STOPPED), None)
    open_ = [test for test in piece.tests if test.suite == piece.tests[0].suite]
    if test is None and len(open_) > 1 and len({(t.status, t.message) for t in open_}) == 1:
        test = open_[0]
    if test is None:
        return ""
    said = text.one_line(test.message.partition("\n")[0]) or text.WORDS[test.status]
    return _("0 points: {reason}").format(reason=said)


def of_records(
    records: dict[str, Result], folder: Path, course: Course
) -> tuple[list[Mark], list[str]]:
    """The marks that the records hold for the course in `folder`; and in words, those that do not.

    Of a student who has handed in through nbgrader the assignments handed in get marks, if what
    is there now is what was marked; of one who has not, all that were marked elsewhere.
    """
    assignments = nbcourse.of_folder(folder, course)
    now = handed_in_now(folder)
    found, refused = [], []
    for student, result in records.items():
        if not intake.is_id(student):
            refused.append(_("{id!r} is no student's id").format(id=text.one_line(student)))
        elif student in now and not _is_of(result, now[student], course):
            words = _("{student} has handed in anew: run `mark` again, then this")
            refused.append(words.format(student=student))
        else:
            found += _of_student(folder, student, assignments, result, student in now)
    return found, refused


def handed_in_now(folder: Path) -> dict[str, Parcel]:
    """What stands in the course's submitted/, by student, unopened."""
    place = folder / "submitted"
    if not place.is_dir() or not any(place.iterdir()):
        return {}
    return {parcel.id: parcel for parcel in intake.parcels(place)[0]}


def _is_of(result: Result, parcel: Parcel, course: Course) -> bool:
    """Whether the result is of what is in the parcel now. Records that do not say are believed."""
    marked = result.provenance.get("submission")
    found = (intake.open_parcel(parcel, course, any_version) for any_version in (False, True))
    return marked is None or any(submission.digest == marked for submission in found)


def _of_student(
    folder: Path, student: str, assignments: tuple[Assignment, ...], result: Result, here: bool
) -> Iterator[Mark]:
    for assignment in assignments:
        ids = {exercise.id for exercise in assignment.exercises}
        part = tuple(exercise for exercise in result.exercises if exercise.id in ids)
        wanted = submitted(folder, student, assignment).is_dir() if here else bool(part)
        if wanted:
            yield of_assignment(folder, student, assignment, replace(result, exercises=part))


def of_assignment(folder: Path, student: str, assignment: Assignment, result: Result) -> Mark:
    handed_in = submitted(folder, student, assignment)
    if handed_in.is_dir():
        files = digests(handed_in, assignment)
    else:  # marked elsewhere: what has anything written in it was handed in
        files = {f"{e.id}.py": "" for e in result.exercises if e.status != TODO}
    return Mark(student, assignment, result, files)


def listing(folder: Path, mark: Mark, exercise: Exercise) -> Listing | None:
    """What was handed in of the exercise, its lesson left out. None where there is no text."""
    path = submitted(folder, mark.student, mark.assignment) / exercise.file
    source = assembly.read(path, exercise.file).text
    if source is None:
        return None
    stub = (folder / "source" / mark.assignment.name / exercise.file).read_text("utf-8")
    lesson, end, _rest = stub.partition('\n"""\n')
    if end and source.startswith(lesson + end):
        kept = source.removeprefix(lesson + end).lstrip("\n")
        return Listing(kept, 1 + source.count("\n") - kept.count("\n"))
    return Listing(source, 1)


def submitted(folder: Path, student: str, assignment: Assignment) -> Path:
    return folder / "submitted" / student / assignment.name


def digests(handed_in: Path, assignment: Assignment) -> dict[str, str]:
    """File name -> digest, of the files of the assignment that were handed in."""
    found = [handed_in / name for name in assignment.files]
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in found
        if path.is_file() and not path.is_symlink()
    }


def record_path(folder: Path, student: str, assignment: Assignment) -> Path:
    return folder / "marks" / student / f"{assignment.name}.json"


def keep(folder: Path, mark: Mark) -> None:
    """Put the mark where `recorded` finds it."""
    data = json.dumps(mark.to_json(), ensure_ascii=False).encode("utf-8", "replace")
    write_file(record_path(folder, mark.student, mark.assignment), data)


def recorded(folder: Path, student: str, assignment: Assignment) -> Mark | None:
    """The mark of what is handed in now; None where there is none, or of other files."""
    path = record_path(folder, student, assignment)
    if not path.is_file():
        return None
    kept = json.loads(path.read_text("utf-8"))
    mark = Mark(student, assignment, Result.from_json(kept["record"]), kept["files"])
    now = digests(submitted(folder, student, assignment), assignment)
    return mark if not now or now == mark.files else None
