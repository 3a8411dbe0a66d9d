"""Misconceptions of exercise 4, in other words than those of tests/mutants."""

import math

import numpy as np

from grader.diagnosis import mutant
from solutions.ex03_tensor import Tensor

EX = "ex04_ops"


@mutant(EX, "relu", says="relu_absolute")
def relu_by_where(x):
    sign = np.where(x.data < 0, -1, 1).astype(x.data.dtype)
    return Tensor.op(x.data * sign, (x,), lambda g: (g * np.sign(x.data),))


@mutant(EX, "relu", says="relu_gradient_not_masked")
def relu_by_clip(x):
    return Tensor.op(np.clip(x.data, 0, None), (x,), lambda upstream: (upstream.copy(),))


@mutant(EX, "gelu", says="gelu_without_root")
def gelu_composed(x):
    u = x + 0.044715 * x * x * x
    return x / (1.0 + (u * -2.0).exp())


@mutant(EX, "gelu", says="gelu_square")
def gelu_composed_square(x):
    root = math.sqrt(2 / math.pi)
    inner = (x + x * x * 0.044715) * root
    return x * ((inner * -2.0).exp() + 1.0) ** -1.0


@mutant(EX, "gelu", says="gelu_twice")
def gelu_in_pieces(x):
    z = x.data
    c = math.sqrt(2.0 / math.pi)
    t = np.tanh(c * (z + 0.044715 * np.power(z, 3)))

    def pull(g):
        du = c * (1 + 3 * 0.044715 * z**2)
        return (g * ((1 + t) + z * (1 - t**2) * du),)

    return Tensor.op(z * (1 + t), (x,), pull)


@mutant(EX, "softmax", says="softmax_overflow")
def softmax_composed(x, axis=-1):
    e = x.exp()
    return e / e.sum(axis=axis, keepdims=True)


@mutant(EX, "softmax", says="softmax_last_axis")
def softmax_rows(x, axis=-1):
    top = np.amax(x.data, axis=-1, keepdims=True)
    e = (x - top).exp()
    total = e.sum(-1, True)
    return e * total**-1.0


@mutant(EX, "softmax", says="softmax_gradient_diagonal")
def softmax_diagonal(x, axis=-1):
    shifted = x.data - np.max(x.data, axis=axis, keepdims=True)
    p = np.exp(shifted)
    p = p / np.sum(p, axis=axis, keepdims=True)
    return Tensor.op(p, (x,), lambda g: (g * p - g * p * p,))


@mutant(EX, "embedding", says="embedding_last_gradient")
def embedding_with_a_loop(table, ids):
    ids = np.array(ids, dtype=int)

    def pull(g):
        grad = np.zeros_like(table.data)
        for place in np.ndindex(ids.shape):
            grad[ids[place]] = g[place]
        return (grad,)

    return Tensor.op(np.take(table.data, ids, axis=0), (table,), pull)


@mutant(EX, "embedding", says="embedding_flat")
def embedding_rows(table, ids):
    flat = np.ravel(ids).astype(int)
    return table[flat]


@mutant(EX, "linear", says="linear_not_transposed")
def linear_as_it_stands(x, weight, bias=None):
    flat = x.reshape(-1, x.shape[-1])
    y = flat @ weight
    y = y.reshape(*x.shape[:-1], y.shape[-1])
    if bias is not None:
        y = y + bias
    return y


@mutant(EX, "linear", says="linear_without_bias")
def linear_of_two(x, weight, bias=None):
    W = weight.transpose()
    if len(x.shape) == 1:
        return (x.reshape(1, -1) @ W).reshape(-1)
    return x @ W


@mutant(EX, "linear", says="linear_bias_subtracted")
def linear_minus(x, weight, bias=None):
    y = x.reshape(-1, x.shape[-1]) @ weight.transpose(1, 0)
    if bias is not None:
        y = y + bias * -1.0
    return y.reshape(*x.shape[:-1], weight.shape[0])


@mutant(EX, "cross_entropy", says="cross_entropy_sum")
def loss_of_kept_rows(logits, targets, ignore=-1):
    t = np.reshape(targets, -1)
    keep = np.where(t != ignore)[0]
    if keep.size == 0:
        raise ValueError("nothing counts")
    z = logits.reshape(-1, logits.shape[-1])[keep]
    z = z - z.data.max(axis=1, keepdims=True)
    logsum = z.exp().sum(axis=1).log()
    return (logsum - z[np.arange(len(keep)), t[keep]]).sum()


@mutant(EX, "cross_entropy", says="cross_entropy_sign")
def loss_plus(logits, targets, ignore=-1):
    t = np.asarray(targets).reshape(-1)
    rows = [i for i, target in enumerate(t) if target != ignore]
    if not rows:
        raise ValueError("every row is ignored")
    z = logits.reshape(-1, logits.shape[-1])
    z = z - z.data.max(-1, keepdims=True)
    logp = z - z.exp().sum(-1, keepdims=True).log()
    return logp[rows, t[rows]].mean()


@mutant(EX, "cross_entropy", says="cross_entropy_mean_of_all")
def loss_by_length(logits, targets, ignore=-1):
    t = np.asarray(targets).reshape(-1)
    weight = (t != ignore).astype(logits.data.dtype)
    if not weight.any():
        raise ValueError("every row is ignored")
    z = logits.reshape(len(t), -1)
    z = z - z.data.max(-1, keepdims=True)
    nll = z.exp().sum(-1).log() - z[np.arange(len(t)), np.where(t == ignore, 0, t)]
    return (nll * weight).mean()
