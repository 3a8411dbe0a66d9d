"""Exercise 5: normalisation.

Each block of a GPT adds to what came before, so numbers grow from block to block, and with them the
gradients. A norm puts every vector back to a healthy size before it is used:

    x = [3, 4]     mean of squares (9 + 16) / 2 = 12.5     root 3.54     x / 3.54 = [0.85, 1.13]

*RMSNorm* does just that. *LayerNorm*, the older one, takes the mean away first: [3, 4] has mean 3.5
and variance 0.25, so it becomes [-0.5, 0.5] / 0.5 = [-1, 1]. LayerNorm is RMSNorm of x - mean.

    (B, T, C)    every vector of C numbers by itself: no vector ever sees another one,
        ^^^      not of another position, not of another document
     the last axis

The gradient, for two channels and eps = 0. With r = 1 / sqrt(mean of squares) and n = x * r:

    n0 = x0 r       dn0/dx0 = r + x0 dr/dx0       r = ((x0^2 + x1^2) / 2)^(-1/2)
                    dr/dx0  = -1/2 * r^3 * x0
                    dn0/dx0 = r - 1/2 r^3 x0 x0 = r (1 - n0 n0 / 2)
                    dn1/dx0 = x1 dr/dx0         = r (0 - n1 n0 / 2)

    x0 gets g0 dn0/dx0 + g1 dn1/dx0 = r (g0 - n0 (g0 n0 + g1 n1) / 2)

In general g -> r * (g - n * mean(g * n)): the part of g along n is taken out, because growing x
along itself does not change n. LayerNorm also takes mean(g) out, because shifting x does nothing.

What goes wrong most often: normalising over the whole array, forgetting keepdims, eps outside the
root, and dividing by C - 1 in the variance.

In MicroGPT this is `rmsnorm`, without a gain. GPT-2 uses LayerNorm with gain and bias.
Read more: Zhang and Sennrich 2019 (RMSNorm); Ba, Kiros and Hinton 2016 (LayerNorm).
"""

import numpy as np

from .ex03_tensor import Tensor


def rmsnorm(x, gain=None, eps=1e-5):
    """Give every C-vector of `x` a root mean square of 1, then scale it by `gain`, if there is one.

        r = 1 / sqrt(mean(x^2) + eps),     n = x * r,     y = n * gain

        n hands to x:   r * (g - n * mean(g * n))

    The mean is over the last axis; eps stands inside the root.

    x (..., C), gain (C,) -> (..., C)
    [3, 4] with eps 0 gives [0.848528, 1.131371].
    Zhang and Sennrich 2019, section 3.
    """
    # TODO 1  r, from the mean of squares over the last axis     (..., 1)   keepdims
    # TODO 2  the node n = x * r, with its gradient              (..., C)
    # TODO 3  times the gain, if there is one: Tensor's * knows its gradient
    raise NotImplementedError("TODO rmsnorm")


def layernorm(x, gain, bias, eps=1e-5):
    """Give every C-vector of `x` mean 0 and variance 1, then scale and shift it.

        r = 1 / sqrt(variance + eps),     n = (x - mean) * r,     y = n * gain + bias

        n hands to x:   r * (g - mean(g) - n * mean(g * n))

    Mean and variance are over the last axis; the variance is biased (divide by C, not C - 1).

    x (..., C), gain (C,), bias (C,) -> (..., C)
    [1, 3] with gain 1, bias 0, eps 0 gives [-1, 1].
    Ba, Kiros and Hinton 2016, section 3.
    """
    # TODO 1  mean over the last axis                (..., 1)   keepdims
    # TODO 2  biased variance, eps inside the root   (..., 1)
    # TODO 3  the node n, with its gradient          (..., C)
    # TODO 4  times gain, plus bias
    raise NotImplementedError("TODO layernorm")


def mean_product(a, b):
    """The mean of a * b over the last axis, (..., C) -> (..., 1), without an array a * b. Given."""
    return np.vecdot(a, b)[..., None] / a.shape[-1]
