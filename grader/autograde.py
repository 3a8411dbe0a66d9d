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

from . import course as courses
from . import ledger, marker, marking, marks, nbcourse, writing
from .course import Course
from .intake import IntakeError
from .language import _
from .ledger import LedgerError
from .marking import MarkingError
from .marks import MarksError, Record
from .reports import notebook


class TakeReport(NbGraderPreprocessor):
    """Puts the grader's report in the place of the notebook that a student handed in."""

    def preprocess(self, nb, resources):
        folder = Path(self.parent.parent.coursedir.root)
        of = resources["nbgrader"]
        course = courses.load()
        record = marks.recorded(folder, of["student"], course)
        if record is None:
            record = mark_now(folder, of["student"], course)
        mark = next(one for one in record.marks if one.assignment.name == of["assignment"])
        place = folder / "autograded" / mark.student / mark.assignment.name
        for name, data in marks.papers(folder, mark).items():
            writing.write(place / name, data)
        exercise = course.by_id[of["notebook"]]
        report = notebook.document(mark, exercise, marks.listing(folder, mark, exercise))
        return nbformat.from_dict(json.loads(report)), resources


def mark_now(folder: Path, student: str, course: Course) -> Record:
    """Mark all that the student has handed in, sandboxed. NbGraderException where that fails."""
    tests = (courses.ROOT / "tests" / "visible", courses.ROOT / "tests" / "hidden")
    pieces = marker.hashed(" ".join(course.pieces))  # a file holds marks of the same ones only
    path = folder / "marks" / f"autograde-{pieces}.jsonl"
    path.parent.mkdir(exist_ok=True)
    try:
        parcel = marks.parcel(folder, student)
        run = marking.Run(course, [parcel], tuple(course.pieces), tests)
        marking.mark_all(run, path, lambda: marking.here(1))
        line = ledger.texts(path)[parcel.id]
        record = marks.of_record(student, line, folder, course)
    except (MarkingError, LedgerError, IntakeError, MarksError) as error:
        words = _("{student} was never marked, and cannot be marked now: {error}")
        raise NbGraderException(words.format(student=student, error=error)) from None
    marks.keep(folder, record)
    return record


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

    def default_filters(self):
        yield from super().default_filters()
        yield "_", _
