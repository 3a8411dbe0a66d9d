"""What a command was given, read: the target, the suites; and how it says that it cannot."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from ..course import ROOT, Course
from ..language import _

if TYPE_CHECKING:
    from ..assembly import Target


STATE = ROOT / ".glassbox"
EXERCISES = ROOT / "exercises"


class UsageError(Exception):
    """What was asked for cannot be done; the message says why and what to do."""


def target_of(text: str, course: Course) -> Target:
    """The folder to check or train, read."""
    from ..assembly import Target

    ours = text in ("exercises", "solutions")
    folder = ROOT / text if ours else Path(text)
    if not folder.is_dir():
        raise UsageError(_("--target {text}: there is no such folder").format(text=text))
    return Target.read(folder, course, text if ours else folder.resolve().name)


def whole_course() -> None:
    """UsageError in a student's copy, which has neither solutions nor the modules for them."""
    if not (ROOT / "solutions").is_dir():
        raise UsageError(_("this copy of the course has no solutions; take the whole course"))


def suites_of(options: argparse.Namespace) -> tuple[Path, ...]:
    hidden = ROOT / "tests" / "hidden"
    if options.hidden and not hidden.is_dir():
        raise UsageError(_("--hidden: this copy of the course has no hidden suite"))
    for folder in options.tests:
        if not folder.is_dir():
            raise UsageError(_("--tests {folder}: there is no such folder").format(folder=folder))
    return (ROOT / "tests" / "visible", *([hidden] if options.hidden else []), *options.tests)
