"""Exercise 4: what goes wrong in the building blocks."""

from math import erf

import numpy as np

from grader.diagnosis import mutant
from solutions.ex03_tensor import Tensor

C = (2 / np.pi) ** 0.5
WIDENED = "the result became float64; keep float32 "


# relu


@mutant("ex04_ops", "relu", says="you took the smaller of x and 0; relu is the larger")
def relu_minimum(x):
    return Tensor.op(np.minimum(x.data, 0), (x,), lambda g: (g * (x.data < 0),))


@mutant("ex04_ops", "relu", says="that is the absolute value; below 0 relu gives 0")
def relu_absolute(x):
    return Tensor.op(np.abs(x.data), (x,), lambda g: (g * np.sign(x.data),))


@mutant("ex04_ops", "relu", says="numbers below 0 leak through; relu gives 0 for all of them")
def relu_leaky(x):
    slope = np.where(x.data > 0, 1.0, 0.01)
    return Tensor.op(x.data * slope, (x,), lambda g: (g * slope,))


@mutant(
    "ex04_ops",
    "relu",
    says=WIDENED + "(Tensor(mask), of a mask of True and False, is float64)",
)
def relu_float64(x):
    return x * (x.data > 0).astype(np.float64)


@mutant("ex04_ops", "relu", says="all of the gradient passes; it must stop where x is not above 0")
def relu_gradient_not_masked(x):
    return Tensor.op(np.maximum(x.data, 0), (x,), lambda g: (g,))


@mutant("ex04_ops", "relu", says="the gradient is the mask alone; multiply it by g from above")
def relu_gradient_without_g(x):
    return Tensor.op(np.maximum(x.data, 0), (x,), lambda g: ((x.data > 0) * 1.0,))


@mutant("ex04_ops", "relu", says="the gradient is masked by the sign of g; the sign of x decides")
def relu_gradient_masked_by_g(x):
    return Tensor.op(np.maximum(x.data, 0), (x,), lambda g: (g * (g > 0),))


@mutant("ex04_ops", "relu", says="the gradient passes where x is 0; there it must stop, too")
def relu_gradient_at_zero(x):
    return Tensor.op(np.maximum(x.data, 0), (x,), lambda g: (g * (x.data >= 0),))


@mutant("ex04_ops", "relu", says="x itself was changed; the result needs an array of its own")
def relu_in_place(x):
    y = np.maximum(x.data, 0, out=x.data)
    return Tensor.op(y, (x,), lambda g: (g * (y > 0),))


# gelu


@mutant(
    "ex04_ops", "gelu", says="that is the form with erf; GPT-2's has tanh, and differs a little"
)
def gelu_erf(x):
    share = 0.5 * (1 + np.vectorize(erf, otypes=[float])(x.data / 2**0.5))
    density = np.exp(-x.data * x.data / 2) / (2 * np.pi) ** 0.5
    return Tensor.op(x.data * share, (x,), lambda g: (g * (share + x.data * density),))


@mutant("ex04_ops", "gelu", says="that is x * sigmoid(1.702 x), another approximation; use tanh(u)")
def gelu_sigmoid(x):
    return x / ((x * -1.702).exp() + 1)


@mutant("ex04_ops", "gelu", says="the factor sqrt(2 / pi) is missing in u")
def gelu_without_root(x):
    return x / (((x + x**3 * 0.044715) * -2).exp() + 1)


@mutant("ex04_ops", "gelu", says="there is an x^2 in u; it must be x^3")
def gelu_square(x):
    return x / (((x + x**2 * 0.044715) * C * -2).exp() + 1)


@mutant("ex04_ops", "gelu", says="the factor 0.5 is missing")
def gelu_twice(x):
    return x * 2 / (((x + x**3 * 0.044715) * C * -2).exp() + 1)


@mutant(
    "ex04_ops",
    "gelu",
    says="tanh as a quotient of exponentials is inf / inf, nan, for large x; np.tanh is not",
)
def gelu_overflow(x):
    e = ((x + x**3 * 0.044715) * C * 2).exp()
    return x * ((e - 1) / (e + 1) + 1) * 0.5


@mutant("ex04_ops", "gelu", says=WIDENED + "(a numpy number such as np.sqrt(2 / np.pi) widens it)")
def gelu_float64(x):
    tanh = np.tanh(np.sqrt(2 / np.pi) * (x.data + 0.044715 * x.data**3))

    def vjp(g):
        slope = (1 - tanh * tanh) * (C * (1 + 3 * 0.044715 * x.data**2))
        return (g * (0.5 * (1 + tanh + x.data * slope)),)

    return Tensor.op(0.5 * x.data * (1 + tanh), (x,), vjp)


@mutant(
    "ex04_ops",
    "gelu",
    says="the gradient takes tanh(u) as a constant; u depends on x: a product has two terms",
)
def gelu_gradient_of_one_factor(x):
    tanh = np.tanh(C * (x.data + 0.044715 * x.data**3))
    return Tensor.op(0.5 * x.data * (1 + tanh), (x,), lambda g: (g * (0.5 * (1 + tanh)),))


@mutant(
    "ex04_ops",
    "gelu",
    says="the gradient takes u as sqrt(2 / pi) x; the slope of its x^3 is missing",
)
def gelu_gradient_without_cubic(x):
    tanh = np.tanh(C * (x.data + 0.044715 * x.data**3))
    slope = 0.5 * (1 + tanh) + 0.5 * x.data * (1 - tanh * tanh) * C
    return Tensor.op(0.5 * x.data * (1 + tanh), (x,), lambda g: (g * slope,))


@mutant("ex04_ops", "gelu", says="the gradient is dy/dx alone; multiply it by g from above")
def gelu_gradient_without_g(x):
    tanh = np.tanh(C * (x.data + 0.044715 * x.data**3))
    inner = C * (1 + 3 * 0.044715 * x.data**2)
    slope = 0.5 * (1 + tanh) + 0.5 * x.data * (1 - tanh * tanh) * inner
    return Tensor.op(0.5 * x.data * (1 + tanh), (x,), lambda g: (slope,))


# softmax


@mutant("ex04_ops", "softmax", says="exp overflows for large scores; subtract the maximum first")
def softmax_overflow(x, axis=-1):
    e = x.exp()
    return e / e.sum(axis, keepdims=True)


@mutant(
    "ex04_ops",
    "softmax",
    says="you subtracted the maximum of the whole array; each vector along `axis` needs its own",
)
def softmax_one_maximum(x, axis=-1):
    e = (x - x.data.max()).exp()
    return e / e.sum(axis, keepdims=True)


@mutant("ex04_ops", "softmax", says="you divided by the sum of the whole array; sum along `axis`")
def softmax_one_sum(x, axis=-1):
    e = (x - x.data.max(axis, keepdims=True)).exp()
    return e / e.sum()


@mutant(
    "ex04_ops",
    "softmax",
    says="the sum lost its axis; with keepdims=True it lines up with the scores again",
)
def softmax_without_keepdims(x, axis=-1):
    e = (x - x.data.max(axis, keepdims=True)).exp()
    return e / e.sum(axis)


@mutant("ex04_ops", "softmax", says="the axis is not used: it is always the last")
def softmax_last_axis(x, axis=-1):
    e = (x - x.data.max(-1, keepdims=True)).exp()
    return e / e.sum(-1, keepdims=True)


@mutant(
    "ex04_ops",
    "softmax",
    says="minus_max takes the last axis alone; swapaxes(axis, -1) before it, and again at the end",
)
def softmax_maximum_of_the_last_axis(x, axis=-1):
    e = np.exp(x.data - x.data.max(-1, keepdims=True))
    p = e / e.sum(axis, keepdims=True)
    return Tensor.op(p, (x,), lambda g: (p * (g - (g * p).sum(axis, keepdims=True)),))


@mutant("ex04_ops", "softmax", says="the default axis is the last, -1; yours is the first")
def softmax_first_axis(x, axis=0):
    e = (x - x.data.max(axis, keepdims=True)).exp()
    return e / e.sum(axis, keepdims=True)


@mutant("ex04_ops", "softmax", says="you divided the scores by their sum; take exp of them first")
def softmax_without_exp(x, axis=-1):
    return x / x.sum(axis, keepdims=True)


@mutant("ex04_ops", "softmax", says="you divided by the largest, or by nothing; divide by the sum")
def softmax_by_maximum(x, axis=-1):
    return (x - x.data.max(axis, keepdims=True)).exp()


@mutant("ex04_ops", "softmax", says="these are the logarithms of the probabilities: log-softmax")
def softmax_log(x, axis=-1):
    z = x - x.data.max(axis, keepdims=True)
    return z - z.exp().sum(axis, keepdims=True).log()


@mutant("ex04_ops", "softmax", says=WIDENED + "(a new array of zeros or ones is float64)")
def softmax_float64(x, axis=-1):
    z = x - x.data.max(axis, keepdims=True)
    e = z.exp() * np.ones(x.shape)
    return e / e.sum(axis, keepdims=True)


@mutant(
    "ex04_ops",
    "softmax",
    says="the gradient is p (1 - p) g; that leaves out how one score moves the other probabilities",
)
def softmax_gradient_diagonal(x, axis=-1):
    e = np.exp(x.data - x.data.max(axis, keepdims=True))
    p = e / e.sum(axis, keepdims=True)
    return Tensor.op(p, (x,), lambda g: (p * (1 - p) * g,))


@mutant(
    "ex04_ops",
    "softmax",
    says="the gradient takes the sum as a constant, p * g; every score is part of the sum",
)
def softmax_gradient_constant_sum(x, axis=-1):
    e = np.exp(x.data - x.data.max(axis, keepdims=True))
    p = e / e.sum(axis, keepdims=True)
    return Tensor.op(p, (x,), lambda g: (p * g,))


@mutant("ex04_ops", "softmax", says="the gradient subtracts the sum of g; it is the sum of g * p")
def softmax_gradient_plain_sum(x, axis=-1):
    e = np.exp(x.data - x.data.max(axis, keepdims=True))
    p = e / e.sum(axis, keepdims=True)
    return Tensor.op(p, (x,), lambda g: (p * (g - g.sum(axis, keepdims=True)),))


@mutant(
    "ex04_ops", "softmax", says="the gradient subtracts the plain mean of g; weight each g by its p"
)
def softmax_gradient_plain_mean(x, axis=-1):
    e = np.exp(x.data - x.data.max(axis, keepdims=True))
    p = e / e.sum(axis, keepdims=True)
    return Tensor.op(p, (x,), lambda g: (p * (g - g.mean(axis, keepdims=True)),))


@mutant(
    "ex04_ops",
    "softmax",
    says="the sum in the gradient is always along the last axis; it must be along `axis`",
)
def softmax_gradient_last_axis(x, axis=-1):
    e = np.exp(x.data - x.data.max(axis, keepdims=True))
    p = e / e.sum(axis, keepdims=True)
    return Tensor.op(p, (x,), lambda g: (p * (g - (g * p).sum(-1, keepdims=True)),))


@mutant(
    "ex04_ops",
    "softmax",
    says="the sum in the gradient lost its axis; with keepdims=True it lines up with g again",
)
def softmax_gradient_without_keepdims(x, axis=-1):
    e = np.exp(x.data - x.data.max(axis, keepdims=True))
    p = e / e.sum(axis, keepdims=True)
    return Tensor.op(p, (x,), lambda g: (p * (g - (g * p).sum(axis)),))


@mutant("ex04_ops", "softmax", says="x itself was changed; the result needs an array of its own")
def softmax_in_place(x, axis=-1):
    x.data -= x.data.max(axis, keepdims=True)
    e = np.exp(x.data)
    p = e / e.sum(axis, keepdims=True)
    return Tensor.op(p, (x,), lambda g: (p * (g - (g * p).sum(axis, keepdims=True)),))


# embedding


@mutant("ex04_ops", "embedding", says="you picked columns; an id stands for a row of the table")
def embedding_columns(table, ids):
    return table.transpose()[np.asarray(ids) % table.shape[1]]


@mutant("ex04_ops", "embedding", says="ids count from 0; yours count from 1")
def embedding_from_one(table, ids):
    return table[np.asarray(ids) - 1]


@mutant("ex04_ops", "embedding", says="the shape of the ids is lost: ids (...) give (..., C)")
def embedding_flat(table, ids):
    return table[np.asarray(ids).ravel()]


@mutant(
    "ex04_ops", "embedding", says=WIDENED + "(a one-hot array is float64 unless told otherwise)"
)
def embedding_float64(table, ids):
    return Tensor(np.eye(table.shape[0])[np.asarray(ids)]) @ table.reshape(1, *table.shape)


@mutant(
    "ex04_ops",
    "embedding",
    says="a row used twice kept only its last gradient: grad[ids] = g, or +=, does not add up",
)
def embedding_last_gradient(table, ids):
    def vjp(g):
        grad = np.zeros_like(table.data)
        grad[ids] += g
        return (grad,)

    ids = np.asarray(ids)
    return Tensor.op(table.data[ids], (table,), vjp)


@mutant(
    "ex04_ops",
    "embedding",
    says="the gradient has the shape of what was looked up; it must have the table's, (V, C)",
)
def embedding_gradient_of_the_rows(table, ids):
    return Tensor.op(table.data[np.asarray(ids)], (table,), lambda g: (g,))


@mutant(
    "ex04_ops",
    "embedding",
    says="the table gets no gradient: make it the parent of the node; np.add.at returns None",
)
def embedding_detached(table, ids):
    return Tensor(table.data[np.asarray(ids)])


# linear


@mutant("ex04_ops", "linear", says="the weight was not transposed; it stands (out, in)")
def linear_not_transposed(x, weight, bias=None):
    rows = x.reshape(-1, x.shape[-1])
    y = (rows @ weight).reshape(*x.shape[:-1], weight.shape[1])
    return y if bias is None else y + bias


@mutant("ex04_ops", "linear", says="the bias is not used")
def linear_without_bias(x, weight, bias=None):
    rows = x.reshape(-1, x.shape[-1])
    return (rows @ weight.transpose()).reshape(*x.shape[:-1], weight.shape[0])


@mutant("ex04_ops", "linear", says="the bias was subtracted; add it")
def linear_bias_subtracted(x, weight, bias=None):
    rows = x.reshape(-1, x.shape[-1])
    y = (rows @ weight.transpose()).reshape(*x.shape[:-1], weight.shape[0])
    return y if bias is None else y - bias


@mutant("ex04_ops", "linear", says="the leading axes are lost: x (..., in) gives (..., out)")
def linear_flat(x, weight, bias=None):
    y = x.reshape(-1, x.shape[-1]) @ weight.transpose()
    return y if bias is None else y + bias


@mutant(
    "ex04_ops",
    "linear",
    says="a single vector is not handled: Tensor's @ takes matrices, so make it one row first",
)
def linear_of_matrices_only(x, weight, bias=None):
    y = x @ weight.transpose()
    return y if bias is None else y + bias


@mutant("ex04_ops", "linear", says=WIDENED + "(a new array of zeros or ones is float64)")
def linear_float64(x, weight, bias=None):
    rows = x.reshape(-1, x.shape[-1])
    y = (rows @ weight.transpose()).reshape(*x.shape[:-1], weight.shape[0])
    return y + np.zeros(weight.shape[0]) if bias is None else y + bias


def linear_node(x, weight, bias, vjp):
    """A right forward with a gradient of one's own: vjp(g, rows), g and x as rows.

    Tensor here is not the Tensor that the mutant is put beside; x knows which one that is.
    """
    rows = x.data.reshape(-1, x.shape[-1])
    y = (rows @ weight.data.T).reshape(*x.shape[:-1], weight.shape[0])
    y = x.op(y, (x, weight), lambda g: vjp(g.reshape(-1, g.shape[-1]), rows))
    return y if bias is None else y + bias


@mutant("ex04_ops", "linear", says="the weight's gradient is transposed; it must stand (out, in)")
def linear_weight_gradient_transposed(x, weight, bias=None):
    def vjp(g, rows):
        return (g @ weight.data).reshape(x.shape), rows.T @ g

    return linear_node(x, weight, bias, vjp)


@mutant(
    "ex04_ops", "linear", says="x got g @ weight^T; the weight is not transposed on the way back"
)
def linear_x_gradient_transposed(x, weight, bias=None):
    def vjp(g, rows):
        return (g @ weight.data.T).reshape(x.shape), g.T @ rows

    return linear_node(x, weight, bias, vjp)


@mutant(
    "ex04_ops",
    "linear",
    says="the weight's gradient is averaged over the rows; each row adds to it: sum",
)
def linear_weight_gradient_averaged(x, weight, bias=None):
    def vjp(g, rows):
        return (g @ weight.data).reshape(x.shape), g.T @ rows / len(rows)

    return linear_node(x, weight, bias, vjp)


@mutant(
    "ex04_ops",
    "linear",
    says="x gets no gradient: g @ weight",
)
def linear_x_gets_nothing(x, weight, bias=None):
    return linear_node(x, weight, bias, lambda g, rows: (None, g.T @ rows))


@mutant("ex04_ops", "linear", says="the weight gets no gradient: g^T @ x")
def linear_weight_gets_nothing(x, weight, bias=None):
    return linear_node(x, weight, bias, lambda g, rows: ((g @ weight.data).reshape(x.shape), None))


@mutant("ex04_ops", "linear", says="the bias gets no gradient: add the Tensor, not its array .data")
def linear_bias_is_constant(x, weight, bias=None):
    rows = x.reshape(-1, x.shape[-1])
    y = (rows @ weight.transpose()).reshape(*x.shape[:-1], weight.shape[0])
    return y if bias is None else y + bias.data


@mutant(
    "ex04_ops",
    "linear",
    says="the bias summed its gradient over the first axis only; sum over all but the last",
)
def linear_bias_gradient_of_one_axis(x, weight, bias=None):
    y = linear_without_bias(x, weight)
    if bias is None:
        return y
    return Tensor.op(y.data + bias.data, (y, bias), lambda g: (g, g.sum(0)))


@mutant(
    "ex04_ops",
    "linear",
    says="the bias's gradient is averaged over the rows; each row adds to it: sum",
)
def linear_bias_gradient_averaged(x, weight, bias=None):
    y = linear_without_bias(x, weight)
    if bias is None:
        return y
    n = bias.shape[0]
    return Tensor.op(y.data + bias.data, (y, bias), lambda g: (g, g.reshape(-1, n).mean(0)))


# cross_entropy


def rows_of(logits, targets, ignore=-1):
    """z (N, V) without its maximum, log p (N, V), the targets (N,), and the rows that count."""
    z = logits.reshape(-1, logits.shape[-1])
    z = z - z.data.max(-1, keepdims=True)
    logp = z - z.exp().sum(-1, keepdims=True).log()
    targets = np.asarray(targets).ravel()
    rows = np.flatnonzero(targets != ignore)
    if len(rows) == 0:
        raise ValueError("nothing to average")
    return z, logp, targets, rows


@mutant("ex04_ops", "cross_entropy", says="the loss was summed; it is the mean over the rows")
def cross_entropy_sum(logits, targets, ignore=-1):
    _, logp, targets, rows = rows_of(logits, targets, ignore)
    return -logp[rows, targets[rows]].sum()


@mutant(
    "ex04_ops",
    "cross_entropy",
    says="the sum was divided by the number of all rows; ignored rows must not be counted",
)
def cross_entropy_mean_of_all(logits, targets, ignore=-1):
    _, logp, targets, rows = rows_of(logits, targets, ignore)
    return -logp[rows, targets[rows]].sum() / len(targets)


@mutant(
    "ex04_ops",
    "cross_entropy",
    says="ignored rows were counted like the others: their target -1 is taken as the last class",
)
def cross_entropy_counts_padding(logits, targets, ignore=-1):
    _, logp, targets, _ = rows_of(logits, targets, ignore)
    return -logp[np.arange(len(targets)), targets].mean()


def picked_and_masked(logits, targets, ignore):
    """log p at each target, 0 where it is ignored: but there the target, such as -100, is no place.

    The targets and the rows that count come with it.
    """
    _, logp, targets, rows = rows_of(logits, targets, ignore)
    kept = (targets != ignore).astype(logp.data.dtype)
    return logp[np.arange(len(targets)), targets] * kept, targets, rows


@mutant(
    "ex04_ops",
    "cross_entropy",
    says="what is ignored is used as an index all the same, and may be any number; pick among the"
    " rows that count alone",
)
def cross_entropy_ignored_as_index(logits, targets, ignore=-1):
    picked, _, rows = picked_and_masked(logits, targets, ignore)
    return picked.sum() * (-1 / len(rows))


@mutant("ex04_ops", "cross_entropy", says="the loss was summed; it is the mean over the rows")
def cross_entropy_sum_of_masked(logits, targets, ignore=-1):
    picked, _, _ = picked_and_masked(logits, targets, ignore)
    return -picked.sum()


@mutant("ex04_ops", "cross_entropy", says="-1 is always ignored; use the argument `ignore`")
def cross_entropy_fixed_ignore(logits, targets, ignore=-1):
    _, logp, targets, rows = rows_of(logits, targets)
    return -logp[rows, targets[rows]].mean()


@mutant(
    "ex04_ops",
    "cross_entropy",
    says="all targets below 0 were ignored; ignore those that equal `ignore`, any number",
)
def cross_entropy_ignores_negatives(logits, targets, ignore=-1):
    targets = np.asarray(targets)
    _, logp, targets, rows = rows_of(logits, np.where(targets < 0, -1, targets))
    return -logp[rows, targets[rows]].mean()


@mutant(
    "ex04_ops",
    "cross_entropy",
    says="exp overflows for large logits; subtract the maximum of each row first",
)
def cross_entropy_overflow(logits, targets, ignore=-1):
    _, _, targets, rows = rows_of(logits, targets, ignore)
    z = logits.reshape(-1, logits.shape[-1])
    logp = z - z.exp().sum(-1, keepdims=True).log()
    return -logp[rows, targets[rows]].mean()


@mutant(
    "ex04_ops",
    "cross_entropy",
    says="a small probability was rounded to 0, whose log is -inf: do not take log(softmax(z))",
)
def cross_entropy_log_of_softmax(logits, targets, ignore=-1):
    z, _, targets, rows = rows_of(logits, targets, ignore)
    p = z.exp() / z.exp().sum(-1, keepdims=True)
    return -p[rows, targets[rows]].log().mean()


@mutant(
    "ex04_ops",
    "cross_entropy",
    says="something was added to p before the log, to be safe; z[target] - log(sum(exp)) is exact",
)
def cross_entropy_clipped(logits, targets, ignore=-1):
    z, _, targets, rows = rows_of(logits, targets, ignore)
    p = z.exp() / z.exp().sum(-1, keepdims=True)
    return -(p[rows, targets[rows]] + 1e-12).log().mean()


@mutant("ex04_ops", "cross_entropy", says="the sign is wrong: surprise is minus log p")
def cross_entropy_sign(logits, targets, ignore=-1):
    _, logp, targets, rows = rows_of(logits, targets, ignore)
    return logp[rows, targets[rows]].mean()


@mutant("ex04_ops", "cross_entropy", says="the logarithm is to base 2; take the natural one")
def cross_entropy_bits(logits, targets, ignore=-1):
    _, logp, targets, rows = rows_of(logits, targets, ignore)
    return -logp[rows, targets[rows]].mean() / np.log(2)


@mutant("ex04_ops", "cross_entropy", says="that is minus p of the target; take its logarithm")
def cross_entropy_without_log(logits, targets, ignore=-1):
    _, logp, targets, rows = rows_of(logits, targets, ignore)
    return -logp.exp()[rows, targets[rows]].mean()


@mutant(
    "ex04_ops",
    "cross_entropy",
    says="z[:, targets] takes every row at every target; pick one for each row: z[rows, targets]",
)
def cross_entropy_all_pairs(logits, targets, ignore=-1):
    _, logp, targets, rows = rows_of(logits, targets, ignore)
    return -logp[rows][:, targets[rows]].mean()


@mutant(
    "ex04_ops",
    "cross_entropy",
    says="you averaged -log p over all classes; only the target's counts",
)
def cross_entropy_of_all_classes(logits, targets, ignore=-1):
    _, logp, _, rows = rows_of(logits, targets, ignore)
    return -logp[rows].mean()


@mutant(
    "ex04_ops",
    "cross_entropy",
    says="the probabilities add up to 1 over the rows; they must do so over the V classes of a row",
)
def cross_entropy_over_rows(logits, targets, ignore=-1):
    z, _, targets, rows = rows_of(logits, targets, ignore)
    z = logits.reshape(*z.shape)
    z = z - z.data.max(0)
    return -(z - z.exp().sum(0).log())[rows, targets[rows]].mean()


@mutant(
    "ex04_ops",
    "cross_entropy",
    says="with all rows ignored you returned a number; there is nothing to average: ValueError",
)
def cross_entropy_of_nothing(logits, targets, ignore=-1):
    if (np.asarray(targets) == ignore).all():
        return (logits * 0.0).sum()
    _, logp, targets, rows = rows_of(logits, targets, ignore)
    return -logp[rows, targets[rows]].mean()


@mutant(
    "ex04_ops",
    "cross_entropy",
    says="the loss has an axis; a mean of everything has the shape ()",
)
def cross_entropy_of_shape_one(logits, targets, ignore=-1):
    _, logp, targets, rows = rows_of(logits, targets, ignore)
    return -logp[rows, targets[rows]].mean(keepdims=True)


def cross_entropy_node(logits, targets, ignore, vjp):
    """A right forward with a gradient of one's own: vjp(g, p, targets, rows) -> (N, V)."""
    _, logp, targets, rows = rows_of(logits, targets, ignore)
    loss = -logp.data[rows, targets[rows]].mean()
    p = np.exp(logp.data)
    return logits.op(loss, (logits,), lambda g: (vjp(g, p, targets, rows).reshape(logits.shape),))


@mutant(
    "ex04_ops",
    "cross_entropy",
    says="the gradient is not divided by the number of rows, as the loss is",
)
def cross_entropy_gradient_of_sum(logits, targets, ignore=-1):
    def vjp(g, p, targets, rows):
        grad = np.zeros_like(p)
        grad[rows] = p[rows]
        grad[rows, targets[rows]] -= 1
        return grad * g

    return cross_entropy_node(logits, targets, ignore, vjp)


@mutant(
    "ex04_ops",
    "cross_entropy",
    says="the gradient is divided by the number of all rows; ignored rows must not be counted",
)
def cross_entropy_gradient_by_all_rows(logits, targets, ignore=-1):
    def vjp(g, p, targets, rows):
        grad = np.zeros_like(p)
        grad[rows] = p[rows]
        grad[rows, targets[rows]] -= 1
        return grad * (g / len(p))

    return cross_entropy_node(logits, targets, ignore, vjp)


@mutant("ex04_ops", "cross_entropy", says="ignored rows got a gradient; theirs is 0")
def cross_entropy_gradient_of_padding(logits, targets, ignore=-1):
    def vjp(g, p, targets, rows):
        grad = p.copy()
        grad[rows, targets[rows]] -= 1
        return grad * (g / len(rows))

    return cross_entropy_node(logits, targets, ignore, vjp)


@mutant("ex04_ops", "cross_entropy", says="the gradient is p alone; what was right is missing: - 1")
def cross_entropy_gradient_without_onehot(logits, targets, ignore=-1):
    def vjp(g, p, targets, rows):
        grad = np.zeros_like(p)
        grad[rows] = p[rows]
        return grad * (g / len(rows))

    return cross_entropy_node(logits, targets, ignore, vjp)


@mutant(
    "ex04_ops",
    "cross_entropy",
    says="the gradient is right minus predicted; it is predicted minus right",
)
def cross_entropy_gradient_sign(logits, targets, ignore=-1):
    def vjp(g, p, targets, rows):
        grad = np.zeros_like(p)
        grad[rows] = -p[rows]
        grad[rows, targets[rows]] += 1
        return grad * (g / len(rows))

    return cross_entropy_node(logits, targets, ignore, vjp)


@mutant("ex04_ops", "cross_entropy", says="the gradient from above is not used; multiply by g")
def cross_entropy_gradient_without_g(logits, targets, ignore=-1):
    def vjp(g, p, targets, rows):
        grad = np.zeros_like(p)
        grad[rows] = p[rows]
        grad[rows, targets[rows]] -= 1
        return grad / len(rows)

    return cross_entropy_node(logits, targets, ignore, vjp)


@mutant(
    "ex04_ops", "cross_entropy", says="the logits themselves were changed; use an array of your own"
)
def cross_entropy_in_place(logits, targets, ignore=-1):
    logits.data -= logits.data.max(-1, keepdims=True)
    _, logp, targets, rows = rows_of(logits, targets, ignore)
    return -logp[rows, targets[rows]].mean()


@mutant(
    "ex04_ops", "relu", says="you wrote into g; others hold it too, so make an array of your own"
)
def relu_writes_into_g(x):
    def vjp(g):
        if not g.flags.writeable:
            g = g.copy()
        g[x.data <= 0] = 0
        return (g,)

    return x.op(np.maximum(x.data, 0), (x,), vjp)


@mutant("ex04_ops", "relu", says="numbers above 6 are cut off; relu has no ceiling")
def relu_with_a_ceiling(x):
    return x.op(np.clip(x.data, 0, 6), (x,), lambda g: (g * ((x.data > 0) & (x.data < 6)),))


@mutant(
    "ex04_ops",
    "softmax",
    says="the first result comes back for ever; x may hold other numbers by now",
)
def softmax_remembered(x, axis=-1):
    e = np.exp(x.data - x.data.max(axis=axis, keepdims=True))
    kept = vars(x).setdefault("probabilities", {})
    y = kept.setdefault(axis, e / e.sum(axis=axis, keepdims=True))
    return x.op(y, (x,), lambda g: (y * (g - (g * y).sum(axis=axis, keepdims=True)),))


@mutant(
    "ex04_ops",
    "embedding",
    says="the gradient became float64 by zeros or a onehot of float64; give them the table's type",
)
def embedding_onehot_of_float64(table, ids):
    ids = np.asarray(ids)
    onehot = np.eye(len(table.data))[ids.ravel()]
    return table.op(
        table.data[ids], (table,), lambda g: (onehot.T @ g.reshape(-1, table.shape[1]),)
    )
