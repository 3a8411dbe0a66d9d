"""Exercise 4: the building blocks.

Everything here could be composed from Tensor's operations, and that is a right answer everywhere.
But one idea is better as one node with one vjp: it is faster, it keeps fewer arrays alive, and its
gradient often turns out simpler than its formula. Forward and gradient stand side by side.

The best example is softmax with the loss that follows it. For two classes, with logits z0 and z1:

    p0 = e^z0 / (e^z0 + e^z1)        the target is class 0:   loss = -log p0 = log(e^z0 + e^z1) - z0

    d loss / dz0 = e^z0 / (e^z0 + e^z1) - 1 = p0 - 1
    d loss / dz1 = e^z1 / (e^z0 + e^z1)     = p1

So the gradient is *what was predicted minus what was right*: p - [1, 0]. In numbers, z = [0, 0]:
p = [0.5, 0.5], loss = log 2 = 0.693, gradient [-0.5, 0.5]. In general it is p - onehot(target).

Softmax by itself, for two classes, with g the gradient from above:

    dp0/dz0 = p0 (1 - p0)   dp1/dz0 = -p0 p1     so z0 gets g0 p0 (1 - p0) - g1 p0 p1
                                                          = p0 (g0 - (g0 p0 + g1 p1))

In general: p * (g - sum(g * p)). Each gets its gradient above the average one.

    ids (B, T) --embedding--> (B, T, C) --linear--> (B, T, V) --cross_entropy--> ()
    "which token"             "what it means"       "what comes next"            "how wrong"

What goes wrong most often: exp of a large logit overflows (subtract the maximum first: the result
is the same), a token that occurs twice gets only one gradient, the loss is summed, not averaged.

In MicroGPT these are `linear`, `softmax`, the look-up `params["wte"][token]`, and `loss_of`.
Read more: Goodfellow, Bengio and Courville 2016, "Deep Learning", sections 6.2.2.3 and 6.5.
"""

import numpy as np

from .ex03_tensor import Tensor


def relu(x):
    """max(x, 0); the gradient passes where x is above 0, and stops elsewhere.

    x (any shape) -> the same shape.  [-1, 2] gives [0, 2].
    """
    # TODO 1  the result
    # TODO 2  the node, its gradient masked
    raise NotImplementedError("TODO relu")


def gelu(x):
    """A smooth relu: x times (nearly) the probability that a normal variable is below x.

        y = 0.5 x (1 + tanh(u)),     u = sqrt(2 / pi) (x + 0.044715 x^3)

        dy/dx = 0.5 (1 + tanh(u)) + 0.5 x (1 - tanh(u)^2) sqrt(2 / pi) (1 + 3 * 0.044715 x^2)

    This is GPT-2's tanh form, not the one with erf. x (any shape) -> the same shape.
    0 gives 0; 1 gives 0.841192; -1 gives -0.158808.
    Hendrycks and Gimpel 2016, section 2.
    """
    # TODO 1  tanh(u)
    # TODO 2  the result
    # TODO 3  the node, with dy/dx
    raise NotImplementedError("TODO gelu")


def softmax(x, axis=-1):
    """Scores -> probabilities along `axis`: positive, and they add up to 1.

        y = exp(x) / sum(exp(x)),     g -> y * (g - sum(g * y))

    Subtracting the maximum first changes nothing (e^(a-m) / e^(b-m) = e^a / e^b) but the overflow.

    x (any shape) -> the same shape.  [0, log 3] gives [0.25, 0.75]; [1000, 1000] gives [0.5, 0.5].
    """
    # TODO 1  exp of x minus its maximum along the axis   keepdims
    # TODO 2  divided by their sum                        keepdims
    # TODO 3  the node
    raise NotImplementedError("TODO softmax")


def embedding(table, ids):
    """Look up: row `ids[i]` of the table for each i.

    The gradient of each row goes back to the row that it came from; a row used twice gets both.
    For a table of a few hundred rows the fastest way to add them up is a matrix product: with
    onehot (N, V), 1 where row n asked for v and else 0, it is onehot^T @ g.

    table (V, C), ids integer array (...) -> (..., C)
    table [[1, 2], [3, 4]] and ids [1, 1] give [[3, 4], [3, 4]].
    """
    ids = np.asarray(ids)
    # TODO 1  the rows                                    (..., C)
    # TODO 2  the node; its gradient, added up by row     (V, C)
    raise NotImplementedError("TODO embedding")


def linear(x, weight, bias=None):
    """Each output is the dot product of x with one row of `weight`, plus a bias.

        y = x @ weight^T + bias

        g -> x: g @ weight     weight: g^T @ x     bias: the sum of g over all rows

    weight stands (out, in), as in MicroGPT and PyTorch. All leading axes are rows: flatten them to
    one matrix product, which is much faster than many small ones.

    x (..., in), weight (out, in), bias (out,) -> (..., out)
    x [1, 2], weight [[3, 4]], bias [5] give [1*3 + 2*4 + 5] = [16].
    """
    # TODO 1  all leading axes as rows                    (..., in) -> (N, in)
    # TODO 2  the node of the product                     (N, out) -> (..., out)
    # TODO 3  the bias, if there is one: Tensor's + knows its gradient
    raise NotImplementedError("TODO linear")


def cross_entropy(logits, targets, ignore=-1):
    """The mean surprise, -log p(target), over the rows whose target is not `ignore`, in nats.

        loss = mean(log(sum(exp(z))) - z[target]),     g -> g * (softmax(z) - onehot) / count

    Rows that are ignored count nowhere: not in the sum, not in the mean, not in the gradient.

    logits (..., V), targets integer array (...) -> ()
    logits [0, 0] and target 0 give log 2 = 0.693147; the gradient is [-0.5, 0.5].
    All rows ignored: ValueError.
    """
    targets = np.asarray(targets).ravel()
    # TODO 1  the rows that count; none: ValueError
    # TODO 2  log p: z - max, and that minus log(sum(exp))           (N, V)
    # TODO 3  the mean of -log p at the targets that count           ()
    # TODO 4  the node; (p - onehot) / count, and 0 in rows that are ignored
    raise NotImplementedError("TODO cross_entropy")
