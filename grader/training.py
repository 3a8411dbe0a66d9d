"""Train a model and let it speak, with the functions of whoever wrote it. Runs in the worker.

    train(course, plan, corpus, emit)     the finale and the command `train`
    sample(course, plan, emit)            the command `sample`

`course` is the namespace of definitions that learner.py names, with linear_decay and warmup_cosine;
`plan` is plain data, made by finale.py. What happens is told in plain dicts, `emit(event)`:

    start        parameters, vocab, step: 0, or where a resumed run goes on
    step         step, total as it stands, seconds, and since the last such event: loss, its mean,
                 and tokens_a_second that were learnt from; of the last step alone: learning_rate,
                 and gradient_norm, over all weights. None: unknown
    evaluation   step, loss on what is held out, in nats per character, share of it that was read
    samples      step, samples
    end          step, seconds, samples, checkpoint, stopped

`step` counts steps taken. From the moment that emit returns False the run ends as soon as it can,
and is saved. What the student's code raises passes through; what goes wrong silently is raised
here, as a TrainingError.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from .corpus import DOCUMENTS, Corpus
from .learner import ArrayLearner, Knobs, ScalarLearner, TrainingError, read_card, save, set_aside
from .xray import record

Emit = Callable[[dict[str, Any]], Any]

TELL_EVERY = 0.05  # seconds between two step events
BREATH = 0.2  # seconds of training between two looks at the clock
FIRST_GUESS = 1000  # steps, until the first has told the model's speed
TRAINING_SHARE = 0.8  # of the time; the rest is for the last evaluation, samples and saving
LEARNING_SHARE = 0.85  # of the training time of the scalar model; the rest is for looks in between
LOOKS = (1 / 64, 1 / 16, 1 / 4, 1 / 2, 3 / 4)  # shares of the run: it learns most at the beginning
EVALUATE_EVERY, EVALUATION = 2.0, 0.03  # seconds between short evaluations, and for each
EVALUATION_SHARE = 0.02  # of the time, at most, where a single batch takes longer
LOOK_SAMPLES, END_SAMPLES = 6, 24
KNOBS = Knobs(t=0.7)


class Stop(BaseException):
    """Leaves MicroGPT's loop. Being no Exception, it is not held up by an `except Exception`."""


@dataclass
class Meter:
    """How many tokens a second are learnt from, since it was last read."""

    tokens: int = 0
    since: float = field(default_factory=perf_counter)

    def counted(self, batches: Iterator[Any]) -> Iterator[Any]:
        """The batches, with their tokens counted."""
        for ids, targets in batches:
            self.tokens += int((np.asarray(targets) >= 0).sum())
            yield ids, targets

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Within, no time passes: the model looks about, and learns nothing."""
        started = perf_counter()
        yield
        self.since += perf_counter() - started

    def read(self) -> float | None:
        """Tokens a second; None where none was counted."""
        now = perf_counter()
        tokens, seconds = self.tokens, now - self.since
        self.tokens, self.since = 0, now
        return tokens / seconds if tokens and seconds > 0 else None


@dataclass
class Run:
    """One training run: when it looks, what it tells, when it is over."""

    learner: Any
    plan: dict[str, Any]
    corpus: Corpus
    emit: Emit
    total: int
    started: float = field(default_factory=perf_counter)
    stopped: bool = False
    told: float = -math.inf
    losses: list[float] = field(default_factory=list)  # since the last step event
    loss: float = math.nan
    meter: Meter = field(default_factory=Meter)
    rate: float | None = None
    recorder: record.Recorder | None = None
    evaluated: float = -math.inf  # when, by `elapsed`
    evaluation_seconds: float = 0.0

    @property
    def elapsed(self) -> float:
        return perf_counter() - self.started

    @property
    def time_to_train(self) -> float:
        seconds = self.plan["seconds"]
        return math.inf if seconds is None else seconds * TRAINING_SHARE

    def tell(self, event: str, **facts: Any) -> None:
        if self.emit({"event": event, "step": self.learner.step, **facts}) is False:
            self.stopped = True

    def start(self) -> None:
        """Say what is about to learn, and how it does before it has."""
        if not self.plan["resume"]:
            set_aside(Path(self.plan["checkpoint"]))
        vocab = self.learner.tokenizer.vocab_size
        self.tell("start", parameters=self.learner.parameters, vocab=vocab)
        self.looks = [share for share in LOOKS if share * self.total > self.learner.step]
        if self.plan["record"]:
            path = record.beside(Path(self.plan["checkpoint"]))
            self.recorder = record.Recorder.resumed(path, self.learner.step)
            self.recorder.keep_if_due(self.learner.model, self.learner.step, self.total)
        if self.learner.step == 0:
            self.look()
        self.meter.read()

    def on_step(self, step: int, loss: float) -> None:
        """What `train` calls after each step. TrainingError for a loss that is no number."""
        self.losses.append(finite(float(loss), step))
        if self.recorder:
            self.recorder.keep_if_due(self.learner.model, step + 1, self.total)
        if self.elapsed - self.told > TELL_EVERY:
            self.tell_step(step + 1)

    def tell_step(self, step: int) -> None:
        if self.losses:
            self.loss = sum(self.losses) / len(self.losses)
            self.losses.clear()
        self.tell(
            "step",
            step=step,
            total=self.total,
            loss=self.loss,
            seconds=self.elapsed,
            learning_rate=self.rate,
            gradient_norm=self.learner.gradient_norm(),
            tokens_a_second=self.meter.read(),
        )
        self.told = self.elapsed

    def evaluate_if_due(self) -> None:
        """A short evaluation now and then, however slow the model is."""
        pause = max(EVALUATE_EVERY, self.evaluation_seconds / EVALUATION_SHARE)
        if self.elapsed - self.evaluated < pause:
            return
        with self.meter.stopped():
            started = perf_counter()
            loss, read = self.held_out_loss(EVALUATION)
            self.tell("evaluation", loss=loss, share=read)
            self.evaluated = self.elapsed
            self.evaluation_seconds = perf_counter() - started

    def look_if_due(self) -> None:
        due = [share for share in self.looks if share * self.total <= self.learner.step]
        if due and self.learner.step < self.total:
            self.looks = self.looks[len(due) :]
            with self.meter.stopped():
                self.look()
        else:
            self.evaluate_if_due()

    def look(self, n: int = LOOK_SAMPLES, share: float = 0.01) -> list[str]:
        """Its loss on what is held out, and `n` samples, each in `share` of the time; saved."""
        seconds = share * (self.plan["seconds"] or 30.0)
        loss, read = self.held_out_loss(seconds)
        self.tell("evaluation", loss=loss, share=read)
        self.evaluated = self.elapsed
        samples = self.samples(seconds, n)
        self.tell("samples", samples=samples)
        self.save()
        return samples

    def held_out_loss(self, seconds: float) -> tuple[float, float]:
        """Nats per character, and the share of what is held out that there was time to read."""
        end = perf_counter() + seconds
        total, read = 0.0, 0
        for loss, n in self.learner.losses(self.corpus.held_out, self.plan["batch_size"]):
            total, read = total + loss * n, read + n
            if perf_counter() > end:
                break
        finite(total, self.learner.step)
        return total / read, read / self.corpus.held_out_targets(self.learner.block_size)

    def samples(self, seconds: float, n: int) -> list[str]:
        """`n` samples (of a text fewer), or what there is time for; the same draws each time."""
        n = n if self.corpus.kind == DOCUMENTS else n // 6
        end = perf_counter() + seconds
        rng = random.Random(self.plan["seed"])
        samples = [self.learner.speak(rng, KNOBS)]
        while len(samples) < n and perf_counter() < end:
            samples.append(self.learner.speak(rng, KNOBS))
        return samples

    def save(self) -> None:
        card = {"data": str(self.corpus.path), "kind": self.corpus.kind, "chars": self.corpus.chars}
        card |= {"scalar": self.plan["scalar"], "seed": self.plan["seed"]}
        card |= {"step": self.learner.step, "total": self.total, "preset": self.plan["preset"]}
        save(self.learner, Path(self.plan["checkpoint"]), card)
        if self.recorder:
            self.recorder.save()

    def end(self) -> None:
        """The last and longest look, and the word that it is over."""
        if not self.stopped:
            self.total = self.learner.step  # by the clock it may have become one less or more
        if self.losses or math.isfinite(self.loss):  # any step was taken at all
            self.tell_step(self.learner.step)
            if self.recorder:
                self.recorder.keep(self.learner.model, self.learner.step)
        samples = self.look(END_SAMPLES, share=0.05)
        checkpoint = self.plan["checkpoint"]
        facts = {"samples": samples, "checkpoint": checkpoint, "stopped": self.stopped}
        self.tell("end", seconds=self.elapsed, **facts)


def finite(loss: float, step: int) -> float:
    """The loss itself. TrainingError where it is no number, or infinite."""
    if math.isfinite(loss):
        return loss
    raise TrainingError(
        f"the loss is {loss} at step {step}: look for a 0 / 0, a log of 0, an exp of something "
        "large, or a wrong gradient that makes the weights grow"
    )


def train(course: Any, plan: dict[str, Any], corpus: Corpus, emit: Emit) -> None:
    """Train as planned: the student's GPT on arrays, or the one on a page."""
    (_train_scalar if plan["scalar"] else _train_arrays)(course, plan, corpus, emit)


def _train_arrays(course: Any, plan: dict[str, Any], corpus: Corpus, emit: Emit) -> None:
    """Steps in small portions; after each the clock says how many there will be in all.

    So the learning rate ends when the time does, whatever the model's speed.
    """
    learner, plan = _begin(course, plan, corpus)
    wished = plan["steps"]
    run = Run(learner, plan, corpus, emit, total=wished or FIRST_GUESS)
    batches = run.meter.counted(learner.batches(corpus.train, plan["batch_size"], plan["seed"]))
    for _ in range(learner.step):  # a resumed run goes on with the batch after the last
        next(batches)

    def schedule(step: int) -> float:
        rate = _learning_rate(course, plan, step, run.total)
        run.rate = float(rate)
        return rate

    run.start()
    first, training, portion = learner.step, 0.0, 1
    while learner.step < run.total and not run.stopped:
        started = perf_counter()
        learner.learn(batches, portion, schedule, run.on_step)
        training += perf_counter() - started
        pace = training / (learner.step - first)  # seconds a step
        run.look_if_due()
        run.total = _total(learner.step, wished, run.time_to_train - run.elapsed, pace)
        portion = max(1, min(int(BREATH / pace), run.total - learner.step))
    run.end()


def _total(step: int, wished: int | None, seconds: float, pace: float) -> int:
    """The steps of the whole run: what is wished for, or what fits into the `seconds` left."""
    if math.isinf(seconds):
        return wished
    fitting = step + max(0, int(seconds / pace))
    return fitting if wished is None else min(fitting, wished)


def _learning_rate(course: Any, plan: dict[str, Any], step: int, total: int) -> float:
    peak = plan["learning_rate"]
    if plan["schedule"] == "linear_decay":
        return course.linear_decay(step, total, peak)
    return course.warmup_cosine(step, min(100, total // 10), total, peak, 0.0)


def _begin(
    course: Any, plan: dict[str, Any], corpus: Corpus
) -> tuple[ArrayLearner, dict[str, Any]]:
    """A new learner; or the checkpoint's, with the seed and the number of steps of its run."""
    if not plan["resume"]:
        return ArrayLearner.new(course, plan, corpus), plan
    card = read_card(Path(plan["checkpoint"]))
    if (card["chars"], card["kind"]) != (corpus.chars, corpus.kind):
        raise TrainingError(
            f"{plan['checkpoint']} has learnt from {card['data']}, and {corpus.path} has other "
            f"characters; go on with --data {card['data']}, or start anew without --resume"
        )
    learner = ArrayLearner.load(course, plan["checkpoint"], card)
    total = plan["steps"] or card["total"]
    if learner.step >= total:
        raise TrainingError(
            f"that run has taken {learner.step:,} steps of {total:,}. To go on, say how many it "
            f"shall have in all, for example --steps {2 * learner.step}"
        )
    return learner, plan | {"seed": card["seed"], "steps": total}


def _train_scalar(course: Any, plan: dict[str, Any], corpus: Corpus, emit: Emit) -> None:
    """MicroGPT's loop must know the number of steps first: one on a copy tells its speed."""
    learner = ScalarLearner.new(course, plan, corpus)
    run = Run(learner, plan, corpus, emit, total=plan["steps"] or 1)
    if plan["steps"] is None:
        ScalarLearner.new(course, plan, corpus).learn(corpus.train, 1, lambda step, loss: None)
        run.total = max(1, int(run.time_to_train * LEARNING_SHARE / run.elapsed))

    def on_step(step: int, loss: float) -> None:
        run.on_step(step, loss)
        run.look_if_due()
        if run.stopped or run.elapsed > run.time_to_train:
            raise Stop

    run.start()
    with suppress(Stop):
        learner.learn(corpus.train, run.total, on_step)
    run.end()


def sample(course: Any, plan: dict[str, Any], emit: Emit) -> None:
    """Draw `n` samples from a checkpoint, one samples event each; `prompt` is how they begin.

    plan: checkpoint, n, seed, t, k, p, prompt, length (of a text).
    """
    started = perf_counter()
    card = read_card(Path(plan["checkpoint"]))
    strange = sorted(set(plan["prompt"]) - set(card["chars"]))
    if strange:
        raise TrainingError(
            f"the prompt has {strange[0]!r}, which the model has never seen in {card['data']}"
        )
    kind = ScalarLearner if card["scalar"] else ArrayLearner
    learner = kind.load(course, plan["checkpoint"], card)
    rng, knobs = random.Random(plan["seed"]), Knobs(plan["t"], plan["k"], plan["p"])
    samples: list[str] = []
    stopped = False
    while len(samples) < plan["n"] and not stopped:
        samples.append(learner.speak(rng, knobs, plan["prompt"], plan["length"]))
        stopped = emit({"event": "samples", "step": learner.step, "samples": samples[-1:]}) is False
    facts = {"samples": samples, "checkpoint": plan["checkpoint"], "stopped": stopped}
    emit({"event": "end", "step": learner.step, "seconds": perf_counter() - started, **facts})
