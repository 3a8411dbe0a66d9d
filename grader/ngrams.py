"""How far counting gets: character n-gram models, the baselines beside a GPT's loss.

    loss(train, held_out, 3)    nats per character, looking at the two characters before

An n-gram model counts, in the training documents, how often each character c follows the n - 1
characters before it, its context; every count starts at one, so that nothing is impossible:

    p(c | context) = (count(context c) + 1) / (count(context) + V)

V is the number of different characters, the BOS that ends a document included. Every character and
that BOS are predicted; what stands before a document is BOS too. Jurafsky and Martin, "Speech and
Language Processing", 3rd edition, chapter 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

BOS = "\ud800"  # half a surrogate pair, which no text can hold


def loss(train: Sequence[str], held_out: Sequence[str], n: int) -> float:
    """Nats per character on `held_out` of the n-gram model of `train`; n = 0 guesses all alike.

    Train "ab" and "ab", held out "b". With n = 1: a, b and BOS occur twice each, so p = 3/9 for b
    and for BOS, and the loss is log 3. With n = 2: p(b | BOS) = 1/5, p(BOS | b) = 3/5.
    """
    alphabet = np.unique(_characters([*train, *held_out], 1))
    if n == 0:
        return float(np.log(len(alphabet)))
    contexts, grams = _codes(train, alphabet, n)
    asked_contexts, asked_grams = _codes(held_out, alphabet, n)
    seen = _count(grams, asked_grams) + 1
    of = _count(contexts, asked_contexts) + len(alphabet)
    return float(-np.log(seen / of).mean())


def _characters(docs: Sequence[str], n: int) -> np.ndarray:
    """All documents as one array of code points, n BOS before, between and after them."""
    bos = BOS * n
    return np.frombuffer(
        (bos + bos.join(docs) + bos).encode("utf-32-le", "surrogatepass"), np.uint32
    )


def _codes(docs: Sequence[str], alphabet: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """For each character to predict: its context, and its context with itself, as integers."""
    ids = np.searchsorted(alphabet, _characters(docs, n)).astype(np.int64)
    bos = np.searchsorted(alphabet, ord(BOS))
    at = np.arange(n, len(ids))
    at = at[
        (ids[at] != bos) | (ids[at - 1] != bos)
    ]  # of the BOS, only the one that ends a document
    contexts = np.zeros(len(at), np.int64)
    for back in range(n - 1, 0, -1):
        contexts = contexts * len(alphabet) + ids[at - back]
    return contexts, contexts * len(alphabet) + ids[at]


def _count(codes: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """How often each of `asked` occurs in `codes`."""
    found, counts = np.unique(codes, return_counts=True)
    place = np.searchsorted(found, asked).clip(max=len(found) - 1)
    return np.where(found[place] == asked, counts[place], 0)
