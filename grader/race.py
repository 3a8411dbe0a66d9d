"""The race: the reference and its peers on the same work, in turns. Run by `bench`, in a process.

    python -m grader.race a,b1 ROUNDS SECONDS     rows of bench.Row as JSON, on stdout

Freed memory stays in the process (sandbox.keep_memory), as it does when a student's model trains;
PyTorch, in the same process, has the same gain from it.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from string import ascii_lowercase
from typing import Any

import numpy as np

from solutions import microgpt
from solutions.ex01_tokenizer import CharTokenizer
from solutions.ex02_value import Value
from solutions.ex06_attention import KVCache
from solutions.ex07_gpt import GPT, GPTConfig
from solutions.ex08_optim import AdamW, linear_decay
from solutions.ex10_sampling import generate

from . import sandbox
from .bench import SETTINGS, Row, Setting

LR, BETAS = 1e-3, (0.85, 0.99)  # MicroGPT has 0.01, where rounding soon grows
COMPARED = 10  # steps whose losses are compared; later, rounding has had time to grow
TOLERANCE = 1e-3  # of losses and logits in float32; another computation is further off
NAME = 6  # letters; the mean of data/first_names.txt
NO_TORCH = "no peer: PyTorch is not installed; `make bench` installs it"

Step = Callable[[], float]


class OtherWork(Exception):
    """Two contestants did not compute the same."""


def main(names: str, rounds: str, seconds: str) -> None:
    """Print the rows of these settings, separated by commas."""
    turn = partial(contest, rounds=int(rounds), seconds=float(seconds))
    threads = int(os.environ["OPENBLAS_NUM_THREADS"])
    sandbox.keep_memory()
    rows = []
    for setting in (SETTINGS[name] for name in names.split(",")):
        print(f"bench: {setting.words}, threads: {threads}", file=sys.stderr, flush=True)
        rows += [training(setting, threads, turn), sampling(setting, threads, turn)]
        if setting.name == "a":
            rows.append(scalar(setting, threads, int(rounds), float(seconds)))
    print(json.dumps([asdict(row) for row in rows]))


def contest(*steps: Step, rounds: int, seconds: float) -> list[list[float]]:
    """What each step takes, in seconds: a figure for every round, in which they take turns."""
    for step in steps:
        step()  # the first fetches memory that the others find
    gc.freeze()  # what stands by now is not for the collector to look through in somebody's turn
    figures: list[list[float]] = [[] for _ in steps]
    for _ in range(rounds):
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
    row = partial(Row, "training step", setting.name, threads, "ms")
    if not has_torch():
        return row(in_ms(*turn(ours)), note=NO_TORCH)
    step = torch_trainer(setting, weights, batch, threads)
    mine, other = turn(ours, partial(recorded, step, peers_losses))
    note = agreement(losses[:COMPARED], peers_losses[:COMPARED], "losses")
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


def agreement(mine: Any, other: Any, what: str) -> str:
    """How far both are apart at most, in words. OtherWork where that is too far to be rounding."""
    both = [np.asarray(values)[: min(len(mine), len(other))] for values in (mine, other)]
    apart = np.abs(both[0] - both[1]).max()
    if not apart <= TOLERANCE:  # nan too
        raise OtherWork(f"{what} differ by {apart:.1e}: this is not the same work")
    return f"{len(both[0])} {what} differ by at most {apart:.0e}"


def in_ms(seconds: list[float]) -> tuple[float, ...]:
    return tuple(1000 * s for s in seconds)


# sampling


def sampling(setting: Setting, threads: int, turn: Callable) -> Row:
    """Tokens a second: from one token to a full block, one at a time."""
    rng = np.random.default_rng(0)
    model = model_of(setting, rng)
    weights = {name: p.data for name, p in model.params.items()}
    T = setting.T
    row = partial(Row, "sampling", setting.name, threads, "tokens/s")
    ours = partial(generate, model, [0], T, rng)
    if not has_torch():
        (mine,) = turn(ours)
        return row(rate(T, mine), note=NO_TORCH)
    mine, other = turn(ours, partial(torch_generate, setting, weights, threads))
    ids = rng.integers(setting.V, size=T)
    note = agreement(logits(model, ids), torch_logits(setting, weights, ids), "rows of logits")
    return row(rate(T, mine), "PyTorch", rate(T, other), note)


def rate(tokens: int, seconds: list[float]) -> tuple[float, ...]:
    return tuple(tokens / s for s in seconds)


def logits(model: GPT, ids: np.ndarray) -> np.ndarray:
    """The logits after each token, one token shown at a time."""
    caches = [KVCache(model.config.block_size) for _ in range(model.config.n_layer)]
    return np.array([model(np.array([[i]]), caches).data[0, -1] for i in ids])


# the scalar model


def scalar(setting: Setting, threads: int, rounds: int, seconds: float) -> Row:
    """Milliseconds of a step on the same name: the array model's beside the scalar model's.

    The scalar model trains by itself, a step a round; after each, the array model has its turn. A
    longer name would flatter the array model, for which it is hardly more work.
    """
    tokenizer, doc = CharTokenizer(ascii_lowercase), ascii_lowercase[:NAME]
    ids = np.array(tokenizer.encode(doc))
    model, twin = (model_of(setting, np.random.default_rng(0)) for _ in range(2))
    weights = {name: values(p.data) for name, p in model.params.items()}
    batch = ids[None, :-1], ids[None, 1:]
    step, twins_step = trainer(model, *batch), trainer(twin, *batch)
    ours, theirs = [], []
    step()

    def on_step(number: int, loss: float) -> None:
        nonlocal start
        theirs.append(time.perf_counter() - start)
        ours.append(pace(step, seconds))
        start = time.perf_counter()

    start = time.perf_counter()
    losses = microgpt.train([doc], tokenizer, weights, rounds, on_step, LR, *BETAS)
    same = [twins_step(linear_decay(i, rounds, LR)) for i in range(rounds)]
    note = agreement(same, losses, "losses")
    note = f"one name of {NAME} letters; {note}"
    row = partial(Row, "training step", setting.name, threads, "ms")
    return row(in_ms(ours), "scalar model", in_ms(theirs), note)


def values(matrix: np.ndarray) -> list[list[Value]]:
    return [[Value(float(w)) for w in row] for row in matrix]


# the peer: the same in PyTorch eager, as its users write it


def has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None


def torch_trainer(setting: Setting, weights: dict, batch: np.ndarray, threads: int) -> Step:
    """The same training step from the same weights."""
    import torch

    torch.set_num_threads(threads)
    params = {name: torch.tensor(w, requires_grad=True) for name, w in weights.items()}
    optimizer = torch.optim.Adam(params.values(), LR, BETAS)
    ids, targets = (torch.tensor(array) for array in batch)

    def step() -> float:
        optimizer.zero_grad()
        logits = torch_gpt(setting, params, ids)
        loss = torch.nn.functional.cross_entropy(logits.view(-1, setting.V), targets.view(-1))
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def torch_generate(setting: Setting, weights: dict, threads: int) -> list[int]:
    """T new tokens after token 0, with a cache."""
    import torch

    torch.set_num_threads(threads)
    params = {name: torch.from_numpy(w) for name, w in weights.items()}
    shown, past, new = torch.zeros(1, 1, dtype=torch.long), [None] * setting.L, []
    with torch.inference_mode():
        for _ in range(setting.T):
            probs = torch.softmax(torch_gpt(setting, params, shown, past)[:, -1], -1)
            shown = torch.multinomial(probs, 1)
            new.append(shown.item())
    return new


def torch_logits(setting: Setting, weights: dict, ids: np.ndarray) -> np.ndarray:
    """The logits after each token, one token shown at a time."""
    import torch

    params, past = {name: torch.from_numpy(w) for name, w in weights.items()}, [None] * setting.L
    with torch.inference_mode():
        rows = [torch_gpt(setting, params, torch.tensor([[i]]), past)[0, -1] for i in ids]
        return torch.stack(rows).numpy()


def torch_gpt(setting: Setting, params: dict, ids: Any, past: list | None = None) -> Any:
    """The preset microgpt. `past` holds each layer's keys and values so far, and is extended."""
    import torch
    from torch.nn.functional import linear, relu, rms_norm, scaled_dot_product_attention

    (B, T), C = ids.shape, setting.C
    start = past[0][0].shape[2] if past and past[0] else 0
    x = params["wte"][ids] + params["wpe"][start : start + T]  # (B, T, C)
    x = rms_norm(x, (C,), eps=1e-5)
    for i in range(setting.L):
        w = {name: params[f"layer{i}.attn_w{name}"] for name in "qkvo"}
        y = rms_norm(x, (C,), eps=1e-5)
        q, k, v = (linear(y, w[n]).view(B, T, setting.H, -1).transpose(1, 2) for n in "qkv")
        if past is not None:
            k, v = (torch.cat(pair, 2) for pair in zip(past[i], (k, v))) if past[i] else (k, v)
            past[i] = k, v
        y = scaled_dot_product_attention(q, k, v, is_causal=T > 1)  # (B, H, T, D)
        x = x + linear(y.transpose(1, 2).reshape(B, T, C), w["o"])
        hidden = relu(linear(rms_norm(x, (C,), eps=1e-5), params[f"layer{i}.mlp_fc1"]))
        x = x + linear(hidden, params[f"layer{i}.mlp_fc2"])
    return linear(x, params["lm_head"])  # (B, T, V)


if __name__ == "__main__":
    main(*sys.argv[1:])
