"""Diagnosis where neither the mutants nor the reference are at hand: in a student's bundle.

Beside the visible tests stands, for each exercise, a file that precompute.py has made:

    tests/visible/ex05_norm.answers

It says, for each test and each mutant that fails it, how often the test calls the mutant and what
it then answers wrongly. A mutant explains a student's failed test if as many calls were made, and
those got the same wrong answers. What a mutant answers rightly is not written down, so that no
right answer stands in a bundle. A test may fail by less than answers are told apart by; then none
is written down, and another test has to show the mutant.
"""

from __future__ import annotations

import io
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import diagnosis, wire
from .student import Call

SUFFIX = ".answers"


@dataclass(frozen=True)
class Explanation:
    """One mutant in one test: how many calls are made, and which answers are wrong."""

    test: str
    mutant: int  # its number
    says: str
    calls: int
    wrong: dict[int, dict[str, Any]]  # by the number of the call

    def fits(self, log: list[Call]) -> bool:
        """Whether these calls of the student's code were answered as the mutant answers."""
        return len(log) == self.calls and all(
            diagnosis.alike(answer, log[number].answer, types="typed" in answer)
            for number, answer in self.wrong.items()
        )


def name(logs: Mapping[str, list[Call]], file: Path, passed: Iterable[str] = ()) -> str | None:
    """The sentence of the mutant that explains every failed test; `logs` holds the calls of each.

    It must not fail a test that has passed. Two that do are both offered, as by diagnosis.name.
    """
    known = read(file)
    fitting = [{e.mutant: e.says for e in known[test] if e.fits(log)} for test, log in logs.items()]
    shown = {e.mutant for test in logs for e in known[test] if e.wrong}
    others = {e.mutant for test in passed for e in known[test]}
    return diagnosis.offered(
        [
            says
            for mutant, says in fitting[0].items()
            if mutant in shown - others and all(mutant in fits for fits in fitting)
        ]
    )


def write(explanations: Iterable[Explanation]) -> bytes:
    """The content of a file that holds these."""
    entries = (
        [
            e.test,
            e.mutant,
            e.says,
            e.calls,
            {str(number): answer for number, answer in e.wrong.items()},
        ]
        for e in explanations
    )
    return zlib.compress(b"".join(map(wire.encode, entries)), 9)


def read(file: Path) -> dict[str, list[Explanation]]:
    """The explanations in a file, by test. One that is missing or damaged holds none."""
    known = defaultdict(list)
    try:
        stream = io.BytesIO(zlib.decompress(file.read_bytes()))
        while stream.tell() < len(stream.getbuffer()):
            test, mutant, says, calls, wrong = wire.receive(stream)
            answers = {int(number): answer for number, answer in wrong.items()}
            known[test].append(Explanation(test, mutant, says, calls, answers))
    except (OSError, zlib.error, wire.WireError):
        known.clear()
    return known
