"""GitHub Classroom: what its autograding reporter reads, and a summary for the job's page.

    result     a step's output: base64 of JSON, read by the action autograding-grading-reporter,
               which sums `score` over the tests and compares with `max_score`
    summary    Markdown for GITHUB_STEP_SUMMARY

Runners take lines of a log for commands, and the reporter prints the messages of tests into one:
a message must not hold such a command, or a student's exception could write a score of its own.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..language import _
from ..results import PASSED, ExerciseResult, PieceResult, Result
from . import text
from .account import account, missing

ROOM = 48 * 1024  # characters for all messages: the result must fit into an environment variable
SUMMARY_ROOM = 512 * 1024  # bytes; GitHub takes 1 MiB
MARKUP = re.compile(r"([]!#$&()*+/:<=>@[\\^_`{|}~])")  # what Markdown may take for its own


def publish(result: Result, environment: Mapping[str, str]) -> str:
    """Append to the files that GitHub names in the environment; returns what is left to print."""
    said = []
    for variable, content in (
        ("GITHUB_OUTPUT", f"result={encoded(result)}\n"),
        ("GITHUB_STEP_SUMMARY", summary(result)),
    ):
        if path := environment.get(variable):
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(content)
        else:
            said.append(text.ascii_only(content))
    return "\n".join(said) or f"{text.score(result)}\n"


def encoded(result: Result) -> str:
    """The output `result`: one line of base64."""
    document = json.dumps(record(result)).encode("ascii")
    return base64.b64encode(document).decode("ascii")


def record(result: Result) -> dict[str, Any]:
    """What the reporter reads, with one test for each piece."""
    pieces = [(exercise, piece) for exercise in result.exercises for piece in exercise.pieces]
    room = ROOM // max(1, len(pieces))
    return {
        "version": 1,
        "status": "pass" if result.passed else "fail",
        "max_score": result.possible,
        "tests": [
            {
                "name": no_commands(text.one_line(text.piece_id(exercise, piece)))[:200],
                "status": "pass" if piece.status == PASSED else "fail",
                "score": piece.earned,
                "message": _message(piece)[:room],
            }
            for exercise, piece in pieces
        ],
    }


def _message(piece: PieceResult) -> str:
    accounts = "\n".join(account(test) for test in missing(piece))
    return no_commands(text.ascii_only(accounts))


def no_commands(said: str) -> str:
    """`said` with nothing in it that a runner takes for a command: "::error::", "##[error]"."""
    return re.sub(r":(?=:)", ": ", said).replace("##[", "## [")


def summary(result: Result) -> str:
    """The board as Markdown: a table of the exercises, and every failure folded under its piece."""
    lines = [
        f"## {escaped(text.score(result))}",
        "",
        _("| exercise | | points | pieces |"),
        "|---|---|---|---|",
        *(_row(exercise) for exercise in result.exercises),
    ]
    details = [
        _details(exercise, piece)
        for exercise in result.exercises
        for piece in exercise.pieces
        if piece.status in text.BROKEN
    ]
    return "\n".join([*lines, "", *_fitting(details)]) + "\n"


def _row(exercise: ExerciseResult) -> str:
    points = _("{passing} of {all}").format(
        passing=text.number(exercise.earned), all=text.number(exercise.possible)
    )
    passing = sum(piece.status == PASSED for piece in exercise.pieces)
    title = f"{escaped(text.short(exercise))} {escaped(_(exercise.title))}"
    pieces = _("{passing} of {all} pass").format(passing=passing, all=len(exercise.pieces))
    return f"| {title} | {text.word(exercise.status)} | {points} | {pieces} |"


def _details(exercise: ExerciseResult, piece: PieceResult) -> str:
    tests = [account(test) for test in missing(piece) if test.status in text.BROKEN]
    title = html.escape(text.one_line(text.piece_id(exercise, piece)))
    body = html.escape("\n\n".join(tests))
    return f"<details><summary>{title}</summary>\n\n<pre>\n{body}\n</pre>\n</details>\n"


def _fitting(details: list[str]) -> list[str]:
    """As many, in order, as fit into a summary; then how many do not."""
    kept, room = [], SUMMARY_ROOM
    for index, block in enumerate(details):
        room -= len(block.encode("utf-8"))
        if room < 0:
            return [
                *kept,
                _("{n} more pieces have failures.").format(n=len(details) - index) + "\n",
            ]
        kept.append(block)
    return kept


def escaped(name: str) -> str:
    """A name as Markdown shows it, whatever stands in it."""
    return MARKUP.sub(r"\\\1", text.one_line(name))
