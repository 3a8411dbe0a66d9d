"""Exercise 4: other right answers."""

from functools import reduce
from math import exp, log, pi, sqrt, tanh

import numpy as np

from grader.diagnosis import alternative
from solutions.ex03_tensor import Tensor

# relu


@alternative("ex04_ops", "relu", style="composed: x times a mask")
def relu_composed(x):
    return x * (x.data > 0)


@alternative("ex04_ops", "relu", style="np.where in both directions")
def relu_where(x):
    def vjp(g):
        return [np.where(x.data > 0, g, 0)]

    return Tensor.op(np.where(x.data > 0, x.data, 0), [x], vjp)


@alternative("ex04_ops", "relu", style="loops over all numbers")
def relu_loops(x):
    y = np.empty_like(x.data)
    for place in np.ndindex(x.shape):
        y[place] = max(x.data[place], 0)

    def vjp(g):
        grad = np.zeros_like(x.data)
        for place in zip(*np.nonzero(y)):
            grad[place] = g[place]
        return (grad,)

    return Tensor.op(y, (x,), vjp)


@alternative("ex04_ops", "relu", style="half of x plus its absolute value; a copy masked in place")
def relu_absolute(x):
    def vjp(g):
        grad = g.copy()
        grad[x.data <= 0] = 0
        return (grad,)

    return Tensor.op((x.data + np.abs(x.data)) / 2, (x,), vjp)


# gelu


@alternative("ex04_ops", "gelu", style="composed: x / (1 + e^(-2u))")
def gelu_composed(x):
    u = (x + x**3 * 0.044715) * sqrt(2 / pi)
    return x / ((u * -2).exp() + 1)


@alternative("ex04_ops", "gelu", style="composed: 0.5 x (1 + tanh(u)), tanh without an overflow")
def gelu_composed_tanh(x):
    u = sqrt(2 / pi) * (x + 0.044715 * x * x * x)
    tanh_u = 1 - 2 / (1 + (2 * u).exp())
    return 0.5 * x * (1 + tanh_u)


@alternative("ex04_ops", "gelu", style="loops over all numbers, with the math module")
def gelu_loops(x):
    c, a = sqrt(2 / pi), 0.044715
    y, slope = np.empty_like(x.data), np.empty_like(x.data)
    for place in np.ndindex(x.shape):
        v = float(x.data[place])
        t = tanh(c * (v + a * v**3))
        y[place] = 0.5 * v * (1 + t)
        slope[place] = 0.5 * (1 + t) + 0.5 * v * (1 - t**2) * c * (1 + 3 * a * v**2)
    return Tensor.op(y, (x,), lambda g: (g * slope,))


@alternative("ex04_ops", "gelu", style="a tanh of one's own as a node, the rest composed")
def gelu_of_a_tanh_node(x):
    u = (x + x**3 * 0.044715) * (2 / pi) ** 0.5
    t = np.tanh(u.data)
    tanh_u = Tensor.op(t, (u,), lambda g: (g * (1 - t**2),))
    return x * (tanh_u + 1) * 0.5


@alternative("ex04_ops", "gelu", style="in Fortran order, 1 / cosh^2 for the slope of tanh")
def gelu_cosh(x):
    a = np.asfortranarray(x.data)
    c = float(np.sqrt(2 / np.pi))
    u = c * (a + 0.044715 * np.power(a, 3))
    share = np.add(1, np.tanh(u)) / 2

    def vjp(g):
        bend = a / 2 / np.cosh(np.clip(u, -40, 40)) ** 2
        return (g * (share + bend * (c + 3 * c * 0.044715 * np.square(a))),)

    return Tensor.op(a * share, (x,), vjp)


# softmax


@alternative("ex04_ops", "softmax", style="composed of Tensor's operations")
def softmax_composed(x, axis=-1):
    e = (x - x.data.max(axis=axis, keepdims=True)).exp()
    return e / e.sum(axis=axis, keepdims=True)


@alternative("ex04_ops", "softmax", style="composed: e^(x - log of the sum)")
def softmax_by_logarithm(x, axis=-1):
    z = x - np.max(x.data, axis, keepdims=True)
    return (z - z.exp().sum(axis, True).log()).exp()


@alternative("ex04_ops", "softmax", style="the axis moved to the end; the Jacobian by einsum")
def softmax_jacobian(x, axis=-1):
    z = np.moveaxis(x.data, axis, -1)
    e = np.exp(z - z.max(-1)[..., None])
    p = e / e.sum(-1)[..., None]

    def vjp(g):
        g = np.moveaxis(g, axis, -1)
        jacobian = np.einsum("...i,ij->...ij", p, np.eye(p.shape[-1], dtype=p.dtype))
        jacobian -= np.einsum("...i,...j->...ij", p, p)
        return (np.moveaxis(np.einsum("...i,...ij->...j", g, jacobian), -1, axis),)

    return Tensor.op(np.moveaxis(p, -1, axis), (x,), vjp)


@alternative("ex04_ops", "softmax", style="loops over the vectors, Python's exp")
def softmax_loops(x, axis=-1):
    z = np.swapaxes(x.data, axis, -1)
    p = np.empty(z.shape, z.dtype)
    for place in np.ndindex(z.shape[:-1]):
        largest = max(z[place])
        exps = [exp(v - largest) for v in z[place]]
        p[place] = [e / sum(exps) for e in exps]

    def vjp(g):
        g = np.swapaxes(g, axis, -1)
        grad = np.zeros_like(p)
        for place in np.ndindex(p.shape[:-1]):
            mean = sum(p[place] * g[place])
            grad[place] = [pi * (gi - mean) for pi, gi in zip(p[place], g[place])]
        return (np.swapaxes(grad, axis, -1),)

    return Tensor.op(np.swapaxes(p, axis, -1), (x,), vjp)


@alternative("ex04_ops", "softmax", style="p * g first, and then p times its sum off")
def softmax_other_order(x, axis=-1):
    p = np.exp(np.subtract(x.data, np.amax(x.data, axis=axis, keepdims=True)))
    p = np.true_divide(p, np.sum(p, axis=axis, keepdims=True))

    def vjp(g):
        pg = p * g
        return (pg - p * pg.sum(axis=axis, keepdims=True),)

    return Tensor.op(p, (x,), vjp)


# embedding


@alternative("ex04_ops", "embedding", style="composed: the table, indexed")
def embedding_composed(table, ids):
    return table[np.asarray(ids)]


@alternative("ex04_ops", "embedding", style="np.add.at")
def embedding_add_at(table, ids):
    ids = np.array(ids, dtype=int)

    def vjp(g):
        grad = np.zeros_like(table.data)
        np.add.at(grad, ids, g)
        return (grad,)

    return Tensor.op(np.take(table.data, ids, axis=0), (table,), vjp)


@alternative("ex04_ops", "embedding", style="loops over the ids")
def embedding_loops(table, ids):
    ids = np.asarray(ids)
    flat = [int(i) for i in ids.reshape(-1)]
    rows = np.stack([table.data[i] for i in flat])

    def vjp(g):
        grad = np.zeros(table.shape, g.dtype)
        for i, row in zip(flat, g.reshape(len(flat), -1)):
            grad[i] = grad[i] + row
        return (grad,)

    return Tensor.op(rows.reshape(*ids.shape, table.shape[1]), (table,), vjp)


@alternative("ex04_ops", "embedding", style="composed: one-hot times the table")
def embedding_onehot(table, ids):
    ids = np.asarray(ids)
    onehot = np.eye(table.shape[0], dtype=table.data.dtype)[ids.ravel()]
    return (Tensor(onehot) @ table).reshape(*ids.shape, table.shape[1])


@alternative("ex04_ops", "embedding", style="np.bincount for each channel")
def embedding_bincount(table, ids):
    ids = np.asarray(ids)
    V, C = table.shape

    def vjp(g):
        columns = np.moveaxis(g, -1, 0).reshape(C, -1)
        sums = [np.bincount(ids.ravel(), weights=column, minlength=V) for column in columns]
        return (np.stack(sums, axis=1).astype(g.dtype),)

    return Tensor.op(table.data[ids, :], (table,), vjp)


# linear


@alternative("ex04_ops", "linear", style="composed: reshape, @, reshape")
def linear_composed(x, weight, bias=None):
    y = x.reshape(-1, x.shape[-1]) @ weight.transpose()
    y = y.reshape(*x.shape[:-1], weight.shape[0])
    if bias is not None:
        y = y + bias
    return y


@alternative("ex04_ops", "linear", style="composed: a matrix product for each matrix of the batch")
def linear_batched(x, weight, bias=None):
    if len(x.shape) == 1:
        return linear(x.reshape(1, -1), weight, bias).reshape(-1)  # noqa: F821
    y = x @ weight.transpose(1, 0)
    return y if bias is None else bias + y


@alternative("ex04_ops", "linear", style="einsum, one node with all three gradients")
def linear_einsum(x, weight, bias=None):
    y = np.einsum("...i,oi->...o", x.data, weight.data)
    if bias is not None:
        y = y + bias.data

    def vjp(g):
        rows = g.reshape(-1, g.shape[-1])
        to_x = np.einsum("...o,oi->...i", g, weight.data)
        to_weight = np.einsum("no,ni->oi", rows, x.data.reshape(-1, x.shape[-1]))
        return (to_x, to_weight) if bias is None else (to_x, to_weight, rows.sum(axis=0))

    return Tensor.op(y, (x, weight) if bias is None else (x, weight, bias), vjp)


@alternative("ex04_ops", "linear", style="loops over the outputs, strided views")
def linear_loops(x, weight, bias=None):
    n_out, n_in = weight.shape
    rows = x.data.reshape(-1, n_in)
    y = np.zeros((n_out, len(rows)), rows.dtype)
    for o in range(n_out):
        for i in range(n_in):
            y[o] += rows[:, i] * weight.data[o, i]

    def vjp(g):
        columns = g.reshape(-1, n_out).T
        to_x, to_weight = np.zeros_like(rows), np.zeros_like(weight.data)
        for o in range(n_out):
            to_x += np.outer(columns[o], weight.data[o])
            to_weight[o] = columns[o] @ rows
        return to_x.reshape(x.shape), to_weight

    y = Tensor.op(y.T.reshape(*x.shape[:-1], n_out), (x, weight), vjp)
    return y if bias is None else y + bias


@alternative("ex04_ops", "linear", style="tensordot, and the bias as a node of its own")
def linear_tensordot(x, weight, bias=None):
    leading = tuple(range(len(x.shape) - 1))

    def vjp(g):
        return np.tensordot(g, weight.data, 1), np.tensordot(g, x.data, (leading, leading))

    y = Tensor.op(np.tensordot(x.data, weight.data, (-1, 1)), (x, weight), vjp)
    if bias is None:
        return y
    return Tensor.op(y.data + bias.data, (y, bias), lambda g: (g, g.sum(axis=leading)))


# cross_entropy


@alternative("ex04_ops", "cross_entropy", style="composed: log of the sum minus the target's logit")
def cross_entropy_composed(logits, targets, ignore=-1):
    targets = np.asarray(targets).reshape(-1)
    keep = np.nonzero(targets != ignore)[0]
    if keep.size == 0:
        raise ValueError("no targets")
    z = logits.reshape(-1, logits.shape[-1])[keep]
    z = z - z.data.max(axis=-1, keepdims=True)
    log_sum = z.exp().sum(axis=-1).log()
    return (log_sum - z[np.arange(len(keep)), targets[keep]]).mean()


@alternative("ex04_ops", "cross_entropy", style="composed: a one-hot mask of weights 1 / count")
def cross_entropy_onehot(logits, targets, ignore=-1):
    targets = np.asarray(targets)
    counts = targets != ignore
    if not counts.any():
        raise ValueError("every target is ignored")
    V = logits.shape[-1]
    onehot = (np.arange(V) == targets[..., None]) & counts[..., None]  # (..., V)
    weights = onehot.astype(logits.data.dtype) / int(counts.sum())
    z = logits - logits.data.max(-1, keepdims=True)
    logp = z - z.exp().sum(-1, keepdims=True).log()
    return -(logp * weights).sum()


@alternative("ex04_ops", "cross_entropy", style="loops over the rows, Python's log and exp")
def cross_entropy_loops(logits, targets, ignore=-1):
    rows = logits.data.reshape(-1, logits.shape[-1])
    pairs = [(i, int(t)) for i, t in enumerate(np.ravel(targets)) if t != ignore]
    if not pairs:
        raise ValueError("nothing to average")
    total = 0.0
    for i, t in pairs:
        largest = float(max(rows[i]))
        total += largest + log(sum(exp(v - largest) for v in rows[i])) - float(rows[i][t])

    def vjp(g):
        grad = np.zeros_like(rows)
        for i, t in pairs:
            e = np.exp(rows[i] - rows[i].max())
            grad[i] = e / e.sum()
            grad[i, t] -= 1.0
        return ((grad * (float(g) / len(pairs))).reshape(logits.shape),)

    return Tensor.op(np.asarray(total / len(pairs), rows.dtype), (logits,), vjp)


@alternative(
    "ex04_ops", "cross_entropy", style="np.logaddexp, Fortran order, targets picked by axis"
)
def cross_entropy_logaddexp(logits, targets, ignore=-1):
    V = logits.shape[-1]
    z = np.asfortranarray(logits.data.reshape(-1, V))
    targets = np.asarray(targets, dtype=np.int64).ravel()
    keep = targets != ignore
    count = np.count_nonzero(keep)
    if not count:
        raise ValueError("all rows are ignored")
    safe = np.where(keep, targets, 0)
    log_sum = np.logaddexp.reduce(z, axis=1)
    picked = np.take_along_axis(z, safe[:, None], axis=1)[:, 0]
    loss = np.where(keep, log_sum - picked, 0).sum() / count

    def vjp(g):
        share = np.where(keep, g / count, 0)[:, None].astype(z.dtype)  # (N, 1)
        grad = share * np.exp(z - log_sum[:, None])
        np.subtract.at(grad, (np.arange(len(z)), safe), share[:, 0])
        return (grad.reshape(logits.shape),)

    return Tensor.op(loss, (logits,), vjp)


@alternative("ex04_ops", "cross_entropy", style="a node for log-softmax, then indexed and averaged")
def cross_entropy_of_log_softmax(logits, targets, ignore=-1):
    targets = np.asarray(targets).ravel()
    rows = [i for i, t in enumerate(targets) if t != ignore]
    if rows == []:
        raise ValueError("nothing is left")
    z = logits.data - logits.data.max(-1, keepdims=True)
    logp = z - np.log(np.sum(np.exp(z), axis=-1, keepdims=True))
    node = Tensor.op(logp, (logits,), lambda g: (g - np.exp(logp) * g.sum(axis=-1, keepdims=True),))
    return -(node.reshape(len(targets), -1)[rows, targets[rows]].sum() / len(rows))


# more ways


@alternative("ex04_ops", "relu", style="clipped, and a heaviside step")
def relu_clipped(x):
    step = np.heaviside(x.data, np.zeros_like(x.data))
    return Tensor.op(x.data.clip(0), (x,), lambda g: (np.multiply(step, g),))


@alternative("ex04_ops", "gelu", style="float64 throughout, x's own type at the end")
def gelu_widened(x):
    wide = x.data.astype(np.float64)
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (wide + 0.044715 * np.power(wide, 3)))

    def vjp(g):
        slope = 0.5 * (1 + t) + 0.5 * wide * (1 - t**2) * c * (1 + 3 * 0.044715 * wide**2)
        return (np.asarray(g * slope, x.data.dtype),)

    return Tensor.op(np.asarray(0.5 * wide * (1 + t), x.data.dtype), (x,), vjp)


@alternative("ex04_ops", "softmax", style="logaddexp, folded along the axis")
def softmax_by_logaddexp(x, axis=-1):
    total = np.logaddexp.reduce(x.data, axis=axis, keepdims=True)
    p = np.exp(x.data - total)

    def vjp(g):
        back = g * p
        back -= p * back.sum(axis=axis, keepdims=True)
        return [back]

    return Tensor.op(p, [x], vjp)


@alternative("ex04_ops", "embedding", style="ids sorted, their rows added up by reduceat")
def embedding_by_reduceat(table, ids):
    ids = np.array(ids)

    def vjp(g):
        flat = ids.reshape(-1)
        order = np.argsort(flat, kind="stable")
        found, first = np.unique(flat[order], return_index=True)
        grad = np.zeros(table.shape, table.data.dtype, order="F")
        grad[found] = np.add.reduceat(g.reshape(len(flat), -1)[order], first, axis=0)
        return (grad,)

    return Tensor.op(np.take(table.data, ids, axis=0), (table,), vjp)


@alternative("ex04_ops", "linear", style="recursion over the leading axes; outer products")
def linear_recursive(x, weight, bias=None):
    def rows(array):
        return [array] if array.ndim == 1 else [row for part in array for row in rows(part)]

    y = np.inner(x.data, weight.data)
    if bias is not None:
        y += bias.data

    def vjp(g):
        pairs = list(zip(rows(g), rows(x.data)))
        dw = reduce(np.add, (np.outer(above, below) for above, below in pairs))
        shares = [np.tensordot(g, weight.data, axes=1), dw]
        return shares if bias is None else [*shares, reduce(np.add, rows(g))]

    return Tensor.op(y, [x, weight] if bias is None else [x, weight, bias], vjp)


@alternative("ex04_ops", "cross_entropy", style="a fold of Tensors, one for each row")
def cross_entropy_folded(logits, targets, ignore=-1):
    targets = [int(t) for t in np.ravel(targets)]
    rows = logits.reshape(len(targets), logits.shape[-1])
    losses = []
    for i, t in enumerate(targets):
        if t != ignore:
            z = rows[i] - float(rows.data[i].max())
            losses.append(z.exp().sum().log() - z[t])
    if not losses:
        raise ValueError("nothing to average")
    return reduce(lambda a, b: a + b, losses) / len(losses)


@alternative("ex04_ops", "cross_entropy", style="take_along_axis, rows weighted by 0 or 1")
def cross_entropy_weighted(logits, targets, ignore=-1):
    flat, V = np.asarray(targets).reshape(-1, 1), logits.data.shape[-1]
    counts = (flat != ignore).astype(logits.data.dtype)
    if not counts.any():
        raise ValueError("no target counts")
    counts /= counts.sum()
    z = logits.data.reshape(-1, V)
    logp = z - np.logaddexp.reduce(z, axis=1, keepdims=True)
    chosen = np.where(flat == ignore, 0, flat)
    loss = -(counts * np.take_along_axis(logp, chosen, axis=1)).sum()

    def vjp(g):
        p = np.exp(logp)
        np.put_along_axis(p, chosen, np.take_along_axis(p, chosen, 1) - 1, axis=1)
        return (np.reshape(float(g) * counts * p, logits.data.shape),)

    return Tensor.op(loss, (logits,), vjp)


@alternative("ex04_ops", "cross_entropy", style="keeps log p, and makes p anew in each walk")
def cross_entropy_anew_in_each_walk(logits, targets, ignore=-1):
    targets = np.asarray(targets).ravel()
    (rows,) = np.nonzero(targets != ignore)
    if not rows.size:
        raise ValueError("every target is ignored")
    z = logits.data.reshape(len(targets), -1)
    z = z - z.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))

    def vjp(g):
        p = np.exp(logp)
        p[rows, targets[rows]] -= 1
        p[targets == ignore] = 0
        p *= g / rows.size
        return (p.reshape(logits.shape),)

    return Tensor.op(-logp[rows, targets[rows]].mean(), (logits,), vjp)
