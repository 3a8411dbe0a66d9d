"""bundle: what an instructor hands out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .. import course as courses
from .given import UsageError, whole_course


def add(commands: argparse._SubParsersAction) -> None:
    bundle = commands.add_parser("bundle", help="pack the course for students, without answers")
    bundle.add_argument("out", type=Path, metavar="OUT.zip", help="the file to write")
    bundle.add_argument(
        "--gradescope", action="store_true", help="an autograder for Gradescope instead"
    )
    bundle.set_defaults(run=run_bundle)


def run_bundle(options: argparse.Namespace) -> int:
    whole_course()
    from .. import bundle

    course = courses.load()
    try:
        kit = bundle.Kit(course)
        if options.gradescope:
            files = bundle.for_gradescope(kit)
        else:
            print("trying every known mistake on the visible tests ...", file=sys.stderr)
            files = bundle.for_students(kit)
        data = bundle.pack(files)
        bundle.write(options.out, data)
    except bundle.BundleError as error:
        raise UsageError(str(error)) from error
    size = f"{len(files)} files, {len(data) / 1024:.0f} KiB"
    print(f"{options.out}: {course.title} {course.version}, {size}")
    return 0
