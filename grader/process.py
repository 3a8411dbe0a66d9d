"""One worker process as the checker sees it: start it, ask it, end it in time."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, ClassVar

from . import answers, wire, worker
from .course import ROOT

OUTPUT_KEPT = 64 * 1024  # bytes of prints that are kept to be shown
OUTPUT_LIMIT = 32 * 2**20  # bytes of prints after which the worker is ended
TICK = 0.02  # seconds between two looks at the clock
EXIT_SECONDS = 1.0  # to end when asked to

THREADS = {
    f"{library}_NUM_THREADS": "1" for library in ("OPENBLAS", "OMP", "MKL", "VECLIB_MAXIMUM")
}


class TimedOut(Exception):
    """The worker did not answer in time, and was ended."""


class Crashed(Exception):
    """The worker ended by itself, or printed without end; the message says which."""


class BadRequest(Exception):
    """The request cannot cross the wire: the test that made it is wrong, not the student's code."""


class Worker:
    """A process that runs student code, and the two pipes to it.

    Its prints are collected on the side; `mark` and `printed` give those of one test.
    """

    open: ClassVar[set[Worker]] = set()  # all that this process has started and not closed

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="glassbox-"))
        Worker.open.add(self)
        self._start()

    def _start(self) -> None:
        environment = THREADS | {
            name: os.environ[name] for name in ("SYSTEMROOT", "TEMP", "TMP") if name in os.environ
        }
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-c", worker.BOOT, str(ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=self.folder,
            env=environment,
            start_new_session=True,
        )
        self.begun = False
        self.output = bytearray()  # since the last mark, as far as it is kept
        self.received = 0  # bytes of output since then, kept or not
        self.counted = 0  # bytes that the worker says it has printed in all
        self.marked = 0  # of them, those before the mark
        self.flooded = False
        self.deadline = float("inf")
        self.late = False
        self.news = threading.Condition()
        for work in (self._collect, self._watch):
            threading.Thread(target=work, args=(self.process,), daemon=True).start()

    def begin(self) -> None:
        """A fresh start: what serves from now on has seen no student's code, in an empty folder."""
        if self.begun and not (worker.FORKS and self._exit()):
            self._close_process()
            self._start()
        for left in self.folder.iterdir():
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()
        if worker.FORKS:
            wire.send(self.process.stdin, {"op": "begin"})
        self.begun, self.counted, self.marked = True, 0, 0

    def _exit(self) -> bool:
        """End the child that serves, and keep its parent. False where there is none any more."""
        self.deadline = time.monotonic() + EXIT_SECONDS
        try:
            wire.send(self.process.stdin, {"op": "exit"})
            return wire.receive(self.process.stdout) == {"ended": 0}
        except (EOFError, OSError, wire.WireError):
            return False
        finally:
            self.deadline = float("inf")

    def ask(self, request: dict, seconds: float) -> dict:
        """Send a request and wait for the answer.

        Raises TimedOut or Crashed, after which the worker is gone; wire.WireError for an answer
        that is none; BadRequest, and sends nothing, for a request that cannot cross.
        """
        try:
            frame = wire.encode(request)
        except wire.WireError as error:
            raise BadRequest(str(error)) from None
        self.late, self.deadline = False, time.monotonic() + seconds
        try:
            self.process.stdin.write(frame)
            self.process.stdin.flush()
            answer = self._answer()
        except (EOFError, OSError, wire.WireError) as error:
            self.kill()
            if self.late:
                raise TimedOut(f"no answer after {seconds:g} seconds") from None
            if isinstance(error, wire.WireError) and self.process.returncode == 0:
                raise
            raise Crashed(self.last_words(self.process.returncode)) from None
        finally:
            self.deadline = float("inf")
        self.counted = answer.get("printed", 0)
        return answer

    def _answer(self) -> dict:
        """The next frame. Raises Crashed where it says that the child has ended."""
        answer = answers.checked(wire.receive(self.process.stdout))
        if "ended" in answer:
            self.kill(patience=0)
            raise Crashed(self.last_words(answer["ended"]))
        return answer

    def converse(
        self, request: dict, go: Callable[[], bool]
    ) -> Generator[dict[str, Any], None, dict]:
        """Send a request that answers with many events; `go` says after each whether to go on.

        Returns the answer that ends it. There is no time limit but `kill`. Raises Crashed.
        """
        try:
            wire.send(self.process.stdin, request)
            while "event" in (answer := self._answer()):
                yield answer["event"]
                wire.send(self.process.stdin, {"go": go()})
        except (EOFError, OSError):
            self.kill()
            raise Crashed(self.last_words(self.process.returncode)) from None
        return answer

    def mark(self) -> None:
        """From here on prints belong to the next test."""
        with self.news:
            self._drain()
            self.output.clear()
            self.received, self.marked = 0, self.counted

    def printed(self) -> str:
        """What the student's code printed since the mark, as far as it was kept."""
        with self.news:
            self._drain()
            return bytes(self.output).decode("utf-8", "replace")

    def _drain(self) -> None:
        """Wait until all has come that the worker says it has printed."""
        self.news.wait_for(lambda: self.received >= self.counted - self.marked, timeout=0.5)

    def last_words(self, code: int | None) -> str:
        """Why the process ended with `code`, in words."""
        if self.flooded:
            return f"printed more than {OUTPUT_LIMIT // 2**20} MiB, and was stopped"
        if type(code) is int and -code in set(signal.Signals):
            name = signal.Signals(-code).name
            reason = {
                "SIGSEGV": "a segmentation fault: too deep a recursion, or broken memory",
                "SIGXCPU": "it used up its processor time",
                "SIGKILL": "it was killed, as the system does when memory runs out",
                "SIGABRT": "it was aborted, as happens when memory runs out",
            }
            return f"ended Python itself ({name}: {reason.get(name, 'a signal')})"
        return f"ended Python itself with exit code {code}"

    def kill(self, patience: float = 0.2) -> None:
        """End the process and all that it started.

        What ends by itself within `patience` seconds keeps its exit code, for last_words.
        """
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0 if self.late else patience)
        kill_group(self.process)
        self.process.wait()

    def close(self) -> None:
        """End it, and remove its folder."""
        Worker.open.discard(self)
        self._close_process()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _close_process(self) -> None:
        self.kill(patience=0)
        for stream in (self.process.stdin, self.process.stdout):
            with contextlib.suppress(OSError):
                stream.close()

    def _collect(self, process: subprocess.Popen) -> None:
        while chunk := os.read(process.stderr.fileno(), 65536):
            with self.news:
                self.received += len(chunk)
                self.output += chunk[: max(0, OUTPUT_KEPT - len(self.output))]
                self.flooded = self.received > OUTPUT_LIMIT
                self.news.notify_all()
            if self.flooded:
                kill_group(process)
        process.stderr.close()

    def _watch(self, process: subprocess.Popen) -> None:
        while process.poll() is None:
            if time.monotonic() > self.deadline:
                self.late = True
                kill_group(process)
                return
            time.sleep(TICK)


def kill_group(process: subprocess.Popen) -> None:
    """End a worker and all that it started; the group outlives its first process."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


class InProcess:
    """The same questions, answered in this process: for debugging and for replaying.

    As with a worker only copies cross, so that nothing written into an array on one side is seen on
    the other, and it has an empty folder of its own, so that nothing saved is left lying about.
    """

    def __init__(self, package: str = "exercises") -> None:
        self.dispatcher = worker.Dispatcher(package)
        self.folder = tempfile.TemporaryDirectory(prefix="glassbox-", ignore_cleanup_errors=True)

    def ask(self, request: dict, seconds: float = 0.0) -> dict:
        if request["op"] == "limit":
            return {"value": None}
        with contextlib.chdir(self.folder.name):
            answer = self.dispatcher.handle(copied(request))
        try:
            return copied(answer)
        except wire.WireError as error:
            return {"refused": {"type": "WireError", "message": str(error)}}

    def begin(self) -> None:
        """Nothing to do: this process serves one package."""

    def mark(self) -> None:
        """Prints go where those of this process go."""

    def printed(self) -> str:
        return ""

    def close(self) -> None:
        self.folder.cleanup()
        if self.dispatcher.package:
            self.dispatcher.package.close()


def copied(message: dict) -> dict:
    return wire.decode(wire.encode(message))
