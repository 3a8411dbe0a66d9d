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
from .marker import INTAKE, Job, why_unmarked
from .reports.text import one_line
from .results import REFUSED, TODO, ExerciseResult, PieceResult, Result, TestResult, combined

SEEDS = 2**48
LOCAL = "local"
AHEAD = 2  # submissions for each that can be marked at once: the next one is at hand
CONNECT_SECONDS = 30  # to a cluster
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
    status: str  # passed | failed | todo | waiting
    why: str = ""  # it could not be marked, or held nothing

    @classmethod
    def of(cls, record: dict[str, Any]) -> Brief:
        exercises = record["exercises"]
        pieces = [(e["id"].split("_")[0], piece) for e in exercises for piece in e["pieces"]]
        return cls(
            conditions=conditions(record["provenance"]),
            seed=record["provenance"]["seed"],
            pieces=tuple(f"{short}.{piece['name']}" for short, piece in pieces),
            earned=record["score"]["earned"],
            possible=record["score"]["possible"],
            status=combined(e["status"] for e in exercises),
            why=why_unmarked(record),
        )


@dataclass
class Tally:
    """How far a run has come."""

    total: int
    known: int = 0  # those and others that the file holds
    marked: int = 0
    refused: int = 0  # of those marked: that could not be
    kept: int = 0
    died: list[str] = field(default_factory=list)
    briefs: dict[str, Brief] = field(default_factory=dict)  # of the submissions that are there
    running: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        return self.marked + self.kept

    @property
    def unmarked(self) -> dict[str, str]:
        """Why some could not be marked, by id: they count in nothing else, as in `stats`."""
        return {id: brief.why for id, brief in sorted(self.briefs.items()) if brief.why}

    def statuses(self) -> Counter[str]:
        return Counter(brief.status for brief in self.briefs.values() if not brief.why)

    @property
    def mean(self) -> float | None:
        """Of what the marked ones earned."""
        earned = [brief.earned for brief in self.briefs.values() if not brief.why]
        return statistics.fmean(earned) if earned else None


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
    loses nothing that it has said. `crew` is asked for when there is something to mark. Raises
    MarkingError, LedgerError.
    """
    with ledger.Ledger(path) as book, contextlib.ExitStack() as stack:
        known = ledger.latest(path, Brief.of)
        desk = Desk(run, run.job(known), book, known, notify)
        for parcel in run.parcels:
            submission = run.submission(parcel)
            if desk.holds(submission):
                desk.keep(submission)
            elif submission.problem:
                desk.refuse(submission)
            else:
                desk.crew = desk.crew or stack.enter_context(crew())
                desk.hand_out(submission)
                desk.settle(AHEAD * desk.crew.width)
        desk.settle(0)
        return desk.tally


class Desk:
    """Where a run comes together: what the file holds, what is on its way, what has come back."""

    def __init__(
        self,
        run: Run,
        job: Job,
        book: ledger.Ledger,
        known: Mapping[str, Brief],
        notify: Callable[[Tally], None],
    ) -> None:
        self.run, self.job, self.book, self.known, self.notify = run, job, book, known, notify
        ids = known.keys() | {parcel.id for parcel in run.parcels}
        self.tally = Tally(len(run.parcels), len(ids))
        self.crew: Crew | None = None
        self.waiting: dict[Future, Submission] = {}

    def holds(self, submission: Submission) -> bool:
        """Whether the file has the marks of these files, by these rules."""
        brief = self.known.get(submission.id)
        return brief is not None and brief.conditions == conditions(self.told_of(submission))

    def keep(self, submission: Submission) -> None:
        self.tally.kept += 1
        self.tally.briefs[submission.id] = self.known[submission.id]
        self.show()

    def refuse(self, submission: Submission) -> None:
        """Note what cannot be marked: to do where nothing was handed in, else refused."""
        status = TODO if submission.empty else REFUSED
        told = self.told_of(submission)
        self.note(result_of(self.run, submission, submission.problem, status, told))

    def hand_out(self, submission: Submission) -> None:
        """Give a submission to whoever is free next."""
        run, id = self.run, submission.id
        task = task_line(submission, run.factor(id), self.told_of(submission))
        future = self.crew.submit(json.dumps(asdict(self.job)), task, run.seconds(id))
        self.waiting[future] = submission
        self.show()

    def settle(self, most: int) -> None:
        """Note what comes back, until no more than `most` are on their way. Raises MarkingError."""
        while len(self.waiting) > most:
            for future in wait(self.waiting, return_when=FIRST_COMPLETED).done:
                self.note(self.outcome(self.waiting.pop(future), future))

    def outcome(self, submission: Submission, future: Future) -> dict[str, Any]:
        """The record that a marker gave, or one that says why it gave none. Raises MarkingError."""
        try:
            answer = future.result()
        except Exception as error:  # of the cluster: it gave the submission up
            answer = {"died": f"{type(error).__name__}: {error}"}
        if "stop" in answer:
            raise MarkingError(answer["stop"])
        if "record" in answer:
            return answer["record"]
        self.tally.died.append(submission.id)
        told = self.told_of(submission) | {"gave_up": True}  # so that the next run tries again
        return result_of(self.run, submission, one_line(answer["died"]), REFUSED, told)

    def note(self, record: dict[str, Any]) -> None:
        """Put a record into the file."""
        self.book.append(record)
        brief = self.tally.briefs[record["submission"]] = Brief.of(record)
        self.tally.marked += 1
        self.tally.refused += bool(brief.why)
        self.show()

    def show(self) -> None:
        at_work = list(self.waiting.values())[: self.crew.width if self.crew else 0]
        self.tally.running = tuple(submission.id for submission in at_work)
        self.notify(self.tally)

    def told_of(self, submission: Submission) -> dict[str, Any]:
        """What the marks depend on, and what is known of the submission before it is marked."""
        factor = self.run.factor(submission.id)
        return marker.provenance_of(self.job, self.run.course, factor) | {
            "isolation": marker.TRUSTED if self.run.trusted else NOT_RUN,
            "submission": submission.digest,
            "intake": {
                "name": submission.name,
                "late": submission.late,
                "files": sorted(f"{id}.py" for id in submission.files),
                "notes": list(submission.notes),
            },
        }


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


def conditions(provenance: dict[str, Any]) -> str:
    """All that a mark depends on, in a form to compare; which isolation it was does not count."""
    trusted = provenance["isolation"] == marker.TRUSTED
    return marker.hashed(json.dumps(provenance | {"isolation": trusted}, sort_keys=True))


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
            client = stack.enter_context(Client(address, timeout=CONNECT_SECONDS))
        except (OSError, ValueError, TimeoutError) as error:
            words = _("--dask {address}: no cluster answers there ({why})")
            raise MarkingError(words.format(address=address, why=error)) from None
        threads = sum(client.nthreads().values())
        if not threads:
            raise MarkingError(_("--dask {address}: it has no workers").format(address=address))
        try:
            client.run(marker.versions)
        except Exception as error:  # whatever keeps them from importing it
            words = _("--dask {address}: its workers do not have the kit ({why}); start them in it")
            raise MarkingError(words.format(address=address, why=error)) from None
        yield Crew(threads, client.get_executor(pure=False))
