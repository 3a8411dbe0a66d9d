"""A checker that stands by: a process with everything imported and a worker started.

`watch` gives it a check to do when a file is saved, and has the next one started meanwhile, so that
an answer takes as long as the tests take. Each does one check and ends.

It ends, with its worker, whenever its line is cut: when the check is dropped because the file was
saved again, and when `watch` itself is gone, however it went.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from . import language
from .assembly import Target
from .language import _
from .results import Result, TestResult

if TYPE_CHECKING:
    from .course import Course
    from .suite import Options

# A fork of a process that has imported everything starts in 10 ms. Elsewhere than on Linux forking
# a process with numpy in it is unsafe, or unknown; there it is a new one, which takes its time
# before it is needed.
LINUX = sys.platform == "linux"
PROCESSES = multiprocessing.get_context("forkserver" if LINUX else "spawn")
if LINUX:
    PROCESSES.set_forkserver_preload(["grader.suite"])


@dataclass(frozen=True)
class Job:
    """A check: the files as they were read, the ids of the pieces, and what is known already."""

    target: Target
    pieces: tuple[str, ...]
    known: Mapping[str, tuple[TestResult, ...]]


@dataclass(frozen=True)
class Broken:
    """There is no result; why, in words."""

    message: str


class Standby:
    """A checker process as `watch` sees it. `line` can be waited for."""

    def __init__(self) -> None:
        self.line, far_end = PROCESSES.Pipe()
        self.process = PROCESSES.Process(
            target=serve, args=(far_end, language.spoken()), daemon=True
        )
        self.process.start()
        far_end.close()

    def check(self, job: Job) -> None:
        """Begin the check."""
        try:
            self.line.send(job)
        except OSError:
            return  # it has ended; `answer` says so

    def answer(self) -> Result | Broken:
        """What the check has found; wait until `line` is ready, or this waits."""
        try:
            return self.line.recv()
        except (EOFError, OSError):
            return Broken(
                _("the process that checks ended without a word; save again to try again")
            )

    def close(self) -> None:
        """End it and its worker, whatever it is doing."""
        self.line.close()

    def join(self) -> None:
        """Wait until it has ended."""
        self.process.join(timeout=5)


def serve(line: Connection, speaking: str = language.SOURCE) -> None:
    """Do one check. This runs in a process of its own, which ends when its line is cut."""
    if hasattr(os, "setsid"):
        os.setsid()  # what the terminal sends, as Ctrl-C, is for `watch`, which then cuts the line
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for systems without sessions
    signal.signal(signal.SIGTERM, lambda *_: end())
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(3):  # the terminal is `watch`'s alone
        os.dup2(silence, descriptor)
    language.speak(speaking)
    from . import course as courses
    from . import diagnosis, suite
    from .process import Worker

    course = courses.load()
    options = suite.usual(worker=Worker())
    if options.mutants and options.reference:
        with contextlib.suppress(Exception):  # the check that needs them says what is wrong
            diagnosis.known(options.mutants)
    try:
        job = line.recv()
    except (EOFError, OSError):
        end()
    threading.Thread(target=end_with, args=(line,), daemon=True).start()
    with contextlib.suppress(OSError):
        line.send(check(job, course, options))
    end()


def check(job: Job, course: Course, options: Options) -> Result | Broken:
    from . import suite

    wanted = tuple(course.pieces[id] for id in job.pieces)
    try:
        return suite.check(course, job.target, wanted, replace(options, known=job.known))
    except suite.SuiteError as error:
        return Broken(str(error))
    except Exception as error:  # `watch` goes on; without this it would not know why
        return Broken(
            _("the grader itself broke: {type}: {error}").format(
                type=type(error).__name__, error=error
            )
        )


def end_with(line: Connection) -> None:
    """End this process as soon as the line is cut."""
    try:
        line.recv()
    except (EOFError, OSError):
        end()


def end() -> None:
    """End this process at once, and its workers with it."""
    from .process import Worker

    for worker in list(Worker.open):
        worker.close()
    os._exit(0)
