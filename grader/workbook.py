"""An exercise as a Jupyter notebook: its lesson, where to edit, the check, a cell for each piece.

The notebook is plain data (nbformat 4.5), so that making one takes nothing but Python. The cells of
the pieces carry nbgrader's metadata: its gradebook gets one column of points for each piece.
"""

from __future__ import annotations

import ast
import json
import re
import tomllib
from collections.abc import Iterable
from typing import Any

from .course import ROOT, Course, Exercise
from .language import _

Cell = dict[str, Any]

FORMULAS = ROOT / "grader" / "services" / "nbgrader" / "formulas.toml"
COMMENT = "comment"  # the id of the cell that the instructor's comments belong to
SCHEMA = 3  # of nbgrader's metadata

# A name such as mean_product, GPT.__call__ or extra_params(x), not in backquotes yet.
_NAME = re.compile(r"(?<![\w`])[\w.]*\w*_\w*(?:\([^()\s]*\))?(?![\w`])")


def workbook(course: Course, exercise: Exercise, stub: str, alone: bool = False) -> str:
    """The notebook that a student works with; `stub` is the text of the exercise's file.

    alone   the exercise is an assignment of its own, and others stand in folders beside it
    """
    lesson = ast.get_docstring(ast.parse(stub)) or exercise.title
    check = f'import glassbox\n\nglassbox.check("{exercise.short}")'
    cells = [
        markdown("start", _start(exercise, lesson, _builds_on(course, exercise, alone))),
        markdown("lesson", to_markdown(lesson.partition("\n")[2])),
        markdown("formulas", _formulas(exercise)),
        markdown("check-words", _check_words(exercise)),
        code("check", check),
        markdown("points-words", _points_words()),
        *(grade_cell(exercise, piece.name) for piece in exercise.pieces),
        comment_cell(),
    ]
    return dump(cells)


def grade_cell(exercise: Exercise, name: str) -> Cell:
    """The cell that carries the points of one piece. It computes nothing of its own."""
    points = next(piece.points for piece in exercise.pieces if piece.name == name)
    cell = code(name, f'glassbox.points("{exercise.short}.{name}")')
    cell["metadata"]["nbgrader"] = _nbgrader(name, grade=True, locked=True, points=points)
    return cell


def comment_cell() -> Cell:
    """The cell under which nbgrader shows the instructor a box for comments, and gives no points.

    It is code because nbgrader takes no text cell without points.
    """
    cell = code(COMMENT, _("# What your instructor has to say comes back to you here."))
    cell["metadata"]["nbgrader"] = _nbgrader(COMMENT, solution=True)
    return cell


def markdown(id: str, source: str) -> Cell:
    return {"id": id, "cell_type": "markdown", "metadata": {}, "source": source}


def code(id: str, source: str) -> Cell:
    return {
        "id": id,
        "cell_type": "code",
        "metadata": {},
        "source": source,
        "execution_count": None,
        "outputs": [],
    }


def dump(cells: Iterable[Cell]) -> str:
    """The cells as the text of a notebook file."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook = {
        "cells": list(cells),
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, ensure_ascii=False) + "\n"


def to_markdown(lesson: str) -> str:
    """A lesson as Markdown: it nearly is; only names like `mean_product` are set as code."""
    return "\n".join(
        line if line.startswith("    ") else _NAME.sub(r"`\g<0>`", line.replace("<", "&lt;"))
        for line in lesson.strip("\n").split("\n")
    )


def fenced(text: str, language: str = "") -> str:
    """`text` as a block of code in Markdown, whatever stands in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _nbgrader(id: str, **given: Any) -> dict[str, Any]:
    flags = {"grade": False, "solution": False, "locked": False, "task": False}
    return {"schema_version": SCHEMA, "grade_id": id, **flags, **given}


def _builds_on(course: Course, exercise: Exercise, alone: bool) -> str:
    """Which exercises come before this one, in a sentence; nothing where none do."""
    needs = tuple(need for piece in exercise.pieces for need in piece.needs)
    before = {piece.exercise: None for piece in course.closure(needs)}
    names = ", ".join(f"`{id}`" for id in before if id != exercise.id)
    if not names:
        return ""
    words = _("It builds on what you wrote in {names}.")
    if alone:
        words = _("It builds on what you wrote in {names}: keep those folders beside this one.")
    return words.format(names=names)


def _start(exercise: Exercise, lesson: str, builds_on: str) -> str:
    title = lesson.partition("\n")[0].removesuffix(".")
    file = f"[`{exercise.file}`]({exercise.file})"
    return "\n\n".join(
        [
            f"# {title}",
            f"*{_(exercise.goal)}*",
            _("{points:g} points, about {minutes} minutes.").format(
                points=exercise.points, minutes=exercise.minutes
            ),
            _(
                "You write in {file}, beside this notebook: open it, and put your own lines in"
                " place of each `raise NotImplementedError(...)`. Save it, come back here and run"
                " the cell under *Check*."
            ).format(file=file),
            builds_on,
        ]
    ).rstrip()


def _formulas(exercise: Exercise) -> str:
    found = tomllib.loads(FORMULAS.read_text("utf-8")).get(exercise.id, [])
    return "\n\n".join([_("## The formulas"), *(f"$$ {formula} $$" for formula in found)])


def _check_words(exercise: Exercise) -> str:
    rows = [
        f"| {piece.name} | {piece.points:g} | "
        + ", ".join(f"`{name}`" for name in piece.defines)
        + " |"
        for piece in exercise.pieces
    ]
    return "\n".join(
        [
            _("## Check"),
            "",
            _("| piece | points | what you write |"),
            "|:--|--:|:--|",
            *rows,
            "",
            _('Run this cell as often as you like. Stuck? `glassbox.hint("{piece}")`').format(
                piece=exercise.pieces[0].id
            ),
        ]
    )


def _points_words() -> str:
    return _(
        "## Points\n\n"
        "What each piece earns on the tests that you can see. Your instructor marks with more tests"
        " of the same promises."
    )
