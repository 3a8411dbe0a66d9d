"""The grader's records, as an nbgrader course knows them: by student and assignment.

    results.jsonl         what `mark` wrote: a line for all that a student has handed in
    marks/STUDENT.json    that line, where nbgrader's own autograde looks it up

A mark is only ever read from these. A student's notebook has no say in it.
"""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from . import assembly, intake, nbcourse, writing
from .course import Course, Exercise
from .intake import Parcel
from .language import _
from .marker import INTAKE, why_unmarked
from .nbcourse import Assignment
from .reports import text
from .results import (
    CRASHED,
    FAILED,
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
    handed_in: frozenset[str]  # names of files

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
        if exercise.file not in self.handed_in:
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


@dataclass(frozen=True)
class Record:
    """All that the grader has recorded of one student."""

    student: str
    json_text: str  # as `mark` wrote it
    marks: tuple[Mark, ...]

    def only(self, names: Collection[str]) -> Record:
        """The record with the marks of these assignments alone."""
        return replace(self, marks=tuple(m for m in self.marks if m.assignment.name in names))


def _stopped(piece: PieceResult) -> str:
    """Why a piece has 0 points, where the code did not get as far as a wrong answer.

    It was stopped; or all tests that show values say the same, as when its file cannot be imported.
    """
    test = next((test for test in piece.tests if test.status in STOPPED), None)
    open_ = [test for test in piece.tests if test.suite == piece.tests[0].suite]
    said_alike = len(open_) > 1 and len({test.message for test in open_}) == 1
    if test is None and said_alike and piece.status == FAILED:
        test = open_[0]
    if test is None:
        return ""
    said = text.one_line(test.message.partition("\n")[0]) or text.word(test.status)
    return _("0 points: {reason}").format(reason=said)


def of_record(student: str, json_text: str, folder: Path, course: Course) -> Record:
    """What a line of results gives the student in the course in `folder`.

    Of a student who has handed in through nbgrader the assignments handed in get marks; of one who
    has not, all that were marked elsewhere. Raises MarksError where the line is of other files than
    those that are there now; or where it says that nothing could be marked, of one who has marks
    from elsewhere: `gradebook` itself puts notebooks into submitted/, which `mark` cannot read.
    """
    if not intake.is_id(student):
        raise MarksError(_("{id!r} cannot be a student's id").format(id=text.one_line(student)))
    line = json.loads(json_text)
    result = Result.from_json(line)
    here = hands_in_here(folder, student, course)
    if here and not _is_of(result, folder, student, course):
        words = _("{student} has handed in anew: run `mark` again, then this")
        raise MarksError(words.format(student=student))
    if not here and (reason := why_unmarked(line)):
        before = folder / "marks" / f"{student}.json"
        if before.is_file() and not why_unmarked(json.loads(before.read_bytes())):
            words = _("could not be marked ({reason}): the marks from before stay")
            raise MarksError(words.format(reason=text.one_line(reason)))
    found = []
    for assignment in nbcourse.of_folder(folder, course):
        place = submitted(folder, student, assignment)
        ids = {exercise.id for exercise in assignment.exercises}
        part = tuple(exercise for exercise in result.exercises if exercise.id in ids)
        _check_points(student, part, course)
        if here:
            names = [name for name in assignment.files if (place / name).exists()]
        else:
            begun = [e for e in part if any(piece.status != TODO for piece in e.pieces)]
            names = [f"{exercise.id}.py" for exercise in begun]
            names += result.provenance.get("intake", {}).get("files", [])  # all to do, too
        if place.is_dir() if here else part:
            own = replace(result, exercises=part)
            found.append(Mark(student, assignment, own, frozenset(names)))
    return Record(student, json_text, tuple(found))


def _check_points(student: str, exercises: tuple[ExerciseResult, ...], course: Course) -> None:
    """Raise MarksError where a piece was marked for other points than it has now."""
    for exercise in exercises:
        for piece in exercise.pieces:
            now = course.pieces.get(f"{exercise.short}.{piece.name}")
            if now and now.points != piece.possible:
                words = _(
                    "{student} was marked when {piece} had {old:g} points; it has {new:g} now:"
                    " run `mark` again, then this"
                )
                raise MarksError(
                    words.format(student=student, piece=now.id, old=piece.possible, new=now.points)
                )


def hands_in_here(folder: Path, student: str, course: Course) -> bool:
    """Whether anything in submitted/ came from the student, and not from `gradebook`."""
    names = {"timestamp.txt", *(exercise.file for exercise in course.exercises)}
    return any(path.name in names for path in (folder / "submitted" / student).glob("*/*"))


def parcel(folder: Path, student: str) -> Parcel:
    """All that the student has handed in, as `mark` takes it."""
    return intake.parcels(folder / "submitted" / student, one=True)[0][0]


def _is_of(result: Result, folder: Path, student: str, course: Course) -> bool:
    """Whether the result is of what is there now. A result that does not say so is believed."""
    marked = result.provenance.get("submission")
    own = parcel(folder, student)
    now = (intake.open_parcel(own, course, any_version) for any_version in (False, True))
    return marked is None or any(submission.digest == marked for submission in now)


def keep(folder: Path, record: Record) -> None:
    """Put the record where `recorded` finds it."""
    writing.write(folder / "marks" / f"{record.student}.json", record.json_text.encode())


def recorded(folder: Path, student: str, course: Course) -> Record | None:
    """The record of what is handed in now; None where there is none, or only of other files."""
    path = folder / "marks" / f"{student}.json"
    if not intake.is_id(student) or not path.is_file():
        return None
    try:
        return of_record(student, path.read_text("utf-8"), folder, course)
    except MarksError:
        return None


def papers(folder: Path, mark: Mark) -> dict[str, bytes]:
    """What `nbgrader submit` would have added and has not; release_feedback cannot do without."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
    drawn = {"timestamp.txt": now, "submission_secret.txt": secrets.token_hex(64)}
    place = submitted(folder, mark.student, mark.assignment)
    return {name: text.encode() for name, text in drawn.items() if not (place / name).is_file()}


def listing(folder: Path, mark: Mark, exercise: Exercise) -> Listing | None:
    """What was handed in of the exercise, its lesson left out. None where there is no text."""
    path = submitted(folder, mark.student, mark.assignment) / exercise.file
    source = assembly.read(path, exercise.file).text
    if source is None or path.is_symlink():
        return None
    stub = (folder / "source" / mark.assignment.name / exercise.file).read_text("utf-8")
    lesson, end, _rest = stub.partition('\n"""\n')
    if end and source.startswith(lesson + end):
        kept = source.removeprefix(lesson + end).lstrip("\n")
        return Listing(kept, 1 + source.count("\n") - kept.count("\n"))
    return Listing(source, 1)


def submitted(folder: Path, student: str, assignment: Assignment) -> Path:
    return folder / "submitted" / student / assignment.name
