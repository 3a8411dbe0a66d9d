"""How the commands speak to whoever sits before them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..course import Course, Exercise
from ..language import _
from .given import UsageError

if TYPE_CHECKING:
    from rich.console import Console


MACHINE = ("json", "junit", "gradescope", "github")  # formats that others read, alone on stdout


def console(form: str | None) -> Console:
    """Where live pictures go: stdout, but stderr where stdout is for a machine alone."""
    from rich.console import Console

    plain = form == "plain" or "NO_COLOR" in os.environ
    return Console(stderr=form in MACHINE, no_color=plain or None, highlight=False)


def is_plain(form: str | None) -> bool:
    """Whether to report in plain text: asked for, or no terminal that could show more."""
    return form == "plain" or (
        form is None and ("NO_COLOR" in os.environ or not sys.stdout.isatty())
    )


def say(*lines: str) -> None:
    """Print lines; what the terminal cannot show as an escape, and nothing that it would obey."""
    from ..reports.text import clean

    encoding = sys.stdout.encoding or "ascii"
    for line in lines:
        print(clean(line).encode(encoding, "backslashreplace").decode(encoding))


@contextmanager
def progress_shown(form: str | None, course: Course) -> Iterator[Callable[[Exercise], None]]:
    """Say which exercise is being checked, on one line that disappears in the end."""
    if form in (*MACHINE, "plain") or "NO_COLOR" in os.environ or not sys.stdout.isatty():
        yield lambda exercise: None
        return
    shown = ""

    def notify(exercise: Exercise) -> None:
        nonlocal shown
        if exercise.id != shown:
            shown = exercise.id
            doing = _("checking {exercise} {title} ...")
            said = doing.format(exercise=exercise.short, title=_(exercise.title))
            print(f"\r\x1b[K{said}", end="", flush=True)

    try:
        yield notify
    finally:
        print("\r\x1b[K", end="", flush=True)


@contextmanager
def remembering() -> Iterator[None]:
    """A full disk or a folder that cannot be written costs the memory of this, and no more."""
    try:
        yield
    except OSError as error:
        print(_("grader: not kept for later: {error}").format(error=error), file=sys.stderr)


def confirmed(question: str, yes: bool) -> bool:
    """Whether the user wants it. UsageError where there is nobody to ask."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError(_("nothing was changed: there is no terminal to ask in; say --yes"))
    try:
        said = input(_("{question} [y/N] ").format(question=question)).strip().lower()
        return said in ("y", "yes", _("y"), _("yes"))
    except EOFError:
        return False


def shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"
