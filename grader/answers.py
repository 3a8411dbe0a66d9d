"""What a worker's answer looks like, checked before anything is read from it.

The wire lets only plain data pass; here it is checked that the data has the form of an answer, so
that whoever asks can rely on keys and types. The values are still what the student's code likes.
"""

from __future__ import annotations

import builtins
from collections.abc import Set
from typing import Any

import numpy as np

from .wire import NAME_LIMIT, WireError

ANSWERS = {"value", "error", "refused"}
BESIDE = {"printed", "data", "grad", "first"}
NUMBERS = (np.ndarray, float)
EVENTS = {"event"}  # of a run that tells what it does, before it answers
ERROR = {"type": str, "shown_type": str, "message": str, "frames": list}
REFUSAL = {"type": str, "message": str}
FRAME = [str, int, str, str]  # file, line, function, source
PLACE = [str, int, list]  # file, line, names of the arguments
LINES_LIMIT = 2**20  # of a source file


def checked(answer: Any, kinds: Set[str] = ANSWERS | EVENTS) -> dict[str, Any]:
    """`answer`, if it is one of these kinds. Raises WireError if it is none.

    {"value": ...}, {"error": {...}}, {"refused": {...}} or {"event": ...}; with "printed", the
    bytes of output so far; with "data" and "grad", the numbers that Tensors hold, by handle; with
    "first", what came of the requests that were to be done first: an error, the type of what was
    made, or None.
    """
    if type(answer) is not dict or [key in kinds for key in answer if key not in BESIDE] != [True]:
        raise WireError("the worker answered with something else than an answer")
    printed = answer.get("printed", 0)
    if type(printed) is not int or printed < 0:
        raise WireError("the worker does not say how much was printed")
    for name in ("data", "grad"):
        if name not in answer:
            continue
        held = answer[name]
        if type(held) is not dict or any(type(a) not in NUMBERS for a in held.values()):
            raise WireError("the worker answered with Tensors that hold no numbers")
    earlier = answer.get("first", [])
    if type(earlier) is not list:
        raise WireError("the worker does not say what came first")
    for one in earlier:
        if one is not None and type(one) is not str:
            checked(one, {"error"})
    if "error" in answer:
        _check_error(answer["error"])
    if "refused" in answer:
        _check_form(answer["refused"], REFUSAL)
    return answer


def places(value: Any) -> dict[str, list]:
    """Where definitions stand: name -> [file, line, names of arguments]; what is no place goes."""
    if type(value) is not dict:
        raise WireError("the worker does not say where definitions stand")
    return {name: place for name, place in value.items() if _is_place(place)}


def _check_error(error: Any) -> None:
    """What an exception left behind: the name of a builtin type, its message and its frames."""
    _check_form(error, ERROR)
    named = getattr(builtins, error["type"], None)
    if not (isinstance(named, type) and issubclass(named, BaseException)):
        raise WireError("the worker answered with an error of no builtin type")
    if not all(map(_is_frame, error["frames"])):
        raise WireError("the worker answered with an error whose frames are none")


def _check_form(record: Any, form: dict[str, type]) -> None:
    if type(record) is not dict or {key: type(value) for key, value in record.items()} != form:
        raise WireError(f"the worker answered with something else than {', '.join(form)}")


def _is_frame(frame: Any) -> bool:
    return type(frame) is list and list(map(type, frame)) == FRAME and _is_line(frame[1])


def _is_place(place: Any) -> bool:
    if type(place) is not list or list(map(type, place)) != PLACE:
        return False
    return _is_line(place[1]) and all(map(_is_name, place[2]))


def _is_name(argument: Any) -> bool:
    """It stands in the words of every call: a long one would be copied without end."""
    return type(argument) is str and len(argument) <= NAME_LIMIT


def _is_line(number: int) -> bool:
    return 0 < number <= LINES_LIMIT
