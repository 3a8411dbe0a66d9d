"""Writes down what every mutant answers wrongly, for precomputed.py to recognise in a bundle."""

from __future__ import annotations

import contextlib
import hashlib
import io
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from . import diagnosis, pool, precomputed, progress, writing
from .assembly import Target
from .course import Course, Exercise, Piece
from .diagnosis import Mutant
from .precomputed import Explanation
from .results import FAILED
from .student import Call
from .suite import Options, check


@dataclass(frozen=True)
class Setting:
    """The course, and the folders of its reference, of the suite and of the mutants."""

    course: Course
    reference: Path
    suite: Path
    mutants: Path


def files(
    setting: Setting,
    exercises: Sequence[str],
    kept: Path,
    notify: Callable[[Exercise], None] = lambda exercise: None,
) -> dict[str, bytes]:
    """The content of each of these exercises' files, by its name.

    It takes a minute; so each is left in the folder `kept`, and taken from there as long as what
    it was made of is the same. Raises SuiteError where the suite cannot be run.
    """
    prints = fingerprints(setting)
    places = {id: kept / f"{id}-{prints[id]}{precomputed.SUFFIX}" for id in exercises}
    found = {id: place.read_bytes() for id, place in places.items() if precomputed.read(place)}
    missing = [id for id in exercises if id not in found]
    for id, data in made(setting, missing, notify).items():
        found[id] = data
        with contextlib.suppress(OSError):  # then the next one takes a minute again
            for outdated in kept.glob(f"{id}-*"):
                outdated.unlink()
            writing.write(places[id], data)
    return {f"{id}{precomputed.SUFFIX}": data for id, data in found.items()}


def fingerprints(setting: Setting) -> dict[str, str]:
    """For each exercise a hash of all that its file is made of: the code that makes it as well."""
    target = Target.read(setting.reference, setting.course)
    folders = (setting.mutants, Path(__file__).parent)
    code = [path.read_bytes() for folder in folders for path in sorted(folder.glob("*.py"))]
    common = hashlib.sha256(b"\0".join([sys.version.encode(), np.__version__.encode(), *code]))
    return {
        id: hashlib.sha256(common.digest() + own.encode()).hexdigest()[:16]
        for id, own in progress.fingerprints(target, setting.course, setting.suite).items()
    }


def made(
    setting: Setting, exercises: Sequence[str], notify: Callable[[Exercise], None]
) -> dict[str, bytes]:
    """Run the suite on every mutant of these exercises: each file's content, by exercise."""
    known = [
        (index, mutant.exercise)
        for index, mutant in enumerate(diagnosis.known(setting.mutants))
        if mutant.exercise in exercises
    ]
    found: dict[str, list[Explanation]] = defaultdict(list)
    with pool.processes() as workers:
        explained = workers.map(partial(explanations, setting), [index for index, _ in known])
        for (_, exercise), more in zip(known, explained, strict=True):
            notify(setting.course.by_id[exercise])
            found[exercise] += more
    return {id: precomputed.write(more) for id, more in found.items()}


def explanations(setting: Setting, index: int) -> list[Explanation]:
    """What the mutant of that number answers wrongly in each test that it fails."""
    mutant = diagnosis.known(setting.mutants)[index]
    pieces = setting.course.by_id[mutant.exercise].pieces
    return [
        Explanation(
            test,
            index,
            mutant.says,
            len(answers),
            differing(answers, right_answers(setting, piece)[test]),
        )
        for piece in pieces
        if mutant.name in piece.defines
        for test, answers in failed(setting, piece, mutant).items()
    ]


def differing(answers: list[dict], right: list[dict]) -> dict[int, dict[str, Any]]:
    """The answers that are not right, by their number; "typed" where only their type is wrong."""
    return {
        number: bare(answer)
        | ({"typed": True} if diagnosis.alike(answer, other, types=False) else {})
        for number, (answer, other) in enumerate(zip(answers, right))
        if not diagnosis.alike(answer, other)
    }


def bare(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what is never compared: of an error most words, and where it was raised."""
    if "error" not in answer:
        return dict(answer)
    about = " ".join(diagnosis.DETAIL.findall(answer["error"]["message"]))
    return {"error": {"type": answer["error"]["type"], "message": about}}


def failed(setting: Setting, piece: Piece, mutant: Mutant) -> dict[str, list[dict]]:
    """What the mutant answers in each test that it fails."""
    answers, failed = run(setting, piece, mutant)
    return {test: answers[test] for test in failed}


@cache
def right_answers(setting: Setting, piece: Piece) -> dict[str, list[dict]]:
    """What the reference answers in each test of the piece."""
    return run(setting, piece, None)[0]


def run(
    setting: Setting, piece: Piece, mutant: Mutant | None
) -> tuple[dict[str, list[dict]], list[str]]:
    """The answers to each test of the piece, and the tests that fail."""
    answers: dict[str, list[dict]] = {}

    def note(test: str, calls: list[Call]) -> None:
        answers[test] = [call.answer for call in calls]

    options = Options(
        tests=(setting.suite,),
        mutants=None,
        in_process=True,
        patch=mutant,
        alone=True,
        observe=note,
    )
    target = Target.read(setting.reference, setting.course)
    quiet = io.StringIO()  # for what mutants print, and for what numpy thinks of them
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        [exercise] = check(setting.course, target, (piece,), options).exercises
    [result] = exercise.pieces
    return answers, [test.name for test in result.tests if test.status == FAILED]
