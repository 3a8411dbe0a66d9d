"""What a student is told of an error that their code raised, or of an answer that no test can use.

Python says what went wrong; where its words say little to who has never met them, a line on what
to write in its place stands below.
"""

from __future__ import annotations

import re

import numpy as np

from .language import _, later
from .student import OF_NUMBERS, Student, StudentError, kind, method_of, nothing

FRAMES = 3  # that led to an error: the last
OF_A_NODE = "born|parents|vjp"  # attributes that exercise 3 gives a Node and no Tensor
OF_AN_ARRAY = "|".join(name for name in dir(np.ndarray) if not name.startswith("_"))

# What is sought in "TypeError: its words", and below that "function: line of code" of each frame,
# the innermost last; the first that is found is told.
REMEDIES = {
    "does not support ufuncs": later(
        "numpy's functions take arrays: use the Tensor's own, or its array, x.data"
    ),
    "'Value' object is not iterable": later(
        "a tuple of one needs its comma, (self,): is one without it, somewhere?"
    ),
    r"iterable\n(.*\n)*.*vjp\(.*\Z": later(
        "a vjp returns a tuple, one gradient for each parent: (g * y,)"
    ),
    "not supported between .*'Tensor'": later(
        "a Tensor cannot be compared, but its array can: x.data > 0"
    ),
    "real number, not Value$|not supported between .*'Value'": OF_NUMBERS,
    r"\ARecursionError(.*\n)+\w*__\w*: ": later(
        "an operation that uses itself does not end: work with numbers, self.data"
    ),
    "'memoryview' object": later(
        "an array stands where a Tensor is wanted: is each argument in its place?"
    ),
    "truth value of an array": later(
        "`if` asks once, an array answers for each number: np.where; or you mean `is None`"
    ),
    r"from dtype\('O'\) to dtype\('float64'\)": later(
        "a Tensor is made of numbers; among these there is something else: None?"
    ),
    f"'Tensor' object has no attribute '({OF_A_NODE})'": later(
        "a leaf, which was not made by Tensor.op, has no place in the graph: there stands "
        "the Tensor itself; isinstance(parent, Node) tells nodes from leaves"
    ),
    f"'Tensor' object has no attribute '({OF_AN_ARRAY})'": later(
        "exercise 3 is all that a Tensor can do; its array, x.data, can do more"
    ),
}


def told(error: StudentError, student: Student | None = None) -> str:
    """A student's own error, with the lines that led to it, and what helps."""
    said = f"{error.type}: {error.message}" if error.message else error.type
    raised = _("{call} raised {error}").format(call=error.call, error=said)
    lines, sought = [raised if error.call else said], [said]
    for file, line, function, source in error.frames[-FRAMES:]:
        place = _("{file}:{line} in {function}: {source}").format(
            file=file, line=line, function=function, source=source
        )
        lines.append(place if source else f"{file}:{line}")
        sought.append(f"{function}: {source}")
    text = "\n".join(sought)
    fitting = (says for words, says in REMEDIES.items() if re.search(words, text, re.MULTILINE))
    return "\n".join([*lines, *map(_, list(fitting)[:1]), *without_self(error, student)])


def without_self(error: StudentError, student: Student | None) -> list[str]:
    """A line on a method that has forgotten its first parameter, if that is what is wrong."""
    call = student._log.last if student else None
    if not call or error.frames or "positional argument" not in error.message:
        return []
    name = method_of(call) + (".__init__" if call.request["op"] == "call" else "")
    place = student._places.get(name)
    return [_("its first parameter must be self")] if place and place[2][:1] != ["self"] else []


def unusable(error: Exception, student: Student) -> str:
    """What came back last is of another kind than the test expects, and so the test raised."""
    words, answer = student._words(), (student._log.last and student._log.last.answer) or {}
    if "object is not an iterator" in str(error) and "value" in answer:
        said = _(
            "{words} returned {kind}; it must yield one after the other: after `return` nothing "
            "more can come"
        )
        return said.format(words=words, kind=kind(answer["value"]))
    if "value" in answer and answer["value"] is None and "'NoneType'" in str(error):
        return nothing(words)
    if isinstance(error, AttributeError) and error.obj is answer.get("value", student):
        return _("{words} returned {kind}, which has no .{name}").format(
            words=words, kind=kind(error.obj), name=error.name
        )
    said = _("there is no {key}").format(key=error) if isinstance(error, KeyError) else error
    return _("{words} gave something that the test cannot use: {error}").format(
        words=words, error=said
    )
