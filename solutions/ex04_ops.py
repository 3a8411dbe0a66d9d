"""Exercise 4: the building blocks.

A GPT is made of very few functions. Six of them are here. Three make the shortest language model
that there is, and the loss that it is trained by:

    ids (B, T) --embedding--> (B, T, C) --linear--> (B, T, V) --cross_entropy--> ()
    "which token"             "what it means"       "what comes next"            "how wrong"

B documents stand side by side, with T positions each; C numbers, its *channels*, describe a
position, and V scores, its *logits*, say what comes next, one for each token of the vocabulary.

softmax turns scores into probabilities, for the attention of exercise 6; relu and gelu are the
kink between two linears, without which two of them would do no more than one.

*Two ways to write each.* Compose it from what Tensor can do (+ * / ** @ exp log sum ...), and
backward finds the gradient by itself: a right answer everywhere, and a good way to begin. What
Tensor cannot do, such as a maximum or a comparison, is done on the array x.data; for backward that
is a constant. numpy's functions take arrays: np.exp(x) of a Tensor fails ("does not support
ufuncs"); write x.exp(), or np.exp(x.data) for a node of your own.

Or make it one node, Tensor.op(result, (x,), vjp) as in exercise 3, with a gradient that you worked
out on paper. That is the challenge: faster, fewer arrays kept alive, and the gradient is often
simpler than the formula. To see it, take the two that have most to show: softmax, and the loss.

*Softmax* makes probabilities p of scores z: e^z is positive, and divided by their sum they add up
to 1.

    z = [0, log 3]     e^z = [1, 3]     their sum 4     p = [1/4, 3/4]

e^1000 is more than a float can hold. But e^(z0 - m) = e^z0 / e^m, and e^m above and below cancels:
subtracting the same number m from all scores changes nothing. So subtract the largest.

    z = [1000, 1000]     z - 1000 = [0, 0]     e^0 = [1, 1]     p = [1/2, 1/2]

For arrays minus_max does that; it is given, at the end of the file. It works along the last axis
alone: x.data.swapaxes(axis, -1) brings another one there, and the same again brings it back.

Its gradient, for two scores. With s = e^z0 + e^z1, p0 is e^z0 / s and p1 is e^z1 / s. z0 stands
in both, because s holds it too, and ds/dz0 = e^z0. The rule for quotients, (u' s - u s') / s^2:

    dp0/dz0 = (e^z0 s - e^z0 e^z0) / s^2 = p0 - p0 p0 = p0 (1 - p0)
    dp1/dz0 = (  0  s - e^z1 e^z0) / s^2              = -p1 p0

From above come g0 and g1: how the loss moves with p0 and with p1. z0 reaches it through both:

    z0 gets  g0 p0 (1 - p0) - g1 p1 p0  =  p0 (g0 - (g0 p0 + g1 p1))
    z1 gets  the same with 0 and 1 swapped:  p1 (g1 - (g0 p0 + g1 p1))

The bracket inside is the mean of g, each g weighted by its p. With V scores there are V terms in
it, and nothing else changes:  z gets p * (g - sum(g * p)).

    p = [1/4, 3/4], g = [16, 0]    sum(g * p) = 4    z gets [1/4 (16 - 4), 3/4 (0 - 4)] = [3, -3]

*Cross-entropy* is surprise: -log p of what really came. It is 0 where the model was sure and right,
log 2 = 0.693 where it said one half, and without limit where it was sure and wrong. Each of the V
possible answers is a *class*, and the right one the *target*. With class 0 as the target:

    loss = -log(e^z0 / s) = log s - z0

    d loss/dz0 = e^z0 / s - 1 = p0 - 1         the slope of log s is 1 / s times the slope of s
    d loss/dz1 = e^z1 / s     = p1

So the gradient is *what was predicted minus what was right*: p - [1, 0]. With V classes it is
p - onehot, where onehot is 1 at the target and 0 elsewhere. The loss of many rows is their mean, so
each row gets its gradient divided by the number of rows.

    z = [0, log 3], target 0     loss = log 4 - 0 = 1.386     z gets [1/4 - 1, 3/4] = [-3/4, 3/4]

The two agree: -log p0 has the slopes g = [-1/p0, 0], sum(g * p) = -1, and p0 (-1/p0 + 1) = p0 - 1.

Compute it as log s - z[target] all the same, after subtracting the maximum. For z = [1000, 0] and
target 1 that gives log(1 + 0) - (0 - 1000) = 1000, where softmax rounds p1 = e^-1000 to 0, and the
log of 0 is -infinity.

*For all six*: what is handed in stays as it is, the gradient from above too; training changes the
numbers in a Tensor, and the next call sees them; and float32 stays float32, gradients included. Two
things quietly make float64 of it: a numpy number, such as np.sqrt(2) or mask.sum(), times an array
(2**0.5 and int(mask.sum()) do not); and Tensor(mask), where mask is an array of True and False
(tensor * mask does not).

    microgpt.py, one position at a time                        here, all of them at once
    params["wte"][token]                        in gpt         embedding(wte, ids)
    [dot(row, x) for row in weight]             in linear      linear(x, weight)
    h.relu()                                    in mlp         relu(x)
    (logit - largest).exp(), e / total          in softmax     softmax(x)
    -probs[ids[position + 1]].log(), and / n    in loss_of     cross_entropy(logits, targets)

gelu is not in MicroGPT: GPT-2 has it in relu's place.

What goes wrong most often: e^z without subtracting the maximum; a token that occurs twice and gets
only one gradient; the loss summed where it should be averaged, or averaged over ignored rows too.

Read more: Goodfellow, Bengio and Courville 2016, "Deep Learning", sections 6.2.2.3 and 6.5.
"""

import numpy as np

from .ex03_tensor import Tensor


def relu(x):
    """max(x, 0); the gradient passes where x is above 0, and stops elsewhere, at 0 itself too.

    x (any shape) -> the same shape
    [-1, 2] gives [0, 2]; the gradient [10, 20] from above becomes [0, 20].
    """
    # TODO 1  the result                          any shape
    # TODO 2  the node, its gradient masked       the same shape
    ### BEGIN SOLUTION
    y = np.maximum(x.data, 0)
    return Tensor.op(y, (x,), lambda g: (g * (y > 0),))
    ### END SOLUTION


def gelu(x):
    """A smooth relu: x times (nearly) the probability that a normal variable is below x.

        y = 0.5 x (1 + tanh(u)),     u = sqrt(2 / pi) (x + 0.044715 x^3)

    The gradient is school calculus: x times (1 + tanh(u)) is a product, the slope of tanh(u) is
    1 - tanh(u)^2 times the slope of u, and the slope of u is sqrt(2 / pi) (1 + 3 * 0.044715 x^2).

        dy/dx = 0.5 (1 + tanh(u)) + 0.5 x (1 - tanh(u)^2) sqrt(2 / pi) (1 + 3 * 0.044715 x^2)

    To compose it: Tensor has no tanh, but 0.5 (1 + tanh(u)) = 1 / (1 + e^(-2u)).

    This is GPT-2's tanh form, not the one with erf. float32 stays float32 if the root is a plain
    number, (2 / np.pi) ** 0.5; np.sqrt would make a numpy number of it.

    x (any shape) -> the same shape
    0 gives 0; 1 gives 0.841192; -1 gives -0.158808; 1000 gives 1000 and -1000 gives 0.
    Hendrycks and Gimpel 2016, section 2.
    """
    # TODO 1  tanh(u)                             any shape
    # TODO 2  the result                          the same shape
    # TODO 3  the node: g times dy/dx             the same shape
    ### BEGIN SOLUTION
    c, x2 = (2 / np.pi) ** 0.5, x.data * x.data
    p = 0.5 * (1 + np.tanh(c * x.data * (1 + 0.044715 * x2)))  # 1 - tanh^2 is 4 p (1 - p)
    slope = p + 2 * x.data * p * (1 - p) * (c * (1 + 3 * 0.044715 * x2))
    return Tensor.op(x.data * p, (x,), lambda g: (g * slope,))
    ### END SOLUTION


def softmax(x, axis=-1):
    """Scores -> probabilities along `axis`: none below 0, and they add up to 1.

        y = exp(x) / sum(exp(x)),     g -> y * (g - sum(g * y))

    Both sums are along `axis`, which may be any: 0 for the columns of a matrix, -1 for its rows.
    Subtract the maximum along `axis` first, or exp overflows. A score of -inf becomes exactly 0:
    exercise 6 hides the future that way (at least one score in each vector is finite).

    x (any shape) -> the same shape
    [0, log 3] gives [0.25, 0.75]; [1000, 1000] gives [0.5, 0.5]; [0, -inf] gives [1, 0].
    """
    # TODO 1  exp of x minus its maximum along the axis   any shape        keepdims
    #         (minus_max knows the last axis alone: swapaxes(axis, -1), and back)
    # TODO 2  divided by their sum along the axis         the same shape   keepdims
    # TODO 3  the node; the sum in its gradient           the same shape   keepdims
    ### BEGIN SOLUTION
    y = np.exp(minus_max(x.data.swapaxes(axis, -1)))
    # divided by the sums of its rows; a product with ones adds up short rows faster than .sum
    y = (y / (y @ np.ones((y.shape[-1], 1), y.dtype))).swapaxes(axis, -1)
    return Tensor.op(y, (x,), lambda g: (y * (g - np.vecdot(g, y, axis=axis, keepdims=True)),))
    ### END SOLUTION


def embedding(table, ids):
    """Look up: row `ids[i]` of the table for each i.

        table [[1, 2],     ids [2, 0, 2]  ->  [[5, 6],     g [[1, 10],     table gets [[2, 20],
               [3, 4],                         [1, 2],        [2, 20],                 [0,  0],
               [5, 6]]                         [5, 6]]        [3, 30]]                 [4, 40]]

    Each gradient goes back to the row that it came from; a row used twice gets the sum of both, a
    row not used gets 0. (numpy's grad[ids] += g keeps only the last of them; np.add.at adds all.)
    For a table of a few hundred rows the fastest sum is a matrix product, onehot^T @ g, where
    onehot (N, V) holds 1 where row n asked for v, and else 0.

    table (V, C), ids a list or an integer array (...) -> (..., C)
    """
    ids = np.asarray(ids)
    # TODO 1  the rows                                    (..., C)
    # TODO 2  the node; its gradient, added up by row     (V, C)
    ### BEGIN SOLUTION

    def vjp(g):
        onehot = np.arange(len(table.data))[:, None] == ids.ravel()  # (V, N)
        return (onehot.dot(g.reshape(-1, g.shape[-1])),)

    return Tensor.op(table.data.take(ids, axis=0), (table,), vjp)
    ### END SOLUTION


def linear(x, weight, bias=None):
    """Each output is the dot product of x with one row of `weight`, plus a bias if there is one.

        y = x @ weight^T + bias

    weight stands (out, in), as in MicroGPT and PyTorch. ^T is transpose() of a Tensor, which has no
    .T, and .T of an array. All leading axes of x are rows, (N, in): one matrix product is much
    faster than many small ones. A single vector (in,) is one row too: Tensor's @ takes no vectors,
    so reshape before it, and back after it.

    The gradient, for row n, output o and input i: y[n,o] = sum over i of x[n,i] weight[o,i].

        x[n,i]       is used for every o, times weight[o,i]   ->  sum over o   g @ weight
        weight[o,i]  is used for every n, times x[n,i]        ->  sum over n   g^T @ x
        bias[o]      is used for every n, times 1             ->  sum over n   g's column sums

    x (..., in), weight (out, in), bias (out,) -> (..., out)
    x [1, 2], weight [[3, 4]], bias [5] give [1*3 + 2*4 + 5] = [16]; with g = [1], x gets [3, 4],
    weight gets [[1, 2]] and bias gets [1].
    """
    # TODO 1  all leading axes as rows                    (..., in) -> (N, in)
    # TODO 2  the node of the product                     (N, out) -> (..., out)
    # TODO 3  the bias, if there is one: Tensor's + knows its gradient
    ### BEGIN SOLUTION
    rows = x.data.reshape(-1, x.shape[-1])  # (N, in)

    def vjp(g):
        g = g.reshape(-1, g.shape[-1])  # (N, out)
        return g.dot(weight.data).reshape(x.shape), g.T.dot(rows)

    y = Tensor.op(rows.dot(weight.data.T).reshape(*x.shape[:-1], -1), (x, weight), vjp)
    return y if bias is None else y + bias
    ### END SOLUTION


def cross_entropy(logits, targets, ignore=-1):
    """The mean surprise, -log p(target), over the rows whose target is not `ignore`.

        loss = mean(log(sum(exp(z))) - z[target]),     g -> g * (softmax(z) - onehot) / count

    The logarithm is the natural one, which makes the loss a number of nats.
    Names differ in length: exercise 9 fills the short ones up, and gives what was filled in the
    target `ignore`, for there is nothing to predict.
    Rows that are ignored count nowhere: not in the sum, not in `count`, and their gradient is 0.
    `ignore` may be any integer, a valid class too. g, the gradient of the loss, is one number.
    Large logits must not overflow, nor small probabilities be rounded to 0 before the log.

    logits (..., V), targets a list or an integer array (...) -> ()
    logits [0, 0] and target 0 give log 2 = 0.693147; the gradient is [-0.5, 0.5].
    logits [1000, 0] and target 1 give 1000.
    All rows ignored: ValueError.
    """
    targets = np.asarray(targets).ravel()
    # TODO 1  the rows that count; none: ValueError                  (n,), n <= N
    # TODO 2  log p: z - max, and that minus log(sum(exp))           (N, V)
    # TODO 3  the mean of -log p at the targets that count           ()
    # TODO 4  the node; (p - onehot) / count, and 0 in rows that are ignored
    ### BEGIN SOLUTION
    (rows,) = (targets != ignore).nonzero()
    if len(rows) == 0:
        raise ValueError(f"all {len(targets)} targets are {ignore}: there is nothing to average")
    at_targets = rows, targets[rows]
    z = minus_max(logits.data.reshape(-1, logits.shape[-1]))  # (N, V)
    logp = z - np.log(np.exp(z) @ np.ones((z.shape[-1], 1), z.dtype))

    def vjp(g):
        grad = np.exp(logp)
        grad[at_targets] -= 1
        grad *= (g / len(rows) * (targets != ignore))[:, None]
        return (grad.reshape(logits.shape),)

    return Tensor.op(-logp[at_targets].sum() / len(rows), (logits,), vjp)
    ### END SOLUTION


def minus_max(z):
    """Each vector along the last axis minus its largest number, (..., V) -> (..., V). Given.

    In short rows numpy finds three times as fast *where* the largest stands as *how large* it is.
    """
    rows = z.reshape(-1, z.shape[-1])
    largest = rows[np.arange(len(rows)), rows.argmax(1)]
    return z - largest.reshape(*z.shape[:-1], 1)
