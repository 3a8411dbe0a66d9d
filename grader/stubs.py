"""solutions/ -> exercises/: the stubs, and an update that never loses a student's line.

A file in solutions/ is its stub plus the answers, each between nbgrader's two marker lines. The
stub is the same text with one `raise NotImplementedError("TODO softmax")` in place of each answer.

A new stub meets a file that a student has worked in. Three texts decide, line by line:

    base    the stub that the student started from
    mine    the student's file now
    stub    the new stub

What only the kit changed is taken over; what only the student changed stays. Where both changed the
same lines, the student's stay in force and the kit's follow as comments: the file still runs.
Whatever is overwritten is first copied to a backup.
"""

from __future__ import annotations

import ast
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from itertools import zip_longest
from pathlib import Path

from merge3 import Merge3

from . import writing
from .language import _, counted

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
BOM = b"\xef\xbb\xbf"
VERSIONS = 20  # how far back git is asked for the stub that a student started from

CONFLICT = (
    "# kit: The kit changed the lines above, too. Yours count; its own are, to take or to delete:"
)
CREATED, CURRENT, REPLACED, KEPT = "created", "current", "replaced", "kept"
MERGED, CONFLICTED, BESIDE = "merged", "conflicted", "beside"


class StubError(Exception):
    """A solution file cannot be turned into a stub. Says which file, which line, and what to do."""


@dataclass(frozen=True)
class Change:
    """What `update` did with one file: one of the words above, and a sentence for people."""

    file: str
    action: str
    message: str
    backup: Path | None = None


def generate(text: str, filename: str) -> str:
    """The stub of the solution `text`, which has "\\n" line ends; `filename` is for error messages.

    Raises StubError for markers that are unbalanced, nested or misspelt, and for an answer that is
    empty or does not stand in one function.
    """
    lines = text.split("\n")
    tree = _parse(text, filename)
    stub, done = [], 0
    for begin, end in _regions(lines, filename):
        stub += lines[done : begin - 1]
        stub.append(_todo(tree, lines, begin, end, filename))
        done = end
    stub += lines[done:]
    if done:
        _parse("\n".join(stub), _("the stub of {filename}").format(filename=filename))
    return "\n".join(stub)


def _regions(lines: list[str], filename: str) -> Iterator[tuple[int, int]]:
    """The line numbers, from 1, of each pair of markers."""
    begin = 0
    for number, line in enumerate(lines, 1):
        marker, where = line.strip(), f"{filename}:{number}"
        if marker == BEGIN and begin:
            raise StubError(
                _("{where}: a second BEGIN SOLUTION; end the one of line {line} first").format(
                    where=where, line=begin
                )
            )
        if marker == END and not begin:
            raise StubError(
                _("{where}: END SOLUTION without a BEGIN SOLUTION before it").format(where=where)
            )
        if marker == BEGIN:
            begin = number
        elif marker == END:
            yield begin, number
            begin = 0
        elif "BEGIN SOLUTION" in line.upper() or "END SOLUTION" in line.upper():
            raise StubError(
                _("{where}: write a marker alone on its line, as {begin} or {end}").format(
                    where=where, begin=BEGIN, end=END
                )
            )
    if begin:
        raise StubError(
            _("{filename}:{begin}: BEGIN SOLUTION without an END SOLUTION after it").format(
                filename=filename, begin=begin
            )
        )


def _todo(tree: ast.Module, lines: list[str], begin: int, end: int, filename: str) -> str:
    """The line that takes the place of the answer between the markers at `begin` and `end`."""
    where = f"{filename}:{begin}"
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    answer = [node for node in statements if begin < node.lineno < end]
    if not answer:
        raise StubError(
            _("{where}: there is no code between BEGIN SOLUTION and END SOLUTION").format(
                where=where
            )
        )
    first = min(answer, key=lambda node: node.lineno)
    last_line = max(node.end_lineno for node in answer)
    around = _definitions_around(statements, first.lineno, last_line)
    if not around or isinstance(around[-1], ast.ClassDef):
        raise StubError(
            _(
                "{where}: this answer is not inside one function; only a function is left to do"
            ).format(where=where)
        )
    indent = lines[begin - 1].partition("#")[0]
    if len(indent) != first.col_offset or last_line > end:
        raise StubError(
            _("{where}: put both markers around whole statements, at their indentation").format(
                where=where
            )
        )
    name = ".".join(node.name for node in around)
    return f'{indent}raise NotImplementedError("TODO {name}")'


def _definitions_around(statements: list[ast.stmt], first: int, last: int) -> list[ast.stmt]:
    """The classes and functions whose bodies hold the lines `first` to `last`, outermost first."""
    definitions = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in statements if isinstance(node, definitions)]
    around = [node for node in found if node.body[0].lineno <= first and last <= node.end_lineno]
    return sorted(around, key=lambda node: node.lineno)


def _parse(text: str, filename: str) -> ast.Module:
    try:
        return ast.parse(text, filename)
    except SyntaxError as error:
        raise StubError(
            _("{filename}:{lineno}: not valid Python: {msg}").format(
                filename=filename, lineno=error.lineno, msg=error.msg
            )
        ) from None


def check(solutions: Path, exercises: Path) -> list[str]:
    """One sentence for each file of `exercises` that is not the stub of its solution."""
    stubs = _stubs(solutions)
    drift = [_drift(stub, exercises / file) for file, stub in stubs.items()]
    strays = [path for path in sorted(exercises.glob("*.py")) if path.name not in stubs]
    drift += [
        _("{exercise} has no solution of that name").format(exercise=_shown(path))
        for path in strays
    ]
    return [sentence for sentence in drift if sentence]


def _drift(stub: str, exercise: Path) -> str | None:
    if not exercise.exists():
        return _("{exercise} is missing").format(exercise=_shown(exercise))
    try:
        mine = Source.read(exercise).text
    except UnicodeDecodeError:
        return _("{exercise} is not UTF-8 text").format(exercise=_shown(exercise))
    if mine == stub:
        return None
    lines = zip_longest(mine.split("\n"), stub.split("\n"), fillvalue=_("the end of the file"))
    number, (found, expected) = next(
        (number, pair) for number, pair in enumerate(lines, 1) if pair[0] != pair[1]
    )
    return _(
        "{exercise}:{number} differs from the stub of its solution: {found!r} where the "
        "stub has {expected!r}"
    ).format(
        exercise=_shown(exercise), number=number, found=found.strip(), expected=expected.strip()
    )


def update(solutions: Path, exercises: Path, base: Path) -> list[Change]:
    """Bring every file of `exercises` up to its new stub, keeping each line that a student wrote.

    `base` is the folder where the stubs handed out are remembered; backups go beside it. All stubs
    are made before the first file is written. Raises StubError, or OSError for a file that cannot
    be read or written.
    """
    stubs = _stubs(solutions)
    exercises.mkdir(parents=True, exist_ok=True)
    return [_update(solutions / file, exercises / file, stub, base) for file, stub in stubs.items()]


def _stubs(solutions: Path) -> dict[str, str]:
    """File name -> stub, for every solution."""
    files = sorted(solutions.glob("*.py"))
    if not files:
        raise StubError(
            _("{solutions}: there are no solutions here to make stubs from").format(
                solutions=solutions
            )
        )
    return {file.name: _stub(file) for file in files}


def _stub(solution: Path) -> str:
    try:
        text = Source.read(solution).text
    except UnicodeDecodeError as error:
        raise StubError(
            _("{solution}: not UTF-8 text: {error}").format(solution=_shown(solution), error=error)
        ) from None
    return generate(text, _shown(solution))


def _update(solution: Path, exercise: Path, stub: str, base: Path) -> Change:
    change = _bring_up(solution, exercise, stub, base)
    writing.write(base / exercise.name, stub.encode())
    return change


def _bring_up(solution: Path, exercise: Path, stub: str, base: Path) -> Change:
    """Decide by the three texts, and write what is decided."""
    if not exercise.exists():
        writing.write(exercise, stub.encode())
        return Change(
            exercise.name, CREATED, _("{exercise}: written").format(exercise=_shown(exercise))
        )
    try:
        source = Source.read(exercise)
    except UnicodeDecodeError:
        return _beside(
            exercise, stub, base, _("it is not UTF-8 text, so nothing was merged into it")
        )
    if source.text == stub:
        return Change(
            exercise.name,
            CURRENT,
            _("{exercise}: is the stub already").format(exercise=_shown(exercise)),
        )
    start = _nearest(source.text, _known_stubs(solution, base))
    if start is None:
        return _beside(exercise, stub, base, _("it is not known which stub it started from"))
    text, conflicts = merge(source.text, stub, start)
    if text == source.text:
        said = _("left alone; it holds work, and the kit has nothing new for it")
        return Change(exercise.name, KEPT, f"{_shown(exercise)}: {said}")
    if _is_python(source.text) and not _is_python(text):
        return _beside(exercise, stub, base, _("merging the new stub into it would break it"))
    backup = _back_up(exercise, base)
    writing.write(exercise, source.encode(text))
    action = REPLACED if source.text == start else CONFLICTED if conflicts else MERGED
    message = _("{exercise}: {said} (as it was: {backup})").format(
        exercise=_shown(exercise), said=_said(action, conflicts), backup=_shown(backup)
    )
    return Change(exercise.name, action, message, backup)


def merged(
    mine: bytes | None, stub: bytes, base: bytes | None, name: str
) -> tuple[Change, bytes | None]:
    """What becomes of the exercise `name`, and its new content, or None; nothing is written.

    The action BESIDE means that the content belongs in a file of its own. Raises UnicodeDecodeError
    where `mine` is not UTF-8.
    """
    if mine is None:
        return Change(name, CREATED, _("{name}: written").format(name=name)), stub
    source, new = Source.decode(mine), Source.decode(stub).text
    if source.text == new:
        return Change(name, CURRENT, _("{name}: is the stub already").format(name=name)), None
    if base is None:
        return beside(name, _("it is not known which stub it started from")), stub
    start = Source.decode(base).text
    text, conflicts = merge(source.text, new, start)
    if text == source.text:
        return Change(
            name, KEPT, _("{name}: left alone; the kit has nothing new for it").format(name=name)
        ), None
    if _is_python(source.text) and not _is_python(text):
        return beside(name, _("merging the new stub into it would break it")), stub
    action = REPLACED if source.text == start else CONFLICTED if conflicts else MERGED
    return Change(name, action, f"{name}: {_said(action, conflicts)}"), source.encode(text)


def beside(name: str, reason: str) -> Change:
    said = _("{name}: left alone, because {reason}; the new stub is {name}.new").format(
        name=name, reason=reason
    )
    return Change(name, BESIDE, said)


def _said(action: str, conflicts: int) -> str:
    if action == REPLACED:
        return _("replaced by the new stub; nothing had been changed in it")
    if action == MERGED:
        return _("what is new in the kit was added; your lines are as they were")
    places = counted("one place", "{n} places", conflicts)
    return _(
        "what is new in the kit was added; in {places} you and the kit changed the same "
        "lines: yours count, and the kit's stand below them as comments that begin with "
        '"# kit:"'
    ).format(places=places)


def _beside(exercise: Path, stub: str, base: Path, reason: str) -> Change:
    """Leave the exercise as it is, and put the new stub next to it."""
    new, data = exercise.with_name(exercise.name + ".new"), stub.encode()
    backup = None
    if not new.exists() or new.read_bytes() != data:
        backup = _back_up(new, base) if new.exists() else None
        writing.write(new, data)
    message = _("{exercise}: left alone, because {reason}; the new stub is {new}").format(
        exercise=_shown(exercise), reason=reason, new=_shown(new)
    )
    return Change(exercise.name, BESIDE, message, backup)


def merge(mine: str, stub: str, base: str) -> tuple[str, int]:
    """`mine` with what changed from `base` to `stub`, and in how many places both changed."""
    merged: list[str] = []
    conflicts = 0
    for kind, *parts in Merge3(base.split("\n"), mine.split("\n"), stub.split("\n")).merge_groups():
        if kind != "conflict":
            merged += parts[0]
            continue
        _, my_lines, kit_lines = parts
        merged += my_lines
        merged.append(CONFLICT)
        merged += [f"# kit: {line}".rstrip() for line in kit_lines or ["(nothing: they are gone)"]]
        conflicts += 1
    return "\n".join(merged), conflicts


def _is_python(text: str) -> bool:
    with warnings.catch_warnings():
        # What Python thinks of a student's escape sequences is not asked here.
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


def _known_stubs(solution: Path, base: Path) -> list[str]:
    """Stubs that the kit has handed out, the last one first: the one remembered, then those in git.

    Only a text made from a solution counts. A file of exercises/ in git may hold a student's work,
    and a line of theirs that stood in the base would pass for the kit's, and could go.
    """
    recorded = base / solution.name
    known = [Source.read(recorded).text] if recorded.exists() else []
    for text in _committed(solution):
        try:
            known.append(generate(text, solution.name))
        except StubError:
            continue  # a version with broken markers was never a stub
    return known


def _nearest(mine: str, known: list[str]) -> str | None:
    """The text of `known` that `mine` has most in common with, the first of equals."""
    lines = mine.split("\n")
    return max(
        known,
        key=lambda stub: SequenceMatcher(None, stub.split("\n"), lines, autojunk=False).ratio(),
        default=None,
    )


def _committed(solution: Path) -> list[str]:
    """The last versions of a solution in git, newest first; none without git or a history."""
    log = _git(solution, "log", f"-{VERSIONS}", "--format=%H", "--", solution.name)
    versions = [_git(solution, "show", f"{commit}:./{solution.name}") for commit in log.split()]
    return [text for text in versions if text]


def _git(solution: Path, *command: str) -> str:
    """What git says in the folder of `solution`, or "" where it cannot say."""
    try:
        done = subprocess.run(
            ["git", *command], cwd=solution.parent, capture_output=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    said = done.stdout.decode("utf-8-sig", "replace").replace("\r\n", "\n")
    return said if done.returncode == 0 else ""


@dataclass(frozen=True)
class Source:
    """A text with "\\n" line ends, and how its file writes it."""

    text: str
    bom: bool = False
    crlf: bool = False

    @classmethod
    def read(cls, path: Path) -> Source:
        return cls.decode(path.read_bytes())

    @classmethod
    def decode(cls, data: bytes) -> Source:
        """Raises UnicodeDecodeError where `data` is not UTF-8."""
        crlf = data.count(b"\r\n") * 2 > data.count(b"\n")
        text = data.removeprefix(BOM).decode().replace("\r\n", "\n")
        return cls(text, data.startswith(BOM), crlf)

    def encode(self, text: str) -> bytes:
        """`text` as this file writes it."""
        data = (text.replace("\n", "\r\n") if self.crlf else text).encode()
        return BOM + data if self.bom else data


def _back_up(path: Path, base: Path) -> Path:
    """Copy `path` to a name that no backup has had. Returns the copy."""
    stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S.%f")
    backup = base.parent / "backup" / f"{path.name}.{stamp}"
    backup.parent.mkdir(parents=True, exist_ok=True)
    with backup.open("xb") as copy:
        copy.write(path.read_bytes())
    return backup


def _shown(path: Path) -> str:
    """A path as people say it: "exercises/ex05_norm.py"."""
    return f"{path.parent.name}/{path.name}"
