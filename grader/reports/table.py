"""Tables for a spreadsheet: CSV whose cells no program takes for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(rows: Iterable[Iterable[object]]) -> bytes:
    """UTF-8, with a mark at its start that tells Excel so."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([list(map(cell, row)) for row in rows])
    return text.getvalue().encode("utf-8-sig")


def cell(value: object) -> str:
    """A value as a cell: a number to two digits, nothing as "", and no text that computes."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".")
    text = str(value)
    return "'" + text if text.lstrip(" ").startswith(FORMULA) else text
