"""A whole model from a course that may be half finished: what is still to do is lent.

Only what a student has not begun is borrowed: what is theirs and wrong is theirs to be looked at.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

from ..assembly import Plan, Source, Target, defined, is_stub
from ..course import Course, Piece
from ..language import _

NOT_IN_IT = ("ex02_value",)  # the scalar engine


class NotWhole(Exception):
    """No model can be put together; the message says what is missing."""


def lent(course: Course, target: Target, reference: Path) -> tuple[Plan, tuple[str, ...]]:
    """What to borrow so that the model runs, and the ids of the pieces that this is for.

    Raises NotWhole for a file that is no Python, and for pieces to do where nothing can be lent.
    """
    missing = to_do(course, target)
    if missing and not reference.is_dir():
        raise NotWhole(
            _(
                "a whole model is needed to look into, and this copy of the course has no "
                "solutions to borrow from. Still to do: {pieces}"
            ).format(pieces=few(tuple(piece.id for piece in missing)))
        )
    names: dict[str, set[str] | None] = defaultdict(set)
    for piece in missing:
        if target.files[piece.exercise].text is None:
            names[piece.exercise] = None
        elif (known := names[piece.exercise]) is not None:
            known |= piece.units
    units = {id: None if n is None else frozenset(n) for id, n in names.items()}
    return Plan.of(units), tuple(piece.id for piece in missing)


def few(ids: tuple[str, ...], most: int = 6) -> str:
    """A list of ids that may be long: "ex01.encode, ex04.softmax, ..."."""
    return ", ".join(ids[:most]) + (", ..." if len(ids) > most else "")


def to_do(course: Course, target: Target) -> list[Piece]:
    """The pieces of the model that are missing, or still raise NotImplementedError."""
    return [
        piece
        for exercise in course.exercises
        if exercise.id not in NOT_IN_IT
        for names in [begun(target.files[exercise.id])]
        for piece in exercise.pieces
        if not piece.units <= names
    ]


def begun(source: Source) -> set[str]:
    """The names that a file defines or imports, but for what is still a stub."""
    if source.missing:
        return set()
    if source.text is None:
        raise NotWhole(f"{source.shown}: {source.problem}")
    try:
        nodes = ast.parse(source.text).body
    except SyntaxError as error:
        raise NotWhole(
            _("{file}:{line}: this is no Python yet: {error}").format(
                file=source.shown, line=error.lineno or 1, error=error.msg
            )
        ) from None
    imports = [alias for node in nodes for alias in getattr(node, "names", ())]
    names = {name for node in nodes if not is_stub(node) for name in defined(node)}
    return names | {alias.asname or alias.name for alias in imports}
