"""Runs the tests of the course with pytest, and collects the Result.

A test is an ordinary pytest function that takes the fixture `student` and names its piece:

    @pytest.mark.piece("layernorm", core=True)
    def test_normalises_each_row(student): ...

core=True        no points for the piece while this test fails
gradient=True    waits until the piece that makes gradients passes
needs=[...]      pieces that this test needs beside those of its piece
"""

from __future__ import annotations

import contextlib
import hashlib
import inspect
import os
import platform
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import FunctionType, TracebackType
from typing import Any

import numpy as np
import pytest

from . import chance, compare, debugger, diagnosis, divergence, precomputed, remedies
from .assembly import Plan, Target, read
from .course import ROOT, Course, Exercise, Piece
from .diagnosis import Mutant
from .language import _, later
from .process import TRIES, BadRequest, Crashed, NotStarted, TimedOut, Worker
from .results import (
    CRASHED,
    FAILED,
    PASSED,
    REFUSED,
    TIMEOUT,
    TODO,
    WAITING,
    ExerciseResult,
    PieceResult,
    Result,
    TestResult,
)
from .student import Call, Refused, Student, StudentError, Todo
from .wire import WireError
from .workbench import UsedUp, Waiting, Workbench, was_killed

VISIBLE = "visible"  # the suite whose values a student may see; any other hides them
VALUE, GRADIENT = "value", "gradient"
CALLS_KEPT = 2**20  # bytes of answers in a test whose calls are kept; honest ones take a tenth
CALLS_KEPT_IN_ALL = 32 * CALLS_KEPT  # of all tests of a submission together
NOT_RUN = later("it was not run")
MESSAGE_LIMIT = 10_000  # characters
# What a test may raise that works with values which are not what it expects.
OF_VALUES = (
    TypeError,
    AttributeError,
    ValueError,
    LookupError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
    StopIteration,
    BadRequest,  # too much came back to be handed on
)

# What pytest brings and a check has no use for; leaving it out saves a tenth of a second.
UNUSED = (
    "cacheprovider capture debugging doctest faulthandler junitxml legacypath logging monkeypatch "
    "nose pastebin recwarn reports setuponly setupplan stepwise terminal threadexception tmpdir "
    "unittest unraisableexception warnings"
).split()


class SuiteError(Exception):
    """The tests themselves could not be run: a broken file, an unknown piece, no tests."""


@dataclass(frozen=True)
class Options:
    """How to check: which suites, what is borrowed from, and where the code runs."""

    tests: tuple[Path, ...] = (ROOT / "tests" / "visible",)
    reference: Path | None = ROOT / "solutions"
    mutants: Path | None = ROOT / "tests" / "mutants"
    seed: int = 0  # of the random inputs of every suite but the visible one
    in_process: bool = False
    pdb: bool = False
    factor: float = 1.0  # on all time limits
    patch: Mutant | None = None  # put into the target; with in_process only
    alone: bool = False  # what the pieces need is taken to pass, and is not run
    fail_fast: bool = False
    # what the tests of needs have said, by piece: these are not run again
    known: Mapping[str, tuple[TestResult, ...]] = field(default_factory=dict)
    worker: Worker | None = None  # started already
    notify: Callable[[Exercise], None] = lambda exercise: None
    observe: Callable[[str, list[Call]], None] = lambda test, calls: None  # after each test
    # after each test, with what it said: for an instructor, no student sees this of a hidden one
    reveal: Callable[[Test, str, BaseException | None, list[Call]], None] = lambda *told: None

    @property
    def suites(self) -> tuple[str, ...]:
        return tuple(folder.name for folder in self.tests)


def usual(**settings: Any) -> Options:
    """Options that lend from the solutions, where this copy of the course has them."""
    reference = ROOT / "solutions"
    return Options(reference=reference if reference.is_dir() else None, **settings)


@dataclass(eq=False)
class Test:
    """A collected test, and in the end its result."""

    __test__ = False

    item: Any
    piece: Piece
    suite: str
    kind: str
    core: bool
    needs: tuple[str, ...]
    result: TestResult | None = None
    borrowed: frozenset[str] = frozenset()  # ids of exercises and pieces
    calls: list[Call] = field(default_factory=list)  # of a test that failed or passed
    waits_for: tuple[Piece, ...] = ()  # of its own class, which cannot be borrowed

    @property
    def name(self) -> str:
        return self.item.name

    @property
    def hidden(self) -> bool:
        return self.suite != VISIBLE

    @property
    def passed(self) -> bool:
        return self.result is not None and self.result.status == PASSED

    @property
    def untouched(self) -> bool:
        return self.result is not None and self.result.status in (TODO, WAITING)


def check(course: Course, target: Target, wanted: tuple[Piece, ...], options: Options) -> Result:
    """Run the suites on the pieces wanted. What they need is run too, but not reported.

    With fail_fast, tests after the first that does not pass are reported as not run.

    Raises SuiteError where the tests themselves are broken.
    """
    checker = Checker(course, target, wanted, options)
    arguments = [
        "--noconftest",
        "--import-mode=importlib",
        "--rootdir",
        str(ROOT),
        "-c",
        os.devnull,
        "--confcutdir",  # without it pytest looks at all that stands in the folders above
        str(options.tests[0]),
    ]
    for plugin in UNUSED:
        arguments += ["-p", f"no:{plugin}"]
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    try:
        code = pytest.main([*arguments, *map(str, checker.files())], plugins=[checker])
    finally:
        checker.close()
    if code == pytest.ExitCode.INTERRUPTED and not checker.broken:
        raise KeyboardInterrupt
    return checker.outcome()


class Checker:
    """The pytest plugin of one check: orders the tests, lends a student, notes what came of it."""

    def __init__(
        self, course: Course, target: Target, wanted: tuple[Piece, ...], options: Options
    ) -> None:
        self.course, self.target, self.wanted, self.options = course, target, wanted, options
        self.tests: dict[Any, Test] = {}
        self.by_piece: dict[str, list[Test]] = defaultdict(list)
        self.running: Test | None = None
        self.kept = 0  # bytes of answers in calls that are kept
        self.benches = Workbench(course, target, options)
        self.broken: list[str] = []
        self.compared: set[str] = set()  # pieces whose calls were compared with the reference's
        # needs whose tests say nothing new: they pass, or to lend them would change nothing
        self.granted = (self._known_to_pass() | self._as_lent()) - {*wanted}
        self.planned: tuple[Any, Any] = None, None  # for which tests, and what

    def files(self) -> list[Path]:
        """The test files of the exercises that matter: those wanted, and those that they need."""
        gradients = [self.course.exercise_of(piece).gradient for piece in self.wanted]
        needs = [need for piece in self.wanted for need in piece.needs] + [
            g for g in gradients if g
        ]
        pieces = {*self.wanted, *self.course.closure(tuple(needs))} - self.granted
        files = [
            file
            for exercise in self.course.exercises
            if pieces & set(exercise.pieces)
            for folder in self.options.tests
            for file in sorted(folder.glob(f"test_{exercise.id}*.py"))
        ]
        if not files:  # pytest would collect whatever stands in the current folder
            raise SuiteError(
                _("there are no tests of it in {all}").format(all=", ".join(self.options.suites))
            )
        return files

    # what pytest calls

    def pytest_configure(self, config: Any) -> None:
        vars(config.option).setdefault("tbstyle", "native")  # the quickest; nobody reads it
        config.addinivalue_line(
            "markers", "piece(name, core, gradient, needs): the piece it is a test of"
        )

    def pytest_pycollect_makeitem(self, collector: Any, name: str, obj: Any) -> Any:
        """A test with no mark but ours is one item; pytest would first work out how many it is."""
        marks = getattr(obj, "pytestmark", None)
        plain = isinstance(obj, FunctionType) and not inspect.isgeneratorfunction(obj)
        if plain and marks and all(mark.name == "piece" for mark in marks):
            found = collector.istestfunction(obj, name)
            return pytest.Function.from_parent(collector, name=name) if found else None
        return None

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.broken.append(str(report.longrepr))

    def pytest_internalerror(self, excinfo: Any) -> bool:
        self.broken.append(str(excinfo.value) or type(excinfo.value).__name__)
        return True

    def pytest_collection_modifyitems(self, items: list) -> None:
        for item in items:
            test = self._test(item)
            test.result = self._known(test)
            self.tests[item] = test
            self.by_piece[test.piece.id].append(test)
        relevant = self._relevant()
        order = {node: rank for rank, node in enumerate(self._order())}
        chosen = [
            item
            for item in items
            if self.tests[item].piece in relevant and self.tests[item].result is None
        ]

        def rank(item: Any) -> tuple[bool, int]:
            """The visible tests first: what is printed there must not know a hidden input."""
            test = self.tests[item]
            return test.hidden, order[test.piece.id, test.kind]

        items[:] = sorted(chosen, key=rank)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: Any, nextitem: Any) -> bool:
        """Run a test; pytest's own way makes three reports of each."""
        test = self.running = self.tests[item]
        self.options.notify(self.course.exercise_of(test.piece))
        compare.current.set(None)
        chance.current.set((self.options.seed if test.hidden else 0, test.name))
        start = time.perf_counter()
        error = self._raised(item)
        for _try in range(TRIES - 1):
            if not was_killed(error):
                break
            item.session._setupstate.teardown_exact(item.parent)
            item._initrequest()
            error = self._raised(item)
        trace = self._where(item, error) if self.options.pdb else None
        test.result = self._result(test, error, time.perf_counter() - start)
        if trace and test.piece in self.wanted and test.result.status == FAILED:
            print(f"\n{test.piece.id}  {test.name}\n{test.result.message}\n")
            debugger.stand(trace)
        item.session._setupstate.teardown_exact(nextitem)
        item._request, item.funcargs = False, None  # pytest lets them go as well
        self._let_go(test.piece)
        if self.options.fail_fast and not test.passed:
            item.session.shouldfail = "at the first that does not pass"
        return True

    @staticmethod
    def _raised(item: Any) -> BaseException | None:
        """Run a test; what it raised, if it raised anything."""
        compare.current.set(None)
        try:
            item.session._setupstate.setup(item)
            item.runtest()
        except (KeyboardInterrupt, pytest.exit.Exception):
            raise
        except BaseException as raised:  # pytest.fail and pytest.skip are no Exceptions
            return raised
        return None

    def _where(self, item: Any, error: BaseException | None) -> TracebackType | None:
        """Where a debugger should stand: in the student's code if it raised, else in the test."""
        if not isinstance(error, StudentError):
            return debugger.part(error.__traceback__, {str(item.path)}) if error else None
        raised = self.benches.worker.dispatcher.raised
        shown = {source.shown for source in self.target.files.values()}
        return debugger.part(raised.__traceback__, shown) if raised else None

    @pytest.hookimpl(wrapper=True)
    def pytest_pyfunc_call(self) -> Iterator:
        """What a test asked last is done too, or it would pass whatever comes of it."""
        called = yield
        if student := compare.current.get():
            student._settle()
        return called

    @pytest.fixture
    def student(self) -> Student:
        """The student's code, as the test that runs may see it."""
        test = self.running
        plan, borrowed = self._plan(test)
        student = self.benches.student(test.piece, plan, test.hidden)
        compare.current.set(student)
        test.borrowed = borrowed
        return student

    # how it decides

    def _test(self, item: Any) -> Test:
        """Read the mark. Raises SuiteError for a test that names no piece, or none that exists."""
        mark = item.get_closest_marker("piece")
        exercise = item.path.stem.removeprefix("test_")
        if mark is None:
            raise SuiteError(
                _("{file}: {test} has no @pytest.mark.piece(...)").format(
                    file=item.path.name, test=item.name
                )
            )
        name = mark.args[0]
        short = "_".join(exercise.split("_")[:1])
        piece = self.course.pieces.get(name if "." in name else f"{short}.{name}")
        if piece is None:
            raise SuiteError(
                _("{file}: {test} is of {piece!r}, which is no piece").format(
                    file=item.path.name, test=item.name, piece=name
                )
            )
        needs = tuple(self.course.piece(need).id for need in mark.kwargs.get("needs", ()))
        return Test(
            item=item,
            piece=piece,
            suite=item.path.parent.name,
            kind=GRADIENT if mark.kwargs.get("gradient") else VALUE,
            core=bool(mark.kwargs.get("core")),
            needs=needs,
        )

    def _known(self, test: Test) -> TestResult | None:
        """What a test of a need is known to say, so that it is not run again."""
        if test.piece in self.wanted:
            return None
        known = self.options.known.get(test.piece.id, ())
        return next((k for k in known if (k.suite, k.name) == (test.suite, test.name)), None)

    def _known_to_pass(self) -> set[Piece]:
        return {
            self.course.pieces[id]
            for id, tests in self.options.known.items()
            if all(test.status == PASSED for test in tests)
        }

    def _as_lent(self) -> set[Piece]:
        """The pieces in files that are the reference's own: to lend them would change nothing."""
        reference = None if self.options.patch else self.options.reference
        return {
            piece
            for id, source in self.target.files.items()
            if reference and source.text and source.text == read(reference / f"{id}.py", id).text
            for piece in self.course.pieces.values()
            if piece.exercise == id
        }

    def _relevant(self) -> set[Piece]:
        """The pieces wanted, and all that their tests need, and the tests of these in turn."""
        found, open_ = set(), [*self.wanted]
        while open_:
            piece = open_.pop()
            if piece not in found and not (self.options.alone and piece not in self.wanted):
                found.add(piece)
                needs = [need for test in self.by_piece[piece.id] for need in self._needs(test)]
                open_ += [self.course.pieces[need] for need in {*piece.needs, *needs}]
        return found - self.granted

    def _needs(self, test: Test) -> tuple[str, ...]:
        gradient = self.course.exercise_of(test.piece).gradient
        extra = (gradient,) if test.kind == GRADIENT and gradient else ()
        return tuple(
            need for need in (*test.piece.needs, *test.needs, *extra) if need != test.piece.id
        )

    def _order(self) -> list[tuple[str, str]]:
        """(piece, kind) in the course's order, but each after what it needs."""
        order: list[tuple[str, str]] = []

        def visit(node: tuple[str, str]) -> None:
            if node in order or node in open_:
                return
            open_.add(node)
            for test in self.by_piece[node[0]]:
                if test.kind == node[1]:
                    for need in self._needs(test):
                        visit((need, VALUE))
                        if node[1] == GRADIENT:
                            visit((need, GRADIENT))
            order.append(node)

        open_: set[tuple[str, str]] = set()
        for piece in self.course.pieces:
            visit((piece, VALUE))
            visit((piece, GRADIENT))
        return order

    def _stands(self, piece: Piece, test: Test) -> bool:
        """Whether the piece works well enough to be used by the test.

        One of the test's own class cannot be borrowed: there it is enough that its core passes, or
        one slip of `backward` would cost the points of every method. What visible tests say does
        not depend on hidden ones: it is what the student sees.
        """
        if piece in self.granted or (self.options.alone and piece not in self.wanted):
            return True
        tests = [
            t
            for t in self.by_piece[piece.id]
            if (test.kind == GRADIENT or t.kind == VALUE) and (test.hidden or not t.hidden)
        ]
        core = [t for t in tests if t.core]
        return all(t.passed for t in (core if core and piece.shares(test.piece) else tests))

    def _plan(self, test: Test) -> tuple[Plan, frozenset[str]]:
        """What to borrow for this test, by name and by id. Waiting where nothing can be lent.

        Tests in a row that need the same have the same: what they say themselves is no matter.
        """
        like = test.piece, test.kind, test.hidden, test.needs, len(self.benches.unusable)
        if like != self.planned[0]:
            self.planned = like, self._borrowed(test)
        return self.planned[1]

    def _borrowed(self, test: Test) -> tuple[Plan, frozenset[str]]:
        needed = self.course.closure(self._needs(test))
        missing = [p for p in needed if p.id != test.piece.id and not self._stands(p, test)]
        test.waits_for = tuple(piece for piece in missing if piece.shares(test.piece))
        if test.waits_for or (missing and self.options.reference is None):
            names = in_short(self.course, test.waits_for or missing)
            raise Waiting(_("waits for {all}").format(all=", ".join(names)))
        units: dict[str, frozenset[str] | None] = {}
        for piece in missing:
            units[piece.exercise] = units.get(piece.exercise, frozenset()) | piece.units
        own = self.course.exercise_of(test.piece)
        built_on = self.course.reach(own) | {p.exercise for p in needed} - {own.id}
        for exercise in self.benches.unusable:
            if exercise in built_on:
                if self.options.reference is None:
                    raise Waiting(
                        _("waits for {exercise}, which cannot be imported yet").format(
                            exercise=exercise
                        )
                    )
                units[exercise] = None
        ids = {p.id if p.exercise == test.piece.exercise else p.exercise for p in missing}
        return Plan.of(units), frozenset(ids)

    def _result(self, test: Test, error: BaseException | None, seconds: float) -> TestResult:
        """The record of a test that has run."""
        student = compare.current.get()
        if student:
            self.options.observe(test.name, student._log.calls)
        status, message, where = self._verdict(test, error, student)
        self.options.reveal(test, message, error, student._log.calls if student else [])
        if test.hidden and status not in (PASSED, TODO, WAITING):
            message = rationale(test, error, status)
        weight = student._worker.weight if student else 0
        fits = weight <= CALLS_KEPT and self.kept + weight <= CALLS_KEPT_IN_ALL
        if status in (FAILED, PASSED) and student and fits:
            self.kept += weight
            test.calls = student._log.calls
        show_output = not test.hidden and student is not None and status != WAITING
        output = student.printed() if show_output else ""
        if status == FAILED and show_output:
            message = "\n".join(filter(None, [message, self._first_difference(test, student)]))
        return TestResult(
            name=test.name,
            suite=test.suite,
            status=status,
            message=storable(message),
            seconds=round(seconds, 4),
            where=where,
            output=output,
        )

    def _let_go(self, piece: Piece) -> None:
        """Forget the calls of a piece that passes: there is nothing to explain."""
        tests = self.by_piece[piece.id]
        if all(test.passed for test in tests):
            for test in tests:
                test.calls = []

    def _first_difference(self, test: Test, student: Student) -> str:
        """Where a piece that puts others together first leaves the reference; said once for each.

        All that it needs works, its own or borrowed, or its tests would not run.
        """
        runs = test.piece.id in divergence.RUNS_OF
        if not self.options.mutants or not runs or test.piece.id in self.compared:
            return ""
        self.compared.add(test.piece.id)
        reference = self.options.reference
        with contextlib.suppress(TimedOut, Crashed, Refused, WireError):
            return divergence.sought(
                test.piece.id,
                lambda request: student._worker.ask(request, student._seconds_left),
                divergence.recorded(self.course, reference)
                if reference
                else divergence.read(test.item.path.with_name(divergence.FILE)),
            )
        return ""

    def _verdict(
        self, test: Test, error: BaseException | None, student: Student | None
    ) -> tuple[str, str, str | None]:
        """(status, message, place) of what the test raised."""
        if error is None:
            return PASSED, "", None
        place = self.benches.place(test.piece, error, student._log.calls if student else ())
        if isinstance(error, Waiting):
            return WAITING, str(error), place
        if isinstance(error, Todo):
            own_words = "" if test.hidden else error.message
            return TODO, own_words or _("to be written"), place
        if isinstance(error, StudentError):
            return FAILED, remedies.told(error, student), place
        if isinstance(error, UsedUp):
            return TIMEOUT, str(error), place
        if isinstance(error, TimedOut):
            words = student._words() if student else _("importing the file")
            return (
                TIMEOUT,
                _("{words}: {error}; is there a loop that does not end?").format(
                    words=words, error=error
                ),
                place,
            )
        if isinstance(error, Crashed):
            return CRASHED, _("the code {error}").format(error=error), place
        if isinstance(error, (Refused, WireError)):
            return REFUSED, str(error), place
        if isinstance(error, AssertionError):
            said = str(error).partition("\nassert ")[0].replace("\n  Use -v to get more diff", "")
            return FAILED, said or _("an assertion failed"), place
        if isinstance(error, OF_VALUES) and student:
            return FAILED, remedies.unusable(error, student), place
        if isinstance(error, NotStarted):
            raise SuiteError(str(error)) from error
        raise SuiteError(
            _("{test} itself broke: {type}: {error}").format(
                test=test.name, type=type(error).__name__, error=error
            )
        ) from error

    # the end

    def close(self) -> None:
        self.benches.close()

    def outcome(self) -> Result:
        """All results in the course's order. Raises SuiteError for broken or missing tests."""
        if self.broken:
            raise SuiteError("\n".join([_("the tests cannot be run:"), *self.broken]))
        exercises = []
        for exercise in self.course.exercises:
            pieces = [piece for piece in exercise.pieces if piece in self.wanted]
            if pieces:
                tests = [test for piece in pieces for test in self.by_piece[piece.id]]
                borrowed = frozenset().union(*(test.borrowed for test in tests))
                exercises.append(
                    ExerciseResult(
                        id=exercise.id,
                        title=exercise.title,
                        pieces=tuple(self._piece(piece) for piece in pieces),
                        borrowed=tuple(sorted(borrowed)),
                    )
                )
        return Result(
            target=self.target.name,
            suites=self.options.suites,
            exercises=tuple(exercises),
            provenance=self._provenance(),
        )

    def _provenance(self) -> dict[str, Any]:
        """What the result depends on beside the student's code."""
        digest = hashlib.sha256()
        for file in self.files():
            digest.update(file.read_bytes())
        return {
            "kit": self.course.version,
            "suite": digest.hexdigest()[:16],
            "seed": self.options.seed,
            "limits": {e.id: asdict(e.limits) for e in self.course.exercises},
            "versions": {"python": platform.python_version(), "numpy": np.__version__},
            "isolation": "none",
        }

    def _piece(self, piece: Piece) -> PieceResult:
        tests = self.by_piece[piece.id]
        if not tests:
            raise SuiteError(
                _("there is no test of {id} in {all}").format(
                    id=piece.id, all=", ".join(self.options.suites)
                )
            )
        results = [t.result or TestResult(t.name, t.suite, CRASHED, _(NOT_RUN)) for t in tests]
        if all(self._comes_later(test) for test in tests):
            results = [replace(result, status=TODO) for result in results]
        asked = to_be_explained(tests)
        named = self._diagnosis(piece, tests, asked)
        results = [replace(r, diagnosis=named) if t in asked else r for t, r in zip(tests, results)]
        core = frozenset(test.name for test in tests if test.core)
        return PieceResult.score(piece.name, piece.points, results, core, piece.all_or_nothing)

    def _comes_later(self, test: Test) -> bool:
        """Whether the test is still to do, or waits only for pieces of its class that are."""
        awaited = [t for piece in test.waits_for for t in self.by_piece[piece.id]]
        waits = bool(awaited) and all(t.untouched for t in awaited)
        return test.result is not None and (test.result.status == TODO or waits)

    def _diagnosis(self, piece: Piece, tests: list[Test], failed: list[Test]) -> str | None:
        """The misconception that explains all of `failed` among the piece's tests, if known."""
        mutants, reference = self.options.mutants, self.options.reference
        if not (failed and mutants):
            return None
        passed = [test for test in tests if test.passed and test.calls]
        if reference is None:
            known = failed[0].item.path.with_name(piece.exercise + precomputed.SUFFIX)
            logs = {test.name: test.calls for test in failed}
            return precomputed.name(logs, known, [test.name for test in passed])
        try:
            return diagnosis.name(
                [test.calls for test in failed],
                piece,
                self.course,
                reference,
                mutants,
                passed=[test.calls for test in passed],
            )
        except diagnosis.MutationError as error:
            raise SuiteError(str(error)) from None


def to_be_explained(tests: list[Test]) -> list[Test]:
    """The failed tests that a misconception is sought for, and said of.

    Where values are wrong only these: the gradients follow from how the answer is written as well,
    and may be wrong for another reason.
    """
    failed = [test for test in tests if test.calls and not test.passed]
    return [test for test in failed if test.kind == VALUE] or failed


def in_short(course: Course, pieces: Sequence[Piece]) -> list[str]:
    """The ids of the pieces; "ex03" in place of all pieces of an exercise."""
    names: dict[str, None] = {}
    for piece in pieces:
        exercise = course.exercise_of(piece)
        names[exercise.short if set(exercise.pieces) <= set(pieces) else piece.id] = None
    return list(names)


def storable(text: str) -> str:
    """The text as any file can hold it: no longer than is read, and without lone surrogates."""
    return text[:MESSAGE_LIMIT].encode("utf-8", "replace").decode()


def rationale(test: Test, error: BaseException | None, status: str) -> str:
    """What is told of a hidden test: its docstring and the type of an error, never a value."""
    why = (test.item.function.__doc__ or _("a hidden test")).strip().partition("\n\n")[0]
    if isinstance(error, StudentError):
        return f"{why}\n" + _("your code raised {type}").format(type=error.type)
    if status in (TIMEOUT, CRASHED, REFUSED):
        ended = (
            _("your code did not end in time") if status == TIMEOUT else _("your code broke off")
        )
        return f"{why}\n{ended}"
    return why
