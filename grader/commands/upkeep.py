"""stubs, lines, bench: the commands of those who change the course."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

from .. import course as courses
from ..course import ROOT
from ..language import _
from .given import EXERCISES, STATE, UsageError, whole_course
from .screen import remembering


def add(commands: argparse._SubParsersAction) -> None:
    stubs = commands.add_parser("stubs", help=_("make exercises/ from solutions/"))
    stubs.add_argument("--check", action="store_true", help=_("only say which stubs have drifted"))
    stubs.set_defaults(run=run_stubs)

    lines = commands.add_parser("lines", help=_("count the lines of the reference model"))
    lines.set_defaults(run=run_lines)

    bench = commands.add_parser("bench", help=_("time the reference, beside PyTorch and pytest"))
    bench.add_argument(
        "settings", nargs="*", metavar="SETTING", help=_("a b1 b2 c1 c2; all without")
    )
    bench.add_argument("--threads", type=int, choices=(1, 2), help=_("without it, 1 and then 2"))
    bench.add_argument("--rounds", type=int, default=5, metavar="N", help=_("turns of each; 5"))
    bench.add_argument("--no-checks", action="store_true", help=_("the model alone"))
    bench.add_argument(
        "--format", choices=("board", "markdown", "json"), default="board", help=_("how to report")
    )
    bench.add_argument(
        "--growth", action="store_true", help=_("instead: how it grows with sizes and submissions")
    )
    bench.add_argument(
        "--long", action="store_true", help=_("with --growth: up to 1,000 submissions")
    )
    bench.add_argument(
        "--svg", type=Path, metavar="FILE", help=_("with --growth: its plot as a picture, too")
    )
    bench.set_defaults(run=run_bench)


def run_stubs(options: argparse.Namespace) -> int:
    from .. import snapshots, stubs

    try:
        if options.check:
            drift = stubs.check(ROOT / "solutions", ROOT / "exercises")
            print("\n".join(drift) or _("exercises/ is what solutions/ makes"))
            return 1 if drift else 0
        with remembering():
            snapshots.take(EXERCISES)
        for change in stubs.update(ROOT / "solutions", ROOT / "exercises", STATE / "stubs"):
            print(change.message)
    except stubs.StubError as error:
        raise UsageError(str(error)) from error
    return 0


def run_lines(options: argparse.Namespace) -> int:
    whole_course()
    from .. import lines

    counted = lines.count(ROOT / "solutions")
    for file, number in counted.files.items():
        print(f"{number:5d}  {file}")
    print(
        _("{total:5d}  in all: goal {goal}, limit {limit}").format(
            total=counted.total, goal=lines.GOAL, limit=lines.LIMIT
        )
    )
    print(
        _("{median_function:5g}  median function: goal {goal}").format(
            median_function=counted.median_function, goal=lines.FUNCTION_GOAL
        )
    )
    print(
        _("{microgpt:5d}  microgpt.py: limit {limit}").format(
            microgpt=counted.microgpt, limit=lines.MICROGPT_LIMIT
        )
    )
    return 0 if counted.within_limits else 1


def run_bench(options: argparse.Namespace) -> int:
    whole_course()
    if (options.long or options.svg) and not options.growth:
        raise UsageError(_("--long and --svg are for --growth"))
    if options.growth and options.settings:
        raise UsageError(_("--growth has sizes of its own: name no setting"))
    return run_growth(options) if options.growth else run_race(options)


def run_race(options: argparse.Namespace) -> int:
    from .. import bench
    from ..reports import bench as reporter

    rows = bench.measure(
        courses.load(),
        options.settings,
        threads=(options.threads,) if options.threads else (1, 2),
        rounds=options.rounds,
        with_checks=not options.no_checks,
        notify=tell,
    )
    return report(*gathered(rows), reporter, options.format)


def run_growth(options: argparse.Namespace) -> int:
    from .. import bench, growth
    from ..reports import growth as reporter
    from ..writing import write

    curves = growth.measure(
        courses.load(),
        threads=options.threads or 1,
        rounds=options.rounds,
        seconds=bench.TURN,
        long=options.long,
        with_marking=not options.no_checks,
        notify=tell,
    )
    found, problem = gathered(curves)
    if options.svg and found:
        write(options.svg, reporter.svg(found))
    return report(found, problem, reporter, options.format)


def tell(what: str) -> None:
    print(_("bench: {what}").format(what=what), file=sys.stderr, flush=True)


def gathered(measured: Iterable[Any]) -> tuple[list[Any], str]:
    """All that is measured; if it is stopped or breaks off, what there is, and why."""
    from ..bench import BenchError

    found: list[Any] = []
    try:
        for one in measured:
            found.append(one)
    except (KeyboardInterrupt, BenchError) as error:
        return found, str(error) or _("stopped; what was measured until then stands above")
    return found, ""


def report(found: list[Any], problem: str, reporter: ModuleType, form: str) -> int:
    """Print what was measured, if it is anything. UsageError where there was a problem."""
    if form == "json":
        print(reporter.to_json(found), end="")
    elif form == "markdown" and found:
        print(reporter.markdown(found), end="")
    elif found:
        reporter.show(found)
    if problem:
        raise UsageError(problem)
    return 0
