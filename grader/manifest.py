"""What exercises/manifest.toml must hold, entry by entry.

Whoever reads the course asks this first: a wrong entry is said with its place, not met halfway.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .language import _, later

SHOWN = "exercises/manifest.toml"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, where it stands, and what to do about it."""

    where: str
    what: str
    advice: str


@dataclass(frozen=True)
class Rule:
    """What an entry of the manifest must hold under a key."""

    key: str
    holds: Callable[[Any], bool]
    says: str
    optional: bool = False


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e6


def is_table(value: Any) -> bool:
    return isinstance(value, dict)


def are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(is_text, value))


def matches(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def are_entries(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


OF_COURSE = (
    Rule("title", is_text, later("a text")),
    Rule("version", is_text, later("a text")),
    Rule("limits", is_table, later("[limits]")),
    Rule("exercise", are_entries, later("[[exercise]]")),
)
OF_LIMITS = (
    *(
        Rule(key, is_positive, later("a number of seconds"))
        for key in ("import", "call", "exercise")
    ),
    Rule("file_mib", is_positive, later("a number above 0"), optional=True),
)
OF_EXERCISES = (
    Rule("id", matches(r"ex\d\d_[a-z0-9_]+"), later('like "ex05_norm", the name of its files')),
    Rule("title", is_text, later("a text")),
    Rule("goal", is_text, later("a text of one sentence")),
    Rule("part", is_text, later("a text: the part of the model that it makes")),
    Rule("minutes", is_positive, later("a number above 0")),
    Rule("difficulty", lambda value: value in range(1, 6), later("a number from 1 to 5")),
    Rule("gradient", is_text, later('a piece, such as "ex03.backward"'), optional=True),
    Rule("limits", is_table, later("[exercise.limits]"), optional=True),
    Rule("piece", are_entries, later("[[exercise.piece]]")),
)
OF_PIECES = (
    Rule("name", matches(r"[A-Za-z]\w*"), later("a word")),
    Rule("points", is_positive, later("a number above 0")),
    Rule(
        "defines",
        lambda value: are_texts(value) and bool(value),
        later('the names that make it up: ["layernorm"], ["Tensor.__add__"]'),
    ),
    Rule("needs", are_texts, later("a list of pieces, or []")),
    Rule(
        "hints",
        are_texts,
        later("a list of three texts: a nudge, the approach, nearly the code"),
    ),
    Rule(
        "all_or_nothing",
        lambda value: isinstance(value, bool),
        later("true or false"),
        optional=True,
    ),
)


def entries(table: dict[str, Any]) -> Iterator[Finding]:
    """What entries lack, or hold that they must not."""
    yield from broken(table, OF_COURSE, SHOWN)
    limits = as_table(table.get("limits"))
    yield from broken(limits, OF_LIMITS, f"{SHOWN}: [limits]")
    exercises = as_tables(table.get("exercise"))
    yield from twice([str(entry.get("id")).split("_")[0] for entry in exercises], SHOWN)
    for number, entry in enumerate(exercises, 1):
        where = f"{SHOWN}: {entry.get('id') or _('exercise {n}').format(n=number)}"
        yield from broken(entry, OF_EXERCISES, where)
        own = as_table(entry.get("limits"))
        yield from broken({**limits, **own}, OF_LIMITS, f"{where}, [limits]") if own else ()
        pieces = as_tables(entry.get("piece"))
        yield from twice([piece.get("name") for piece in pieces], where)
        for place, piece in enumerate(pieces, 1):
            name = piece.get("name") or _("piece {n}").format(n=place)
            yield from broken(piece, OF_PIECES, f"{where}, {name}")


def as_table(value: Any) -> dict[str, Any]:
    """A table; an empty one, which lacks everything, where something else stands."""
    return value if isinstance(value, dict) else {}


def as_tables(value: Any) -> list[dict[str, Any]]:
    return list(map(as_table, value)) if isinstance(value, list) else []


def broken(entry: dict[str, Any], rules: Sequence[Rule], where: str) -> Iterator[Finding]:
    """A finding for each rule that the entry breaks, and for each key that no rule is of."""
    known = [rule.key for rule in rules]
    for key in (key for key in entry if key not in known):
        advice = _("it is one of {keys}").format(keys=", ".join(known))
        yield Finding(where, _("nothing is called {key} here").format(key=key), advice)
    for rule in rules:
        if rule.key not in entry:
            if rule.optional:
                continue
            words = _("{key} is missing").format(key=rule.key)
        elif not rule.holds(entry[rule.key]):
            value = repr(entry[rule.key])
            value = value if len(value) < 60 else value[:57] + "..."
            words = _("{key} is {value}").format(key=rule.key, value=value)
        else:
            continue
        yield Finding(where, words, _("{key} is {rule}").format(key=rule.key, rule=_(rule.says)))


def twice(names: list, where: str) -> Iterator[Finding]:
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        words = _("{name} is there twice").format(name=name)
        yield Finding(where, words, _("give each a name of its own"))
