"""Comparing what came back with what is right, and saying what differs, where, and by how much.

`close` for arrays and Tensors, `same` for everything exact, `gradcheck` for gradients, `steady` and
`narrow` for how they come about. The values are plain data or arrays of ours by now: nothing of the
student's runs in a comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

from . import chance, relations, wire
from .language import _
from .student import OF_NUMBERS, Call, Handle, Student, kind, known_as, nothing

RTOL, ATOL = 1e-6, 1e-8
STEP = 1e-5  # of the central differences
DIRECTIONS, STRAIGHT = 2, 1e-7  # along which slopes are taken first, and how far off they may be

current: ContextVar[Student | None] = ContextVar("whom the running test talks to", default=None)


class Difference(AssertionError):
    """What came back is not what is right. `call` is the call that gave it, where it is known."""

    def __init__(self, message: str, call: Call | None, expected: Any = None) -> None:
        super().__init__(message)
        self.expected = expected  # all of it, where the message shows a part
        self.call = call


def close(got: Any, expected: Any, rtol: float = RTOL, atol: float = ATOL) -> None:
    """`got`, a Tensor's handle, an array or a number, holds the numbers of `expected`.

    The shape must be the same, and |got - expected| <= atol + rtol * |expected| everywhere; nan
    equals nan, inf equals inf. If `expected` is an array of float32, so must be `got`. Raises
    Difference.
    """
    made, bare, asked = got, False, question(got)
    if isinstance(got, Handle):
        if unfit := misfit(got, asked, expected):
            raise Difference(unfit, origin(got)[0])
        got = got._student.array(got)
    elif student := current.get():
        last = student._log.last
        bare = last is not None and last.tensors and not was_read(last)  # its own result
    wanted = np.asarray(expected)
    if not bare and agree(got, wanted, rtol, atol):
        return
    call, words = origin(made)
    if got is None and asked in ("", "grad"):
        raise Difference(missing(words, wanted, asked == "grad"), call)
    if bare:
        raise Difference(
            _("{words} returned {kind}; it must return a Tensor").format(
                words=words, kind=kind(got)
            ),
            call,
        )
    if isinstance(got, bool) or not isinstance(got, (int, float, np.ndarray, np.generic)):
        raise Difference(
            _("{words} is {kind}, expected {expected}").format(
                words=words, kind=kind(got), expected=described(wanted)
            ),
            call,
        )
    array = np.array(got)
    if array.shape != wanted.shape:
        numbers = array.dtype.kind in "iuf"
        off = relations.shapes(array, wanted, gradient=asked == "grad") if numbers else ""
        said = _("{words} has shape {shape}, expected {expected}").format(
            words=words, shape=array.shape, expected=wanted.shape
        )
        raise Difference(f"{said}\n{off}".rstrip(), call)
    if (
        isinstance(expected, np.ndarray)
        and wanted.dtype == np.float32
        and array.dtype != wanted.dtype
    ):
        raise Difference(
            _("{words} is {dtype}, expected float32").format(words=words, dtype=array.dtype), call
        )
    if array.dtype.kind not in "iuf":
        raise Difference(
            _("{words} holds {dtype} values, expected numbers").format(
                words=words, dtype=array.dtype
            ),
            call,
        )
    wrong = ~np.isclose(array, wanted, rtol=rtol, atol=atol, equal_nan=True)
    if wrong.any():
        raise Difference(f"{words}: {difference(array, wanted, wrong)}", call, wanted)


def misfit(got: Handle, asked: str, expected: Any) -> str:
    """What is said of an object that can be no Tensor of numbers where it stands; "" if it can."""
    words, of_value = origin(got)[1], got._ref.type == "Value"
    if of_arrays(got):
        said = _("{words} returned {kind}; it must return an array")
        return said.format(words=words, kind=kind(got))
    if not of_value and (asked != "grad" or got._ref.type == "ndarray"):
        return ""
    said = _("{words} is {kind}, expected {expected}").format(
        words=words, kind=kind(got), expected=described(np.asarray(expected))
    )
    return f"{said}\n{_(OF_NUMBERS)}" if of_value else said


def of_arrays(got: Handle) -> bool:
    """Whether it is what a function gave that was asked with arrays and without Tensors."""
    call = got._call
    if call is None or call.tensors or call.name == "Tensor" or call.request["op"] != "call":
        return False
    return type(call.request.get("args", [None])[0]) is np.ndarray


def missing(words: str, wanted: np.ndarray, gradient: bool) -> str:
    """What is said of None where an array is expected."""
    if not gradient:
        return nothing(words)
    said = _("{words} is {kind}, expected {expected}").format(
        words=words, kind="None", expected=described(wanted)
    )
    why = _("none arrives: Tensor(...) forgets what it was made from, and a vjp may return None")
    return f"{said}\n{why}"


def agree(got: Any, wanted: np.ndarray, rtol: float, atol: float) -> bool:
    """Whether all is well at first sight: then no words are sought. What is nan never is.

    np.isclose takes four times as long.
    """
    if type(got) is not float and type(got) is not np.ndarray:
        return False
    array = np.asarray(got)
    if array.dtype.kind not in "iuf" or array.shape != wanted.shape:
        return False
    if wanted.dtype == np.float32 and array.dtype != np.float32:
        return False
    if array.ndim == 0:
        return abs(float(array) - float(wanted)) < atol + rtol * abs(float(wanted))
    with np.errstate(invalid="ignore"):
        distance = np.abs(np.subtract(array, wanted, dtype=np.float64))
        return bool((distance < atol + rtol * np.abs(wanted)).all())


def same(got: Any, expected: Any) -> None:
    """`got` is exactly `expected`: same type, same value, element by element. Raises Difference."""
    call, words = origin(got)
    if got is None and expected is not None and not question(got):
        raise Difference(nothing(words), call)
    if isinstance(got, Handle) or not equal(got, expected):
        shown = kind(got) if isinstance(got, (Handle, np.ndarray)) else repr(got)[:300]
        hint = f"\n{mismatch(got, expected)}" if mismatch(got, expected) else ""
        raise Difference(
            _("{words}: got {shown}, expected {expected!r}{hint}").format(
                words=words, shown=shown, expected=expected, hint=hint
            ),
            call,
            expected,
        )


def equal(got: Any, expected: Any) -> bool:
    """Equal in value and in type all the way down; True is not 1, and 1.0 is not 1."""
    if type(got) is not type(expected):
        return False
    if isinstance(expected, np.ndarray):
        return got.dtype == expected.dtype and np.array_equal(got, expected)
    if isinstance(expected, (list, tuple)):
        return len(got) == len(expected) and all(map(equal, got, expected))
    if isinstance(expected, dict):
        return list(got) == list(expected) and all(map(equal, got.values(), expected.values()))
    return bool(got == expected)


def mismatch(got: Any, expected: Any) -> str:
    """The first place at which two sequences part, or the types that differ."""
    if type(got) is not type(expected):
        return _("that is {got}, not {expected}").format(got=kind(got), expected=kind(expected))
    if isinstance(expected, np.ndarray):
        return relations.relation(got, expected) if got.shape == expected.shape else ""
    return relations.sequence(got, expected) if isinstance(expected, (list, tuple, str)) else ""


def gradcheck(
    student: Student,
    function: Callable,
    *inputs: Any,
    truth: Callable | None = None,
    rtol: float = 1e-4,
    atol: float = 1e-6,
) -> None:
    """The gradient that backward gives for every input is the slope of the function.

    function   of Tensors, built from the student's calls: lambda x, gain: student.rmsnorm(x, gain)
    inputs     arrays of float64
    truth      the same function of plain arrays, from a source of ours; without it the slopes are
               taken on the student's own function, whose values another test must check

    The gradient from above is random, not ones. Central differences: (f(x+h) - f(x-h)) / 2h, first
    along random directions, and only where these do not agree place by place.
    """
    arrays = [np.array(array, dtype=np.float64) for array in inputs]
    tensors = [student.Tensor(array) for array in arrays]
    y = function(*tensors)
    call, words = origin(y)
    shape = student.array(y).shape
    rng = chance.rng("above")
    above = np.array(rng.normal(size=shape))  # of no axes too
    y.backward(above)

    def value(*changed: np.ndarray) -> float:
        result = (
            truth(*changed) if truth else student.array(function(*map(student.Tensor, changed)))
        )
        shapes = (shape, np.shape(result)) if truth else (np.shape(result), shape)
        if shapes[0] != shapes[1]:  # numpy would spread one out, over any memory
            said = _("{words} has shape {shape}, expected {expected}")
            raise Difference(said.format(words=words, shape=shapes[0], expected=shapes[1]), call)
        return float(np.sum(result * above))

    if straight([tensor.grad for tensor in tensors], arrays, value, rng):
        return
    for index, (tensor, array) in enumerate(zip(tensors, arrays, strict=True)):
        got = tensor.grad
        label = _("{words}, the gradient of {name}").format(
            words=words, name=role(call, tensor._ref) or argument(call, index)
        )
        if got is None:
            raise Difference(missing(label, array, gradient=True), call)
        if not isinstance(got, (np.ndarray, np.generic)):
            raise Difference(
                _("{label} is {kind}, expected an array of shape {shape}").format(
                    label=label, kind=kind(got), shape=array.shape
                ),
                call,
            )
        if got.shape != array.shape:
            off = _("{label} has shape {shape}, expected {expected}").format(
                label=label, shape=got.shape, expected=array.shape
            )
            raise Difference(f"{off}\n{relations.shapes(got, array, gradient=True)}".rstrip(), call)
        slopes = np.empty_like(array)
        for place in np.ndindex(array.shape):
            ends = []
            for step in (STEP, -STEP):
                changed = [a.copy() for a in arrays]
                changed[index][place] += step
                ends.append(value(*changed))
            slopes[place] = (ends[0] - ends[1]) / (2 * STEP)
        wrong = ~np.isclose(got, slopes, rtol=rtol, atol=atol)
        if wrong.any():
            raise Difference(f"{label}: {difference(got, slopes, wrong)}", call, slopes)


def straight(
    gradients: list, arrays: list[np.ndarray], value: Callable, rng: np.random.Generator
) -> bool:
    """Whether the gradients give the slope of `value` along random directions.

    What is wrong at any place shows along nearly all of them, so that few values say enough.
    """
    if any(type(g) is not np.ndarray or g.shape != a.shape for g, a in zip(gradients, arrays)):
        return False
    for _direction in range(DIRECTIONS):
        steps = [STEP * rng.normal(size=array.shape) for array in arrays]
        ends = [value(*(a + sign * s for a, s in zip(arrays, steps))) for sign in (1, -1)]
        expected = sum(float((g * s).sum()) for g, s in zip(gradients, steps))
        if not abs((ends[0] - ends[1]) / 2 - expected) <= STRAIGHT * STEP:  # nan is never
            return False
    return True


def steady(student: Student, function: Callable, *inputs: Any) -> None:
    """A second call finds what the first one found, and no walk changes what it is handed.

    The result shares the gradient from above with a leaf that looks at it last.
    """
    tensors = [student.Tensor(array) for array in inputs]
    above = np.array(chance.rng("above").normal(size=student.array(function(*tensors)).shape))
    beside = student.Tensor(np.zeros_like(above))  # older than the result: it looks last
    firsts = []
    for walk in (1, 2):
        z = (function(*tensors) + beside) * 2.0
        z.backward(above)
        close(beside.grad, walk * 2.0 * above)
        firsts = firsts or [tensor.grad for tensor in tensors]
        for tensor, first in zip(tensors, firsts, strict=True):
            assert isinstance(first, np.ndarray), _("an argument has no gradient")
            close(tensor.grad, walk * first)


def narrow(student: Student, function: Callable, *inputs: Any) -> None:
    """float32 in, float32 gradients out, for every input."""
    tensors = [student.Tensor(np.array(array, np.float32)) for array in inputs]
    y = function(*tensors)
    y.backward(np.ones(student.array(y).shape, np.float32))
    for tensor in tensors:
        said = _("the gradient of a float32 argument is not float32")
        assert getattr(tensor.grad, "dtype", None) == np.float32, said


def difference(got: np.ndarray, expected: np.ndarray, wrong: np.ndarray) -> str:
    """How many values differ, and the worst: "30 of 30 values differ, worst at [1, 0]: ...".

    And in a third line, where there is one, what all of yours is to what is expected.
    """
    if got.ndim == 0:
        said = got_and_expected(got, expected)
        return f"{said}\n{relations.relation(got, expected)}".rstrip()
    with np.errstate(invalid="ignore"):
        distance = np.abs(np.subtract(got, expected, dtype=np.float64))
    distance[~np.isfinite(distance) & wrong] = np.inf
    worst = np.unravel_index(np.argmax(np.where(wrong, distance, -1)), got.shape)
    place = "[" + ", ".join(map(str, worst)) + "]"
    values = got_and_expected(got[worst], expected[worst])
    said = _("{n} of {all} values differ\nworst at {place}: {values}").format(
        n=wrong.sum(), all=wrong.size, place=place, values=values
    )
    return f"{said}\n{relations.relation(got, expected)}".rstrip()


def got_and_expected(got: Any, expected: Any) -> str:
    """Both numbers, with as many digits as it takes to see that they differ."""
    shown = next((d for d in (6, 9, 12) if number(got, d) != number(expected, d)), 17)
    return _("got {got}, expected {expected}").format(
        got=number(got, shown), expected=number(expected, shown)
    )


def number(value: Any, digits: int = 6) -> str:
    return f"{float(value):.{digits}g}"


def described(array: np.ndarray) -> str:
    return (
        _("an array of shape {shape}").format(shape=array.shape)
        if array.ndim
        else _("the number {number}").format(number=number(array))
    )


def origin(got: Any) -> tuple[Call | None, str]:
    """The call that gave `got`, and words for it: "layernorm(x of shape (2, 3, 5))"."""
    if isinstance(got, Handle):
        return got._call, got._call.words if got._call else _("the result")
    student = current.get()
    last = student._log.last if student else None
    if last is None:
        return None, _("the result")
    if was_read(last) and last.request["name"] == "grad":
        return gradient_of(last, student)
    if was_read(last) and not last.name:
        return read_after(last, student)
    return last, last.words


def question(got: Any) -> str:
    """The attribute that it is, such as "grad"; "" for what a call gave."""
    student = current.get()
    call = got._call if isinstance(got, Handle) else student._log.last if student else None
    return call.request["name"] if call and was_read(call) else ""


def was_read(call: Call) -> bool:
    """Whether it is the reading of an attribute, such as .data, and no call at all."""
    return call.request["op"] == "attribute"


def read_after(asked: Call, student: Student) -> tuple[Call, str]:
    """An object's attribute in words: how the object was made, or what was called before."""
    maker = student._log.maker(asked.request["on"])
    if known_as(maker):
        return maker, asked.words
    for call in reversed(student._log.calls):
        if call.request["op"] in ("call", "method", "scenario"):
            return call, _("{words}, then {asked}").format(words=call.words, asked=asked.words)
    return asked, asked.words


def gradient_of(asked: Call, student: Student) -> tuple[Call, str]:
    """x.grad in words: the call that x went into, and which of its arguments x is."""
    ref = asked.request["on"]
    walk = last_walk(student)
    found, words = asked, _("the gradient")
    if walk:
        found, words = walk, _("{words}, the gradient of a leaf").format(words=walk.words)
    for call in reversed(student._log.calls):
        if call.name and not call.name.endswith("backward") and (name := role(call, ref)):
            found, words = (
                call,
                _("{words}, the gradient of {name}").format(words=call.words, name=name),
            )
            break
    known = student._log.key(ref) or known_as(student._log.maker(ref))
    return found, _("{words}, the gradient of {name}").format(
        words=walk.words, name=known
    ) if known and walk else words


def last_walk(student: Student) -> Call | None:
    """The last call of a backward."""
    calls = reversed(student._log.calls)
    return next((call for call in calls if call.name.endswith("backward")), None)


def role(call: Call | None, ref: wire.Ref) -> str | None:
    """What the object is to the call: the argument's name, or its key in a dict of weights."""
    for index, operand in enumerate(operands(call) if call else []):
        entries = operand if type(operand) is dict else {argument(call, index): operand}
        for name, value in entries.items():
            if isinstance(value, wire.Ref) and value == ref:
                return name
    return None


def operands(call: Call) -> list:
    """What a call was given, in the order of the student's function: for a method, self first."""
    on_itself = [call.request["on"]] if call.request["op"] == "method" else []
    return on_itself + list(call.request.get("args", ()))


def argument(call: Call | None, index: int) -> str:
    """The name of the call's argument, as the student's function calls it."""
    student = current.get()
    names = student._places.get(call.name, [0, 0, []])[2] if student and call else []
    return names[index] if index < len(names) else _("argument {n}").format(n=index + 1)
