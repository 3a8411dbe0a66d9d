"""Exercise 5: normalisation.

Each block of a GPT adds to what came before, so numbers grow from block to block, and with them the
gradients. A norm puts every vector back to a healthy size before it is used.

*RMSNorm* divides a vector by its root mean square, the root of the mean of its squares:

    x = [1, 7]     squares [1, 49]     their mean 25     its root 5     x / 5 = [0.2, 1.4]

Now the mean of the squares is (0.04 + 1.96) / 2 = 1. [10, 70] becomes [0.2, 1.4] too: the direction
of the vector stays, its length is forgotten.

*LayerNorm*, the older one, takes the mean away first. The mean of the squares of what is left is
called the variance. So LayerNorm is RMSNorm of x - mean:

    x = [1, 7]     mean 4     x - 4 = [-3, 3]     variance (9 + 9) / 2 = 9     root 3     [-1, 1]

    (B, T, C)    every vector of C numbers by itself: no vector ever sees another one,
        ^^^      not of another position, not of another document
     the last axis

*eps*, a small number added under the root, keeps a vector of zeros from dividing 0 by 0. *gain* and
*bias*, one number for each channel, are learned: they give each channel back the size and the place
that it needs. To write n * gain + bias, Tensor's own * and + are enough, gradients included.

*The gradient of RMSNorm*, for two channels. Name the parts: m is the mean of squares plus eps, r is
1 over its root, n is the result.

    m = (x0^2 + x1^2) / 2 + eps        r = m^(-1/2)        n0 = x0 r        n1 = x1 r

Move x0 alone, and follow it through:

    dm/dx0  = 2 x0 / 2 = x0
    dr/dx0  = -1/2 m^(-3/2) dm/dx0 = -1/2 r^3 x0                           since m^(-1/2) is r

    dn0/dx0 = r + x0 dr/dx0 = r - 1/2 r^3 x0 x0 = r (1 - n0 n0 / 2)        since x0 r is n0
    dn1/dx0 =     x1 dr/dx0 =   - 1/2 r^3 x1 x0 = r (0 - n1 n0 / 2)        and x1 r is n1

From above come g0 and g1: how the loss moves with n0 and with n1. x0 reaches it through both:

    x0 gets  g0 dn0/dx0 + g1 dn1/dx0  =  r (g0 - n0 (g0 n0 + g1 n1) / 2)
    x1 gets  the same with 0 and 1 swapped:  r (g1 - n1 (g0 n0 + g1 n1) / 2)

(g0 n0 + g1 n1) / 2 is the mean of g * n. With C channels that mean has C terms, and nothing else
changes:  x gets r * (g - n * mean(g * n)).

    x = [1, 7], r = 1/5, n = [0.2, 1.4], g = [1, 0]      mean(g * n) = 0.2 / 2 = 0.1
    x gets 1/5 ([1, 0] - 0.1 [0.2, 1.4]) = 1/5 [0.98, -0.14] = [0.196, -0.028]

A check: a step along x itself must not change n, and indeed 1 * 0.196 - 7 * 0.028 = 0.

*The gradient of LayerNorm* has one step more, c = x - mean. With h the gradient of c, two channels:

    c0 = x0 - (x0 + x1) / 2        dc0/dx0 = 1 - 1/2
    c1 = x1 - (x0 + x1) / 2        dc1/dx0 =   - 1/2

    x0 gets  h0 (1 - 1/2) - h1 / 2 = h0 - (h0 + h1) / 2        in general h - mean(h)

h is RMSNorm's r * (g - n * mean(g * n)). Its mean is r * mean(g), because n has mean 0. Together:
x gets r * (g - mean(g) - n * mean(g * n)).

A check: two channels always end as [-1, 1] or [1, -1] (if eps is 0), so x must get nothing. With
n = [-1, 1] and g = [1, 0] the means are mean(g) = 1/2 and mean(g * n) = -1/2, and what is left is
[1, 0] - 1/2 + 1/2 [-1, 1] = [0, 0].

As in exercise 4, composing either of Tensor's operations is a right answer (the root of a Tensor is
** 0.5), what is handed in stays as it is, and float32 stays float32, gradients included. For a node
of your own mean_product is given, the mean over the last axis that all these formulas ask for.

    microgpt.py, rmsnorm                                         here, all vectors at once
    mean_square = dot(x, x) / len(x)                             the mean over the last axis
    scale = (mean_square + 1e-5) ** -0.5                         r
    [xi * scale for xi in x]                                     n; there is no gain

GPT-2 has layernorm in its place, with gain and bias.

What goes wrong most often: a norm of the whole array; no keepdims, so that shapes do not line up,
or do so wrongly; eps outside the root; C - 1 in the variance; a gradient with r as a constant.

Read more: Zhang and Sennrich 2019, "Root mean square layer normalization"; Ba, Kiros and Hinton
2016, "Layer normalization".
"""

import numpy as np

from .ex03_tensor import Tensor


def rmsnorm(x, gain=None, eps=1e-5):
    """Give every C-vector of `x` a root mean square of 1, then scale it by `gain`, if there is one.

        r = 1 / sqrt(mean(x^2) + eps),     n = x * r,     y = n * gain

        n hands to x:   r * (g - n * mean(g * n))

    All means are over the last axis. eps stands inside the root, so zeros stay zeros.

    x (..., C), gain (C,) -> (..., C)
    [1, 7] with eps 0 gives [0.2, 1.4], and with gain [10, 100] it gives [2, 140].
    Zhang and Sennrich 2019.
    """
    # TODO 1  r, from the mean of squares over the last axis     (..., 1)   keepdims
    # TODO 2  the node n = x * r, with its gradient              (..., C)
    # TODO 3  times the gain, if there is one: Tensor's * knows its gradient
    raise NotImplementedError("TODO rmsnorm")


def layernorm(x, gain, bias, eps=1e-5):
    """Give every C-vector of `x` mean 0 and variance 1, then scale and shift it.

        r = 1 / sqrt(variance + eps),     n = (x - mean) * r,     y = n * gain + bias

        n hands to x:   r * (g - mean(g) - n * mean(g * n))

    All means are over the last axis; the variance is biased (divide by C, not C - 1). eps stands
    inside the root, so a vector of equal numbers becomes the bias.

    x (..., C), gain (C,), bias (C,) -> (..., C)
    [1, 3] with gain 1, bias 0, eps 0 gives [-1, 1].
    Ba, Kiros and Hinton 2016, section 3.
    """
    # TODO 1  mean over the last axis                (..., 1)   keepdims
    # TODO 2  biased variance, eps inside the root   (..., 1)
    # TODO 3  the node n, with its gradient          (..., C)
    # TODO 4  times gain, plus bias                  (..., C)
    raise NotImplementedError("TODO layernorm")


def mean_product(a, b):
    """The mean of a * b over the last axis, (..., C) -> (..., 1), without an array a * b. Given."""
    return np.vecdot(a, b, keepdims=True) / a.shape[-1]
