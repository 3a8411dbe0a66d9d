"""What a training run leaves behind: snapshots of the weights, curves, and what they cost."""

import csv
import shutil
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from test_training import NAMES, course, of, planned, run  # noqa: F401  two are fixtures

from grader import curves, stage
from grader.course import ROOT
from grader.finale import Plan, PlanError, Story
from grader.xray import data, record
from grader.xray.data import plane, recorded

STEP = {"event": "step", "total": 100, "learning_rate": 0.01, "gradient_norm": 0.5}


def model(weights=(1.0, 2.0)):
    return SimpleNamespace(params={"wte": SimpleNamespace(data=np.array(weights))})


def kept(path, total, model, steps=None):
    recorder = record.Recorder(path)
    for step in steps or range(total + 1):
        model.params["wte"].data[0] = step
        recorder.keep_if_due(model, step, total)
    recorder.save()
    return record.read(path)


# snapshots


def test_snapshots_are_dense_at_the_beginning_and_reach_the_end(tmp_path):
    found = kept(tmp_path / "x.record", 2000, model())
    assert found.steps[0] == 0 and found.steps[-1] == 2000
    assert len(found.steps) == record.SNAPSHOTS
    gaps = np.diff(found.steps)
    assert gaps[:5].max() < gaps[-5:].min()


def test_a_snapshot_is_a_copy_of_the_weights_at_that_step(tmp_path):
    found = kept(tmp_path / "x.record", 50, model())
    np.testing.assert_array_equal(found.weights["wte"][:, 0], found.steps)


def test_a_large_model_is_kept_at_fewer_moments(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "MOST_BYTES", 12 * 16)
    assert len(kept(tmp_path / "x.record", 500, model()).steps) == 12
    monkeypatch.setattr(record, "MOST_BYTES", 1)
    assert len(kept(tmp_path / "y.record", 500, model()).steps) == record.FEWEST


def test_a_total_that_changes_while_the_run_goes_on_still_gives_a_whole_record(tmp_path):
    recorder = record.Recorder(tmp_path / "x.record")
    for step in range(300):
        recorder.keep_if_due(model(), step, 1000 if step < 20 else 300)
    assert 30 <= len(recorder.steps) <= record.SNAPSHOTS
    assert recorder.steps == sorted(set(recorder.steps))


def test_a_resumed_run_goes_on_with_the_record_from_where_it_was(tmp_path):
    path = tmp_path / "x.record"
    before = kept(path, 100, model())
    resumed = record.Recorder.resumed(path, 50)
    assert resumed.steps == [s for s in before.steps if s <= 50]
    assert record.Recorder.resumed(tmp_path / "none.record", 50).steps == []


def test_a_recorded_run_ends_with_the_weights_of_its_checkpoint(course, planned):  # noqa: F811
    plan = planned(steps=30, record=True)
    run(course, plan)
    found = record.read(record.beside(Path(plan["checkpoint"])))
    learnt, _optimizer = course.load(plan["checkpoint"])
    assert found.steps[0] == 0 and found.steps[-1] == 30
    for name, p in learnt.params.items():
        np.testing.assert_array_equal(found.weights[name][-1], p.data)


def test_a_new_run_sets_the_record_of_an_older_one_aside(course, planned, tmp_path):  # noqa: F811
    run(course, planned(steps=3, record=True))
    run(course, planned(steps=3))
    assert not (tmp_path / "microgpt.record").exists()
    assert (tmp_path / "microgpt.previous.record").is_file()


def test_the_same_run_learns_the_same_with_and_without_a_record(course, planned):  # noqa: F811
    losses = [
        [event["loss"] for event in of(run(course, planned(steps=20, record=r)), "evaluation")][-1]
        for r in (False, True)
    ]
    assert losses[0] == losses[1]


@pytest.mark.slow  # a minute: the same training with and without, several times
def test_recording_costs_less_than_a_tenth_of_the_training_time(course, planned):  # noqa: F811
    def seconds(record):
        started = time.process_time()
        run(course, planned(steps=1500, record=record))
        return time.process_time() - started

    pairs = [(seconds(False), seconds(True)) for _ in range(3)]
    without, with_ = (min(times) for times in zip(*pairs))
    print(f"without {without:.2f} s, with {with_:.2f} s")
    assert with_ < 1.10 * without


def test_all_snapshots_are_drawn_on_the_plane_of_the_last():
    rng = np.random.default_rng(0)
    last = rng.normal(size=(9, 4)) * [5, 3, 0.1, 0.1]
    places, explained = plane(np.stack([np.zeros((9, 4)), last]))
    assert places.shape == (2, 9, 2)
    assert (places[0] == places[0, 0]).all()  # what is in one place stays in one place
    assert explained > 0.99
    np.testing.assert_allclose(apart(places[1]), apart(last), atol=0.2)  # the rest is 0.1 each


def apart(rows):
    """How far each row is from each other."""
    return np.linalg.norm(rows[:, None] - rows, axis=-1)


def test_of_a_long_text_the_record_keeps_the_beginning(monkeypatch):
    S, L, H, T, V = 3, 2, 2, 8, 5
    shots = {
        "steps": [0, 1, 2],
        "tables": np.ones((S, V, 4)),
        "probabilities": np.zeros((S, T, V)),
        "attention": np.zeros((S, L, H, T, T)),
        "losses": np.zeros(S),
        "samples": [["a"]] * S,
    }
    assert recorded(shots)["positions"] == T
    monkeypatch.setattr(data, "RECORD_BUDGET", S * (L * H * 25 + 5 * V) * 16 // 3)
    found = recorded(shots)
    assert found["positions"] == 5
    assert found["attention"]["shape"] == [S, L, H, 5, 5]
    assert found["probabilities"]["shape"] == [S, 5, V]


# what is told and written


def test_a_run_tells_rate_gradient_and_pace(course, planned):  # noqa: F811
    last = of(run(course, planned(steps=30)), "step")[-1]
    assert last["learning_rate"] == pytest.approx(0.01 * (1 - 29 / 30))
    assert 0.01 < last["gradient_norm"] < 100
    events = of(run(course, planned(steps=60)), "step")
    assert any(event["tokens_a_second"] > 1000 for event in events if event["tokens_a_second"])


def test_the_gradients_length_is_that_of_all_gradients_together():
    from grader.learner import ArrayLearner

    params = {n: SimpleNamespace(grad=np.array(g)) for n, g in (("a", [3.0]), ("b", [[4.0]]))}
    params["c"] = SimpleNamespace(grad=None)
    learner = ArrayLearner(None, None, "documents", SimpleNamespace(params=params), None)
    assert learner.gradient_norm() == 5.0
    del params["a"], params["b"]
    assert learner.gradient_norm() is None


def events(n=3):
    steps = [
        STEP | {"step": s, "loss": 3 - s / 50, "seconds": s / 10, "tokens_a_second": 9e4 + s}
        for s in range(1, 100, 100 // n)
    ]
    return steps, [{"step": s, "loss": 3.1 - s / 60} for s in (0, 34, 99)]


def test_the_table_holds_every_step_event_and_each_evaluation_once(tmp_path):
    steps, evaluations = events()
    curves.write(tmp_path / "m.npz", steps, evaluations)
    with (tmp_path / "m.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == ["0", "1", "34", "67"]
    assert [row["held_out"] for row in rows] == ["3.1", "", "2.53333", ""]
    found = curves.read(tmp_path / "m.csv")
    assert found["held_out"] == [3.1, None, 2.53333, None]
    assert found["tokens_a_second"][1] == 90001


def test_a_run_that_goes_on_is_one_curve(tmp_path):
    steps, evaluations = events(10)
    curves.write(tmp_path / "m.npz", steps[:5], evaluations[:1])
    curves.write(tmp_path / "m.npz", steps[5:], [])
    assert curves.read(tmp_path / "m.csv")["step"] == [0, *(step["step"] for step in steps)]


def test_the_picture_is_svg_with_a_chart_for_all_that_was_measured(tmp_path):
    steps, evaluations = events(20)
    curves.write(tmp_path / "m.npz", steps, evaluations)
    root = ET.parse(tmp_path / "m.svg").getroot()
    texts = [node.text for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "learning rate" in texts and "tokens a second" in texts
    assert any(text.endswith("held out") for text in texts)
    lines = [n.get("d") for n in root.iter("{http://www.w3.org/2000/svg}path") if n.get("stroke")]
    assert len(lines) == 5
    falling = [float(point.split()[1]) for point in lines[0][1:].split("L")]
    assert falling == sorted(falling)  # the loss falls: y grows downwards


def test_what_was_not_measured_has_no_chart(tmp_path):
    steps, _evaluations = events()
    curves.write(tmp_path / "m.npz", [{**step, "gradient_norm": None} for step in steps], [])
    assert "gradient" not in (tmp_path / "m.svg").read_text("utf-8")


def test_the_same_charts_are_written_as_png_where_matplotlib_is(tmp_path):
    pytest.importorskip("matplotlib", reason="no matplotlib here: requirements/curves.txt")
    steps, evaluations = events(20)
    files = curves.write(tmp_path / "m.npz", steps, evaluations)
    assert [file.name for file in files] == ["m.csv", "m.svg", "m.png"]
    assert files[-1].read_bytes().startswith(b"\x89PNG")


def test_a_long_run_is_drawn_with_few_points():
    table = [{"step": s, "loss": 1.0} for s in range(100_000)]
    found = curves.points(table, "loss")
    assert len(found) <= curves.MOST_POINTS + 1
    assert found[-1] == (99_999, 1.0)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.25, 0.5, 0.75, 1]),
        (2.05, 3.3, [2, 2.5, 3, 3.5]),
        (5, 5, [5]),
        (0, 12000, [0, 5000, 10000]),
    ],
)
def test_ticks_are_round_numbers(low, high, expected):
    found = curves.ticks(low, high)
    assert found[: len(expected)] == expected


def test_the_command_says_what_it_wrote_and_how_to_look_at_it(copy):
    (copy.root / "data").mkdir()
    for name in ("first_names.txt", "microgpt_reference.json"):
        shutil.copy(ROOT / "data" / name, copy.root / "data" / name)
    ran = copy.grader("train", "--steps", "5", "--record", "--target", "solutions")
    assert ran.returncode == 0, ran.stderr
    where = ".glassbox/checkpoints/solutions/microgpt"
    assert f"curves: {where}.csv, {where}.svg" in ran.stdout
    assert "inside: python -m grader xray emma --target solutions" in ran.stdout
    assert record.read(copy.root / f"{where}.record").steps[-1] == 5


def test_a_scalar_model_keeps_no_record():
    with pytest.raises(PlanError, match="leave out --record"):
        Plan(scalar=True, record=True)


# what is shown


def story(**last):
    shown = Story(Plan(steps=100), NAMES, start={"step": 0, "parameters": 1, "vocab": 27})
    shown.steps.append(STEP | {"step": 25, "loss": 2.5, "seconds": 10.0} | last)
    shown.evaluations.append({"step": 20, "loss": 2.6, "share": 1.0})
    return shown


def test_the_time_left_is_that_of_the_steps_left_at_the_same_pace():
    assert story().seconds_left == pytest.approx(30.0)
    assert "10 s, 30 s left, loss 2.500" in stage.progress(story())
    assert "left" not in stage.progress(story(step=100))


def test_the_gauges_name_what_was_measured_and_nothing_else():
    assert stage.gauges(story(tokens_a_second=12345.6)) == (
        "held out 2.600, learning rate 0.0100, gradient 0.50, 12,346 tokens a second"
    )
    assert stage.gauges(story(gradient_norm=None)) == "held out 2.600, learning rate 0.0100"


@pytest.mark.parametrize(("seconds", "words"), [(12.6, "13 s"), (240, "4 min"), (9000, "2.5 h")])
def test_a_time_is_told_no_finer_than_it_is_known(seconds, words):
    assert stage.waiting(seconds) == words
