"""A student at work, rehearsed: a copy of the course, and `watch` in a terminal of its own.

For tests and measurements: what is typed, saved and shown is what a student types, saves and sees.
The terminal is a pty, which Windows does not have.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path

from . import stubs
from .course import ROOT

GIVEN = ("exercises/__init__.py", "exercises/manifest.toml", "exercises/microgpt.py")
PAUSE = 0.8  # seconds between two saves, in which the next check is made ready


class Copy:
    """The course in a folder of its own, its exercises as they are handed out."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.exercises = root / "exercises"
        self.exercises.mkdir(parents=True)
        for file in GIVEN:
            shutil.copy(ROOT / file, root / file)
        for folder in ("grader", "solutions", "tests/visible", "tests/mutants"):
            shutil.copytree(ROOT / folder, root / folder)
        for solution in root.glob("solutions/ex*.py"):
            stub = stubs.generate(solution.read_text("utf-8"), solution.name)
            (self.exercises / solution.name).write_text(stub, "utf-8")

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"PYTHONPATH": str(self.root), "NO_COLOR": "1"}

    def grader(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run a command as a user would, with nobody at the keyboard."""
        return subprocess.run(
            [sys.executable, "-m", "grader", *arguments],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )

    def solve(self, exercise: str, old: str = "", new: str = "", end: str = "") -> Path:
        """Put the solution into the exercise file, with `new` in the place of `old`, and `end`."""
        text = (self.root / "solutions" / f"{exercise}.py").read_text("utf-8")
        assert old in text, f"{old!r} is not in {exercise}"
        path = self.exercises / f"{exercise}.py"
        path.write_text((text.replace(old, new, 1) if old else text) + end, "utf-8")
        return path


class Terminal:
    """`watch` in a terminal of ours, and what its screen shows."""

    def __init__(self, copy: Copy, *arguments: str, columns: int = 80, rows: int = 40, **env: str):
        import pty

        self.ours, self.theirs = pty.openpty()
        self.resize(columns, rows)
        environment = copy.environment | {"TERM": "xterm-256color"} | env
        for name in ("NO_COLOR", "COLUMNS", "LINES"):
            if name not in env:
                environment.pop(name, None)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "grader", "watch", *arguments],
            cwd=copy.root,
            env=environment,
            stdin=self.theirs,
            stdout=self.theirs,
            stderr=self.theirs,
            preexec_fn=lambda: in_terminal(self.theirs),
        )
        self.written = b""

    def resize(self, columns: int, rows: int) -> None:
        import fcntl
        import termios

        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, size)

    def read(self, seconds: float = 0.0) -> bytes:
        """What is written within that time."""
        found = b""
        end = time.monotonic() + seconds
        while select.select([self.ours], [], [], max(0.0, end - time.monotonic()))[0]:
            with contextlib.suppress(OSError):
                if chunk := os.read(self.ours, 65536):
                    found += chunk
                    continue
            break
        self.written += found
        return found

    @property
    def screen(self) -> str:
        """The last picture that was drawn: all that follows the last move to the first corner."""
        text = self.written.decode("utf-8", "replace").rpartition("\x1b[H")[2]
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "")

    @property
    def said(self) -> str:
        return self.written.decode("utf-8", "replace").replace("\r", "")

    def until(self, words: str, seconds: float = 30.0) -> str:
        """Wait for a picture, or a line, that holds the words. Raises TimeoutError."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.read(0.02)
            if words in self.screen:
                return self.screen
        raise TimeoutError(f"{words!r} was not shown; this was:\n{self.screen}")

    def press(self, keys: str) -> None:
        self.written = b""
        os.write(self.ours, keys.encode())

    def answered(self, copy: Copy, exercise: str, old: str = "", new: str = "") -> float:
        """Seconds from a save of the solution, changed so, to its answer on the screen."""
        time.sleep(PAUSE)
        self.read()
        self.written = b""
        saved = time.monotonic()
        copy.solve(exercise, old, new, end=f"# saved at {saved}\n")
        self.until(f"{exercise[:4]} checked at")
        return time.monotonic() - saved

    def end(self) -> int:
        """Wait for the program to end, and say how."""
        code = self.process.wait(20)
        self.read(0.1)
        return code

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.ours)
        os.close(self.theirs)


def in_terminal(descriptor: int) -> None:
    """Make the terminal that of this process, so that Ctrl-C reaches it."""
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)
