"""Gradescope's results.json: one scored entry for each piece, with what its tests say.

A piece that only the visible suite tests is visible at once. Where other suites share in its
points, the entry with the points and their messages appears when the grades are published: until
then nobody can use the score to feel their way through the hidden tests. What the visible tests
say does not wait for that; it stands in an entry of its own, without points.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ..language import _
from ..results import PASSED, ExerciseResult, PieceResult, Result, TestResult, combined
from . import text
from .account import account

VISIBLE, LATER = "visible", "after_published"


def render(result: Result) -> str:
    """The JSON, in ASCII. Its score, and the sum of its scored entries, are the result's."""
    tests = [t for exercise in result.exercises for p in exercise.pieces for t in p.tests]
    document = {
        "score": result.earned,
        "execution_time": round(sum(test.seconds for test in tests), 3),
        "output": "\n".join(_facts(result)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "stdout_visibility": "hidden",
        "tests": [
            entry
            for exercise in result.exercises
            for piece in exercise.pieces
            for entry in _entries(exercise, piece)
        ],
    }
    return json.dumps(document, indent=1) + "\n"


def _facts(result: Result) -> list[str]:
    """The score, and how it came about."""
    facts = [
        text.score(result),
        _("suites: {names}").format(names=", ".join(map(text.one_line, result.suites))),
    ]
    facts += [
        _("isolation: {kind}").format(
            kind=text.one_line(result.provenance.get("isolation", "none"))
        )
    ]
    notes = result.provenance.get("intake", {}).get("notes", [])
    return facts + [text.one_line(note) for note in notes]


def _entries(exercise: ExerciseResult, piece: PieceResult) -> list[dict[str, Any]]:
    name = text.one_line(text.piece_id(exercise, piece))
    visible = [test for test in piece.tests if test.suite == "visible"]
    others = [test for test in piece.tests if test.suite != "visible"]
    points = {"score": piece.earned, "max_score": piece.possible}
    if not others:
        return [_entry(name, piece.status, visible, VISIBLE) | points]
    scored = _entry(name, piece.status, others, LATER) | points
    if not visible:
        return [scored]
    status = combined(test.status for test in visible)
    return [_entry(_("{name}, visible tests").format(name=name), status, visible, VISIBLE), scored]


def _entry(name: str, status: str, tests: Sequence[TestResult], visibility: str) -> dict[str, Any]:
    """What a group of tests says. Only what passes is "passed", whatever its points."""
    suites = dict.fromkeys(test.suite for test in tests)
    lines = [_passing(suite, [test for test in tests if test.suite == suite]) for suite in suites]
    lines += [account(test) for test in tests if test.status != PASSED]
    return {
        "name": name,
        "status": "passed" if status == PASSED else "failed",
        "output": "\n\n".join(lines),
        "visibility": visibility,
    }


def _passing(suite: str, tests: Sequence[TestResult]) -> str:
    passing = sum(test.status == PASSED for test in tests)
    return _("{suite} tests: {passing} of {all} pass").format(
        suite=text.one_line(suite), passing=passing, all=len(tests)
    )
