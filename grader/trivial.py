"""Answers that take no thought: on every piece they must earn nothing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from . import suite
from .assembly import Target
from .course import ROOT, Course, Piece
from .results import PieceResult

ANSWERS = {
    "its argument": "return {first}",
    "None": "return None",
    "zero": "return 0",
    "one": "return 1.0",
    "zeros": "return {first} * 0",
    "a ValueError alone": "raise ValueError(repr({first}))",
}


def source(text: str, piece: Piece, answer: str) -> str:
    """A solution's file with every definition of the piece giving this answer."""
    tree = ast.parse(text)
    for name, function in definitions(tree):
        if name in piece.defines:
            arguments = [a.arg for a in function.args.args if a.arg != "self"] or ["self"]
            function.body = ast.parse(answer.format(first=arguments[0])).body
    return ast.unparse(tree)


def definitions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Every function and method, as the manifest names them: "softmax", "Tensor.__add__"."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}.{inner.name}", inner


def result(
    course: Course, piece: Piece, answer: str, tests: Sequence[Path], in_process: bool = False
) -> PieceResult:
    """What the answer earns, where all else is the reference's. Raises SuiteError."""
    target = Target.read(ROOT / "solutions", course)
    file = target.files[piece.exercise]
    changed = replace(file, text=source(file.text, piece, answer))
    target = replace(target, files=target.files | {piece.exercise: changed})
    options = suite.Options(tests=tuple(tests), in_process=in_process, alone=True, mutants=None)
    [exercise] = suite.check(course, target, (piece,), options).exercises
    return exercise.pieces[0]
