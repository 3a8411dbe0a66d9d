"""Held out: wrong answers that are no known mistake, written last. Nothing was tuned on them."""

import math

import numpy as np

from grader.diagnosis import mutant
from solutions.ex03_tensor import Tensor
from solutions.ex04_ops import linear, relu, softmax
from solutions.ex06_attention import attention_weights
from solutions.ex07_gpt import mlp, norm, under


def stranger(exercise, name):
    return mutant(exercise, name, says="")


@stranger("ex01_tokenizer", "CharTokenizer.__init__")
def vowels_first(self, docs):
    self.chars = sorted(set("".join(docs)), key=lambda c: (c not in "aeiou", c))
    self.bos, self.vocab_size = len(self.chars), len(self.chars) + 1
    self.ids = {char: id for id, char in enumerate(self.chars)}


@stranger("ex01_tokenizer", "CharTokenizer.encode")
def doubled_letters(self, doc):
    if bad := set(doc) - set(self.ids):
        raise ValueError(str(bad))
    return [self.bos, *(self.ids[c] for c in doc for _ in range(2)), self.bos]


@stranger("ex01_tokenizer", "CharTokenizer.decode")
def in_capitals(self, ids):
    if bad := [i for i in ids if not 0 <= i <= self.bos]:
        raise ValueError(str(bad))
    return "".join(self.chars[i] for i in ids if i != self.bos).upper()


@stranger("ex02_value", "Value.__mul__")
def derivatives_doubled(self, other):
    other = Value.of(other)  # noqa: F821
    return Value(self.data * other.data, (self, other), (2 * other.data, 2 * self.data))  # noqa: F821


@stranger("ex02_value", "Value.__sub__")
def distance(self, other):
    other = Value.of(other)  # noqa: F821
    return Value(abs(self.data - other.data), (self, other), (1, -1))  # noqa: F821


@stranger("ex02_value", "Value.exp")
def exp_and_a_bit(self):
    y = math.exp(self.data) + 0.5
    return Value(y, (self,), (y,))  # noqa: F821


@stranger("ex02_value", "Value.backward")
def doubles_as_it_goes(self):
    order, seen, stack = [], set(), [(self, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack += [(child, False) for child in node.children]
    self.grad += 1
    for node in reversed(order):
        for child, slope in zip(node.children, node.local_grads):
            child.grad += 2 * slope * node.grad


@stranger("ex03_tensor", "unbroadcast")
def sums_the_last(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(-1)
    for axis, n in enumerate(shape):
        if n == 1:
            grad = grad.sum(axis, keepdims=True)
    return grad


@stranger("ex03_tensor", "Tensor.__pow__")
def derivative_of_n_plus_one(self, n):
    return Tensor.op(self.data**n, (self,), lambda g: (g * (n + 1) * self.data**n,))


@stranger("ex03_tensor", "Tensor.reshape")
def in_reverse_order(self, *shape):
    y = self.data.ravel()[::-1].reshape(*shape)
    return Tensor.op(y, (self,), lambda g: (g.ravel()[::-1].reshape(self.shape),))


@stranger("ex03_tensor", "Tensor.sum")
def product_for_sum(self, axis=None, keepdims=False):
    y = self.data.sum(axis=axis, keepdims=keepdims)

    def vjp(g):
        g = g if keepdims or axis is None else np.expand_dims(g, axis)
        return (np.broadcast_to(g, self.shape) / max(1, self.data.ndim),)

    return Tensor.op(y, (self,), vjp)


@stranger("ex04_ops", "relu")
def softplus(x):
    return (x.exp() + 1.0).log()


@stranger("ex04_ops", "softmax")
def sparse(x, axis=-1):
    e = (x - x.data.max(axis, keepdims=True)).exp()
    e = e * e
    return e / e.sum(axis, keepdims=True)


@stranger("ex04_ops", "embedding")
def last_row_for_all_odd(table, ids):
    ids = np.asarray(ids)
    return table[np.where(ids % 2, table.shape[0] - 1, ids)]


@stranger("ex04_ops", "linear")
def bias_before(x, weight, bias=None):
    rows = x.reshape(-1, x.shape[-1]) * 1.5
    return (rows @ weight.transpose()).reshape(*x.shape[:-1], weight.shape[0])


@stranger("ex04_ops", "cross_entropy")
def focal(logits, targets, ignore=-1):
    t = np.asarray(targets).ravel()
    rows = np.flatnonzero(t != ignore)
    if not len(rows):
        raise ValueError("nothing")
    p = softmax(logits.reshape(-1, logits.shape[-1]))[rows, t[rows]]
    return (p.log() * (p - 1.0)).mean()


@stranger("ex05_norm", "rmsnorm")
def cube_root(x, gain=None, eps=1e-5):
    n = x * ((x * x).mean(-1, keepdims=True) + eps) ** (-1 / 3)
    return n if gain is None else n * gain


@stranger("ex05_norm", "layernorm")
def subtracts_the_largest(x, gain, bias, eps=1e-5):
    d = x - x.data.max(-1, keepdims=True)
    return d * ((d * d).mean(-1, keepdims=True) + eps) ** -0.5 * gain + bias


@stranger("ex05_norm", "layernorm")
def by_c_plus_one(x, gain, bias, eps=1e-5):
    d = x - x.mean(-1, keepdims=True)
    v = (d * d).sum(-1, keepdims=True) / (x.shape[-1] + 1)
    return d * (v + eps) ** -0.5 * gain + bias


@stranger("ex06_attention", "attention_weights")
def prefers_the_near(q, k):
    Tq, Tk = q.shape[2], k.shape[2]
    distance_ = (np.arange(Tk - Tq, Tk)[:, None] - np.arange(Tk)).astype(q.data.dtype)
    bias = np.where(distance_ < 0, -np.inf, -0.5 * distance_).astype(q.data.dtype)
    return softmax(q @ k.transpose(0, 1, 3, 2) / q.shape[3] ** 0.5 + bias)


@stranger("ex06_attention", "causal_attention")
def weights_squared(q, k, v):
    w = attention_weights(q, k)
    return (w * w) @ v


@stranger("ex06_attention", "merge_heads")
def heads_averaged(x):
    B, H, T, D = x.shape
    m = x.mean(1, keepdims=True) + x * 0.0
    return m.transpose(0, 2, 1, 3).reshape(B, T, H * D)


@stranger("ex07_gpt", "mlp")
def kink_before(x, weights, activation):
    return linear(
        linear(relu(x), weights["fc1"], weights.get("b1")), weights["fc2"], weights.get("b2")
    )


@stranger("ex07_gpt", "block")
def subtracts(x, weights, config, cache=None):
    y = norm(x, weights, "norm1", config)
    x = x - self_attention(y, under(weights, "attn_"), config.n_head, cache)  # noqa: F821
    y = norm(x, weights, "norm2", config)
    return x - mlp(y, under(weights, "mlp_"), config.activation)


@stranger("ex08_optim", "linear_decay")
def exponential(step, total, peak):
    return peak * 0.5 ** (step / total * 3)


@stranger("ex08_optim", "clip_grad_norm")
def tanh_of_it(params, max_norm):
    ps = [p for p in params.values() if p.grad is not None]
    length = math.sqrt(sum(float((p.grad**2).sum()) for p in ps))
    for p in ps:
        p.grad = np.tanh(p.grad)
    return length


@stranger("ex10_sampling", "temperature")
def minus_t(z, t):
    if t <= 0:
        raise ValueError("t")
    return z - t


@stranger("ex10_sampling", "top_k")
def the_middle(z, k):
    if k < 1:
        raise ValueError("k")
    order = np.argsort(z)[::-1]
    keep = order[1 : k + 1]
    return np.where(np.isin(np.arange(len(z)), keep), z, -np.inf)


@stranger("ex10_sampling", "sample")
def u_squared(z, rng):
    total = np.cumsum(np.exp(z - z.max()))
    return int(np.searchsorted(total / total[-1], rng.random() ** 2, side="right"))


@stranger("ex09_train", "text_batches")
def windows_backwards(ids, batch_size, block_size, rng):
    ids = np.asarray(ids)
    if len(ids) <= block_size:
        raise ValueError("short")
    while True:
        starts = rng.integers(len(ids) - block_size, size=batch_size)
        window = starts[:, None] + np.arange(block_size)[::-1]
        yield ids[window], ids[window + 1]
