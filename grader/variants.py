"""Wrong and right answers to try the suites on: the reference with one definition changed.

A change is a named mutant, an alternative, or an automatic one.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from . import automatic, diagnosis, trivial
from .assembly import Target
from .course import ROOT, Course, Piece
from .diagnosis import MutationError
from .language import _


@dataclass(frozen=True)
class Setting:
    """What is measured: a course, its reference, and the folder of its suites and variants.

    seconds   what a suite may take, where the reference is quick
    """

    course: Course
    reference: Path = ROOT / "solutions"
    tests: Path = ROOT / "tests"
    seconds: float = 5.0

    @property
    def mutants(self) -> Path:
        return self.tests / "mutants"

    @property
    def alternatives(self) -> Path:
        return self.tests / "alternatives"


@dataclass(frozen=True)
class Variant:
    """The reference with one definition changed.

    The change is either what `folder` registers under this id, or `text`, the whole file anew: data
    that crosses to other processes, which a function of a mutants' file cannot.
    """

    id: str  # "ex05.layernorm_unbiased"
    exercise: str
    name: str  # of the definition, "Tensor.sum"
    says: str  # what is wrong; an alternative's style; how the line of an automatic one reads
    right: bool = False
    folder: Path | None = None
    text: str | None = None
    line: int = 0
    was: str = ""

    @property
    def mistaken(self) -> bool:
        """Whether it is a named mutant."""
        return self.folder is not None and not self.right

    @property
    def automatic(self) -> bool:
        return self.text is not None

    @property
    def key(self) -> tuple[str, str]:
        """How equivalent.toml refers to an automatic one: where it is, and what it says."""
        return f"{self.exercise}.{self.name}", self.says

    def patch(self) -> diagnosis.Mutant | None:
        """What a check puts into the reference."""
        return by_id(self.folder)[self.id] if self.folder else None

    def put_in(self, target: Target) -> Target:
        """The target with the text of an automatic change in it."""
        if not self.automatic:
            return target
        source = replace(target.files[self.exercise], text=self.text)
        return replace(target, files=target.files | {self.exercise: source})


@cache
def by_id(folder: Path) -> dict[str, diagnosis.Mutant]:
    """What a folder registers, by exercise and function: "ex05.layernorm_unbiased"."""
    return {f"{m.exercise.split('_')[0]}.{m.function.__name__}": m for m in diagnosis.known(folder)}


def registered(
    setting: Setting, wanted: Sequence[Piece], folder: Path, right: bool = False
) -> list[Variant]:
    """The mutants, or right alternatives, that a folder registers for the pieces wanted.

    Raises MutationError for one of an exercise or a definition that is not there.
    """
    for mutant in by_id(folder).values():
        check_place(setting, mutant, folder)
    found = [
        Variant(
            id=id,
            exercise=mutant.exercise,
            name=mutant.name,
            says=mutant.says,
            right=right,
            folder=folder,
        )
        for id, mutant in by_id(folder).items()
    ]
    return [v for v in found if set(owners(setting.course, v.exercise, v.name)) & set(wanted)]


def check_place(setting: Setting, mutant: diagnosis.Mutant, folder: Path) -> None:
    """Raise MutationError where the course does not have what the mutant replaces."""
    file = mutant.function.__module__.removeprefix(diagnosis.MODULE) + ".py"
    where = f"{diagnosis.shown(folder / file)}, {mutant.function.__name__}"
    exercise = setting.course.by_id.get(mutant.exercise)
    if exercise is None:
        words = _("{where}: there is no exercise {exercise} in the manifest; mend it, or remove it")
        raise MutationError(words.format(where=where, exercise=mutant.exercise))
    if mutant.name not in defined(setting.reference / exercise.file):
        words = _("{where}: solutions/{file} defines no {name}; mend it, or remove it")
        raise MutationError(words.format(where=where, file=exercise.file, name=mutant.name))


@cache
def defined(file: Path) -> frozenset[str]:
    """What a file defines: functions, methods, classes."""
    tree = ast.parse(file.read_text("utf-8"))
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    return frozenset(name for name, _node in trivial.definitions(tree)) | classes


def changed(setting: Setting, wanted: Sequence[Piece]) -> list[Variant]:
    """The automatic changes of the pieces wanted."""
    found = [
        Variant(
            id=f"{exercise.short}.{change.name}:{change.line}",
            exercise=exercise.id,
            name=change.name,
            says=change.becomes,
            right=change.right,
            text=change.text,
            line=change.line,
            was=change.was,
        )
        for exercise in setting.course.exercises
        if set(exercise.pieces) & set(wanted)
        for change in automatic.changes((setting.reference / exercise.file).read_text("utf-8"))
    ]
    return [v for v in found if set(owners(setting.course, v.exercise, v.name)) & set(wanted)]


def owners(course: Course, exercise: str, name: str) -> tuple[Piece, ...]:
    """The pieces that a definition is of; all of the exercise for a common helper."""
    pieces = course.by_id[exercise].pieces
    names = {name, name.split(".")[0]}
    return tuple(piece for piece in pieces if names & set(piece.defines)) or pieces


def witnesses(course: Course, variant: Variant) -> tuple[Piece, ...]:
    """The pieces of the exercise whose tests can see the change: its owners, and who needs them."""
    exercise = course.by_id[variant.exercise]
    own = {piece.id for piece in owners(course, variant.exercise, variant.name)}
    if exercise.gradient in own:
        return exercise.pieces
    return tuple(
        piece
        for piece in exercise.pieces
        if piece.id in own or own & {need.id for need in course.closure(piece.needs)}
    )
