"""What a report says, whatever it looks like: the same facts in the same words everywhere.

Everything that reaches a report may hold text that a student's code made. It is shown only through
`clean`, so that it can neither move the cursor, nor colour, nor reorder what the report says.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..course import Course, Piece
from ..language import _, counted, later, letters
from ..results import (
    CRASHED,
    FAILED,
    PASSED,
    REFUSED,
    TIMEOUT,
    TODO,
    WAITING,
    ExerciseResult,
    Finale,
    PieceResult,
    Result,
    TestResult,
)

WORDS = {
    PASSED: later("passed"),
    FAILED: later("failed"),
    TODO: later("to do"),
    WAITING: later("waiting"),
    TIMEOUT: later("timed out"),
    CRASHED: later("crashed"),
    REFUSED: later("refused"),
    "interrupted": later("interrupted"),
}
BROKEN = (FAILED, TIMEOUT, CRASHED, REFUSED)

# The most that a report shows of each.
BLOCKS_A_PIECE = 3
BLOCKS = 7
MESSAGE_LINES = 30
OUTPUT_LINES = 10
LINE_LENGTH = 400

# A body stops at the next control character, so that a scan never covers the same text twice.
_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor movements
    r"|(?:\x1b[]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x00-\x1f\x7f-\x9f]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS
    r"|\x1b[ -/]*[0-~]"  # two-character escapes
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_UNENCODABLE = re.compile(r"[\ud800-\udfff\ufffe\uffff]")  # by UTF-8, and by XML


def clean(text: str) -> str:
    """`text` made safe for any terminal: what a reader sees, and nothing that a terminal obeys.

    Escape sequences, control characters other than newline and tab, and the marks that reorder
    right-to-left text are removed; a lone surrogate becomes U+FFFD; a carriage return ends a line.
    What is left can be written in UTF-8 and in XML. Cleaning twice changes nothing.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _CONTROLS.sub("", _ESCAPES.sub("", text))
    return _UNENCODABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """`clean` for a name or a place: no line ends, no runs of spaces, no more than a line holds."""
    return _short(" ".join(clean(text).split()))


def ascii_only(text: str) -> str:
    """Every other character as its escape, so that printing cannot fail in any encoding.

    The letters of the language in use stay: the command line sees to it that they can be printed.
    """
    if not letters():
        return text.encode("ascii", "backslashreplace").decode("ascii")
    return "".join(c if c in letters() else ascii(c)[1:-1] if c > "\x7f" else c for c in text)


def number(value: float) -> str:
    """10.0 -> "10", 5.33 -> "5.33"."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def word(status: str) -> str:
    """A status as a reader meets it."""
    return _(WORDS[status])


def score(scored: Result | ExerciseResult) -> str:
    return _("{earned} of {possible} points").format(
        earned=number(scored.earned), possible=number(scored.possible)
    )


def piece_id(exercise: ExerciseResult, piece: PieceResult) -> str:
    """The name that commands take: "ex05.layernorm"."""
    return f"{short(exercise)}.{piece.name}"


def short(exercise: ExerciseResult) -> str:
    return exercise.id.split("_")[0]


def is_whole(result: Result, course: Course) -> bool:
    """Whether the result covers every piece of the course, and not a selection."""
    return course.pieces.keys() <= pieces(result).keys()


def next_step(result: Result, course: Course) -> tuple[Piece, TestResult | None] | None:
    """The first piece that is failed, else the first to do, and its first test not passed.

    What is begun comes first: whoever skipped an exercise is not sent back to it in mid-thought.
    None when nothing can be done: all pass, or what does not pass waits for a piece not selected.
    """
    found = pieces(result)
    for status in (FAILED, TODO):
        for id, piece in course.pieces.items():
            if id in found and found[id].status == status:
                return piece, next((t for t in found[id].tests if t.status != PASSED), None)
    return None


def summary(result: Result, course: Course) -> list[str]:
    """What was checked, how much of it passes, and how long the rest may take."""
    found = list(pieces(result).values())
    facts = [
        _("{passing} of {all} pass").format(
            passing=_passing(result.exercises),
            all=counted("{n} exercise", "{n} exercises", len(result.exercises)),
        ),
        _("{passing} of {all} pass").format(
            passing=_passing(found), all=counted("{n} piece", "{n} pieces", len(found))
        ),
    ]
    if minutes := _minutes_left(result, course):
        facts.append(_("about {time} to go").format(time=_duration(minutes)))
    return facts


def origin(result: Result) -> list[str]:
    """What was checked, where it is not simply the student's own files on the visible tests."""
    facts = (
        [_("target {name}").format(name=one_line(result.target))]
        if result.target != "exercises"
        else []
    )
    if result.submission is not None:
        facts.append(_("submission {name}").format(name=one_line(result.submission)))
    if tuple(result.suites) != ("visible",):
        facts.append(_("suites {names}").format(names=", ".join(map(one_line, result.suites))))
    return facts


def borrowed(exercise: ExerciseResult) -> list[str]:
    """What the exercise borrowed; nothing worth saying while none of its own code has run."""
    return [] if exercise.status == TODO else [one_line(name) for name in exercise.borrowed]


def waits(exercise: ExerciseResult) -> list[str]:
    """What the waiting tests of an exercise say they wait for, each reason once."""
    waiting = [t for piece in exercise.pieces for t in piece.tests if t.status == WAITING]
    return list(dict.fromkeys(one_line(test.message) or _("a piece before it") for test in waiting))


@dataclass(frozen=True)
class Block:
    """One failure to show. `same` names the piece of every further test that says just the same."""

    piece: str
    test: TestResult
    same: tuple[str, ...] = ()


def blocks(result: Result) -> list[Block]:
    """Every failure in order; what tests of one exercise say alike is said once.

    A file that cannot be imported fails all its tests in the same words: one cause, one block.
    """
    alike: dict[tuple, list[tuple[str, TestResult]]] = {}
    for exercise in result.exercises:
        for piece, test in _broken(exercise):
            says = (test.status, test.message or test.name, test.where, test.diagnosis)
            alike.setdefault((exercise.id, says), []).append((piece, test))
    return [Block(*first, tuple(piece for piece, _ in rest)) for first, *rest in alike.values()]


def _broken(exercise: ExerciseResult) -> Iterator[tuple[str, TestResult]]:
    for piece in exercise.pieces:
        for test in piece.tests:
            if test.status in BROKEN:
                yield piece_id(exercise, piece), test


def shown(result: Result) -> tuple[list[Block], list[str]]:
    """The blocks to show; and, where there are more, how many and the command that shows them.

    A check of one exercise shows them all: whoever asks for it wants them. Otherwise a few a piece,
    and few in all, so that the first cause is not buried under what it caused.
    """
    found = blocks(result)
    if len(result.exercises) == 1:
        return found, []
    seen: Counter[str] = Counter()
    show = []
    for block in found:
        if seen[block.piece] < BLOCKS_A_PIECE and len(show) < BLOCKS:
            seen[block.piece] += 1
            show.append(block)
    more = Counter(block.piece for block in found) - seen
    return show, _more(more, {block.piece for block in show})


def _more(more: Counter[str], begun: set[str]) -> list[str]:
    lines = [
        _("{n} more of {piece}: {command}").format(
            n=count, piece=piece, command=check_command(piece)
        )
        for piece, count in more.items()
        if piece in begun
    ]
    unseen = [piece for piece in more if piece not in begun]
    if unseen:
        total = sum(more[piece] for piece in unseen)
        lines.append(
            _("{n} more in {pieces}, first {piece}: {command}").format(
                n=total,
                pieces=counted("{n} other piece", "{n} other pieces", len(unseen)),
                piece=unseen[0],
                command=check_command(unseen[0]),
            )
        )
    return lines


def heading(block: Block) -> tuple[str, str, str]:
    """Piece, test and place; a test that the student cannot see names its suite."""
    suite = "" if block.test.suite == "visible" else f" ({one_line(block.test.suite)})"
    return (
        one_line(block.piece),
        one_line(block.test.name) + suite,
        one_line(block.test.where or ""),
    )


def said(block: Block) -> list[str]:
    """What happened, in words: the test's message, its status where that is more than "failed"."""
    test = block.test
    lines = _clipped(clean(test.message), MESSAGE_LINES)
    status = word(test.status)
    if not lines:
        return [_("{status}; the test gives no message").format(status=status)]
    if test.status == FAILED or status in lines[0]:
        return lines
    return [f"{status}: {lines[0]}", *lines[1:]]


def likely(block: Block) -> str | None:
    """The mistake that the outputs point to, where one is known."""
    return one_line(block.test.diagnosis) if block.test.diagnosis else None


def repeats(block: Block) -> str | None:
    """How many further tests say the same, and of which pieces."""
    if not block.same:
        return None
    where = ", ".join(dict.fromkeys(map(one_line, block.same)))
    return _("the same in {tests} of {pieces}").format(
        tests=counted("{n} more test", "{n} more tests", len(block.same)), pieces=where
    )


def printed(block: Block) -> tuple[str, list[str]] | None:
    """What the student's code printed during the test: a title, and its last lines."""
    lines = clean(block.test.output).strip("\n").split("\n")
    if lines == [""]:
        return None
    title = _("your code printed:")
    if len(lines) > OUTPUT_LINES:
        title = _("your code printed (last {shown} of {all} lines):").format(
            shown=OUTPUT_LINES, all=len(lines)
        )
    return title, [_short(line) for line in lines[-OUTPUT_LINES:]]


def ending(result: Result, course: Course) -> list[tuple[str, str]]:
    """What a reader should end on, as (label, fact): the next thing to do, or what was reached."""
    step = next_step(result, course)
    if step:
        return _to_do(result, course, *step)
    if not result.passed:
        all_reasons = [reason for exercise in result.exercises for reason in waits(exercise)]
        reasons = list(dict.fromkeys(all_reasons))
        return [*_before(result, course, reasons), *((word(WAITING), r) for r in reasons)]
    if not is_whole(result, course):
        asked = _("all that was asked for passes: {score}").format(score=score(result))
        return [(_("done"), asked), (_("next"), "make check")]
    facts = [(_("done"), _("every piece passes: {score}").format(score=score(result)))]
    if result.finale is None:
        return [*facts, (_("next"), _("make train: your model learns to make up names"))]
    return facts + _trained(result.finale)


def _to_do(
    result: Result, course: Course, piece: Piece, test: TestResult | None
) -> list[tuple[str, str]]:
    exercise = course.exercise_of(piece)
    begun = pieces(result)[piece.id].status == FAILED
    file = f"{one_line(result.target)}/{exercise.file}"
    return [
        (_("next"), f"{piece.id}, {_('not right yet') if begun else _('to write')}"),
        (_("goal"), one_line(_(exercise.goal))),
        (_("mend"), ", ".join(piece.defines)) if begun else (_("write"), _missing(piece, test)),
        (_("open"), one_line(test.where) if test and test.where else file),
        (_("stuck"), f"python -m grader hint {piece.id}"),
    ]


def _before(result: Result, course: Course, reasons: Sequence[str]) -> list[tuple[str, str]]:
    """The first piece that what waits here waits for: it can be begun."""
    named = {name for reason in reasons for name in reason.replace(",", " ").split()}
    for piece in course.pieces.values():
        exercise = course.exercise_of(piece)
        if piece.id in named or exercise.short in named:
            return [
                (_("next"), _("{piece}, which this waits for").format(piece=piece.id)),
                (_("open"), f"{one_line(result.target)}/{exercise.file}"),
                (_("stuck"), f"python -m grader hint {piece.id}"),
            ]
    return [(_("next"), _("nothing to do here yet"))]


def _missing(piece: Piece, test: TestResult | None) -> str:
    """What is to be written: the piece, or what it calls, if the stub of that was reached."""
    todo, _blank, name = (test.message if test else "").partition("TODO ")
    if todo or not name or name in piece.defines:
        return ", ".join(piece.defines)
    return _("first {name}, which it calls").format(name=one_line(name))


def _trained(finale: Finale) -> list[tuple[str, str]]:
    """How the finale ended, and what the student's model made up."""
    took = _("{n} steps in {seconds:.1f} s").format(n=finale.steps, seconds=finale.seconds)
    facts = [(_("finale"), f"{word(finale.status)}, {took}")]
    facts.append((_("loss"), f"{finale.loss:.4f}"))
    if finale.samples:
        facts.append((_("samples"), ", ".join(map(one_line, finale.samples))))
    if finale.checkpoint:
        facts.append((_("saved"), one_line(finale.checkpoint)))
    again = "python -m grader sample" if finale.status == PASSED else "make train"
    return [*facts, (_("next"), again)]


def check_command(piece: str) -> str:
    return f'make check ARGS="{piece}"'


def pieces(result: Result) -> dict[str, PieceResult]:
    return {
        piece_id(exercise, piece): piece
        for exercise in result.exercises
        for piece in exercise.pieces
    }


def _minutes_left(result: Result, course: Course) -> float:
    """The minutes of the exercises checked, by the share of their points that is still open."""
    return sum(
        course.by_id[exercise.id].minutes * (1 - exercise.earned / exercise.possible)
        for exercise in result.exercises
        if exercise.id in course.by_id and exercise.possible and exercise.status != PASSED
    )


def _duration(minutes: float) -> str:
    """Rounded to what one plans with: "5 min", "45 min", "3 h", "3.5 h"."""
    if minutes <= 60:
        return f"{max(5, 5 * round(minutes / 5))} min"
    return f"{number(round(minutes / 30) / 2)} h"


def _passing(parts: Sequence[ExerciseResult] | Sequence[PieceResult]) -> int:
    return sum(part.status == PASSED for part in parts)


def _clipped(text: str, most: int) -> list[str]:
    """The lines of `text` without its empty ends, at most `most` of them, none endless."""
    lines = text.strip("\n").split("\n") if text.strip() else []
    more = len(lines) - most
    kept = [_short(line) for line in lines[:most]]
    return [*kept, _("... {n} more lines").format(n=more)] if more > 0 else kept


def _short(line: str) -> str:
    more = len(line) - LINE_LENGTH
    if more <= 0:
        return line
    return _("{start}... {n} more characters").format(start=line[:LINE_LENGTH], n=more)
