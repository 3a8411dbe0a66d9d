"""stats: what a results file says of a class."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import course as courses
from .. import writing
from ..language import _
from .given import UsageError, whole_course
from .screen import is_plain, say


def add(commands: argparse._SubParsersAction) -> None:
    stats = commands.add_parser("stats", help=_("a class in numbers: what is hard, who is alike"))
    stats.add_argument("results", type=Path, metavar="RESULTS", help=_("the file that mark wrote"))
    stats.add_argument(
        "--submissions",
        type=Path,
        metavar="FOLDER",
        help=_("what was marked: to see which are alike, and like the solutions"),
    )
    stats.add_argument("--png", type=Path, metavar="FILE", help=_("a picture; takes matplotlib"))
    stats.add_argument("--svg", type=Path, metavar="FILE", help=_("the same, to any size"))
    stats.add_argument("--csv", type=Path, metavar="FOLDER", help=_("every number, as tables"))
    stats.add_argument("--format", choices=("board", "plain"), help=_("how to report"))
    stats.set_defaults(run=run_stats)


def run_stats(options: argparse.Namespace) -> int:
    whole_course()
    from .. import intake, ledger, stats
    from ..reports import stats as reporter

    try:
        found = stats.read(options.results)
        pairs, notes = None, []
        if options.submissions:
            pairs, notes = stats.alike(options.submissions, courses.load())
        files = {path: reporter.picture(found, "png") for path in [options.png] if path}
        files |= {path: reporter.picture(found, "svg") for path in [options.svg] if path}
    except (ledger.LedgerError, intake.IntakeError, reporter.NoMatplotlib) as error:
        raise UsageError(str(error)) from error
    if options.csv:
        tables = reporter.tables(found, pairs, notes)
        files |= {options.csv / name: data for name, data in tables.items()}
    if is_plain(options.format):
        print(reporter.render(found, pairs, notes), end="")
    else:
        reporter.show(found, pairs, notes)
    write_all(files)
    return 0


def write_all(files: dict[Path, bytes]) -> None:
    """Write each file whole or not at all, and say so. Raises UsageError."""

    for path, data in files.items():
        try:
            writing.write(path, data)
        except OSError as error:
            words = _("cannot write {path}: {why}").format(path=path, why=error.strerror)
            raise UsageError(words) from None
        say(_("written: {path}").format(path=path))
