"""A class in numbers, from the results file of `mark`: what is hard, what is misunderstood, who is
stuck where; and which submissions are alike.

Submissions that could not be marked, or held nothing, count nowhere but in their own list.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import intake, ledger, similar, stubs
from .course import ROOT, Course
from .language import _, counted
from .ledger import LedgerError
from .marker import why_unmarked
from .reports.text import one_line
from .results import CRASHED, FAILED, PASSED, REFUSED, TIMEOUT, TODO, WAITING
from .similar import Comparison, Document, Pair

CROWD = 5  # names of those that all hand in the same; who they are shows that they are many
ENDINGS = (TIMEOUT, CRASHED, REFUSED)  # of a test that gave no answer


@dataclass(frozen=True)
class Outcome:
    """What one submission reached in one piece.

    endings     how tests of it ended that gave no answer
    diagnosis   the mistake that was named
    """

    piece: str  # "ex05.layernorm"
    status: str
    earned: float
    possible: float
    endings: frozenset[str]
    diagnosis: str | None


@dataclass(frozen=True)
class Mark:
    """What is kept of a record. `problem` says why it could not be marked."""

    outcomes: tuple[Outcome, ...]
    earned: float
    problem: str = ""
    late: bool = False

    @classmethod
    def of(cls, record: dict[str, Any]) -> Mark:
        pieces = [(e["id"].split("_")[0], p) for e in record["exercises"] for p in e["pieces"]]
        return cls(
            outcomes=tuple(outcome(short, piece) for short, piece in pieces),
            earned=float(record["score"]["earned"]),
            problem=why_unmarked(record),
            late=record["provenance"].get("intake", {}).get("late", False),
        )


def outcome(exercise: str, piece: dict[str, Any]) -> Outcome:
    tests = piece["tests"]
    return Outcome(
        piece=f"{exercise}.{piece['name']}",
        status=piece["status"],
        earned=float(piece["earned"]),
        possible=float(piece["possible"]),
        endings=frozenset(test["status"] for test in tests) & frozenset(ENDINGS),
        diagnosis=next((test["diagnosis"] for test in tests if test["diagnosis"]), None),
    )


@dataclass(frozen=True)
class PieceStats:
    """One piece in a class of `of` submissions: in how many it is what.

    timeout, crashed, refused   in how many a test of it so ended; these have failed, too
    named                       of those that failed, how many were told a known mistake
    mean, spread                of the points; the spread is the standard deviation
    """

    id: str
    of: int
    possible: float
    mean: float
    spread: float
    passed: int
    failed: int
    todo: int
    waiting: int
    timeout: int
    crashed: int
    refused: int
    named: int

    @property
    def rate(self) -> float:
        return self.passed / self.of


@dataclass(frozen=True)
class Misconception:
    """A named mistake, and how many submissions make it in this piece."""

    piece: str
    says: str
    count: int


@dataclass(frozen=True)
class Stats:
    """A whole class.

    scores     what each marked submission earned, by id
    unmarked   why the others could not be marked, by id
    late       the ids of those that came late, as far as what was handed in says so
    """

    scores: Mapping[str, float]
    unmarked: Mapping[str, str]
    late: frozenset[str]
    possible: float
    pieces: tuple[PieceStats, ...]
    misconceptions: tuple[Misconception, ...]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.scores.values())

    @property
    def median(self) -> float:
        return statistics.median(self.scores.values())

    @property
    def spread(self) -> float:
        return statistics.pstdev(self.scores.values())

    @property
    def failed(self) -> int:
        """Pieces, of all submissions together, that failed."""
        return sum(piece.failed for piece in self.pieces)

    @property
    def named(self) -> int:
        """How many of these were told a known mistake."""
        return sum(piece.named for piece in self.pieces)


def read(path: Path) -> Stats:
    """The class of a results file; the last record of each id counts. Raises LedgerError."""
    marks = ledger.latest(path, Mark.of)
    if not marks:
        raise LedgerError(_("{path} holds no records yet").format(path=path))
    return summed(marks)


def summed(marks: Mapping[str, Mark]) -> Stats:
    marked = {id: mark for id, mark in marks.items() if not mark.problem}
    by_piece: dict[str, list[Outcome]] = {}
    for mark in marked.values():
        for found in mark.outcomes:
            by_piece.setdefault(found.piece, []).append(found)
    pieces = tuple(piece_stats(id, found) for id, found in by_piece.items())
    told = Counter(
        (id, found.diagnosis) for id, all_ in by_piece.items() for found in all_ if found.diagnosis
    )
    return Stats(
        scores={id: mark.earned for id, mark in sorted(marked.items())},
        unmarked={id: mark.problem for id, mark in sorted(marks.items()) if mark.problem},
        late=frozenset(id for id, mark in marks.items() if mark.late),
        possible=sum(piece.possible for piece in pieces),
        pieces=pieces,
        misconceptions=tuple(Misconception(*what, count) for what, count in told.most_common()),
    )


def piece_stats(id: str, found: list[Outcome]) -> PieceStats:
    points = [outcome.earned for outcome in found]
    status = Counter(outcome.status for outcome in found)
    endings = Counter(ending for outcome in found for ending in outcome.endings)
    return PieceStats(
        id=id,
        of=len(found),
        possible=max(outcome.possible for outcome in found),
        mean=statistics.fmean(points),
        spread=statistics.pstdev(points),
        passed=status[PASSED],
        failed=status[FAILED],
        todo=status[TODO],
        waiting=status[WAITING],
        timeout=endings[TIMEOUT],
        crashed=endings[CRASHED],
        refused=endings[REFUSED],
        named=sum(outcome.status == FAILED and bool(outcome.diagnosis) for outcome in found),
    )


def alike(folder: Path, course: Course, root: Path = ROOT) -> tuple[list[Pair], list[str]]:
    """The submissions of a folder that are alike, or like the course's own answers; and notes.

    Pairs stand in order, the most alike first; notes say what could not be compared. Raises
    IntakeError.
    """
    parcels, notes = intake.parcels(folder)
    handed_in = [intake.open_parcel(parcel, course, any_version=True) for parcel in parcels]
    notes += [f"{sub.id}: {one_line(sub.problem)}" for sub in handed_in if sub.problem]
    pairs: list[Pair] = []
    crowds: list[str] = []
    for exercise in course.exercises:
        files = {sub.id: sub.files[exercise.id] for sub in handed_in if exercise.id in sub.files}
        notes += [f"{id}: {one_line(file.problem)}" for id, file in files.items() if file.problem]
        texts = [Document(id, file.text) for id, file in files.items() if file.text]
        solution = (root / "solutions" / exercise.file).read_text("utf-8")
        documents = [*texts, *ours(root, exercise.file)]
        found = similar.compare(exercise.id, documents, stubs.generate(solution, exercise.file))
        pairs += found.pairs
        crowds += [f"{exercise.short}: {words}" for words in not_paired(found)]
    return sorted(pairs, key=lambda pair: (-pair.share, -pair.shared)), [*crowds, *notes]


def not_paired(found: Comparison) -> Iterator[str]:
    """A line on each crowd that is too large for pairs, and one on what was handed in untouched."""
    for owners in found.crowds:
        words = _("{n} files are the same but for names and comments: {owners}, ...")
        yield words.format(n=len(owners), owners=", ".join(map(one_line, owners[:CROWD])))
    if n := len(found.untouched):
        yield counted(
            "{n} file is the stub, as it was handed out",
            "{n} files are the stub, as it was handed out",
            n,
        )


def ours(root: Path, file: str) -> Iterable[Document]:
    """What the course itself has of an exercise: the reference, and other right answers."""
    for folder in ("solutions", "tests/alternatives"):
        path = root / folder / file
        if path.is_file():
            yield Document(f"{folder}/{file}", path.read_text("utf-8"), ours=True)
