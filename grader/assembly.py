"""Which file each piece of the model comes from: the student's, or borrowed from the reference."""

from __future__ import annotations

import ast
import functools
from dataclasses import dataclass
from pathlib import Path

from .course import Course, Exercise
from .language import _

GIVEN = "microgpt"  # the file that runs on the student's first two exercises
SOURCE_LIMIT = 256 * 1024  # bytes; the longest solution has about 15 KiB


@dataclass(frozen=True)
class Source:
    """One of the student's files: its text; or what is wrong with it, in words."""

    path: Path
    shown: str  # as reports name it: "exercises/ex05_norm.py"
    text: str | None
    missing: bool = False
    problem: str = ""
    line: int = 1


@dataclass(frozen=True)
class Target:
    """A folder laid out as exercises/, read once: what is checked is what stood there then."""

    folder: Path
    name: str
    files: dict[str, Source]

    @classmethod
    def read(cls, folder: Path, course: Course, name: str | None = None) -> Target:
        name = name or folder.name
        names = [exercise.id for exercise in course.exercises] + [GIVEN]
        return cls(folder, name, {id: read(folder / f"{id}.py", f"{name}/{id}.py") for id in names})


def read(path: Path, shown: str) -> Source:
    """Read one source file: UTF-8, with or without a BOM, any line ends. Nothing is executed."""
    try:
        if not path.exists():
            return Source(
                path,
                shown,
                None,
                missing=True,
                problem=_("there is no file {shown}").format(shown=shown),
            )
        if not path.is_file():
            return Source(
                path, shown, None, problem=_("{shown} is not a regular file").format(shown=shown)
            )
        with path.open("rb") as file:
            data = file.read(SOURCE_LIMIT + 1)
    except OSError as error:
        return Source(
            path,
            shown,
            None,
            problem=_("{shown} cannot be read: {strerror}").format(
                shown=shown, strerror=error.strerror
            ),
        )
    return source(data, path, shown)


def source(data: bytes, path: Path, shown: str) -> Source:
    """What the bytes of a file are as Python source; nothing is parsed."""
    if len(data) > SOURCE_LIMIT:
        return Source(
            path,
            shown,
            None,
            problem=_("{shown} is larger than {source_limit} KiB").format(
                shown=shown, source_limit=SOURCE_LIMIT // 1024
            ),
        )
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        problem = _("it is UTF-16; save the file with the encoding UTF-8")
        return Source(path, shown, None, problem=problem)
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        return Source(
            path, shown, None, problem=_("it holds a NUL byte: not a text file"), line=line
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        problem = _("byte {start} is not UTF-8; save the file with the encoding UTF-8").format(
            start=error.start
        )
        return Source(path, shown, None, problem=problem, line=line)
    return Source(path, shown, text.replace("\r\n", "\n").replace("\r", "\n"))


@dataclass(frozen=True)
class Plan:
    """How to assemble the package for one worker.

    borrowed   for each exercise id, the names taken from the reference; None: the whole file
    """

    borrowed: tuple[tuple[str, frozenset[str] | None], ...] = ()

    @classmethod
    def of(cls, borrowed: dict[str, frozenset[str] | None]) -> Plan:
        return cls(tuple(sorted(borrowed.items())))

    def borrows(self, exercise: str, name: str) -> bool:
        """Whether the definition `name` of the exercise is the reference's."""
        names = dict(self.borrowed).get(exercise, frozenset())
        return names is None or name.split(".")[0] in names

    def modules(self, course: Course, target: Target, reference: Path) -> dict[str, dict]:
        """What the worker needs of each module, as plain data for the wire."""
        borrowed = dict(self.borrowed)
        modules = {
            exercise.id: self._module(exercise, target.files[exercise.id], borrowed, reference)
            for exercise in course.exercises
        }
        given = target.files[GIVEN]
        return modules | {GIVEN: {"file": given.shown, "source": given.text, "borrowed": None}}

    @staticmethod
    def _module(
        exercise: Exercise,
        source: Source,
        borrowed: dict[str, frozenset[str] | None],
        reference: Path,
    ) -> dict:
        lent = None
        if exercise.id in borrowed:
            names = borrowed[exercise.id]
            lent = lend(reference / exercise.file, names, pieces_of(exercise))
            if names is None:
                return {"file": source.shown, "source": None, "borrowed": lent}
        text = f"raise ImportError({source.problem!r})" if source.text is None else source.text
        return {"file": source.shown, "source": text, "borrowed": lent}


def pieces_of(exercise: Exercise) -> frozenset[str]:
    """The names that the exercise's pieces define: what a student writes, and the rest is given."""
    return frozenset().union(*(piece.units for piece in exercise.pieces))


@functools.cache
def lend(path: Path, names: frozenset[str] | None, written: frozenset[str]) -> dict:
    """The reference's source of `names`, and of nothing else that a student writes.

    Kept are imports, the names, and what they use in turn, but no definition in `written` that was
    not asked for: a worker never holds the reference of what it tests. Those come from the student.
    Cut-out lines are left blank, so that line numbers hold.
    """
    text = path.read_text("utf-8")
    shown = f"{path.parent.name}/{path.name}"
    if names is None:
        return {"file": shown, "source": text, "names": [], "from_student": []}
    tree = ast.parse(text)
    definitions = {name: node for node in tree.body for name in defined(node)}
    kept, from_student, open_ = set(), set(), sorted(names)
    while open_:
        name = open_.pop()
        if name in written and name not in names:
            from_student.add(name)
        elif name in definitions and name not in kept:
            kept.add(name)
            open_ += [node.id for node in ast.walk(definitions[name]) if isinstance(node, ast.Name)]
    lines = text.splitlines()
    for node in tree.body:
        imports = isinstance(node, (ast.Import, ast.ImportFrom))
        if not imports and not kept & set(defined(node)):
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
            lines[first - 1 : node.end_lineno] = [""] * (node.end_lineno - first + 1)
    source = "\n".join(lines)
    return {
        "file": shown,
        "source": source,
        "names": sorted(names & set(definitions)),
        "from_student": sorted(from_student & set(definitions)),
    }


def is_stub(node: ast.AST) -> bool:
    """Whether a stub's `raise NotImplementedError(...)` stands within."""
    return any(
        isinstance(found, ast.Raise)
        and "NotImplementedError" in {n.id for n in ast.walk(found) if isinstance(n, ast.Name)}
        for found in ast.walk(node)
    )


def defined(node: ast.stmt) -> list[str]:
    """The names that a top-level statement defines."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [
            name.id
            for target in node.targets
            for name in ast.walk(target)
            if isinstance(name, ast.Name)
        ]
    return []
