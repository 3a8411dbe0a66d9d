"""What a check names in wrong answers: a sample of code, each with one definition wrong."""

from __future__ import annotations

import contextlib
import io
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from grader import course as courses
from grader import diagnosis
from grader.assembly import Target
from grader.course import ROOT
from grader.isolation import THREADS
from grader.suite import Options, check

TESTS = ROOT / "tests"
VISIBLE, BOTH = ("visible",), ("visible", "hidden")


@dataclass(frozen=True)
class Named:
    """What was said of one wrong answer: the tests that it fails, and the mistakes named.

    expected   the sentence of the mutant that it is, in other words; "" for one that is none
    """

    id: str
    expected: str
    failing: int
    guesses: tuple[str, ...]

    @property
    def right(self) -> bool:
        return bool(self.guesses) and all(self.expected in guess for guess in self.guesses)

    @property
    def false(self) -> bool:
        """A name was given, and it is not this one's."""
        return bool(self.guesses) and not (self.expected and self.right)


def named(folder: Path, suites: tuple[str, ...] = VISIBLE, step: int = 1) -> list[Named]:
    """Every `step`-th answer of a folder, checked as a student's would be."""
    os.environ.update(THREADS)  # for numpy in the processes
    count = len(diagnosis.known(folder))
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        return list(pool.map(partial(one, folder, suites), range(0, count, step)))


def one(folder: Path, suites: tuple[str, ...], index: int) -> Named:
    answer = diagnosis.known(folder)[index]
    course = courses.load()
    options = Options(
        tests=tuple(TESTS / suite for suite in suites), in_process=True, patch=answer, alone=True
    )
    exercise = course.by_id[answer.exercise]
    pieces = tuple(p for p in exercise.pieces if seen_by(answer.name, p.defines)) or exercise.pieces
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        result = check(course, Target.read(ROOT / "solutions", course), pieces, options)
    tests = [t for e in result.exercises for p in e.pieces for t in p.tests]
    return Named(
        id=f"{exercise.short}.{answer.function.__name__}",
        expected=sentence(answer.exercise, answer.says),
        failing=sum(t.status not in ("passed", "waiting") for t in tests),
        guesses=tuple(dict.fromkeys(t.diagnosis for t in tests if t.diagnosis)),
    )


def seen_by(name: str, defines: tuple[str, ...]) -> bool:
    """Whether a piece is made of the definition; of a whole class, whether it is part of it."""
    return name in defines or any(define.startswith(f"{name}.") for define in defines)


def sentence(exercise: str, mutant: str) -> str:
    """What the mutant of that name says; "" where there is none: then it stands for itself."""
    found = [
        m.says
        for m in diagnosis.known(TESTS / "mutants")
        if m.exercise == exercise and m.function.__name__ == mutant
    ]
    return found[0] if found else ""
