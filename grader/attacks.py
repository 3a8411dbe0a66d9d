"""The corpus of attacks: what it holds, what each earned against which design, and the table of it.

An attack is a submission that wants more, or worse, than its answers are worth. It is tried in an
arena (arena.py), beside an honest submission that is marked after it. It wins if it earned what its
own returned values did not, changed the other's mark, left something behind, was told a secret,
reached what it must not reach, got no result at all, or ran on.
"""

from __future__ import annotations

import importlib.util
import inspect
import re
import shutil
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from .course import ROOT
from .language import _

CORPUS = ROOT / "tests" / "kit" / "attacks"
OWN, NEXT = "attack", "next"  # the names under which the two are handed in
SECRETS = {
    "CANARY-home": "a file of the teacher's",
    "CANARY-environment": "the environment",
    "CANARY-next": "another submission",
    "CANARY-gradebook": "the gradebook",
    "CANARY-tests": "the hidden tests",
    "31337.2718": "the inputs of the hidden tests",
    "REACHED": "what it must not reach",
}
RAW = re.compile("\x1b\\]|\x1b\\[2J|\x1b\\[32m|\x9b|\u202e|\u2066|\x07")
SCRIPT = "<script>alert"
NAIVE_SECONDS = 15.0  # that a design without limits is waited for
NORMS = "ex05_norm"
LAST = {NORMS: "def layernorm", "ex01_tokenizer": "def decode"}  # the piece that is taken out
ANSWER = re.compile(r"^( *)### BEGIN SOLUTION\n.*?### END SOLUTION\n", re.DOTALL | re.MULTILINE)
HEADER = re.compile(r"^(exercise|earns|seconds|select|with): (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Design:
    """A way to mark, as the table names it. Those of the kit are commands of `mark`."""

    name: str
    says: str
    naive: bool = False
    sealed: bool = False  # by the operating system


DESIGNS = {
    design.name: design
    for design in (
        Design("in-process", "student's code imported by the pytest process", naive=True),
        Design("junit", "pytest as a subprocess, verdict read from JUnit XML", naive=True),
        Design("worker", "checker + worker process, data-only protocol, no OS isolation"),
        Design("landlock", "the same + rlimits + Landlock + seccomp allowlist", sealed=True),
        Design("bubblewrap", "the same + rlimits + bubblewrap + seccomp allowlist", sealed=True),
    )
}


@dataclass(frozen=True)
class Attack:
    """One hostile or broken submission. Its `name` begins with its family: "hangs/deadlock".

    wants, fails   a sentence each: what it is after, and why it does not get it
    earns          the points that its own returned values earn, of the pieces in `select`
    seconds        that marking it may take, with all else that `mark` does
    """

    name: str
    wants: str
    fails: str
    make: Callable[[Path], None]
    id: str = OWN
    earns: tuple[float, ...] = (8.0,)
    seconds: float = 30.0
    select: tuple[str, ...] = ("ex05",)

    @property
    def family(self) -> str:
        return self.name.partition("/")[0]


@dataclass(frozen=True)
class Outcome:
    """What came of one attack on one design. `won` says how it won; "" if it did not."""

    attack: str
    design: str
    won: str
    mark: float | None = None
    seconds: float = 0.0


@cache
def corpus(folder: Path = CORPUS) -> tuple[Attack, ...]:
    """All attacks, by family and name."""
    found = [*texts(folder), *makers(folder), *names(folder)]
    return tuple(sorted(found, key=lambda attack: attack.name))


def select(names: list[str]) -> list[Attack]:
    """The attacks named, or of the families named; without names, all."""
    return [a for a in corpus() if not names or a.name in names or a.family in names]


def texts(folder: Path) -> Iterator[Attack]:
    """Attacks that are code: a file each, put at the end of an otherwise honest half."""
    for path in folder.glob("*/*.py"):
        header = path.read_text("utf-8").split('"""')[1]
        make = partial(write, path, dict(HEADER.findall(header)))
        yield Attack(f"{path.parent.name}/{path.stem}", make=make, **described(header))


def makers(folder: Path) -> Iterator[Attack]:
    """Attacks that are no text, or no file: a function each, which changes an honest half."""
    for family in ("archives", "broken", "files"):
        for name, make in vars(module(folder / f"{family}.py")).items():
            if inspect.isfunction(make) and (make.__doc__ or "").startswith("Wants"):
                header = described(inspect.getdoc(make))
                yield Attack(f"{family}/{name}", make=partial(change, make), **header)


def names(folder: Path) -> Iterator[Attack]:
    """Attacks that are the name of the submission."""
    ids = module(folder / "ids.py")
    wants, fails = (ids.__doc__.split("\n\n")[part].replace("\n", " ") for part in (0, 1))
    for name, id in ids.IDS.items():
        yield Attack(f"ids/{name}", wants, fails, make=half, id=id, earns=(0.0, 8.0))


def module(path: Path) -> types.ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def described(header: str) -> dict:
    """The fields of an attack that its header gives."""
    keys = dict(HEADER.findall(header))
    wants, fails = (" ".join(part.split()) for part in HEADER.sub("", header).split("\n\n")[:2])
    own = keys.get("exercise", NORMS).partition("_")[0]
    fields = {"wants": wants, "fails": fails, "select": tuple(keys.get("select", own).split())}
    if "earns" in keys:
        fields["earns"] = tuple(map(float, keys["earns"].split()))
    if "seconds" in keys:
        fields["seconds"] = float(keys["seconds"])
    return fields


# what they are made of


def half(folder: Path, exercise: str = NORMS) -> Path:
    """An honest half of an exercise: the reference, without the answer of its last piece."""
    text = (ROOT / "solutions" / f"{exercise}.py").read_text("utf-8")
    before, definition, after = text.partition(LAST[exercise])
    after = ANSWER.sub(r'\1raise NotImplementedError("to be written")\n', after, count=1)
    folder.mkdir(exist_ok=True)
    path = folder / f"{exercise}.py"
    path.write_text(before + definition + after, "utf-8")
    return path


def write(source: Path, keys: dict[str, str], folder: Path) -> None:
    """The half, and the attack's own lines after it; and whole files of the reference."""
    base = half(folder, keys.get("exercise", NORMS))
    code = source.read_text("utf-8").split('"""', 2)[2]
    base.write_text(base.read_text("utf-8") + "\n\n" + code, "utf-8")
    for exercise in keys.get("with", "").split():
        shutil.copy(ROOT / "solutions" / f"{exercise}.py", folder)


def change(make: Callable[[Path], None], folder: Path) -> None:
    half(folder)
    make(folder)


# what came of them


def outcome(attack: Attack, design: Design, found: dict | None) -> Outcome:
    """The outcome, from what the arena found; None if nobody was left to say."""
    if found is None:
        return Outcome(attack.name, design.name, _("it ended the grader and all around it"))
    won = "; ".join(victories(attack, design, found))
    return Outcome(attack.name, design.name, won, found["marks"].get(OWN), found["seconds"])


def victories(attack: Attack, design: Design, found: dict) -> Iterator[str]:
    """In which ways the attack won."""
    mark, following = found["marks"].get(OWN), found["marks"].get(NEXT)
    if mark is None:
        yield _("it got no result")
    elif mark > max(attack.earns):
        yield _("it earned {mark:g} instead of {due:g}").format(mark=mark, due=max(attack.earns))
    if following != found["full"]:
        words = _("the next submission earned {mark} instead of {due:g}")
        yield words.format(mark=following, due=found["full"])
    for secret, where in SECRETS.items():
        if secret in found["told"]:
            yield _("it got hold of {what}").format(what=where)
    if RAW.search(found["shown"]) or SCRIPT in found["pages"]:
        yield _("its text reached a report as it was")
    if found["left"]:
        yield _("it left behind {what}").format(what=", ".join(found["left"][:3]))
    if found["seconds"] > (NAIVE_SECONDS if design.naive else attack.seconds):
        yield _("it took {seconds:.0f} seconds").format(seconds=found["seconds"])


# the table


def table(outcomes: list[Outcome]) -> list[list[str]]:
    """Rows of text: for each family how many of its attacks won against which design."""
    designs = [name for name in DESIGNS if any(o.design == name for o in outcomes)]
    rows = [["family", "attacks", *designs]]
    for family in [*dict.fromkeys(o.attack.partition("/")[0] for o in outcomes), "all"]:
        chosen = [o for o in outcomes if family in ("all", o.attack.partition("/")[0])]
        count = len({o.attack for o in chosen})
        won = [str(sum(bool(o.won) for o in chosen if o.design == design)) for design in designs]
        rows.append([family, str(count), *won])
    return rows


def markdown(outcomes: list[Outcome]) -> str:
    """The table as Markdown, after one of what the designs are."""
    count = len({outcome.attack for outcome in outcomes})
    lines = [f"| design | attacks (of {count}) that won |", "|---|---|"]
    for name, design in DESIGNS.items():
        chosen = [outcome for outcome in outcomes if outcome.design == name]
        if chosen:
            lines.append(f"| {name}: {design.says} | {sum(bool(o.won) for o in chosen)} |")
    head, *rows = table(outcomes)
    lines += ["", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def show(outcomes: list[Outcome]) -> None:
    """The table on the terminal."""
    from rich.console import Console
    from rich.table import Table

    head, *rows, total = table(outcomes)
    board = Table(title="attacks that won", show_footer=True)
    for column, (title, foot) in enumerate(zip(head, total)):
        board.add_column(title, foot, justify="right" if column else "left")
    for row in rows:
        board.add_row(*row)
    Console().print(board)
