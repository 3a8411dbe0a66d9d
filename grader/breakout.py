"""Tries, on this machine, what a hostile submission would: is marking safe here?

Each attempt runs in a real worker, started as `mark` starts it. It is refused if it returns empty
hands, or if the worker was ended for it.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import os
import secrets
import site
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .course import ROOT
from .isolation import Isolation, interpreter, libraries
from .language import _
from .process import Crashed, TimedOut, Worker
from .wire import WireError

SECONDS = 10.0  # for an attempt that should return
MOMENT = 0.5  # for one that never does
LIMITS = {"memory_mib": 2048, "cpu_seconds": 20, "file_mib": 2}
TRIES = "tries"  # the file of the attempts, and the name of their module
REFUSALS = {"OSError", "PermissionError", "MemoryError"}
SHOWN = 60  # characters of what was got hold of


@dataclass(frozen=True)
class Attempt:
    """What is tried, in words, and the function of tries.py with its arguments."""

    wants: str
    name: str
    arguments: tuple = ()
    seconds: float = SECONDS
    after: str = ""  # a function to call first, in a worker before this one
    seen: Callable[[], str] = lambda: ""  # what the checker itself noticed


@dataclass(frozen=True)
class Outcome:
    """What came of it: `got` is empty where the attempt was refused; `how` says what ended it."""

    attempt: Attempt
    got: str
    how: str

    @property
    def refused(self) -> bool:
        return not self.got


def outcomes(isolation: Isolation) -> Iterator[Outcome]:
    """Try everything, one after the other. Raises NotStarted where no worker starts."""
    with planted() as attempts, contextlib.closing(Worker(isolation)) as worker:
        for attempt in attempts:
            yield tried(worker, attempt)


def first_outcomes(isolation: Isolation) -> list[Outcome]:
    """The few attempts that say in a moment whether the isolation holds at all."""
    files = [__file__, *SYSTEM_FILES]
    attempts = [
        Attempt(_("start a process"), "fork"),
        Attempt(_("open a socket"), "connect"),
        Attempt(_("read files"), "opened", (files,)),
        Attempt(_("look into processes"), "processes", (["self"],)),
    ]
    with contextlib.closing(Worker(isolation)) as worker:
        return [tried(worker, attempt) for attempt in attempts]


def tried(worker: Worker, attempt: Attempt) -> Outcome:
    """Run one attempt in a fresh worker."""
    if attempt.after:
        call(worker, attempt.after, (), SECONDS)
    got, how = call(worker, attempt.name, attempt.arguments, attempt.seconds)
    return Outcome(attempt, (got or attempt.seen())[:SHOWN], how)


def call(worker: Worker, name: str, arguments: tuple, seconds: float) -> tuple[str, str]:
    """What the function got hold of, and how it ended."""
    source = Path(__file__).with_name(f"{TRIES}.py").read_text("utf-8")
    module = {"file": f"{TRIES}.py", "source": source, "borrowed": None}
    load = {"op": "load", "exercise": TRIES, "modules": {TRIES: module}, "names": {}}
    worker.begin()
    worker.ask({"op": "limit", "limits": LIMITS}, SECONDS)
    worker.ask(load, SECONDS)
    request = {"op": "call", "name": name, "args": list(arguments), "kwargs": {}}
    try:
        answer = worker.ask(request, seconds)
    except TimedOut:
        return "", _("its time was over, and it was stopped")
    except Crashed as error:  # a worker that has become another program ends well
        became = worker.ended.code == 0
        return (_("another program ran") if became else ""), str(error)
    except WireError as error:
        return "", str(error)
    if "error" in answer:
        kind = answer["error"]["type"]
        return ("" if kind in REFUSALS else _("the attempt broke: {kind}").format(kind=kind)), kind
    return ", ".join(map(str, answer.get("value") or ())), ""


@contextlib.contextmanager
def planted() -> Iterator[list[Attempt]]:
    """The attempts, with something to be found by each, and nothing left of it afterwards."""
    secret = secrets.token_hex(8)
    memory = ctypes.create_string_buffer(secret.encode())
    place = (ctypes.addressof(memory), len(secret))
    checker = [os.getpid()]
    with tempfile.TemporaryDirectory(prefix="glassbox-") as folder:
        file = Path(folder, "marks.txt")
        file.write_text(secret, "utf-8")
        mode = file.stat().st_mode

        def locked() -> str:
            return "" if file.stat().st_mode == mode else _("the file's rights changed")

        def changed() -> str:
            return "" if memory.value == secret.encode() else _("the checker's memory changed")

        os.environ["GLASSBOX_SECRET"] = secret
        try:
            yield [
                Attempt(_("start a process"), "fork"),
                Attempt(_("run a program"), "execute", (["/bin/true", "/usr/bin/true"],)),
                Attempt(_("open a socket"), "connect"),
                Attempt(_("read the system's files"), "opened", (SYSTEM_FILES,)),
                Attempt(_("read the hidden tests"), "opened", (under("tests", "hidden"),)),
                Attempt(_("read the solutions"), "opened", (under("solutions"),)),
                Attempt(_("read your home folder"), "opened", (at_home(),)),
                Attempt(_("read another's marks"), "opened", ([str(file), folder],)),
                Attempt(_("lock another's marks"), "modes", (str(file),), seen=locked),
                Attempt(_("write elsewhere"), "write", (elsewhere(folder),)),
                Attempt(_("look into processes"), "processes", (["self", "1", *checker],)),
                Attempt(_("trace the checker"), "trace", (checker,)),
                Attempt(_("read the checker's memory"), "peek", (checker, *place)),
                Attempt(_("write the checker's memory"), "poke", (checker, *place), seen=changed),
                Attempt(_("send a signal"), "signal", (checker,)),
                Attempt(_("other doors of the system"), "kernel"),
                Attempt(_("import what is installed"), "install", (installed(), site_folders())),
                Attempt(_("read the environment"), "variables", (["GLASSBOX_SECRET", "HOME"],)),
                Attempt(_("take more memory"), "memory", (3072,)),
                Attempt(_("lift its limits"), "limits"),
                Attempt(_("fill the disk"), "fill", (128,)),
                Attempt(_("print without end"), "flood", (48,)),
                Attempt(_("never return"), "hang", seconds=MOMENT),
                Attempt(_("never return, and not listen"), "stop", seconds=MOMENT),
                Attempt(_("leave files to the next"), "find", after="leave"),
            ]
        finally:
            del os.environ["GLASSBOX_SECRET"]


SYSTEM_FILES = ["/etc/passwd", "/etc/hostname", "/etc/ssl", "/home", "/var/log", "/sys", "/dev/shm"]


def under(*parts: str) -> list[str]:
    """A folder of the course and its files; one that is not there still must not be found."""
    folder = ROOT.joinpath(*parts)
    return [str(path) for path in (folder, *sorted(folder.glob("*.py")))]


def at_home() -> list[str]:
    """What stands in the home folder, but for the way to Python, if that leads through it."""
    ways = {*libraries(), Path(interpreter())}
    entries = sorted(Path.home().iterdir())
    return [str(e) for e in entries if not any(way.is_relative_to(e) for way in ways)]


def elsewhere(folder: str) -> list[str]:
    """Folders that are not the submission's own."""
    places = (folder, ROOT, Path.home(), tempfile.gettempdir(), "/dev/shm", "/", "/etc", "/course")
    return [*map(str, places), sysconfig.get_path("stdlib"), *site_folders()]


def site_folders() -> list[str]:
    return sorted({*site.getsitepackages(), *map(sysconfig.get_path, ("purelib", "platlib"))})


def installed() -> list[str]:
    """What can be imported here and is not the course's, as scipy would be."""
    names = set(importlib.metadata.packages_distributions()) - {"numpy"}
    ours = {name for name in names if name.isidentifier() and not name.startswith("_")}
    return sorted({*ours, "scipy", "torch", "pytest"} - set(sys.stdlib_module_names))


def render(name: str, found: list[Outcome]) -> str:
    """One line for each attempt, and what follows from all."""
    lines = [_("Kept apart by {name}:").format(name=name), ""]
    for outcome in found:
        word = _("refused") if outcome.refused else _("NOT refused")
        what = outcome.how if outcome.refused else _("got {what}").format(what=outcome.got)
        lines.append(f"{word:<12}  {outcome.attempt.wants:<28}  {what}".rstrip())
    refused = sum(outcome.refused for outcome in found)
    summary = _("{n} of {all} attacks refused").format(n=refused, all=len(found))
    safe = _("submissions can be marked here") if refused == len(found) else _("do not mark here")
    return "\n".join([*lines, "", f"{summary}: {safe}"]) + "\n"
