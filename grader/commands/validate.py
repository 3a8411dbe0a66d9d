"""validate: is a changed or a new exercise whole?"""

from __future__ import annotations

import argparse
import sys

from ..language import _, counted
from .given import UsageError, whole_course
from .screen import say


def add(commands: argparse._SubParsersAction) -> None:
    validate = commands.add_parser(
        "validate", help=_("after changing an exercise: is everything there, and right?")
    )
    validate.add_argument(
        "names", nargs="*", metavar="EXERCISE|PIECE", help=_("ex05, ex05.layernorm; all without")
    )
    validate.set_defaults(run=run_validate)


def run_validate(options: argparse.Namespace) -> int:
    """1 where anything is wrong."""
    whole_course()
    from .. import validate
    from ..bundle import BundleError
    from ..variants import MutationError

    try:
        findings = validate.findings(options.names, tell)
    except (BundleError, MutationError) as error:
        raise UsageError(str(error)) from error
    if not findings:
        say(_("nothing is wrong"))
        return 0
    for finding in findings:
        say(
            f"{finding.where}: {finding.what}",
            "  " + _("to do: {advice}").format(advice=finding.advice),
        )
    say("", counted("{n} thing is wrong", "{n} things are wrong", len(findings)))
    return 1


def tell(step: str) -> None:
    """What is looked at now; it may take minutes."""
    print(f"validate: {step}", file=sys.stderr, flush=True)
