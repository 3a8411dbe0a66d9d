"""What nbgrader's own commands do in this course: look marks up, and show the report.

nbgrader loads these classes because the course's nbgrader_config.py names them. `nbgrader
autograde` and the button in formgrader then give what the grader has recorded; what was never
marked, or was handed in anew, is marked first, by the grader. No kernel is started, and no line of
a student's notebook runs.
"""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
from nbconvert.exporters import HTMLExporter
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor, SaveAutoGrades

from . import ledger, marking, marks, nbcourse
from . import course as courses
from .language import _
from .reports import notebook
from .results import Result


class TakeReport(NbGraderPreprocessor):
    """Puts the grader's report in the place of the notebook that a student handed in."""

    def preprocess(self, nb, resources):
        folder = Path(self.parent.parent.coursedir.root)
        of = resources["nbgrader"]
        course = courses.load()
        assignment = next(
            one for one in nbcourse.of_folder(folder, course) if one.name == of["assignment"]
        )
        exercise = next(one for one in assignment.exercises if one.id == of["notebook"])
        mark = recorded_or_marked(folder, of["student"], assignment, course)
        report = notebook.document(mark, exercise, marks.listing(folder, mark, exercise))
        return nbformat.from_dict(json.loads(report)), resources


def recorded_or_marked(
    folder: Path, student: str, assignment: nbcourse.Assignment, course: courses.Course
) -> marks.Mark:
    """The mark on record; a new one where there is none, or other files are handed in now."""
    mark = marks.recorded(folder, student, assignment)
    if mark is None:
        result = mark_now(folder, student, course)
        mark = marks.of_assignment(folder, student, assignment, result)
        marks.keep(folder, mark)
    return mark


def mark_now(folder: Path, student: str, course: courses.Course) -> Result:
    """Mark all that the student has handed in, sandboxed. NbGraderException where that fails."""
    parcel = marks.handed_in_now(folder).get(student)
    if parcel is None:
        raise NbGraderException(_("{student} cannot be a student's id").format(student=student))
    tests = (courses.ROOT / "tests" / "visible", courses.ROOT / "tests" / "hidden")
    run = marking.Run(course, [parcel], tuple(course.pieces), tests)
    path = folder / "marks" / "autograde.jsonl"
    path.parent.mkdir(exist_ok=True)
    try:
        marking.mark_all(run, path, lambda: marking.here(1))
        return ledger.results(path)[student]
    except (marking.MarkingError, ledger.LedgerError) as error:
        words = _("{student} was never marked, and cannot be marked now: {error}")
        raise NbGraderException(words.format(student=student, error=error)) from None


class SaveRecordedGrades(SaveAutoGrades):
    """Saves the points that the report carries, and never a cell's output."""

    def _add_score(self, cell, resources) -> None:
        id = cell.metadata["nbgrader"]["grade_id"]
        if "glassbox" not in cell.metadata:
            raise NbGraderException(
                _("{id}: no recorded points; keep TakeReport in nbgrader_config.py").format(id=id)
            )
        grade = self.gradebook.find_grade(id, self.notebook_id, self.assignment_id, self.student_id)
        earned = cell.metadata["glassbox"]["earned"]
        if grade.manual_score is None:
            grade.needs_manual_grade = earned is None
        elif grade.auto_score != earned:
            grade.needs_manual_grade = True
        grade.auto_score = earned
        self.gradebook.db.commit()

    def _add_comment(self, cell, resources) -> None:
        id = cell.metadata["nbgrader"]["grade_id"]
        comment = self.gradebook.find_comment(
            id, self.notebook_id, self.assignment_id, self.student_id
        )
        comment.auto_comment = cell.metadata["glassbox"]["comment"]
        self.gradebook.db.commit()


class FeedbackExporter(HTMLExporter):
    """The page that a student gets back: the board, piece by piece. It needs no network."""

    def __init__(self, config=None, **given):
        super().__init__(config=config, **given)
        self.extra_template_basedirs = [str(nbcourse.SERVICES)]
        self.template_name = "report"
        self.template_paths = self._template_paths()  # nbgrader's own are already there
