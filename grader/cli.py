"""The command line: collects the commands, runs one, says in words why one could not run."""

from __future__ import annotations

import argparse
import os
import sys

from . import language
from .commands import (
    attacks,
    check,
    handout,
    marking,
    model,
    nbgrader,
    stats,
    study,
    suites,
    update,
    upkeep,
    validate,
    xray,
)
from .commands.given import UsageError
from .course import CourseError
from .language import _, later

COMMANDS = (
    *(check, study, update, model, xray),  # for everyone
    *(handout, marking, nbgrader, stats, validate),  # for instructors
    *(suites, upkeep, attacks),  # for maintainers
)


def main(arguments: list[str] | None = None) -> int:
    """Run one command. 0: all is well; 1: not all passes; 2: it could not run."""
    try:
        rest = in_language(arguments)
        options = parser().parse_args(rest)
        return options.run(options)
    except (UsageError, CourseError, language.UnknownLanguage) as error:
        print(f"grader: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (error.name or "grader").startswith("grader"):
            raise
        words = _("{name} is not installed; `make setup` installs all that is needed")
        print(f"grader: {words.format(name=error.name)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(_("\ngrader: stopped"), file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2


# What argparse says by itself.
PARSING = (
    *(later("usage: "), later("options"), later("positional arguments"), later("commands")),
    later("show this help message and exit"),
    later("%(prog)s: error: %(message)s\n"),
    later("argument %(argument_name)s: %(message)s"),
    later("invalid choice: %(value)r (choose from %(choices)s)"),
    later("invalid %(type)s value: %(value)r"),
    later("the following arguments are required: %s"),
    later("unrecognized arguments: %s"),
    *(later("expected one argument"), later("expected at least one argument")),
    later("not allowed with argument %s"),
    later("ambiguous option: %(option)s could match %(matches)s"),
)


def in_language(arguments: list[str] | None) -> list[str]:
    """The arguments without --lang, which may stand anywhere; its language is spoken from here.

    Raises UnknownLanguage.
    """
    asked = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    asked.add_argument("--lang")
    options, rest = asked.parse_known_args(arguments)
    language.speak(options.lang or language.preferred())
    argparse._ = _  # the name by which argparse asks gettext
    if language.letters() and hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # where these cannot be written
    return rest


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
        prog="python -m grader", description=_("Build a GPT you can see through.")
    )
    top.add_argument(
        "--lang",
        metavar="LANGUAGE",
        help=_("the language to speak: {all}").format(all=", ".join(language.languages())),
    )
    commands = top.add_subparsers(
        title=_("commands"), required=True, metavar="COMMAND", parser_class=Mixed
    )
    for room in COMMANDS:
        room.add(commands)
    return top
