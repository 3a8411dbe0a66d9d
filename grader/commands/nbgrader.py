"""course, gradebook: the course in nbgrader."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .. import course as courses
from ..language import _, counted
from .given import UsageError, whole_course
from .screen import progress_shown, say

if TYPE_CHECKING:
    from ..gradebook import Outcome

SHOWN = 10  # of each list


def add(commands: argparse._SubParsersAction) -> None:
    course = commands.add_parser("course", help=_("write the course as an nbgrader course"))
    course.add_argument("dir", type=Path, metavar="DIR", help=_("a new folder, or one made before"))
    course.add_argument(
        "--whole", action="store_true", help=_("one assignment of all, not one for each exercise")
    )
    course.add_argument(
        "--db", metavar="URL", help=_("the gradebook, such as postgresql+psycopg2://...")
    )
    course.set_defaults(run=run_course)

    gradebook = commands.add_parser("gradebook", help=_("write marks into nbgrader's gradebook"))
    gradebook.add_argument("results", type=Path, metavar="RESULTS", help=_("the file of `mark`"))
    gradebook.add_argument("--course", type=Path, required=True, metavar="DIR")
    gradebook.add_argument(
        "--db", metavar="URL", help=_("the gradebook, if not the one of nbgrader_config.py")
    )
    gradebook.set_defaults(run=run_gradebook)


def run_course(options: argparse.Namespace) -> int:
    whole_course()
    from .. import bundle, nbcourse

    course = courses.load()
    try:
        nbcourse.check_folder(options.dir, course, options.whole)
        print(_("trying every known mistake on the visible tests ..."), file=sys.stderr)
        with progress_shown(None, course) as notify:
            kit = bundle.Kit(course, notify=notify)
            packed = bundle.pack(bundle.for_students(kit))
        kept = nbcourse.write(options.dir, kit, packed, options.whole, options.db)
    except (bundle.BundleError, nbcourse.CourseFolderError, OSError) as error:
        raise UsageError(str(error)) from error
    n = len(nbcourse.assignments(course, options.whole))
    words = counted("{n} assignment", "{n} assignments", n)
    say(f"{options.dir}: {course.title} {course.version}, {words}", *kept)
    say(_("next: {readme} has the commands of a term").format(readme=options.dir / "README.md"))
    return 0


def run_gradebook(options: argparse.Namespace) -> int:
    whole_course()
    if importlib.util.find_spec("nbgrader") is None:
        raise UsageError(
            _("there is no nbgrader here; install it: pip install -r requirements/instructor.txt")
        )
    from .. import gradebook, ledger, nbcourse

    try:
        records = ledger.texts(options.results)
        outcome = gradebook.write(options.course, courses.load(), records, options.db)
    except (nbcourse.CourseFolderError, ledger.LedgerError, gradebook.GradebookError) as error:
        raise UsageError(str(error)) from error
    report(outcome, len(records))
    return 1 if outcome.refused else 0


def report(outcome: Outcome, records: int) -> None:
    students = len({mark.student for mark in outcome.written})
    say(
        _("{n} marks of {students} of {records} students written").format(
            n=len(outcome.written), students=students, records=records
        )
    )
    if outcome.review:
        say(_("a person decides on {n} of their pieces:").format(n=len(outcome.review)))
        say(*listed(outcome.review))
    if outcome.unknown:
        words = _(
            "nbgrader does not have these with the pieces and points of now, and they are as they"
            " were; `nbgrader generate_assignment NAME` makes them, after a change of the course"
            " `python -m grader course DIR` and the same with --force:"
        )
        say(words)
        say(*listed(sorted(outcome.unknown)))
    if outcome.new:
        say(_("new in the gradebook, which had none of these names; are they spelt right?"))
        say(*listed(outcome.new))
    if outcome.refused:
        say(_("not written, and as they were:"))
        say(*listed(outcome.refused))


def listed(lines: list[str]) -> list[str]:
    more = len(lines) - SHOWN
    rest = [_("  and {n} more").format(n=more)] if more > 0 else []
    return [f"  {line}" for line in lines[:SHOWN]] + rest
