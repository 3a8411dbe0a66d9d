"""The kill matrix: what the suites say of every wrong and every right answer, in four forms.

All say the same: the summary, a line for each exercise, a line for each mutant, and what is amiss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ..course import Course, Exercise
from ..language import _, counted, later
from ..mutation import Matrix
from ..trials import HIDDEN, SUITES, VISIBLE, Verdict
from . import text

SURVIVES = later("survives")


@dataclass(frozen=True)
class Count:
    """How many of how many: killed mutants, accepted alternatives."""

    of: int
    found: int

    def __str__(self) -> str:
        return _("{passing} of {all}").format(passing=self.found, all=self.of)


def render(matrix: Matrix, course: Course) -> str:
    """The plain report: linear, ASCII, one fact a line; for each mutant the tests that kill it."""
    sections = [
        [_("Kill matrix"), *summary(matrix)],
        *(_exercise(exercise, matrix) for exercise in exercises(matrix, course)),
        *([_(title) + ":", *(f"  {line}" for line in lines)] for title, lines in amiss(matrix)),
        [verdict(matrix)],
    ]
    report = "\n\n".join("\n".join(lines) for lines in sections)
    return text.ascii_only(text.clean(report)) + "\n"


def show(matrix: Matrix, course: Course, console: Console | None = None) -> None:
    """Print the matrix as tables."""
    console = console or Console(highlight=False)
    console.print(Text(_("Kill matrix"), "bold"))
    console.print("\n".join(summary(matrix)), markup=False)
    for exercise in exercises(matrix, course):
        console.print()
        console.print(Text(_heading(exercise, matrix), "bold"))
        console.print(_table(exercise, matrix))
    for title, lines in amiss(matrix):
        console.print()
        console.print(Text(_(title), "bold red"))
        for line in lines:
            console.print(Padding(Text(line), (0, 0, 0, 2)))
    console.print()
    console.print(Text(verdict(matrix), "green" if matrix.holds else "red"))


def markdown(matrix: Matrix, course: Course) -> str:
    """Two tables for a README: the exercises, and every mutant with what it does wrong."""
    rows = [
        [f"{exercise.short} {exercise.title}", *measures(matrix.of(exercise.id)).values()]
        for exercise in exercises(matrix, course)
    ]
    whole = measures(matrix)
    detail = [
        [f"`{v.variant.id}`", v.variant.says, *(killers(v, suite) for suite in SUITES)]
        for v in matrix.mutants
    ]
    parts = ["; ".join(summary(matrix)) + "."]
    parts += [_markdown_table(["exercise", *whole], [*rows, ["all", *whole.values()]])]
    parts += [_markdown_table(["mutant", _("what is wrong"), *SUITES], detail)]
    parts += [
        "\n".join([f"{_(title)}:", "", *(f"- {x}" for x in xs)]) for title, xs in amiss(matrix)
    ]
    return "\n\n".join(parts) + "\n"


def measures(matrix: Matrix) -> dict[str, int]:
    """The numbers of the table, by the heads of their columns."""
    numbers = {
        "named mutants": len(matrix.mutants),
        _("different rows"): matrix.distinct,
        _("killed by the visible suite"): matrix.killed(VISIBLE),
        _("by the hidden one"): matrix.killed(HIDDEN),
        _("right answers"): len(matrix.alternatives),
        "rejected": len(matrix.rejections),
    }
    if matrix.automatic:
        equivalent = [v for v in matrix.wrong if not v.killed(HIDDEN)]
        numbers[_("automatic mutants")] = len(matrix.wrong)
        numbers["equivalent"] = len(equivalent) - len(matrix.unreviewed)
        numbers["surviving"] = len(matrix.unreviewed)
    return numbers


def to_json(matrix: Matrix) -> dict[str, Any]:
    """Everything, as plain data."""
    return {
        "holds": matrix.holds,
        "summary": {
            "mutants": len(matrix.mutants),
            "rows": matrix.distinct,
            "told_apart": matrix.told_apart,
            "killed": {suite: round(matrix.rate(suite), 4) for suite in SUITES},
            "alternatives": len(matrix.alternatives),
            "rejections": [verdict.variant.id for verdict in matrix.rejections],
            "automatic": len(matrix.wrong),
            "equivalent": len(matrix.reviewed),
        },
        "mutants": [_verdict_json(verdict) for verdict in matrix.mutants],
        "alternatives": [_verdict_json(verdict) for verdict in matrix.alternatives],
        "amiss": {title: lines for title, lines in amiss(matrix)},
    }


# what all forms say


def summary(matrix: Matrix) -> list[str]:
    """How many variants there are, and what share of them the suites judge rightly."""
    facts = [
        _(
            "{n} named mutants, {distinct} different rows, {told_apart} told apart by their answers"
        ).format(n=len(matrix.mutants), distinct=matrix.distinct, told_apart=matrix.told_apart)
    ]
    for suite in SUITES:
        facts.append(
            _("the {suite} suite kills {killed}, {rate:.1%}").format(
                suite=suite, killed=matrix.killed(suite), rate=matrix.rate(suite)
            )
        )
    named = sum(verdict.named for verdict in matrix.mutants)
    facts.append(
        _("the diagnosis names {named} of those that the visible suite kills").format(named=named)
    )
    rejected = sum(verdict.rejected for verdict in matrix.alternatives)
    facts.append(
        _("{n} right alternatives, {rejected} rejected").format(
            n=len(matrix.alternatives), rejected=rejected
        )
    )
    if matrix.automatic:
        equivalent = len(matrix.reviewed)
        facts.append(
            _(
                "{n} automatic mutants, {equivalent} of them equivalent, {left} survive the "
                "hidden suite"
            ).format(n=len(matrix.wrong), equivalent=equivalent, left=len(matrix.unreviewed))
        )
    return facts


def verdict(matrix: Matrix) -> str:
    """The last line: whether the suites are as good as they must be."""
    return (
        _("the suites hold")
        if matrix.holds
        else _("not enough: {all}").format(all="; ".join(matrix.shortfalls))
    )


def exercises(matrix: Matrix, course: Course) -> list[Exercise]:
    """The exercises that have a mutant or an alternative."""
    ids = {v.variant.exercise for v in (*matrix.mutants, *matrix.alternatives)}
    return [exercise for exercise in course.exercises if exercise.id in ids]


def counts(exercise: Exercise, matrix: Matrix) -> tuple[dict[str, Count], Count]:
    """Of one exercise: the mutants killed by each suite, and the alternatives accepted."""
    mutants = [v for v in matrix.mutants if v.variant.exercise == exercise.id]
    right = [v for v in matrix.alternatives if v.variant.exercise == exercise.id]
    tried = {s: [v for v in mutants if s in v.rows] for s in SUITES}
    kills = {s: Count(len(found), sum(v.killed(s) for v in found)) for s, found in tried.items()}
    return kills, Count(len(right), sum(not v.rejected for v in right))


def killers(verdict: Verdict, suite: str) -> str:
    """How many tests kill it, or that none does, or that there are none."""
    if suite not in verdict.rows:
        return _("no tests")
    failing = verdict.rows[suite].failing
    return counted("{n} test", "{n} tests", len(failing)) if failing else _(SURVIVES)


def naming(verdict: Verdict) -> str:
    """Whether the diagnosis names the mistake."""
    if verdict.named:
        return later("named")
    return later("misnamed") if verdict.misnamed else later("not named")


def amiss(matrix: Matrix) -> Iterator[tuple[str, list[str]]]:
    """What somebody should look at: a title, and a line for each."""
    found = {
        later("missed by the hidden suite"): _says(matrix.survivors(HIDDEN)),
        later("missed by the visible suite"): _says(matrix.survivors(VISIBLE)),
        later("right, but rejected"): [
            f"{v.variant.id} ({v.variant.says}): {suite}: {', '.join(row.failing)}"
            for v in matrix.rejections
            for suite, row in v.rows.items()
            if row.failing
        ],
        later("named as something else"): [
            f"{v.variant.id}: {guess}"
            for v in matrix.mutants
            if v.misnamed
            for guess in dict.fromkeys(v.rows[VISIBLE].guesses)
            if _(v.variant.says) not in guess
        ],
        later("the same row and the same answers"): [", ".join(ids) for ids in matrix.duplicates],
        later("automatic mutants that survive"): [
            f"{v.variant.exercise}.py:{v.variant.line} {v.variant.name}: "
            f"{v.variant.was} -> {v.variant.says}"
            for v in matrix.unreviewed
        ],
        later("called equivalent, but killed or gone"): [
            ": ".join(entry) for entry in matrix.outdated
        ],
        later("the suite itself breaks"): [f"{id}: {why}" for id, why in matrix.broken],
    }
    return ((title, lines) for title, lines in found.items() if lines)


def _says(verdicts: list[Verdict]) -> list[str]:
    return [f"{verdict.variant.id}: {verdict.variant.says}" for verdict in verdicts]


# the forms


def _exercise(exercise: Exercise, matrix: Matrix) -> list[str]:
    lines = [_heading(exercise, matrix)]
    for v in matrix.mutants:
        if v.variant.exercise == exercise.id:
            facts = [f"{suite} {killers(v, suite)}" for suite in SUITES] + [_(naming(v))]
            lines.append(f"  {v.variant.id}: {', '.join(facts)}")
            lines += [f"    {s}: {', '.join(v.rows[s].failing)}" for s in SUITES if v.killed(s)]
    return lines


def _heading(exercise: Exercise, matrix: Matrix) -> str:
    kills, accepted = counts(exercise, matrix)
    killed = ", ".join(
        _("{suite} kills {count}").format(suite=suite, count=count)
        for suite, count in kills.items()
    )
    return _("{short} {title}: {killed}, alternatives accepted {accepted}").format(
        short=exercise.short, title=exercise.title, killed=killed, accepted=accepted
    )


def _table(exercise: Exercise, matrix: Matrix) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("mutant", *SUITES, "diagnosis"):
        table.add_column(column, overflow="fold")
    for v in matrix.mutants:
        if v.variant.exercise == exercise.id:
            kills = [killers(v, suite) for suite in SUITES]
            shown = [Text(kill, "red" if kill == _(SURVIVES) else "green") for kill in kills]
            table.add_row(v.variant.id, *shown, _(naming(v)))
    return table


def _markdown_table(head: list[str], rows: list[list]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(c).replace("|", "\\|") for c in r) + " |" for r in lines)


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    variant = verdict.variant
    return {
        "id": variant.id,
        "in": f"{variant.exercise}.{variant.name}",
        "says": variant.says,
        "killed_by": {suite: list(row.failing) for suite, row in verdict.rows.items()},
        "diagnosis": None if variant.right else naming(verdict),
    }
