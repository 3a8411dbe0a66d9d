"""What a wrong array is to the right one, in one true line: a factor, a transpose, from where on.

A claim is its words, and what they make of the expected array. It is said only if that is what came
back, so nothing false is ever said; the first that holds is said, and the most telling come first.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .language import _
from .student import Handle, kind

Claim = tuple[str, np.ndarray]

RTOL = {"float32": 1e-4}  # of what was worked out in few digits; else EXACT
EXACT = 1e-6
MOST_AXES = 5  # more have too many orders to try
SIMPLE = 64  # a factor of one lone number is said up to here


def relation(got: np.ndarray, expected: np.ndarray) -> str:
    """The first claim that holds; "" where none does. The arrays have one shape, and differ."""
    if got.size == 0 or got.dtype.kind not in "iuf":
        return ""
    if got.size == 1 and got.item() % 1 == 0 == expected.item() % 1:
        return ""  # what two whole numbers are to each other anybody sees
    if alike(got, expected):
        return ""  # too little for any claim to be told from another
    for words, told in claims(got, expected):
        if alike(told, got):
            return words
    return ""


def alike(a: np.ndarray, b: np.ndarray) -> bool:
    """Equal but for rounding, relative to the largest number."""
    if a.shape != b.shape:
        return False
    rtol = max(RTOL.get(str(x.dtype), EXACT) for x in (a, b))
    finite = np.abs(b[np.isfinite(b)])
    return np.allclose(a, b, rtol, atol=rtol * 1e-2 * finite.max(initial=0.0), equal_nan=True)


def claims(got: np.ndarray, expected: np.ndarray) -> Iterator[Claim]:
    """All that could be said, the most telling first."""
    with np.errstate(all="ignore"):
        yield from broken(got, expected)
        if got.ndim:
            yield from flat(got)
        yield from scaled(got, expected, _("everywhere") if got.ndim else "", whole=True)
        yield from moved(got, expected)
        yield from placed(got, expected)
        yield from scaled_by_vector(got, expected)
        yield from shuffled(got, expected)
        yield _("only signs differ"), np.copysign(expected, got)


def broken(got: np.ndarray, expected: np.ndarray) -> Iterator[Claim]:
    """nan and inf where numbers should be, or the other way round."""
    for name, of in (("nan", np.isnan), ("inf", np.isposinf), ("-inf", np.isneginf)):
        there, wanted = of(got), of(expected)
        if there.all() and not wanted.any() and got.ndim:
            yield _("yours is {name} everywhere").format(name=name), got
        elif (there & ~wanted).any() and got.ndim:
            where = place_of(there & ~wanted)
            words = _("{n} of {size} are {name}, the first at {place}").format(
                n=int((there & ~wanted).sum()), size=got.size, name=name, place=where
            )
            yield words, got
        elif (wanted & ~there).any() and np.array_equal(~close(got, expected), wanted & ~there):
            yield _("wrong only where {name} is expected").format(name=name), got


def close(got: np.ndarray, expected: np.ndarray) -> np.ndarray:
    return np.isclose(got, expected, rtol=EXACT, atol=1e-8, equal_nan=True)


def place_of(mask: np.ndarray) -> str:
    return "[" + ", ".join(str(int(i)) for i in np.argwhere(mask)[0]) + "]"


def flat(got: np.ndarray) -> Iterator[Claim]:
    """One number everywhere."""
    value = got.flat[0]
    if got.size > 1:
        shown = _("yours is {value} everywhere").format(value=number(value))
        yield shown, np.full_like(got, value)


def scaled(
    got: np.ndarray, expected: np.ndarray, where: str, whole: bool = False
) -> Iterator[Claim]:
    """A sign, a constant factor, a constant offset; `whole`, if these are not parts of arrays."""
    largest = np.unravel_index(np.argmax(np.abs(np.nan_to_num(expected))), expected.shape)
    right, mine = float(expected[largest]), float(got[largest])
    if right and np.isfinite([right, mine]).all():
        factor = mine / right
        lone = np.unique(np.abs(expected[expected != 0])).size < 2 and not is_simple(factor)
        if np.isclose(factor, -1, rtol=EXACT):
            yield joined(_("yours has the other sign"), where), -expected
        elif not lone:
            why = length(factor, expected.shape) if whole else ""
            yield times(factor, where) + why, expected * factor
    offset = mine - right
    if expected.size > 2 and np.isfinite(offset):
        more = number(abs(offset))
        words = _("yours is {n} too large") if offset > 0 else _("yours is {n} too small")
        yield joined(words.format(n=more), where), expected + offset


def is_simple(factor: float) -> bool:
    """A whole number or one part of a whole: nobody meets these by chance."""
    size = abs(factor)
    whole = size if size > 1 else 1 / max(size, 1e-9)
    return 1.5 < whole < SIMPLE + 0.5 and np.isclose(whole, round(whole), rtol=EXACT)


def times(factor: float, where: str) -> str:
    words = _("yours is {n} times expected") if abs(factor) > 1 else _("yours is {n} of expected")
    return joined(words.format(n=number(factor)), where)


def joined(words: str, where: str) -> str:
    return f"{words} {where}".rstrip()


def length(factor: float, shape: tuple[int, ...]) -> str:
    """Where the factor comes from, if it is how long one axis is; every second factor is 2."""
    for whole in (abs(factor), 1 / abs(factor)) if factor else ():
        axes = [axis for axis, size in enumerate(shape) if np.isclose(whole, size, rtol=EXACT)]
        if len(axes) == 1 and whole > 2.5:
            words = _("; {n} is the length of axis {axis}")
            return words.format(n=shape[axes[0]], axis=axes[0])
    return ""


def moved(got: np.ndarray, expected: np.ndarray) -> Iterator[Claim]:
    """The expected numbers at other places: axes swapped, reversed, shifted."""
    if 2 <= expected.ndim <= MOST_AXES:
        yield from transposed(expected)
    for axis in range(expected.ndim):
        if expected.shape[axis] > 1:
            words = _("yours is expected, reversed along axis {axis}").format(axis=axis)
            yield words, np.flip(expected, axis)
    for axis in range(expected.ndim):
        for by in range(1, expected.shape[axis]) if expected.shape[axis] > 2 else ():
            by = by if by <= expected.shape[axis] // 2 else by - expected.shape[axis]
            words = _("yours is expected, shifted by {by} along axis {axis}")
            yield words.format(by=f"{by:+d}", axis=axis), np.roll(expected, by, axis)
    for axis in range(expected.ndim):
        for by in (1, -1) if expected.shape[axis] > 3 else ():
            told, ends = np.roll(expected, by, axis), np.moveaxis(got, axis, 0)
            np.moveaxis(told, axis, 0)[0 if by > 0 else -1] = ends[0 if by > 0 else -1]
            words = _("yours is expected, shifted by {by} along axis {axis}, but for the end")
            yield words.format(by=f"{by:+d}", axis=axis), told


def transposed(expected: np.ndarray) -> Iterator[Claim]:
    axes = range(expected.ndim)
    orders = [order for order in itertools.permutations(axes) if list(order) != list(axes)]
    for order in sorted(orders, key=lambda order: sum(a != b for a, b in zip(order, axes))):
        changed = [axis for axis in axes if order[axis] != axis]
        if len(changed) == 2:
            words = _("yours is expected with axes {a} and {b} swapped")
            yield words.format(a=changed[0], b=changed[1]), expected.transpose(order)
        else:
            words = _("yours is expected, transposed to the order of axes {order}")
            yield words.format(order=order), expected.transpose(order)


def placed(got: np.ndarray, expected: np.ndarray) -> Iterator[Claim]:
    """Wrong in one part alone, which has a name; and what is wrong there."""
    wrong = ~close(got, expected)
    if wrong.all() or not wrong.any():
        return
    for words, part in parts(expected, wrong):
        if not part.all() and not (wrong & ~part).any() and wrong[part].mean() > 0.5:
            there = _("there")
            inner = [*flat_part(got[part]), *scaled(got[part], expected[part], there)]
            more = next((f"; {w}" for w, told in inner if alike(told, got[part])), "")
            yield words + more, np.where(part, got, expected)
            return


def flat_part(got: np.ndarray) -> Iterator[Claim]:
    if got.size > 1 and not got.any():
        yield _("yours is 0 there"), np.zeros_like(got)


def parts(expected: np.ndarray, wrong: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Parts of an array that have a name, and hold all that is wrong."""
    zeros = expected == 0
    if np.array_equal(zeros, wrong):
        yield _("wrong only where 0 is expected"), wrong
    elif np.array_equal(~zeros, wrong) and zeros.any():
        yield _("right only where 0 is expected"), wrong
    for axis, size in enumerate(expected.shape):
        indices = np.flatnonzero(wrong.any(axis=tuple(a for a in range(wrong.ndim) if a != axis)))
        if len(indices) == size:
            continue
        first, last = int(indices[0]), int(indices[-1])
        part = np.zeros(expected.shape, bool)
        part[(slice(None),) * axis + (slice(first, last + 1),)] = True
        many = expected.ndim > 1
        along = _(" along axis {axis}").format(axis=axis) if many else ""
        if first == last == 0:
            yield _("only the first{along} is wrong").format(along=along), part
        elif first == last == size - 1:
            yield _("only the last{along} is wrong").format(along=along), part
        elif first == last:
            yield _("only index {i}{along} is wrong").format(i=first, along=along), part
        elif last == size - 1:
            yield _("wrong from index {i} on{along}").format(i=first, along=along), part
        elif first == 0:
            yield _("wrong up to index {i}{along}").format(i=last, along=along), part
    if expected.ndim > 1:
        above = np.broadcast_to(np.triu(np.ones(expected.shape[-2:], bool), 1), expected.shape)
        yield _("wrong only above the diagonal of the last two axes"), above
        below = np.broadcast_to(np.tril(np.ones(expected.shape[-2:], bool), -1), expected.shape)
        yield _("wrong only below the diagonal of the last two axes"), below


def scaled_by_vector(got: np.ndarray, expected: np.ndarray) -> Iterator[Claim]:
    """Each vector along the last axis off by a factor, or an offset, of its own."""
    if got.ndim < 2 or got.shape[-1] < 3:
        return
    at = np.argmax(np.abs(np.nan_to_num(expected)), axis=-1, keepdims=True)
    right, mine = (np.take_along_axis(a, at, -1) for a in (expected, got))
    words = _("each vector along the last axis is right but for a factor")
    yield words, expected * np.where(right == 0, 1, mine / right)
    words = _("each vector along the last axis is right but for an offset")
    yield words, expected + (mine - right)


def shuffled(got: np.ndarray, expected: np.ndarray) -> Iterator[Claim]:
    """Whole rows in another order; or just the same numbers."""
    if got.size < 3 or not (np.isfinite(got).all() and np.isfinite(expected).all()):
        return
    for axis in range(expected.ndim):
        order = order_of(np.moveaxis(got, axis, 0), np.moveaxis(expected, axis, 0))
        if order:
            words = _("along axis {axis} yours are the expected ones in another order: {order}")
            shown = ", ".join(map(str, order[:8])) + (", ..." if len(order) > 8 else "")
            yield words.format(axis=axis, order=shown), np.take(expected, order, axis)
    order = np.empty(got.size, int)
    order[np.argsort(got, axis=None, kind="stable")] = np.argsort(
        expected, axis=None, kind="stable"
    )
    same = expected.ravel()[order].reshape(got.shape)
    yield _("the right numbers, but at other places"), same


def order_of(rows: np.ndarray, expected: np.ndarray) -> list[int]:
    """Which of the expected rows each row is, all different; [] where that cannot be said."""
    left = list(range(len(expected)))
    order = []
    for row in rows:
        found = next((i for i in left if alike(expected[i], row)), None)
        if found is None:
            return []
        left.remove(found)
        order.append(found)
    return order if order != sorted(order) else []


def number(value: Any) -> str:
    return f"{float(value):.6g}"


# shapes


def shapes(got: np.ndarray, expected: np.ndarray, gradient: bool = False) -> str:
    """What is off between two shapes: which axis, or how it came about; "" if nothing is sure.

    gradient   whether a vjp may have made it
    """
    mine, right = got.shape, expected.shape
    if got.ndim == expected.ndim:
        for words, told in transposed(expected) if 2 <= got.ndim <= MOST_AXES else ():
            if alike(told, got):
                return words
        off = [axis for axis in range(got.ndim) if mine[axis] != right[axis]]
        return "; ".join(
            _("axis {axis} is {mine} long, expected {right}").format(
                axis=axis, mine=mine[axis], right=right[axis]
            )
            for axis in off
        )
    if got.size == expected.size and alike(got.reshape(right), expected):
        ones = _("an axis of length 1 is missing: keepdims=True keeps it")
        many = _("an axis of length 1 is too many")
        if sorted((*mine, 1)) == sorted(right):
            return ones
        return many if sorted((*right, 1)) == sorted(mine) else _("the numbers are right")
    rows_differ = expected.ndim and not alike(np.broadcast_to(expected[:1], right), expected)
    if gradient and mine == right[1:] and rows_differ and alike(got, expected[0]):
        return _("yours is the first of expected alone; is a tuple of one without its comma, (g,)?")
    if got.ndim == 0:
        return _("yours is a single number")
    for axis in range(expected.ndim):
        if mine == right[:axis] + right[axis + 1 :]:
            return _("axis {axis}, {size} long, is missing").format(axis=axis, size=right[axis])
    for axis in range(got.ndim):
        if right == mine[:axis] + mine[axis + 1 :]:
            return _("axis {axis}, {size} long, is too many").format(axis=axis, size=mine[axis])
    return ""


# sequences


def sequence(got: Sequence, expected: Sequence) -> str:
    """What a list, tuple or text is to the right one. They differ, and are of one type."""
    mine, right = list(got), list(expected)
    other = [i for i, (a, b) in enumerate(zip(mine, right)) if type(a) is not type(b)]
    objects = any(isinstance(item, (Handle, np.ndarray)) for item in mine)  # these are not compared
    if other and (objects or mine == right):
        return _("the one at index {i} is {mine}, expected {right}").format(
            i=other[0], mine=kind(mine[other[0]]), right=kind(right[other[0]])
        )
    if objects:
        return ""
    if mine == right[::-1] and len(right) > 1:
        return _("yours is expected, reversed")
    if right and mine == right[1:-1] and len(right) > 2:
        return _("the first, {first!r}, and the last, {last!r}, are missing").format(
            first=right[0], last=right[-1]
        )
    for longer, shorter, words in (
        (right, mine, (_("the first, {item!r}, is missing"), _("the last, {item!r}, is missing"))),
        (
            mine,
            right,
            (_("the first, {item!r}, is too much"), _("the last, {item!r}, is too much")),
        ),
    ):
        if longer and shorter == longer[1:]:
            return words[0].format(item=longer[0])
        if longer and shorter == longer[:-1]:
            return words[1].format(item=longer[-1])
    if len(mine) != len(right):
        return _("{mine} long, expected {right}").format(mine=len(mine), right=len(right))
    if len(mine) > 2 and sorted(map(repr, mine)) == sorted(map(repr, right)):
        return _("the right ones, in another order")
    parted = [i for i, (a, b) in enumerate(zip(mine, right)) if a != b or type(a) is not type(b)]
    if not parted or len(mine) < 3:
        return ""
    if len(parted) == 1:
        return _("only index {i} differs: {mine!r}, expected {right!r}").format(
            i=parted[0], mine=mine[parted[0]], right=right[parted[0]]
        )
    return _("they part at index {i}: {mine!r}, expected {right!r}").format(
        i=parted[0], mine=mine[parted[0]], right=right[parted[0]]
    )
