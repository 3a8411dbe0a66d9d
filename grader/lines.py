"""How long the reference model is: `python -m grader lines`.

A line counts if it holds code of the model: it is not blank, no comment, no docstring, no import,
and not part of the configuration class that the course gives. A statement on three lines is three.
"""

from __future__ import annotations

import ast
import io
import statistics
import tokenize
from dataclasses import dataclass
from pathlib import Path

from .language import _

MODEL = ("ex01", "ex03", "ex04", "ex05", "ex06", "ex07", "ex08", "ex09", "ex10")
GIVEN = "GPTConfig"
GOAL, LIMIT = 320, 400
MICROGPT_LIMIT = 200  # all its lines: it is the whole algorithm on a page
FUNCTION_GOAL = 8

LAYOUT = frozenset(
    {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    | {tokenize.ENCODING, tokenize.ENDMARKER}
)


@dataclass(frozen=True)
class Function:
    """A function of the model, methods and inner functions included, and its lines of code."""

    file: str
    line: int
    name: str
    length: int


@dataclass(frozen=True)
class Lines:
    """The size of the reference model; `files` says it file by file, in course order."""

    files: dict[str, int]
    functions: tuple[Function, ...]
    microgpt: int

    @property
    def total(self) -> int:
        return sum(self.files.values())

    @property
    def median_function(self) -> float:
        return statistics.median(function.length for function in self.functions)

    @property
    def within_limits(self) -> bool:
        return self.total <= LIMIT and self.microgpt <= MICROGPT_LIMIT


def count(solutions: Path) -> Lines:
    """Count the model in `solutions`. Raises FileNotFoundError for a part that is not there."""
    texts = {path.name: path.read_text("utf-8-sig") for path in _model_files(solutions)}
    trees = {file: ast.parse(text, file) for file, text in texts.items()}
    rows = {file: _code_rows(text, trees[file]) for file, text in texts.items()}
    functions = [f for file in texts for f in _functions(file, trees[file], rows[file])]
    microgpt = (solutions / "microgpt.py").read_text("utf-8-sig")
    return Lines(
        files={file: len(rows[file]) for file in texts},
        functions=tuple(functions),
        microgpt=len(microgpt.splitlines()),
    )


def _model_files(solutions: Path) -> list[Path]:
    """One file for each short id: ex05 -> ex05_norm.py."""
    found = {short: sorted(solutions.glob(f"{short}_*.py")) for short in MODEL}
    for short, paths in found.items():
        if len(paths) != 1:
            raise FileNotFoundError(
                _("{solutions}: {n} files {short}_*.py; there must be one").format(
                    solutions=solutions, n=len(paths), short=short
                )
            )
    return [path for (path,) in found.values()]


def _code_rows(text: str, tree: ast.Module) -> set[int]:
    """The numbers of the lines that count, from 1."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    spans = [(token.start[0], token.end[0]) for token in tokens if token.type not in LAYOUT]
    rows = {row for first, last in spans for row in range(first, last + 1)}
    blank = {row for row, line in enumerate(text.split("\n"), 1) if not line.strip()}
    left_out = [_rows(node) for node in ast.walk(tree) if _is_left_out(node)]
    return rows.difference(blank, *left_out)


def _is_left_out(node: ast.AST) -> bool:
    """Imports, docstrings, and the class that the course gives."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return isinstance(node.value.value, str)
    if isinstance(node, ast.ClassDef):
        return node.name == GIVEN
    return isinstance(node, (ast.Import, ast.ImportFrom))


def _rows(node: ast.stmt) -> set[int]:
    """All the lines of a statement, its decorators included."""
    decorators = [decorator.lineno for decorator in getattr(node, "decorator_list", [])]
    return set(range(min([node.lineno, *decorators]), node.end_lineno + 1))


def _functions(file: str, tree: ast.Module, rows: set[int]) -> list[Function]:
    """Every function that has a line which counts: signature and body."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    nodes = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    lengths = [len(rows & set(range(node.lineno, node.end_lineno + 1))) for node in nodes]
    return [
        Function(file, node.lineno, node.name, length)
        for node, length in zip(nodes, lengths, strict=True)
        if length
    ]
