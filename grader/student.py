"""What the tests talk to: the fixture `student`, a proxy for code that runs somewhere else.

    y = student.layernorm(x, gain, bias)     calls the student's function; y is a Handle
    student.array(y)                         its numbers, an array of ours

Arguments and results cross as plain data; objects stay there, and a Handle stands for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from . import wire
from .language import _, later
from .process import InProcess, Worker


class StudentError(Exception):
    """The student's code raised. `frames`: (file, line, function, source), the innermost last."""

    def __init__(self, type: str, message: str, frames: list, call: str = "") -> None:
        super().__init__(
            _("{call} raised {type}: {message}").format(call=call, type=type, message=message)
            if call
            else f"{type}: {message}"
        )
        self.type, self.message, self.frames, self.call = type, message, frames, call


class Todo(StudentError):
    """The student's code is not written yet: it raised NotImplementedError."""


class Refused(Exception):
    """The student's code returned something that cannot be taken over."""


@dataclass(eq=False)
class Call:
    """One thing that was asked of the student's code: in words, the request, and what came back."""

    words: str
    name: str  # the qualified name of what was called, "" where it was not a course function
    request: dict
    answer: dict | None = None
    tensors: bool = False  # a Tensor was among the arguments
    unsaid: str = ""  # what its error should name, and does not

    @property
    def made(self) -> wire.Ref | None:
        """The object that came back, if one did."""
        value = self.answer.get("value") if self.answer else None
        return value if type(value) is wire.Ref else None


def method_of(call: Call) -> str:
    """The qualified name of the function that a call ran: of x[1], "Tensor.__getitem__".

    Its `name` is what made x instead, where that says more.
    """
    request = call.request
    if request["op"] != "operator":
        return call.name
    first, *_others = operands = request["args"]
    owner = next((value.type for value in operands if type(value) is wire.Ref), "")
    reflected = "" if type(first) is wire.Ref else "r"
    return f"{owner}.__{reflected}{request['name']}__"


@dataclass(eq=False)
class Log:
    """The calls of one test, in order."""

    calls: list[Call] = field(default_factory=list)

    @property
    def last(self) -> Call | None:
        """The last but for the end of a `with`, which no student wrote."""
        written = (call for call in reversed(self.calls) if call.request.get("name") != "exit")
        return next(written, None)

    def maker(self, ref: wire.Ref) -> Call | None:
        """The call that made an object."""
        return next((call for call in reversed(self.calls) if call.made == ref), None)

    def key(self, ref: wire.Ref) -> str:
        """The name of an object in a dict that came back, such as "wte" in model.params."""
        values = (call.answer.get("value") for call in self.calls if call.answer)
        entries = (entry for value in values if type(value) is dict for entry in value.items())
        return next((key for key, item in entries if type(item) is wire.Ref and item == ref), "")


class Handle:
    """An object that stays with the student's code. Operators, indexing, attributes work.

    It refuses ==, truth and conversion to an array, all of which the student's code could answer as
    it likes: compare what student.array(handle) gives.
    """

    __array_ufunc__ = None
    __hash__ = object.__hash__

    def __init__(self, student: Student, ref: wire.Ref, call: Call | None) -> None:
        self.__dict__.update(_student=student, _ref=ref, _call=call)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._student._attribute(self, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._student._later(
            f"{self._ref.type}.{name} = ...", "", "assign", on=self, name=name, value=value
        )

    def __repr__(self) -> str:
        return _("<the student's {type}>").format(type=self._ref.type)

    def __eq__(self, other: object) -> bool:
        raise TypeError("a handle cannot be compared; compare student.array(handle)")

    def __bool__(self) -> bool:
        raise TypeError("a handle is neither true nor false; look at student.array(handle)")

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("a handle is no array; use student.array(handle)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return Method(self._student, self, "__call__")(*args, **kwargs)

    def __len__(self) -> int:
        length = self._student._operator("len", self)
        if type(length) is not int:
            raise Refused(f"len() of a {self._ref.type} is not an int")
        return length

    def __iter__(self) -> Iterator:
        raise TypeError("a handle is not iterated; use next(handle)")

    def __next__(self) -> Any:
        call = self._call
        words, name = (call.words, call.name) if call else (short(self), "")
        return self._student._ask(f"next({words})", name, "operator", name="next", args=[self])

    def __getitem__(self, index: Any) -> Any:
        request = {"name": "getitem", "args": [self, index]}
        call = self._call
        words, name = (call.words, call.name) if call else (short(self), "Tensor.__getitem__")
        words = f"{words}[{shown(index)}]"
        return self._student._ask(
            words, name, "operator", tensors=bool(call and call.tensors), **request
        )

    def __enter__(self) -> Any:
        return self._student._operator("enter", self)

    def __exit__(self, *exc_info: object) -> None:
        self._student._operator("exit", self)


def _forward(name: str, reflected: bool) -> Any:
    def method(self: Handle, *other: Any) -> Any:
        operands = (*other, self) if reflected else (self, *other)
        return self._student._operator(name, *operands)

    return method


SIGNS = {"add": "+", "sub": "-", "mul": "*", "truediv": "/", "pow": "**", "matmul": "@"}
for _name in SIGNS:
    setattr(Handle, f"__{_name}__", _forward(_name, reflected=False))
    setattr(Handle, f"__r{_name}__", _forward(_name, reflected=True))
Handle.__neg__ = _forward("neg", reflected=False)


# What is given, by the types of what it makes: tests make many to a call.
GIVEN = {"Tensor": "Tensor", "Value": "Value", "np.dtype": "dtype", "GPTConfig": "GPTConfig"}
GIVEN |= {f"GPTConfig.{preset}": "GPTConfig" for preset in ("microgpt", "gpt2")}
GENERATORS = {"numpy": "Generator", "python": "Random"}
PENDING = 50  # requests that wait for the next
PENDING_BYTES = 2**13  # of an array in one
OBJECTS = 5000  # that come back in one test; honest ones take 250
NUMBERS = 2**22  # of one Tensor; the largest array of a test has a thousandth
OF_NUMBERS = later("a Value is made of numbers, its local derivatives too: self.data, not self")
NAMED = 10**9  # the first number of objects that are named here; the worker counts from 0


class Member:
    """Something of the student's, looked up by name when it is called: student.GPTConfig.gpt2."""

    def __init__(self, student: Student, name: str, on: Handle | None = None) -> None:
        self._student, self._name, self._on = student, name, on

    def __getattr__(self, name: str) -> Member:
        if name.startswith("_"):
            raise AttributeError(name)
        return Member(self._student, f"{self._name}.{name}", self._on)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        words = f"{self._name}({self._student._describe(self._name, args, kwargs)})"
        tensors = any(isinstance(arg, Handle) and arg._ref.type == "Tensor" for arg in args)
        fields = {"name": self._name, "args": list(args)} | ({"kwargs": kwargs} if kwargs else {})
        if self._name in GIVEN:
            made = GIVEN[self._name]
            return self._student._later(words, self._name, "call", makes=made, **fields)
        return self._student._ask(words, self._name, "call", tensors=tensors, **fields)


class Student:
    """The proxy. Attributes are the names of the course: student.softmax, student.Tensor, ..."""

    def __init__(self, worker: Worker | InProcess, places: dict, limits: Any) -> None:
        self._worker, self._places, self._limits = worker, places, limits
        self._log = Log()
        self._seconds_left = limits.call
        # what Tensors hold, as .data and as .grad, by handle: until the next request
        self._at_hand: dict[str, dict[str, np.ndarray | float]] = {}
        self._pending: list[tuple[Call, Handle | None]] = []  # what the next request brings along
        self._named = NAMED
        self._at_once = False
        self._held = 0

    def __getattr__(self, name: str) -> Member:
        if name.startswith("_"):
            raise AttributeError(name)
        return Member(self, name)

    # what tests use beside the course's names

    def array(self, handle: Any) -> np.ndarray:
        """The numbers of a Tensor, as an array of ours. Anything else is refused in words."""
        if handle is None:
            raise AssertionError(nothing(self._words()))
        if not isinstance(handle, Handle):
            raise AssertionError(
                _("{words} returned {kind}; a Tensor is expected").format(
                    words=self._words() + self._key(handle), kind=kind(handle)
                )
            )
        if handle._ref.type == "ndarray":  # one of numbers would have come itself
            words = _(
                "{words} is an array of something else than numbers: a Tensor? A vjp returns arrays"
            )
            raise AssertionError(words.format(words=self._words()))
        data = self._attribute(handle, "data", call=handle._call)
        if type(data) is not np.ndarray:
            raise AssertionError(
                _("{words} has a .data that is {kind}, not an array").format(
                    words=self._words(), kind=kind(data)
                )
            )
        if data.size > NUMBERS:
            words = _("{words} holds more than {n} numbers")
            raise Refused(words.format(words=self._words(), n=NUMBERS))
        return data

    def assign(self, handle: Handle, value: Any) -> None:
        """Write numbers into a Tensor, in place: handle.data[...] = value."""
        handle.data = np.asarray(value)

    def rng(self, seed: int, kind: str = "numpy") -> Handle:
        """A generator beside the student's code: numpy's default_rng, or Python's Random."""
        made = GENERATORS[kind]
        return self._later(f"rng({seed})", "", "rng", makes=made, seed=seed, kind=kind)

    def scenario(self, name: str, /, **inputs: Any) -> Any:
        """Run a loop of the student's own: one of grader/scenarios.py.

        A scenario that calls whatever function it is told is told by the input `name`.
        """
        function = inputs.get("name", name.partition("_")[0])
        return self._ask(f"{function}(...)", function, "scenario", name=name, kwargs=inputs)

    @contextmanager
    def raises(self, type: str | type[Exception], mentions: str = "") -> Iterator[None]:
        """The calls inside must raise `type`, and the message must hold `mentions`."""
        wanted = type if isinstance(type, str) else type.__name__
        self._settle()  # what was asked before must not raise in here
        self._at_once = True
        try:
            yield
        except Todo:
            raise
        except StudentError as error:
            if error.type != wanted:
                raise AssertionError(
                    _("{call} must raise {wanted}, but raised {type}").format(
                        call=error.call, wanted=wanted, type=error.type
                    )
                ) from error
            if mentions not in error.message:
                self._log.last.unsaid = mentions
                text = _("{call} raised {wanted}, but its message should name {mentions!r}").format(
                    call=error.call, wanted=wanted, mentions=mentions
                )
                raise AssertionError(
                    text + "\n" + _("it says: {message}").format(message=error.message)
                ) from None
        else:
            made = self._log.last.made if self._log.last else None
            text = (
                _("{words} must raise {wanted}, but returned it: write raise, not return")
                if made and made.type == wanted
                else _("{words} must raise {wanted}, but returned")
            )
            raise AssertionError(text.format(words=self._words(), wanted=wanted))
        finally:
            self._at_once = False

    # how it asks

    def _words(self) -> str:
        return self._log.last.words if self._log.last else _("the call")

    def _key(self, item: Any) -> str:
        """Where in a dict that came back last something stands, as it is written: "['wte']"."""
        value = self._log.last.answer.get("value") if self._log.last else None
        entries = value.items() if type(value) is dict else ()
        return next((f"[{key!r:.40}]" for key, held in entries if held is item), "")

    def _attribute(self, handle: Handle, name: str, call: Call | None = None) -> Any:
        """The attribute's value, or a method to be called."""
        if f"{handle._ref.type}.{name}" in self._places:  # where a method stands needs no asking
            return Method(self, handle, name)
        if call:
            words, qualified, tensors = call.words, call.name, call.tensors
        else:
            known = known_as(handle._call)
            of = _(".{name} of {article}").format(name=name, article=article(handle._ref.type))
            words, qualified, tensors = f"{known}.{name}" if known else of, "", False
        value = self._ask(words, qualified, "attribute", tensors=tensors, on=handle, name=name)
        is_method = isinstance(value, Handle) and value._ref.type in ("method", "function")
        return Method(self, handle, name) if is_method else value

    def _operator(self, name: str, *args: Any) -> Any:
        shown = [short(arg) for arg in args]
        words = f"-{shown[0]}" if name == "neg" else f"{name}({', '.join(shown)})"
        words = f"{shown[0]} {SIGNS[name]} {shown[1]}" if name in SIGNS else words
        owner = next((arg._ref.type for arg in args if isinstance(arg, Handle)), "")
        method = f"{owner}.__{name}__"
        return self._ask(
            words, method, "operator", tensors=owner == "Tensor", name=name, args=list(args)
        )

    def _ask(self, words: str, name: str, op: str, /, tensors: bool = False, **fields: Any) -> Any:
        """One request. Raises what came of it: StudentError, Todo, Refused, TimedOut or Crashed."""
        call = self._noted(words, name, op, tensors, fields)
        call.answer = answer = self._came_along(call.request) or self._answered(call.request)
        if "refused" in answer:
            raise Refused(
                _("{words} returned what cannot be taken over: {message}").format(
                    words=words, message=answer["refused"]["message"]
                )
            )
        if "error" in answer:
            raise error_of(answer["error"], words)
        return self._raise_up(answer["value"], call)

    def _later(self, words: str, name: str, op: str, /, makes: str = "", **fields: Any) -> Any:
        """A request that goes along with the next: to make what is given, or to write into a leaf.

        What comes of it is known by then, or raised: a StudentError. Its handle is there at once.
        """
        light = all(map(is_light, fields.values()))
        if self._at_once or len(self._pending) >= PENDING or not light:
            return self._ask(words, name, op, **fields)
        call, handle = self._noted(words, name, op, False, fields), None
        call.answer = {"value": None}
        if makes:
            self._named += 1
            call.request["known_as"] = self._named
            call.answer = {"value": wire.Ref(self._named, makes)}
            handle = Handle(self, call.made, call)
        self._at_hand = {}
        self._pending.append((call, handle))
        return handle

    def _settle(self) -> None:
        """Have done what waits for the next request."""
        if self._pending:
            self._answered({"op": "settle"})

    def _noted(self, words: str, name: str, op: str, tensors: bool, fields: dict) -> Call:
        request = {"op": op} | {key: lower(value) for key, value in fields.items()}
        call = Call(words, name, request, tensors=tensors)
        self._log.calls.append(call)
        return call

    def _came_along(self, request: dict) -> dict | None:
        """The answer, where the last one brought it along: it is not asked for again."""
        if request["op"] != "attribute" or request["name"] not in self._at_hand:
            return None
        value = self._at_hand[request["name"]].pop(str(request["on"].id), None)
        return None if value is None else {"value": value}

    def _answered(self, request: dict) -> dict:
        pending, self._pending, self._at_hand = self._pending, [], {}
        first = {"first": [call.request for call, _handle in pending]} if pending else {}
        answer = self._worker.ask(first | request, self._seconds_left)
        if "value" in answer:
            self._take(pending, answer.pop("first", []))
        self._at_hand = {name: answer.pop(name, {}) for name in ("data", "grad")}
        return answer

    def _take(self, pending: list[tuple[Call, Handle | None]], answers: list) -> None:
        """What came of requests that went along with another. Raises the first error."""
        for (call, handle), came in zip(pending, answers):
            if type(came) is dict:
                call.answer = came
                del self._log.calls[self._log.calls.index(call) + 1 :]  # nothing more was done
                raise error_of(came["error"], call.words)
            if handle is not None and type(came) is str and came != handle._ref.type:
                handle.__dict__["_ref"] = made = wire.Ref(handle._ref.id, came)
                call.answer = {"value": made}
        if len(answers) != len(pending):
            raise wire.WireError("the worker does not say what came of every request")

    def _raise_up(self, value: Any, call: Call) -> Any:
        if type(value) is wire.Ref:
            self._held += 1
            if self._held > OBJECTS:
                words = _("{words} returned more than {n} objects")
                raise Refused(words.format(words=call.words, n=OBJECTS))
            return Handle(self, value, call)
        if type(value) in (list, tuple):
            return type(value)(self._raise_up(item, call) for item in value)
        if type(value) is dict:
            return {
                key: self._raise_up(item, replace(call, words=f"{call.words}[{key!r:.40}]"))
                for key, item in value.items()
            }
        return value

    def _describe(self, name: str, args: tuple, kwargs: dict) -> str:
        """The arguments in words: the first, arrays of two axes or more, and plain numbers."""
        places = self._places.get(name) or self._places.get(f"{name}.__init__")
        names = places[2] if places else []
        names = names[1:] if names[:1] == ["self"] else names
        parts = []
        for index, arg in enumerate(args):
            label = names[index] if index < len(names) else None
            shape = shape_of(arg)
            if shape is not None and (index == 0 or len(shape) > 1):
                parts.append(
                    _("{label} of shape {shape}").format(label=label, shape=shape)
                    if label
                    else _("shape {shape}").format(shape=shape)
                )
            elif shape is None and is_small(arg):
                parts.append(repr(arg) if index == 0 or not label else f"{label}={arg!r}")
        parts += [f"{key}={value!r}" for key, value in kwargs.items() if is_small(value)]
        return ", ".join(parts)


class Method:
    """A method of a handle, ready to be called."""

    def __init__(self, student: Student, on: Handle, name: str) -> None:
        self._student, self._on, self._name = student, on, name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        kind = self._on._ref.type
        described = self._student._describe(f"{kind}.{self._name}", args, kwargs)
        callee = "model" if self._name == "__call__" else f"{short(self._on)}.{self._name}"
        words = f"{callee}({described})"
        fields = {"on": self._on, "name": self._name, "args": list(args)}
        fields |= {"kwargs": kwargs} if kwargs else {}
        tensors = kind == "Tensor" and self._name != "backward"
        return self._student._ask(
            words, f"{kind}.{self._name}", "method", tensors=tensors, **fields
        )


def error_of(error: dict, words: str = "") -> StudentError:
    """The exception that stands for an error of the student's code."""
    kind = Todo if error["type"] == "NotImplementedError" else StudentError
    return kind(error["type"], error["message"], error["frames"], words)


def lower(value: Any) -> Any:
    """A value as it crosses: handles as references, arrays as they are at this moment."""
    kind = type(value)
    if kind is str or value is None:
        return value
    if kind is Handle:
        return value._ref
    if kind is np.ndarray:
        return value.copy()
    if kind in (list, tuple):
        return kind(map(lower, value))
    if kind is dict:
        return {key: lower(item) for key, item in value.items()}
    return value


def is_light(value: Any) -> bool:
    """Whether it may wait: no large array is in it."""
    if type(value) in (list, tuple):
        return len(value) <= PENDING and all(map(is_light, value))
    return not isinstance(value, np.ndarray) or value.nbytes <= PENDING_BYTES


def shape_of(value: Any) -> tuple | None:
    """The shape of a Tensor or array among the arguments; a list of numbers counts as an array."""
    if isinstance(value, Handle):
        data = value._call and value._call.request
        return _shape_in(data) if value._ref.type == "Tensor" and data else None
    return value.shape if isinstance(value, np.ndarray) else None


def _shape_in(request: dict) -> tuple | None:
    """The shape of a Tensor that the test made itself, from the array that it was made of."""
    if request["op"] == "call" and request["name"] == "Tensor" and request["args"]:
        return np.shape(request["args"][0])
    return None


def is_small(value: Any) -> bool:
    """Worth a place in a sentence: a number, a short text, a short list."""
    return (
        value is None
        or type(value) in (bool, int, float)
        or (type(value) is str and len(repr(value)) <= 30)
        or (type(value) in (list, tuple) and len(repr(value)) <= 30 and all(map(is_small, value)))
    )


def shown(index: Any) -> str:
    """An index as it is written: "0, 1:, ..."."""
    if isinstance(index, tuple):
        return ", ".join(map(shown, index))
    if isinstance(index, slice):
        ends = ["" if end is None else str(end) for end in (index.start, index.stop, index.step)]
        return ":".join(ends[:2] if index.step is None else ends)
    return "..." if index is Ellipsis else str(index)


def short(value: Any) -> str:
    """An operand in words: "Tensor (2, 3)", "Value(2.0)", "2"."""
    if isinstance(value, Handle):
        shape = shape_of(value)
        known = known_as(value._call) or value._ref.type
        return f"{value._ref.type} {shape}" if shape is not None else known
    return f"array {value.shape}" if isinstance(value, np.ndarray) else repr(value)[:40]


def known_as(call: Call | None) -> str:
    """An object by the call that made it, where that is short: "Value(2.0)", "(Value(2.0) * 3)".

    A Tensor goes by its shape instead; and what was made of other objects alone, such as an
    optimiser, by its type: "" for these.
    """
    if call is None or call.made is None or call.made.type == "Tensor" or len(call.words) > 40:
        return ""
    if call.request["op"] == "operator":
        return f"({call.words})"
    numbers = [arg for arg in call.request.get("args", ())[:1] if is_small(arg)]
    return call.words if numbers or call.request["op"] == "method" else ""


def kind(value: Any) -> str:
    """What a value is, in words for a sentence: "None", "an array of shape (2, 3)"."""
    if value is None:
        return "None"
    if isinstance(value, Handle):
        return article(value._ref.type)
    if isinstance(value, np.ndarray):
        return _("an array of shape {shape}").format(shape=value.shape)
    return article(type(value).__name__)


def nothing(words: str) -> str:
    """What is said of a call that returned None where something else is expected."""
    return _("{words} returned None: is a return missing?").format(words=words)


def article(name: str) -> str:
    return (_("an {name}") if name[:1].lower() in "aeiou" else _("a {name}")).format(name=name)
