"""The course as data: `Course`, `Exercise`, `Piece`, read from exercises/manifest.toml."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from . import manifest
from .language import _

ROOT = Path(__file__).resolve().parent.parent
MANIFEST = ROOT / "exercises" / "manifest.toml"


class CourseError(Exception):
    """The manifest is wrong, or something was asked for that the course does not have."""


@dataclass(frozen=True)
class Limits:
    """Seconds to import the files, for one call, and for all tests of an exercise together.

    file_mib is the largest file that the exercise may write; 0 for none.
    """

    import_: float
    call: float
    exercise: float
    file_mib: int = 0


@dataclass(frozen=True)
class Piece:
    """The smallest part that is marked: one or a few definitions of one file.

    `id` is "ex05.layernorm"; `defines` are qualified names ("layernorm", "Tensor.__add__");
    `needs` are ids of the pieces that must work first, those of its own file included.
    """

    id: str
    name: str
    exercise: str
    points: float
    defines: tuple[str, ...]
    needs: tuple[str, ...]
    hints: tuple[str, ...]
    all_or_nothing: bool = False

    @property
    def units(self) -> frozenset[str]:
        """What is borrowed for this piece: its functions, and the whole of its classes."""
        return frozenset(name.split(".")[0] for name in self.defines)

    def shares(self, other: Piece) -> bool:
        """Whether both are parts of one class, which is borrowed whole or not at all."""
        return self.exercise == other.exercise and bool(self.units & other.units)


@dataclass(frozen=True)
class Exercise:
    """One file of the course. `id` is "ex05_norm", its file name without ".py"."""

    id: str
    title: str
    goal: str
    minutes: int
    difficulty: int
    part: str
    pieces: tuple[Piece, ...]
    limits: Limits
    gradient: str | None = None

    @property
    def short(self) -> str:
        return self.id.split("_")[0]

    @property
    def file(self) -> str:
        return f"{self.id}.py"

    @property
    def points(self) -> float:
        return sum(piece.points for piece in self.pieces)


@dataclass(frozen=True)
class Course:
    """All exercises in order."""

    title: str
    version: str
    exercises: tuple[Exercise, ...] = field(repr=False)

    @cached_property
    def pieces(self) -> dict[str, Piece]:
        return {piece.id: piece for exercise in self.exercises for piece in exercise.pieces}

    @cached_property
    def by_id(self) -> dict[str, Exercise]:
        return {exercise.id: exercise for exercise in self.exercises}

    @property
    def points(self) -> float:
        return sum(exercise.points for exercise in self.exercises)

    def exercise_of(self, piece: Piece) -> Exercise:
        return self.by_id[piece.exercise]

    def closure(self, needs: tuple[str, ...]) -> tuple[Piece, ...]:
        """The pieces named and all that they need in turn, in course order."""
        found: set[str] = set()
        open_ = list(needs)
        while open_:
            name = open_.pop()
            if name not in found:
                found.add(name)
                open_ += self.pieces[name].needs
        return tuple(piece for id, piece in self.pieces.items() if id in found)

    def needs_of(self, pieces: Iterable[Piece]) -> set[str]:
        """The ids of all that these need, for any of their tests, and that are run with them."""
        gradients = {self.exercise_of(piece).gradient for piece in pieces} - {None}
        needs = {need for piece in pieces for need in piece.needs} | gradients
        return {piece.id for piece in self.closure(tuple(needs))}

    def reach(self, exercise: Exercise) -> frozenset[str]:
        """The ids of the other exercises that this one builds on."""
        needs = [need for piece in exercise.pieces for need in piece.needs]
        needs += [exercise.gradient] if exercise.gradient else []
        return frozenset(piece.exercise for piece in self.closure(tuple(needs))) - {exercise.id}

    def select(self, names: list[str]) -> tuple[Piece, ...]:
        """The pieces meant by "ex05", "ex05_norm", "ex05.layernorm", or a unique piece name.

        No names: all pieces. Raises CourseError with near matches for an unknown or ambiguous name.
        """
        wanted = {piece.id for name in names for piece in self._named(name)}
        return tuple(piece for id, piece in self.pieces.items() if not names or id in wanted)

    def piece(self, name: str) -> Piece:
        """The one piece meant by `name`. CourseError where it is a whole exercise or unknown."""
        found = list(self._named(name))
        if len(found) != 1:
            choices = ", ".join(piece.id for piece in found)
            raise CourseError(
                _("{name} is {n} pieces; say which: {choices}").format(
                    name=name, n=len(found), choices=choices
                )
            )
        return found[0]

    def exercise(self, name: str) -> Exercise:
        """The exercise "ex05", "ex05_norm" or "ex05_norm.py"."""
        for exercise in self.exercises:
            if name.removesuffix(".py") in (exercise.id, exercise.short):
                return exercise
        raise CourseError(self._unknown(name, [e.id for e in self.exercises]))

    def _named(self, name: str) -> Iterator[Piece]:
        for exercise in self.exercises:
            if name.removesuffix(".py") in (exercise.id, exercise.short):
                return iter(exercise.pieces)
        full = name.partition(".")[0].partition("_")[0] + "." + name.partition(".")[2]
        if full in self.pieces:
            return iter([self.pieces[full]])
        alike = [piece for piece in self.pieces.values() if piece.name == name]
        if len(alike) == 1:
            return iter(alike)
        if alike:
            names = ", ".join(piece.id for piece in alike)
            raise CourseError(_("{name} is ambiguous: {names}").format(name=name, names=names))
        names = (
            [e.id for e in self.exercises]
            + list(self.pieces)
            + [p.name for p in self.pieces.values()]
        )
        raise CourseError(self._unknown(name, names))

    @staticmethod
    def _unknown(name: str, names: list[str]) -> str:
        near = difflib.get_close_matches(name, dict.fromkeys(names), n=3, cutoff=0.5)
        return _("there is no {name!r} in this course").format(name=name) + (
            _("; near: {all}").format(all=", ".join(near)) if near else ""
        )


def load(path: Path = MANIFEST) -> Course:
    """Read the manifest. Raises CourseError that names the file and the entry that is wrong."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CourseError(_("cannot read {path}: {error}").format(path=path, error=error)) from None
    for wrong in manifest.entries(table):
        where = wrong.where.replace(manifest.SHOWN, str(path))
        raise CourseError(f"{where}: {wrong.what}; {wrong.advice}")
    members = {
        entry["id"].split("_")[0]: [piece["name"] for piece in entry["piece"]]
        for entry in table["exercise"]
    }
    exercises = tuple(_exercise(entry, table["limits"], members) for entry in table["exercise"])
    course = Course(table["title"], table["version"], exercises)
    _check(course, path)
    return course


def _exercise(entry: dict, limits: dict, members: dict[str, list[str]]) -> Exercise:
    short = entry["id"].split("_")[0]
    seconds = limits | entry.get("limits", {})

    def full(need: str) -> str:
        """The full id: "softmax" -> "ex04.softmax" in ex04."""
        return f"{short}.{need}" if need in members[short] else need

    def ids(needs: list[str]) -> tuple[str, ...]:
        """Full ids; "ex03" -> all pieces of ex03."""
        return tuple(id for need in needs for id in _members(full(need), members))

    pieces = tuple(
        Piece(
            id=f"{short}.{piece['name']}",
            name=piece["name"],
            exercise=entry["id"],
            points=piece["points"],
            defines=tuple(piece["defines"]),
            needs=ids(piece["needs"]),
            hints=tuple(piece["hints"]),
            all_or_nothing=piece.get("all_or_nothing", False),
        )
        for piece in entry["piece"]
    )
    return Exercise(
        id=entry["id"],
        title=entry["title"],
        goal=entry["goal"],
        minutes=entry["minutes"],
        difficulty=entry["difficulty"],
        part=entry["part"],
        pieces=pieces,
        limits=Limits(
            seconds["import"], seconds["call"], seconds["exercise"], seconds.get("file_mib", 0)
        ),
        gradient=full(entry["gradient"]) if "gradient" in entry else None,
    )


def _members(need: str, members: dict[str, list[str]]) -> list[str]:
    return [f"{need}.{name}" for name in members[need]] if need in members else [need]


def _check(course: Course, path: Path) -> None:
    """Every need exists, and no piece needs itself however far round."""
    for exercise in course.exercises:
        if exercise.gradient is not None and exercise.gradient not in course.pieces:
            words = _("{path}: {id} has the gradient {gradient}, which is no piece")
            raise CourseError(words.format(path=path, id=exercise.id, gradient=exercise.gradient))
    for piece in course.pieces.values():
        for need in piece.needs:
            if need not in course.pieces:
                raise CourseError(
                    _("{path}: {id} needs {need}, which does not exist").format(
                        path=path, id=piece.id, need=need
                    )
                )
    for piece in course.pieces.values():
        if piece in course.closure(piece.needs):
            raise CourseError(_("{path}: {id} needs itself").format(path=path, id=piece.id))
