"""The commands. This file parses, calls and prints; it decides nothing."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from . import course as courses
from .course import ROOT, Course, CourseError

STATE = ROOT / ".glassbox"


class UsageError(Exception):
    """What was asked for cannot be done; the message says why and what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command. 0: all is well; 1: not all passes; 2: it could not run."""
    options = parser().parse_args(arguments)
    try:
        return options.run(options)
    except (UsageError, CourseError) as error:
        print(f"grader: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ngrader: stopped", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m grader", description="Build a GPT you can see through.")
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="check your exercises and show the board")
    check.add_argument("names", nargs="*", metavar="EXERCISE|PIECE", help="ex05, ex05.layernorm, softmax")
    check.add_argument("--target", default="exercises", help="exercises, solutions or a folder like them")
    check.add_argument("--format", choices=("board", "plain", "json"), help="how to report")
    check.add_argument("--hidden", action="store_true", help="the hidden suite too, where it is present")
    check.add_argument("--tests", type=Path, action="append", default=[], help="a suite of your own")
    check.add_argument("--no-finale", action="store_true", help="do not train the finished model")
    check.add_argument("--in-process", action="store_true", help="without a worker, for debugging")
    check.add_argument("--pdb", action="store_true", help="stop in the debugger; implies --in-process")
    check.set_defaults(run=run_check)

    stubs = commands.add_parser("stubs", help="make exercises/ from solutions/")
    stubs.add_argument("--check", action="store_true", help="only say which stubs have drifted")
    stubs.set_defaults(run=run_stubs)

    lines = commands.add_parser("lines", help="count the lines of the reference model")
    lines.set_defaults(run=run_lines)
    return top


def run_check(options: argparse.Namespace) -> int:
    from . import suite
    from .assembly import Target

    course = courses.load()
    wanted = course.select(options.names)
    folder, name = target_of(options.target)
    tests = suites_of(options)
    reference = ROOT / "solutions"
    settings = suite.Options(
        tests=tests,
        reference=reference if reference.is_dir() else None,
        in_process=options.in_process or options.pdb,
        pdb=options.pdb,
    )
    try:
        result = suite.check(course, Target.read(folder, course, name), wanted, settings)
    except suite.SuiteError as error:
        raise UsageError(str(error)) from error
    report(result, course, options.format)
    return 0 if result.passed else 1


def target_of(text: str) -> tuple[Path, str]:
    """The folder to check, and its name in reports."""
    folder = ROOT / text if text in ("exercises", "solutions") else Path(text)
    if not folder.is_dir():
        raise UsageError(f"--target {text}: there is no such folder")
    return folder, text if text in ("exercises", "solutions") else folder.resolve().name


def suites_of(options: argparse.Namespace) -> tuple[Path, ...]:
    hidden = ROOT / "tests" / "hidden"
    if options.hidden and not hidden.is_dir():
        raise UsageError("--hidden: this copy of the course has no hidden suite")
    for folder in options.tests:
        if not folder.is_dir():
            raise UsageError(f"--tests {folder}: there is no such folder")
    return (ROOT / "tests" / "visible", *([hidden] if options.hidden else []), *options.tests)


def report(result, course: Course, form: str | None) -> None:
    if form == "json":
        print(json.dumps(result.to_json(), indent=1))
        return
    plain = form == "plain" or (form is None and ("NO_COLOR" in os.environ or not sys.stdout.isatty()))
    if plain:
        from .reports import plain as reporter

        print(reporter.render(result, course))
    else:
        from .reports import board

        board.show(result, course)


def run_stubs(options: argparse.Namespace) -> int:
    from . import stubs

    try:
        if options.check:
            drift = stubs.check(ROOT / "solutions", ROOT / "exercises")
            print("\n".join(drift) or "exercises/ is what solutions/ makes")
            return 1 if drift else 0
        for change in stubs.update(ROOT / "solutions", ROOT / "exercises", STATE / "stubs"):
            print(change.message)
    except stubs.StubError as error:
        raise UsageError(str(error)) from error
    return 0


def run_lines(options: argparse.Namespace) -> int:
    from . import lines

    counted = lines.count(ROOT / "solutions")
    for file, number in counted.files.items():
        print(f"{number:5d}  {file}")
    print(f"{counted.total:5d}  in all: goal {lines.GOAL}, limit {lines.LIMIT}")
    print(f"{counted.median_function:5g}  median function: goal {lines.FUNCTION_GOAL}")
    print(f"{counted.microgpt:5d}  microgpt.py: limit {lines.MICROGPT_LIMIT}")
    return 0 if counted.within_limits else 1
