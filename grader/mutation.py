"""Measures the suites: do they fail every wrong answer, and pass every right one?

The two errors are reported together: a suite that fails everything misses no mistake.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from .course import Piece
from .language import _
from .trials import HIDDEN, VISIBLE, Verdict, judge, tested
from .variants import MutationError, Setting, Variant, changed, owners, registered

ENOUGH = {VISIBLE: 0.8, HIDDEN: 1.0}  # the share of the named mutants that a suite must kill


@dataclass(frozen=True)
class Matrix:
    """Every verdict, and what follows from them. `reviewed` gives a reason for each equivalent."""

    mutants: tuple[Verdict, ...]
    alternatives: tuple[Verdict, ...]
    automatic: tuple[Verdict, ...] = ()
    reviewed: dict[tuple[str, str], str] = field(default_factory=dict)

    def of(self, exercise: str) -> Matrix:
        """What it says of one exercise."""
        parts = (self.mutants, self.alternatives, self.automatic)
        own = (tuple(v for v in part if v.variant.exercise == exercise) for part in parts)
        reviewed = {key: why for key, why in self.reviewed.items() if key[0].startswith(exercise)}
        return Matrix(*own, reviewed=reviewed)

    def survivors(self, suite: str) -> list[Verdict]:
        """The named mutants that the suite misses."""
        return [verdict for verdict in self.mutants if verdict.missed(suite)]

    def killed(self, suite: str) -> int:
        return sum(verdict.killed(suite) for verdict in self.mutants)

    def rate(self, suite: str) -> float:
        """The share that is killed of those that the suite has tests for."""
        killed, missed = self.killed(suite), len(self.survivors(suite))
        return killed / (killed + missed) if killed + missed else 1.0

    @property
    def rejections(self) -> list[Verdict]:
        """Right answers that a suite fails: alternatives, and results off by rounding alone."""
        right = [v for v in self.automatic if v.variant.right]
        return [verdict for verdict in [*self.alternatives, *right] if verdict.rejected]

    @property
    def wrong(self) -> list[Verdict]:
        """The automatic mutants."""
        return [verdict for verdict in self.automatic if not verdict.variant.right]

    @cached_property
    def unreviewed(self) -> list[Verdict]:
        """The automatic mutants that the hidden suite misses and nobody has called equivalent."""
        missed = [verdict for verdict in self.wrong if not verdict.killed(HIDDEN)]
        return [verdict for verdict in missed if verdict.variant.key not in self.reviewed]

    @cached_property
    def outdated(self) -> list[tuple[str, str]]:
        """Reviewed equivalents that are killed after all, or that no change makes any more."""
        missed = {v.variant.key for v in self.wrong if not v.killed(HIDDEN)}
        return [entry for entry in self.reviewed if entry not in missed]

    @cached_property
    def duplicates(self) -> list[tuple[str, ...]]:
        """Mutants that the same tests kill and that answered all of them alike."""
        alike = defaultdict(list)
        for verdict in self.mutants:
            rows = tuple((row.failing, row.digest) for row in verdict.rows.values())
            if verdict.rejected and all(digest for _, digest in rows):
                alike[verdict.variant.exercise, rows].append(verdict.variant.id)
        return [tuple(ids) for ids in alike.values() if len(ids) > 1]

    @property
    def told_apart(self) -> int:
        """How many different mutants there are, by the tests that kill them and their answers."""
        return len(self.mutants) - sum(len(ids) - 1 for ids in self.duplicates)

    @property
    def distinct(self) -> int:
        """How many different rows the mutants have: which tests kill them, whatever they answer."""
        rows = [[v.variant.exercise, *(r.failing for r in v.rows.values())] for v in self.mutants]
        return len(set(map(tuple, rows)))

    @property
    def broken(self) -> list[tuple[str, str]]:
        """Variants that a suite could not be run on, and why."""
        verdicts = [*self.mutants, *self.alternatives, *self.automatic]
        return [(v.variant.id, r.broken) for v in verdicts for r in v.rows.values() if r.broken]

    @property
    def shortfalls(self) -> list[str]:
        """In what the suites are not as good as they must be."""
        kills = [
            _("the {suite} suite kills {rate:.1%}, and must kill {enough:.0%}").format(
                suite=suite, rate=self.rate(suite), enough=enough
            )
            for suite, enough in ENOUGH.items()
            if self.rate(suite) < enough
        ]
        troubles = {
            _("mutants that nothing tells apart"): self.duplicates,
            _("right answers rejected"): self.rejections,
            _("automatic mutants surviving"): self.unreviewed,
            _("outdated entries of equivalent.toml"): self.outdated,
            _("variants that break a suite"): self.broken,
        }
        return kills + [f"{words}: {len(found)}" for words, found in troubles.items() if found]

    @property
    def holds(self) -> bool:
        return not self.shortfalls


def measure(
    setting: Setting,
    wanted: Sequence[Piece],
    with_automatic: bool = False,
    notify: Callable[[Variant], None] = lambda variant: None,
) -> Matrix:
    """Try both suites on all variants of the pieces wanted.

    `notify` is told of each variant when its verdict is there. Raises MutationError where the
    reference itself fails, or equivalent.toml is wrong.
    """
    reviewed = equivalents(setting, wanted) if with_automatic else {}
    mutants = registered(setting, wanted, setting.mutants)
    alternatives = registered(setting, wanted, setting.alternatives, right=True)
    automatic = changed(setting, wanted) if with_automatic else []
    automatic = [v for v in automatic if tested(setting, v.exercise, HIDDEN)]
    verdicts = []
    for verdict in judge(setting, [*mutants, *alternatives, *automatic]):
        notify(verdict.variant)
        verdicts.append(verdict)
    return Matrix(
        mutants=tuple(v for v in verdicts if not v.variant.right and not v.variant.automatic),
        alternatives=tuple(v for v in verdicts if v.variant.right and not v.variant.automatic),
        automatic=tuple(v for v in verdicts if v.variant.automatic),
        reviewed=reviewed,
    )


def equivalents(setting: Setting, wanted: Sequence[Piece]) -> dict[tuple[str, str], str]:
    """The reviewed equivalents of the pieces wanted: the keys of variants, and the reasons.

    An entry of equivalent.toml may name several definitions and several changes. Raises
    MutationError for a file that cannot be read.
    """
    path = setting.mutants / "equivalent.toml"
    try:
        entries = tomllib.loads(path.read_text("utf-8"))["equivalent"] if path.exists() else []
        return {
            (place, change): entry["reason"]
            for entry in entries
            for place in entry["in"]
            for change in entry["becomes"]
            if set(owners(setting.course, *place.split(".", 1))) & set(wanted)
        }
    except tomllib.TOMLDecodeError as error:
        raise MutationError(
            _("cannot read {path}: {error}").format(path=path, error=error)
        ) from None
    except KeyError as error:
        raise MutationError(
            _("{path}: an entry lacks {field}").format(path=path, field=error)
        ) from None
