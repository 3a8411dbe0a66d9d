"""Marks -> nbgrader: one writer puts the grader's records into the gradebook.

For each student, all of this or nothing:

    gradebook.db    a grade for each piece, a comment, the time of submission, the late penalty
    autograded/     the report, as a notebook that formgrader and feedback show
    marks/          the record, where nbgrader's own autograde looks it up

Writing twice changes nothing. What an instructor has entered by hand, scores, comments, extra
credit, is never touched; where the tests now say otherwise than they did, the piece is flagged for
review.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from nbgrader import api
from nbgrader.coursedir import CourseDirectory
from nbgrader.preprocessors import AssignLatePenalties
from nbgrader.utils import parse_utc
from sqlalchemy import event, select
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from . import assembly, marks, nbcourse, workbook, writing
from .course import Course
from .language import _
from .marks import Mark, PiecePoints, Record
from .nbcourse import Assignment
from .reports import notebook, text

PATIENCE = 60.0  # seconds to wait for another program that writes to the gradebook
TRIES = 3

STUDENT = api.Student.__table__
SUBMISSION = api.SubmittedAssignment.__table__
NOTEBOOK = api.SubmittedNotebook.__table__
GRADE = api.Grade.__table__
COMMENT = api.Comment.__table__
GRADE_CELL = api.GradeCell.__table__


class GradebookError(Exception):
    """The gradebook cannot be written at all; the message says why, and what to do."""


@dataclass
class Outcome:
    """What became of the marks."""

    written: list[Mark] = field(default_factory=list)
    review: list[str] = field(default_factory=list)  # pieces that a person decides on
    refused: list[str] = field(default_factory=list)  # in words: which, and why
    unknown: set[str] = field(default_factory=set)  # assignments that nbgrader does not have so
    new: list[str] = field(default_factory=list)  # students that it did not have, beside others


@dataclass
class Desk:
    """What the writer has before it."""

    db: Session
    folder: Path
    penalties: AssignLatePenalties
    plans: dict[str, Plan] = field(default_factory=dict)  # by assignment


@dataclass(frozen=True)
class Sheet:
    """One exercise's notebook in the database, and the cells that get marks."""

    id: str
    grades: dict[str, str]  # piece -> id of its cell
    points: dict[str, float]  # piece -> what it is worth there
    comment: str  # id of the cell for comments


@dataclass(frozen=True)
class Plan:
    """One assignment in the database."""

    id: str
    due: datetime | None
    sheets: dict[str, Sheet]  # by exercise


def settings(folder: Path) -> Config:
    """What the course's nbgrader_config.py says."""
    config = PyFileConfigLoader("nbgrader_config.py", path=str(folder.resolve())).load_config()
    config.CourseDirectory.root = str(folder.resolve())
    return config


def write(
    folder: Path,
    course: Course,
    records: Mapping[str, str],
    db_url: str | None = None,
    notify: Callable[[int], None] = lambda done: None,
) -> Outcome:
    """Write the marks into the course in `folder`, one student after the other.

    records   a line of results for each student, in JSON
    db_url    where the gradebook is; without it, where nbgrader_config.py says

    A student whose marks cannot be written has those from before, and the rest goes on.
    Raises GradebookError where nothing can be written.
    """
    assignments = nbcourse.of_folder(folder, course)
    config = settings(folder)
    outcome = Outcome()
    with opened(config, db_url) as book:
        desk = Desk(book.db, folder, AssignLatePenalties(config=config))
        desk.penalties.init_plugin()
        enrolled = set(book.db.scalars(select(STUDENT.c.id)))
        found = {one.name: plan_of(book.db, one) for one in assignments}
        desk.plans = {name: plan for name, plan in found.items() if plan}
        if not desk.plans:
            words = _(
                "nbgrader has no assignment of {folder} with the pieces and points of now: run"
                " `python -m grader course {folder}`, in it `nbgrader generate_assignment NAME`"
                " (--force over an older one), then this"
            )
            raise GradebookError(words.format(folder=folder))
        for done, (student, line) in enumerate(records.items(), 1):
            try:
                record = marks.of_record(student, line, folder, course)
                unknown = {mark.assignment.name for mark in record.marks} - desk.plans.keys()
                outcome.unknown |= unknown
                record = record.only(desk.plans.keys())
                outcome.review += _write_patiently(desk, record)
            except (marks.MarksError, OSError, SQLAlchemyError) as error:
                outcome.refused.append(f"{text.one_line(student)}: {_said(error)}")
            else:
                outcome.written += record.marks
                if enrolled and record.marks and student not in enrolled:
                    outcome.new.append(student)
            notify(done)
    return outcome


@contextmanager
def opened(config: Config, db_url: str | None = None) -> Iterator[api.Gradebook]:
    """The course's gradebook. Raises GradebookError where it does not open."""
    course = CourseDirectory(config=config)
    try:
        book = api.Gradebook(db_url or course.db_url, course.course_id)
    except (SQLAlchemyError, ImportError) as error:
        raise GradebookError(
            _("the gradebook does not open: {error}").format(error=_said(error))
        ) from None
    if book.engine.dialect.name == "sqlite":
        event.listen(book.engine, "connect", _be_patient)
        book.engine.dispose()  # the next connection is a patient one
    with book:
        yield book


def _be_patient(connection, _record) -> None:
    connection.execute(f"PRAGMA busy_timeout = {int(PATIENCE * 1000)}")


def plan_of(db: Session, assignment: Assignment) -> Plan | None:
    """Where the assignment's marks go. None where nbgrader does not have its pieces and points."""
    found = db.execute(
        select(api.Assignment.id, api.Assignment.duedate).where(
            api.Assignment.name == assignment.name
        )
    ).first()
    if found is None:
        return None
    notebooks = db.execute(
        select(api.Notebook.id, api.Notebook.name).where(api.Notebook.assignment_id == found.id)
    )
    sheets = {row.name: _sheet(db, row.id) for row in notebooks}
    for exercise in assignment.exercises:
        sheet = sheets.get(exercise.id)
        if sheet is None or sheet.points != {p.name: p.points for p in exercise.pieces}:
            return None
    return Plan(found.id, found.duedate, sheets)


def _sheet(db: Session, notebook_id: str) -> Sheet:
    cells = db.execute(
        select(api.BaseCell.id, api.BaseCell.name, api.BaseCell.type).where(
            api.BaseCell.notebook_id == notebook_id
        )
    ).all()
    grades = {cell.name: cell.id for cell in cells if cell.type == "GradeCell"}
    own = GRADE_CELL.c.id.in_(grades.values())
    worth = {row.id: row.max_score for row in db.execute(select(GRADE_CELL).where(own))}
    points = {name: worth[id] for name, id in grades.items()}
    comment = next((cell.id for cell in cells if cell.name == workbook.COMMENT), "")
    return Sheet(notebook_id, grades, points, comment)


def _write_patiently(desk: Desk, record: Record) -> list[str]:
    """Write a student's marks, once more where another program was in the way."""
    attempt = 1
    while True:
        try:
            review = [words for mark in record.marks for words in _write(desk, mark)]
            marks.keep(desk.folder, record)
            desk.db.commit()
            return review
        except (OperationalError, IntegrityError):
            desk.db.rollback()
            if attempt == TRIES:
                raise
            time.sleep(attempt)
            attempt += 1
        except BaseException:
            desk.db.rollback()
            raise


def _write(desk: Desk, mark: Mark) -> list[str]:
    """All of one assignment but the commit. Returns the pieces that need a person."""
    db, plan = desk.db, desk.plans[mark.assignment.name]
    stamp = marks.submitted(desk.folder, mark.student, mark.assignment) / "timestamp.txt"
    at = parse_utc(stamp.read_text("utf-8").strip() or None) if stamp.is_file() else None
    if db.execute(select(STUDENT.c.id).where(STUDENT.c.id == mark.student)).first() is None:
        db.execute(STUDENT.insert().values(id=mark.student))
    submission, extension = _submission(db, plan, mark.student, at)
    due = plan.due + (extension or timedelta()) if plan.due else None
    seconds_late = (at - due).total_seconds() if at and due else 0.0
    review = []
    for exercise in mark.assignment.exercises:
        sheet = plan.sheets[exercise.id]
        points = mark.points(exercise)
        notebook_id = _notebook(db, submission, sheet)
        score, undecided = _grades(db, notebook_id, sheet, points)
        review += [f"{mark.student}, {exercise.short}.{name}" for name in undecided]
        _comment(db, notebook_id, sheet, mark.comment(exercise))
        penalty = _penalty(desk.penalties, mark.student, score, seconds_late)
        own = NOTEBOOK.c.id == notebook_id
        db.execute(NOTEBOOK.update().where(own).values(late_submission_penalty=penalty))
    _files(desk.folder, mark)
    return review


def _submission(db: Session, plan: Plan, student: str, at: datetime | None):
    """The id and the extension of the student's submission, now with its time."""
    found = db.execute(
        select(SUBMISSION.c.id, SUBMISSION.c.extension).where(
            SUBMISSION.c.assignment_id == plan.id, SUBMISSION.c.student_id == student
        )
    ).first()
    if found:
        db.execute(SUBMISSION.update().where(SUBMISSION.c.id == found.id).values(timestamp=at))
        return found.id, found.extension
    id = api.new_uuid()
    row = {"id": id, "assignment_id": plan.id, "student_id": student, "timestamp": at}
    db.execute(SUBMISSION.insert().values(**row))
    return id, None


def _notebook(db: Session, submission: str, sheet: Sheet) -> str:
    found = db.execute(
        select(NOTEBOOK.c.id).where(
            NOTEBOOK.c.assignment_id == submission, NOTEBOOK.c.notebook_id == sheet.id
        )
    ).first()
    if found:
        return found.id
    id = api.new_uuid()
    row = {"id": id, "assignment_id": submission, "notebook_id": sheet.id, "flagged": False}
    db.execute(NOTEBOOK.insert().values(**row))
    return id


def _grades(
    db: Session, notebook_id: str, sheet: Sheet, points: tuple[PiecePoints, ...]
) -> tuple[float, list[str]]:
    """Write the grades; the notebook's score as it is now, and the pieces that need a person."""
    rows = db.execute(select(GRADE).where(GRADE.c.notebook_id == notebook_id))
    old = {row.cell_id: row for row in rows}
    score, undecided, new = 0.0, [], []
    for one in points:
        cell = sheet.grades[one.name]
        before = old.get(cell)
        by_hand = before.manual_score if before else None
        if by_hand is None:
            needs = one.earned is None
        else:  # a person has decided; they are asked again where the tests have changed their mind
            needs = before.needs_manual_grade or before.auto_score != one.earned
        values = {"auto_score": one.earned, "needs_manual_grade": needs}
        if before:
            db.execute(GRADE.update().where(GRADE.c.id == before.id).values(**values))
        else:
            new.append(_row(notebook_id, cell) | values)
        undecided += [one.name] if needs else []
        score += (one.earned or 0.0) if by_hand is None else by_hand
        score += (before.extra_credit or 0.0) if before else 0.0
    if new:
        db.execute(GRADE.insert(), new)
    return score, undecided


def _comment(db: Session, notebook_id: str, sheet: Sheet, words: str | None) -> None:
    mine = (COMMENT.c.notebook_id == notebook_id) & (COMMENT.c.cell_id == sheet.comment)
    found = db.execute(select(COMMENT.c.id).where(mine)).first()
    if found:
        db.execute(COMMENT.update().where(COMMENT.c.id == found.id).values(auto_comment=words))
    else:
        row = _row(notebook_id, sheet.comment) | {"auto_comment": words}
        db.execute(COMMENT.insert().values(**row))


def _row(notebook_id: str, cell: str) -> dict[str, str]:
    return {"id": api.new_uuid(), "notebook_id": notebook_id, "cell_id": cell}


def _penalty(
    penalties: AssignLatePenalties, student: str, score: float, seconds_late: float
) -> float | None:
    """What the course's own rule takes off for being late, between 0 and the score."""
    if seconds_late <= 0:
        return None
    penalty = penalties.plugin_inst.late_submission_penalty(student, score, seconds_late)
    return None if penalty is None else min(max(penalty, 0.0), score)


def _files(folder: Path, mark: Mark) -> None:
    """The report, in the place of the notebook that nbgrader would have run; and its papers."""
    name = mark.assignment.name
    handed_in = marks.submitted(folder, mark.student, mark.assignment)
    autograded = folder / "autograded" / mark.student / name
    content = marks.papers(folder, mark)
    for file in content:
        if (autograded / file).is_file():
            content[file] = (autograded / file).read_bytes()
    for file in ("timestamp.txt", "submission_secret.txt", *mark.handed_in):
        path = handed_in / file
        small = path.is_file() and path.stat().st_size <= assembly.SOURCE_LIMIT
        if small and not path.is_symlink():
            content[file] = path.read_bytes()
    for exercise in mark.assignment.exercises:
        file = f"{exercise.id}.ipynb"
        report = notebook.document(mark, exercise, marks.listing(folder, mark, exercise))
        content[file] = report.encode("utf-8", "replace")
        if not (handed_in / file).exists():  # autograde looks for it, and so does feedback
            blank = (folder / "source" / name / file).read_bytes()
            writing.write(handed_in / file, blank)
    nbcourse.replace_folder(autograded, content)


def _said(error: BaseException) -> str:
    """The error's first line: SQLAlchemy's go on for pages."""
    return str(getattr(error, "orig", None) or error).strip().split("\n")[0]
