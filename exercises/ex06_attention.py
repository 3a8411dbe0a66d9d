"""Exercise 6: attention.

So far every position stands alone: embedding, linear and norm never look at a neighbour. Attention
lets a position look back. Each makes three vectors of itself: a *query* (what am I looking for?), a
*key* (what do I offer?) and a *value* (what do I hand over?). Query times key, a dot product, says
how well they match; softmax turns the matches into weights that add up to 1; the result is the
weighted mean of the values.

    weights = softmax(q @ k^T / sqrt(D) + mask)          y = weights @ v

An example with T = 2 and D = 1:   q = [1, 1]   k = [0, 0]   v = [10, 20]

    scores   k0  k1       after the mask       weights        y
       q0     0   0          0  -inf           1    0        10        the first sees only itself
       q1     0   0          0    0           0.5  0.5       15        the second sees both

With k = [0, log 3] the second prefers the second key: its scores are [0, log 3], its weights
[0.25, 0.75] and its y is 0.25 * 10 + 0.75 * 20 = 17.5. The first still sees only itself.

*The mask* makes it causal: a position may look at itself and back, never ahead, or it would learn
to copy the next token instead of predicting it. It is added *before* the softmax, since e^-inf = 0:
what is hidden gets nothing, and the rest still adds up to 1.

*The root of D* keeps the scores small: the dot product of two vectors of D random numbers is about
sqrt(D) large, and softmax of large scores puts everything on one position.

*Heads*: the C numbers of a position are split in H groups of D = C / H, and each group attends by
itself. One head can look at the last vowel while another counts letters.

    x (T, C) = (2, 4), two heads            head 0       head 1         (H, T, D) = (2, 2, 2)
    position 0     1  2 | 3  4               1  2         3  4
    position 1     5  6 | 7  8               5  6         7  8

    (B, T, C) -> (B, T, H, D) -> (B, H, T, D): reshape, then swap T and H. Reshape alone, to
    (H, T, D) at once, reads the numbers in order: head 0 would get 1 2 and 3 4, one position twice.

*The cache*: when a model writes, token by token, the keys and values of the past never change (that
is what the mask is for). Keep them, and each new token costs one row instead of T. So there may be
more keys than queries: Tk = 4 positions so far, of which the last Tq = 2 are new.

                k0   k1   k2   k3
    q0           .    .    .  -inf        stands at position 2
    q1           .    .    .    .         stands at position 3: nothing is later

*The gradient* of the scores, for one query and one key of one number each: s = q k / sqrt(D), so q
gets g k / sqrt(D) and k gets g q / sqrt(D). With matrices these are g @ k / sqrt(D) and
g^T @ q / sqrt(D), as for every product. The mask is a constant and gets none; where it is -inf the
weight is 0, so softmax hands nothing back either.

    microgpt.py, one position, a head at a time       here, all positions and heads at once
    query = linear(x, ...attn_wq)                     the queries, (B, T, C), then split in heads
    keys[i].append(...), values[i].append(...)        KVCache.extend
    for start in range(0, N_EMBD, HEAD_SIZE)          the axis H
    dot(query[head], key[head]) / HEAD_SIZE**0.5      the scores, (B, H, Tq, Tk)
    weights = softmax(scores)                         attention_weights
    dot(weights, channel) for channel in channels     causal_attention
    linear(mixed, ...attn_wo)                         the last step of self_attention

MicroGPT reads one position at a time, so it needs no mask: the future is not there yet.

Three promises hold for everything here: inputs stay as they were, float32 stays float32, and every
Tensor that a result was made of gets its gradient.
What goes wrong most often: no scaling, or by the wrong dimension; the mask after the softmax;
reshape without transpose; the cache's positions off by one.
Read more: Vaswani et al. 2017, "Attention is all you need", section 3.2.
"""

import numpy as np

from .ex03_tensor import Tensor
from .ex04_ops import linear, softmax


def split_heads(x, n_head):
    """Split the C numbers of each position in H = n_head heads of D = C / H.

    Head 0 gets the first D numbers of every position, head 1 the next D, and so on. Tensor's own
    reshape and transpose know their gradients: composed of them there is none to write. As a node
    of your own it is faster: numbers only move here, so the gradient moves back the same way, as in
    merge_heads. And the other way round.

    x (B, T, C) -> (B, H, T, D)
    One position [1, 2, 3, 4] and 2 heads: head 0 gets [1, 2], head 1 gets [3, 4].
    C not divisible by n_head: ValueError.
    """
    B, T, C = x.shape
    # TODO 1  refuse a C that n_head does not divide
    # TODO 2  (B, T, C) -> (B, T, H, D) -> (B, H, T, D)
    raise NotImplementedError("TODO split_heads")


def merge_heads(x):
    """Put the heads side by side again: the inverse of split_heads, step by step backwards.

    x (B, H, T, D) -> (B, T, C), C = H * D
    Heads [1, 2] and [3, 4] of one position: [1, 2, 3, 4].
    """
    B, H, T, D = x.shape
    # TODO  (B, H, T, D) -> (B, T, H, D) -> (B, T, C)
    raise NotImplementedError("TODO merge_heads")


def attention_weights(q, k):
    """How much each query looks at each key: rows that add up to 1, and 0 for the future.

        w = softmax(q @ k^T / sqrt(D) + mask)

        scores hand to q: g @ k / sqrt(D)     to k: g^T @ q / sqrt(D)

    ^T swaps the last two axes alone: k (B, H, Tk, D) becomes (B, H, D, Tk). For an array that is
    k.mT; a Tensor has its transpose, with the order of all four axes.

    The queries are the *last* Tq of Tk positions (with a cache there are more keys than queries):
    query i stands at position Tk - Tq + i, and sees the keys up to there, its own included. However
    well a later key matches, its weight is 0.

    float32 stays float32: make the mask in q's dtype, and the root as a Python number, D ** 0.5
    (np.sqrt(D) is a float64, and turns a float32 array into float64).

    q (B, H, Tq, D), k (B, H, Tk, D) -> (B, H, Tq, Tk)
    Equal scores, T = 2: [[1, 0], [0.5, 0.5]].  Scores [0, log 3] in the last row: [0.25, 0.75].
    Vaswani et al. 2017, section 3.2.1.
    """
    # TODO 1  the scores, scaled by D, the size of one head      (B, H, Tq, Tk)
    # TODO 2  -inf where the key is later than the query, else 0 (Tq, Tk)     np.triu helps; but
    #         0 * -inf is nan, so do not multiply a mask by it
    # TODO 3  one node from q and k to the scores; or compose them of Tensor's operations
    # TODO 4  softmax over the keys, the last axis
    raise NotImplementedError("TODO attention_weights")


def causal_attention(q, k, v):
    """For each query the mean of the values that it may see, by how well it matches their keys.

        y = softmax(q @ k^T / sqrt(D) + mask) @ v

    q (B, H, Tq, D), k and v (B, H, Tk, D) -> (B, H, Tq, D)
    Equal scores, v = [10, 20]: [10, 15].
    Vaswani et al. 2017, equation 1.
    """
    # TODO  the weights that you have, times the values     (B, H, Tq, Tk), (B, H, Tk, D)
    raise NotImplementedError("TODO causal_attention")


def self_attention(x, weights, n_head, cache=None):
    """All of it: project x to queries, keys and values, attend in heads, merge, project back.

    weights   a dict: wq, wk, wv, wo (C, C), and, if the model has them, bq, bk, bv, bo (C,), all
              of them or none; weights.get("bq") is None where there is none
    cache     a KVCache: the new keys and values go in, those of all positions so far come out, and
              x, the next T positions, attends to all. Called position by position with one cache,
              it gives what one call with all positions gives without. An empty cache has length 0,
              which Python takes for false: ask `cache is not None`.

    x (B, T, C) -> (B, T, C)
    """
    # TODO 1  queries, keys and values                     3 x (B, T, C)
    # TODO 2  each split in heads                          3 x (B, H, T, D)
    # TODO 3  with a cache: keys and values of all positions so far       (B, H, Tk, D)
    # TODO 4  attend, merge                                (B, T, C)
    # TODO 5  the output projection                        (B, T, C)
    raise NotImplementedError("TODO self_attention")


class KVCache:
    """The keys and values of all positions so far, so that each is computed once.

    capacity   room for this many positions from the start; it is no limit: a room that is full
               doubles. Without a capacity it starts with room for a few.

    It is for writing, not for learning, and used inside no_grad. What comes out needs no history:
    this is the one place where no gradient has to flow back.
    """

    def __init__(self, capacity=None):
        # room, once there is one: for keys and for values, 2 x (B, H, capacity, D)
        self.capacity, self.length, self.room = capacity or 16, 0, None

    def __len__(self):
        """How many positions it holds."""
        return self.length

    def extend(self, k, v):
        """Add the new positions behind the old ones, and give the keys and values of all so far.

        In MicroGPT these are lists, and append does it. Here they are arrays with some room left at
        the end, so that each position is written once: copying all of them for each new token would
        make a token's cost grow with the length of the text. What was given before stays as it was,
        and float32 stays float32.

        k, v (B, H, Tnew, D) -> two Tensors (B, H, len(self), D)
        Keys [1, 2], then [3]: the second call gives [1, 2, 3], and len(self) is 3.
        """
        # TODO 1  the first time: make room for both   2 x (B, H, capacity, D), of the dtype of k
        # TODO 2  as long as it is too small: twice as much, the old positions kept
        # TODO 3  write the new positions behind the old ones; the length counts them all
        # TODO 4  give the part that is filled
        raise NotImplementedError("TODO KVCache.extend")
