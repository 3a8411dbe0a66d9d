"""The worker's half of training, with the reference: it learns, ends in time, and can go on."""

import json
import math
import time
from dataclasses import replace

import numpy as np
import pytest
from reference import reference

from grader import corpus, finale, training
from grader.learner import Knobs, TrainingError, windows
from solutions import ex03_tensor, ex09_train

NAMES = corpus.read(finale.NAMES)
FEW = replace(NAMES, held_out=NAMES.held_out[:64])
PROSE = "".join(
    f"So number {i} was said, and nobody said otherwise that day.\n\n" for i in range(60)
)
COUNTING_LETTERS = 2.823  # nats per character of the 1-gram model


@pytest.fixture
def course():
    """The reference's definitions; a test may put others in their place."""
    return reference()


@pytest.fixture
def planned(tmp_path, monkeypatch):
    """Makes what the worker is told from the options of a Plan; checkpoints go to a folder."""
    monkeypatch.setattr(finale, "CHECKPOINTS", tmp_path)

    def make(data=FEW, **options):
        return finale.Plan(**options).message(data)

    return make


def run(course, plan, data=FEW, stop=lambda event: False):
    """All events of a run. `stop` says after which one it is told to stop."""
    events = []

    def emit(event):
        events.append(event)
        return not stop(event)

    training.train(course, plan, data, emit)
    return events


def of(events, kind):
    return [event for event in events if event["event"] == kind]


def weights(plan):
    model, _ = ex09_train.load(plan["checkpoint"])
    return {name: p.data for name, p in model.params.items()}


@pytest.mark.parametrize("preset", ["microgpt", "gpt2"])
def test_sixty_steps_beat_counting_letters(course, planned, preset):
    events = run(course, planned(preset=preset, steps=60))
    before, after = of(events, "evaluation")[0]["loss"], of(events, "evaluation")[-1]["loss"]
    assert before == pytest.approx(math.log(27), abs=0.15)
    assert after < COUNTING_LETTERS


def test_a_run_tells_its_start_steps_looks_and_end(course, planned):
    events = run(course, planned(steps=20))
    assert events[0] == {"event": "start", "step": 0, "parameters": 4192, "vocab": 27}
    assert [event["event"] for event in events[-3:]] == ["evaluation", "samples", "end"]
    assert of(events, "step")[-1]["step"] == events[-1]["step"] == 20
    assert events[-1]["stopped"] is False
    assert len(events[-1]["samples"]) == training.END_SAMPLES


def test_the_steps_are_those_asked_for_whatever_the_time(course, planned):
    assert run(course, planned(steps=7))[-1]["step"] == 7


def test_the_same_seed_gives_the_same_model(course, planned):
    plan = planned(steps=10)
    run(course, plan)
    first = weights(plan)
    run(course, plan)
    second = weights(plan)
    assert [name for name in first if (first[name] != second[name]).any()] == []


def test_without_a_number_of_steps_as_many_are_taken_as_fit(course, planned):
    plan = planned() | {"seconds": 3.0}
    started = time.perf_counter()
    events = run(course, plan)
    assert time.perf_counter() - started < 3.0
    assert events[-1]["step"] > 20
    assert of(events, "step")[-1]["total"] == events[-1]["step"]


def test_a_very_slow_model_ends_in_time_too(course, planned):
    class Slow(course.GPT):
        def loss(self, ids, targets):
            time.sleep(0.3)
            return super().loss(ids, targets)

    course.GPT = Slow
    plan = planned() | {"seconds": 4.0}
    started = time.perf_counter()
    events = run(course, plan)
    assert time.perf_counter() - started < 4.0
    assert 1 <= events[-1]["step"] < 13


def test_the_learning_rate_ends_when_the_steps_do(course, planned):
    rates = {}

    def train(model, batches, steps, optimizer, schedule, on_step):
        for step in range(optimizer.t, steps):
            rates[step] = schedule(step)
        return ex09_train.train(model, batches, steps, optimizer, schedule, on_step)

    course.train = train
    run(course, planned(steps=10))
    assert [rates[step] for step in (0, 5, 9)] == pytest.approx([0.01, 0.005, 0.001])


def test_a_stopped_run_is_saved_and_resumed_as_if_never_stopped(course, planned):
    plan = planned(steps=300)
    run(course, plan)
    expected = weights(plan)

    events = run(course, plan, stop=lambda event: event["event"] == "step" and event["step"] >= 9)
    assert events[-1]["stopped"] is True
    assert 9 <= events[-1]["step"] < 300

    events = run(course, planned(resume=True) | {"seconds": None})
    assert events[0]["step"] > 0
    assert events[-1]["step"] == 300
    found = weights(plan)
    assert [name for name in expected if (found[name] != expected[name]).any()] == []


def test_a_complete_run_says_how_to_go_on(course, planned):
    run(course, planned(steps=6))
    with pytest.raises(TrainingError, match="--steps 12"):
        run(course, planned(resume=True))
    assert run(course, planned(resume=True, steps=12))[-1]["step"] == 12


def test_resuming_on_other_data_is_refused(course, planned, tmp_path):
    run(course, planned(steps=2))
    with pytest.raises(TrainingError, match="other characters"):
        run(course, planned(resume=True), replace(FEW, train=("ä", *FEW.train)))


def test_resuming_nothing_says_what_to_do(course, planned):
    with pytest.raises(TrainingError, match="train one"):
        run(course, planned(resume=True))


def test_a_new_run_sets_the_checkpoint_of_the_last_one_aside(course, planned, tmp_path):
    run(course, planned(steps=2))
    kept = (tmp_path / "microgpt.npz").read_bytes()
    run(course, planned(steps=3))
    assert (tmp_path / "microgpt.previous.npz").read_bytes() == kept
    assert json.loads((tmp_path / "microgpt.previous.json").read_text("utf-8"))["step"] == 2


def test_a_loss_that_is_no_number_ends_the_run_in_words(course, planned):
    def train(model, batches, steps, optimizer, schedule, on_step):
        on_step(optimizer.t, math.nan)

    course.train = train
    with pytest.raises(TrainingError, match="the loss is nan at step 0"):
        run(course, planned(steps=5))


def test_a_model_whose_held_out_loss_is_no_number_is_told_so(course, planned):
    def loss(self, ids, targets):
        return ex03_tensor.Tensor(math.inf)

    course.GPT = type("Infinite", (course.GPT,), {"loss": loss})
    with pytest.raises(TrainingError, match="the loss is inf at step 0"):
        run(course, planned(steps=2))


def test_a_run_stopped_at_once_is_saved(course, planned, tmp_path):
    events = run(course, planned(steps=9), stop=lambda event: event["event"] == "start")
    assert (events[-1]["step"], events[-1]["stopped"]) == (0, True)
    assert (tmp_path / "microgpt.npz").is_file()
    assert not of(events, "step")


def test_a_train_that_takes_other_steps_is_told_so(course, planned):
    course.train = lambda *args: []
    with pytest.raises(TrainingError, match="should run the steps from"):
        run(course, planned(steps=5))


def test_a_save_that_writes_nothing_is_told_so(course, planned):
    course.save = lambda path, model, optimizer: None
    with pytest.raises(TrainingError, match="wrote no file"):
        run(course, planned(steps=2))


def test_the_students_own_error_passes_through(course, planned):
    def loss(self, ids, targets):
        raise ZeroDivisionError("mine")

    course.GPT = type("Broken", (course.GPT,), {"loss": loss})
    with pytest.raises(ZeroDivisionError, match="mine"):
        run(course, planned(steps=2))


def test_a_text_is_learnt_and_written(course, planned, tmp_path):
    (tmp_path / "prose.txt").write_text(PROSE, "utf-8")
    prose = corpus.read(tmp_path / "prose.txt")
    events = run(course, planned(prose, preset="gpt2", steps=60), prose)
    losses = [event["loss"] for event in of(events, "evaluation")]
    assert losses[-1] < losses[0] - 1
    assert of(events, "evaluation")[-1]["share"] == 1
    assert len(events[-1]["samples"][0]) > 64  # more than a block


def test_the_held_out_text_is_read_once_and_whole():
    ids = np.arange(10)
    x, y = windows(ids, T=4, bos=99)
    assert x.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 99, 99, 99]]
    assert y.tolist() == [[1, 2, 3, 4], [5, 6, 7, 8], [9, -1, -1, -1]]


def test_the_held_out_loss_is_the_mean_over_characters_not_over_batches(course, planned):
    """A model that knows nothing: with all weights 0 every character costs log 27."""
    plan = planned(steps=1)
    learner = training.ArrayLearner.new(course, plan, FEW)
    for p in learner.model.params.values():
        p.data[...] = 0
    found = training.Run(learner, plan, FEW, lambda event: True, 1).held_out_loss(60.0)
    assert found == pytest.approx((math.log(27), 1.0))


def test_the_scalar_model_learns_speaks_and_is_saved(course, planned, tmp_path):
    tiny = replace(NAMES, train=("ab",) * 20, held_out=("ab",), path=tmp_path / "x")
    plan = planned(tiny, scalar=True, steps=30)
    events = run(course, plan, tiny)
    losses = [event["loss"] for event in of(events, "evaluation")]
    assert losses[-1] < losses[0] / 4
    assert "ab" in events[-1]["samples"]
    assert json.loads((tmp_path / "scalar.json").read_text("utf-8"))["step"] == 30
    again = drawn(course, plan, n=3)
    assert again[-1]["samples"].count("ab") >= 1


def test_the_scalar_model_stops_when_told(course, planned, tmp_path):
    tiny = replace(NAMES, train=("ab",) * 20, held_out=("ab",))
    plan = planned(tiny, scalar=True, steps=1000)
    events = run(course, plan, tiny, stop=lambda event: event["event"] == "step")
    assert events[-1]["stopped"] is True
    assert events[-1]["step"] < 1000


def test_the_scalar_model_fits_its_steps_to_the_time(course, planned):
    tiny = replace(NAMES, train=("ab",) * 20, held_out=("ab",))
    started = time.perf_counter()
    events = run(course, planned(tiny, scalar=True) | {"seconds": 3.0}, tiny)
    assert time.perf_counter() - started < 6.0  # a busy machine may take twice as long
    assert events[-1]["step"] >= 1


def drawn(course, plan, **options):
    """All events of `sample` from the checkpoint of `plan`."""
    events = []
    asked = finale.SamplePlan(plan["checkpoint"], **options).message()
    training.sample(course, asked, events.append)
    return events


def test_samples_begin_with_the_prompt_and_repeat_with_the_seed(course, planned):
    plan = planned(steps=20)
    run(course, plan)
    first = drawn(course, plan, n=4, prompt="mar", seed=3)
    assert all(sample.startswith("mar") for sample in first[-1]["samples"])
    assert drawn(course, plan, n=4, prompt="mar", seed=3)[-1]["samples"] == first[-1]["samples"]
    assert [event["event"] for event in first] == ["samples"] * 4 + ["end"]


def test_a_prompt_of_unknown_characters_or_too_long_is_refused(course, planned):
    plan = planned(steps=2)
    run(course, plan)
    with pytest.raises(TrainingError, match="'é'"):
        drawn(course, plan, prompt="renée")
    with pytest.raises(TrainingError, match="at most 15"):
        drawn(course, plan, prompt="a" * 16)


def test_the_scalar_model_refuses_what_it_does_not_know(course, planned):
    learner = training.ScalarLearner.new(course, planned(scalar=True, steps=1), FEW)
    with pytest.raises(TrainingError, match="temperature only"):
        learner.speak(None, Knobs(k=3))


def test_an_unreadable_card_is_named(course, planned, tmp_path):
    run(course, planned(steps=2))
    (tmp_path / "microgpt.json").write_text("{", "utf-8")
    with pytest.raises(TrainingError, match=r"cannot use .*microgpt\.json"):
        run(course, planned(resume=True))
