"""Names the misconception behind a wrong answer, by computing it.

A mutant is a known mistake, written as a function that takes the place of one definition of the
reference. The calls of a failed test are replayed on it, here in the checker. If every answer is
what the student's code gave, the student made (the equal of) that mistake.
"""

from __future__ import annotations

import importlib.util
import itertools
import re
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from . import wire
from .course import Course, CourseError, Piece
from .language import _
from .process import InProcess
from .student import Call

RTOL, ATOL = 1e-6, 1e-9
FEW_DIGITS = 1e-4, 1e-5  # the same for float32, which rounds at the seventh digit
DETAIL = re.compile(r"(?<!attribute )'[\w.]+'|\b\d+\b")  # types, shapes, places: what errors name
WHOLE = 2**63  # what numpy holds as a number; a larger one is equal to itself alone
MODULE = "mutants_"  # begins the name of a module of mutants
numbers = itertools.count()


class MutationError(Exception):
    """There is nothing to measure by: the reference fails, or a file of ours is wrong."""


@dataclass(frozen=True)
class Mutant:
    """A wrong implementation of `name`, such as "Tensor.__mul__", and what is wrong with it.

    beside   names and right functions that stand with it: `-` and `/` of nodes of their own do not
             show what is wrong with a product, as the reference's do
    """

    exercise: str
    name: str
    says: str
    function: Callable
    beside: tuple[tuple[str, Callable], ...] = ()


REGISTRY: list[Mutant] = []


def mutant(
    exercise: str, name: str, says: str, beside: Mapping[str, Callable] | None = None
) -> Callable[[Callable], Callable]:
    """Register the decorated function as a known mistake in `name`; `beside` is as in Mutant.

    It is written as if it stood in the exercise's file: the names there (np, Tensor) are its own.
    """

    def register(function: Callable) -> Callable:
        REGISTRY.append(Mutant(exercise, name, says, function, tuple((beside or {}).items())))
        return function

    return register


def alternative(exercise: str, name: str, style: str) -> Callable[[Callable], Callable]:
    """Register a right implementation in another style, written like a mutant."""
    return mutant(exercise, name, says=style)


@cache
def known(folder: Path) -> tuple[Mutant, ...]:
    """All mutants, or alternatives, of a folder's files. Raises MutationError."""
    before = len(REGISTRY)
    try:
        for path in sorted(folder.glob("*.py")):
            spec = importlib.util.spec_from_file_location(MODULE + path.stem, path)
            spec.loader.exec_module(importlib.util.module_from_spec(spec))
        return tuple(REGISTRY[before:])
    except Exception as error:  # whatever a file of an instructor's raises
        words = _("{file}: it cannot be loaded: {error}")
        why = f"{type(error).__name__}: {error}"
        raise MutationError(words.format(file=shown(path), error=why)) from None
    finally:
        del REGISTRY[before:]


def shown(path: Path) -> str:
    """The file as it is named in the course: "tests/mutants/ex05_norm.py"."""
    return "/".join(path.parts[-3:])


def name(
    logs: list[list[Call]],
    piece: Piece,
    course: Course,
    reference: Path,
    folder: Path,
    passed: Sequence[list[Call]] = (),
) -> str | None:
    """The sentence of the mutant of the piece that gives the same answers in every failed test.

    `logs` holds the calls of each, `passed` those of tests that did not fail: a mutant that would
    fail one of these is another mistake. Two mutants that fit are both offered; more say too
    little, and none is. If the piece has none, those of the pieces that it needs are tried: an
    attention written in one go forgets the scaling as its parts do. But there a vague error says
    too little.
    """
    needed = [p for p in course.closure(piece.needs) if p.exercise == piece.exercise]
    vague = all(any(is_vague(call.answer) for call in log) for log in logs)
    stage = Stage(piece.exercise, course, reference)
    try:
        for pieces in [[piece]] if vague else [[piece], needed]:
            defines = {name for p in pieces for name in p.defines}
            candidates = [
                m for m in known(folder) if m.exercise == piece.exercise and m.name in defines
            ]
            found = [m.says for m in candidates if answers_alike(m, logs, passed, stage)]
            if found:
                return offered(found)
        return None
    finally:
        stage.bench.close()


def is_vague(answer: dict) -> bool:
    """Whether it is an error that any array that does not fit may raise, anywhere."""
    return "error" in answer and answer["error"]["type"] in ("TypeError", "ValueError")


def offered(says: list[str]) -> str | None:
    """One sentence, or two with an "or"; of more, which say too little, none.

    In the reader's language: the sentences stand in grader/locale/course, with the hints.
    """
    sentences = [_(sentence) for sentence in dict.fromkeys(says)]
    return _(" or: ").join(sentences) if 1 <= len(sentences) <= 2 else None


def answers_alike(
    mutant: Mutant, logs: list[list[Call]], passed: Sequence[list[Call]], stage: Stage
) -> bool:
    """Whether the reference with the mutant in it answers every call as the student's code did."""
    with (
        stage.having(mutant) as bench,
        np.errstate(all="ignore"),
        warnings.catch_warnings(action="ignore"),
    ):
        return all(answers_log_alike(bench, log, stage) for log in logs) and all(
            passes(bench, log, stage) for log in passed
        )


def passes(bench: InProcess, log: list[Call], stage: Stage) -> bool:
    """Whether it would pass a test that the student's code has passed, by all that is known.

    That is so if it answers as the student's code did, or as the reference does.
    """
    bench.ask({"op": "clear"})
    answers = [bench.ask(call.request) for call in log]

    def same(others: list[dict]) -> bool:
        return all(alike(answer, other, types=False) for answer, other in zip(answers, others))

    return same([call.answer for call in log]) or same(stage.right(log))


def answers_log_alike(bench: InProcess, log: list[Call], stage: Stage) -> bool:
    """The same for the calls of one test, which began with no handles.

    The numbers count, whatever their type, unless the type is what is wrong with the mutant's.
    """
    bench.ask({"op": "clear"})
    answers = []
    for call in log:
        answers.append(bench.ask(call.request))
        if not alike(answers[-1], call.answer, types=False):
            return False
        if call.unsaid and call.unsaid in answers[-1]["error"]["message"]:
            return False  # what is wrong is the message, and the mutant's is right
    if all(alike(answer, call.answer) for answer, call in zip(answers, log)):
        return bool(log)
    pairs = list(zip(answers, stage.right(log)))
    wrong = [pair for pair in pairs if not alike(*pair)]
    return bool(wrong) and not any(alike(*pair, types=False) for pair in wrong)


class Stage:
    """The reference, loaded once, on which one mutant after the other takes its place."""

    def __init__(self, exercise: str, course: Course, reference: Path) -> None:
        self.exercise, self.course, self.reference = exercise, course, reference
        self.bench = stand_in(exercise, course, reference)
        self.answers: dict[int, list[dict]] = {}

    @contextmanager
    def having(self, mutant: Mutant) -> Iterator[InProcess]:
        """Inside, the mutant stands in the reference; afterwards all is as it was.

        Whatever the mutant has bound anew is put back too, and a file that was imported meanwhile
        is forgotten: it knows the mutant.
        """
        package = self.bench.dispatcher.package
        modules = list(package.loaded())
        homes = [*modules, *{id(c): c for m in modules for c in classes(m)}.values()]
        before = [(home, dict(vars(home))) for home in homes]
        try:
            put_in(package.module(mutant.exercise), mutant)
            yield self.bench
        finally:
            for module in set(package.loaded()) - set(modules):
                del sys.modules[module.__name__]
            for home, names in before:
                put_back(home, names)

    def right(self, log: list[Call]) -> list[dict]:
        """What the reference answers to the calls; it is asked only where that matters."""
        if id(log) not in self.answers:
            bench = stand_in(self.exercise, self.course, self.reference)
            self.answers[id(log)] = [bench.ask(call.request) for call in log]
            bench.close()
        return self.answers[id(log)]


def classes(module: types.ModuleType) -> Iterator[type]:
    """The classes that a module defines."""
    for value in vars(module).values():
        if isinstance(value, type) and value.__module__ == module.__name__:
            yield value


def put_back(home: Any, names: dict[str, Any]) -> None:
    """Bind what `names` says in a module or class, and nothing else."""
    now = dict(vars(home))
    for name in now.keys() - names.keys():
        delattr(home, name)
    for name, value in names.items():
        if now.get(name, home) is not value:
            setattr(home, name, value)


def stand_in(
    exercise: str, course: Course, reference: Path, mutant: Mutant | None = None
) -> InProcess:
    """The reference in this process, with a mutant put in if there is one.

    Its files are loaded as a student's are, so that all of a file sees the mutant in it.
    """
    bench = InProcess(f"glassbox_replay_{next(numbers)}")
    modules = {
        e.id: {
            "file": e.file,
            "source": (reference / e.file).read_text("utf-8"),
            "borrowed": None,
        }
        for e in course.exercises
    }
    names = {unit: piece.exercise for piece in course.pieces.values() for unit in piece.units}
    answer = bench.ask({"op": "load", "exercise": exercise, "modules": modules, "names": names})
    if "error" in answer:
        why = answer["error"]["message"]
        raise CourseError(_("the reference cannot be loaded: {why}").format(why=why))
    if mutant:
        put_in(bench.dispatcher.package.module(mutant.exercise), mutant)
    return bench


def put_in(module: types.ModuleType, mutant: Mutant) -> None:
    """Bind the mutant, and what stands beside it, in place of the definition of that name.

    Its aliases and its imports in the package are bound too. The names that it uses are the
    module's, itself included.
    """
    names: dict[str, Any] = {}
    for name, function in ((mutant.name, mutant.function), *mutant.beside):
        copy = moved(function, module, names)
        *owner, last = name.split(".")
        if isinstance(copy, type):
            copy.__name__ = copy.__qualname__ = last
        homes: list[Any] = [getattr(module, owner[0])] if owner else siblings(module)
        original = vars(homes[0])[last]
        for home in homes:
            for alias, value in list(vars(home).items()):
                if value is original:
                    setattr(home, alias, copy)
    names.update(vars(module))


def siblings(module: types.ModuleType) -> list[types.ModuleType]:
    """The modules of the same package that are loaded, the module itself first."""
    package = module.__name__.rpartition(".")[0] + "."
    others = [m for name, m in sys.modules.items() if name.startswith(package) and m is not module]
    return [module, *others]


def moved(definition: Any, module: types.ModuleType, names: dict[str, Any]) -> Any:
    """A function, or a class with all its methods and its bases, as if written in `module`.

    names   the namespace of its code, which it shares with its siblings of the same class
    """
    if isinstance(definition, (staticmethod, classmethod)):
        return type(definition)(moved(definition.__func__, module, names))
    if isinstance(definition, property):
        return property(moved(definition.fget, module, names))
    if isinstance(definition, type):
        bases = tuple(
            moved(base, module, names) if base.__module__ == definition.__module__ else base
            for base in definition.__bases__
        )
        body = {
            k: moved(v, module, names)
            for k, v in vars(definition).items()
            if k not in ("__dict__", "__weakref__")
        }
        return type(definition.__name__, bases, body | {"__module__": module.__name__})
    if not isinstance(definition, types.FunctionType):
        return definition
    names.update({**definition.__globals__, **vars(module)})
    copy = types.FunctionType(
        definition.__code__,
        names,
        definition.__name__,
        definition.__defaults__,
        definition.__closure__,
    )
    copy.__kwdefaults__ = definition.__kwdefaults__
    copy.__module__ = module.__name__
    return copy


def alike(answer: dict, other: dict, types: bool = True) -> bool:
    """The same answer: the same error, or the same data to within rounding.

    types   numbers must be of the same type, too: 2 is not 2.0
    """
    if "error" in answer and "error" in other:
        return same_error(answer["error"], other["error"])
    if "value" in answer and "value" in other:
        return same_data(answer["value"], other["value"], types)
    return False


def same_error(a: dict, b: dict) -> bool:
    """The same type, and about the same things, or one names more of them than the other.

    The things are shapes, places and types: those in numpy's words tell a product that does not fit
    from others. The rest of the words is the author's own, or Python's of that year.
    """
    one, other = (set(DETAIL.findall(error["message"])) for error in (a, b))
    return a["type"] == b["type"] and (one <= other or other <= one)


def same_data(a: Any, b: Any, types: bool = True) -> bool:
    if isinstance(a, wire.Ref) and isinstance(b, wire.Ref):
        return a == b
    if is_number(a, types) and is_number(b, types):
        if isinstance(a, np.ndarray) != isinstance(b, np.ndarray):
            return False
        a, b = np.asarray(a), np.asarray(b)
        same_kind = a.shape == b.shape and (not types or a.dtype == b.dtype)
        rtol, atol = FEW_DIGITS if np.float32 in (a.dtype, b.dtype) else (RTOL, ATOL)
        return same_kind and np.allclose(a, b, rtol=rtol, atol=atol, equal_nan=True)
    if type(a) is not type(b):
        return False
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same_data(x, y, types) for x, y in zip(a, b))
    if isinstance(a, dict):
        pairs = zip(a.values(), b.values())
        return list(a) == list(b) and all(same_data(x, y, types) for x, y in pairs)
    return np.array_equal(a, b)  # one of them may hold True and False


def is_number(value: Any, types: bool) -> bool:
    """Whether it is compared to within rounding; whole numbers only where types do not matter."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind in "iuf" or types
    whole = not types and type(value) is int and abs(value) < WHOLE
    return isinstance(value, float) or whole
