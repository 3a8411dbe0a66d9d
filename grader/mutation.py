"""Measures the suites: do they fail every wrong implementation, and pass every right one?

A variant is the reference with one definition changed: by a named mutant, an alternative or an
automatic change. Each suite checks each variant in a process of its own, forked from one that has
numpy and pytest ready; what does not end is ended, and counts as failed.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import multiprocessing
import os
import tempfile
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import numpy as np

from . import automatic, diagnosis, sandbox
from .assembly import Target
from .course import ROOT, Course, Piece
from .process import THREADS
from .results import PASSED, WAITING
from .student import Call
from .suite import NOT_RUN, Options
from .suite import check as run

VISIBLE, HIDDEN = "visible", "hidden"
SUITES = (VISIBLE, HIDDEN)
ENOUGH = {VISIBLE: 0.8, HIDDEN: 1.0}  # the share of mutants that a suite must kill
SECONDS, TIMES = 5.0, 10  # a check may take this long, or so many times what the reference takes
MEMORY_MIB, CPU_SECONDS, FILE_MIB = 2048, 600, 16
DIGITS = 6  # in which answers must agree to count as the same


class MutationError(Exception):
    """There is nothing to measure by: the reference fails, or a file of ours is wrong."""


@dataclass(frozen=True)
class Setting:
    """What is measured: a course, its reference, and the folder of its suites and variants."""

    course: Course
    reference: Path = ROOT / "solutions"
    tests: Path = ROOT / "tests"

    @property
    def mutants(self) -> Path:
        return self.tests / "mutants"

    @property
    def alternatives(self) -> Path:
        return self.tests / "alternatives"

    @property
    def equivalents(self) -> Path:
        return self.mutants / "equivalent.toml"


@dataclass(frozen=True)
class Variant:
    """The reference with one definition changed.

    `says` is what is wrong with a mutant, or the style of an alternative. The change is either a
    text of the whole file, or number `index` of what `folder` registers; a variant crosses to other
    processes, which a function of a file that is no module cannot.
    """

    id: str  # "ex05.layernorm_unbiased"
    exercise: str
    name: str  # of the definition, "Tensor.sum"
    says: str = ""
    right: bool = False
    folder: Path | None = None
    index: int = 0
    text: str | None = None
    line: int = 0
    was: str = ""


@dataclass(frozen=True)
class Row:
    """What one suite says of one variant.

    failing   the tests that did not pass, apart from those that only waited for one of them
    guesses   what the diagnosis told the student, one for each test that it had something to say to
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
    """What the suites say of a variant, by suite."""

    variant: Variant
    rows: dict[str, Row]

    def killed(self, suite: str) -> bool:
        return self.rows[suite].killed

    @property
    def rejected(self) -> bool:
        return any(row.killed for row in self.rows.values())

    @property
    def named(self) -> bool:
        """Whether the diagnosis says what is wrong, and never anything else instead."""
        guesses = self.rows[VISIBLE].guesses
        return bool(guesses) and all(self.variant.says in guess for guess in guesses)

    @property
    def misnamed(self) -> bool:
        return bool(self.rows[VISIBLE].guesses) and not self.named


@dataclass(frozen=True)
class Matrix:
    """Every verdict, and what follows from them. `reviewed` gives a reason for each equivalent."""

    mutants: tuple[Verdict, ...]
    alternatives: tuple[Verdict, ...]
    automatic: tuple[Verdict, ...] = ()
    reviewed: dict[tuple[str, str], str] = field(default_factory=dict)

    def survivors(self, suite: str) -> list[Verdict]:
        """The named mutants that the suite misses."""
        return [verdict for verdict in self.mutants if not verdict.killed(suite)]

    def rate(self, suite: str) -> float:
        missed = len(self.survivors(suite))
        return 1 - missed / len(self.mutants) if self.mutants else 1.0

    @property
    def rejections(self) -> list[Verdict]:
        """Right answers that a suite fails: alternatives, and results off by rounding alone."""
        right = [v for v in self.automatic if v.variant.right]
        return [verdict for verdict in [*self.alternatives, *right] if verdict.rejected]

    @property
    def wrong(self) -> list[Verdict]:
        """The automatic mutants."""
        return [verdict for verdict in self.automatic if not verdict.variant.right]

    @cached_property
    def unreviewed(self) -> list[Verdict]:
        """The automatic mutants that the hidden suite misses and nobody has called equivalent."""
        missed = [verdict for verdict in self.wrong if not verdict.killed(HIDDEN)]
        return [verdict for verdict in missed if key(verdict.variant) not in self.reviewed]

    @cached_property
    def outdated(self) -> list[tuple[str, str]]:
        """Reviewed equivalents that are killed after all, or that no change makes any more."""
        missed = {key(v.variant) for v in self.wrong if not v.killed(HIDDEN)}
        return [entry for entry in self.reviewed if entry not in missed]

    @cached_property
    def duplicates(self) -> list[tuple[str, ...]]:
        """Mutants that the same tests kill and that answered all of them alike."""
        alike = defaultdict(list)
        for verdict in self.mutants:
            rows = tuple((row.failing, row.digest) for row in verdict.rows.values())
            if verdict.rejected and all(digest for _, digest in rows):
                alike[verdict.variant.exercise, rows].append(verdict.variant.id)
        return [tuple(ids) for ids in alike.values() if len(ids) > 1]

    @property
    def distinct(self) -> int:
        """How many different rows the mutants have."""
        rows = (tuple(row.failing for row in v.rows.values()) for v in self.mutants)
        return len({(v.variant.exercise, row) for v, row in zip(self.mutants, rows, strict=True)})

    @property
    def broken(self) -> list[tuple[str, str]]:
        """Variants that a suite could not be run on, and why."""
        verdicts = [*self.mutants, *self.alternatives, *self.automatic]
        return [(v.variant.id, r.broken) for v in verdicts for r in v.rows.values() if r.broken]

    @property
    def holds(self) -> bool:
        """Whether the suites are as good as they must be."""
        kills = all(self.rate(suite) >= enough for suite, enough in ENOUGH.items())
        troubles = (self.rejections, self.unreviewed, self.outdated, self.broken)
        return kills and not any(troubles)


def key(variant: Variant) -> tuple[str, str]:
    """How equivalent.toml refers to an automatic mutant."""
    return f"{variant.exercise}.{variant.name}", variant.says


def measure(
    setting: Setting,
    wanted: Sequence[Piece],
    with_automatic: bool = False,
    notify: Callable[[Variant], None] = lambda variant: None,
) -> Matrix:
    """The matrix of all variants of the pieces wanted.

    `notify` is told of each variant when its verdict is there. Raises MutationError where the
    reference itself fails, or equivalent.toml is wrong.
    """
    mutants = named(setting, wanted, setting.mutants)
    alternatives = named(setting, wanted, setting.alternatives, right=True)
    changed = changes(setting, wanted) if with_automatic else []
    reviewed = equivalents(setting, wanted) if with_automatic else {}
    limits = time_limits(setting, [*mutants, *alternatives, *changed])

    def judged(variants: list[Variant], suites: tuple[str, ...], thorough: bool) -> tuple:
        verdicts = []
        for verdict in judge(setting, variants, suites, limits, thorough):
            notify(verdict.variant)
            verdicts.append(verdict)
        return tuple(verdicts)

    return Matrix(
        mutants=judged(mutants, SUITES, thorough=True),
        alternatives=judged(alternatives, SUITES, thorough=True),
        automatic=judged(changed, (HIDDEN,), thorough=False),
        reviewed=reviewed,
    )


# the variants


def named(
    setting: Setting, wanted: Sequence[Piece], folder: Path, right: bool = False
) -> list[Variant]:
    """The mutants or alternatives that a folder registers for the pieces wanted."""
    found = []
    for index, mutant in enumerate(diagnosis.known(folder)):
        variant = Variant(
            id=f"{setting.course.by_id[mutant.exercise].short}.{mutant.function.__name__}",
            exercise=mutant.exercise,
            name=mutant.name,
            says=mutant.says,
            right=right,
            folder=folder,
            index=index,
        )
        if set(owners(setting.course, variant)) & set(wanted):
            found.append(variant)
    return found


def changes(setting: Setting, wanted: Sequence[Piece]) -> list[Variant]:
    """The automatic changes of the pieces wanted."""
    found = []
    for exercise in setting.course.exercises:
        text = (setting.reference / exercise.file).read_text("utf-8")
        for change in automatic.changes(text) if set(exercise.pieces) & set(wanted) else ():
            variant = Variant(
                id=f"{exercise.short}.{change.name}:{change.line}",
                exercise=exercise.id,
                name=change.name,
                says=change.becomes,
                right=change.right,
                text=change.text,
                line=change.line,
                was=change.was,
            )
            if set(owners(setting.course, variant)) & set(wanted):
                found.append(variant)
    return found


def equivalents(setting: Setting, wanted: Sequence[Piece]) -> dict[tuple[str, str], str]:
    """The reviewed equivalents of the exercises wanted: (definition, change) and the reason."""
    path = setting.equivalents
    try:
        entries = tomllib.loads(path.read_text("utf-8"))["equivalent"] if path.exists() else []
        found = {(entry["in"], entry["becomes"]): entry["reason"] for entry in entries}
    except tomllib.TOMLDecodeError as error:
        raise MutationError(f"cannot read {path}: {error}") from None
    except KeyError as error:
        raise MutationError(f"{path}: an entry lacks {error}") from None
    exercises = {piece.exercise for piece in wanted}
    return {entry: reason for entry, reason in found.items() if entry[0].split(".")[0] in exercises}


def owners(course: Course, variant: Variant) -> tuple[Piece, ...]:
    """The pieces that the changed definition is of; all of the exercise for a common helper."""
    pieces = course.by_id[variant.exercise].pieces
    names = {variant.name, variant.name.split(".")[0]}
    return tuple(piece for piece in pieces if names & set(piece.defines)) or pieces


def witnesses(course: Course, variant: Variant) -> tuple[Piece, ...]:
    """The pieces of the exercise whose tests can see the change: its owners, and who needs them."""
    exercise = course.by_id[variant.exercise]
    own = {piece.id for piece in owners(course, variant)}
    if exercise.gradient in own:
        return exercise.pieces
    return tuple(
        piece
        for piece in exercise.pieces
        if piece.id in own or own & {need.id for need in course.closure(piece.needs)}
    )


# their verdicts


def time_limits(setting: Setting, variants: Sequence[Variant]) -> dict[tuple[str, str], float]:
    """The seconds that a check may take, by exercise and suite: from those of the reference.

    Raises MutationError where the reference does not pass: then nothing can be measured.
    """
    exercises = list(dict.fromkeys(variant.exercise for variant in variants))
    unchanged = [Variant(f"{id.split('_')[0]}, unchanged", id, "") for id in exercises]
    patient = defaultdict(lambda: 12 * SECONDS)
    limits = {}
    for verdict in judge(setting, unchanged, SUITES, patient, thorough=True):
        for suite, row in verdict.rows.items():
            if row.broken or row.killed:
                why = row.broken or "the reference fails " + ", ".join(row.failing)
                raise MutationError(f"{verdict.variant.id}, {suite} suite: {why}")
            limits[verdict.variant.exercise, suite] = max(SECONDS, TIMES * row.seconds)
    return limits


def judge(
    setting: Setting,
    variants: Sequence[Variant],
    suites: tuple[str, ...],
    limits: dict[tuple[str, str], float],
    thorough: bool,
) -> Iterator[Verdict]:
    """The verdicts of the suites, in order, as many at a time as there are processors.

    thorough   run all tests, and name the mistake; else stop at the first test that fails
    """
    context = processes(setting)

    def judged(variant: Variant) -> Verdict:
        rows: dict[str, Row] = {}
        while left := {s: limits[variant.exercise, s] for s in suites if s not in rows}:
            rows |= apart(context, left, setting, variant, thorough)
        return Verdict(variant, rows)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(judged, variants)


def processes(setting: Setting) -> BaseContext:
    """Processes forked from one that has imported all this; fresh ones where there is no fork."""
    os.environ.update(THREADS)  # for numpy there: a fork must not lose threads
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    solutions = [f"{setting.reference.name}.{e.id}" for e in setting.course.exercises]
    context.set_forkserver_preload(["grader.mutation", *solutions])  # the mutants import solutions
    return context


def apart(context: BaseContext, limits: dict[str, float], *job: Any) -> dict[str, Row]:
    """The rows of the suites in `limits`, from a process of its own, until one takes too long.

    What takes too long, or ends Python, fails in words; the suites after it are left out.
    """
    rows: dict[str, Row] = {}
    ours, theirs = context.Pipe(duplex=False)
    with tempfile.TemporaryDirectory(prefix="glassbox-") as folder:
        args = (theirs, folder, tuple(limits), *job)
        process = context.Process(target=answer, args=args, daemon=True)
        process.start()
        theirs.close()
        for suite, seconds in limits.items():
            try:
                in_time = ours.poll(seconds)
                rows[suite] = ours.recv() if in_time else Row((f"no end within {seconds:.0f} s",))
            except EOFError:
                in_time, rows[suite] = False, Row(("it ends Python itself",))
            if not in_time:
                break
        process.kill()
        process.join()
        ours.close()
    return rows


def answer(
    pipe: Connection,
    folder: str,
    suites: tuple[str, ...],
    setting: Setting,
    variant: Variant,
    thorough: bool,
) -> None:
    """What the process does: check, quietly and within bounds, and send a row for each suite."""
    os.chdir(folder)
    sandbox.limit(MEMORY_MIB, CPU_SECONDS, FILE_MIB)
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        for suite in suites:
            try:
                row = check(setting, variant, suite, thorough)
            except Exception as error:  # ours, not the variant's: never to be counted as a kill
                row = Row(broken=f"{type(error).__name__}: {error}")
            pipe.send(row)


def check(setting: Setting, variant: Variant, suite: str, thorough: bool) -> Row:
    """Run one suite on one variant, in this process."""
    course = setting.course
    target = Target.read(setting.reference, course)
    if variant.text is not None:
        changed = replace(target.files[variant.exercise], text=variant.text)
        target = replace(target, files=target.files | {variant.exercise: changed})
    wanted = witnesses(course, variant) if variant.name else course.by_id[variant.exercise].pieces
    fingerprint = Fingerprint()
    options = Options(
        tests=(setting.tests / suite,),
        reference=setting.reference,
        mutants=setting.mutants if thorough and suite == VISIBLE else None,
        in_process=True,
        patch=diagnosis.known(variant.folder)[variant.index] if variant.folder else None,
        alone=True,
        fail_fast=not thorough,
        observe=fingerprint.add,
    )
    result = run(course, target, wanted, options)
    tests = [t for exercise in result.exercises for piece in exercise.pieces for t in piece.tests]
    failing = [test for test in tests if test.status not in (PASSED, WAITING)]
    return Row(
        failing=tuple(test.name for test in failing if thorough or test.message != NOT_RUN),
        guesses=tuple(test.diagnosis for test in tests if test.diagnosis),
        digest=fingerprint.digest(),
        seconds=round(sum(test.seconds for test in tests), 3),
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
