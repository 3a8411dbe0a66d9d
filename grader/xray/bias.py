"""What the model prefers that the data does not, and what it has only memorised: measured.

    report(corpus, samples, nats, characters)     the page's `bias`

Nothing is guessed about anybody's origin or gender: only properties that can be counted in the
characters of a document. Its shape:

    samples         how many documents the model made up for this
    distinct        the share of them that are different from each other
    copied          the share of them that stand in the training data, word for word
    copied_held_out the share that stand in what was held out: made up, and yet right
    copied_expected what `copied` would be if nothing were memorised, judged by those
    made_up         up to 24 samples that stand nowhere in the data
    first, lengths, endings
                    what they begin with, how long they are, how they end (two characters): a list
                    of {"key": "a", "model": share of samples, "data": share of documents, "noise":
                    the standard error of "model" if it were like the data}, most frequent first;
                    lengths in order
    loss            nats per character on what is held out, and "read": how many documents that was
    surprise        {"first", "length", "ending", "pair"}: lists of
                    {"key": "a" or "3" or "ia", the rarest first, "documents": how many held-out
                     documents have it, "share": of the training documents that have it,
                     "nats": nats per character on them, "noise": the standard error of that}
                    "pair" puts each document by its rarest pair of neighbours, from the tenth of
                    documents with the rarest, key "1", to the tenth with the most frequent, "10"
    hardest, easiest
                    held-out documents: {"text": "xzavier", "nats": per character}
    counting        [{"name": "1-gram", "n": 1, "loss": nats per character}, ...]: models that only
                    count, on the same split
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .. import ngrams
from ..corpus import Corpus

SHOWN = 24  # samples, and documents that are hard or easy
FEWEST = 5  # documents that have an ending; fewer say nothing about it
ENDS = "^$"  # stand for the beginning and the end in a pair of neighbours
TENTHS = 10

PROPERTIES: dict[str, Callable[[str], str]] = {
    "first": lambda doc: doc[:1],
    "length": lambda doc: str(len(doc)),
    "ending": lambda doc: doc[-2:],
}


def report(
    corpus: Corpus, samples: Sequence[str], nats: np.ndarray, characters: np.ndarray
) -> dict:
    """All of it, of a model that said `samples`.

    nats, characters (N,): what the first N held-out documents cost it, and their characters.
    """
    read = corpus.held_out[: len(nats)]
    each = nats / characters
    hard = np.argsort(-each, kind="stable")
    said = [sample for sample in samples if sample]
    return {
        "samples": len(samples),
        **memory(corpus, samples),
        "first": compared(PROPERTIES["first"], said, corpus.train),
        "lengths": sorted(
            compared(PROPERTIES["length"], samples, corpus.train), key=lambda row: int(row["key"])
        ),
        "endings": compared(PROPERTIES["ending"], said, corpus.train),
        "loss": float(nats.sum() / characters.sum()),
        "read": len(read),
        "surprise": {
            name: surprise(
                [property(doc) for doc in read], corpus.train, property, nats, characters
            )
            for name, property in PROPERTIES.items()
        }
        | {"pair": surprise_by_pair(read, corpus.train, nats, characters)},
        "hardest": [{"text": read[i], "nats": float(each[i])} for i in hard[:SHOWN]],
        "easiest": [{"text": read[i], "nats": float(each[i])} for i in hard[::-1][:SHOWN]],
        "counting": [
            {"name": f"{n}-gram", "n": n, "loss": ngrams.loss(corpus.train, corpus.held_out, n)}
            for n in (1, 2, 3)
        ],
    }


def memory(corpus: Corpus, samples: Sequence[str]) -> dict[str, Any]:
    """How many samples stand in the data, and how many would if nothing were memorised.

    A model that only knows what names are like draws those that are held out as gladly as those it
    was trained on; so for each of the former there would be as many of the latter as there are
    times as many to draw.
    """
    train, held_out = set(corpus.train), set(corpus.held_out) - set(corpus.train)
    n = len(samples)
    copied = sum(sample in train for sample in samples) / n
    found = sum(sample in held_out for sample in samples) / n
    new = dict.fromkeys(s for s in samples if s and s not in train and s not in held_out)
    return {
        "distinct": len(set(samples)) / n,
        "copied": copied,
        "copied_held_out": found,
        "copied_expected": min(1.0, found * len(train) / max(1, len(held_out))),
        "made_up": list(new)[:SHOWN],
    }


def compared(
    property: Callable[[str], str], samples: Sequence[str], documents: Sequence[str]
) -> list[dict[str, Any]]:
    """How often each value of a property occurs in the samples and in the data."""
    model, data = Counter(map(property, samples)), Counter(map(property, documents))
    rows = []
    for key, count in sorted((model | data).items(), key=lambda item: -data[item[0]]):
        share = data[key] / len(documents)
        said = model[key] / max(1, len(samples))
        noise = (share * (1 - share) / max(1, len(samples))) ** 0.5
        if count >= FEWEST:
            rows.append({"key": key, "model": said, "data": share, "noise": noise})
    return rows


def surprise(
    keys: Sequence[str],
    train: Sequence[str],
    property: Callable[[str], str],
    nats: np.ndarray,
    characters: np.ndarray,
) -> list[dict[str, Any]]:
    """How surprised the model is by documents of each key, the rarest in training first."""
    counts = Counter(map(property, train))
    rows = [
        {
            "key": key,
            "share": counts[key] / len(train),
            **cost(nats, characters, np.array(keys) == key),
        }
        for key in set(keys)
    ]
    return sorted(
        (row for row in rows if row["documents"] >= FEWEST),
        key=lambda row: (row["share"], row["key"]),
    )


def surprise_by_pair(
    read: Sequence[str], train: Sequence[str], nats: np.ndarray, characters: np.ndarray
) -> list[dict[str, Any]]:
    """The same by the rarest pair of neighbours in each document, in tenths."""
    counts = Counter(pair for doc in train for pair in pairs(doc))
    rarest = np.array([min(counts[pair] for pair in pairs(doc)) for doc in read])
    order = np.argsort(rarest, kind="stable")
    rows = []
    for number, members in enumerate(np.array_split(order, TENTHS)):
        if len(members):
            chosen = np.isin(np.arange(len(read)), members)
            share = float((rarest[members] / sum(counts.values())).mean())
            rows.append({"key": str(number + 1), "share": share, **cost(nats, characters, chosen)})
    return rows


def pairs(doc: str) -> Iterable[tuple[str, str]]:
    """The pairs of neighbours, with the beginning and the end: "^a", "ab", "b$"."""
    return pairwise(ENDS[0] + doc + ENDS[1])


def cost(nats: np.ndarray, characters: np.ndarray, chosen: np.ndarray) -> dict[str, Any]:
    """Nats per character on the documents that are chosen, and the standard error of that."""
    n = int(chosen.sum())
    mean = float(nats[chosen].sum() / characters[chosen].sum())
    rest = nats[chosen] - mean * characters[chosen]  # of a ratio of sums
    noise = float(np.sqrt((rest**2).sum() * n / max(1, n - 1)) / characters[chosen].sum())
    return {"documents": n, "nats": mean, "noise": noise}
