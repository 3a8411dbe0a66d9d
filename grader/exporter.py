"""Marks out of nbgrader, into a learning platform: a plugin for `nbgrader export`.

    nbgrader export --to grades.csv                           Canvas
    nbgrader export --to grades.csv --Grades.layout=moodle    Moodle
    nbgrader export --to grades.csv --Grades.layout=plain     all that is known

What has no mark yet is blank, and never 0: nothing handed in, or a piece that waits for a person. A
name that a spreadsheet would take for a formula gets a ' before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Assignment, Gradebook, MissingEntry, Student
from nbgrader.plugins import ExportPlugin
from traitlets import Enum

from . import writing
from .reports.table import as_csv

Rows = Iterator[list]


@dataclass(frozen=True)
class Score:
    """What a student has for one assignment. `points` is None where that is not decided yet."""

    points: float | None
    raw: float | None = None
    penalty: float | None = None
    submitted: str = ""


class Grades(ExportPlugin):
    """A CSV file of the gradebook, in the layout that a learning platform takes."""

    layout = Enum(("canvas", "moodle", "plain"), "canvas", help="which platform takes it").tag(
        config=True
    )

    def export(self, gradebook: Gradebook) -> None:
        wanted, only = set(map(str, self.assignment)), set(map(str, self.student))
        assignments = [a for a in gradebook.assignments if not wanted or a.name in wanted]
        students = [s for s in gradebook.students if not only or s.id in only]
        path = Path(self.to or "grades.csv")
        writing.write(path, as_csv(LAYOUTS[self.layout](gradebook, assignments, students)))
        self.log.info("%s students, %s assignments: %s", len(students), len(assignments), path)


def canvas(gradebook: Gradebook, assignments: list[Assignment], students: list[Student]) -> Rows:
    """One row for each student, as Canvas > Grades > Import takes it."""
    person = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    yield person + [a.name for a in assignments]
    yield ["    Points Possible", "", "", "", "", *(a.max_score for a in assignments)]
    for student in students:
        name = ", ".join(filter(None, (student.last_name, student.first_name))) or student.id
        scores = (score(gradebook, a, student).points for a in assignments)
        yield [name, student.lms_user_id, student.id, student.id, "", *scores]


def moodle(gradebook: Gradebook, assignments: list[Assignment], students: list[Student]) -> Rows:
    """One row for each student, as Moodle > Grades > Import > CSV takes it."""
    person = ["Username", "First name", "Last name", "Email address"]
    yield person + [a.name for a in assignments]
    for student in students:
        scores = (score(gradebook, a, student).points for a in assignments)
        yield [student.id, student.first_name, student.last_name, student.email, *scores]


def plain(gradebook: Gradebook, assignments: list[Assignment], students: list[Student]) -> Rows:
    """One row for each student and assignment: the columns of nbgrader's own export."""
    yield (
        "assignment duedate timestamp student_id last_name first_name email"
        " raw_score late_submission_penalty score max_score"
    ).split()
    for assignment in assignments:
        for student in students:
            found = score(gradebook, assignment, student)
            person = [student.id, student.last_name, student.first_name, student.email]
            marks = [found.raw, found.penalty, found.points, assignment.max_score]
            yield [assignment.name, assignment.duedate, found.submitted, *person, *marks]


LAYOUTS = {"canvas": canvas, "moodle": moodle, "plain": plain}


def score(gradebook: Gradebook, assignment: Assignment, student: Student) -> Score:
    """The score as nbgrader counts it, the late penalty taken off."""
    try:
        submission = gradebook.find_submission(assignment.name, student.id)
    except MissingEntry:
        return Score(None)
    at = str(submission.timestamp or "")
    undecided = any(
        grade.auto_score is None and grade.manual_score is None
        for notebook in submission.notebooks
        for grade in notebook.grades
    )
    if undecided:
        return Score(None, submitted=at)
    penalty = submission.late_submission_penalty or 0.0
    return Score(max(0.0, submission.score - penalty), submission.score, penalty, at)
