"""In which language the grader speaks: every sentence of it passes through here."""

from __future__ import annotations


def _(text: str) -> str:
    """`text` in the reader's language; itself where the catalogue has no translation."""
    return text


def counted(one: str, many: str, n: int) -> str:
    """`one` or `many`, as the reader's language has it for `n` things, with {n} put in."""
    return (one if n == 1 else many).format(n=n)
