"""The ladder of hints of each piece, a rung at a time, and at its end the solution."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .course import ROOT, Course, Piece
from .language import _, later
from .progress import Progress
from .reports.text import next_step
from .results import PASSED

SOLUTIONS = ROOT / "solutions"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
Definition = (ast.FunctionDef, ast.ClassDef)
COMMON = frozenset(
    "and are but for from has have into its not one only that the them then this what with you your"
    " each gives makes must every where which".split()
)
WIDTH, INDENT = 88, "  "
ALIKE = 2  # words that a rung must share with a diagnosis to be the one that fits it


NONE = later("This piece has no hints yet.")


class NoSolution(Exception):
    """The solution cannot be shown; the message says why, and what to do."""


@dataclass(frozen=True)
class Hint:
    """A rung of a piece's ladder.

    rung        from 1; 0 where the piece has no hints
    likely      the mistake that the last check has named, where this hint begins with it
    again       every rung was shown before
    passed      the piece passes, as last checked
    solved      this copy of the course has its solution
    """

    piece: Piece
    rung: int
    likely: str | None = None
    again: bool = False
    passed: bool = False
    solved: bool = True

    @property
    def text(self) -> str:
        return _(self.piece.hints[self.rung - 1] if self.rung else NONE)

    @property
    def title(self) -> str:
        rungs = len(self.piece.hints)
        place = _(", hint {n} of {all}").format(n=self.rung, all=rungs) if self.rung else ""
        return self.piece.id + place

    @property
    def is_last(self) -> bool:
        return self.rung == len(self.piece.hints)

    @property
    def onward(self) -> str:
        """What to do when this hint is not enough."""
        if not self.is_last:
            return _("one more: python -m grader hint {piece} --more").format(piece=self.piece.id)
        said = _("that was all") if self.again else _("this is the last hint")
        if not self.solved:
            return _("{said}; this copy of the course has no solutions").format(said=said)
        give_up = "" if self.passed else " --give-up"
        show = f"python -m grader show {self.piece.id}{give_up}"
        return _("{said}; the solution: {command}").format(said=said, command=show)

    def lines(self, onward: str | None = None, width: int = WIDTH) -> list[str]:
        """All of it: title, the mistake that was named, the hint, and how to get one more.

        Prose is folded to `width`; a hint of several lines is code, and stays as it is.
        """
        likely = [_("likely: {mistake}").format(mistake=self.likely)] if self.likely else []
        hint = self.text.splitlines()
        if len(hint) == 1:
            room = max(20, width - len(INDENT))
            hint = textwrap.wrap(self.text, room, break_long_words=False, break_on_hyphens=False)
        last = self.onward if self.is_last or not onward else onward
        return [self.title, *likely, "", *(f"{INDENT}{line}".rstrip() for line in hint), "", last]


def piece_in_need(progress: Progress, course: Course) -> Piece | None:
    """The piece to write or to mend next, by the last checks. None when every piece passes."""
    step = next_step(progress.result, course)
    return step[0] if step else None


def next_hint(
    piece: Piece, progress: Progress, more: bool = False, solutions: Path = SOLUTIONS
) -> Hint:
    """The rung after those that were shown; at first the one that fits a named mistake.

    more    go on up the ladder, whatever the last check has named
    """
    shown, rungs = progress.hints.get(piece.id, 0), len(piece.hints)
    likely = None if more else named(piece, progress)
    fit = fitting(piece.hints, likely) if likely else 0
    rung = max(fit, shown + 1)
    passed = progress.piece(piece.id).status == PASSED
    solved = (solutions / f"{piece.exercise}.py").exists()
    return Hint(piece, min(rung, rungs), likely, rung > rungs, passed, solved)


def named(piece: Piece, progress: Progress) -> str | None:
    """The mistake in the piece that the last check has named."""
    return next((t.diagnosis for t in progress.piece(piece.id).tests if t.diagnosis), None)


def fitting(hints: tuple[str, ...], likely: str) -> int:
    """The rung, from 1, that has most words in common with the named mistake; 0 for none."""
    common = [len(words(hint) & words(likely)) for hint in hints]
    best = max(common, default=0)
    return common.index(best) + 1 if best >= ALIKE else 0


def words(text: str) -> set[str]:
    """The words and names of a text that say what it is about."""
    found = re.findall(r"[a-z_]{3,}", text.lower())
    return {word.removesuffix("s") for word in found} - COMMON


def solution(
    piece: Piece, progress: Progress, give_up: bool, solutions: Path = SOLUTIONS
) -> list[str]:
    """The reference's lines for the piece. Raises NoSolution."""
    file = solutions / f"{piece.exercise}.py"
    if not file.exists():
        raise NoSolution(_("this copy of the course has no solutions: ask whoever gave it to you"))
    passes = progress.piece(piece.id).status == PASSED
    if not passes and not give_up and piece.id not in progress.checked:
        raise NoSolution(
            _(
                "{piece} has not been checked yet: python -m grader check {piece}; when it passes, "
                "this shows how the reference does it; to see it now, and have that noted: "
                "python -m grader show {piece} --give-up"
            ).format(piece=piece.id)
        )
    if not passes and not give_up:
        raise NoSolution(
            _(
                "{piece} does not pass yet, as last checked. When it does, this shows how the "
                "reference does it; to see it now, and have that noted: "
                "python -m grader show {piece} --give-up"
            ).format(piece=piece.id)
        )
    return list(answer(file.read_text("utf-8"), piece))


def answer(text: str, piece: Piece) -> Iterator[str]:
    """The definitions of the piece in a solution file, without their docstrings and markers."""
    lines = text.splitlines()
    header = ""
    for node, names in definitions(ast.parse(text)):
        marked = any(line.strip() == BEGIN for line in lines[node.lineno : node.end_lineno])
        name = ".".join(names)
        inside = any(name.startswith(f"{define}.") for define in piece.defines)
        if isinstance(node, ast.FunctionDef) and (name in piece.defines or (inside and marked)):
            if len(names) > 1 and names[0] != header:
                header = names[0]
                yield f"class {header}:"
            yield from shown(node, lines)
            yield ""


def definitions(
    node: ast.AST, around: tuple[str, ...] = ()
) -> Iterator[tuple[ast.FunctionDef | ast.ClassDef, tuple[str, ...]]]:
    """Every class, function and method, with the names that lead to it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            names = (*around, child.name)
            yield child, names
            if isinstance(child, ast.ClassDef):
                yield from definitions(child, names)


def shown(node: ast.FunctionDef, lines: list[str]) -> Iterator[str]:
    """The lines of a function as they are read: no docstring, no to-do list, no markers."""
    first = node.body[0]
    told = range(0)
    if ast.get_docstring(node) is not None:
        told = range(first.lineno, first.end_lineno + 1)
    start = min([node.lineno, *(d.lineno for d in node.decorator_list)])
    to_do = False
    for number in range(start, node.end_lineno + 1):
        line = lines[number - 1]
        code = line.strip()
        to_do = code.startswith("# TODO") or (to_do and code.startswith("# "))
        if number not in told and not to_do and code not in (BEGIN, END):
            yield line
