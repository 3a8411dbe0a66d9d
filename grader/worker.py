"""The only process that ever imports a student's code.

It reads requests from the checker, runs them on the assembled package, and answers with plain data
and handles. It holds no tests, no expected values, and no reference of the piece under test.
`Dispatcher` is the whole of it; `serve` puts it behind two pipes, in a child of nursery.py.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import inspect
import io
import linecache
import operator
import os
import random
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from . import sandbox, scenarios, wire

# Started without site-packages: numpy is found beside the standard library, and nothing else.
BOOT = """
import sys
sys.argv, course, site = [""], *sys.argv[1:]
sys.path = [course, *sys.path, site]
import grader.nursery
sys.path.remove(course)
sys.path.remove(site)
sys.path_importer_cache.clear()
grader.nursery.main()
"""

FORKS = hasattr(os, "fork")

OPERATORS: dict[str, Callable] = {
    name: getattr(operator, name)
    for name in ("add", "sub", "mul", "truediv", "pow", "matmul", "neg", "getitem")
} | {
    "len": len,
    "next": next,
    "enter": lambda context: context.__enter__(),
    "exit": lambda context: context.__exit__(None, None, None),
}

HOLDERS = ("Tensor", "Value")  # classes whose objects bring their numbers along
HELD, HELD_BYTES = 100, 2**13  # of them at once, and bytes of each

NONE: Mapping = types.MappingProxyType({})
PLAIN = (type(None), bool, int, float, str, slice, type(Ellipsis))


class Package:
    """The assembled course as a package: the student's modules, with borrowed names put in.

    `modules` comes from assembly.Plan: for each module its file name, the student's source (or
    None), and what is borrowed: reference source, the names to take from it, and the names that it
    in turn takes from the student's module.

    It finds and loads, as importlib.abc has it, whose import alone takes 13 ms.
    """

    def __init__(self, name: str, modules: dict[str, dict]) -> None:
        self.name, self.modules = name, modules
        package = types.ModuleType(name, "The assembled course.")
        package.__path__ = []
        sys.modules[name] = package
        sys.meta_path.insert(0, self)

    def close(self) -> None:
        """Forget the package, so that another one may be built in this process."""
        sys.meta_path.remove(self)
        for module in [self.name, *(f"{self.name}.{name}" for name in self.modules)]:
            sys.modules.pop(module, None)

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> Any:
        package, _, name = fullname.rpartition(".")
        if package != self.name:
            return None
        if name not in self.modules:
            raise ModuleNotFoundError(f"{name}.py is no file of this course", name=fullname)
        return importlib.util.spec_from_loader(fullname, self)

    def create_module(self, spec: Any) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        plan = self.modules[module.__name__.rpartition(".")[2]]
        module.__file__ = plan["file"]
        if plan["source"] is not None:
            execute(plan["source"], plan["file"], module)
        if plan["borrowed"]:
            self.borrow(module, plan["borrowed"])

    def borrow(self, module: types.ModuleType, borrowed: dict) -> None:
        """Run the reference's definitions in a namespace of their own; bind the borrowed names."""
        reference = types.ModuleType(module.__name__)
        reference.__package__ = self.name
        reference.__file__ = borrowed["file"]
        for name in borrowed["from_student"]:
            reference.__dict__[name] = late(module, name)
        with registered(module.__name__, reference):  # dataclasses look their module up
            execute(borrowed["source"], borrowed["file"], reference)
        names = borrowed["names"] or [n for n in vars(reference) if not n.startswith("__")]
        for name in names:
            module.__dict__[name] = reference.__dict__[name]

    def module(self, name: str) -> types.ModuleType:
        return importlib.import_module(f"{self.name}.{name}")

    def loaded(self) -> Iterator[types.ModuleType]:
        """The modules imported so far, in the course's order."""
        for name in self.modules:
            if module := sys.modules.get(f"{self.name}.{name}"):
                yield module


def execute(source: str, file: str, module: types.ModuleType) -> None:
    """Run `source` as `module`; tracebacks show its lines even where the file cannot be read."""
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compiled(source, file), module.__dict__)


@functools.lru_cache(maxsize=64)
def compiled(source: str, file: str) -> types.CodeType:
    """The code of `source`; a diagnosis loads the same files again and again."""
    return compile(source, file, "exec", dont_inherit=True)


def late(module: types.ModuleType, name: str) -> Callable:
    """The student's function `name`, looked up when it is called: it may not be there yet."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return getattr(module, name)(*args, **kwargs)

    return call


@contextlib.contextmanager
def registered(name: str, module: types.ModuleType) -> Iterator[None]:
    before = sys.modules.get(name)
    sys.modules[name] = module
    try:
        yield
    finally:
        if before is not None:
            sys.modules[name] = before


class Dispatcher:
    """Answers requests: {"op": name, ...} -> {"value": ...} or {"error": {...}}.

    Objects that cannot cross the wire are kept here and numbered; `clear` drops them all and starts
    counting again, so that the same requests give the same numbers. A request may bring others that
    are done "first", and are answered beside it; after one that fails no other is done.
    """

    def __init__(self, package: str = "exercises") -> None:
        self.package_name = package
        self.package: Package | None = None
        self.exercise = ""
        self.names: dict[str, str] = {}
        self.handles: dict[int, Any] = {}
        self.count = 0  # of those that were numbered here
        self.named: set[int] = set()  # those that were named since the last walk back
        self.emit: Callable[[dict], bool] = lambda event: True

    def handle(self, request: dict) -> dict:
        """Run one request. Whatever the student's code raises becomes an answer.

        Tensors that are answered bring their numbers along, which are asked for next as a rule, and
        so do the gradients of those that led to a `backward`.
        """
        try:
            if request.pop("clear", False):
                self.op_clear()
            earlier = []
            for one in request.pop("first", ()):
                answer = self.handle(one)
                earlier.append(brief(answer))
                if "error" in answer:
                    return {"value": None, "first": earlier}
            return self.answer(**request) | ({"first": earlier} if earlier else {})
        except (
            BaseException
        ) as error:  # sys.exit and KeyboardInterrupt too: nothing stops the worker
            return {"error": self.describe(error)}

    def answer(self, op: str, known_as: int | None = None, **fields: Any) -> dict:
        """What came of one operation; where the checker has named its result, a handle of it."""
        value = getattr(self, "op_" + op)(**{key: self.from_wire(v) for key, v in fields.items()})
        if known_as is not None:
            return {"value": self.keep(value, known_as)}
        first = self.count
        answer = {"value": self.to_wire(value)}
        new: Iterable[int] = range(first, self.count)
        if new:
            answer["data"] = self.numbers("data", new)
        if op == "method" and fields["name"] == "backward":
            new, self.named = self.named, set()
        return answer | {"grad": self.numbers("grad", new)} if new else answer

    # the requests

    def op_limit(self, limits: dict) -> None:
        sandbox.limit(**limits)

    def op_load(self, exercise: str, modules: dict, names: dict) -> dict:
        """Import the exercise's module; say where definitions stand, and their arguments' names."""
        self.exercise, self.names = exercise, names
        self.package = Package(self.package_name, modules)
        self.package.module(exercise)
        return {
            name: [
                code.co_filename,
                code.co_firstlineno,
                list(code.co_varnames[: code.co_argcount]),
            ]
            for module in self.package.loaded()
            for name, code in definitions(module)
        }

    def op_clear(self) -> None:
        self.handles.clear()
        self.named.clear()
        self.count = 0

    def op_settle(self) -> None:
        """Nothing but what comes first."""

    def op_call(self, name: str, args: list, kwargs: Mapping = NONE) -> Any:
        return self.find(name)(*args, **kwargs)

    def op_method(self, on: Any, name: str, args: list, kwargs: Mapping = NONE) -> Any:
        return getattr(on, name)(*args, **kwargs)

    def op_operator(self, name: str, args: list) -> Any:
        return OPERATORS[name](*args)

    def op_attribute(self, on: Any, name: str) -> Any:
        return getattr(on, name)

    def op_assign(self, on: Any, name: str, value: Any) -> None:
        """Set an attribute; data is written into the array that is there: p.data[...] = value."""
        if name == "data":
            on.data[...] = value
        else:
            setattr(on, name, value)

    def op_rng(self, seed: int, kind: str) -> Any:
        return random.Random(seed) if kind == "python" else np.random.default_rng(seed)

    def op_scenario(self, name: str, kwargs: dict) -> Any:
        return scenarios.SCENARIOS[name](self.find, **kwargs)

    def op_record(self, plan: dict) -> dict:
        from . import recording

        return recording.record(Namespace(self), plan)

    def op_train(self, plan: dict) -> None:
        from . import corpus, training

        training.train(Namespace(self), plan, corpus.read(Path(plan["data"])), self.emit)

    def op_xray(self, plan: dict) -> None:
        from . import corpus
        from .xray import gather

        gather.gather(Namespace(self), plan, corpus.read(Path(plan["data"])), self.emit)

    def op_sample(self, plan: dict) -> None:
        from . import training

        training.sample(Namespace(self), plan, self.emit)

    # names, values, errors

    def find(self, name: str) -> Any:
        """A definition, "layernorm" or "GPTConfig.gpt2": the exercise's own, else the course's."""
        first, *rest = name.split(".")
        own = self.package.module(self.exercise)
        home = next((module for module in self.homes(first) if hasattr(module, first)), own)
        return operator.attrgetter(".".join([first, *rest]))(home)

    def homes(self, name: str) -> Iterator[types.ModuleType]:
        """Where a name may stand: the exercise's file, the file that defines it, any that loads."""
        yield self.package.module(self.exercise)
        if name in self.names:
            yield self.package.module(self.names[name])
        for module in self.package.modules:
            with contextlib.suppress(Exception):
                yield self.package.module(module)

    def to_wire(self, value: Any) -> Any:
        """`value` with a handle in place of everything that cannot cross."""
        kind = type(value)
        if kind in PLAIN or is_plain_array(value):
            return value
        if kind in (list, tuple):
            return kind(self.to_wire(item) for item in value)
        if kind is dict and all(type(key) is str for key in value):
            return {key: self.to_wire(item) for key, item in value.items()}
        self.count += 1
        return self.keep(value, self.count - 1)

    def keep(self, value: Any, number: int) -> wire.Ref:
        """The handle of an object that stays here."""
        self.handles[number] = value
        self.named.add(number)
        return wire.Ref(number, type(value).__name__[: wire.NAME_LIMIT])

    def numbers(self, name: str, handles: Iterable[int]) -> dict[str, np.ndarray | float]:
        """What the Tensors and Values among the handles hold as .data, or .grad, by handle."""
        found = {str(id): held(self.handles[id], name) for id in islice(handles, HELD)}
        return {id: numbers for id, numbers in found.items() if numbers is not None}

    def from_wire(self, value: Any) -> Any:
        if type(value) is wire.Ref:
            found = self.handles[value.id]
            self.named.add(value.id)
            return found
        if type(value) in (list, tuple):
            return type(value)(self.from_wire(item) for item in value)
        if type(value) is dict:
            return {key: self.from_wire(item) for key, item in value.items()}
        return value

    def describe(self, error: BaseException) -> dict:
        """The error in plain data: type, message, and the student's frames, the innermost last."""
        files = {plan["file"] for plan in self.package.modules.values()} if self.package else set()
        frames = []
        trace = error.__traceback__
        while trace:
            code = trace.tb_frame.f_code
            if code.co_filename in files:
                frames.append([code.co_filename, trace.tb_lineno, code.co_name])
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and error.filename in files:
            frames.append([error.filename, error.lineno or 1, "<module>"])
        frames = frames[:20] + frames[-20:] if len(frames) > 40 else frames
        lines = [(linecache.getline(file, line).strip()) for file, line, _ in frames]
        builtin = next(c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins")
        return {
            "type": builtin,
            "shown_type": type(error).__name__[:100],
            "message": safe_text(error)[:10_000],
            "frames": [[*frame, line[:200]] for frame, line in zip(frames, lines)],
        }


class Namespace:
    """The course's definitions as attributes: course.GPT, and the module course.microgpt."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self.dispatcher = dispatcher

    def loaded(self) -> Iterator[types.ModuleType]:
        """The modules in which they stand."""
        return self.dispatcher.package.loaded()

    def __getattr__(self, name: str) -> Any:
        if name == "microgpt":
            return self.dispatcher.package.module(name)
        return self.dispatcher.find(name)


def is_plain_array(value: Any) -> bool:
    """An array or numpy scalar of bools, ints or floats; no subclass of array, which could lie."""
    return (
        type(value) is np.ndarray or isinstance(value, np.generic)
    ) and value.dtype.kind in "biuf"


def brief(answer: dict) -> dict | str | None:
    """The answer to what came first: of an object that the checker has named, the type alone."""
    value = answer.get("value", answer)
    return value.type if type(value) is wire.Ref else answer if value is not None else None


def held(thing: Any, name: str) -> np.ndarray | float | None:
    """The numbers that reading `thing.data`, or .grad, would give: if that runs no code, and only
    a number or a small array.
    """
    kind = type(thing)
    if type(kind) is not type or kind.__name__ not in HOLDERS:  # a metaclass could run code
        return None
    classes = [vars(base) for base in kind.__mro__[:-1]]
    if any("__getattribute__" in names for names in classes):
        return None
    slot = next((names[name] for names in classes if name in names), None)
    try:
        if slot is None:
            numbers = dict.get(object.__getattribute__(thing, "__dict__"), name)
        else:
            numbers = slot.__get__(thing) if type(slot) is types.MemberDescriptorType else None
    except (AttributeError, TypeError):  # it keeps its attributes elsewhere, or has none yet
        return None
    if type(numbers) is float:
        return numbers
    small = type(numbers) is np.ndarray and numbers.nbytes <= HELD_BYTES
    return numbers if small and is_plain_array(numbers) and numbers.itemsize <= 8 else None


def definitions(module: types.ModuleType) -> Iterator[tuple[str, types.CodeType]]:
    """Qualified name and code of every function and method that the module holds."""
    for name, value in list(vars(module).items()):
        if isinstance(value, types.FunctionType) and value.__module__ == module.__name__:
            yield name, getattr(inspect.unwrap(value), "__code__", value.__code__)  # if decorated
        elif isinstance(value, type) and value.__module__ == module.__name__:
            for inner, method in list(vars(value).items()):
                method = getattr(method, "__func__", method)
                if isinstance(method, types.FunctionType):
                    yield f"{name}.{inner}", method.__code__


def safe_text(error: BaseException) -> str:
    """str(error), even if the error's own __str__ fails."""
    if isinstance(error, SyntaxError):
        return str(error.msg)
    try:
        return str(error)
    except BaseException as second:
        return f"(its message could not be read: {type(second).__name__})"


class Printed(io.TextIOBase):
    """The student's stdout and stderr: written to the pipe at once, and counted.

    The count goes back with each answer: so the checker knows which prints belong to which test.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.count = 0

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor

    def write(self, text: str) -> int:
        data = text.encode("utf-8", "backslashreplace")
        self.count += len(data)
        while data:
            data = data[os.write(self.descriptor, data) :]
        return len(text)


def serve(requests_from: int, answers_to: int) -> None:
    """Answer requests until they end. This is where student's code runs."""
    requests, answers = os.fdopen(requests_from, "rb"), os.fdopen(answers_to, "wb")
    printed = Printed(2)
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = printed
    sandbox.watch_the_door()
    dispatcher = Dispatcher()

    def emit(event: dict) -> bool:
        wire.send(answers, {"event": event, "printed": printed.count})
        return wire.receive(requests)["go"]

    dispatcher.emit = emit
    wire.send(answers, {"value": "ready"})
    while True:
        try:
            request = wire.receive(requests)
        except EOFError:
            return
        answer = dispatcher.handle(request)
        answer["printed"] = printed.count
        try:
            wire.send(answers, answer)
        except wire.WireError as error:
            refusal = {"type": "WireError", "message": str(error)}
            wire.send(answers, {"refused": refusal, "printed": printed.count})
