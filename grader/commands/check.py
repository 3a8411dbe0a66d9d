"""check: the board, and the finale once every piece passes."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from .. import course as courses
from ..course import Course, Piece
from ..language import _
from ..results import PASSED, Result
from .given import EXERCISES, UsageError, suites_of, target_of
from .model import play
from .screen import MACHINE, console, is_plain, progress_shown, remembering


def add(commands: argparse._SubParsersAction) -> None:
    check = commands.add_parser("check", help=_("check your exercises and show the board"))
    check.add_argument(
        "names", nargs="*", metavar="EXERCISE|PIECE", help=_("ex05, ex05.layernorm, softmax")
    )
    check.add_argument(
        "--target", default="exercises", help=_("exercises, solutions or a folder like them")
    )
    check.add_argument("--format", choices=("board", "plain", *MACHINE), help=_("how to report"))
    check.add_argument(
        "--hidden", action="store_true", help=_("the hidden suite too, where it is present")
    )
    check.add_argument(
        "--tests", type=Path, action="append", default=[], help=_("a suite of your own")
    )
    check.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help=_("other random inputs in the hidden suite"),
    )
    check.add_argument(
        "--no-finale", action="store_true", help=_("do not train the finished model")
    )
    check.add_argument(
        "--in-process", action="store_true", help=_("without a worker, for debugging")
    )
    check.add_argument(
        "--pdb", action="store_true", help=_("stop in the debugger; implies --in-process")
    )
    check.set_defaults(run=run_check)


def run_check(options: argparse.Namespace) -> int:
    from .. import progress, snapshots, suite

    course = courses.load()
    wanted = course.select(options.names)
    target = target_of(options.target, course)
    own = target.folder.resolve() == EXERCISES.resolve()
    if own:
        with remembering():
            snapshots.take(target.folder)
    tests = suites_of(options)
    in_process = options.in_process or options.pdb
    settings = suite.usual(tests=tests, seed=options.seed, in_process=in_process, pdb=options.pdb)
    run = wanted
    if own and len(tests) == 1 and not in_process:
        settings = replace(settings, known=progress.read(target, course).known())
        run = with_unknown_needs(course, wanted, settings.known)
    try:
        with progress_shown(options.format, course) as notify:
            result = suite.check(course, target, run, replace(settings, notify=notify))
    except suite.SuiteError as error:
        raise UsageError(str(error)) from error
    if own and result.suites == ("visible",):
        with remembering():
            progress.record(result, target, course)
    result = result.only([piece.id for piece in wanted])
    due = result.passed and len(wanted) == len(course.pieces) and not options.no_finale
    if due:
        result = replace(result, finale=progress.recorded_finale(target))
    if options.format not in MACHINE:
        report(result, course, options.format)
    if due and not result.finale:
        from .. import finale

        played = play(finale.Plan(target=target.name), target, course, console(options.format))
        if played.status == PASSED:
            progress.record_finale(target, played)
        result = replace(result, finale=played)
    if options.format in MACHINE:
        report(result, course, options.format)
    return 0 if result.passed else 1


def with_unknown_needs(
    course: Course, wanted: tuple[Piece, ...], known: Collection[str]
) -> tuple[Piece, ...]:
    """The pieces, and those that they need and of which the last check said nothing.

    They are run anyway; so what came of them is remembered, and the next check need not ask again.
    """
    ids = {piece.id for piece in wanted} | course.needs_of(wanted) - set(known)
    return tuple(piece for id, piece in course.pieces.items() if id in ids)


def report(result: Result, course: Course, form: str | None) -> None:
    """Show the result: for a machine, as plain text, or as the board."""
    if form in MACHINE:
        print(for_machine(result, form), end="")
    elif is_plain(form):
        from ..reports import plain as reporter

        print(reporter.render(result, course))
    else:
        from ..reports import board

        board.show(result, course)


def for_machine(result: Result, form: str) -> str:
    """The result in one of the formats that others read; GitHub's files are written to."""
    if form == "json":
        return json.dumps(result.to_json(), indent=1) + "\n"
    from ..reports import github, gradescope, junit

    if form == "github":
        return github.publish(result, os.environ)
    return {"junit": junit, "gradescope": gradescope}[form].render(result)
