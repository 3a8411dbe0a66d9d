"""xray: one page that shows what happens inside the model."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import course as courses
from ..course import ROOT, Course
from ..language import _, counted
from .given import UsageError, target_of
from .screen import say

if TYPE_CHECKING:
    from ..assembly import Plan, Target


def add(commands: argparse._SubParsersAction) -> None:
    xray = commands.add_parser("xray", help=_("look inside your model while it reads a text"))
    xray.add_argument("text", metavar="TEXT", help=_("what it reads, such as emma"))
    xray.add_argument("--out", type=Path, help=_("the page; without it, xray-TEXT.html here"))
    xray.add_argument("--json", type=Path, help=_("write the page's numbers as JSON instead"))
    xray.add_argument("--checkpoint", type=Path, help=_("weights; without it, the newest"))
    xray.add_argument("--untrained", action="store_true", help=_("fresh weights instead"))
    xray.add_argument("--preset", help=_("microgpt or gpt2; without it, what was trained last"))
    xray.add_argument("--seed", type=int, default=0)
    xray.add_argument("--open", action="store_true", help=_("show the page in the browser"))
    xray.add_argument("--target", default="exercises", help=_("exercises, solutions or a folder"))
    xray.set_defaults(run=run_xray)


def run_xray(options: argparse.Namespace) -> int:
    from ..xray import session, whole

    course = courses.load()
    target = target_of(options.target, course)
    try:
        lent, borrowed = whole.lent(course, target, ROOT / "solutions")
        if borrowed:
            say(borrowing(borrowed))
        checkpoint = None if options.untrained else weights(options, course, target, lent)
        wanted = session.Wanted(
            options.text, checkpoint, options.preset or "microgpt", options.seed
        )
        data = session.look(course, target, wanted, lent, borrowed)
    except (session.CannotLook, whole.NotWhole) as error:
        raise UsageError(str(error)) from error
    path = write(options, data)
    for missing in data["not_observable"]:
        say(_("not shown: {what}: {why}").format(**missing))
    say(_("{path}: open it in any browser").format(path=path))
    if options.open:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
    return 0


def weights(options: argparse.Namespace, course: Course, target: Target, lent: Plan) -> Path:
    """The checkpoint that is asked for, or the newest; where there is none, one is trained."""
    from .. import finale
    from .model import play
    from .screen import console

    if options.checkpoint:
        return options.checkpoint.resolve()
    try:
        plan = finale.Plan(
            preset=options.preset or "microgpt",
            seed=options.seed,
            record=True,
            target=target.name,
            borrowed=bool(lent.borrowed),
        )
    except finale.PlanError as error:
        raise UsageError(str(error)) from error
    presets = [options.preset] if options.preset else finale.RECIPES
    found = [path for p in presets if (path := plan.checkpoint.with_stem(p)).is_file()]
    if found:
        return max(found, key=lambda path: path.stat().st_mtime)
    say(_("There is no trained model to look into yet, so it is trained now, as by `train`."))
    if play(plan, target, course, console(None), lent).status == "failed":
        raise UsageError(_("the model could not be trained; --untrained looks at it as it is"))
    return plan.checkpoint


def borrowing(pieces: tuple[str, ...]) -> str:
    """Which pieces are the reference's."""
    from ..xray.whole import few

    said = counted(
        "{n} piece is not begun, and borrowed from the reference",
        "{n} pieces are not begun, and borrowed from the reference",
        len(pieces),
    )
    return f"{said}: {few(pieces)}"


def write(options: argparse.Namespace, data: dict[str, Any]) -> Path:
    """The page, or its numbers, whole or not at all."""
    from ..writing import write as written

    if options.json:
        written(options.json, json.dumps(data, ensure_ascii=False, separators=(",", ":")))
        return options.json
    from ..xray.page import page

    name = re.sub(r"\W+", "-", options.text).strip("-")[:40] or "empty"
    out = options.out or Path(f"xray-{name}.html")
    written(out, page(data))
    return out
