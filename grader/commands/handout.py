"""bundle: what an instructor hands out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .. import course as courses
from ..language import _
from .given import UsageError, whole_course
from .screen import progress_shown


def add(commands: argparse._SubParsersAction) -> None:
    bundle = commands.add_parser("bundle", help=_("pack the course for students, without answers"))
    bundle.add_argument("out", type=Path, metavar="OUT.zip", help=_("the file to write"))
    bundle.add_argument(
        "--gradescope", action="store_true", help=_("an autograder for Gradescope instead")
    )
    bundle.set_defaults(run=run_bundle)


def run_bundle(options: argparse.Namespace) -> int:
    whole_course()
    from .. import bundle

    course = courses.load()
    try:
        if options.gradescope:
            files = bundle.for_gradescope(bundle.Kit(course))
        else:
            print(_("trying every known mistake on the visible tests ..."), file=sys.stderr)
            with progress_shown(None, course) as notify:
                files = bundle.for_students(bundle.Kit(course, notify=notify))
        data = bundle.pack(files)
        bundle.write(options.out, data)
    except bundle.BundleError as error:
        raise UsageError(str(error)) from error
    size = _("{n} files, {size:.0f} KiB").format(n=len(files), size=len(data) / 1024)
    print(f"{options.out}: {course.title} {course.version}, {size}")
    return 0
