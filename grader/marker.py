"""A checker that marks one submission after another, in a process of its own.

Whoever marks many has one Marker to a core, on this machine or on those of a Dask cluster, and
speaks with it in lines of JSON. It has everything imported; each submission gets a fresh worker.
If it is killed, the submission that it had is marked again.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import platform
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from . import language
from .assembly import Source
from .course import ROOT, Course
from .isolation import THREADS
from .language import _

BOOT = "import sys; sys.path.insert(0, sys.argv[1]); import grader.marker as m; m.serve()"
KEPT = ("PATH", "LANG", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR")  # of the environment
TRIES = 5  # before a submission that ends its marker each time gets a result that says so
PATIENCE = 120.0  # seconds beyond all that its exercises may take, for all else
OUTPUT_BYTES, MESSAGE_BYTES = 4096, 8192  # of one test, that a record keeps
TRUSTED = "none, trusted"  # the isolation of who was told that the code is harmless
INTAKE = "intake"  # the test, and suite, of what could not be marked at all


def why_unmarked(record: Mapping[str, Any]) -> str:
    """Why nothing of a submission could be marked, by its record; empty where something was."""
    tests = [test for e in record["exercises"] for piece in e["pieces"] for test in piece["tests"]]
    if not tests or any(test["suite"] != INTAKE for test in tests):
        return ""
    return tests[0]["message"] or _("nothing was handed in")


@dataclass(frozen=True)
class Job:
    """How every submission of a run is marked; all that its marks depend on beside its files.

    code, suite   digests of the kit and of the tests: a marker elsewhere must have the same
    """

    seed: int
    pieces: tuple[str, ...]
    tests: tuple[str, ...]
    trusted: bool
    code: str
    suite: str
    versions: dict[str, str]

    @classmethod
    def make(
        cls, seed: int, pieces: tuple[str, ...], tests: tuple[Path, ...], trusted: bool
    ) -> Job:
        suites = tuple(str(folder.resolve()) for folder in tests)
        return cls(seed, pieces, suites, trusted, code_digest(), suite_digest(suites), versions())


@dataclass(frozen=True)
class Task:
    """One submission, as it goes to a marker."""

    id: str
    files: dict[str, Source]
    factor: float
    provenance: dict[str, Any]


class Stop(Exception):
    """Nothing can be marked, this submission or another; the message says why, and what to do."""


class Died(Exception):
    """The marker ended before it had a result. `stuck`: it was made to, since it took too long."""

    def __init__(self, words: str, stuck: bool) -> None:
        super().__init__(words)
        self.stuck = stuck


# what a mark depends on


def digest(files: list[Path], top: Path) -> str:
    content = hashlib.sha256()
    for file in sorted(files):
        content.update(file.relative_to(top).as_posix().encode() + b"\0")
        content.update(hashlib.sha256(file.read_bytes()).digest())
    return content.hexdigest()[:16]


def code_digest() -> str:
    """Of the grader, the reference, the known mistakes and the manifest."""
    folders = (ROOT / "grader", ROOT / "solutions", ROOT / "tests" / "mutants")
    files = [file for folder in folders for file in folder.rglob("*.py")]
    return digest([*files, ROOT / "exercises" / "manifest.toml"], ROOT)


def suite_digest(tests: tuple[str, ...]) -> str:
    """Of the tests' names and contents, wherever their folders stand."""
    folders = [Path(folder) for folder in tests]
    parts = [folder.name + digest([*folder.glob("*.py")], folder) for folder in folders]
    return hashed("".join(parts))


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def versions() -> dict[str, str]:
    import numpy as np

    return {"python": platform.python_version(), "numpy": np.__version__}


# the process


def serve() -> None:
    """Answer line by line: first the job, then submissions; until the line is cut."""
    folder = Path(os.environ["GLASSBOX_FOLDER"])
    tempfile.tempdir = str(folder)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started this
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    language.speak(language.preferred())
    from . import sandbox

    sandbox.hide()
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=listen, args=(lines, folder), daemon=True).start()

    def answer(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    job = Job(**json.loads(lines.get()))
    answer(readiness(job))
    while True:
        answer(attempted(job, task_of(json.loads(lines.get()))))


def listen(lines: queue.SimpleQueue[str], folder: Path) -> None:
    """Take lines in; once whoever sends them is gone, end this process and leave nothing."""
    for line in sys.stdin:
        lines.put(line)
    from .process import Worker

    for worker in list(Worker.open):
        worker.close()
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)


def task_of(message: dict[str, Any]) -> Task:
    files = {
        id: Source(**source | {"path": Path(source["shown"])})
        for id, source in message["files"].items()
    }
    return Task(**message | {"files": files})


def readiness(job: Job) -> dict[str, Any]:
    """Whether this marker would give the marks that the job is about."""
    here = {"code": code_digest(), "suite": suite_digest(job.tests), "versions": versions()}
    for what, found in here.items():
        if found != getattr(job, what):
            words = _("{where} has another {what}: {found}, not {wanted}; install the same there")
            return {
                "stop": words.format(
                    where=platform.node(), what=what, found=found, wanted=getattr(job, what)
                )
            }
    from . import diagnosis, isolation, suite

    try:
        isolation_of(job)
        diagnosis.known(suite.usual().mutants)  # else it is met at the first wrong answer
    except (isolation.Unavailable, diagnosis.MutationError) as error:
        return {"stop": str(error)}
    return {"ready": True}


def isolation_of(job: Job) -> Any:
    """What keeps students' code apart here. Raises isolation.Unavailable, unless it is trusted."""
    from . import isolation

    return isolation.none() if job.trusted else isolation.best()


def attempted(job: Job, task: Task) -> dict[str, Any]:
    """The record of one submission, whatever happens; `stop` where the tests themselves break."""
    from .suite import SuiteError

    try:
        return {"record": mark(job, task)}
    except Exception as error:  # of the grader, brought on by this submission
        said = str(error) if isinstance(error, SuiteError) else f"{type(error).__name__}: {error}"
        try:
            mark(job, replace(task, files=reference_files()))
        except SuiteError as broken:
            return {"stop": str(broken)}
        return {"died": _("the grader could not mark it: {said}").format(said=said)}


def mark(job: Job, task: Task) -> dict[str, Any]:
    """The record of one submission. Raises SuiteError."""
    from . import suite
    from .intake import Submission
    from .process import Worker

    course = the_course()
    target = Submission(task.id, task.files).target(course, the_given())
    kind = isolation_of(job)
    options = suite.usual(
        tests=tuple(map(Path, job.tests)),
        seed=job.seed,
        factor=task.factor,
        worker=Worker(isolation=kind),
    )
    wanted = tuple(course.pieces[id] for id in job.pieces)
    result = suite.check(course, target, wanted, options)
    name = TRUSTED if kind.is_none else kind.name
    provenance = provenance_of(job, course, task.factor) | task.provenance | {"isolation": name}
    return trimmed(replace(result, submission=task.id, provenance=provenance).to_json())


@functools.cache
def the_course() -> Course:
    from . import course

    return course.load()


@functools.cache
def the_given() -> Source:
    """microgpt.py as it was handed out, whatever stands in a submission."""
    from . import assembly

    return assembly.read(ROOT / "solutions" / "microgpt.py", "exercises/microgpt.py")


def reference_files() -> dict[str, Source]:
    from . import assembly

    return {
        e.id: assembly.read(ROOT / "solutions" / e.file, f"exercises/{e.file}")
        for e in the_course().exercises
    }


def provenance_of(job: Job, course: Course, factor: float) -> dict[str, Any]:
    """What a mark depends on beside the submission."""
    return {
        "kit": course.version,
        "code": job.code,
        "suite": job.suite,
        "seed": job.seed,
        "limits": {e.id: asdict(e.limits) for e in course.exercises},
        "factor": factor,
        "versions": job.versions,
    }


def trimmed(record: dict[str, Any]) -> dict[str, Any]:
    """The record with no more of a student's text in each test than anybody reads."""
    for exercise in record["exercises"]:
        for piece in exercise["pieces"]:
            for test in piece["tests"]:
                test["output"] = shortened(test["output"], OUTPUT_BYTES)
                test["message"] = shortened(test["message"], MESSAGE_BYTES)
    return record


def shortened(text: str, most: int) -> str:
    """The beginning and the end of a long text."""
    if len(text) <= most:
        return text
    words = _("\n... {n} characters left out ...\n").format(n=len(text) - most)
    return text[: most // 2] + words + text[-most // 2 :]


# the process, as others see it


class Marker:
    """A marker process. `mark` gives what came of a submission; it raises Died, or Stop."""

    open: set[Marker] = set()  # noqa: RUF012  all that this process has started and not closed
    stopping = threading.Event()

    def __init__(self, job: str) -> None:
        self.job = job
        self.folder = tempfile.mkdtemp(prefix="glassbox-marker-")
        environment = {name: os.environ[name] for name in KEPT if name in os.environ} | THREADS
        self.said = open(os.path.join(self.folder, "said"), "w+b")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-X", "utf8", "-c", BOOT, str(ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
            cwd=self.folder,
            env=environment | {"GLASSBOX_FOLDER": self.folder, "GLASSBOX_LANG": language.spoken()},
            encoding="utf-8",
        )
        Marker.open.add(self)
        try:
            ready = self.ask(job, PATIENCE)
        except Died:
            self.close()
            raise
        if "stop" in ready:
            self.close()
            raise Stop(ready["stop"])

    def ask(self, line: str, seconds: float) -> dict[str, Any]:
        """Send a line and wait for the answer. Raises Died."""
        stuck = threading.Event()
        clock = threading.Timer(seconds, lambda: (stuck.set(), self.process.kill()))
        clock.daemon = True
        clock.start()
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline()
        except (OSError, ValueError):  # its pipe, or ours, is closed
            answer = ""
        finally:
            clock.cancel()
        if not answer.endswith("\n"):
            raise Died(self.last_words(), stuck.is_set())
        return json.loads(answer)

    def last_words(self) -> str:
        """How the process ended, and the last line that it said."""
        code = self.process.wait()
        self.said.seek(max(0, self.said.seek(0, os.SEEK_END) - 4096))
        said = self.said.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
        ended = _("signal {n}").format(n=-code) if code < 0 else _("exit code {n}").format(n=code)
        return f"{ended}: {said}" if said else ended

    def close(self) -> None:
        """End it, whatever it is doing."""
        Marker.open.discard(self)
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.said):
            with contextlib.suppress(OSError):
                stream.close()
        shutil.rmtree(self.folder, ignore_errors=True)


mine = threading.local()


def apart(job: str, task: str, seconds: float) -> dict[str, Any]:
    """What came of a submission, from the marker of this thread: `record`, `died` or `stop`.

    job, task   as JSON; this is also what a Dask worker is asked to do
    seconds     after which the marker is taken to be stuck
    """
    words, tries, stuck = "", 0, False
    while tries < TRIES and not stuck and not Marker.stopping.is_set():
        tries += 1
        try:
            return my_marker(job).ask(task, seconds)
        except Stop as error:
            return {"stop": str(error)}
        except Died as error:
            words, stuck = str(error), error.stuck  # what took too long would do so again
            close_mine()
    said = _("the process that marked it ended {n} times ({words})")
    return {"died": said.format(n=tries, words=words)}


def my_marker(job: str) -> Marker:
    """The marker of this thread; a new one where there is none for this job."""
    marker = getattr(mine, "marker", None)
    if marker is None or marker.job != job:
        close_mine()
        marker = mine.marker = Marker(job)
    return marker


def close_mine() -> None:
    marker = getattr(mine, "marker", None)
    mine.marker = None
    if marker:
        marker.close()


def close_all() -> None:
    """End every marker of this process, at once."""
    for marker in list(Marker.open):
        marker.close()
