"""update: a newer bundle over a student's copy."""

from __future__ import annotations

import argparse
from pathlib import Path

from ..course import ROOT
from ..language import _
from .given import EXERCISES, UsageError
from .screen import confirmed, remembering, say


def add(commands: argparse._SubParsersAction) -> None:
    update = commands.add_parser(
        "update", help=_("take over a newer bundle of the course; every line of yours stays")
    )
    update.add_argument("bundle", nargs="?", type=Path, metavar="BUNDLE.zip", help=_("the new one"))
    update.add_argument("--undo", action="store_true", help=_("take the last update back"))
    update.add_argument("--yes", action="store_true", help=_("do not ask"))
    update.set_defaults(run=run_update)


def run_update(options: argparse.Namespace) -> int:
    from .. import snapshots, update

    if bool(options.bundle) == options.undo:
        raise UsageError(_("say which bundle, as in: update course.zip; or: update --undo"))
    try:
        what = (
            update.undoing(ROOT) if options.undo else update.plan(ROOT, update.read(options.bundle))
        )
        if what.empty:
            say(_("this copy is what the bundle holds already"))
            return 0
        say(*update.summary(what))
        if not confirmed(_("Do it?"), options.yes):
            say(_("nothing was changed"))
            return 1
        with remembering():
            snapshots.take(EXERCISES)
        update.begin(ROOT, what)
        update.finish(ROOT)
    except update.UpdateError as error:
        raise UsageError(str(error)) from error
    say(_("done; to go back: python -m grader update --undo"))
    return 0
