"""Submissions that are half right: the reference with known mistakes written into its files."""

from __future__ import annotations

import ast
import inspect
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from . import stubs
from .assembly import Target
from .diagnosis import Mutant
from .language import _
from .variants import Setting, by_id

REBIND = """

_home, _was, {function}.__name__ = {home}, {was}, {last!r}
for _name in [name for name, value in _home.items() if value is _was]:
    {bind}
"""


class SubmissionError(Exception):
    """The list of submissions is wrong; the message says where."""


@dataclass(frozen=True)
class Submission:
    """What is wrong with one, and what is not done yet.

    mistakes   ids of mutants, "ex05.layernorm_fixed_eps", at most one for a definition
    todo       ids of exercises that are stubs still
    """

    name: str
    mistakes: tuple[str, ...] = ()
    todo: tuple[str, ...] = ()

    def target(self, setting: Setting) -> Target:
        """What a folder of its files would be read as. Raises SubmissionError."""
        target = Target.read(setting.reference, setting.course, self.name)
        files = {
            id: replace(file, shown=f"{self.name}/{id}.py") for id, file in target.files.items()
        }
        for id in self.todo:
            if id not in files:
                raise SubmissionError(
                    _("{name}: there is no exercise {id!r}").format(name=self.name, id=id)
                )
            files[id] = replace(files[id], text=stubs.generate(files[id].text, f"{id}.py"))
        for id in self.mistakes:
            mutant = by_id(setting.mutants).get(id)
            if mutant is None:
                raise SubmissionError(
                    _("{name}: there is no mutant {id!r}").format(name=self.name, id=id)
                )
            file = files[mutant.exercise]
            files[mutant.exercise] = replace(file, text=written_in(file.text, mutant))
        return replace(target, files=files)


def read(path: Path) -> tuple[Submission, ...]:
    """The submissions that a file lists. Raises SubmissionError."""
    try:
        entries = tomllib.loads(path.read_text("utf-8"))["submission"]
        return tuple(
            Submission(entry["name"], tuple(entry["mistakes"]), tuple(entry.get("todo", ())))
            for entry in entries
        )
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise SubmissionError(
            _("cannot read {path}: {error}").format(path=path, error=error)
        ) from None
    except KeyError as error:
        raise SubmissionError(
            _("{path}: {error} is missing").format(path=path, error=error)
        ) from None


def written_in(text: str, mutant: Mutant) -> str:
    """The file with a mutant behind it, in place of what it is a mutant of."""
    *owner, last = mutant.name.split(".")
    function = mutant.function.__name__
    home = f"vars({owner[0]})" if owner else "globals()"
    rebind = REBIND.format(
        function=function,
        home=home,
        was=f"{home}[{last!r}]",
        last=last,
        bind=f"setattr({owner[0]}, _name, {function})" if owner else f"_home[_name] = {function}",
    )
    return "\n\n".join([text, *code_of(mutant, text)]) + rebind


def code_of(mutant: Mutant, text: str) -> Iterator[str]:
    """The source of a mutant, behind that of all it uses in its file and not in `text`."""
    file = ast.parse(Path(inspect.getsourcefile(mutant.function)).read_text("utf-8"))
    there = {name for node in ast.parse(text).body for name in names_of(node)}
    here = {name: node for node in file.body for name in names_of(node) if name not in there}
    open_, taken = [mutant.function.__name__], []
    while open_:
        node = here.get(open_.pop())
        if node is None or node in taken:
            continue
        decorators = getattr(node, "decorator_list", [])
        if decorators and isinstance(decorators[0], ast.Call):  # which registers it
            del decorators[0]
        taken.append(node)
        open_ += [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]
    for node in sorted(taken, key=file.body.index):
        yield ast.unparse(node)


def names_of(node: ast.stmt) -> list[str]:
    """The names that a statement at the top of a file binds."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return [alias.asname or alias.name.split(".")[0] for alias in node.names]
    stored = (n for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    return [name.id for name in stored]
