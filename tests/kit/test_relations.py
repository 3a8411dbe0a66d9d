"""The most telling true thing about a wrong array: what is said, and that it always holds."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from grader import relations
from grader.relations import relation, sequence, shapes

X = np.array([[1.0, -2.0, 4.0, 0.5], [3.0, 7.0, -6.0, 2.5], [0.25, 9.0, 8.0, -1.0]])
CUBE = np.sin(np.arange(24.0)).reshape(2, 3, 4)
MASKED = np.tril(np.abs(CUBE[0, :, :3])) + np.tril(np.ones((3, 3)))


def changed(array, index, value):
    array = array.copy()
    array[index] = value
    return array


SAYS = {
    "yours is 0.5 of expected everywhere": (X / 2, X),
    "yours is -2.5 times expected everywhere": (X * -2.5, X),
    "yours is 4 times expected everywhere; 4 is the length of axis 1": (X * 4, X),
    "yours is 0.333333 of expected everywhere; 3 is the length of axis 0": (X / 3, X),
    "yours has the other sign everywhere": (-X, X),
    "yours is 1.5 too large everywhere": (X + 1.5, X),
    "yours is 0.25 too small everywhere": (X - 0.25, X),
    "yours is 0 everywhere": (X * 0, X),
    "yours is 3 everywhere": (np.full((3, 4), 3.0), X),
    "yours is nan everywhere": (X * np.nan, X),
    "1 of 12 are nan, the first at [1, 2]": (changed(X, (1, 2), np.nan), X),
    "2 of 12 are inf, the first at [0, 1]": (changed(X, ([0, 2], [1, 3]), np.inf), X),
    "wrong only where -inf is expected": (X, changed(X, (1, 2), -np.inf)),
    "yours is expected with axes 0 and 1 swapped": (X[:3, :3].T, X[:3, :3]),
    "yours is expected, reversed along axis 1": (X[:, ::-1], X),
    "yours is expected, shifted by +1 along axis 1": (np.roll(X, 1, 1), X),
    "yours is expected, shifted by -1 along axis 0": (np.roll(X, -1, 0), X),
    "yours is expected, shifted by +1 along axis 1, but for the end": (
        changed(np.roll(X, 1, 1), (slice(None), 0), 0.0),
        X,
    ),
    "along axis 1 yours are the expected ones in another order: 1, 0, 3, 2": (
        X[:, [1, 0, 3, 2]],
        X,
    ),
    "the right numbers, but at other places": (X.reshape(4, 3).T, X),
    "only the last along axis 1 is wrong": (changed(X, (slice(None), 3), [9.0, 1.0, 4.0]), X),
    "only the first along axis 0 is wrong; yours is 2 times expected there": (
        changed(X, 0, X[0] * 2),
        X,
    ),
    "only index 1 along axis 1 is wrong; yours has the other sign there": (
        changed(CUBE, (slice(None), 1), -CUBE[:, 1]),
        CUBE,
    ),
    "wrong from index 2 on along axis 1; yours is 0 there": (
        changed(X, (slice(None), slice(2, None)), 0.0),
        X,
    ),
    "wrong up to index 1 along axis 1": (
        changed(X, (slice(None), slice(0, 2)), [[5.0, 5.5], [1.0, 7.5], [8.0, 2.0]]),
        X,
    ),
    "wrong only where 0 is expected": (MASKED + np.triu(np.abs(CUBE[1, :, :3]), 1), MASKED),
    "each vector along the last axis is right but for a factor": (X * [[2.0], [3.0], [0.7]], X),
    "each vector along the last axis is right but for an offset": (X + [[2.0], [3.0], [0.7]], X),
    "only signs differ": (X * [[1, -1, 1, -1], [1, 1, -1, 1], [-1, 1, 1, 1]], X),
    "": (X**3 + 2 * X, X),
}


@pytest.mark.parametrize("says", SAYS)
def test_the_most_telling_line(says):
    assert relation(*SAYS[says]) == says


@pytest.mark.parametrize(
    ("got", "says"),
    [
        (0.35, "yours is 0.5 of expected"),
        (-0.7, "yours has the other sign"),
        (2.1, "yours is 3 times expected"),
        (0.7 / 3, "yours is 0.333333 of expected"),
        (3.7, ""),
    ],
)
def test_of_a_lone_number_only_what_is_no_chance(got, says):
    assert relation(np.array(got), np.array(0.7)) == says


def test_of_two_whole_numbers_nothing_is_said_that_anybody_sees():
    assert relation(np.array(9.0), np.array(3.0)) == ""


def test_the_digits_of_float32_hide_no_factor():
    x = np.float32(CUBE) * np.float32(1e-3)
    assert relation(x * np.float32(0.1), x).startswith("yours is 0.1 of expected")


@pytest.mark.parametrize(
    ("got", "expected", "says"),
    [
        (CUBE[:, :2], CUBE, "axis 1 is 2 long, expected 3"),
        (CUBE.transpose(0, 2, 1), CUBE, "yours is expected with axes 1 and 2 swapped"),
        (CUBE.transpose(2, 0, 1), CUBE, "yours is expected, transposed to the order of axes"),
        (CUBE[:, :, 0], CUBE[:, :, :1], "an axis of length 1 is missing: keepdims=True keeps it"),
        (CUBE[:, :1], CUBE[:, 0], "an axis of length 1 is too many"),
        (CUBE.sum(1), CUBE, "axis 1, 3 long, is missing"),
        (
            CUBE[0],
            CUBE,
            "yours is the first of expected alone; is a tuple of one without its comma",
        ),
        (np.array(1.0), np.array([1.0, 2.0]), "yours is the first of expected alone"),
        (np.array(1.0), np.array([1.0, 1.0]), "yours is a single number"),  # of equals no first
        (CUBE, CUBE.sum(2), "axis 2, 4 long, is too many"),
        (np.array(1.0), CUBE, "yours is a single number"),
        (CUBE.reshape(6, 4), CUBE, "the numbers are right"),
        (np.zeros(6), np.ones((2, 2)), ""),
    ],
)
def test_a_wrong_shape_says_which_axis(got, expected, says):
    said = shapes(got, expected, gradient=True)
    assert said.startswith(says)
    assert bool(said) == bool(says)


def test_a_comma_is_asked_for_only_where_a_vjp_may_have_forgotten_it():
    assert shapes(CUBE[0], CUBE) == "axis 0, 2 long, is missing"


@pytest.mark.parametrize(
    ("got", "expected", "says"),
    [
        ([2, 0, 1], [3, 2, 0, 1, 3], "the first, 3, and the last, 3, are missing"),
        ([2, 0, 1, 3], [3, 2, 0, 1, 3], "the first, 3, is missing"),
        ([3, 2, 0, 1], [3, 2, 0, 1, 3], "the last, 3, is missing"),
        ("abc ", "abc", "the last, ' ', is too much"),
        ("cba", "abc", "yours is expected, reversed"),
        ("acb", "abc", "the right ones, in another order"),
        ([1, 2, 9, 4], [1, 2, 3, 4], "only index 2 differs: 9, expected 3"),
        ([1, 9, 9, 4], [1, 2, 3, 4], "they part at index 1: 9, expected 2"),
        ([1], [1, 2, 3], "1 long, expected 3"),
        ([], [1], "the first, 1, is missing"),
        (list(np.array([3, 1, 3])), [3, 1, 3], "the one at index 0 is an int64, expected an int"),
        ([1, 2.0], [1, 2], "the one at index 1 is a float, expected an int"),
        ([np.ones(2), 2], [1, 2], "the one at index 0 is an array of shape (2,), expected an int"),
        ([1, np.ones(2)], [1], ""),
    ],
)
def test_lists_and_texts(got, expected, says):
    assert sequence(got, expected) == says


# never a false word

ARRAYS = hnp.array_shapes(max_dims=3, max_side=4).flatmap(
    lambda shape: hnp.arrays(
        np.float64, shape, elements=st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5, 3.0, -0.3, 7.25])
    )
)
CHANGES = st.sampled_from(
    [
        lambda x: x * 3,
        lambda x: -x,
        lambda x: x + 1,
        lambda x: x.T.reshape(x.shape),
        lambda x: np.roll(x, 1, -1),
        lambda x: np.flip(x, 0),
        lambda x: np.where(x > 0, x, 0.125),
        lambda x: np.cumsum(x, axis=-1),
        lambda x: np.sort(x, axis=0),
        lambda x: x * np.nan,
        lambda x: x**2 - 0.5,
    ]
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(ARRAYS, CHANGES, CHANGES)
def test_what_is_said_holds(expected, change, other):
    got = other(change(expected))
    said = relation(got, expected)
    if said:
        assert holds(said, got, expected), said


def holds(said: str, got: np.ndarray, expected: np.ndarray) -> bool:
    """The words read again, by another way than they were found."""
    words = said.partition(";")[0].replace("expected,", "expected").split()
    axis = int(words[words.index("axis") + 1].rstrip(",:;")) if "axis" in words[:-1] else 0
    wrong = ~np.isclose(got, expected, rtol=relations.EXACT, equal_nan=True)
    others = tuple(a for a in range(got.ndim) if a != axis)
    indices = np.flatnonzero(wrong.any(axis=others))
    match words:
        case ["yours", "has", "the", "other", "sign", *_]:
            return np.allclose(got, -expected)
        case ["yours", "is", n, "times" | "of", "expected", *_]:
            return np.allclose(got, float(n) * expected, rtol=1e-4)
        case ["yours", "is", n, "too", "large", *_]:
            return np.allclose(got - expected, float(n), rtol=1e-4)
        case ["yours", "is", n, "too", "small", *_]:
            return np.allclose(expected - got, float(n), rtol=1e-4)
        case ["yours", "is", value, "everywhere"]:
            return np.allclose(got, float(value), rtol=1e-4, equal_nan=True)
        case ["yours", "is", "expected", "reversed", *_]:
            return np.allclose(np.flip(got, axis), expected)
        case ["yours", "is", "expected", "shifted", "by", by, *rest]:
            back = np.roll(got, -int(by), axis)
            same = np.isclose(back, expected)
            ends = "end" in rest
            return np.moveaxis(same, axis, 0)[1 : -1 if ends else None].all()
        case ["yours", "is", "expected", *_]:
            orders = itertools.permutations(range(got.ndim))
            return any(
                got.shape == expected.transpose(o).shape and np.allclose(got, expected.transpose(o))
                for o in orders
            )
        case [n, "of", size, "are", name, *_]:
            kinds = {"nan": np.isnan, "inf": np.isposinf, "-inf": np.isneginf}
            return kinds[name](got).sum() == int(n) and got.size == int(size)
        case ["only", "the", "first", *_]:
            return indices.tolist() == [0]
        case ["only", "the", "last", *_]:
            return indices.tolist() == [got.shape[axis] - 1]
        case ["only", "index", i, *_]:
            return indices.tolist() == [int(i)]
        case ["wrong", "from", "index", i, *_]:
            return int(i) == indices[0] and not wrong.all()
        case ["wrong", "up", "to", "index", i, *_]:
            return int(i) == indices[-1] and not wrong.all()
        case ["wrong", "only", "where", value, *_]:
            return not (wrong & (expected != float(value))).any()
        case ["right", "only", "where", "0", *_]:
            return np.array_equal(wrong, expected != 0)
        case ["wrong", "only", side, "the", "diagonal", *_]:
            keep = np.tril if side == "above" else np.triu
            return not keep(wrong).any()
        case ["only", "signs", "differ"]:
            return np.allclose(np.abs(got), np.abs(expected))
        case ["each", "vector", *_, "factor"]:
            pairs = zip(got.reshape(-1, got.shape[-1]), expected.reshape(-1, got.shape[-1]))
            return all(np.linalg.matrix_rank(np.stack(p)) < 2 for p in pairs)
        case ["each", "vector", *_, "offset"]:
            return np.allclose(np.ptp(got - expected, axis=-1), 0)
        case ["along", *_] | ["the", "right", "numbers,", *_]:
            return np.allclose(np.sort(got, axis=None), np.sort(expected, axis=None))
    raise AssertionError(f"a claim that nobody has checked: {said}")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(ARRAYS, st.randoms(use_true_random=False))
def test_of_numbers_that_have_nothing_to_do_with_it_little_is_said(expected, random):
    got = np.array([random.uniform(-9, 9) for _ in range(expected.size)]).reshape(expected.shape)
    said = relation(got, expected)
    assert not said or got.size < 5 or holds(said, got, expected)


def test_it_takes_no_time_on_large_arrays():
    x = np.random.default_rng(0).normal(size=(8, 16, 4, 64))
    relations.relation(x * 2, x)  # what numpy imports on first use
    import time

    start = time.process_time()
    assert relations.relation(np.sqrt(np.abs(x)) + 1, x) == ""
    assert time.process_time() - start < 2.0


def test_a_factor_is_told_only_where_it_says_something():
    """Weights that came back as float32 are 1 times expected; every second factor is a 2."""
    x = np.arange(1.0, 13.0).reshape(3, 2, 2)
    assert relations.relation(x.astype(np.float32) * (1 + 3e-7), x) == ""
    assert relations.relation(x * 2, x) == "yours is 2 times expected everywhere"
    assert relations.relation(x * 3, x).endswith("; 3 is the length of axis 0")
    assert "length" not in relations.relation(np.where(x > 10, x / 2, x), x)
