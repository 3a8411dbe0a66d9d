"""One worker process as the checker sees it: start it, ask it, end it in time."""

from __future__ import annotations

import contextlib
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Set
from typing import Any, BinaryIO, ClassVar

from . import answers, wire, worker
from .isolation import Isolation, none
from .language import _
from .sandbox import FOLDER_FILES, FOLDER_MIB
from .zygote import End, Pipes, Starter, Zygote

OUTPUT_KEPT = 64 * 1024  # bytes of prints that are kept to be shown
OUTPUT_LIMIT = 32 * 2**20  # bytes of prints after which the worker is ended
ANSWERS_LIMIT = 64 * 2**20  # bytes of answers within one test
TICK = 0.02  # seconds between two looks at the clock
TRIES = 3  # of what is killed, before it counts as broken
START_SECONDS = 30.0  # to import numpy, on a slow disk
PATIENCE = 0.2  # seconds for a worker that broke off to end by itself
DRAIN_SECONDS = 0.5  # to wait for prints that were announced


class TimedOut(Exception):
    """The worker did not answer in time, and was ended."""


class Crashed(Exception):
    """The worker ended by itself, or printed without end; the message says which.

    killed   somebody else ended it, or the system did: asked again, it may well answer
    """

    def __init__(self, words: str, killed: bool = False) -> None:
        super().__init__(words)
        self.killed = killed


class NotStarted(Exception):
    """No worker could be started, before any student's code ran; the message says why."""


class BadRequest(Exception):
    """The request cannot cross the wire: the test that made it is wrong, not the student's code."""


class Worker:
    """A process that runs student code, and the pipes to it; `begin` makes it a fresh one.

    Its prints are collected on the side; `mark` and `printed` give those of one test.
    """

    open: ClassVar[set[Worker]] = set()  # all that this process has started and not closed

    def __init__(self, isolation: Isolation | None = None) -> None:
        self.isolation = isolation or none()
        self.source = self._source()
        Worker.open.add(self)
        self.pipes: Pipes | None = None  # to the child that serves
        self.ended: End | None = None  # how that child ended
        self.ending = threading.Lock()
        self.news = threading.Condition()
        self.counted = self.marked = 0
        self.fresh = False  # whether a test begins with the next request

    def _source(self) -> Zygote | Starter:
        return (Zygote if worker.FORKS else Starter)(self.isolation)

    @property
    def alive(self) -> bool:
        """Whether there is a child that serves."""
        return self.pipes is not None and self.ended is None

    def begin(self) -> None:
        """A fresh start: what serves from now on has seen no student's code, in an empty folder.

        One that is killed while it starts is followed by another. Raises NotStarted.
        """
        for _try in range(TRIES - 1):
            with contextlib.suppress(NotStarted):
                return self._begin()
        return self._begin()

    def _begin(self) -> None:
        self._end_child()
        if not self.source.usable:
            self.source.close()
            self.source = self._source()
        self.output = bytearray()  # since the last mark, as far as it is kept
        self.received = 0  # bytes of output since then, kept or not
        self.counted = 0  # bytes that the worker says it has printed in all
        self.marked = 0  # of them, those before the mark
        self.weight = 0  # bytes of answers since then
        self.flooded = self.late = self.lied = False
        try:
            self.pipes = self.source.begin()
        except OSError as error:
            self.source.end(0.0)
            raise NotStarted(self._why_not(str(error))) from error
        self.ended = None
        self.deadline = time.monotonic() + START_SECONDS
        collector, watch = (
            threading.Thread(target=work, args=(self.pipes,), daemon=True)
            for work in (self._collect, self._watch)
        )
        collector.start()
        watch.start()
        try:
            self._answer(self.pipes.answers)  # it is sealed, and has run nothing yet
        except (EOFError, OSError, wire.WireError) as error:
            self.kill(PATIENCE)
            collector.join(DRAIN_SECONDS)
            raise NotStarted(self._why_not(self.printed() or self.last_words())) from error
        finally:
            self.deadline = float("inf")

    def _why_not(self, otherwise: str) -> str:
        said = self.source.said() or otherwise.strip().rpartition("\n")[2]
        return _("no process for the student's code could be started: {said}").format(said=said)

    def ask(self, request: dict, seconds: float) -> dict:
        """Send a request and wait for the answer.

        Raises TimedOut or Crashed, after which the worker is gone; wire.WireError for an answer
        that is none; BadRequest, and sends nothing, for a request that cannot cross.
        """
        clear = {"clear": True} if self.fresh else {}
        try:
            frame = wire.encode(clear | request)
        except wire.WireError as error:
            raise BadRequest(str(error)) from None
        self.fresh, self.late, self.deadline = False, False, time.monotonic() + seconds
        try:
            self.pipes.requests.write(frame)
            self.pipes.requests.flush()
            stream = Counted(self.pipes.answers)
            answer = self._answer(stream)
            self._weigh(stream.size)
        except (EOFError, OSError, wire.WireError) as error:
            end = self.kill(PATIENCE)
            if self.late:
                words = _("no answer after {seconds:g} seconds").format(seconds=seconds)
                raise TimedOut(words) from None
            if isinstance(error, wire.WireError) and (end.stopped or end.code == 0):
                raise
            raise Crashed(self.last_words(), end.killed and not self.flooded) from None
        finally:
            self.deadline = float("inf")
        self.counted = answer.get("printed", 0)
        return answer

    def _answer(self, stream: BinaryIO | Counted, kinds: Set[str] = answers.ANSWERS) -> dict:
        """The next frame."""
        return answers.checked(wire.receive(stream), kinds)

    def _weigh(self, size: int) -> None:
        """The answers within one test may together be no larger than one may be."""
        self.weight += size
        if self.weight > ANSWERS_LIMIT:
            words = _("answers of more than {mib} MiB in one test")
            raise wire.WireError(words.format(mib=ANSWERS_LIMIT // 2**20))

    def converse(
        self, request: dict, go: Callable[[], bool]
    ) -> Generator[dict[str, Any], None, dict]:
        """Send a request that answers with many events; `go` says after each whether to go on.

        Returns the answer that ends it. There is no time limit but `kill`. Raises Crashed.
        """
        try:
            wire.send(self.pipes.requests, request)
            kinds = answers.ANSWERS | answers.EVENTS
            while "event" in (answer := self._answer(self.pipes.answers, kinds)):
                yield answer["event"]
                wire.send(self.pipes.requests, {"go": go()})
        except (EOFError, OSError):
            self.kill(PATIENCE)
            raise Crashed(self.last_words()) from None
        return answer

    def mark(self) -> None:
        """From here on prints belong to the next test, which begins with no handles."""
        with self.news:
            self._drain()
            self.output.clear()
            self.received, self.marked, self.weight = 0, self.counted, 0
        self.fresh = True

    def printed(self) -> str:
        """What the student's code printed since the mark, as far as it was kept."""
        with self.news:
            self._drain()
            return bytes(self.output).decode("utf-8", "replace")

    def _drain(self) -> None:
        """Wait until all has come that the worker says it has printed; once, if it was not true."""
        if not self.lied:
            due = self.counted - self.marked
            self.lied = not self.news.wait_for(lambda: self.received >= due, DRAIN_SECONDS)

    def last_words(self) -> str:
        """Why the child ended, in words."""
        if self.flooded:
            words = _("printed more than {mib} MiB, and was stopped")
            return words.format(mib=OUTPUT_LIMIT // 2**20)
        if self.ended.overfull:
            words = _("put more than {mib} MiB or {n} files into its folder, and was stopped")
            return words.format(mib=FOLDER_MIB, n=FOLDER_FILES)
        if self.ended.stopped:
            return _("cut its own line to the checker, and was stopped")
        code = self.ended.code
        if type(code) is int and -code in set(signal.Signals):
            name = signal.Signals(-code).name
            reason = {
                "SIGSEGV": _("a segmentation fault: too deep a recursion, or broken memory"),
                "SIGXCPU": _("it used up its processor time"),
                "SIGKILL": _("it was killed, as the system does when memory runs out"),
                "SIGABRT": _("it was aborted, as happens when memory runs out"),
            }
            words = _("ended Python itself ({signal}: {reason})")
            return words.format(signal=name, reason=reason.get(name, _("a signal")))
        return _("ended Python itself with exit code {code}").format(code=code)

    def kill(self, patience: float = 0.0, at: Pipes | None = None) -> End:
        """End the child and all that it started; how it ended.

        What ends by itself within `patience` seconds keeps its exit code, for last_words.

        at   the pipes of the child that is meant: one that has begun since is left alone
        """
        with self.ending:
            if self.alive and (at is None or at is self.pipes):
                self.ended = self.source.end(patience)
            return self.ended or End(None)

    def _end_child(self) -> None:
        """End the child that serves, if there is one, and cut the lines to it."""
        if self.pipes is not None:
            self.kill()
            self.pipes.close()
            self.pipes = None

    def close(self) -> None:
        """End it, and remove its folder."""
        Worker.open.discard(self)
        self._end_child()
        self.source.close()

    def _collect(self, pipes: Pipes) -> None:
        """Take what the child prints, whether or not there is room for it."""
        with open(pipes.output, "rb", buffering=0) as output:
            while chunk := output.read(65536):
                with self.news:
                    if pipes is not self.pipes:
                        return
                    self.received += len(chunk)
                    self.output += chunk[: max(0, OUTPUT_KEPT - len(self.output))]
                    self.flooded = self.received > OUTPUT_LIMIT
                    self.news.notify_all()
                if self.flooded:
                    self.kill(at=pipes)

    def _watch(self, pipes: Pipes) -> None:
        """End the child when its time is over."""
        while pipes is self.pipes and self.ended is None:
            if time.monotonic() > self.deadline:
                self.late = True
                self.kill(at=pipes)
            time.sleep(TICK)


class Counted:
    """A stream that knows how much was read from it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream, self.size = stream, 0

    def read(self, size: int) -> bytes:
        data = self.stream.read(size)
        self.size += len(data)
        return data


class Noting(worker.Dispatcher):
    """Keeps what was raised last, with its frames: a debugger can go there."""

    raised: BaseException | None = None

    def describe(self, error: BaseException) -> dict:
        self.raised = error
        return super().describe(error)


class InProcess:
    """The same questions, answered in this process: for debugging and for replaying.

    As with a worker only copies cross, so that nothing written into an array on one side is seen on
    the other, and it has an empty folder of its own, so that nothing saved is left lying about.
    """

    def __init__(self, package: str = "exercises") -> None:
        self.dispatcher = Noting(package)
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

    weight = 0  # its answers are the caller's own

    def mark(self) -> None:
        """A test begins, with no handles; prints go where those of this process go."""
        self.dispatcher.op_clear()

    def printed(self) -> str:
        return ""

    def close(self) -> None:
        self.folder.cleanup()
        if self.dispatcher.package:
            self.dispatcher.package.close()


def copied(message: dict) -> dict:
    return wire.decode(wire.encode(message))
