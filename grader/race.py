"""The race: the reference and its peers on the same work, in turns. Run by `bench`, in a process.

    python -m grader.race a,b1 ROUNDS SECONDS     a row of bench.Row as JSON in each line of stdout

Freed memory stays in the process (sandbox.keep_memory), as it does when a student's model trains;
PyTorch, in the same process, has the same gain from it.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from statistics import median
from typing import Any

import numpy as np

from solutions.ex01_tokenizer import CharTokenizer
from solutions.ex06_attention import KVCache
from solutions.ex07_gpt import GPT, GPTConfig
from solutions.ex08_optim import AdamW, linear_decay
from solutions.ex10_sampling import generate

from . import language, limits, peers, sandbox, scalars
from .bench import SETTINGS, Row, Setting
from .course import ROOT
from .language import _, later
from .scalars import BETAS, LR

COMPARED = 10  # steps whose losses are compared; later, rounding has had time to grow
TOLERANCE = 1e-3  # of losses and logits in float32; another computation is further off
NAME = 6  # letters; the mean of data/first_names.txt
SCALAR_STEPS = 6  # in a round; of the first nothing is left over, so it is not timed
STEP = later("training step")

Step = Callable[[], float]


class OtherWork(Exception):
    """Two contestants did not compute the same."""


def main(names: str, rounds: str, seconds: str) -> None:
    """Print the rows of these settings, separated by commas."""
    language.speak(language.preferred())
    turn = partial(contest, rounds=int(rounds), seconds=float(seconds))
    threads = int(os.environ["OPENBLAS_NUM_THREADS"])
    sandbox.keep_memory()
    for setting in (SETTINGS[name] for name in names.split(",")):
        said = _("bench: {words}, threads: {threads}")
        print(said.format(words=setting.words, threads=threads), file=sys.stderr, flush=True)
        for row in rows(setting, threads, turn):
            print(json.dumps(asdict(row)), flush=True)


def rows(setting: Setting, threads: int, turn: Callable) -> Iterator[Row]:
    """All that is raced at a setting."""
    yield training(setting, threads, turn)
    yield from limit(setting, threads, turn)
    yield sampling(setting, threads, turn)
    yield flat(setting, threads, turn)
    if setting.name == "a":
        yield from scalar(setting, threads, **turn.keywords)


def contest(*steps: Step, rounds: int, seconds: float, freeze: bool = True) -> list[list[float]]:
    """What each step takes, in seconds: a figure for every round, in which they take turns."""
    for step in steps:
        step()  # the first fetches memory that the others find
    gc.freeze()  # what stands by now is not for the collector to look through in somebody's turn
    figures: list[list[float]] = [[] for _step in steps]
    for _round in range(rounds):
        for found, step in zip(figures, steps):
            found.append(pace(step, seconds))
    gc.unfreeze()
    return figures


def pace(step: Step, seconds: float) -> float:
    """Seconds a step, over as many as fit into `seconds`, one at least.

    The mean: on a busy machine a median would leave out what interrupts one step in three, but not
    what interrupts two in three, and so favour the shorter.
    """
    gc.collect()
    count, start = 0, time.perf_counter()
    while not count or time.perf_counter() - start < seconds:
        step()
        count += 1
    return (time.perf_counter() - start) / count


# training


def training(setting: Setting, threads: int, turn: Callable) -> Row:
    """Milliseconds of a training step: forward, backward, Adam."""
    rng = np.random.default_rng(0)
    model = model_of(setting, rng)
    batch = rng.integers(setting.V, size=(2, setting.batch, setting.T))
    weights = {name: p.data.copy() for name, p in model.params.items()}
    losses, peers_losses = [], []
    ours = partial(recorded, trainer(model, *batch), losses)
    row = partial(Row, STEP, setting.name, threads, "ms")
    if not peers.has_torch():
        return row(in_ms(*turn(ours)), note=peers.no_torch())
    step = peers.torch_trainer(setting, weights, batch, threads)
    mine, other = turn(ours, partial(recorded, step, peers_losses))
    note = agreement(losses[:COMPARED], peers_losses[:COMPARED], _("losses"))
    return row(in_ms(mine), "PyTorch", in_ms(other), note)


def model_of(setting: Setting, rng: np.random.Generator) -> GPT:
    sizes = {"n_embd": setting.C, "n_head": setting.H, "n_layer": setting.L}
    return GPT(GPTConfig.microgpt(setting.V, block_size=setting.T, **sizes), rng)


def trainer(model: GPT, ids: np.ndarray, targets: np.ndarray) -> Callable[..., float]:
    """A training step of the reference, which returns the loss."""
    optimizer = AdamW(model.params, LR, BETAS)

    def step(lr: float | None = None) -> float:
        optimizer.zero_grad()
        loss = model.loss(ids, targets)
        loss.backward()
        optimizer.step(lr)
        return loss.data.item()

    return step


def recorded(step: Step, losses: list[float]) -> None:
    losses.append(step())


def agreement(mine: Any, other: Any, what: str, tolerance: float = TOLERANCE) -> str:
    """How far both are apart at most, in words. OtherWork where that is too far to be rounding."""
    both = [np.asarray(values)[: min(len(mine), len(other))] for values in (mine, other)]
    apart = np.abs(both[0] - both[1]).max()
    if not apart <= tolerance:  # nan too
        words = _("{what} differ by {apart:.1e}: this is not the same work")
        raise OtherWork(words.format(what=what, apart=apart))
    words = _("{n} {what} differ by at most {apart:.0e}")
    return words.format(n=len(both[0]), what=what, apart=apart)


def in_ms(seconds: list[float]) -> tuple[float, ...]:
    return tuple(1000 * s for s in seconds)


# the machine's limit


def limit(setting: Setting, threads: int, turn: Callable) -> Iterator[Row]:
    """The step's products alone, and the bytes that it moves at least, as shares of the step."""
    rng = np.random.default_rng(0)
    model = model_of(setting, rng)
    batch = rng.integers(setting.V, size=(2, setting.batch, setting.T))
    flops = limits.flops(setting)
    size = limits.traffic(partial(model.loss, *batch), model.params)
    alone = limits.sgemm(setting), limits.stream(size, threads)
    step, products, stream = turn(trainer(model, *batch), *alone)
    shares = (
        (later("products by sgemm alone"), products, flops / 1e9, "GFLOP"),
        (later("bytes as a stream"), stream, size / 1e9, "GB"),
    )
    for what, seconds, amount, unit in shares:
        words = _("{amount:.3g} {unit}: {alone:.3g} {unit}/s alone, {step:.3g} in the step")
        rates = {"alone": amount / np.median(seconds), "step": amount / np.median(step)}
        note = words.format(amount=amount, unit=unit, **rates)
        yield Row(what, setting.name, threads, "ms", in_ms(seconds), STEP, in_ms(step), note)


# sampling


def sampling(setting: Setting, threads: int, turn: Callable) -> Row:
    """Tokens a second: from one token to a full block, one at a time."""
    rng = np.random.default_rng(0)
    model = model_of(setting, rng)
    weights = {name: p.data for name, p in model.params.items()}
    T = setting.T
    row = partial(Row, later("sampling"), setting.name, threads, "tokens/s")
    ours = partial(generate, model, [0], T, rng)
    if not peers.has_torch():
        (mine,) = turn(ours)
        return row(rate(T, mine), note=peers.no_torch())
    mine, other = turn(ours, partial(peers.torch_generate, setting, weights, threads))
    ids = rng.integers(setting.V, size=T)
    rows = logits(model, ids), peers.torch_logits(setting, weights, ids)
    return row(rate(T, mine), "PyTorch", rate(T, other), agreement(*rows, _("rows of logits")))


def rate(tokens: int, seconds: list[float]) -> tuple[float, ...]:
    return tuple(tokens / s for s in seconds)


def logits(model: GPT, ids: np.ndarray) -> np.ndarray:
    """The logits after each token, one token shown at a time."""
    caches = [KVCache(model.config.block_size) for _layer in range(model.config.n_layer)]
    return np.array([model(np.array([[i]]), caches).data[0, -1] for i in ids])


class Clock:
    """A generator of random numbers that notes when it is asked: once for each token."""

    def __init__(self) -> None:
        self.rng, self.times = np.random.default_rng(0), []

    def random(self) -> float:
        self.times.append(time.perf_counter())
        return self.rng.random()


def flat(setting: Setting, threads: int, turn: Callable) -> Row:
    """Milliseconds of a token in the last quarter of a block, beside the first quarter's."""
    T, quarter = setting.T, setting.T // 4
    model = model_of(setting, np.random.default_rng(0))
    spent: list[np.ndarray] = []

    def step() -> None:
        clock = Clock()
        generate(model, [0], T, clock)
        spent.append(np.diff(clock.times))  # of the tokens 2 to T

    ((*rounds,),) = turn(step)
    each = np.array_split(np.array(spent[1:]), len(rounds))  # blocks of about each round
    first, last = (
        in_ms([part[:, place].mean() for part in each])
        for place in (slice(0, quarter - 1), slice(-quarter, None))
    )
    words = _("tokens {a} to {T} of a block beside 2 to {b}")
    note = words.format(a=T - quarter + 1, T=T, b=quarter)
    return Row(
        later("a late token"), setting.name, threads, "ms", last, later("an early one"), first, note
    )


# the scalar model


def scalar(setting: Setting, threads: int, rounds: int, seconds: float) -> Iterator[Row]:
    """Milliseconds of a step on the same name: arrays, our scalars, and scalars as published.

    The scalar models train in processes of their own, a few steps in each round. A longer name
    would flatter the array model, for which it is hardly more work.
    """
    ids = np.array(CharTokenizer(scalars.LETTERS).encode(scalars.LETTERS[:NAME]))
    model, twin = (model_of(setting, np.random.default_rng(0)) for _model in range(2))
    for name, weights in scalars.weights().items():
        model.params[name].data[...] = twin.params[name].data[...] = weights
    step, twins_step = (trainer(m, ids[None, :-1], ids[None, 1:]) for m in (model, twin))
    step()
    arrays, ours, published = [], [], []
    for _round in range(rounds):
        took, losses = alone("ours")
        ours.append(took)
        took, their_losses = alone("published")
        published.append(took)
        arrays.append(pace(step, seconds))
    rates = [linear_decay(i, SCALAR_STEPS, LR) for i in range(SCALAR_STEPS)]
    note = agreement([twins_step(lr) for lr in rates], losses, _("losses"))
    exact = agreement(losses, their_losses, _("losses"), 1e-9)
    name = _("one name of {n} letters; {note}").format
    row = partial(Row, STEP, setting.name, threads, "ms")
    yield row(in_ms(arrays), later("scalar model"), in_ms(ours), name(n=NAME, note=note))
    yield row(in_ms(arrays), later("as published"), in_ms(published), name(n=NAME, note=note))
    row = partial(Row, later("scalar model's step"), setting.name, threads, "ms")
    yield row(in_ms(ours), later("as published"), in_ms(published), name(n=NAME, note=exact))


def alone(who: str) -> tuple[float, list[float]]:
    """Seconds of a step of a scalar model, the median of some, and the losses of them all."""
    command = [sys.executable, "-m", "grader.scalars", who, str(NAME), str(SCALAR_STEPS)]
    ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    seconds, losses = json.loads(ran.stdout)
    return median(seconds[1:]), losses


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:  # bench says so
        sys.exit(130)
