"""Checks at every save, and shows what came of it; keys for hints and for moving about.

A save is noticed by looking: at each file's time stamp and size, and where these have moved, at
what it holds. That works with editors that write a new file and rename it, in network folders, and
after the computer slept. A file is checked once it has held still for a moment, so that a
half-written one is not.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.live import Live
from rich.segment import Segment
from rich.text import Text

from . import hints, progress, snapshots
from .assembly import GIVEN, SOURCE_LIMIT, Target
from .course import Course, Piece
from .language import _, later
from .reports import board, plain, status
from .reports.text import ascii_only, clean, next_step
from .results import Result
from .standby import Broken, Job, Standby

try:
    import termios
    import tty
except ImportError:  # Windows
    termios = tty = None
try:
    import msvcrt
except ImportError:  # everywhere else
    msvcrt = None

TICK = 0.03  # seconds between two looks
SETTLED = 0.03  # seconds for which a file must hold still
PATIENCE = 0.4  # the same for one that is gone or empty: its editor may be about to write it
DOUBT = 3.0  # seconds after a save in which another may have the same time stamp

KEYS = later("h hint  n next  p previous  l list  a all  q quit")
ENDS = later("Ctrl-C ends.")
SCROLL = later("more: up and down; ")
SEQUENCES = {
    **{"\x1b[A": "up", "\x1bOA": "up", "\x1b[B": "down", "\x1bOB": "down"},
    **{"\x1b[5~": "page up", "\x1b[6~": "page down", " ": "page down"},
}
WINDOWS_KEYS = {"H": "up", "P": "down", "I": "page up", "Q": "page down"}
SCROLLS = {"up": -1, "down": 1, "page up": -10, "page down": 10}


def run(course: Course, folder: Path, only: tuple[Piece, ...], console: Console) -> int:
    """Watch the folder until the user quits. `only`: check these pieces, whatever is saved."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    if hasattr(signal, "SIGTSTP"):  # a suspended program would leave the terminal in its state
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    with (
        contextlib.suppress(KeyboardInterrupt),
        contextlib.closing(Watch(course, folder, only)) as watch,
        Keys() as keys,
        view(console, keys) as screen,
    ):
        watch.begin()
        while not watch.over:
            screen.draw(watch.page)
            watch.prepare()
            pause([*watch.lines, *keys.descriptors])
            watch.look(time.monotonic())
            watch.hear()
            for key in keys.pressed():
                watch.press(key)
    return 0


def pause(lines: list) -> None:
    """Wait a moment, or until one of the lines has something to say."""
    if lines:
        wait(lines, TICK)
    else:
        time.sleep(TICK)


class File:
    """A file that may be saved at any time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stamp = stamp(path)
        self.content = content(path)
        self.next: tuple[bytes | None, float] | None = None  # what it now holds, and since when
        self.doubted = 0.0

    def saved(self, now: float) -> bool:
        """Whether it holds something new, and has held still. True once for each save."""
        before, self.stamp = self.stamp, stamp(self.path)
        if self.stamp != before:
            self.doubted = now + DOUBT
        elif self.next is None and now > self.doubted:
            return False
        found = content(self.path)
        if found == self.content:
            self.next = None
        elif self.next is None or found != self.next[0]:
            self.next = found, now
        elif now - self.next[1] >= (SETTLED if found else PATIENCE):
            self.content, self.next = found, None
            return True
        return False


def stamp(path: Path) -> tuple[int, ...] | None:
    """What changes with nearly every save."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def content(path: Path) -> bytes | None:
    """What a check would read of the file; None where there is nothing to read."""
    try:
        with path.open("rb") as file:
            return file.read(SOURCE_LIMIT + 1)
    except OSError:
        return None


@dataclass(frozen=True)
class Page:
    """What there is to see. `check` counts the checks: another one is news, even if it is alike."""

    course: Course
    check: int
    result: Result | None
    told: tuple[str, ...]  # in the place of the result
    hint: hints.Hint | None
    state: str
    offset: int = 0


class Watch:
    """What is looked at, what is checked, and what came of it."""

    def __init__(
        self,
        course: Course,
        folder: Path,
        only: tuple[Piece, ...] = (),
        state: Path = progress.STATE,
        store: Path = snapshots.STORE,
    ) -> None:
        self.course, self.folder, self.state, self.store = course, folder, state, store
        self.only = only
        self.files = {id: File(folder / f"{id}.py") for id in (*course.by_id, GIVEN)}
        self.ready, self.running = Standby(), None
        self.over = False
        self.fresh: tuple[Result, Target] | None = None  # shown, and not yet remembered
        piece = only[0] if only else hints.piece_in_need(self.progress(self.target()), course)
        self.exercise = course.exercise_of(piece) if piece else course.exercises[-1]
        self.page = Page(course, 0, None, (), None, "")

    @property
    def lines(self) -> list[Any]:
        """What may have something to say."""
        return [self.running.line] if self.running else []

    # what happens

    def look(self, now: float) -> None:
        """Check what was saved."""
        saved = [id for id, file in self.files.items() if file.saved(now)]
        if not saved:
            return
        own = [id for id in saved if id in self.course.by_id]
        if own and not self.only:
            self.exercise = self.course.by_id[own[-1]]
        self.begin()

    def begin(self, pieces: tuple[Piece, ...] = ()) -> None:
        """Check the pieces; without any, the current ones. A check that is going on is dropped."""
        if self.running:
            self.running.close()
        wanted = pieces or self.only or self.exercise.pieces
        self.checked = self.target()
        self.wanted = frozenset(piece.id for piece in wanted)
        self.began = time.monotonic()
        note = self.keep()
        known = self.progress(self.checked).known()
        unknown = self.course.needs_of(wanted) - known.keys() - self.wanted
        self.running = self.ready or Standby()
        self.ready = None
        ids = tuple(id for id in self.course.pieces if id in self.wanted | unknown)
        self.running.check(Job(self.checked, ids, known))
        self.show(state=_("checking {name} ...").format(name=self.name) + note, hint=None)

    def hear(self) -> None:
        """Take in the answer, if there is one."""
        if not self.running or not wait([self.running.line], 0):
            return
        answer = self.running.answer()
        self.running.close()
        self.running = None
        took = time.monotonic() - self.began
        if isinstance(answer, Broken):
            state = _("{name} could not be checked").format(name=self.name)
            self.news(state=state, told=answer.message.splitlines())
        else:
            result = cut(answer, self.wanted)
            onward = _("; n goes on") if result.passed and len(result.exercises) == 1 else ""
            when = time.strftime("%H:%M:%S")
            state = _("{name} checked at {time}, in {seconds:.2f} s").format(
                name=self.name, time=when, seconds=took
            )
            self.news(state=state + onward, result=result)
            self.fresh = answer, self.checked

    def prepare(self) -> None:
        """What can wait until the answer is shown: remember it, and have a checker stand by."""
        if self.fresh:
            note = self.record(*self.fresh)
            self.fresh = None
            self.page = replace(self.page, state=self.page.state + note)
        if not self.running and not self.ready:
            self.ready = Standby()

    def press(self, key: str) -> None:
        if key == "q":
            self.over = True
        elif key in ("n", "p"):
            self.move(1 if key == "n" else -1)
        elif key == "a":
            self.begin(tuple(self.course.pieces.values()))
        elif key == "l":
            now = self.progress(self.target())
            self.news(told=status.lines(now, self.course), state=_("all exercises"), result=None)
        elif key == "h":
            self.help()
        elif key in SCROLLS:
            self.page = replace(self.page, offset=max(0, self.page.offset + SCROLLS[key]))

    def move(self, by: int) -> None:
        """Go to another exercise, and check it."""
        place = self.course.exercises.index(self.exercise) + by
        if 0 <= place < len(self.course.exercises):
            self.exercise, self.only = self.course.exercises[place], ()
            self.begin()

    def help(self) -> None:
        """Show a hint for the first piece here that does not pass; the next time, the next one."""
        now = self.progress(self.target())
        step = next_step(cut(now.result, self.wanted), self.course)
        if step is None:
            self.show(state=_("every piece here passes: there is nothing to hint at"))
            return
        hint = hints.next_hint(step[0], now, more=self.page.hint is not None)
        self.show(hint=hint)
        with contextlib.suppress(OSError):
            progress.record_hint(step[0].id, hint.rung, self.state)

    def close(self) -> None:
        for standby in (self.running, self.ready):
            if standby:
                standby.close()
                standby.join()

    # what it knows

    @property
    def name(self) -> str:
        """What is being checked, in a word."""
        if len(self.wanted) == len(self.course.pieces):
            return _("everything")
        return next(iter(self.wanted)) if len(self.wanted) == 1 else self.exercise.short

    def target(self) -> Target:
        return Target.read(self.folder, self.course, self.folder.name)

    def progress(self, target: Target) -> progress.Progress:
        return progress.read(target, self.course, self.state)

    def keep(self) -> str:
        """Keep the files as they are now. -> "", or what went wrong"""
        try:
            snapshots.take(self.folder, self.store)
        except OSError as error:
            return _("; not kept: {error}").format(error=error)
        return ""

    def record(self, result: Result, target: Target) -> str:
        """Remember the results of these files. -> "", or what went wrong"""
        try:
            progress.record(result, target, self.course, self.state)
        except OSError as error:
            return _("; not kept: {error}").format(error=error)
        return ""

    # what there is to see

    def news(self, **page: Any) -> None:
        """Show another result, or something else in its place."""
        blank = {"result": None, "told": (), "hint": None}
        self.show(**blank | page, check=self.page.check + 1)

    def show(self, **page: Any) -> None:
        page = {key: tuple(v) if isinstance(v, list) else v for key, v in page.items()}
        self.page = replace(self.page, offset=0, **page)


def cut(result: Result, ids: frozenset[str]) -> Result:
    """The result of these pieces alone."""
    exercises = []
    for exercise in result.exercises:
        short = exercise.id.partition("_")[0]
        pieces = tuple(piece for piece in exercise.pieces if f"{short}.{piece.name}" in ids)
        if pieces:
            exercises.append(replace(exercise, pieces=pieces))
    return replace(result, exercises=tuple(exercises))


# the terminal


class Keys:
    """Keys as they are pressed, without Enter. There are none without a terminal."""

    def __init__(self) -> None:
        self.alive = sys.stdin.isatty() and bool(termios or msvcrt)
        self.descriptors = [sys.stdin.fileno()] if self.alive and termios else []

    def __enter__(self) -> Keys:
        if self.descriptors:
            self.before = termios.tcgetattr(self.descriptors[0])
            tty.setcbreak(self.descriptors[0])
        return self

    def __exit__(self, *error: object) -> None:
        if self.descriptors:
            termios.tcsetattr(self.descriptors[0], termios.TCSADRAIN, self.before)

    def pressed(self) -> list[str]:
        """The keys since the last time, by name: "q", "up"."""
        if self.descriptors:
            return self._read(self.descriptors[0])
        return list(self._windows()) if self.alive else []

    @staticmethod
    def _read(descriptor: int) -> list[str]:
        if not select.select([descriptor], [], [], 0)[0]:
            return []
        try:
            typed = os.read(descriptor, 4096).decode("utf-8", "replace")
        except OSError:
            typed = ""
        if not typed:  # the terminal was closed
            return ["q"]
        found = re.findall(r"\x1b[\[O][0-9;]*[A-Za-z~]|.", typed, re.DOTALL)
        return [SEQUENCES.get(key, key.lower()) for key in found]

    @staticmethod
    def _windows() -> Iterator[str]:
        while msvcrt.kbhit():
            key = msvcrt.getwch()
            if key in "\0\xe0":  # a key without a character follows
                yield WINDOWS_KEYS.get(msvcrt.getwch(), "")
            elif key == "\x03":
                raise KeyboardInterrupt
            else:
                yield SEQUENCES.get(key, key.lower())


def view(console: Console, keys: Keys) -> Screen | Lines:
    """A screen of its own in a terminal; lines one after another everywhere else."""
    able = console.is_terminal and not console.is_dumb_terminal and not console.no_color
    return Screen(console, keys.alive) if able else Lines(console, keys.alive)


class Screen:
    """The page as the whole terminal. It is drawn when it has changed, or the terminal has."""

    def __init__(self, console: Console, keys: bool) -> None:
        self.live = Live(console=console, screen=True, auto_refresh=False)
        self.keys = keys
        self.drawn: tuple | None = None

    def __enter__(self) -> Screen:
        self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.live.stop()

    def draw(self, page: Page) -> None:
        look = page, self.live.console.size
        if look != self.drawn:
            self.drawn = look
            self.live.update(Frame(page, self.keys), refresh=True)


@dataclass(frozen=True)
class Frame:
    """A page cut to the height of the terminal; the last two lines say what goes on."""

    page: Page
    keys: bool

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width, height = options.max_width, options.height or console.height
        rest = options.update(height=None)
        lines = console.render_lines(self.body(options.ascii_only, width), rest, pad=False)
        room = max(1, height - 2)
        offset = min(self.page.offset, max(0, len(lines) - room))
        shown = lines[offset : offset + room]
        shown += [[]] * (room - len(shown))
        for line in shown:
            yield from line
            yield Segment.line()
        scroll = _(SCROLL) if self.keys and len(lines) > room else ""
        yield footer(scroll + self.page.state, width, "bold")
        yield footer(_(KEYS) if self.keys else _(ENDS), width)

    def body(self, ascii: bool, width: int) -> RenderableType:
        """The hint, and under it the board or what is told in its place."""
        page = self.page
        told = [*helped(page.hint, width), "", *page.told] if page.hint else page.told
        text = [Text(ascii_only(clean(line)) if ascii else clean(line)) for line in told]
        return Group(*text, *([board.render(page.result, page.course)] if page.result else []))


def helped(hint: hints.Hint, width: int = hints.WIDTH) -> list[str]:
    return hint.lines(_("one more: h"), min(width, hints.WIDTH))


def footer(words: str, width: int, style: str = "") -> Text:
    text = Text(clean(words), style, no_wrap=True, overflow="crop")
    text.truncate(width)
    return text


class Lines:
    """The page as plain lines, each said once: for screen readers, pipes and bare terminals."""

    def __init__(self, console: Console, keys: bool) -> None:
        self.console, self.keys = console, keys
        self.said: Page | None = None

    def __enter__(self) -> Lines:
        self.say(_("A saved file is checked at once."), _(KEYS if self.keys else ENDS))
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def draw(self, page: Page) -> None:
        """Say what is new."""
        before, self.said = self.said, page
        if page.check and (before is None or page.check != before.check):
            self.say("", page.state, "", *page.told)
            if page.result:
                self.say(*plain.render(page.result, page.course).splitlines())
        elif page.state and (before is None or page.state != before.state):
            self.say("", page.state)
        if page.hint and (before is None or page.hint != before.hint):
            self.say("", *helped(page.hint))

    def say(self, *lines: str) -> None:
        for line in lines:
            print(ascii_only(clean(line)), file=self.console.file, flush=True)
