"""The command line: collects the commands, runs one, says in words why one could not run."""

from __future__ import annotations

import argparse
import os
import sys

from .commands import attacks, check, handout, marking, model, nbgrader, study, suites, upkeep, xray
from .commands.given import UsageError
from .course import CourseError

COMMANDS = (check, study, model, xray, handout, marking, nbgrader, suites, upkeep, attacks)


def main(arguments: list[str] | None = None) -> int:
    """Run one command. 0: all is well; 1: not all passes; 2: it could not run."""
    options = parser().parse_args(arguments)
    try:
        return options.run(options)
    except (UsageError, CourseError) as error:
        print(f"grader: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ngrader: stopped", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2


class Mixed(argparse.ArgumentParser):
    """A command's parser that takes names after options, too: `mark DIR --results FILE ex05`."""

    mixing = False

    def parse_known_args(self, args=None, namespace=None):  # type: ignore[override]
        if self.mixing:
            return super().parse_known_args(args, namespace)
        self.mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self.mixing = False


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m grader", description="Build a GPT you can see through."
    )
    commands = top.add_subparsers(
        title="commands", required=True, metavar="COMMAND", parser_class=Mixed
    )
    for room in COMMANDS:
        room.add(commands)
    return top
