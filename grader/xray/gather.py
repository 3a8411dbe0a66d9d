"""Look inside a trained model: what the worker gathers, told in plain events.

    gather(course, plan, corpus, emit)     the command `xray`

`course` is the namespace of definitions that learner.py names. plan: text; checkpoint, or None for
a fresh model of `preset` and `size`; seed; record, the file of snapshots, or None; samples, how
many; seconds, for those and again for reading what is held out. The events:

    seen         what observe.observe returns, with ids, next, tokens, vocab, cut, steps
    snapshots    the record on this text, as data.py describes it, with plain arrays
    spoken       samples: what the model makes up by itself
    surprised    nats of the first documents that are held out, and their characters
    silent       instead of these two, where the course has not come to them: why
    broke        before an error of the student's code: notes, on the way to it

What the student's code raises passes through.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from ..corpus import DOCUMENTS, Corpus
from ..language import _
from ..learner import ArrayLearner, Knobs, TrainingError, read_card
from .look import Unseen, attention
from .observe import Notes, observe, watching
from .record import read as read_record

PLAIN = Knobs()  # temperature 1: what the model itself believes
SHOWN = Knobs(t=0.7)
SNAPSHOT_SAMPLES = 5


def gather(course: Any, plan: dict[str, Any], corpus: Corpus, emit: Any) -> None:
    """Tell what is inside the model of a checkpoint, or a fresh one."""
    tell(learner_of(course, plan, corpus), plan, corpus, emit)


def tell(learner: ArrayLearner, plan: dict[str, Any], corpus: Corpus, emit: Any) -> None:
    """Tell what is inside this model."""
    ids, following, cut = reading(learner, plan["text"])
    vocab = [*learner.tokenizer.chars, "BOS"]
    try:
        seen = observe(learner.model, ids, following)
    except Exception as error:
        emit({"event": "broke", "notes": list(getattr(error, "__notes__", ()))})
        raise
    emit(
        {
            "event": "seen",
            "ids": ids,
            "next": following,
            "tokens": [vocab[i] for i in ids],
            "vocab": vocab,
            "cut": cut,
            "steps": learner.optimizer and learner.step,
            **seen,
        }
    )
    if learner.kind == DOCUMENTS:
        try:
            emit({"event": "spoken", "samples": spoken(learner, plan)})
            emit({"event": "surprised", **surprised(learner, corpus, plan["seconds"])})
        except (NotImplementedError, AttributeError) as error:
            emit({"event": "silent", "why": str(error)})
    if plan["record"] and Path(plan["record"]).is_file():
        emit({"event": "snapshots", **snapshots(learner, plan, ids, following)})


def learner_of(course: Any, plan: dict[str, Any], corpus: Corpus) -> ArrayLearner:
    """The checkpoint's model; or a fresh one, which has learnt nothing."""
    if plan["checkpoint"] is None:
        return ArrayLearner.new(course, plan, corpus)
    card = read_card(Path(plan["checkpoint"]))
    if card["scalar"]:
        raise TrainingError(
            _(
                "{file} holds the scalar model; the glass box looks into the one on arrays: "
                "python -m grader train"
            ).format(file=plan["checkpoint"])
        )
    return ArrayLearner.load(course, plan["checkpoint"], card)


def reading(learner: ArrayLearner, text: str) -> tuple[list[int], list[int], int]:
    """What the model reads, what comes next (-1: unknown), and how many characters are cut off."""
    strange = sorted(set(text) - set(learner.tokenizer.chars))
    if strange:
        raise TrainingError(
            _("the text has {char!r}, which the model has never seen; it knows {chars!r}").format(
                char=strange[0], chars="".join(learner.tokenizer.chars)
            )
        )
    encoded = [int(i) for i in learner.tokenizer.encode(text)]
    if learner.kind == DOCUMENTS:
        ids, following = encoded[:-1], encoded[1:]
    else:
        if len(text) < 2:
            raise TrainingError(_("a running text takes at least 2 characters"))
        ids, following = encoded[1:-1], [*encoded[2:-1], -1]
    T = learner.block_size
    return ids[:T], following[:T], max(0, len(ids) - T)


def spoken(learner: ArrayLearner, plan: dict[str, Any]) -> list[str]:
    """As many samples as are wanted, or as there is time for."""
    rng, end = random.Random(plan["seed"]), perf_counter() + plan["seconds"]
    samples: list[str] = []
    while len(samples) < plan["samples"] and (not samples or perf_counter() < end):
        samples.append(learner.speak(rng, PLAIN))
    return samples


def surprised(learner: ArrayLearner, corpus: Corpus, seconds: float) -> dict[str, np.ndarray]:
    """For each held-out document the sum of -log p over its characters, and their number."""
    end = perf_counter() + seconds
    nats, lengths = [], []
    for ids, targets in learner.read_once(corpus.held_out, 64):
        with learner.course.no_grad():
            z = np.asarray(learner.model(ids).data, np.float64)  # (B, T, V)
        z -= z.max(-1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(-1, keepdims=True))  # (B, T, V)
        counts = targets >= 0
        picked = np.take_along_axis(log_p, np.where(counts, targets, 0)[..., None], -1)[..., 0]
        nats.append(-(picked * counts).sum(-1))
        lengths.append(counts.sum(-1))
        if perf_counter() > end:
            break
    return {"nats": np.concatenate(nats), "characters": np.concatenate(lengths)}


def snapshots(
    learner: ArrayLearner, plan: dict[str, Any], ids: list[int], following: list[int]
) -> dict[str, Any]:
    """The model at each recorded step, on this text: its attention, predictions and samples."""
    steps, tables, logits, heads, samples = zip(*replayed(learner, plan, ids))
    logp = log_softmax(np.stack(logits))  # (S, T, V)
    known = [t for t, target in enumerate(following) if target >= 0]
    return {
        "steps": list(steps),
        "tables": np.stack(tables),  # (S, V, C)
        "probabilities": np.exp(logp),
        "losses": -logp[:, known, [following[t] for t in known]].mean(-1),
        "attention": None if any(h is None for h in heads) else np.stack(heads),
        "samples": list(samples),
    }


def replayed(learner: ArrayLearner, plan: dict[str, Any], ids: list[int]) -> Iterator[tuple]:
    """(step, wte, logits, attention or None, samples) at each snapshot."""
    record = read_record(Path(plan["record"]))
    for number, step in enumerate(record.steps):
        for name, p in learner.model.params.items():
            p.data[...] = record.weights[name][number]
        with watching(learner.model) as notes, learner.course.no_grad():
            logits = np.array(learner.model(np.array([ids])).data[0])
        rng = random.Random(plan["seed"])
        samples = [learner.speak(rng, SHOWN, length=40) for _ in range(SNAPSHOT_SAMPLES)]
        wte = np.array(learner.model.params["wte"].data)
        yield int(step), wte, logits, attention_in(notes, learner.model, logits), samples


def attention_in(notes: Notes, model: Any, logits: np.ndarray) -> np.ndarray | None:
    """The attention that was seen (L, H, T, T), if it was."""
    seen = {
        "config": vars(model.config),
        "logits": logits,
        "calls": [vars(call) for call in notes.calls],
        "values": [{"data": value.data} for value in notes.values],
    }
    try:
        return attention(seen)
    except Unseen:
        return None


def log_softmax(z: np.ndarray) -> np.ndarray:
    z = z.astype(np.float64) - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))
