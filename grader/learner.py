"""A model as a training run sees it: what learns, speaks and is saved, of arrays or of numbers.

`ArrayLearner` drives the GPT of exercises 3 to 10, `ScalarLearner` the one on a page, microgpt.py;
both only through the definitions in `course`, a namespace of CharTokenizer, GPT, GPTConfig, AdamW,
doc_batches, text_batches, train, save, load, generate, no_grad, Value and the module microgpt.
This runs in the worker.

A checkpoint is a file of weights, NAME.npz, and beside it a card, NAME.json, that says what they
belong to: the characters, the kind of data, the steps taken and the steps in all.
"""

from __future__ import annotations

import contextlib
import gc
import json
import math
import os
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .corpus import DOCUMENTS, Corpus

CARD_FORMAT = 1
BESIDE = (".json", ".record", ".csv", ".svg", ".png")  # of a checkpoint: card, snapshots, curves


class TrainingError(Exception):
    """Training or sampling cannot go on, or would mislead; the message says why and what to do."""


@dataclass(frozen=True)
class Knobs:
    """How to choose the next token: temperature, top-k and top-p, None for all."""

    t: float = 1.0
    k: int | None = None
    p: float | None = None


@dataclass
class ArrayLearner:
    """The student's GPT on arrays, its tokenizer and its optimiser."""

    course: Any
    tokenizer: Any
    kind: str  # documents | text
    model: Any
    optimizer: Any

    @classmethod
    def new(cls, course: Any, plan: dict[str, Any], corpus: Corpus) -> ArrayLearner:
        """A fresh model of the planned preset and size."""
        tokenizer = course.CharTokenizer([corpus.chars])
        config = getattr(course.GPTConfig, plan["preset"])(tokenizer.vocab_size, **plan["size"])
        model = course.GPT(config, np.random.default_rng(plan["seed"]))
        optimizer = course.AdamW(
            model.params,
            plan["learning_rate"],
            betas=tuple(plan["betas"]),
            weight_decay=plan["weight_decay"],
        )
        return cls(course, tokenizer, corpus.kind, model, optimizer)

    @classmethod
    def load(cls, course: Any, path: str, card: dict[str, Any]) -> ArrayLearner:
        """The model and optimiser of a checkpoint."""
        tokenizer = course.CharTokenizer([card["chars"]])
        return cls(course, tokenizer, card["kind"], *course.load(path))

    def save(self, path: str) -> None:
        self.course.save(path, self.model, self.optimizer)

    @property
    def step(self) -> int:
        return self.optimizer.t

    @property
    def parameters(self) -> int:
        return sum(p.data.size for p in self.model.params.values())

    @property
    def block_size(self) -> int:
        return self.model.config.block_size

    def gradient_norm(self) -> float | None:
        """The length of all gradients of the last step together, where they are still there."""
        grads = [np.asarray(p.grad) for p in self.model.params.values() if p.grad is not None]
        return math.sqrt(sum(float(np.vdot(g, g)) for g in grads)) if grads else None

    def batches(self, docs: Sequence[str], batch_size: int, seed: int) -> Iterator[Any]:
        """The student's endless batches, in an order that the seed fixes."""
        rng = np.random.default_rng([seed, 1])  # [seed] alone has drawn the weights
        size = batch_size, self.block_size
        if self.kind == DOCUMENTS:
            return iter(self.course.doc_batches(list(docs), self.tokenizer, *size, rng))
        ids = np.array(self.tokenizer.encode(docs[0]))
        return iter(self.course.text_batches(ids, *size, rng))

    def learn(
        self,
        batches: Iterator[Any],
        steps: int,
        schedule: Callable[[int], float],
        on_step: Callable[[int, float], None],
    ) -> None:
        """Take `steps` more steps with the student's `train`; TrainingError if it takes others."""
        first = self.step
        self.course.train(self.model, batches, first + steps, self.optimizer, schedule, on_step)
        if self.step != first + steps:
            raise TrainingError(
                f"train(..., steps={first + steps}, ...) got an optimizer with t = {first}, and "
                f"now t = {self.step}: it should run the steps from optimizer.t to steps - 1"
            )

    def losses(self, docs: Sequence[str], batch_size: int) -> Iterator[tuple[float, int]]:
        """(mean loss, characters) of one batch after the other, until all of `docs` is read."""
        for ids, targets in self.read_once(docs, batch_size):
            with self.course.no_grad():
                loss = self.model.loss(ids, targets)
            yield float(loss.data), int((targets >= 0).sum())

    def read_once(self, docs: Sequence[str], B: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """All of `docs` in order, each character a target once; a text in windows side by side."""
        if self.kind == DOCUMENTS:
            for i in range(0, len(docs), B):
                part = list(docs[i : i + B])
                batches = self.course.doc_batches(part, self.tokenizer, len(part), self.block_size)
                yield next(iter(batches))
        else:
            T = self.block_size
            ids = np.array(self.tokenizer.encode(docs[0]))
            for i in range(0, len(ids) - 1, B * T):
                yield windows(ids[i : i + B * T + 1], T, self.tokenizer.bos)

    def speak(self, rng: random.Random, knobs: Knobs, prompt: str = "", length: int = 200) -> str:
        """A document that begins with `prompt`, or `length` characters of text after it."""
        if self.kind == DOCUMENTS:
            return prompt + self._document(rng, knobs, prompt)
        chars = self.tokenizer.chars
        prompt = prompt or ("\n" if "\n" in chars else chars[0])
        return prompt + self._text(rng, knobs, prompt, length)

    def _document(self, rng: random.Random, knobs: Knobs, prompt: str) -> str:
        """What follows `prompt`, up to the end of the document or of the block."""
        bos, room = self.tokenizer.bos, self.block_size
        ids = self.tokenizer.encode(prompt)[:-1]
        if len(ids) > room:
            raise TrainingError(
                f"the prompt has {len(prompt)} characters; this model reads at most {room - 1}"
            )
        return self.tokenizer.decode(self._generate(ids, room, rng, knobs, stop=bos))

    def _text(self, rng: random.Random, knobs: Knobs, prompt: str, length: int) -> str:
        """`length` characters; whenever the block is full, its last half is the next prompt."""
        ids = list(self.tokenizer.encode(prompt)[1:-1])
        end = len(ids) + length
        while len(ids) < end:
            seen = ids[-max(1, self.block_size // 2) :]
            new = self._generate(
                seen, min(self.block_size - len(seen) + 1, end - len(ids)), rng, knobs
            )
            if not new:
                raise TrainingError(f"generate(...) gave no new token after {len(seen)} ids")
            ids += new
        return self.tokenizer.decode(ids[end - length :])

    def _generate(self, ids, n, rng, knobs: Knobs, stop=None) -> list[int]:
        return self.course.generate(
            self.model, ids, n, rng, t=knobs.t, k=knobs.k, p=knobs.p, stop=stop
        )


@dataclass
class ScalarLearner:
    """MicroGPT on a page, on the student's Value and CharTokenizer: one document a step."""

    course: Any
    tokenizer: Any
    params: dict[str, Any]
    step: int = 0

    @classmethod
    def new(cls, course: Any, plan: dict[str, Any], corpus: Corpus) -> ScalarLearner:
        tokenizer = course.CharTokenizer([corpus.chars])
        rng = random.Random(plan["seed"])
        return cls(course, tokenizer, course.microgpt.init_params(tokenizer.vocab_size, rng))

    @classmethod
    def load(cls, course: Any, path: str, card: dict[str, Any]) -> ScalarLearner:
        """The weights of a checkpoint, to sample from."""
        with np.load(path) as arrays:
            params = {
                name: [[course.Value(weight) for weight in row] for row in matrix.tolist()]
                for name, matrix in arrays.items()
            }
        return cls(course, course.CharTokenizer([card["chars"]]), params, card["step"])

    def save(self, path: str) -> None:
        np.savez(
            path,
            **{
                name: [[w.data for w in row] for row in matrix]
                for name, matrix in self.params.items()
            },
        )

    @property
    def parameters(self) -> int:
        return sum(len(row) for matrix in self.params.values() for row in matrix)

    @property
    def block_size(self) -> int:
        return self.course.microgpt.BLOCK_SIZE

    def gradient_norm(self) -> None:
        """Unknown: MicroGPT's loop forgets the gradients before it tells of a step."""

    def learn(self, docs: Sequence[str], steps: int, on_step: Callable[[int, float], None]) -> None:
        """MicroGPT's own loop. What `on_step` raises ends it; the steps taken stay taken."""

        def counted(step: int, loss: float) -> None:
            self.step = step + 1
            on_step(step, loss)

        with rarely_collecting():
            self.course.microgpt.train(docs, self.tokenizer, self.params, steps, counted)

    def losses(self, docs: Sequence[str], batch_size: int) -> Iterator[tuple[float, int]]:
        """(mean loss, characters) of one document after the other."""
        for doc in docs:
            ids = self.tokenizer.encode(doc)
            loss = self.course.microgpt.loss_of(ids, self.params)
            yield loss.data, min(self.block_size, len(ids) - 1)

    def speak(self, rng: random.Random, knobs: Knobs, prompt: str = "", length: int = 200) -> str:
        """A document. The model on a page knows a temperature and nothing else."""
        if prompt or knobs.k is not None or knobs.p is not None:
            raise TrainingError(
                "the scalar model samples with a temperature only: no prompt, top-k, top-p"
            )
        return self.course.microgpt.sample(self.tokenizer, self.params, rng, knobs.t)


@contextlib.contextmanager
def rarely_collecting() -> Iterator[None]:
    """Look for cycles once in a million new objects: as microgpt.py does, when it is run alone.

    The graph of a step is large and soon gone by itself; looking through it again and again takes
    half as long as the step. But should a student's nodes hold cycles, they must go in the end.
    """
    before = gc.get_threshold()
    gc.set_threshold(1_000_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)


def windows(ids: np.ndarray, T: int, bos: int) -> tuple[np.ndarray, np.ndarray]:
    """Windows of a text side by side, and their targets (rows, T); BOS and -1 fill the last."""
    n = len(ids) - 1
    rows = -(-n // T)
    x, y = np.full(rows * T, bos), np.full(rows * T, -1)
    x[:n], y[:n] = ids[:-1], ids[1:]
    return x.reshape(rows, T), y.reshape(rows, T)


def save(learner: ArrayLearner | ScalarLearner, path: Path, card: dict[str, Any]) -> None:
    """Write weights and card, each to another name first: a crash leaves the old ones whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"partial-{path.name}")
    learner.save(str(partial))
    if not partial.is_file():
        raise TrainingError(f"save({str(partial)!r}, model, optimizer) wrote no file of that name")
    partial_card = partial.with_suffix(".json")
    partial_card.write_text(json.dumps({"format": CARD_FORMAT} | card, indent=1), "utf-8")
    os.replace(partial, path)
    os.replace(partial_card, path.with_suffix(".json"))


def set_aside(path: Path) -> None:
    """Rename an earlier run's checkpoint, and what stands beside it: nothing is overwritten."""
    for file in (path, *(path.with_suffix(suffix) for suffix in BESIDE)):
        if file.is_file():
            os.replace(file, file.with_stem(f"{file.stem}.previous"))


def read_card(path: Path) -> dict[str, Any]:
    """What is written beside a checkpoint; TrainingError where that is missing or unreadable."""
    beside = path.with_suffix(".json")
    if not path.is_file() or not beside.is_file():
        raise TrainingError(f"there is no checkpoint {path}; train one: python -m grader train")
    try:
        card = json.loads(beside.read_text("utf-8"))
        if card["format"] != CARD_FORMAT:
            raise ValueError(f"its format is {card['format']}, not {CARD_FORMAT}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"cannot use {beside}: {error}; train anew") from None
    return card
