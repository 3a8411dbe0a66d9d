"""Exercise 6: attention.

Up to here every position stands alone. Attention lets it look back. Each position makes three
vectors: a *query* (what am I looking for?), a *key* (what do I offer?) and a *value* (what do I hand
over?). Query times key, a dot product, says how well they match; softmax turns the matches into
weights that add up to 1; the result is the weighted mean of the values.

    weights = softmax(q @ k^T / sqrt(D) + mask)          y = weights @ v

An example with T = 2 and D = 1:   q = [1, 1]   k = [0, 0]   v = [10, 20]

    scores   k0  k1        after the mask        weights         y
       q0     0   0           0  -inf            1    0         10         the first sees only itself
       q1     0   0           0    0            0.5  0.5        15         the second, both

The mask makes it *causal*: a position may look at itself and back, never ahead, or it would learn to
copy the next token instead of predicting it. The root of D keeps the scores small: the dot product
of D random numbers grows like sqrt(D), and softmax of large scores is all on one position.

*Heads*: C numbers are split in H groups of D = C / H, and each group attends by itself. One head can
look at the last vowel while another counts letters.

    (B, T, C) -> (B, T, H, D) -> (B, H, T, D)      split: reshape, then swap T and H
                                                   (reshape alone would tear the positions apart)

*The cache*: when a model writes, token by token, the keys and values of the past never change (that
is what the mask is for). Keep them, and each new token costs one row instead of T.

In MicroGPT this is `attention`; its lists `keys` and `values` are the cache, and since it reads one
position at a time it needs no mask: the future is not there yet.
What goes wrong most often: no scaling, or by the wrong dimension; the mask after the softmax; reshape
without transpose; the cache's positions off by one.
Read more: Vaswani et al. 2017, "Attention is all you need", section 3.2.
"""

import numpy as np

from .ex03_tensor import Tensor
from .ex04_ops import linear, softmax


def split_heads(x, n_head):
    """Split the C numbers of each position in H heads of D = C / H.

    x (B, T, C) -> (B, H, T, D)
    One position [1, 2, 3, 4] and 2 heads: head 0 gets [1, 2], head 1 gets [3, 4].
    C not divisible by n_head: ValueError.
    """
    B, T, C = x.shape
    # TODO 1  refuse a C that does not divide
    # TODO 2  (B, T, C) -> (B, T, H, D) -> (B, H, T, D)
    raise NotImplementedError("TODO split_heads")


def merge_heads(x):
    """Put the heads side by side again: the inverse of split_heads.

    x (B, H, T, D) -> (B, T, C)
    """
    B, H, T, D = x.shape
    # TODO  (B, H, T, D) -> (B, T, H, D) -> (B, T, C)
    raise NotImplementedError("TODO merge_heads")


def attention_weights(q, k):
    """How much each query looks at each key: rows that add up to 1, and 0 for the future.

        w = softmax(q @ k^T / sqrt(D) + mask)

        scores hand to q: g @ k / sqrt(D)     to k: g^T @ q / sqrt(D)

    The queries are the *last* Tq of Tk positions (with a cache there are more keys than queries):
    query i stands at position Tk - Tq + i, and sees the keys up to there.

    q (B, H, Tq, D), k (B, H, Tk, D) -> (B, H, Tq, Tk)
    Equal scores, T = 2: [[1, 0], [0.5, 0.5]].
    """
    # TODO 1  scores, scaled                                     (B, H, Tq, Tk)
    # TODO 2  -inf where the key is later than the query         np.triu(..., k=1 + Tk - Tq)
    # TODO 3  one node from q and k to the scores (or compose them: @, *, and a mask to add)
    # TODO 4  softmax over the keys
    raise NotImplementedError("TODO attention_weights")


def causal_attention(q, k, v):
    """For each query the mean of the values that it may see, weighted by how well it matches the keys.

    q (B, H, Tq, D), k and v (B, H, Tk, D) -> (B, H, Tq, D)
    Equal scores, v = [10, 20]: [10, 15].
    Vaswani et al. 2017, equation 1.
    """
    # TODO  weights @ values
    raise NotImplementedError("TODO causal_attention")


def self_attention(x, weights, n_head, cache=None):
    """All of it: project x to queries, keys and values, attend in heads, merge, project back.

    weights   a dict: wq, wk, wv, wo (C, C), and, if the model has them, bq, bk, bv, bo (C,)
    cache     a KVCache: the new keys and values go in, those of all positions so far come out

    x (B, T, C) -> (B, T, C)
    """
    # TODO 1  q, k, v = heads of linear(x, ...)            3 x (B, H, T, D)
    # TODO 2  with a cache: keys and values of all positions so far
    # TODO 3  attend, merge                                (B, T, C)
    # TODO 4  the output projection                        (B, T, C)
    raise NotImplementedError("TODO self_attention")


class KVCache:
    """The keys and values of all positions so far, so that each is computed once.

    capacity   room for this many positions from the start; without it, or beyond, the room doubles.

    It is for writing, not for learning: what comes out has no history, so no gradient flows back.
    """

    def __init__(self, capacity=None):
        self.capacity, self.length = capacity or 16, 0
        self.room = None  # (2, B, H, capacity, D): keys and values

    def __len__(self):
        """How many positions it holds."""
        return self.length

    def extend(self, k, v):
        """Add the new positions, and give the keys and values of all so far.

        k, v (B, H, Tnew, D) -> two Tensors (B, H, len(self), D)
        Each position is written once: copying everything for each token would make the cost of a
        token grow with the length of the text.
        """
        # TODO 1  make room: the first time, and when it is full (twice as much)
        # TODO 2  write the new positions behind the old ones
        # TODO 3  give all so far
        raise NotImplementedError("TODO KVCache.extend")
