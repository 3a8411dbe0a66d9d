"""Marking many submissions: what is marked already stays, the rest goes to the markers.

    parcels -> submissions -> markers, on this machine or on a Dask cluster -> ledger

The order in which results come is chance; the results are not.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import intake, ledger, marker
from .course import Course
from .intake import Parcel, Submission
from .language import _
from .marker import INTAKE, Job
from .reports.text import one_line
from .results import REFUSED, TODO, ExerciseResult, PieceResult, Result, TestResult, combined

SEEDS = 2**48
LOCAL = "local"
NOT_RUN = "nothing was run"


class MarkingError(Exception):
    """Marking cannot go on; the message says why, and what to do."""


@dataclass(frozen=True)
class Brief:
    """What is kept in mind of a record: enough to see whether it still holds, and to sum up."""

    conditions: str
    seed: int
    pieces: tuple[str, ...]
    earned: float
    possible: float
    status: str  # passed | failed | todo | waiting | refused
    why: str = ""  # it was refused

    @classmethod
    def of(cls, record: dict[str, Any]) -> Brief:
        exercises = record["exercises"]
        pieces = [(e["id"].split("_")[0], piece) for e in exercises for piece in e["pieces"]]
        tests = [test for _exercise, piece in pieces for test in piece["tests"]]
        refused = all(test["suite"] == INTAKE and test["status"] == REFUSED for test in tests)
        return cls(
            conditions=conditions(record["provenance"]),
            seed=record["provenance"]["seed"],
            pieces=tuple(f"{short}.{piece['name']}" for short, piece in pieces),
            earned=record["score"]["earned"],
            possible=record["score"]["possible"],
            status=REFUSED if refused else combined(e["status"] for e in exercises),
            why=tests[0]["message"] if refused else "",
        )


@dataclass
class Tally:
    """How far a run has come."""

    total: int
    known: int = 0  # those and others that the file holds
    marked: int = 0
    kept: int = 0
    died: list[str] = field(default_factory=list)
    briefs: dict[str, Brief] = field(default_factory=dict)  # of the submissions that are there
    running: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        return self.marked + self.kept

    def statuses(self) -> Counter[str]:
        return Counter(brief.status for brief in self.briefs.values())

    @property
    def mean(self) -> float:
        return statistics.fmean(brief.earned for brief in self.briefs.values())


@dataclass(frozen=True)
class Run:
    """One call of `mark`: what is marked, and by which rules."""

    course: Course
    parcels: list[Parcel]
    pieces: tuple[str, ...]
    tests: tuple[Path, ...]
    trusted: bool = False
    any_version: bool = False
    seed: int | None = None  # None: that of the file, or a new one
    factors: Mapping[str, float] = field(default_factory=dict)

    def submission(self, parcel: Parcel) -> Submission:
        return intake.open_parcel(parcel, self.course, self.any_version)

    def factor(self, id: str) -> float:
        return self.factors.get(id, 1.0)

    def job(self, known: Mapping[str, Brief]) -> Job:
        """How to mark. Raises MarkingError where the file holds marks of other pieces."""
        others = {brief.pieces for brief in known.values()} - {self.pieces}
        if others:
            raise MarkingError(
                _("the file holds marks of other pieces ({names}); take another one").format(
                    names=", ".join(sorted(others)[0][:3]) + ", ..."
                )
            )
        seed = self.seed
        if seed is None:
            seed = [*known.values()][-1].seed if known else secrets.randbelow(SEEDS)
        return Job.make(seed, self.pieces, self.tests, self.trusted)

    def seconds(self, id: str) -> float:
        """The longest that a submission may take: all that its exercises may, and some."""
        limits = sum(e.limits.exercise + e.limits.import_ for e in self.course.exercises)
        return limits * len(self.tests) * self.factor(id) + marker.PATIENCE


def mark_all(
    run: Run,
    path: Path,
    crew: Callable[[], contextlib.AbstractContextManager[Crew]],
    notify: Callable[[Tally], None] = lambda tally: None,
) -> Tally:
    """Mark what the file does not hold yet, or holds of other files, tests or rules.

    Every record is on the disk before `notify` hears of it; a run that is stopped at any moment
    loses nothing that it has said. Raises MarkingError, LedgerError.
    """
    with ledger.Ledger(path) as book:
        known = ledger.latest(path, Brief.of)
        job = run.job(known)
        ids = known.keys() | {parcel.id for parcel in run.parcels}
        tally = Tally(len(run.parcels), len(ids))
        with contextlib.ExitStack() as stack:
            hands: Crew | None = None
            waiting: dict[Future, Submission] = {}

            def note(record: dict[str, Any], died: bool = False) -> None:
                book.append(record)
                tally.marked += 1
                tally.briefs[record["submission"]] = Brief.of(record)
                tally.died += [record["submission"]] if died else []

            def settle(most: int) -> None:
                """Note what is done, until no more than `most` are on their way."""
                while len(waiting) > most:
                    done, _still = wait(waiting, return_when=FIRST_COMPLETED)
                    for future in done:
                        submission = waiting.pop(future)
                        note(*outcome(run, job, submission, future))
                        show()

            def show() -> None:
                width = hands.width if hands else 0
                tally.running = tuple(s.id for s in list(waiting.values())[:width])
                notify(tally)

            for parcel in run.parcels:
                submission = run.submission(parcel)
                told = told_of(run, job, submission)
                brief = known.get(submission.id)
                if brief and brief.conditions == conditions(told):
                    tally.kept += 1
                    tally.briefs[submission.id] = brief
                elif submission.problem:
                    note(refusal(run, submission, told))
                else:
                    hands = hands or stack.enter_context(crew())
                    task = task_line(submission, run.factor(submission.id), told)
                    future = hands.submit(json.dumps(asdict(job)), task, run.seconds(parcel.id))
                    waiting[future] = submission
                    settle(2 * hands.width)
                show()
            settle(0)
        return tally


def outcome(
    run: Run, job: Job, submission: Submission, future: Future
) -> tuple[dict[str, Any], bool]:
    """The record that a marker gave, or one that says why it gave none. Raises MarkingError."""
    try:
        answer = future.result()
    except Exception as error:  # of the cluster: it gave the submission up
        answer = {"died": f"{type(error).__name__}: {error}"}
    if "stop" in answer:
        raise MarkingError(answer["stop"])
    if "record" in answer:
        return answer["record"], False
    words = one_line(answer["died"])
    return result_of(run, submission, words, REFUSED, told_of(run, job, submission)), True


def task_line(submission: Submission, factor: float, told: dict[str, Any]) -> str:
    files = {
        id: {
            "shown": source.shown,
            "text": source.text,
            "missing": source.missing,
            "problem": source.problem,
            "line": source.line,
        }
        for id, source in submission.files.items()
    }
    return json.dumps({"id": submission.id, "files": files, "factor": factor, "provenance": told})


# what a record says beside the marks


def told_of(run: Run, job: Job, submission: Submission) -> dict[str, Any]:
    """What the marks depend on, and what is known of the submission before it is marked."""
    return marker.provenance_of(job, run.course, run.factor(submission.id)) | {
        "isolation": marker.TRUSTED if run.trusted else NOT_RUN,
        "submission": submission.digest,
        "intake": {
            "name": submission.name,
            "late": submission.late,
            "notes": list(submission.notes),
        },
    }


def conditions(provenance: dict[str, Any]) -> str:
    """All that a mark depends on, in a form to compare; which isolation it was does not count."""
    trusted = provenance["isolation"] == marker.TRUSTED
    return marker.hashed(json.dumps(provenance | {"isolation": trusted}, sort_keys=True))


def refusal(run: Run, submission: Submission, told: dict[str, Any]) -> dict[str, Any]:
    """The record of what cannot be marked: to do where nothing was handed in, else refused."""
    status = TODO if submission.empty else REFUSED
    return result_of(run, submission, submission.problem, status, told)


def result_of(
    run: Run, submission: Submission, words: str, status: str, told: dict[str, Any]
) -> dict[str, Any]:
    """A record in which every piece says the same."""
    said = TestResult(INTAKE, INTAKE, status, words)
    wanted = set(run.pieces)
    exercises = [
        ExerciseResult(
            exercise.id,
            exercise.title,
            tuple(
                PieceResult.score(piece.name, piece.points, [said])
                for piece in exercise.pieces
                if piece.id in wanted
            ),
        )
        for exercise in run.course.exercises
    ]
    return Result(
        target=intake.SHOWN,
        suites=tuple(folder.name for folder in run.tests),
        exercises=tuple(exercise for exercise in exercises if exercise.pieces),
        submission=submission.id,
        provenance=told,
    ).to_json()


# who does the work


@dataclass(frozen=True)
class Crew:
    """Those who mark: how many at once, and how they are asked."""

    width: int
    executor: Executor

    def submit(self, job: str, task: str, seconds: float) -> Future:
        return self.executor.submit(marker.apart, job, task, seconds)


@contextlib.contextmanager
def here(jobs: int) -> Iterator[Crew]:
    """So many markers on this machine."""
    marker.Marker.stopping.clear()
    executor = ThreadPoolExecutor(jobs)
    try:
        yield Crew(jobs, executor)
    finally:
        marker.Marker.stopping.set()
        executor.shutdown(wait=False, cancel_futures=True)
        marker.close_all()


@contextlib.contextmanager
def cluster(address: str, jobs: int) -> Iterator[Crew]:
    """The workers of a Dask cluster; "local": of one with so many processes, made for this.

    Raises MarkingError where there is no Dask, or no cluster.
    """
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        words = _("--dask takes Dask: sh requirements/install.sh cluster")
        raise MarkingError(words) from None
    with contextlib.ExitStack() as stack:
        if address == LOCAL:
            address = stack.enter_context(
                LocalCluster(
                    n_workers=jobs,
                    threads_per_worker=1,
                    processes=True,
                    dashboard_address=None,
                    silence_logs=logging.ERROR,
                )
            )
        try:
            client = stack.enter_context(Client(address, timeout=10))
        except (OSError, ValueError, TimeoutError) as error:
            words = _("--dask {address}: no cluster answers there ({why})")
            raise MarkingError(words.format(address=address, why=error)) from None
        threads = sum(client.nthreads().values())
        if not threads:
            raise MarkingError(_("--dask {address}: it has no workers").format(address=address))
        try:
            yield Crew(threads, client.get_executor(pure=False))
        finally:
            with contextlib.suppress(OSError, TimeoutError):
                client.run(marker.close_all, on_error="ignore")
