"""The commands for the time between two checks."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .. import course as courses
from ..course import ROOT, Course
from ..language import _
from ..results import PASSED
from .given import EXERCISES, STATE, UsageError
from .screen import confirmed, console, remembering, say, shown

if TYPE_CHECKING:
    from .. import progress


def add(commands: argparse._SubParsersAction) -> None:
    piece = {"metavar": "PIECE", "help": _("ex05.layernorm, softmax")}
    exercise = {"metavar": "EXERCISE", "help": _("ex05, ex05_norm")}

    watch = commands.add_parser("watch", help=_("check again at every save"))
    watch.add_argument("name", nargs="?", metavar="EXERCISE|PIECE", help=_("ex05, softmax"))
    watch.set_defaults(run=run_watch)

    status = commands.add_parser("status", help=_("how far you are, at once; runs nothing"))
    status.set_defaults(run=run_status)

    hint = commands.add_parser("hint", help=_("one hint; the next time, the next one"))
    hint.add_argument("piece", nargs="?", **piece)
    hint.add_argument("--more", action="store_true", help=_("go on to the next hint"))
    hint.set_defaults(run=run_hint)

    show = commands.add_parser("show", help=_("the solution of a piece that passes"))
    show.add_argument("piece", **piece)
    show.add_argument("--give-up", action="store_true", help=_("before it passes; this is noted"))
    show.set_defaults(run=run_show)

    reset = commands.add_parser("reset", help=_("start an exercise again; undo brings yours back"))
    reset.add_argument("exercise", **exercise)
    reset.add_argument("--yes", action="store_true", help=_("do not ask"))
    reset.set_defaults(run=run_reset)

    undo = commands.add_parser(
        "undo", help=_("bring back what a file held before; again: undo that")
    )
    undo.add_argument("exercise", nargs="?", **exercise)
    undo.add_argument("--list", action="store_true", help=_("only show which versions there are"))
    undo.add_argument("--to", type=int, metavar="N", help=_("the version of that number in --list"))
    undo.add_argument("--yes", action="store_true", help=_("do not ask"))
    undo.set_defaults(run=run_undo)

    doctor = commands.add_parser("doctor", help=_("what is wrong with this set-up, and what to do"))
    doctor.add_argument(
        "--marking",
        action="store_true",
        help=_("try attacks: is it safe to mark submissions here?"),
    )
    doctor.add_argument(
        "--isolation",
        choices=("best", "bubblewrap", "landlock", "none"),
        default="best",
        help=_("with --marking: what to try; the best that this machine has"),
    )
    doctor.set_defaults(run=run_doctor)


def run_watch(options: argparse.Namespace) -> int:
    from .. import watch

    course = courses.load()
    wanted = course.select([options.name]) if options.name else ()
    return watch.run(course, EXERCISES, wanted, console(None))


def run_status(options: argparse.Namespace) -> int:
    from ..reports import status

    say(*status.lines(progress_of(course := courses.load()), course))
    return 0


def progress_of(course: Course) -> progress.Progress:
    """What the last checks of exercises/ have said."""
    from .. import progress
    from ..assembly import Target

    return progress.read(Target.read(EXERCISES, course), course)


def run_hint(options: argparse.Namespace) -> int:
    from .. import hints, progress

    course = courses.load()
    so_far = progress_of(course)
    piece = course.piece(options.piece) if options.piece else hints.piece_in_need(so_far, course)
    if piece is None:
        say(_("every piece passes, as last checked: there is nothing to hint at"))
        return 0
    hint = hints.next_hint(piece, so_far, options.more)
    say(*hint.lines(width=min(hints.WIDTH, shutil.get_terminal_size().columns)))
    with remembering():
        progress.record_hint(piece.id, hint.rung)
    return 0


def run_show(options: argparse.Namespace) -> int:
    from .. import hints, progress

    course = courses.load()
    piece = course.piece(options.piece)
    so_far = progress_of(course)
    try:
        solution = hints.solution(piece, so_far, options.give_up)
    except hints.NoSolution as error:
        raise UsageError(str(error)) from None
    if so_far.piece(piece.id).status != PASSED:
        progress.record_given_up(piece.id)
    say(*solution)
    return 0


def run_reset(options: argparse.Namespace) -> int:
    from .. import snapshots, stubs

    path = exercise_file(options.exercise, courses.load())
    try:
        stub = snapshots.stub(path.name, ROOT / "solutions", STATE / "stubs")
    except FileNotFoundError:
        raise UsageError(
            _("this copy of the course has no stub of {name}").format(name=path.name)
        ) from None
    except stubs.StubError as error:
        raise UsageError(str(error)) from error
    return put_back(path, stub, _("the stub, as at the beginning"), options.yes)


def run_undo(options: argparse.Namespace) -> int:
    from .. import snapshots

    course = courses.load()
    try:
        path = exercise_file(options.exercise, course) if options.exercise else last_saved(course)
        snapshots.keep(path)
    except OSError as error:
        raise UsageError(_("nothing was changed: {error}").format(error=error)) from None
    if options.list:
        say(*snapshots.listed(path))
        return 0
    version = snapshots.chosen(path, options.to)
    if version is None:
        missing = (
            _("no version {to}").format(to=options.to)
            if options.to
            else _("no version but this one")
        )
        raise UsageError(
            _("{shown}: there is {missing}; see undo --list").format(
                shown=shown(path), missing=missing
            )
        )
    return put_back(
        path, version.data(), _("as it was {words}").format(words=version.words), options.yes
    )


def exercise_file(name: str, course: Course) -> Path:
    """The file of "ex05" or "ex05_norm", and microgpt.py."""
    given = name.removesuffix(".py") == "microgpt"
    if name in course.pieces:
        whole = course.exercise_of(course.pieces[name]).short
        raise UsageError(
            _("{name} is a piece of a file; say {whole}").format(name=name, whole=whole)
        )
    return EXERCISES / ("microgpt.py" if given else course.exercise(name).file)


def last_saved(course: Course) -> Path:
    """The exercise file that was saved last."""
    files = [path for e in course.exercises if (path := EXERCISES / e.file).exists()]
    if not files:
        raise UsageError(_("there is no exercise file; say which one you want back: undo ex05"))
    return max(files, key=lambda path: path.stat().st_mtime_ns)


def put_back(path: Path, data: bytes, what: str, yes: bool) -> int:
    """Show what would change, ask, and do it."""
    from .. import snapshots

    now = path.read_bytes() if path.exists() else None
    if now == data:
        say(_("{shown} is {what} already").format(shown=shown(path), what=what))
        return 0
    say(*snapshots.changes(now, data, shown(path)), "")
    if not confirmed(_("Make {shown} {what}?").format(shown=shown(path), what=what), yes):
        say(_("nothing was changed"))
        return 1
    try:
        snapshots.put_back(path, data)
    except OSError as error:
        raise UsageError(
            _("{shown} stays as it is: {error}").format(shown=shown(path), error=error)
        ) from None
    say(
        _("{shown} is {what}; to go back: python -m grader undo {exercise}").format(
            shown=shown(path), what=what, exercise=path.stem.split("_")[0]
        )
    )
    return 0


def run_doctor(options: argparse.Namespace) -> int:
    if options.marking:
        return run_marking_doctor(options.isolation)
    from .. import doctor

    findings = doctor.examine(ROOT)
    print(doctor.render(findings, sys.stdout.encoding), end="")
    return 1 if any(finding.state == doctor.BROKEN for finding in findings) else 0


def run_marking_doctor(name: str) -> int:
    from .. import breakout, isolation

    try:
        kind = getattr(isolation, name)()
    except isolation.Unavailable as error:
        print(error)
        return 1
    found = list(breakout.outcomes(kind))
    print(breakout.render(kind.name, found), end="")
    return 0 if all(outcome.refused for outcome in found) else 1
