"""Misconceptions of exercise 6, in other words than those of tests/mutants."""

import numpy as np

from grader.diagnosis import mutant
from solutions.ex03_tensor import Tensor
from solutions.ex04_ops import linear, softmax
from solutions.ex06_attention import attention_weights, causal_attention, merge_heads, split_heads

EX = "ex06_attention"


def hidden(q, k):
    """True where a key is later than its query."""
    Tq, Tk = q.shape[2], k.shape[2]
    later = np.zeros((Tq, Tk), bool)
    for i in range(Tq):
        later[i, Tk - Tq + i + 1 :] = True
    return later


@mutant(EX, "split_heads", says="split_by_reshape_alone")
def views_the_heads(x, n_head):
    B, T, C = x.shape
    if C % n_head != 0:
        raise ValueError("heads do not fit")
    return x.reshape(B, n_head, T, -1)


@mutant(EX, "split_heads", says="split_drops_the_rest")
def cuts_by_slices(x, n_head):
    B, T, C = x.shape
    D = C // n_head
    parts = x[:, :, : D * n_head].reshape(B, T, n_head, D)
    return parts.transpose(0, 2, 1, 3)


@mutant(EX, "attention_weights", says="weights_divided_by_d")
def scores_over_size(q, k):
    scores = q @ k.transpose(0, 1, 3, 2) * (1 / q.shape[-1])
    return softmax(scores + np.where(hidden(q, k), -np.inf, 0.0).astype(q.data.dtype))


@mutant(EX, "attention_weights", says="weights_without_mask")
def all_see_all(q, k):
    return softmax((q / q.shape[-1] ** 0.5) @ k.transpose(0, 1, 3, 2), axis=3)


@mutant(EX, "attention_weights", says="weights_masked_after_softmax")
def zeroes_at_the_end(q, k):
    p = softmax(q @ k.transpose(0, 1, 3, 2) / q.shape[-1] ** 0.5)
    return p * (~hidden(q, k)).astype(q.data.dtype)


@mutant(EX, "attention_weights", says="weights_without_oneself")
def strictly_before(q, k):
    Tq, Tk = q.shape[2], k.shape[2]
    scores = (q @ k.transpose(0, 1, 3, 2)) * q.shape[3] ** -0.5
    keys, queries = np.arange(Tk), np.arange(Tq) + Tk - Tq
    mask = np.where(keys[None, :] >= queries[:, None], -np.inf, 0).astype(q.data.dtype)
    return softmax(scores + Tensor(mask))


@mutant(EX, "attention_weights", says="weights_of_the_first_queries")
def square_corner(q, k):
    Tq, Tk = q.shape[2], k.shape[2]
    mask = np.full((Tq, Tk), -np.inf, q.data.dtype)
    mask[np.tril_indices(Tq, 0, Tk)] = 0
    return softmax(q @ k.transpose(0, 1, 3, 2) * q.shape[3] ** -0.5 + mask)


@mutant(EX, "attention_weights", says="weights_over_the_queries")
def columns_add_up(q, k):
    scores = q @ k.transpose(0, 1, 3, 2) / q.shape[3] ** 0.5
    bias = np.zeros(scores.shape[2:], q.data.dtype)
    bias[hidden(q, k)] = float("-inf")
    return softmax(scores + bias, axis=-2)


@mutant(EX, "attention_weights", says="weights_unscaled")
def dot_products_only(q, k):
    s = np.einsum("bhqd,bhkd->bhqk", q.data, k.data)
    s[..., hidden(q, k)] = -np.inf

    def pull(g):
        to_q = np.einsum("bhqk,bhkd->bhqd", g, k.data)
        return to_q, np.einsum("bhqk,bhqd->bhkd", g, q.data)

    return softmax(Tensor.op(s, (q, k), pull))


@mutant(EX, "causal_attention", says="attention_of_keys")
def mixes_the_wrong_one(q, k, v):
    w = attention_weights(q, k)
    return w.__matmul__(k)


@mutant(EX, "causal_attention", says="attention_with_transposed_weights")
def turned_weights(q, k, v):
    w = attention_weights(q, k)
    order = [*range(len(w.shape) - 2), -1, -2]
    return w.transpose(*order) @ v


@mutant(EX, "self_attention", says="self_attention_without_output")
def ends_at_the_merge(x, weights, n_head, cache=None):
    def project(letter):
        return split_heads(
            linear(x, weights["w" + letter], weights.get("b" + letter)), n_head=n_head
        )

    q, k, v = map(project, "qkv")
    if cache is not None:
        k, v = cache.extend(k, v)
    return merge_heads(causal_attention(q, k, v))


@mutant(EX, "self_attention", says="self_attention_with_roles_swapped")
def mixes_up_names(x, weights, n_head, cache=None):
    k = split_heads(linear(x, weights["wq"], weights.get("bq")), n_head)
    q = split_heads(linear(x, weights["wk"], weights.get("bk")), n_head)
    v = split_heads(linear(x, weights["wv"], weights.get("bv")), n_head)
    if cache is not None:
        k, v = cache.extend(k, v)
    out = causal_attention(q, k, v)
    return linear(merge_heads(out), weights["wo"], weights.get("bo"))


@mutant(EX, "self_attention", says="self_attention_with_a_false_cache")
def asks_for_truth(x, weights, n_head, cache=None):
    heads = {}
    for letter in "qkv":
        heads[letter] = split_heads(
            linear(x, weights[f"w{letter}"], weights.get(f"b{letter}")), n_head
        )
    if cache:
        heads["k"], heads["v"] = cache.extend(heads["k"], heads["v"])
    return linear(merge_heads(causal_attention(**heads)), weights["wo"], weights.get("bo"))
