"""Which part of the model each piece makes, and so which parts of it work already."""

from __future__ import annotations

from ..course import Course
from ..results import Result, combined
from .text import pieces

# A part as the manifest calls it, and as a reader meets it, in the order that data flows.
LABELS = {
    "tokenizer": "tokens",
    "embedding": "embedding",
    "norm": "norm",
    "attention": "attention",
    "mlp": "mlp",
    "blocks": "block",
    "head": "head",
    "loss": "loss",
    "sampler": "sampler",
    "training": "training",
    "optimiser": "optimiser",
    "autograd": "autograd",
}

# Pieces that make another part than the one that the manifest gives their exercise.
ELSEWHERE = {
    "ex04.relu": "mlp",
    "ex04.gelu": "mlp",
    "ex04.linear": "mlp",
    "ex04.softmax": "attention",
    "ex04.cross_entropy": "loss",
    "ex06.KVCache": "sampler",
    "ex07.init_params": "embedding",
    "ex07.mlp": "mlp",
    "ex07.GPT": "head",
    "ex07.variants": "head",
}


def states(result: Result, course: Course) -> dict[str, str]:
    """The status of every part: passed when all its pieces pass, or when it has none to do."""
    found = pieces(result)
    statuses: dict[str, list[str]] = {part: [] for part in LABELS}
    for id, piece in course.pieces.items():
        part = ELSEWHERE.get(id, course.exercise_of(piece).part)
        if part in statuses and id in found:
            statuses[part].append(found[id].status)
    return {part: combined(of) for part, of in statuses.items()}
