"""A figure stands beside its peer's from the same round, and both did the same work."""

import json
import math
import sys
from dataclasses import asdict
from io import StringIO

import numpy as np
import pytest
from rich.console import Console

from grader import bench, cli, race
from grader.bench import SETTINGS, BenchError, Row
from grader.reports import bench as report

ALONE = Row("sampling", "a", 2, "tokens/s", (18000.0, 20000.0), note="no peer")
PAIR = Row("step", "b1", 1, "ms", (1.0, 6.0, 2.0), "PyTorch", (2.0, 4.0, 8.0), "same")
CHECK = Row("check", "ex01", None, "s", (0.5,), "pytest", (0.25,), "9 tests")
ROWS = [ALONE, PAIR, CHECK]


@pytest.fixture
def without_torch(monkeypatch):
    monkeypatch.setattr(race, "has_torch", lambda: False)


def turn(*steps):
    return race.contest(*steps, rounds=2, seconds=0.001)


# arithmetic


def test_the_ratio_is_the_median_of_the_rounds_own():
    assert PAIR.ratios == (0.5, 1.5, 0.25)
    assert PAIR.ratio == 0.5
    uneven = Row("step", "a", 1, "ms", (1.0, 2.0, 9.0), "PyTorch", (1.0, 1.0, 3.0))
    assert uneven.ratios == (1.0, 2.0, 3.0)
    assert uneven.ratio == 2.0


def test_without_a_peer_there_is_no_ratio():
    assert ALONE.ratio is None


def test_a_row_survives_the_way_between_processes():
    assert bench.read(json.loads(json.dumps(asdict(PAIR)))) == PAIR


def test_settings_come_in_their_order_and_all_without_a_name():
    assert [s.name for s in bench.settings(["c1", "a"])] == ["a", "c1"]
    assert [s.name for s in bench.settings([])] == list(SETTINGS)


def test_contestants_take_turns():
    order = []
    race.contest(lambda: order.append("x"), lambda: order.append("y"), rounds=2, seconds=0)
    assert order == ["x", "y"] + ["x", "y"] * 2  # once to warm up


def test_a_turn_is_counted_in_steps(monkeypatch):
    now = 0.0

    def step():
        nonlocal now
        now += 2.0

    monkeypatch.setattr(race.time, "perf_counter", lambda: now)
    assert race.pace(step, 5.0) == 2.0
    assert now == 6.0  # 3 steps: the first that ends after 5 seconds is the last


# the same work


def test_what_differs_more_than_rounding_is_refused():
    assert race.agreement([1.0, 2.0], [1.0, 2.0001, 7.0], "losses").startswith("2 losses differ")
    for other in ([1.0, 2.01], [1.0, math.nan]):
        with pytest.raises(race.OtherWork, match="losses differ by"):
            race.agreement([1.0, 2.0], other, "losses")


def test_the_scalar_model_does_what_the_array_model_does():
    row = race.scalar(SETTINGS["a"], 1, rounds=2, seconds=0.001)
    assert "2 losses differ by at most" in row.note
    assert (row.peer, len(row.ours), len(row.theirs)) == ("scalar model", 2, 2)
    assert row.ratio < 0.1  # it promises 1/400


def test_the_timed_step_learns():
    model = race.model_of(SETTINGS["a"], np.random.default_rng(0))
    ids = np.arange(17)[None]
    step = race.trainer(model, ids[:, :-1], ids[:, 1:])
    first, *_, last = [step() for _ in range(10)]
    assert last < first


def test_logits_one_token_at_a_time_are_those_of_all_at_once():
    model = race.model_of(SETTINGS["a"], np.random.default_rng(0))
    ids = np.arange(16)
    np.testing.assert_allclose(race.logits(model, ids), model(ids[None]).data[0], atol=1e-5)


@pytest.mark.parametrize("what", [race.training, race.sampling])
def test_a_missing_peer_is_said_to_be_missing(without_torch, what):
    row = what(SETTINGS["a"], 1, turn)
    assert (row.peer, row.theirs, row.ratio) == (None, (), None)
    assert "PyTorch is not installed" in row.note
    assert len(row.ours) == 2 and min(row.ours) > 0


# checks


def test_a_check_is_timed_beside_as_many_trivial_tests():
    row = bench.check(["ex01.vocabulary"], "ex01", rounds=1)
    assert row.peer == "pytest" and row.unit == "s"
    assert int(row.note.split()[0]) > 0
    assert row.ratio > 0


def test_what_fails_is_not_timed(tmp_path):
    with pytest.raises(BenchError, match="did not pass, so it is not timed: it says why"):
        bench.timed([sys.executable, "-c", "raise SystemExit('it says why')"], tmp_path)


# forms


def test_all_forms_say_the_same():
    console = Console(width=200, record=True, file=StringIO())
    report.show(ROWS, console)
    board, markdown = console.export_text(), report.markdown(ROWS)
    for row in ROWS:
        for cell in report.cells(row):
            assert cell in board and cell in markdown
    for note in report.notes(ROWS):
        assert note in board and note in markdown
    data = json.loads(report.to_json(ROWS))
    assert [entry["ratio"] for entry in data] == [None, 0.5, 2.0]
    assert [entry["median"] for entry in data] == [19000.0, 2.0, 0.5]


def test_figures_read_well():
    assert report.cells(PAIR)[3:] == (
        "2.00",
        "1.00 - 6.00",
        "PyTorch",
        "4.00",
        "2.00 - 8.00",
        "0.50 x",
    )
    assert report.number(19000.4) == "19,000"
    assert report.number(12.34) == "12.3"
    assert report.times(1 / 465) == "1/465 x"


def test_notes_are_said_once_with_all_that_they_are_about():
    rows = [ALONE, PAIR, Row("step", "a", 2, "ms", (1.0,), note="no peer")]
    assert report.notes(rows) == [
        "a: B 1, T 16, C 16, L 1",
        "b1: B 32, T 16, C 16, L 1",
        "sampling a (2 threads), step a (2 threads): no peer",
        "step b1 (1 thread): same",
    ]


# the command


def test_the_command_times_a_setting_in_a_process_of_its_own(monkeypatch, capsys):
    monkeypatch.setattr(bench, "TURN", 0.001)
    code = cli.main("bench a --threads 1 --rounds 1 --no-checks --format json".split())
    rows = json.loads(capsys.readouterr().out)
    assert code == 0
    assert [row["what"] for row in rows] == ["training step", "sampling", "training step"]
    assert {row["threads"] for row in rows} == {1}


@pytest.mark.parametrize(
    "arguments, words", [("d9", "there is no setting 'd9'; there are a, b1"), ("--rounds 0", "one")]
)
def test_what_cannot_be_measured_is_refused_in_words(arguments, words, capsys):
    assert cli.main(["bench", "--no-checks", *arguments.split()]) == 2
    assert words in capsys.readouterr().err
