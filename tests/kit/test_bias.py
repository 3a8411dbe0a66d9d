"""What a model prefers and what it has memorised: counted, on data small enough for the head."""

from pathlib import Path

import numpy as np
import pytest

from grader import ngrams
from grader.corpus import DOCUMENTS, Corpus
from grader.xray import bias

TRAIN = ("anna", "anne", "bob", "otto", "ann", "amy", "bea", "ben", "abe", "ada")
HELD_OUT = ("ava", "zoe")
SMALL = Corpus(Path("names.txt"), DOCUMENTS, TRAIN, HELD_OUT)


def row(rows, key):
    return next(row for row in rows if row["key"] == key)


def test_copies_are_samples_that_stand_in_the_training_data_word_for_word():
    found = bias.memory(SMALL, ["anna", "anna", "bob", "ava", "annie", "mia", "an", "bo"])
    assert found["copied"] == 3 / 8
    assert found["copied_held_out"] == 1 / 8
    assert found["distinct"] == 7 / 8
    assert found["made_up"] == ["annie", "mia", "an", "bo"]


def test_without_memory_the_held_out_tenth_tells_how_many_copies_to_expect():
    """2 held-out documents were hit once in 8; 10 others, drawn as gladly, 5 times in 8."""
    samples = ["ava", *["x"] * 7]
    assert bias.memory(SMALL, samples)["copied_expected"] == pytest.approx(5 / 8)


def test_shares_are_those_of_samples_and_of_documents(monkeypatch):
    monkeypatch.setattr(bias, "FEWEST", 1)
    rows = bias.compared(bias.PROPERTIES["first"], ["amy", "bob", "bea", "cy"], TRAIN)
    assert row(rows, "a") == {"key": "a", "model": 0.25, "data": 0.6, "noise": (0.24 / 4) ** 0.5}
    assert row(rows, "b")["model"] == 0.5
    assert row(rows, "c")["data"] == 0.0
    assert [r["key"] for r in rows][:2] == ["a", "b"]  # the most frequent in the data first


@pytest.mark.parametrize(("name", "key"), [("first", "a"), ("length", "4"), ("ending", "na")])
def test_a_document_has_the_properties_that_can_be_counted_in_it(name, key):
    assert bias.PROPERTIES[name]("anna") == key


def test_surprise_is_nats_per_character_over_all_documents_that_have_a_property(monkeypatch):
    monkeypatch.setattr(bias, "FEWEST", 1)
    nats, characters = np.array([4.0, 9.0, 2.0]), np.array([2, 3, 2])
    rows = bias.surprise(["a", "a", "z"], TRAIN, bias.PROPERTIES["first"], nats, characters)
    assert row(rows, "a")["nats"] == pytest.approx(13 / 5)
    assert row(rows, "z") == {"key": "z", "documents": 1, "share": 0.0, "nats": 1.0, "noise": 0.0}
    assert [r["key"] for r in rows] == ["z", "a"]  # the rarest in the training data first


def test_the_rarest_pair_of_neighbours_decides_the_tenth():
    train = ["ab"] * 9 + ["cd"]
    read = ["cd", *["ab"] * 9]
    nats, characters = np.array([6.0] + [1.0] * 9), np.full(10, 3)
    rows = bias.surprise_by_pair(read, train, nats, characters)
    assert [r["documents"] for r in rows] == [1] * 10
    assert (rows[0]["key"], rows[0]["nats"]) == ("1", pytest.approx(2.0))
    assert [r["nats"] for r in rows[1:]] == pytest.approx([1 / 3] * 9)
    assert rows[0]["share"] == pytest.approx(1 / 30)  # of the 30 pairs with beginnings and ends


def test_the_error_of_a_mean_shrinks_with_the_documents():
    rng = np.random.default_rng(0)
    characters = np.full(400, 5)
    nats = rng.normal(10.0, 1.0, 400)
    few = bias.cost(nats, characters, np.arange(400) < 100)
    many = bias.cost(nats, characters, np.arange(400) < 400)
    assert few["noise"] == pytest.approx(1 / 5 / 10, rel=0.2)  # sigma / characters / sqrt(n)
    assert many["noise"] == pytest.approx(few["noise"] / 2, rel=0.2)


def test_the_whole_report_compares_with_counting_on_the_same_split():
    nats, characters = np.array([8.0, 12.0]), np.array([4, 4])
    found = bias.report(SMALL, ["anna", "zed", ""], nats, characters)
    assert found["loss"] == pytest.approx(2.5)
    assert [entry["text"] for entry in found["hardest"]] == ["zoe", "ava"]
    assert [entry["loss"] for entry in found["counting"]] == [
        ngrams.loss(TRAIN, HELD_OUT, n) for n in (1, 2, 3)
    ]
    assert {"first", "length", "ending", "pair"} == found["surprise"].keys()
    assert found["samples"] == 3


def test_everything_that_is_reported_is_described():
    nats, characters = np.array([8.0, 12.0]), np.array([4, 4])
    found = bias.report(SMALL, ["anna"], nats, characters)
    assert [key for key in found if key not in bias.__doc__] == []
