"""A class that uses nbgrader: a course folder, students beside it, and nbgrader's own commands.

The commands run in this process: each would take seconds to start. Students differ by name alone,
as everything is run by one user.
"""

import contextlib
import os
import shutil
from pathlib import Path
from unittest import mock

from grader import bundle, nbcourse
from grader import course as courses

COURSE = courses.load()
SOLUTIONS = courses.ROOT / "solutions"


class Class:
    """A course made by `python -m grader course`, and its students' folders."""

    def __init__(self, root: Path, packed: bytes, whole: bool = False, db: str | None = None):
        self.course = root / "course"
        self.homes = root / "homes"
        nbcourse.write(self.course, bundle.Kit(COURSE), packed, whole, db)

    def teacher(self, *command: str) -> None:
        """One of nbgrader's commands, in the course's folder."""
        nbgrader(self.course, *command)

    def release(self, *assignments: str) -> None:
        for assignment in assignments:
            self.teacher("generate_assignment", assignment)
            self.teacher("release_assignment", assignment)

    def home(self, student: str) -> Path:
        """The student's folder, with what nbgrader needs to find the course."""
        home = self.homes / student
        home.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.course / "student_config" / "nbgrader_config.py", home)
        return home

    def hand_in(self, student: str, assignment: str, files: dict[str, str]) -> Path:
        """Fetch the assignment, write the files, submit. Returns the folder."""
        home = self.home(student)
        if not (home / assignment).exists():
            nbgrader(home, "fetch_assignment", assignment)
        for name, text in files.items():
            (home / assignment / name).write_text(text, "utf-8")
        nbgrader(home, "submit", assignment, f"--CourseDirectory.student_id={student}")
        return home / assignment

    def feedback(self, student: str, assignment: str) -> list[Path]:
        """Fetch what was given back; the newest page last."""
        home, who = self.home(student), f"--CourseDirectory.student_id={student}"
        nbgrader(home, "fetch_feedback", assignment, who)
        return sorted((home / assignment / "feedback").glob("*/*.html"))

    def rows(self, assignment: str, db: str | None = None) -> dict[str, dict]:
        """What the gradebook has of each student: the scores, and what stands beside them."""
        from grader import gradebook

        with gradebook.opened(gradebook.settings(self.course), db) as book:
            return {
                one.student.id: {
                    "score": one.score,
                    "auto": {g.name: g.auto_score for nb in one.notebooks for g in nb.grades},
                    "manual": {g.name: g.manual_score for nb in one.notebooks for g in nb.grades},
                    "asks": {
                        g.name for nb in one.notebooks for g in nb.grades if g.needs_manual_grade
                    },
                    "comment": "\n".join(
                        c.comment for nb in one.notebooks for c in nb.comments if c.comment
                    ),
                    "penalty": one.late_submission_penalty,
                    "page": one.notebooks[0].id,
                }
                for one in book.assignment_submissions(assignment)
            }


def nbgrader(folder: Path, *command: str) -> None:
    """Run `nbgrader COMMAND` in the folder; AssertionError where it does not end well."""
    from jupyter_core.application import NoStart
    from nbgrader.apps.nbgraderapp import NbGraderApp

    app = NbGraderApp.instance()
    own = {f"JUPYTER_{what}_DIR": str(folder / ".jupyter") for what in ("CONFIG", "DATA")}
    with within(folder), mock.patch.dict(os.environ, own):
        try:
            app.initialize([*command, "--log-level=ERROR"])
            app.start()
        except NoStart:
            return
        except SystemExit as end:
            assert not end.code, f"nbgrader {' '.join(command)} ended with {end.code}"
        finally:
            while app:
                type(app).clear_instance()
                app = app.subapp


@contextlib.contextmanager
def within(folder: Path):
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def solution(exercise: str, old: str = "", new: str = "") -> str:
    """The solution's text, with `new` in the place of `old`."""
    text = (SOLUTIONS / f"{exercise}.py").read_text("utf-8")
    assert old in text
    return text.replace(old, new, 1) if old else text
