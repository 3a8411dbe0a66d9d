"""Train the student's whole model live, and show it learning.

The checker's half: what to train (`Plan`), the events of the run as they come in (`Story`), and
`show`, which follows a run to its end. The run itself happens in the worker, in training.py; here
it is anything that can be iterated for its events and told to stop:

    for event in run    the dicts that training.py describes, the last of them "end" or "error";
                        an error has type, message and where: "exercises/ex05.py:41" or None
    run.stop()          end soon, and save; the events go on until "end"
    run.kill()          end now, with no further event
"""

from __future__ import annotations

import json
import math
import queue
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, Protocol

from rich.console import Console

from . import curves, ngrams, stage
from .corpus import DOCUMENTS, Corpus
from .course import ROOT
from .language import _, later
from .results import FAILED, PASSED, Finale

NAMES = ROOT / "data" / "first_names.txt"
REFERENCE = ROOT / "data" / "microgpt_reference.json"
CHECKPOINTS = ROOT / ".glassbox" / "checkpoints"

INTERRUPTED = "interrupted"

POSITIONS = 512  # of all documents or windows of a batch together: 32 names of 16
MICROGPT_BLOCK, LARGEST_BLOCK = 16, 64
START_UP = 2.0  # seconds of the limit that are left for starting the worker and for the last words
TICK = 0.1  # seconds between two looks at the clock and at the keyboard

COUNTING = (
    later("guessing: all are alike"),
    later("1-gram: single ones counted"),
    later("2-gram: pairs counted"),
    later("3-gram: triples counted"),
)
OVER = object()  # no more events
TOO_SLOW = later(
    "{limit:.0f} seconds were over after {steps:,} steps, and it was not done: one step takes too "
    "long. With a number of steps there is no limit: python -m grader train --steps 100"
)

# Found by trying: on one core, 25 seconds of either take the held-out loss on the names below 2.1.
RECIPES: dict[str, dict[str, Any]] = {
    "microgpt": {
        "size": {},
        "learning_rate": 0.01,
        "betas": (0.85, 0.99),
        "weight_decay": 0.0,
        "schedule": "linear_decay",
    },
    "gpt2": {
        "size": {"n_layer": 2, "n_embd": 32},
        "learning_rate": 0.01,
        "betas": (0.9, 0.95),
        "weight_decay": 0.01,
        "schedule": "warmup_cosine",
    },
}


class PlanError(Exception):
    """Options that do not go together; the message says which, and what to do."""


class Run(Protocol):
    """A training run in the worker, from outside."""

    def __iter__(self) -> Iterator[dict[str, Any]]: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


@dataclass(frozen=True)
class Plan:
    """What to train, on what, for how long.

    steps     how many in all; None: as many as fit into `seconds`, whatever the model's speed
    seconds   the limit of the whole run where no number of steps is given
    resume    go on from the checkpoint
    record    keep the weights of some moments, for the glass box
    target    whose model it is; `borrowed`: with pieces of the reference
    """

    data: Path = NAMES
    preset: str = "microgpt"
    scalar: bool = False
    steps: int | None = None
    seconds: float = 30.0
    seed: int = 0
    resume: bool = False
    record: bool = False
    target: str = "exercises"
    borrowed: bool = False

    def __post_init__(self) -> None:
        if self.preset not in RECIPES:
            raise PlanError(
                _("there is no preset {preset!r}: {all}").format(
                    preset=self.preset, all=" or ".join(RECIPES)
                )
            )
        if self.steps is not None and self.steps < 1:
            raise PlanError(_("{steps} steps: it must be at least 1").format(steps=self.steps))
        if self.seed < 0:
            raise PlanError(_("seed {seed}: it must not be negative").format(seed=self.seed))
        if self.scalar and self.preset != "microgpt":
            raise PlanError(_("the scalar model has no preset but microgpt: leave out --preset"))
        if self.scalar and self.resume:
            raise PlanError(_("a run of the scalar model cannot be resumed: leave out --resume"))
        if self.scalar and self.record:
            raise PlanError(_("the glass box looks into the array model: leave out --record"))

    @property
    def limit(self) -> float | None:
        """Seconds for everything; None where the number of steps is given."""
        return None if self.steps else self.seconds

    @property
    def checkpoint(self) -> Path:
        folder = checkpoints(self.target, self.borrowed)
        return folder / f"{'scalar' if self.scalar else self.preset}.npz"

    def block_size(self, corpus: Corpus) -> int:
        """MicroGPT's own; of gpt2 as large as the data needs."""
        if self.preset == "microgpt":
            return MICROGPT_BLOCK
        needed = corpus.longest + 1 if corpus.kind == DOCUMENTS else LARGEST_BLOCK
        return min(needed, LARGEST_BLOCK)

    def message(self, corpus: Corpus) -> dict[str, Any]:
        """What the worker is told: plain data. PlanError where plan and data do not go together."""
        if self.scalar and corpus.kind != DOCUMENTS:
            raise PlanError(
                _(
                    "the scalar model learns from short lines, and {path} is a running text: "
                    "leave out --scalar"
                ).format(path=corpus.path)
            )
        recipe = RECIPES[self.preset]
        block_size = self.block_size(corpus)
        return recipe | {
            "data": str(self.data.resolve()),
            "checkpoint": str(self.checkpoint),
            "preset": self.preset,
            "scalar": self.scalar,
            "size": recipe["size"] | {"block_size": block_size},
            "batch_size": POSITIONS // block_size,
            "steps": self.steps,
            "seconds": None if self.limit is None else max(1.0, self.limit - START_UP),
            "seed": self.seed,
            "resume": self.resume,
            "record": self.record,
        }


@dataclass(frozen=True)
class SamplePlan:
    """What to draw from a checkpoint: `n` documents, or pieces of a text of `length` characters."""

    checkpoint: Path
    n: int = 20
    seed: int = 0
    t: float = 0.7
    k: int | None = None
    p: float | None = None
    prompt: str = ""
    length: int = 400

    def __post_init__(self) -> None:
        if self.n < 1:
            raise PlanError(_("{n} samples: it must be at least 1").format(n=self.n))
        if not self.t > 0:
            raise PlanError(_("temperature {t}: it must be above 0").format(t=self.t))
        if self.k is not None and self.k < 1:
            raise PlanError(_("top-k {k}: it must be at least 1").format(k=self.k))
        if self.p is not None and not 0 < self.p <= 1:
            raise PlanError(_("top-p {p}: it must be above 0 and at most 1").format(p=self.p))

    def message(self) -> dict[str, Any]:
        """What the worker is told: plain data."""
        return asdict(self) | {"checkpoint": str(self.checkpoint)}


def checkpoints(target: str = "exercises", borrowed: bool = False) -> Path:
    """The folder of a target's checkpoints: each saves in a way of its own."""
    folder = CHECKPOINTS if target == "exercises" else CHECKPOINTS / target
    return folder / "borrowed" if borrowed else folder


def latest_checkpoint(folder: Path | None = None) -> Path:
    """The checkpoint written last. PlanError where there is none."""
    found = sorted((folder or CHECKPOINTS).glob("*.npz"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise PlanError(_("no model has been trained yet: make train"))
    return found[-1]


def shown_path(path: Path) -> str:
    """The path from the course's root, where it is in there."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


@dataclass
class Story:
    """What has happened in a run so far."""

    plan: Plan
    corpus: Corpus
    start: dict[str, Any] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    samples: list[dict[str, Any]] = field(default_factory=list)
    end: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=dict)
    stopping: bool = False
    curves: tuple[str, ...] = ()  # the files in which they were written
    rivals: tuple[tuple[str, float], ...] = ()

    def add(self, event: dict[str, Any]) -> None:
        """Take in one event of the run."""
        match event["event"]:
            case "start":
                self.start = event
            case "step":
                self.steps.append(event)
            case "evaluation":
                self.evaluations.append(event)
            case "samples":
                self.samples.append(event)
            case "end":
                self.end = event
            case "error":
                self.error = event

    @property
    def step(self) -> int:
        """How many steps were taken."""
        last = [events[-1]["step"] for events in (self.steps, self.samples) if events]
        return max(last, default=0)

    @property
    def loss(self) -> float:
        """The newest loss on what is held out, else the newest in training, else 0."""
        newest = (self.evaluations or self.steps or [{"loss": 0.0}])[-1]
        return newest["loss"]

    @property
    def seconds_left(self) -> float:
        """How long the steps to come will take, at the pace of those before."""
        last = self.steps[-1]
        taken = last["step"] - self.start["step"]
        return (last["total"] - last["step"]) * last["seconds"] / taken if taken else 0.0

    @property
    def uniform(self) -> float:
        """The loss of guessing every character alike."""
        return math.log(len(self.corpus.chars) + 1)

    def result(self, seconds: float) -> Finale:
        """The record of the run. It has passed if it came to its end and has learnt anything."""
        learnt = bool(self.end) and self.loss < self.uniform
        status = INTERRUPTED if self.stopping else PASSED if learnt else FAILED
        samples = self.end.get("samples") or (self.samples[-1]["samples"] if self.samples else [])
        checkpoint = shown_path(self.plan.checkpoint) if self.samples else None
        return Finale(status, self.step, self.loss, seconds, tuple(samples), checkpoint)


def show(run: Run, plan: Plan, corpus: Corpus, console: Console) -> Finale:
    """Follow `run` to its end on `console`, and say how it went.

    Ctrl-C once ends the run and saves it; twice, it is ended as it stands. A run that is not over
    at its limit of time is ended in the same way.
    """
    story = Story(plan, corpus)
    started = monotonic()
    with ThreadPoolExecutor(1) as beside:
        counting = beside.submit(rivals, corpus)
        with stage.choose(console) as screen, _ctrl_c() as presses:
            for event in _follow(run, story, presses, plan.limit):
                if event:
                    story.add(event)
                if counting.done():
                    story.rivals = counting.result()
                screen.draw(story)
        story.rivals = counting.result()
    if story.steps:
        files = curves.write(plan.checkpoint, story.steps, story.evaluations)
        story.curves = tuple(map(shown_path, files))
    finale = story.result(monotonic() - started)
    stage.curtain(story, finale, console)
    return finale


def _follow(
    run: Run, story: Story, presses: list[int], limit: float | None
) -> Iterator[dict[str, Any] | None]:
    """The events of `run`, None where a tick goes by without one; the run is over in time."""
    inbox: queue.Queue[Any] = queue.Queue()
    threading.Thread(target=_pump, args=(run, inbox), daemon=True).start()
    end = math.inf if limit is None else monotonic() + limit
    stopped = False
    while True:
        try:
            event = inbox.get(timeout=TICK)
        except queue.Empty:
            event = None
        if isinstance(event, BaseException):
            raise event
        if event is OVER:
            if not story.end and not story.error:
                yield _error(_("the process that trains the model ended without a word"))
            return
        yield event
        story.stopping = bool(presses)
        if len(presses) > 1 or monotonic() > end:
            run.kill()
            if not presses:
                yield _error(_(TOO_SLOW).format(limit=limit, steps=story.step))
            return
        if not stopped and (presses or monotonic() > end - START_UP / 2):
            run.stop()
            stopped = True


def _pump(run: Run, inbox: queue.Queue[Any]) -> None:
    """Put every event into the inbox, then OVER; or what went wrong on the way."""
    try:
        for event in run:
            inbox.put(event)
        inbox.put(OVER)
    except BaseException as error:
        inbox.put(error)


@contextmanager
def _ctrl_c() -> Iterator[list[int]]:
    """Ctrl-C does not end the program within; it is noted in the list that this gives."""
    presses: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield presses  # only the main thread hears signals, or may say what they do
        return
    before = signal.signal(signal.SIGINT, lambda *_: presses.append(1))
    try:
        yield presses
    finally:
        signal.signal(signal.SIGINT, before)


def _error(message: str) -> dict[str, Any]:
    return {"event": "error", "type": None, "message": message, "where": None}


def rivals(corpus: Corpus) -> tuple[tuple[str, float], ...]:
    """What to compare with: each model's name, and its nats per character on what is held out."""
    split = corpus.train, corpus.held_out
    found = [(_(name), ngrams.loss(*split, n)) for n, name in enumerate(COUNTING)]
    if corpus.path.resolve() == NAMES:
        found.append((_("MicroGPT, 1,000 steps"), microgpt_loss()))
    return tuple(found)


def microgpt_loss() -> float:
    """The mean of the last 100 losses that MicroGPT printed, each on one name, in training."""
    losses = json.loads(REFERENCE.read_text("utf-8"))["losses"][-100:]
    return sum(losses) / len(losses)


def show_samples(run: Run, console: Console) -> bool:
    """Print the samples of a run of `sample` as they come. -> whether it came to its end"""
    with _ctrl_c() as presses:
        for event in run:
            if event["event"] == "samples":
                stage.print_samples(event["samples"], console)
            elif event["event"] == "error":
                stage.print_error(event, console)
                return False
            if presses:
                run.stop()
    return not presses
