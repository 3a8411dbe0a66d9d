"""Right answers to exercise 6, attention, in other styles than the reference's."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from grader.diagnosis import alternative
from solutions.ex03_tensor import Tensor
from solutions.ex04_ops import linear, softmax
from solutions.ex06_attention import (
    attention_weights,
    causal_attention,
    merge_heads,
    split_heads,
)

EX06 = "ex06_attention"

# split_heads and merge_heads


@alternative(EX06, "split_heads", style="one node, moved by numpy, in Fortran order")
def split_in_one_node(x, n_head):
    B, T, C = x.shape
    if C / n_head != C // n_head:
        raise ValueError("every head needs as many channels")
    y = np.asfortranarray(x.data.reshape(B, T, n_head, -1).swapaxes(1, 2))
    return Tensor.op(y, (x,), lambda g: (g.swapaxes(1, 2).reshape(B, T, C),))


@alternative(EX06, "split_heads", style="a loop over the heads, slices put together")
def split_by_slices(x, n_head):
    B, T, C = x.shape
    D, rest = divmod(C, n_head)
    if rest:
        raise ValueError(f"{C} is no multiple of {n_head}")
    parts = [x[:, :, h * D : (h + 1) * D].reshape(B, 1, T, D) for h in range(n_head)]
    y = np.concatenate([part.data for part in parts], axis=1)

    def vjp(g):
        return tuple(g[:, h : h + 1] for h in range(n_head))

    return Tensor.op(y, tuple(parts), vjp)


@alternative(EX06, "split_heads", style="channels first, then back")
def split_channels_first(x, n_head):
    B, T, C = x.shape
    if n_head not in [h for h in range(1, C + 1) if C % h == 0]:
        raise ValueError(n_head)
    by_channel = x.transpose(2, 0, 1)  # (C, B, T)
    return by_channel.reshape(n_head, -1, B, T).transpose(2, 0, 3, 1)


@alternative(EX06, "split_heads", style="leaves the check to reshape, which raises ValueError too")
def split_that_lets_reshape_raise(x, n_head):
    B, T, C = x.shape
    return x.reshape(B, T, n_head, C // n_head).transpose(0, -2, -3, -1)


@alternative(EX06, "merge_heads", style="one node, einsum")
def merge_in_one_node(x):
    B, H, T, D = x.shape
    y = np.einsum("bhtd->bthd", x.data).reshape(B, T, -1)
    return Tensor.op(y, (x,), lambda g: (np.einsum("bthd->bhtd", g.reshape(B, T, H, D)),))


@alternative(EX06, "merge_heads", style="a loop over the heads")
def merge_by_concatenation(x):
    y = np.concatenate([x.data[:, h] for h in range(x.shape[1])], axis=-1)
    return Tensor.op(y, (x,), lambda g: (np.stack(np.split(g, x.shape[1], axis=-1), axis=1),))


@alternative(EX06, "merge_heads", style="picks with index arrays")
def merge_by_index(x):
    B, H, T, D = x.shape
    head, place = np.divmod(np.arange(H * D), D)
    return x[np.arange(B)[:, None, None], head, np.arange(T)[None, :, None], place]


# attention_weights


@alternative(EX06, "attention_weights", style="composed of Tensor's operations, softmax included")
def weights_composed(q, k):
    Tq, Tk = q.shape[2], k.shape[2]
    scores = q @ k.transpose(0, 1, 3, 2) / q.shape[3] ** 0.5
    visible = np.arange(Tk) <= np.arange(Tk - Tq, Tk)[:, None]
    largest = np.where(visible, scores.data, -np.inf).max(-1, keepdims=True)
    hidden = np.where(visible, 0.0, -np.inf).astype(q.data.dtype)
    exps = (scores + hidden - largest).exp()
    return exps / exps.sum(axis=-1, keepdims=True)


@alternative(EX06, "attention_weights", style="softmax of the composed scores, a mask of -1e9")
def weights_with_a_billion(q, k):
    Tq, Tk = q.shape[2], k.shape[2]
    mask = Tensor(np.triu(np.full((Tq, Tk), -1e9, q.data.dtype), Tk - Tq + 1))
    return softmax((q * q.shape[-1] ** -0.5) @ k.transpose(0, 1, 3, 2) + mask, axis=3)


@alternative(EX06, "attention_weights", style="one node from q and k to the weights, einsum")
def weights_in_one_node(q, k):
    Tq, Tk = q.shape[2], k.shape[2]
    root = np.sqrt(q.data.dtype.type(q.shape[3]))
    scores = np.einsum("bhid,bhjd->bhij", q.data, k.data) / root
    scores[..., np.arange(Tk)[None, :] > np.arange(Tq)[:, None] + Tk - Tq] = -np.inf
    w = np.exp(scores - scores.max(-1, keepdims=True))
    w /= w.sum(-1, keepdims=True)

    def vjp(g):
        to_scores = w * (g - (g * w).sum(-1, keepdims=True)) / root
        to_q = np.einsum("bhij,bhjd->bhid", to_scores, k.data)
        return to_q, np.einsum("bhij,bhid->bhjd", to_scores, q.data)

    return Tensor.op(w, (q, k), vjp)


@alternative(EX06, "attention_weights", style="a loop over the queries, each with its own softmax")
def weights_query_by_query(q, k):
    (B, H, Tq, D), Tk = q.shape, k.shape[2]
    rows = []
    for i in range(Tq):
        seen = Tk - Tq + i + 1
        scores = q[:, :, i : i + 1] @ k[:, :, :seen].transpose(0, 1, 3, 2) * (1 / D**0.5)
        rows.append(softmax(scores))  # (B, H, 1, seen)
    y = np.zeros((B, H, Tq, Tk), q.data.dtype)
    for i, row in enumerate(rows):
        y[:, :, i, : row.shape[3]] = row.data[:, :, 0]

    def vjp(g):
        return tuple(g[:, :, i : i + 1, : row.shape[3]] for i, row in enumerate(rows))

    return Tensor.op(y, tuple(rows), vjp)


@alternative(EX06, "attention_weights", style="half of the scale on each side, masked by finfo.min")
def weights_scaled_on_both_sides(q, k):
    Tq, Tk = q.shape[2], k.shape[2]
    quarter = q.shape[3] ** -0.25
    scores = (q * quarter) @ (k * quarter).transpose(0, 1, 3, 2)
    later = np.tri(Tq, Tk, Tk - Tq) == 0
    lowest = np.finfo(q.data.dtype).min
    masked = Tensor.op(
        np.where(later, lowest, scores.data), (scores,), lambda g: (np.where(later, 0, g),)
    )
    return softmax(masked)


# causal_attention


@alternative(EX06, "causal_attention", style="one node from q, k and v to the result")
def attention_in_one_node(q, k, v):
    scale, Tq, Tk = q.shape[3] ** -0.5, q.shape[2], k.shape[2]
    scores = scale * (q.data @ k.data.swapaxes(2, 3))
    scores[:, :, np.triu(np.ones((Tq, Tk), bool), 1 + Tk - Tq)] = -np.inf
    w = np.exp(scores - scores.max(-1, keepdims=True))
    w = w / w.sum(-1, keepdims=True)

    def vjp(g):
        to_w = g @ v.data.swapaxes(2, 3)
        to_scores = scale * w * (to_w - (to_w * w).sum(-1, keepdims=True))
        to_k = to_scores.swapaxes(2, 3) @ q.data
        return to_scores @ k.data, to_k, w.swapaxes(2, 3) @ g

    return Tensor.op(w @ v.data, (q, k, v), vjp)


@alternative(EX06, "causal_attention", style="the weights by columns, a sum over the keys")
def attention_as_a_sum(q, k, v):
    w = attention_weights(q, k)
    total = w[..., 0:1] * v[:, :, 0:1]
    for j in range(1, k.shape[2]):
        total = total + w[..., j : j + 1] * v[:, :, j : j + 1]
    return total


@alternative(EX06, "causal_attention", style="broadcast, then summed over the keys")
def attention_by_broadcasting(q, k, v):
    (B, H, Tq, D), Tk = q.shape, k.shape[2]
    w = attention_weights(q, k).reshape(B, H, Tq, Tk, 1)
    return (w * v.reshape(B, H, 1, Tk, D)).sum(axis=3)


@alternative(EX06, "causal_attention", style="all heads in one batch axis, strided views")
def attention_with_heads_in_the_batch(q, k, v):
    B, H, Tq, D = q.shape
    q, k, v = (x.reshape(1, B * H, x.shape[2], D) for x in (q, k, v))
    transposed = v.transpose(0, 1, 3, 2) @ attention_weights(q, k).transpose(0, 1, 3, 2)
    return transposed.transpose(0, 1, 3, 2).reshape(B, H, Tq, D)


# self_attention


@alternative(EX06, "self_attention", style="written out line by line")
def self_attention_line_by_line(x, weights, n_head, cache=None):
    q = linear(x, weights["wq"], weights.get("bq"))
    k = linear(x, weights["wk"], weights.get("bk"))
    v = linear(x, weights["wv"], weights.get("bv"))
    q, k, v = split_heads(q, n_head), split_heads(k, n_head), split_heads(v, n_head)
    if cache is not None:
        k, v = cache.extend(k, v)
    y = causal_attention(q, k, v)
    return linear(merge_heads(y), weights["wo"], weights.get("bo"))


@alternative(EX06, "self_attention", style="a head at a time, each through its part of wo")
def self_attention_head_by_head(x, weights, n_head, cache=None):
    B, T, C = x.shape
    D = C // n_head
    q, k, v = (linear(x, weights["w" + i], weights.get("b" + i)) for i in "qkv")
    k, v = split_heads(k, n_head), split_heads(v, n_head)
    if cache is not None:
        k, v = cache.extend(k, v)
    total = weights.get("bo", 0.0)
    for h in range(n_head):
        part = slice(h * D, (h + 1) * D)
        query = q[:, :, part].reshape(B, 1, T, D)
        y = causal_attention(query, k[:, h : h + 1], v[:, h : h + 1]).reshape(B, T, D)
        total = y @ weights["wo"][:, part].transpose(1, 0) + total
    return total


@alternative(EX06, "self_attention", style="q, k and v by one product with one tall matrix")
def self_attention_with_one_product(x, weights, n_head, cache=None):
    C = x.shape[2]
    parts = tuple(weights["w" + i] for i in "qkv")
    tall = Tensor.op(
        np.concatenate([w.data for w in parts]), parts, lambda g: tuple(np.split(g, 3))
    )
    rows = linear(x, tall)  # (B, T, 3C)
    q, k, v = (rows[:, :, i * C : (i + 1) * C] for i in range(3))
    if "bq" in weights:
        q, k, v = q + weights["bq"], k + weights["bk"], v + weights["bv"]
    q, k, v = (split_heads(row, n_head) for row in (q, k, v))
    k, v = (k, v) if cache is None else cache.extend(k, v)
    y = linear(merge_heads(causal_attention(q, k, v)), weights["wo"])
    return y + weights["bo"] if "bo" in weights else y


# KVCache


@alternative(EX06, "KVCache", style="two lists of arrays, put together each time")
class CacheOfLists:
    def __init__(self, capacity=None):
        self.keys, self.values = [], []

    def __len__(self):
        return sum(k.shape[2] for k in self.keys)

    def extend(self, k, v):
        self.keys.append(k.data)
        self.values.append(v.data)
        return Tensor(np.concatenate(self.keys, 2)), Tensor(np.concatenate(self.values, 2))


@alternative(EX06, "KVCache", style="keeps Tensors, and lets gradients flow back")
class CacheOfTensors:
    def __init__(self, capacity=None):
        self.kept = None

    def __len__(self):
        return self.kept[0].shape[2] if self.kept else 0

    def extend(self, k, v):
        def behind(old, new):
            end = old.shape[2]
            y = np.concatenate([old.data, new.data], axis=2)
            return Tensor.op(y, (old, new), lambda g: (g[:, :, :end], g[:, :, end:]))

        if self.kept is None:
            self.kept = k, v
        else:
            self.kept = behind(self.kept[0], k), behind(self.kept[1], v)
        return self.kept


@alternative(EX06, "KVCache", style="positions first, each written alone, a list returned")
class CacheByPosition:
    def __init__(self, capacity=None):
        self.capacity = capacity or 1
        self.filled = 0

    def __len__(self):
        return self.filled

    def extend(self, k, v):
        B, H, T, D = k.shape
        if self.filled == 0:
            self.keys = np.zeros((self.capacity, B, H, D), k.data.dtype)
            self.values = np.zeros((self.capacity, B, H, D), v.data.dtype)
        for t in range(T):
            if self.filled == len(self.keys):
                more = np.zeros_like(self.keys)
                self.keys = np.concatenate([self.keys, more])
                self.values = np.concatenate([self.values, more])
            self.keys[self.filled], self.values[self.filled] = k.data[:, :, t], v.data[:, :, t]
            self.filled += 1
        kept = self.keys[: self.filled], self.values[: self.filled]
        return [Tensor(np.moveaxis(array, 0, 2)) for array in kept]


# more ways


@alternative(EX06, "causal_attention", style="key by key, with a running maximum, as in flash")
def attention_online(q, k, v):
    Tq, Tk, scale = q.shape[2], k.shape[2], float(q.shape[3]) ** -0.5
    position = np.arange(Tk - Tq, Tk).reshape(1, 1, Tq)
    largest = np.full(q.shape[:3], -np.inf, q.data.dtype)
    total, mixed = np.zeros_like(largest), np.zeros_like(q.data)
    for j in range(Tk):
        s = np.einsum("bhtd,bhd->bht", q.data, k.data[:, :, j]) * scale
        s = np.where(position < j, -np.inf, s).astype(q.data.dtype)
        new = np.maximum(largest, s)
        shrink, e = np.exp(largest - new), np.exp(s - new)
        total = total * shrink + e
        mixed = mixed * shrink[..., None] + e[..., None] * v.data[:, :, j][:, :, None]
        largest = new
    y = mixed / total[..., None]

    def vjp(g):
        s = np.einsum("bhtd,bhjd->bhtj", q.data, k.data) * scale - largest[..., None]
        hidden = np.arange(Tk) > position[..., None]
        p = np.where(hidden, 0, np.exp(np.where(hidden, 0, s))) / total[..., None]
        ds = p * (np.einsum("bhtd,bhjd->bhtj", g, v.data) - (g * y).sum(-1, keepdims=True)) * scale
        dq = np.einsum("bhtj,bhjd->bhtd", ds, k.data)
        dk = np.einsum("bhtj,bhtd->bhjd", ds, q.data)
        return dq, dk, np.einsum("bhtj,bhtd->bhjd", p, g)

    return Tensor.op(y, (q, k, v), vjp)


@alternative(EX06, "attention_weights", style="the forbidden part of e^score multiplied away")
def weights_by_triangle(q, k):
    seen = np.tri(q.shape[2], k.shape[2], k.shape[2] - q.shape[2], dtype=q.data.dtype)
    scores = q @ k.transpose(0, 1, 3, 2) / float(np.sqrt(q.shape[-1]))
    largest = np.max(scores.data, axis=-1, keepdims=True, where=seen > 0, initial=-np.inf)
    exps = ((scores - largest) * seen).exp() * seen
    return exps / exps.sum(axis=-1, keepdims=True)


@alternative(EX06, "self_attention", style="Tensor's @ alone, closures for the parts")
def attention_of_closures(x, weights, n_head, cache=None):
    def project(name, t):
        y = t @ weights["w" + name].transpose(1, 0)
        return y + weights["b" + name] if "b" + name in weights else y

    def parts():
        for name in "qkv":
            yield split_heads(project(name, x), n_head)

    q, *rest = parts()
    rest = rest if cache is None else cache.extend(*rest)
    return project("o", merge_heads(causal_attention(q, *rest)))


@alternative(EX06, "KVCache", style="a dataclass around a deque, put together when asked")
@dataclass(eq=False)
class CacheOfChunks:
    capacity: int | None = None
    chunks: deque = field(default_factory=deque)

    def __len__(self):
        return sum(k.shape[2] for k, _ in self.chunks)

    def extend(self, k, v):
        self.chunks.append((k.data.copy(order="F"), v.data[...]))
        keys, values = zip(*self.chunks)
        return Tensor(np.concatenate(keys, 2)), Tensor(np.concatenate(values, 2))
