"""A figure stands beside its peer's from the same round, and both did the same work."""

import json
import math
import sys
from dataclasses import asdict
from io import StringIO
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from grader import bench, cli, course, footprint, growth, latency, limits, peers, race, scalars
from grader.bench import SETTINGS, BenchError, Row
from grader.growth import Curve
from grader.reports import bench as report
from grader.reports import growth as growth_report
from solutions.ex02_value import Value

ALONE = Row("sampling", "a", 2, "tokens/s", (18000.0, 20000.0), note="no peer")
PAIR = Row("step", "b1", 1, "ms", (1.0, 6.0, 2.0), "PyTorch", (2.0, 4.0, 8.0), "same")
CHECK = Row("check", "ex01", None, "s", (0.5,), "pytest", (0.25,), "9 tests")
ROWS = [ALONE, PAIR, CHECK]


@pytest.fixture
def without_torch(monkeypatch):
    monkeypatch.setattr(peers, "has_torch", lambda: False)


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


def test_the_scalar_models_do_what_the_array_model_does(monkeypatch):
    monkeypatch.setattr(race, "NAME", 2)
    ours, published, engine = race.scalar(SETTINGS["a"], 1, rounds=1, seconds=0.001)
    assert "6 losses differ by at most" in ours.note
    assert "6 losses differ by at most 0e+00" in engine.note
    assert (ours.peer, published.peer, engine.peer) == ("scalar model", *["as published"] * 2)
    assert max(ours.ratio, published.ratio) < 0.1  # it promises 1/400
    assert engine.ours == ours.theirs and engine.theirs == published.theirs


def test_the_published_engine_gives_the_gradients_of_ours():
    def gradients(kind):
        a, b = kind(2.0), kind(-3.0)
        (((a * b - 1) / (a + 4)).exp() + (2 - b).log() * a.relu() - 1 / a + 3 * a**2).backward()
        return a.grad, b.grad

    assert gradients(scalars.Value) == pytest.approx(gradients(Value), rel=1e-12)


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


# the limit


def test_the_products_are_those_that_the_model_runs():
    small = bench.Setting("small", 2, 3, 8, 1, 5, H=2)
    assert limits.forward(small) == [
        *[(1, 6, 8, 8)] * 4,
        *[(1, 6, 8, 32), (1, 6, 32, 8)],
        *[(4, 3, 4, 3), (4, 3, 3, 4)],
        (1, 6, 8, 5),
    ]
    assert limits.flops(small) == 3 * 2 * (4 * 384 + 2 * 1536 + 2 * 144 + 240)
    limits.sgemm(small)()


def test_the_traffic_counts_each_array_once_and_no_view():
    from solutions.ex03_tensor import Tensor

    w = Tensor(np.ones((4, 4), np.float32))
    # w * w has 64 bytes: written, read, and so is its gradient
    assert limits.traffic(lambda: (w * w).reshape(16).sum(), {"w": w}) == 4 * (64 + 4) + 11 * 64


@pytest.mark.parametrize("size, threads", [(80, 1), (80, 2), (3 * limits.STREAM, 1)])
def test_any_number_of_bytes_can_be_streamed(size, threads):
    limits.stream(size, threads)()


def test_the_limit_stands_as_a_share_of_the_step():
    for row in race.limit(SETTINGS["a"], 1, turn):
        assert row.peer == race.STEP and row.ratio > 0
        assert "/s alone" in row.note


def test_a_late_token_stands_beside_an_early_one():
    row = race.flat(SETTINGS["a"], 1, turn)
    assert len(row.ours) == len(row.theirs) == 2
    assert min(row.ours) > 0 and min(row.theirs) > 0


def test_the_limit_of_resident_memory_is_seen():
    if not footprint.STATUS.exists():
        pytest.skip("only Linux tells a process's peak")
    before = footprint.resident("VmHWM")
    np.ones(2**25)
    assert footprint.resident("VmHWM") >= min(before, footprint.resident("VmRSS"))
    (size,) = bench.apart("footprint", ["ours", "b1"], 1)
    assert 10**5 < size < 10**9


# growth


def test_the_slope_is_the_exponent():
    assert growth.slope([1, 2, 4, 8], [3, 12, 48, 192]) == pytest.approx(2)
    assert growth.slope([1, 10], [5, 5]) == 0


CURVES = [
    Curve("training step", "T", "ms", (1, 2, 4), ((1.0,), (2.0,), (4.0,)), 1.1, "a reason"),
    Curve("memory of marking", "submissions", "MB", (1, 10), ((50.0,), (49.0,)), 0.0, "another"),
]


def test_a_curve_survives_the_way_between_processes():
    assert growth.read(json.loads(json.dumps(asdict(CURVES[0])))) == CURVES[0]


def test_every_form_of_the_growth_says_the_same():
    console = Console(width=200, record=True, file=StringIO())
    growth_report.show(CURVES, console)
    board, markdown = console.export_text(), growth_report.markdown(CURVES)
    for curve in CURVES:
        for cell in growth_report.cells(curve):
            assert cell in board and cell in markdown
        assert growth_report.label(curve) in growth_report.svg(CURVES)
        assert growth_report.label(curve) in board
    exponents = [curve["exponent"] for curve in json.loads(growth_report.to_json(CURVES))]
    assert exponents == pytest.approx([1, math.log10(49 / 50)])


def test_the_picture_of_the_growth_is_xml():
    root = ElementTree.fromstring(growth_report.svg(CURVES))
    paths = root.findall("{http://www.w3.org/2000/svg}path")
    assert len(paths) == 1 + len(CURVES)  # what would be linear, and the curves


def test_a_size_is_doubled_while_the_others_stay(monkeypatch):
    monkeypatch.setattr(growth, "DOUBLINGS", 1)
    curve = growth.training("batch", rounds=1, seconds=0.001)
    assert curve.at == (growth.BASE.batch, 2 * growth.BASE.batch)
    assert curve.algebra == pytest.approx(1)  # each row is the same work
    assert len(curve.figures) == 2


# latencies


def test_a_check_is_timed_beside_as_many_trivial_tests():
    row = latency.check(["ex01.vocabulary"], "ex01", rounds=1)
    assert row.peer == "pytest" and row.unit == "s"
    assert int(row.note.split()[0]) > 0
    assert row.ratio > 0


def test_what_fails_is_not_timed(tmp_path):
    with pytest.raises(BenchError, match="did not pass, so it is not timed: it says why"):
        latency.timed([sys.executable, "-c", "raise SystemExit('it says why')"], tmp_path)


def test_the_hidden_tests_alone_are_run():
    assert latency.main("ex01.vocabulary") == 0
    assert latency.together([[sys.executable, "-c", ""]]) > 0
    with pytest.raises(BenchError, match="no, it says"):
        latency.together([[sys.executable, "-c", "raise SystemExit('no, it says')"]])


@pytest.mark.slow  # a few seconds: it starts `mark`, with all that keeps submissions apart
def test_marking_is_timed_with_its_memory(tmp_path):
    folder = latency.submissions(course.load(), tmp_path / "submissions", 2)
    seconds, megabytes = latency.marking(folder, latency.isolated()[0], 1, ("ex01.vocabulary",))
    assert seconds > 0
    assert 10 < megabytes < 1000 or sys.platform == "win32"


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
    assert [row["what"] for row in rows] == [
        "training step",
        *["products by sgemm alone", "bytes as a stream", "sampling", "a late token"],
        *["training step", "training step", "scalar model's step"],
    ]
    assert {row["threads"] for row in rows} == {1}


@pytest.mark.parametrize(
    "arguments, words",
    [
        ("d9", "there is no setting 'd9'; there are a, b1"),
        ("--rounds 0", "one"),
        ("--growth --rounds 0", "one"),
        ("--growth a", "name no setting"),
        ("--svg growth.svg", "are for --growth"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(arguments, words, capsys):
    assert cli.main(["bench", "--no-checks", *arguments.split()]) == 2
    assert words in capsys.readouterr().err


def test_a_run_that_is_stopped_shows_the_rows_so_far(monkeypatch, capsys):
    def stopped(*arguments, **options):
        yield PAIR
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, "measure", stopped)
    assert cli.main("bench --format markdown".split()) == 2
    out, err = capsys.readouterr()
    assert "| step, ms | b1 | 1 | 2.00 |" in out
    assert "stopped" in err


def test_a_race_that_breaks_off_is_told_in_words():
    with pytest.raises(BenchError, match="the race of nowhere broke off"):
        list(bench.apart("race", ["nowhere", "1", "0.001"], 1))
