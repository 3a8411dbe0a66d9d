"""The course as an nbgrader course: what `python -m grader course DIR` writes.

    nbgrader_config.py   how nbgrader deals with this course
    README.md            the commands of a term
    source/              one folder for each assignment: stubs, workbooks, the packed kit; no answer
    student_config/      the two lines that a student's nbgrader needs
    exchange/            where assignments and submissions change hands

nbgrader makes the rest: release/, submitted/, autograded/, feedback/, gradebook.db. Beside them
stands marks/, with the grader's record of each submission.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import bundle, workbook, writing
from .course import ROOT, Course, Exercise
from .language import _

SERVICES = ROOT / "grader" / "services" / "nbgrader"
COURSE_ID = "glassbox"
WHOLE = "glassbox"  # the name of the one assignment of a course that is not divided
GIVEN = "microgpt.py"


class CourseFolderError(Exception):
    """The course cannot be written or read there; the message says why, and what to do."""


@dataclass(frozen=True)
class Assignment:
    """What is released and collected together: one exercise, or all of them."""

    name: str
    exercises: tuple[Exercise, ...]

    @property
    def files(self) -> list[str]:
        """What students hand in of it."""
        return [exercise.file for exercise in self.exercises]


def assignments(course: Course, whole: bool) -> tuple[Assignment, ...]:
    if whole:
        return (Assignment(WHOLE, course.exercises),)
    return tuple(Assignment(exercise.id, (exercise,)) for exercise in course.exercises)


def of_folder(folder: Path, course: Course) -> tuple[Assignment, ...]:
    """The assignments of a course that stands in `folder`."""
    if not (folder / "nbgrader_config.py").is_file():
        raise CourseFolderError(
            _("{folder} is no nbgrader course; make one: python -m grader course {folder}").format(
                folder=folder
            )
        )
    return assignments(course, whole=(folder / "source" / WHOLE).is_dir())


def write(
    folder: Path, kit: bundle.Kit, packed: bytes, whole: bool = False, db_url: str | None = None
) -> list[str]:
    """Write the course into a new folder, or its source/ anew. Returns what it kept, in words.

    packed    the students' bundle, as bundle.pack makes it

    Raises CourseFolderError where `folder` holds something else, or the other kind of course.
    """
    kept = check_folder(folder, kit.course, whole)
    files = kit.stubs()
    source = folder / "source"
    for assignment in assignments(kit.course, whole):
        replace_folder(source / assignment.name, _content(kit.course, assignment, files, packed))
    (folder / "exchange").mkdir(exist_ok=True)
    if not kept:
        for name, text in _settings(folder, kit, whole, db_url).items():
            writing.write(folder / name, text.encode())
    return kept


def check_folder(folder: Path, course: Course, whole: bool) -> list[str]:
    """What of `folder` stays as it is, in words: nothing where it is new or empty.

    Raises CourseFolderError where the course cannot be written there.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return []
    if not (folder / "nbgrader_config.py").is_file():
        raise CourseFolderError(
            _("{folder} is not empty, and no course; name a folder that is new").format(
                folder=folder
            )
        )
    if of_folder(folder, course) != assignments(course, whole):
        raise CourseFolderError(
            _("{folder} is divided otherwise; leave --whole as it was, or name another").format(
                folder=folder
            )
        )
    return [_("nbgrader_config.py, the gradebook and all submissions are as they were")]


def _content(
    course: Course, assignment: Assignment, stubs: bundle.Files, packed: bytes
) -> bundle.Files:
    """The files of one assignment, as students get them."""
    content = {
        "glassbox.py": (SERVICES / "glassbox.py").read_bytes(),
        "glassbox.kit": packed,
        "requirements.txt": (ROOT / "requirements" / "student.txt").read_bytes(),
        GIVEN: stubs[GIVEN],
    }
    for exercise in assignment.exercises:
        stub = stubs[exercise.file]
        content[exercise.file] = stub
        alone = len(assignment.exercises) == 1
        book = workbook.workbook(course, exercise, stub.decode(), alone)
        content[f"{exercise.id}.ipynb"] = book.encode()
    return content


def _settings(folder: Path, kit: bundle.Kit, whole: bool, db_url: str | None) -> dict[str, str]:
    """The files that are written once, and are the instructor's from then on."""
    found = assignments(kit.course, whole)
    try:
        kit_path = os.path.relpath(kit.root.resolve(), folder.resolve())
    except ValueError:  # on another drive of Windows
        kit_path = str(kit.root)
    db_line = f"c.CourseDirectory.db_url = {db_url!r}\n" if db_url else ""
    texts = {
        "nbgrader_config.py": _template(
            "nbgrader_config.template",
            kit=kit_path,
            course_id=COURSE_ID,
            db_line=db_line,
            comment=workbook.comment_cell()["source"],
        ),
        "student_config/nbgrader_config.py": _template(
            "student_config.template",
            course_id=COURSE_ID,
            exchange=str((folder / "exchange").resolve()),
        ),
    }
    names = ", ".join(f"`{assignment.name}`" for assignment in found)
    readme = _template(
        "README.md",
        title=kit.course.title,
        first=found[0].name,
        assignments=names,
        kit=str(kit.root.resolve()),
        folder=str(folder.resolve()),
    )
    return {**texts, "README.md": readme}


def _template(name: str, **values: str) -> str:
    return (SERVICES / name).read_text("utf-8").format(**values)


def replace_folder(folder: Path, content: bundle.Files) -> None:
    """Make `folder` hold just these files; what was there stays until the new one is whole."""
    if _holds(folder, content):
        return
    part, old = (folder.with_name(f".{folder.name}.{what}") for what in ("part", "old"))
    for left in (part, old):
        shutil.rmtree(left, ignore_errors=True)
    part.mkdir(parents=True)
    for name, data in content.items():
        (part / name).write_bytes(data)
    if folder.exists():
        folder.rename(old)
    part.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def _holds(folder: Path, content: bundle.Files) -> bool:
    """Whether the folder is like that already."""
    if not folder.is_dir() or {path.name for path in folder.iterdir()} != content.keys():
        return False
    return all((folder / name).read_bytes() == data for name, data in content.items())
