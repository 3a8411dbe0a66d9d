"""What is wrong with a set-up, in one screen, and what to do about it.

Each check looks at one thing. Nothing here may need what it looks at: at the top stand only modules
of Python itself, and a check that fails in a way nobody thought of is a finding, too.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TextIO

from .language import _, counted, later

OK, LOOK, BROKEN = later("ok"), later("look"), later("broken")
PYTHON = (3, 11)
MIB = 2**20
LITTLE, TOO_LITTLE = 500 * MIB, 50 * MIB  # of free disk space
NARROW = 60  # columns
FUTURE = 120.0  # seconds that two clocks may differ
BUILT = datetime(2026, 1, 1).timestamp()  # no clock is right that says less
SLOW, PATIENCE = 3.0, 30.0  # seconds for a worker to start
INDENT = 18  # columns before what is found
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True)
class Finding:
    """What one check found: a state, the thing, the fact, and where it is not ok what to do."""

    state: str
    thing: str
    fact: str
    advice: str = ""


@dataclass(frozen=True)
class Setup:
    """What is looked at."""

    root: Path
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    screen: TextIO = field(default_factory=lambda: sys.stdout)

    @property
    def exercises(self) -> Path:
        return self.root / "exercises"

    @property
    def run(self) -> str:
        """How a command is run here."""
        folder = "Scripts" if os.name == "nt" else "bin"
        return str(Path(".venv", folder, "python")) + " -m grader"


def examine(root: Path) -> list[Finding]:
    """Everything that the checks find, in order."""
    setup = Setup(root)
    return [finding for name, check in CHECKS.items() for finding in guarded(name, check, setup)]


def guarded(name: str, check: Check, setup: Setup) -> list[Finding]:
    """What the check finds; that it could not look is a finding, too."""
    try:
        return list(check(setup))
    except Exception as error:
        fact = _("could not be looked at: {name}: {error}").format(
            name=type(error).__name__, error=error
        )
        return [Finding(BROKEN, _(name), fact, _("show this line to whoever gave you the course"))]


def render(findings: list[Finding], encoding: str | None = None) -> str:
    """One line for each, and one for what to do; nothing that `encoding` could not write."""
    lines = []
    for finding in findings:
        lines.append(f"{_(finding.state):<6}  {finding.thing:<8}  {finding.fact}")
        lines += [f"{'':{INDENT}}{finding.advice}"] if finding.advice else []
    counts = {s: sum(finding.state == s for finding in findings) for s in (BROKEN, LOOK)}
    if any(counts.values()):
        lines += [
            "",
            _("{broken} broken, {look} to look at").format(
                broken=counts[BROKEN], look=counts[LOOK]
            ),
        ]
    else:
        lines += ["", _("nothing is wrong")]
    encoding = encoding or "ascii"
    text = "".join(CONTROLS.sub("?", line) + "\n" for line in lines)
    return text.encode(encoding, "backslashreplace").decode(encoding)


# the checks


def python(setup: Setup) -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON:
        yield Finding(
            BROKEN,
            "Python",
            _("{version}; the course needs 3.11 or later").format(version=version),
            _("install one from https://www.python.org/downloads, then: make setup"),
        )
    else:
        yield Finding(OK, "Python", f"{version}, {sys.executable}")


def venv(setup: Setup) -> Iterator[Finding]:
    own = setup.root / ".venv"
    if Path(sys.prefix).resolve() == own.resolve():
        yield Finding(OK, _("venv"), _(".venv of this folder"))
    elif not own.exists():
        yield Finding(LOOK, _("venv"), _("there is no .venv here yet"), _("make it: make setup"))
    elif not any((own / name).exists() for name in ("bin/python", "Scripts/python.exe")):
        yield Finding(
            BROKEN, _("venv"), _(".venv has no Python (any more)"), _("make it anew: make setup")
        )
    else:
        where = sys.prefix if sys.prefix != sys.base_prefix else _("none")
        yield Finding(
            LOOK,
            _("venv"),
            _("in use: {where}, not .venv").format(where=where),
            _("run {run} doctor").format(run=setup.run),
        )


def packages(setup: Setup) -> Iterator[Finding]:
    """The versions installed, beside those that the course is tested with."""
    found = {name: (installed(name), pin) for name, pin in pins(setup.root).items()}
    missing = [name for name, (version, _pin) in found.items() if version is None]
    other = [
        _("{name} {version} (tested with {pin})").format(name=name, version=version, pin=pin)
        for name, (version, pin) in found.items()
        if version not in (None, pin)
    ]
    if missing:
        fact = _("not installed: {all}").format(all=", ".join(missing))
        yield Finding(BROKEN, _("packages"), fact, _("install them: make setup"))
    if other:
        advice = _("if anything is odd, install the tested ones: make clean setup")
        yield Finding(LOOK, _("packages"), ", ".join(other), advice)
    if not missing and not other:
        versions = ", ".join(f"{name} {version}" for name, (version, _pin) in found.items())
        yield Finding(OK, _("packages"), versions)


def pins(root: Path) -> dict[str, str]:
    """The packages that the course itself imports: the first block of the student's list."""
    first = (root / "requirements" / "student.txt").read_text("utf-8").split("\n\n")[0]
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", first, flags=re.MULTILINE))


def installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def course(setup: Setup) -> Iterator[Finding]:
    from . import course as courses

    try:
        found = courses.load(setup.exercises / "manifest.toml")
    except courses.CourseError as error:
        advice = _("take exercises/manifest.toml from the course again")
        yield Finding(BROKEN, _("course"), str(error), advice)
    else:
        fact = _("{title} {version}, {n} exercises").format(
            title=found.title, version=found.version, n=len(found.exercises)
        )
        yield Finding(OK, _("course"), fact)


def exercises(setup: Setup) -> Iterator[Finding]:
    """Whether each file can be read, and as what."""
    from . import course as courses
    from .assembly import Target

    found = courses.load(setup.exercises / "manifest.toml")
    sources = Target.read(setup.exercises, found).files.values()
    for source in sources:
        if source.missing:
            advice = _("bring it back: {run} reset {exercise}").format(
                run=setup.run, exercise=source.path.stem
            )
            yield Finding(LOOK, _("files"), source.problem, advice)
        elif source.text is None:
            fact = f"{source.shown}:{source.line}: {source.problem}"
            advice = _("mend it in your editor, or go back: {run} undo {exercise}").format(
                run=setup.run, exercise=source.path.stem
            )
            yield Finding(BROKEN, _("files"), fact, advice)
    if all(source.text is not None for source in sources):
        yield Finding(OK, _("files"), _("{n} exercise files, all UTF-8").format(n=len(sources)))


def terminal(setup: Setup) -> Iterator[Finding]:
    screen, environment = setup.screen, setup.environment
    encoding = (screen.encoding or "ascii").lower()
    if "utf" not in encoding:
        advice = _("plain letters are shown; for all: set PYTHONUTF8=1, or run through make")
        yield Finding(
            LOOK, _("terminal"), _("encoding {encoding}").format(encoding=encoding), advice
        )
    if not screen.isatty():
        yield Finding(OK, _("terminal"), _("none: reports are plain text"))
        return
    columns = shutil.get_terminal_size().columns
    if columns < NARROW:
        advice = _("make the window wider: the board needs {columns}").format(columns=NARROW)
        yield Finding(LOOK, _("terminal"), _("{columns} columns").format(columns=columns), advice)
    plain = "NO_COLOR" in environment or environment.get("TERM") in ("dumb", "unknown")
    colours = _("no colours (NO_COLOR or TERM): plain text") if plain else _("colours")
    yield Finding(
        OK,
        _("terminal"),
        _("{columns} columns, {colours}, {encoding}").format(
            columns=columns, colours=colours, encoding=encoding
        ),
    )


def clock(setup: Setup) -> Iterator[Finding]:
    """Whether files come from the future: then make sets up again and again."""
    now = time.time()
    files = [*setup.exercises.glob("*.py"), *setup.root.glob("requirements/*.txt")]
    ahead = {path: path.stat().st_mtime - now for path in files}
    newest = max(ahead, key=lambda path: ahead[path], default=None)
    if now < BUILT:
        fact = _("it says {time:%Y-%m-%d}, which cannot be").format(time=datetime.now())
        yield Finding(LOOK, _("clock"), fact, _("set date and time in the system's settings"))
    elif newest and ahead[newest] > FUTURE:
        fact = _("{name} is dated {duration} in the future").format(
            name=newest.name, duration=duration(ahead[newest])
        )
        yield Finding(
            LOOK, _("clock"), fact, _("set the clock right, then save that file once more")
        )
    else:
        yield Finding(
            OK, _("clock"), _("{time:%Y-%m-%d %H:%M}, no file is newer").format(time=datetime.now())
        )


def duration(seconds: float) -> str:
    if seconds >= 86400:
        return counted("{n} day", "{n} days", round(seconds / 86400))
    if seconds >= 3600:
        return counted("{n} hour", "{n} hours", round(seconds / 3600))
    return counted("{n} minute", "{n} minutes", round(seconds / 60))


def disk(setup: Setup) -> Iterator[Finding]:
    temporary = Path(tempfile.gettempdir())
    free = {where: shutil.disk_usage(where).free for where in (setup.root, temporary)}
    for where, left in free.items():
        if left < LITTLE:
            state = BROKEN if left < TOO_LITTLE else LOOK
            fact = _("{left} MiB free in {where}").format(left=left // MIB, where=where)
            yield Finding(state, _("disk"), fact, _("delete what you do not need there"))
    if min(free.values()) >= LITTLE:
        yield Finding(
            OK, _("disk"), _("{n:.0f} GiB free").format(n=min(free.values()) / 1024 / MIB)
        )


def permissions(setup: Setup) -> Iterator[Finding]:
    """Whether work can be saved, and remembered."""
    state = setup.root / ".glassbox"
    places = (setup.exercises, state if state.exists() else setup.root)
    refused = [str(error) for place in places if (error := refusal(place))]
    files = [*setup.exercises.glob("*.py")]
    refused += [
        _("{path} cannot be written").format(path=path)
        for path in files
        if not os.access(path, os.W_OK)
    ]
    for fact in refused:
        advice = _("give yourself the right to write there, or unpack the course elsewhere")
        yield Finding(BROKEN, _("rights"), fact, advice)
    if not refused:
        yield Finding(OK, _("rights"), _("exercises/ and .glassbox/ can be written"))


def refusal(folder: Path) -> OSError | None:
    """What happens when a file is made there; it is gone at once."""
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        return error
    return None


def worker(setup: Setup) -> Iterator[Finding]:
    """Whether a process for the student's code starts and answers."""
    try:
        from .process import Worker
    except ImportError as error:
        yield Finding(
            BROKEN,
            _("worker"),
            _("cannot start: {error}").format(error=error),
            _("install it: make setup"),
        )
        return
    start = time.monotonic()
    process = Worker()
    try:
        process.begin()
        process.ask({"op": "clear"}, PATIENCE)
    except Exception as error:  # whatever it is, it is what keeps checks from running
        fact = _("does not answer: {error}").format(error=error)
        yield Finding(BROKEN, _("worker"), fact, _("install the packages anew: make clean setup"))
        return
    finally:
        process.close()
    seconds = time.monotonic() - start
    if seconds > SLOW:
        fact = _("takes {seconds:.1f} s to start").format(seconds=seconds)
        yield Finding(
            LOOK, _("worker"), fact, _("is a virus scanner reading along, or the disk remote?")
        )
    else:
        yield Finding(
            OK, _("worker"), _("starts and answers in {seconds:.1f} s").format(seconds=seconds)
        )


def make(setup: Setup) -> Iterator[Finding]:
    if found := shutil.which("make"):
        yield Finding(OK, "make", found)
    else:
        yield Finding(
            LOOK, "make", _("is not installed"), _("do without: {run} check").format(run=setup.run)
        )


Check = Callable[[Setup], Iterator[Finding]]
CHECKS: dict[str, Check] = {
    "Python": python,
    "venv": venv,
    "packages": packages,
    "course": course,
    "files": exercises,
    "terminal": terminal,
    "clock": clock,
    "disk": disk,
    "rights": permissions,
    "worker": worker,
    "make": make,
}
