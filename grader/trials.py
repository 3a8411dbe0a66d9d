"""Tries suites on variants, quickly: in warm processes that fork one more for each variant.

What does not end is ended, and counts as failed; so does what ends Python itself.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import multiprocessing
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from . import pool, sandbox
from .assembly import Target
from .course import Piece
from .language import _
from .results import PASSED, WAITING
from .student import Call
from .suite import NOT_RUN, Options
from .suite import check as run
from .variants import MutationError, Setting, Variant, witnesses

VISIBLE, HIDDEN = "visible", "hidden"
SUITES = (VISIBLE, HIDDEN)
TIMES = 10  # a suite may take so many times what it takes on the reference
MEMORY_MIB, CPU_SECONDS, FILE_MIB = 2048, 600, 16
DIGITS = 6  # in which answers must agree to count as the same

# macOS has fork, but not one that its libraries bear.
FORK = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


@dataclass(frozen=True)
class Row:
    """What one suite says of one variant.

    failing   the tests that did not pass, apart from those that only waited for one of them; of an
              automatic variant the first alone
    guesses   what the diagnosis told the student, one for each failing test that it could explain
    digest    of all that the code answered: the same for the same answers
    broken    what is wrong with the suite itself, which could not be run on this variant
    """

    failing: tuple[str, ...] = ()
    guesses: tuple[str, ...] = ()
    digest: str = ""
    seconds: float = 0.0
    broken: str = ""

    @property
    def killed(self) -> bool:
        return bool(self.failing)


@dataclass(frozen=True)
class Verdict:
    """What the suites say of a variant: both of a named one, the hidden one of an automatic one.

    A suite that has no tests of the exercise has no row.
    """

    variant: Variant
    rows: dict[str, Row]

    def killed(self, suite: str) -> bool:
        return suite in self.rows and self.rows[suite].killed

    def missed(self, suite: str) -> bool:
        return suite in self.rows and not self.rows[suite].killed

    @property
    def rejected(self) -> bool:
        return any(row.killed for row in self.rows.values())

    @property
    def named(self) -> bool:
        """Whether the diagnosis says what is wrong, and never anything else instead."""
        guesses = self.rows[VISIBLE].guesses
        return bool(guesses) and all(_(self.variant.says) in guess for guess in guesses)

    @property
    def misnamed(self) -> bool:
        return bool(self.rows[VISIBLE].guesses) and not self.named


def judge(setting: Setting, variants: Sequence[Variant]) -> Iterator[Verdict]:
    """The verdicts in order, as many at a time as there are processors.

    Raises MutationError where the reference itself does not pass.
    """
    with pool.processes() as workers:
        yield from workers.map(partial(judged, setting), variants)


def tested(setting: Setting, exercise: str, suite: str) -> bool:
    """Whether the suite has tests of the exercise: one that an instructor adds may have none."""
    return any((setting.tests / suite).glob(f"test_{exercise}*.py"))


def judged(setting: Setting, variant: Variant) -> Verdict:
    """The verdict on one variant."""
    tried = (HIDDEN,) if variant.automatic else SUITES
    suites = [suite for suite in tried if tested(setting, variant.exercise, suite)]
    limits = {suite: time_limit(setting, variant.exercise, suite) for suite in suites}
    rows: dict[str, Row] = {}
    while left := {suite: limits[suite] for suite in suites if suite not in rows}:
        rows |= apart(setting, variant, left)
    return Verdict(variant, rows)


@cache
def time_limit(setting: Setting, exercise: str, suite: str) -> float:
    """The seconds that a suite may take, from what the reference takes.

    This warms the process, too: what it forks has the tests at hand. Raises MutationError where the
    reference does not pass.
    """
    unchanged = Variant(exercise, exercise, name="", says="")
    row = check(setting, unchanged, suite, setting.course.by_id[exercise].pieces)
    if row.killed or row.broken:
        why = row.broken or "it fails " + ", ".join(row.failing)
        raise MutationError(f"the {suite} suite of {exercise} on the reference: {why}")
    return max(setting.seconds, TIMES * row.seconds)


def apart(setting: Setting, variant: Variant, limits: dict[str, float]) -> dict[str, Row]:
    """The rows of the suites in `limits`, from a process of its own.

    After a suite that does not end, or ends Python itself, those that follow are left out.
    """
    rows: dict[str, Row] = {}
    ours, theirs = FORK.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="glassbox-") as folder:
        process = FORK.Process(target=answer, args=(theirs, folder, setting, variant, [*limits]))
        process.start()
        theirs.close()
        for suite, seconds in limits.items():
            rows[suite] = Row(failing=(f"no end within {seconds:.0f} s",))
            try:
                if not ours.poll(seconds):
                    break
                rows[suite] = ours.recv()
            except EOFError:
                rows[suite] = Row(failing=("it ends Python itself",))
                break
        process.kill()
        process.join()
        ours.close()
    return rows


def answer(
    pipe: Connection, folder: str, setting: Setting, variant: Variant, suites: list[str]
) -> None:
    """What that process does: check, quietly and within bounds, and send a row for each suite."""
    sandbox.end_with_parent(multiprocessing.parent_process().pid)
    tempfile.tempdir = folder  # where the code runs, and which outlives nothing
    sandbox.limit(MEMORY_MIB, CPU_SECONDS, FILE_MIB)
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        for suite in suites:
            pipe.send(check(setting, variant, suite, witnesses(setting.course, variant)))


def check(setting: Setting, variant: Variant, suite: str, wanted: tuple[Piece, ...]) -> Row:
    """Run one suite on one variant, in this process: a named one to the end, and diagnosed."""
    fingerprint = Fingerprint()
    options = Options(
        tests=(setting.tests / suite,),
        reference=setting.reference,
        mutants=setting.mutants if suite == VISIBLE and variant.mistaken else None,
        in_process=True,
        patch=variant.patch(),
        alone=True,
        fail_fast=variant.automatic,
        observe=fingerprint.add,
    )
    target = variant.put_in(Target.read(setting.reference, setting.course))
    try:
        result = run(setting.course, target, wanted, options)
    except Exception as error:  # the suite's or ours: never to be counted as a kill
        return Row(broken=f"{type(error).__name__}: {error}")
    tests = [t for exercise in result.exercises for piece in exercise.pieces for t in piece.tests]
    ran = [test for test in tests if test.message != _(NOT_RUN)]
    return Row(
        failing=tuple(test.name for test in ran if test.status not in (PASSED, WAITING)),
        guesses=tuple(test.diagnosis for test in tests if test.diagnosis),
        digest=fingerprint.digest(),
        seconds=sum(test.seconds for test in tests),
    )


class Fingerprint:
    """A digest of everything that the code answered in a suite, to DIGITS digits."""

    def __init__(self) -> None:
        self.hash = hashlib.sha256()

    def add(self, test: str, calls: list[Call]) -> None:
        self.hash.update(test.encode())
        for call in calls:
            self.hash.update(repr(rounded(call.answer)).encode())

    def digest(self) -> str:
        return self.hash.hexdigest()


def rounded(answer: Any) -> Any:
    """An answer with its decimal numbers rounded, in a form whose repr says all of it."""
    if isinstance(answer, (list, tuple)):
        return [rounded(item) for item in answer]
    if isinstance(answer, dict):
        return {name: rounded(item) for name, item in answer.items()}
    if isinstance(answer, (float, np.floating, np.ndarray)):
        array = np.asarray(answer)
        if array.dtype.kind == "f":
            mantissa, exponent = np.frexp(array)
            array = np.ldexp(np.round(mantissa, DIGITS) + 0.0, exponent)
        return type(answer).__name__, str(array.dtype), array.shape, array.tobytes()
    return answer
