"""Which submissions are alike: winnowing, on Python's tokens with their names taken away.

    text -> tokens -> every run of RUN tokens as a number -> the smallest number of every WINDOW

What the stub gives, comments and documentation are left out first. Any passage of RUN + WINDOW - 1
tokens that two files have in common leaves a number in both, whatever their names and spaces; and
nothing shorter than RUN is ever found. What many have alike says nothing, and is left out too.

Sources are read as text alone: never parsed, compiled or imported, so a broken one is no exception.
Schleimer, Wilkerson and Aiken 2003, "Winnowing: local algorithms for document fingerprinting".
"""

from __future__ import annotations

import builtins
import hashlib
import keyword
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

RUN = 12  # tokens: about two lines
WINDOW = 6
LEAST = 8  # fingerprints that a pair must share; about 30 tokens that are alike
SHARE = 0.5  # of the smaller one's
COMMON = 10  # submissions, or a tenth of them, have a fingerprint: then it says nothing
MOST_COMMON = 50  # keeps the pairs of thirty thousand submissions countable

KEPT = frozenset(keyword.kwlist) | frozenset(dir(builtins))
# Every alternative takes what it began: a quote that is never closed ends with its line or file.
TOKEN = re.compile(
    r"(?P<comment>\#[^\n]*)"
    r'|(?P<text>[a-zA-Z]{0,2}(?:"""(?:[^\\]|\\.)*?(?:"""|\\?\Z)|'
    + r"'''(?:[^\\]|\\.)*?(?:'''|\\?\Z)))"
    r'|(?P<string>[a-zA-Z]{0,2}(?:"(?:[^"\\\n]|\\.)*"?|' + r"'(?:[^'\\\n]|\\.)*'?))"
    r"|(?P<attribute>\.[ \t]*[^\W\d]\w*)"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<number>\.?\d[\w.]*)"
    r"|(?P<sign>[^\s\w])",
    re.DOTALL,
)


@dataclass(frozen=True)
class Document:
    """One file of one owner: a submission's id, or what the course itself has."""

    owner: str
    text: str
    ours: bool = False  # the reference or the alternatives; these are not compared with each other


@dataclass(frozen=True)
class Pair:
    """Two files that are worth a look side by side.

    share    of the smaller one's fingerprints that the other has as well
    shared   how many these are
    places   the lines, in each, that they stand in
    """

    exercise: str
    first: str
    second: str
    share: float
    shared: int
    places: tuple[tuple[range, ...], tuple[range, ...]]


@dataclass(frozen=True)
class Comparison:
    """What the files of one exercise have in common.

    pairs      the most alike first
    crowds     the owners of files that are the same but for names and comments, where these are so
               many that what they share says nothing of any two; the course's own first
    untouched  the owners of files in which nothing was written
    """

    pairs: list[Pair]
    crowds: list[list[str]]
    untouched: list[str]


def fingerprints(text: str, given: frozenset[str] = frozenset()) -> dict[int, range]:
    """The fingerprints of a text without the lines given, and in which lines each is first."""
    written = list(tokens(text, given))
    found: dict[int, range] = {}
    for start, number in winnowed(runs([token for token, _line in written])):
        last = written[start + RUN - 1][1]
        found.setdefault(number, range(written[start][1], last + 1))
    return found


def tokens(text: str, given: frozenset[str] = frozenset()) -> Iterator[tuple[str, int]]:
    """(what kind of thing, line) of all that is written in lines other than those given.

    Names that a writer chose become N, numbers 0 and strings S; Python's own words and the
    attributes of anything but `self` stay, since who copies cannot rename them.
    """
    is_given = [line.strip() in given for line in text.split("\n")]
    line, done, before = 1, 0, ""
    for found in TOKEN.finditer(text):
        line += text.count("\n", done, found.start())
        done, kind, token = found.start(), found.lastgroup, found.group()
        if kind not in ("comment", "text") and not is_given[line - 1]:
            yield normal(kind, token, before), line
        before = token


def normal(kind: str | None, token: str, before: str) -> str:
    """What a token counts as."""
    if kind == "attribute":
        return ".N" if before == "self" else "." + token[1:].strip()
    if kind == "name":
        return token if token in KEPT else "N"
    return {"number": "0", "string": "S"}.get(kind or "", token)


def runs(kinds: Sequence[str]) -> list[int]:
    """A number for each RUN tokens that follow each other; the same in every process."""
    joined = (" ".join(kinds[i : i + RUN]) for i in range(len(kinds) - RUN + 1))
    digests = (hashlib.blake2b(run.encode("utf-8", "replace"), digest_size=8) for run in joined)
    return [int.from_bytes(digest.digest(), "big") for digest in digests]


def winnowed(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """(place, number) of the smallest of every WINDOW; of several, the last; each place once."""
    last = -1
    for start in range(max(1, len(numbers) - WINDOW + 1) if numbers else 0):
        window = numbers[start : start + WINDOW]
        place = start + min(range(len(window)), key=lambda i: (window[i], -i))
        if place != last:
            yield place, numbers[place]
        last = place


def given_lines(stub: str) -> frozenset[str]:
    """The lines that a stub gives, as they are compared; blank ones too."""
    return frozenset(line.strip() for line in stub.split("\n"))


def compare(exercise: str, documents: Sequence[Document], stub: str = "") -> Comparison:
    """Pairs share at least LEAST fingerprints and SHARE of them."""
    given = given_lines(stub)
    prints = [fingerprints(document.text, given) for document in documents]
    holders: defaultdict[int, list[int]] = defaultdict(list)
    for number, found in enumerate(prints):
        for fingerprint in found:
            holders[fingerprint].append(number)
    most = min(MOST_COMMON, max(COMMON, len(documents) // 10))
    telling = {fingerprint: who for fingerprint, who in holders.items() if len(who) <= most}
    sizes = Counter(number for who in telling.values() for number in who)
    shared = Counter(pair for who in telling.values() for pair in combinations(who, 2))
    found = [
        paired(exercise, documents, prints, telling, a, b, count / min(sizes[a], sizes[b]))
        for (a, b), count in shared.items()
        if count >= LEAST
        and count >= SHARE * min(sizes[a], sizes[b])
        and not (documents[a].ours and documents[b].ours)
    ]
    found.sort(key=lambda pair: (-pair.share, -pair.shared, pair.first, pair.second))
    crowds = [crowd for crowd in the_same(documents, prints) if len(crowd) > most]
    empty = (d for d, kept in zip(documents, prints) if not kept and not d.ours)
    untouched = [d.owner for d in empty if not any(tokens(d.text, given))]
    return Comparison(found, crowds, untouched)


def the_same(
    documents: Sequence[Document], prints: Sequence[dict[int, range]]
) -> Iterator[list[str]]:
    """The owners of each text that is long enough to tell; the course's own first."""
    owners: defaultdict[frozenset[int], list[str]] = defaultdict(list)
    for document, found in sorted(zip(documents, prints), key=lambda both: not both[0].ours):
        if len(found) >= LEAST:
            owners[frozenset(found)].append(document.owner)
    yield from owners.values()


def paired(
    exercise: str,
    documents: Sequence[Document],
    prints: Sequence[dict[int, range]],
    telling: dict[int, list[int]],
    a: int,
    b: int,
    share: float,
) -> Pair:
    both = [f for f in prints[a] if f in prints[b] and f in telling]
    places = joined([prints[a][f] for f in both]), joined([prints[b][f] for f in both])
    return Pair(exercise, documents[a].owner, documents[b].owner, share, len(both), places)


def joined(ranges: Sequence[range]) -> tuple[range, ...]:
    """The same lines in as few ranges as possible; a line that lies between does not part them."""
    found: list[range] = []
    for lines in sorted(ranges, key=lambda lines: (lines.start, lines.stop)):
        if found and lines.start <= found[-1].stop + 1:
            found[-1] = range(found[-1].start, max(found[-1].stop, lines.stop))
        else:
            found.append(lines)
    return tuple(found)
