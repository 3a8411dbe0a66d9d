"""mutants, stable: the commands that measure the suites."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from .. import course as courses
from ..course import ROOT, Course
from ..language import _, counted
from .given import UsageError, target_of, whole_course
from .screen import is_plain, progress_shown, say

if TYPE_CHECKING:
    from ..assembly import Target
    from ..stability import Finding

HALF_RIGHT = ROOT / "tests" / "kit" / "half_right.toml"
A_FEW = 4  # of the submissions listed there


def add(commands: argparse._SubParsersAction) -> None:
    mutants = commands.add_parser("mutants", help=_("try the suites on wrong and right answers"))
    mutants.add_argument(
        "names", nargs="*", metavar="EXERCISE|PIECE", help=_("ex05, ex05.layernorm")
    )
    mutants.add_argument("--ast", action="store_true", help=_("automatic mutants too"))
    mutants.add_argument(
        "--format", choices=("board", "plain", "json", "markdown"), help=_("how to report")
    )
    mutants.set_defaults(run=run_mutants)

    stable = commands.add_parser("stable", help=_("check the same code with many seeds"))
    stable.add_argument(
        "targets", nargs="*", metavar="FOLDER", help=_("without one, solutions and four half right")
    )
    stable.add_argument("--all", action="store_true", help=_("all half right, not only four"))
    stable.add_argument("--times", type=int, default=50, metavar="N", help=_("how many seeds; 50"))
    stable.add_argument("--seed", type=int, default=1, metavar="N", help=_("the first of them; 1"))
    stable.add_argument("--jobs", type=int, metavar="N", help=_("so many checks at a time"))
    stable.set_defaults(run=run_stable)


def run_mutants(options: argparse.Namespace) -> int:
    whole_course()
    from .. import mutation
    from ..reports import matrix as reporter

    course = courses.load()
    wanted = course.select(options.names)
    try:
        with progress_shown(options.format, course) as notify:
            matrix = mutation.measure(
                mutation.Setting(course),
                wanted,
                with_automatic=options.ast,
                notify=lambda variant: notify(course.by_id[variant.exercise]),
            )
    except mutation.MutationError as error:
        raise UsageError(str(error)) from error
    if options.format == "json":
        print(json.dumps(reporter.to_json(matrix), indent=1))
    elif options.format == "markdown":
        print(reporter.markdown(matrix, course), end="")
    elif is_plain(options.format):
        print(reporter.render(matrix, course), end="")
    else:
        reporter.show(matrix, course)
    return 0 if matrix.holds else 1


def run_stable(options: argparse.Namespace) -> int:
    whole_course()
    from .. import halfright, stability, suite

    if options.times < 2:
        raise UsageError(_("--times {n}: it takes 2 to compare").format(n=options.times))
    course = courses.load()
    seeds = range(options.seed, options.seed + options.times)
    setting = stability.Setting(course, course.select([]))
    stable = True
    try:
        targets = targets_of(options, course)
        for finding in stability.measure(setting, targets, seeds, options.jobs, tell):
            say(*found(finding))
            sys.stdout.flush()  # it takes minutes, and may go to a file
            stable = stable and not finding.differing
    except (halfright.SubmissionError, suite.SuiteError) as error:
        raise UsageError(str(error)) from error
    checks = len(targets) * len(seeds)
    same, other = _("every one of {n} results is as it was"), _("not stable, in {n} checks")
    say((same if stable else other).format(n=checks))
    return 0 if stable else 1


def targets_of(options: argparse.Namespace, course: Course) -> list[Target]:
    """The folders named; or the solutions, and what is half right."""
    from .. import halfright
    from ..variants import Setting

    if options.targets:
        return [target_of(name, course) for name in options.targets]
    listed = halfright.read(HALF_RIGHT)
    listed = listed if options.all else listed[:A_FEW]
    half_right = [submission.target(Setting(course)) for submission in listed]
    return [target_of("solutions", course), *half_right]


def tell(name: str, seed: int) -> None:
    """Where it stands, on one line of a terminal."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{name}: {seed} ", end="\r", file=sys.stderr, flush=True)


def found(finding: Finding) -> list[str]:
    """What was found of one target: a line, and one for each test that changed its mind."""
    usual = finding.usual
    seeds = counted("{n} seed", "{n} seeds", len(finding.outcomes))
    points = _("{name}: {seeds}, {earned:g} of {possible:g} points").format(
        name=finding.name, seeds=seeds, earned=usual.earned, possible=usual.possible
    )
    changes = [
        _("  {test}: {status} with seed {seed}, {usual} with most").format(
            test=test, status=status, seed=seed, usual=usual.statuses[test]
        )
        for test, seed, status in finding.differing
    ]
    return [points, *changes]
