"""Why a submission got what it got for a piece: for the instructor, who may see everything.

The piece is marked again with the seed of the record, so that the hidden inputs are the same; then
each test that does not pass is told in full: its own lines, every call with what it was given, what
came back, and what should have.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import isolation, marker, sandbox, suite, wire
from .course import Piece
from .intake import SHOWN, Submission
from .language import _
from .marking import Run
from .process import Crashed, TimedOut, Worker
from .reports.text import number, one_line, word
from .results import PASSED, WAITING, PieceResult, Result, TestResult
from .student import NAMED, Call, StudentError, Todo
from .workbench import UsedUp

WIDTH = 96
VALUES = 2000  # of an array that are shown
# What importing a file raises, before anything is called.
NOT_LOADED = (StudentError, TimedOut, Crashed, wire.WireError)


class NotExplained(Exception):
    """It cannot be marked again; the message says why."""


@dataclass(frozen=True)
class Account:
    """One test in full."""

    suite: str
    name: str
    source: str
    message: str
    expected: Any
    calls: tuple[Call, ...]
    unloaded: str = ""  # the message, where the file could not be loaded


def lines(run: Run, submission: Submission, piece: Piece, record: Result | None) -> list[str]:
    """The explanation, as lines. Raises NotExplained, SuiteError."""
    head = [_("{id}, {piece}").format(id=submission.id, piece=piece.id)]
    head += [_("handed in late")] if submission.late else []
    head += [one_line(note) for note in submission.notes]
    if submission.problem:
        return [*head, _("not marked: {why}").format(why=one_line(submission.problem))]
    accounts, now = again(run, submission, piece, record)
    unloaded = next((a.unloaded for a in accounts if a.unloaded), "")
    if record is None:
        head.append(_("it is not in the results file: other hidden inputs may give another result"))
    elif record.provenance["submission"] != submission.digest:
        head.append(_("what was handed in has changed since it was marked"))
    head.append(points(piece, now, record))
    passing = []
    for test in now.tests:
        account = next(a for a in accounts if (a.suite, a.name) == (test.suite, test.name))
        title = f"{test.suite}  {test.name}: {word(test.status)}"
        if test.status == PASSED:
            passing.append(title)
        elif test.status == WAITING and unloaded:  # it waits for nothing that could be written
            cause = _("{file} cannot be loaded:").format(file=f"{SHOWN}/{piece.exercise}.py")
            head += ["", title, *(f"  {line}" for line in (cause, *unloaded.splitlines()))]
        else:
            head += ["", title, *(f"  {line}" for line in told(account, test))]
    return [*head, "", *passing]


def points(piece: Piece, now: PieceResult, record: Result | None) -> str:
    passing = sum(test.status == PASSED for test in now.tests)
    words = _("{earned} of {possible} points: {n} of {total} tests pass").format(
        earned=number(now.earned),
        possible=number(now.possible),
        n=passing,
        total=len(now.tests),
    )
    exercises = record.exercises if record else ()
    found = [p for e in exercises if e.id == piece.exercise for p in e.pieces]
    recorded = next((p for p in found if p.name == piece.name and p.possible == piece.points), None)
    if recorded and recorded.earned != now.earned:
        words += _("; the record says {earned}").format(earned=number(recorded.earned))
    return words


def again(
    run: Run, submission: Submission, piece: Piece, record: Result | None
) -> tuple[list[Account], PieceResult]:
    """Mark the piece once more, and listen. Raises NotExplained, SuiteError."""
    accounts = []

    def reveal(test: Any, message: str, error: BaseException | None, calls: list[Call]) -> None:
        lines = inspect.getsource(test.item.function)
        expected = getattr(error, "expected", None)
        loading = isinstance(error, NOT_LOADED) and not isinstance(error, (Todo, UsedUp))
        same_file = test.piece.exercise == piece.exercise
        unloaded = message if loading and same_file and not calls else ""
        accounts.append(
            Account(test.suite, test.name, lines, message, expected, tuple(calls), unloaded)
        )

    try:
        kind = isolation.none() if run.trusted else isolation.best()
    except isolation.Unavailable as error:
        raise NotExplained(str(error)) from error
    sandbox.hide()
    seed = run.seed if run.seed is not None else record.provenance["seed"] if record else 0
    with closing(Worker(isolation=kind)) as worker:
        options = suite.usual(
            tests=run.tests,
            seed=seed,
            factor=run.factor(submission.id),
            worker=worker,
            reveal=reveal,
        )
        target = submission.target(run.course, marker.the_given())
        result = suite.check(run.course, target, (piece,), options)
    return accounts, result.exercises[0].pieces[0]


def told(account: Account, test: TestResult) -> Iterator[str]:
    """One test that does not pass, in full."""
    if test.where:
        yield _("at {place}").format(place=test.where)
    yield from account.message.splitlines()
    if test.diagnosis:
        yield _("likely: {mistake}").format(mistake=test.diagnosis)
    if account.expected is not None:
        yield from valued(_("expected"), account.expected)
    for index, call in enumerate(account.calls, 1):
        request = call.request
        read = _("{words}: its .{name}").format(words=call.words, name=request.get("name"))
        yield f"{index}. {read if request['op'] == 'attribute' else call.words}"
        given = {**dict(enumerate(request.get("args", ()), 1)), **request.get("kwargs", {})}
        given |= {key: request[key] for key in ("on", "value") if key in request}
        for name, value in given.items():
            yield from valued(f"     {name}", value)
        yield from (f"     {line}" for line in came_back(call))
    yield _("the test:")
    yield from (f"     {line}" for line in account.source.splitlines())


def came_back(call: Call) -> Iterator[str]:
    answer = call.answer
    if answer is None:
        yield _("no answer")
    elif "error" in answer:
        error = answer["error"]
        yield _("raised {type}: {message}").format(type=error["type"], message=error["message"])
    elif "refused" in answer:
        yield _("came back: what cannot be taken over ({why})").format(
            why=answer["refused"]["message"]
        )
    else:
        yield from valued(_("came back"), answer["value"])


def valued(label: str, value: Any) -> Iterator[str]:
    """A value with all its numbers; of a handle what it is: the test itself has made t1, t2, ..."""
    shown = shape = ""
    if isinstance(value, (np.ndarray, np.generic)):
        shape = f" {value.dtype} {value.shape}"
        array = np.asarray(value)
        shown = np.array2string(array, threshold=VALUES, max_line_width=WIDTH, prefix=" ")
    elif isinstance(value, wire.Ref):
        id = f"t{value.id - NAMED}" if value.id > NAMED else value.id
        shown = _("{type} no. {id}").format(type=value.type, id=id)
    else:
        try:
            shown = repr(value)
        except ValueError:  # Python writes no int of more than 4300 digits
            shown = _("a number of too many digits to be shown")
    first, *rest = shown.splitlines() or [""]
    if rest:
        yield f"{label}{shape}:"
        yield from (f"       {line}" for line in (first, *rest) if line.strip())
    else:
        yield f"{label}{shape}: {first}"
