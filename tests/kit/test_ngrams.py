"""The counting models: right by hand, right by definition, and as published."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import corpus, ngrams
from grader.course import ROOT

DOCS = st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=6)
END = None  # what stands before and after a document


def by_definition(train, held_out, n):
    """The model as the textbook has it, one character at a time."""

    def grams(docs):
        for doc in docs:
            padded = [END] * max(n - 1, 0) + list(doc) + [END]
            for i in range(n - 1, len(padded)):
                yield tuple(padded[i - n + 1 : i]), padded[i]

    size = len(set("".join([*train, *held_out]))) + 1
    pairs, contexts = Counter(grams(train)), Counter(context for context, _ in grams(train))
    surprise = [
        -math.log((pairs[context, char] + 1) / (contexts[context] + size))
        for context, char in grams(held_out)
    ]
    return sum(surprise) / len(surprise)


def test_an_example_by_hand():
    train, held_out = ["ab", "ab"], ["b"]
    assert ngrams.loss(train, held_out, 1) == pytest.approx(math.log(3))
    assert ngrams.loss(train, held_out, 2) == pytest.approx(-math.log(1 / 5 * 3 / 5) / 2)


def test_guessing_costs_the_logarithm_of_the_number_of_tokens():
    assert ngrams.loss(["abc"], ["d"], 0) == pytest.approx(math.log(5))  # a, b, c, d and BOS


@given(DOCS, DOCS, st.integers(1, 4))
def test_the_loss_is_that_of_the_definition(train, held_out, n):
    expected = by_definition(train, held_out, n)
    assert ngrams.loss(train, held_out, n) == pytest.approx(expected, abs=1e-12)


def test_the_order_of_documents_does_not_matter():
    train, held_out = ["anna", "ben", "cleo"], ["nan", "leo"]
    forwards = ngrams.loss(train, held_out, 3)
    assert ngrams.loss(train[::-1], held_out[::-1], 3) == pytest.approx(forwards, abs=1e-12)


@pytest.mark.parametrize(("n", "published"), list(enumerate([3.296, 2.823, 2.427, 2.218])))
def test_the_baselines_of_the_names_are_as_published(n, published):
    names = corpus.read(ROOT / "data" / "first_names.txt")
    assert ngrams.loss(names.train, names.held_out, n) == pytest.approx(published, abs=5e-4)
