"""The finale on the checker's side: plans, the end of every kind of run, and what is shown."""

import io
import math
import signal
import threading
import time
from dataclasses import replace

import pytest
from rich.console import Console

from grader import corpus, finale, stage
from grader.finale import Plan, PlanError, SamplePlan, Story

NAMES = corpus.read(finale.NAMES)
START = {"event": "start", "step": 0, "parameters": 4192, "vocab": 27}


def step(n, loss, total=100):
    return {"event": "step", "step": n, "total": total, "loss": loss, "seconds": n / 10}


def look(n, loss, samples=("emma", "qzx")):
    return [
        {"event": "evaluation", "step": n, "loss": loss, "share": 1.0},
        {"event": "samples", "step": n, "samples": list(samples)},
    ]


def end(n, samples=("emma", "lirael"), stopped=False):
    return {
        "event": "end",
        "step": n,
        "seconds": 1.0,
        "samples": list(samples),
        "checkpoint": "x.npz",
        "stopped": stopped,
    }


GOOD = [START, *look(0, 3.3), step(50, 2.5), step(100, 2.1), *look(100, 2.05), end(100)]


class Script:
    """A run that tells these events; if it `hangs`, then nothing until it is stopped or killed."""

    def __init__(self, events, hangs=False, obeys=True, on_event=lambda event: None):
        self.events, self.hangs, self.obeys, self.on_event = events, hangs, obeys, on_event
        self.stopped, self.killed = threading.Event(), threading.Event()
        self.over = threading.Event()

    def __iter__(self):
        for event in self.events:
            yield event
            self.on_event(event)
        if self.hangs:
            self.over.wait(20)
        if self.hangs and not self.killed.is_set():
            yield from [*look(60, 2.4), end(60, stopped=True)]

    def stop(self):
        self.stopped.set()
        if self.obeys:
            self.over.set()

    def kill(self):
        self.killed.set()
        self.over.set()


def paper():
    """A console without a terminal."""
    return Console(file=io.StringIO(), width=80)


def terminal(width=80):
    return Console(file=io.StringIO(), width=width, height=24, force_terminal=True, _environ={})


def show(run, plan=None, data=NAMES, console=None):
    """The record of a run, and all that was shown."""
    console = console or paper()
    found = finale.show(run, plan or Plan(), data, console)
    return found, console.file.getvalue()


def press_ctrl_c(event):
    if event["event"] == "step":
        signal.raise_signal(signal.SIGINT)


# plans


def test_the_limit_is_thirty_seconds_and_the_worker_gets_less():
    plan = Plan()
    assert plan.limit == 30.0
    assert plan.message(NAMES)["seconds"] == 30.0 - finale.START_UP


def test_with_a_number_of_steps_there_is_no_limit():
    plan = Plan(steps=5)
    assert plan.limit is None
    assert plan.message(NAMES)["seconds"] is None


@pytest.mark.parametrize(
    ("preset", "longest", "block_size", "batch_size"),
    [("microgpt", 40, 16, 32), ("gpt2", 15, 16, 32), ("gpt2", 40, 41, 12), ("gpt2", 500, 64, 8)],
)
def test_the_block_fits_the_data_as_far_as_the_model_can(preset, longest, block_size, batch_size):
    data = replace(NAMES, held_out=("x" * longest,))
    message = Plan(preset=preset).message(data)
    assert message["size"]["block_size"] == block_size
    assert message["batch_size"] == batch_size


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"preset": "gpt3"}, "no preset 'gpt3'"),
        ({"steps": 0}, "at least 1"),
        ({"seed": -1}, "negative"),
        ({"scalar": True, "preset": "gpt2"}, "leave out --preset"),
        ({"scalar": True, "resume": True}, "leave out --resume"),
    ],
)
def test_options_that_do_not_go_together_are_named(options, says):
    with pytest.raises(PlanError, match=says):
        Plan(**options)


def test_the_scalar_model_does_not_take_a_text():
    with pytest.raises(PlanError, match="running text"):
        Plan(scalar=True).message(replace(NAMES, kind=corpus.TEXT))


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"n": 0}, "at least 1"),
        ({"t": 0.0}, "above 0"),
        ({"t": math.nan}, "above 0"),
        ({"k": 0}, "top-k 0"),
        ({"p": 1.5}, "top-p 1.5"),
    ],
)
def test_a_knob_out_of_range_is_named(tmp_path, options, says):
    with pytest.raises(PlanError, match=says):
        SamplePlan(tmp_path / "x.npz", **options)


def test_the_checkpoint_written_last_is_taken(tmp_path):
    with pytest.raises(PlanError, match="make train"):
        finale.latest_checkpoint(tmp_path)
    for name in ("b.npz", "a.npz"):
        (tmp_path / name).write_bytes(b"")
        time.sleep(0.02)
    assert finale.latest_checkpoint(tmp_path).name == "a.npz"


# how a run ends


def test_a_run_that_ends_well_has_passed():
    found, _ = show(Script(GOOD))
    assert (found.status, found.steps, found.loss) == ("passed", 100, 2.05)
    assert found.samples == ("emma", "lirael")
    assert found.checkpoint == ".glassbox/checkpoints/microgpt.npz"


def test_a_model_that_has_learnt_nothing_has_not_passed():
    found, _ = show(Script([START, *look(0, 3.3), step(9, 3.3), *look(9, 3.31), end(9)]))
    assert found.status == "failed"


def test_an_error_is_shown_with_its_place():
    error = {"type": "ValueError", "message": "no [b]heads[/b]", "where": "exercises/ex06.py:41"}
    found, shown = show(Script([START, {"event": "error"} | error]))
    assert (found.status, found.steps, found.samples, found.checkpoint) == ("failed", 0, (), None)
    assert "ValueError  exercises/ex06.py:41" in shown
    assert "no [b]heads[/b]" in shown


def test_a_worker_that_ends_without_a_word_is_reported():
    found, shown = show(Script([START, step(5, 3.0)]))
    assert (found.status, found.steps, found.loss) == ("failed", 5, 3.0)
    assert "ended without a word" in shown


def test_ctrl_c_stops_saves_and_says_how_to_go_on():
    run = Script([START, *look(0, 3.3), step(40, 2.6)], hangs=True, on_event=press_ctrl_c)
    found, shown = show(run)
    assert run.stopped.is_set() and not run.killed.is_set()
    assert (found.status, found.steps, found.loss) == ("interrupted", 60, 2.4)
    assert "stopping" in shown and "train --resume" in shown


def test_ctrl_c_twice_ends_at_once():
    def twice(event):
        press_ctrl_c(event)
        time.sleep(0.3)
        press_ctrl_c(event)

    run = Script([START, *look(0, 3.3), step(40, 2.6)], hangs=True, obeys=False, on_event=twice)
    found, _ = show(run)
    assert run.killed.is_set()
    assert (found.status, found.steps) == ("interrupted", 40)


def test_ctrl_c_ends_the_program_again_after_the_run():
    before = signal.getsignal(signal.SIGINT)
    show(Script(GOOD))
    assert signal.getsignal(signal.SIGINT) is before


def test_a_model_that_hangs_is_ended_at_the_limit():
    run = Script([START, step(1, 3.2)], hangs=True, obeys=False)
    started = time.monotonic()
    found, shown = show(run, Plan(seconds=0.5))
    assert time.monotonic() - started < 3
    assert run.killed.is_set()
    assert found.status == "failed"
    assert "one step takes too long" in shown


def test_a_model_that_is_late_is_stopped_before_the_limit():
    run = Script([START, step(1, 3.2)], hangs=True)
    found, _ = show(run, Plan(seconds=5.0 * finale.START_UP / 8))
    assert run.stopped.is_set() and not run.killed.is_set()
    assert (found.status, found.loss) == ("passed", 2.4)


def test_a_fault_of_the_kit_is_not_swallowed():
    class Faulty(Script):
        def __iter__(self):
            raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match="a fault"):
        show(Faulty([]))


# what is shown


def test_plain_lines_are_ascii_and_say_everything():
    _, shown = show(Script(GOOD))
    assert shown.isascii() and "\x1b" not in shown
    assert "4,192 parameters" in shown
    assert "at step 0 it says: emma, qzx" in shown
    assert "1 of 2 are not in the data" in shown and "lirael" in shown


def test_a_loss_beyond_all_measure_is_shown_too():
    _, shown = show(Script([START, step(9, 1e12), *look(9, 1e12), end(9)]))
    assert "lost entirely" in shown


def test_a_run_stopped_before_its_first_step_is_shown_too():
    found, shown = show(Script([START, *look(0, 3.3), end(0, stopped=True)]), console=terminal())
    assert found.steps == 0 and "taking the first step" in shown


def test_the_models_are_ranked_by_their_loss():
    _, shown = show(Script(GOOD))
    table = shown[shown.index("Nats per character") :].splitlines()[1:7]
    assert [float(line.split("as if")[0].split()[-1]) for line in table] == [
        3.296,
        2.823,
        2.427,
        2.375,
        2.218,
        2.05,
    ]
    assert "your GPT" in table[-1] and "7.8 characters" in table[-1]


def test_microgpt_is_compared_on_its_own_data_only(tmp_path):
    names = [name for name, _ in finale.rivals(NAMES)]
    others = [name for name, _ in finale.rivals(replace(NAMES, path=tmp_path / "names.txt"))]
    assert names == [*others, "MicroGPT, 1,000 steps"]


def test_a_held_out_part_that_was_not_read_whole_is_admitted():
    events = [event | {"share": 0.042} if "share" in event else event for event in GOOD]
    assert "5 % of it read" in show(Script(events))[1]


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("seen", range(len(GOOD) + 1))
def test_the_picture_fits_at_every_moment(width, seen):
    story = Story(Plan(), NAMES, rivals=finale.rivals(replace(NAMES, train=NAMES.train[:50])))
    for event in GOOD[:seen]:
        story.add(event)
    story.stopping = True
    console = Console(file=io.StringIO(), width=200, _environ={})
    console.print(stage.picture(story, width))
    lines = console.file.getvalue().splitlines()
    assert len(lines) <= 24
    if width >= 80:
        assert max(map(len, lines), default=0) <= width


def test_the_picture_in_a_terminal_shows_bar_curve_and_samples():
    _, shown = show(Script(GOOD), console=terminal())
    assert "step 100 of about 100" in shown
    assert "━" in shown and "⠀" in shown
    assert "3-gram" in shown and "lirael" in shown


def test_no_color_gives_plain_lines(monkeypatch):
    console = Console(file=io.StringIO(), force_terminal=True, _environ={"NO_COLOR": "1"})
    assert isinstance(stage.choose(console), stage.Lines)
    assert isinstance(stage.choose(terminal()), stage.Stage)


def test_a_long_run_is_drawn_as_fast_as_a_short_one():
    story = Story(Plan(), NAMES)
    for event in [START, *(step(n, 2.5, 100_000) for n in range(100_000))]:
        story.add(event)
    started = time.perf_counter()
    stage.curve(story, 80)
    assert time.perf_counter() - started < 0.5


def test_what_a_terminal_would_obey_is_not_shown():
    evil = ["\x1b[2Jboo", "[bold]x[/bold]", "a\nb"]
    events = [START, *look(0, 3.3, evil), *look(9, 2.0, evil), end(9, evil)]
    _, shown = show(Script(events))
    assert "\x1b" not in shown and "boo" in shown and "[bold]x[/bold]" in shown


def test_samples_are_printed_as_they_come():
    console = paper()
    events = [{"event": "samples", "step": 3, "samples": [s]} for s in ("ada", "bo")]
    assert finale.show_samples(Script([*events, end(3)]), console) is True
    assert console.file.getvalue() == "ada\nbo\n"


def test_sampling_that_fails_says_why():
    console = paper()
    error = {"event": "error", "type": "TrainingError", "message": "no checkpoint", "where": None}
    assert finale.show_samples(Script([error]), console) is False
    assert "no checkpoint" in console.file.getvalue()
