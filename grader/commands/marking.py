"""mark: many submissions of students, by the rules of the whole house."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .. import course as courses
from ..course import ROOT
from ..language import _
from .check import for_machine
from .given import UsageError, suites_of, whole_course
from .screen import MACHINE, say

if TYPE_CHECKING:
    from ..intake import Parcel
    from ..marking import Run, Tally

INTERRUPTED = 2


def add(commands: argparse._SubParsersAction) -> None:
    mark = commands.add_parser(
        "mark",
        help=_("mark submissions of students, apart from everything else"),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=description(),
    )
    mark.add_argument("submissions", type=Path, help=_("a folder or zip of them; see above"))
    mark.add_argument(
        "names", nargs="*", metavar="EXERCISE|PIECE", help=_("ex05, ex05.layernorm; all without")
    )
    mark.add_argument("--results", type=Path, required=True, metavar="FILE", help=_("is added to"))
    mark.add_argument("--jobs", type=int, metavar="N", help=_("at a time; without it, all cores"))
    mark.add_argument("--dask", metavar="ADDRESS", help=_('a cluster\'s scheduler, or "local"'))
    mark.add_argument("--seed", type=int, metavar="N", help=_("of the hidden inputs; else secret"))
    mark.add_argument(
        "--tests",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help=_("a suite of your own"),
    )
    mark.add_argument("--no-hidden", action="store_true", help=_("without the hidden suite"))
    mark.add_argument(
        "--accommodations", type=Path, metavar="CSV", help=_("rows id,factor: more time")
    )
    mark.add_argument("--any-version", action="store_true", help=_("made for whichever course"))
    mark.add_argument("--one", action="store_true", help=_("all of it is one submission"))
    mark.add_argument(
        "--format", choices=MACHINE, help=_("with --one: its result on stdout, for a machine")
    )
    mark.add_argument(
        "--trust-submissions",
        action="store_true",
        help=_("run them unprotected, where nothing keeps them apart; every result will say so"),
    )
    mark.add_argument(
        "--explain",
        nargs=2,
        metavar=("ID", "PIECE"),
        help=_("show what was called, what came back, what was expected: for you alone"),
    )
    mark.set_defaults(run=run_mark)


def description() -> str:
    return _(
        """\
Mark every submission in a folder or zip, and add a record of each to the results file.
A second run marks only what is missing there, or has changed since.

A submission is a folder or a zip with the exercise files in it, however deep. Exports of
Canvas, Moodle and Gradescope, GitHub Classroom's repositories and nbgrader's submitted/
are known; ids are the user's number (Canvas, Moodle), sid (Gradescope), or the folder's name.

Of several copies of a file, the one in a folder named for its exercise counts, then the one
in exercises/, then the one least deep, then the one with the highest number (ex05_norm-2.py,
ex05_norm (1).py), then the last by name. A late file counts like any other; the result says
that it was late. Of what Gradescope lists twice the last submission counts; any other two
submissions with one id are refused, unless they are the same.

  python -m grader mark submissions/ --results marks.jsonl
  python -m grader mark submissions/ --results marks.jsonl --explain jane ex05.layernorm
"""
    )


def run_mark(options: argparse.Namespace) -> int:
    whole_course()
    from .. import intake, ledger, marking
    from ..reports import marking as reporter

    run = plan(options)
    if options.explain:
        return explain(options, run)
    start = time.monotonic()
    tally = marking.Tally(len(run.parcels))
    try:
        with shown(run, options.format is not None) as notify:

            def keep(now: Tally) -> None:
                nonlocal tally
                tally = now
                notify(now)

            tally = marking.mark_all(run, options.results, crew(options), keep)
    except KeyboardInterrupt:
        words = _("stopped: {n} of {total} are marked; the same command goes on from there")
        say("", words.format(n=tally.done, total=tally.total))
        return INTERRUPTED
    except (marking.MarkingError, ledger.LedgerError, intake.IntakeError) as error:
        raise UsageError(str(error)) from error
    if options.format:
        result = ledger.result(options.results, run.parcels[0].id)
        print(for_machine(result, options.format), end="")
    else:
        absent = tally.known - len(tally.briefs)
        say(*reporter.summary(tally, options.results, absent, time.monotonic() - start))
    return 0


def plan(options: argparse.Namespace) -> Run:
    """What is asked for. Raises UsageError."""
    from .. import intake, marking

    if options.format and not options.one:
        raise UsageError(_("--format is for one submission: say --one"))
    if options.jobs is not None and options.jobs < 1:
        raise UsageError(_("--jobs takes a number from 1"))
    course = courses.load()
    options.hidden = not options.no_hidden and (ROOT / "tests" / "hidden").is_dir()
    wanted = course.select(options.names)
    try:
        parcels, notes = intake.parcels(options.submissions, options.one)
        factors = intake.accommodations(options.accommodations) if options.accommodations else {}
    except intake.IntakeError as error:
        raise UsageError(str(error)) from error
    ids = {parcel.id for parcel in parcels}
    nobody = _("{path}: nobody handed in as {id}")
    notes += [nobody.format(path=options.accommodations, id=id) for id in factors if id not in ids]
    for note in notes:
        print(_("grader: {note}").format(note=note), file=sys.stderr)
    return marking.Run(
        course=course,
        parcels=parcels,
        pieces=tuple(piece.id for piece in wanted),
        tests=suites_of(options),
        trusted=options.trust_submissions,
        any_version=options.any_version,
        seed=options.seed,
        factors=factors,
    )


def crew(options: argparse.Namespace) -> Callable:
    """Who marks."""
    from .. import marking

    jobs = options.jobs or os.cpu_count() or 1
    if options.dask:
        return lambda: marking.cluster(options.dask, jobs)
    return lambda: marking.here(jobs)


@contextmanager
def shown(run: Run, quiet: bool) -> Iterator[Callable[[Tally], None]]:
    """A bar with rate, time left and what is running; plain lines where there is no terminal."""
    if quiet:
        yield lambda tally: None
    elif "NO_COLOR" in os.environ or not sys.stdout.isatty():
        yield lines(len(run.parcels))
    else:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Left

        columns = (
            TextColumn(_("marking")),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            Left(compact=True),
            TextColumn("{task.fields[running]}", style="dim", markup=False),
        )
        with Progress(*columns, transient=True) as bar:
            task = bar.add_task("", total=len(run.parcels), rate="", running="")
            start = time.monotonic()

            def notify(tally: Tally) -> None:
                bar.update(
                    task,
                    completed=tally.done,
                    rate=rate(tally, start),
                    running=running(tally.running, bar.console.width // 3),
                )

            yield notify


def lines(total: int) -> Callable[[Tally], None]:
    """A line for every tenth of the way."""
    start, said = time.monotonic(), 0

    def notify(tally: Tally) -> None:
        nonlocal said
        if tally.done * 10 // total > said:
            said = tally.done * 10 // total
            words = _("marked {done} of {total}").format(done=tally.done, total=total)
            print(f"{words} {rate(tally, start)}".rstrip(), flush=True)

    return notify


def rate(tally: Tally, start: float) -> str:
    """How fast: "3.4/s", "24/min"."""
    seconds = time.monotonic() - start
    if not tally.marked or not seconds:
        return ""
    each = tally.marked / seconds
    return _("{n:.1f}/s").format(n=each) if each >= 1 else _("{n:.0f}/min").format(n=each * 60)


def running(ids: tuple[str, ...], width: int) -> str:
    from ..reports.text import one_line

    text = one_line(", ".join(ids))
    return text if len(text) <= width else text[: width - 3] + "..."


def explain(options: argparse.Namespace, run: Run) -> int:
    """Show why a submission got what it got for a piece."""
    from .. import explanation, ledger
    from ..suite import SuiteError

    id, name = options.explain
    piece = run.course.piece(name)
    parcel = found(run.parcels, id)
    try:
        record = ledger.result(options.results, parcel.id)
        say(*explanation.lines(run, run.submission(parcel), piece, record))
    except (ledger.LedgerError, explanation.NotExplained, SuiteError) as error:
        raise UsageError(str(error)) from error
    return 0


def found(parcels: list[Parcel], id: str) -> Parcel:
    """The parcel of `id`. UsageError with near ones where there is none."""
    import difflib

    by_id = {parcel.id: parcel for parcel in parcels}
    if id not in by_id:
        near = ", ".join(difflib.get_close_matches(id, by_id, n=3))
        words = _("--explain: there is no submission {id}") + (_("; near: {near}") if near else "")
        raise UsageError(words.format(id=id, near=near))
    return by_id[id]
