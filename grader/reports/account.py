"""What is told of a test that did not pass, where a report has room for all of it."""

from __future__ import annotations

from collections.abc import Iterator

from ..language import _
from ..results import PASSED, PieceResult, TestResult
from . import text


def missing(piece: PieceResult) -> Iterator[TestResult]:
    """The piece's tests that did not pass, for whatever reason."""
    return (test for test in piece.tests if test.status != PASSED)


def name(test: TestResult) -> str:
    """The test's name, with its suite where that is not the visible one: names may recur."""
    suite = "" if test.suite == "visible" else f" ({text.one_line(test.suite)})"
    return text.one_line(test.name) + suite


def account(test: TestResult) -> str:
    """Name, place, message, likely mistake and prints, as lines that are safe in any terminal."""
    block = text.Block("", test)
    lines = [name(test), *(f"  {line}" for line in text.said(block))]
    if test.where:
        lines.insert(1, _("  at {where}").format(where=text.one_line(test.where)))
    if hint := text.likely(block):
        lines.append(_("  likely: {mistake}").format(mistake=hint))
    if output := text.printed(block):
        title, printed = output
        lines += [f"  {title}", *(f"    {line}" for line in printed)]
    return "\n".join(lines)
