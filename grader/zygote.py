"""Where the processes come from that run student's code: the checker's side of nursery.py.

A zygote has imported numpy and waits; each child is forked from it, with pipes of its own, and
ended by it. The child never holds the line to the zygote, so what is said there about its end is
true. Where the system cannot fork, each child is a process started anew.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from . import sandbox, wire, worker
from .isolation import THREADS, Isolation

END_SECONDS = 5.0  # for a zygote to end a child
SIGKILL = 9  # which Windows has no name for
SAID_LIMIT = 4096  # bytes of what a zygote says when it breaks


@dataclass(frozen=True)
class Pipes:
    """The checker's ends of what leads to one child."""

    requests: BinaryIO
    answers: BinaryIO
    output: int

    def close(self) -> None:
        for stream in (self.requests, self.answers):
            with contextlib.suppress(OSError):  # what was not yet sent has nowhere to go
                stream.close()


@dataclass(frozen=True)
class End:
    """How a child ended: its exit code, negative for a signal, and whether it was made to."""

    code: int | None
    stopped: bool = False
    overfull: bool = False  # for what it had put into its folder

    @property
    def killed(self) -> bool:
        """Whether somebody else ended it, or its zygote: what it says of the code is nothing."""
        by_a_kill = self.code in (-SIGKILL, 128 + SIGKILL)  # bubblewrap says the latter of its own
        return by_a_kill and not (self.stopped or self.overfull)


class Zygote:
    """A process that forks children for student's code; under bubblewrap, all in one sandbox.

    Start it in a thread that lives as long as it: the system ends it with that thread.
    """

    def __init__(self, isolation: Isolation) -> None:
        self.isolation = isolation
        self.usable = True  # nothing of an earlier child is left
        self.order = wire.encode({"begin": isolation.seal()})
        self.folder = None if isolation.in_memory else new_folder()
        try:
            self.rules = isolation.rules(self.folder)
            self.line, theirs = socket.socketpair()
            with theirs:
                self.process = started(isolation, self.folder, theirs, subprocess.DEVNULL)
        except BaseException:
            remove(self.folder)
            raise
        if not isolation.is_none:
            sandbox.hide()  # whose memory holds the expected values

    def begin(self) -> Pipes:
        """Fork a child. Raises OSError where the zygote is gone."""
        requests, to_child = os.pipe()
        from_child, answers = os.pipe()
        seen, output = os.pipe()
        pipes = Pipes(os.fdopen(to_child, "wb"), os.fdopen(from_child, "rb"), seen)
        theirs = [requests, answers, output]
        rules = [self.rules.fileno()] if self.rules else []
        try:
            self.line.settimeout(END_SECONDS)
            sent = socket.send_fds(self.line, [self.order], theirs + rules)
            self.line.sendall(self.order[sent:])
        except OSError:
            pipes.close()
            os.close(seen)
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        return pipes

    def end(self, patience: float) -> End:
        """End the child, which may take `patience` seconds to do it by itself."""
        try:
            self.line.settimeout(END_SECONDS + patience)
            self.line.sendall(wire.encode({"end": patience}))
            answer = wire.receive(Received(self.line))
        except (EOFError, OSError, wire.WireError):
            self.usable = False
            kill_group(self.process)
            return End(self.process.wait())
        self.usable = answer["clean"]
        return End(answer["ended"], answer["stopped"], answer["overfull"])

    def said(self) -> str:
        """The last line that it wrote, when it broke."""
        return last_line(self.process.stderr)

    def close(self) -> None:
        """End it, with its child, and remove its folder."""
        self.line.close()  # then it ends its child
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(END_SECONDS)
        kill_group(self.process)
        self.process.wait()
        self.process.stderr.close()
        if self.rules:
            self.rules.close()
        remove(self.folder)


class Starter:
    """The same where the system cannot fork: a new process for each child."""

    def __init__(self, isolation: Isolation) -> None:
        self.isolation = isolation
        self.folder = new_folder()
        self.usable = True

    def begin(self) -> Pipes:
        self.usable = False  # for a second child
        self.process = started(self.isolation, self.folder, subprocess.PIPE, subprocess.PIPE)
        output = os.dup(self.process.stderr.fileno())
        self.process.stderr.close()
        return Pipes(self.process.stdin, self.process.stdout, output)

    def end(self, patience: float) -> End:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return End(self.process.wait(patience))
        kill_group(self.process)
        self.process.wait()
        return End(None, stopped=True)

    def said(self) -> str:
        return ""  # it was in the child's output

    def close(self) -> None:
        if not self.usable:
            self.end(0.0)
        remove(self.folder)


class Received:
    """A socket, read as wire.receive reads."""

    def __init__(self, line: socket.socket) -> None:
        self.read = line.recv


def new_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="glassbox-"))


def started(isolation: Isolation, folder: Path | None, stdin: Any, stdout: Any) -> subprocess.Popen:
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
    return subprocess.Popen(
        isolation.command(worker.BOOT),
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        cwd=folder,
        env=THREADS | kept,
        start_new_session=True,
    )


def kill_group(process: subprocess.Popen) -> None:
    """End a process and all that it started; the group outlives its first process."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def last_line(stream: BinaryIO) -> str:
    """The last line that stands in a pipe, without waiting for more."""
    os.set_blocking(stream.fileno(), False)
    said = stream.read(SAID_LIMIT) or b""
    return said.decode("utf-8", "replace").strip().rpartition("\n")[2]


def remove(folder: Path | None) -> None:
    """Remove a folder of student's files; what the system holds on to stays."""
    if folder is not None:
        with contextlib.suppress(OSError):
            sandbox.empty(str(folder))
            folder.rmdir()
