"""attacks: tries the corpus of attacks on the ways to mark, and prints who won."""

from __future__ import annotations

import argparse
import json
import sys

from ..language import _
from .given import UsageError, whole_course


def add(commands: argparse._SubParsersAction) -> None:
    attacks = commands.add_parser("attacks", help=_("try the corpus of attacks on the marking"))
    attacks.add_argument(
        "names", nargs="*", metavar="NAME", help=_("a family or an attack: lies, hangs/deadlock")
    )
    attacks.add_argument(
        "--design",
        action="append",
        choices=("all", "in-process", "junit", "worker", "landlock", "bubblewrap"),
        help=_("a way to mark; all without, and may be given again"),
    )
    attacks.add_argument("--jobs", type=int, default=2, help=_("how many at a time; 2"))
    attacks.add_argument(
        "--format", choices=("board", "markdown", "json"), default="board", help=_("how to report")
    )
    attacks.add_argument("--list", action="store_true", help=_("only say what each wants"))
    attacks.set_defaults(run=run_attacks)


def run_attacks(options: argparse.Namespace) -> int:
    """0: no attack won against the designs with isolation; 1: one did."""
    whole_course()
    from .. import arena, attacks

    chosen = attacks.select(options.names)
    if not chosen:
        raise UsageError(_("no attack is called {names}").format(names=", ".join(options.names)))
    if options.list:
        for attack in chosen:
            print(f"{attack.name}\n  {attack.wants}\n  {attack.fails}")
        return 0
    named = options.design or ["all"]
    designs = [d for d in attacks.DESIGNS.values() if "all" in named or d.name in named]
    outcomes = []
    try:
        for outcome in arena.try_all(chosen, designs, options.jobs):
            outcomes.append(outcome)
            if outcome.won:
                print(f"{outcome.design}  {outcome.attack}: {outcome.won}", file=sys.stderr)
    except arena.Unavailable as error:
        raise UsageError(str(error)) from error
    if options.format == "json":
        print("\n".join(json.dumps(vars(outcome)) for outcome in outcomes))
    elif options.format == "markdown":
        print(attacks.markdown(outcomes), end="")
    else:
        attacks.show(outcomes)
    return 1 if any(o.won and attacks.DESIGNS[o.design].sealed for o in outcomes) else 0
