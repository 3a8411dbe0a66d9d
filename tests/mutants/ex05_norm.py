"""Exercise 5: what goes wrong in a norm."""

import numpy as np

from grader.diagnosis import mutant
from solutions.ex03_tensor import Tensor
from solutions.ex05_norm import mean_product


def mean(a):
    return a.mean(-1, keepdims=True)


@mutant("ex05_norm", "rmsnorm", says="you summed the squares; the mean divides their sum by C")
def rmsnorm_sum(x, gain=None, eps=1e-5):
    n = x * ((x * x).sum(-1, keepdims=True) + eps) ** -0.5
    return n if gain is None else n * gain


@mutant(
    "ex05_norm", "rmsnorm", says="eps was added after the root; it belongs inside: sqrt(... + eps)"
)
def rmsnorm_eps_outside(x, gain=None, eps=1e-5):
    n = x / (((x * x).mean(-1, keepdims=True)) ** 0.5 + eps)
    return n if gain is None else n * gain


@mutant(
    "ex05_norm", "rmsnorm", says="eps was added after the root; it belongs inside: sqrt(... + eps)"
)
def rmsnorm_eps_after_the_inverse_root(x, gain=None, eps=1e-5):
    n = x * ((x * x).mean(-1, keepdims=True) ** -0.5 + eps)
    return n if gain is None else n * gain


@mutant("ex05_norm", "rmsnorm", says="eps is not used; without it a vector of zeros divides 0 by 0")
def rmsnorm_without_eps(x, gain=None, eps=1e-5):
    n = x * (x * x).mean(-1, keepdims=True) ** -0.5
    return n if gain is None else n * gain


@mutant("ex05_norm", "rmsnorm", says="eps is always 1e-5; take the one that is passed in")
def rmsnorm_fixed_eps(x, gain=None, eps=1e-5):
    n = x * ((x * x).mean(-1, keepdims=True) + 1e-5) ** -0.5
    return n if gain is None else n * gain


@mutant(
    "ex05_norm", "rmsnorm", says="you divided by the mean of squares; its square root is missing"
)
def rmsnorm_without_root(x, gain=None, eps=1e-5):
    n = x / ((x * x).mean(-1, keepdims=True) + eps)
    return n if gain is None else n * gain


@mutant(
    "ex05_norm",
    "rmsnorm",
    says="one mean was taken over the whole array; each vector along the last axis has its own",
)
def rmsnorm_whole_array(x, gain=None, eps=1e-5):
    n = x * ((x * x).mean() + eps) ** -0.5
    return n if gain is None else n * gain


@mutant("ex05_norm", "rmsnorm", says="the mean is over the first axis; it must be over the last")
def rmsnorm_first_axis(x, gain=None, eps=1e-5):
    n = x * ((x * x).mean(0, keepdims=True) + eps) ** -0.5
    return n if gain is None else n * gain


@mutant(
    "ex05_norm",
    "rmsnorm",
    says="the mean lost its axis; with keepdims=True it is (..., 1) and lines up with x",
)
def rmsnorm_without_keepdims(x, gain=None, eps=1e-5):
    n = x * ((x * x).mean(-1) + eps) ** -0.5
    return n if gain is None else n * gain


@mutant(
    "ex05_norm", "rmsnorm", says="you subtracted the mean; that is layernorm, rmsnorm only divides"
)
def rmsnorm_centred(x, gain=None, eps=1e-5):
    x = x - x.mean(-1, keepdims=True)
    n = x * ((x * x).mean(-1, keepdims=True) + eps) ** -0.5
    return n if gain is None else n * gain


@mutant("ex05_norm", "rmsnorm", says="the gain is not used; where there is one, multiply by it")
def rmsnorm_without_gain(x, gain=None, eps=1e-5):
    return x * ((x * x).mean(-1, keepdims=True) + eps) ** -0.5


@mutant(
    "ex05_norm",
    "rmsnorm",
    says="the gain was applied before the norm, which takes it out again; it comes after",
)
def rmsnorm_gain_first(x, gain=None, eps=1e-5):
    x = x if gain is None else x * gain
    return x * ((x * x).mean(-1, keepdims=True) + eps) ** -0.5


@mutant(
    "ex05_norm",
    "rmsnorm",
    says="the result became float64; keep float32 (a numpy number or a new array widens it)",
)
def rmsnorm_float64(x, gain=None, eps=1e-5):
    r = 1 / np.sqrt(mean_product(x.data, x.data) + np.float64(eps))
    n = x.data * r
    y = Tensor.op(n, (x,), lambda g: (r * (g - n * mean_product(g, n)),))
    return y if gain is None else y * gain


@mutant(
    "ex05_norm",
    "rmsnorm",
    says="the gradient takes r as a constant; r depends on x too: r * (g - n * mean(g * n))",
)
def rmsnorm_constant_root(x, gain=None, eps=1e-5):
    r = 1 / np.sqrt(mean_product(x.data, x.data) + eps)
    y = Tensor.op(x.data * r, (x,), lambda g: (r * g,))
    return y if gain is None else y * gain


@mutant("ex05_norm", "rmsnorm", says="the gradient sums g * n over the channels; take its mean")
def rmsnorm_gradient_sum(x, gain=None, eps=1e-5):
    r = 1 / np.sqrt(mean_product(x.data, x.data) + eps)
    n = x.data * r
    y = Tensor.op(n, (x,), lambda g: (r * (g - n * (g * n).sum(-1, keepdims=True)),))
    return y if gain is None else y * gain


@mutant(
    "ex05_norm",
    "rmsnorm",
    says="the gradient uses x where the formula has n, the normalised x",
)
def rmsnorm_gradient_of_x_not_n(x, gain=None, eps=1e-5):
    r = 1 / np.sqrt(mean_product(x.data, x.data) + eps)
    y = Tensor.op(x.data * r, (x,), lambda g: (r * (g - x.data * mean_product(g, x.data)),))
    return y if gain is None else y * gain


@mutant(
    "ex05_norm",
    "rmsnorm",
    says="the gradient reached x without passing the gain: multiply g by the gain first",
)
def rmsnorm_gradient_without_gain(x, gain=None, eps=1e-5):
    r = 1 / np.sqrt(mean_product(x.data, x.data) + eps)
    n = x.data * r
    y = n if gain is None else n * gain.data

    def vjp(g):
        to_x = r * (g - n * mean_product(g, n))
        return (to_x,) if gain is None else (to_x, (g * n).reshape(-1, n.shape[-1]).sum(0))

    return Tensor.op(y, (x,) if gain is None else (x, gain), vjp)


@mutant(
    "ex05_norm",
    "rmsnorm",
    says="the gain gets no gradient: multiply by the Tensor, not by its array gain.data",
)
def rmsnorm_gain_is_constant(x, gain=None, eps=1e-5):
    n = x * ((x * x).mean(-1, keepdims=True) + eps) ** -0.5
    return n if gain is None else n * gain.data


@mutant(
    "ex05_norm", "rmsnorm", says="x itself was changed; write the result into an array of its own"
)
def rmsnorm_in_place(x, gain=None, eps=1e-5):
    r = 1 / np.sqrt(mean_product(x.data, x.data) + eps)
    x.data *= r
    n = x.data
    y = Tensor.op(n, (x,), lambda g: (r * (g - n * mean_product(g, n)),))
    return y if gain is None else y * gain


@mutant(
    "ex05_norm",
    "layernorm",
    says="you divided by C - 1; layer norm uses the biased variance (divide by C)",
)
def layernorm_unbiased(x, gain, bias, eps=1e-5):
    c = x - x.mean(-1, keepdims=True)
    variance = (c * c).sum(-1, keepdims=True) / max(x.shape[-1] - 1, 1)
    return c * (variance + eps) ** -0.5 * gain + bias


@mutant(
    "ex05_norm",
    "layernorm",
    says="you divided by C - 1; layer norm uses the biased variance (divide by C)",
)
def layernorm_unbiased_node(x, gain, bias, eps=1e-5):
    r = 1 / np.sqrt(x.data.var(-1, ddof=1, keepdims=True) + eps)
    n = (x.data - mean(x.data)) * r

    def vjp(g):
        return (r * (g - mean(g) - n * mean(g * n)),)

    return Tensor.op(n, (x,), vjp) * gain + bias


@mutant(
    "ex05_norm",
    "layernorm",
    says="eps was added after the root; it belongs inside: sqrt(variance + eps)",
)
def layernorm_eps_outside(x, gain, bias, eps=1e-5):
    c = x - x.mean(-1, keepdims=True)
    return c / (((c * c).mean(-1, keepdims=True)) ** 0.5 + eps) * gain + bias


@mutant(
    "ex05_norm",
    "layernorm",
    says="eps was added after the root; it belongs inside: sqrt(variance + eps)",
)
def layernorm_eps_after_the_inverse_root(x, gain, bias, eps=1e-5):
    c = x - x.mean(-1, keepdims=True)
    return c * ((c * c).mean(-1, keepdims=True) ** -0.5 + eps) * gain + bias


@mutant(
    "ex05_norm",
    "layernorm",
    says="eps is not used; without it a vector of equal numbers divides 0 by 0",
)
def layernorm_without_eps(x, gain, bias, eps=1e-5):
    c = x - x.mean(-1, keepdims=True)
    return c * (c * c).mean(-1, keepdims=True) ** -0.5 * gain + bias


@mutant("ex05_norm", "layernorm", says="eps is always 1e-5; take the one that is passed in")
def layernorm_fixed_eps(x, gain, bias, eps=1e-5):
    c = x - x.mean(-1, keepdims=True)
    return c * ((c * c).mean(-1, keepdims=True) + 1e-5) ** -0.5 * gain + bias


@mutant(
    "ex05_norm", "layernorm", says="you divided by the variance; it is its square root that divides"
)
def layernorm_without_root(x, gain, bias, eps=1e-5):
    c = x - x.mean(-1, keepdims=True)
    return c / ((c * c).mean(-1, keepdims=True) + eps) * gain + bias


@mutant(
    "ex05_norm",
    "layernorm",
    says="mean and variance are of the whole array; each vector along the last axis has its own",
)
def layernorm_whole_array(x, gain, bias, eps=1e-5):
    c = x - x.mean()
    return c * ((c * c).mean() + eps) ** -0.5 * gain + bias


@mutant(
    "ex05_norm",
    "layernorm",
    says="the mean is of the whole array; each vector along the last axis has its own",
)
def layernorm_centred_on_the_whole_array(x, gain, bias, eps=1e-5):
    c = x - x.mean()
    return c * ((c * c).mean(-1, keepdims=True) + eps) ** -0.5 * gain + bias


@mutant(
    "ex05_norm",
    "layernorm",
    says="the mean is of the whole array; each vector along the last axis has its own",
)
def layernorm_centred_on_the_whole_array_after_its_variance(x, gain, bias, eps=1e-5):
    c = x - x.mean(-1, keepdims=True)
    r = ((c * c).mean(-1, keepdims=True) + eps) ** -0.5
    return (x - x.mean()) * r * gain + bias


@mutant(
    "ex05_norm", "layernorm", says="mean and variance are over the first axis; the last is meant"
)
def layernorm_first_axis(x, gain, bias, eps=1e-5):
    c = x - x.mean(0, keepdims=True)
    return c * ((c * c).mean(0, keepdims=True) + eps) ** -0.5 * gain + bias


@mutant(
    "ex05_norm",
    "layernorm",
    says="mean or variance lost its axis; with keepdims=True it is (..., 1) and lines up with x",
)
def layernorm_without_keepdims(x, gain, bias, eps=1e-5):
    c = x - x.mean(-1)
    return c * ((c * c).mean(-1) + eps) ** -0.5 * gain + bias


@mutant("ex05_norm", "layernorm", says="the mean was not subtracted; that is rmsnorm with a bias")
def layernorm_not_centred(x, gain, bias, eps=1e-5):
    return x * ((x * x).mean(-1, keepdims=True) + eps) ** -0.5 * gain + bias


@mutant(
    "ex05_norm",
    "layernorm",
    says="you divided by the root of the mean of x^2; the variance is of x - mean",
)
def layernorm_variance_around_zero(x, gain, bias, eps=1e-5):
    c = x - x.mean(-1, keepdims=True)
    return c * ((x * x).mean(-1, keepdims=True) + eps) ** -0.5 * gain + bias


@mutant("ex05_norm", "layernorm", says="gain and bias are swapped: n * gain + bias")
def layernorm_swapped(x, gain, bias, eps=1e-5):
    c = x - x.mean(-1, keepdims=True)
    return c * ((c * c).mean(-1, keepdims=True) + eps) ** -0.5 * bias + gain


@mutant(
    "ex05_norm", "layernorm", says="the bias was scaled by the gain; scale first, then add the bias"
)
def layernorm_bias_first(x, gain, bias, eps=1e-5):
    c = x - x.mean(-1, keepdims=True)
    return (c * ((c * c).mean(-1, keepdims=True) + eps) ** -0.5 + bias) * gain


@mutant("ex05_norm", "layernorm", says="the bias is not added: n * gain + bias")
def layernorm_without_bias(x, gain, bias, eps=1e-5):
    c = x - x.mean(-1, keepdims=True)
    return c * ((c * c).mean(-1, keepdims=True) + eps) ** -0.5 * gain


@mutant("ex05_norm", "layernorm", says="the gain is not used: n * gain + bias")
def layernorm_without_gain(x, gain, bias, eps=1e-5):
    c = x - x.mean(-1, keepdims=True)
    return c * ((c * c).mean(-1, keepdims=True) + eps) ** -0.5 + bias


@mutant("ex05_norm", "layernorm", says="gain and bias are not used: n * gain + bias")
def layernorm_without_gain_and_bias(x, gain, bias, eps=1e-5):
    c = x - x.mean(-1, keepdims=True)
    return c * ((c * c).mean(-1, keepdims=True) + eps) ** -0.5


@mutant(
    "ex05_norm",
    "layernorm",
    says="the result became float64; keep float32 (a numpy number or a new array widens it)",
)
def layernorm_float64(x, gain, bias, eps=1e-5):
    c = x.data - mean(x.data)
    r = 1 / np.sqrt(mean(c * c) + np.float64(eps))
    n = c * r

    def vjp(g):
        return (r * (g - mean(g) - n * mean(g * n)),)

    return Tensor.op(n, (x,), vjp) * gain + bias


@mutant(
    "ex05_norm",
    "layernorm",
    says="the gradient takes the mean of x as a constant: mean(g) is not taken out of g",
)
def layernorm_constant_mean(x, gain, bias, eps=1e-5):
    c = x.data - mean(x.data)
    r = 1 / np.sqrt(mean(c * c) + eps)
    n = c * r
    return Tensor.op(n, (x,), lambda g: (r * (g - n * mean(g * n)),)) * gain + bias


@mutant(
    "ex05_norm",
    "layernorm",
    says="the gradient takes the variance as a constant: n * mean(g * n) is not taken out of g",
)
def layernorm_constant_variance(x, gain, bias, eps=1e-5):
    c = x.data - mean(x.data)
    r = 1 / np.sqrt(mean(c * c) + eps)
    return Tensor.op(c * r, (x,), lambda g: (r * (g - mean(g)),)) * gain + bias


@mutant(
    "ex05_norm",
    "layernorm",
    says="the gradient takes mean and variance as constants; both depend on x",
)
def layernorm_constant_both(x, gain, bias, eps=1e-5):
    c = x.data - mean(x.data)
    r = 1 / np.sqrt(mean(c * c) + eps)
    return Tensor.op(c * r, (x,), lambda g: (r * g,)) * gain + bias


@mutant(
    "ex05_norm",
    "layernorm",
    says="the gradient reached x without passing the gain: multiply g by the gain first",
)
def layernorm_gradient_without_gain(x, gain, bias, eps=1e-5):
    c = x.data - mean(x.data)
    r = 1 / np.sqrt(mean(c * c) + eps)
    n = c * r

    def vjp(g):
        rows = tuple(range(g.ndim - 1))
        return r * (g - mean(g) - n * mean(g * n)), (g * n).sum(rows), g.sum(rows)

    return Tensor.op(n * gain.data + bias.data, (x, gain, bias), vjp)


@mutant(
    "ex05_norm",
    "layernorm",
    says="the gradients of gain and bias are averaged over the rows; each row adds to them: sum",
)
def layernorm_averaged_gain(x, gain, bias, eps=1e-5):
    c = x.data - mean(x.data)
    r = 1 / np.sqrt(mean(c * c) + eps)
    n = c * r

    def vjp(g):
        rows, to_n = tuple(range(g.ndim - 1)), g * gain.data
        to_x = r * (to_n - mean(to_n) - n * mean(to_n * n))
        return to_x, (g * n).mean(rows), g.mean(rows)

    return Tensor.op(n * gain.data + bias.data, (x, gain, bias), vjp)


@mutant(
    "ex05_norm",
    "layernorm",
    says="gain and bias sum their gradient over the first axis only; sum over all but the last",
)
def layernorm_gain_summed_over_one_axis(x, gain, bias, eps=1e-5):
    c = x.data - mean(x.data)
    r = 1 / np.sqrt(mean(c * c) + eps)
    n = c * r

    def vjp(g):
        to_n = g * gain.data
        to_x = r * (to_n - mean(to_n) - n * mean(to_n * n))
        return to_x, (g * n).sum(0), g.sum(0)

    return Tensor.op(n * gain.data + bias.data, (x, gain, bias), vjp)


@mutant(
    "ex05_norm",
    "layernorm",
    says="gain and bias get no gradient: use the Tensors, not their arrays .data",
)
def layernorm_gain_is_constant(x, gain, bias, eps=1e-5):
    c = x - x.mean(-1, keepdims=True)
    return c * ((c * c).mean(-1, keepdims=True) + eps) ** -0.5 * gain.data + bias.data


@mutant(
    "ex05_norm", "layernorm", says="x itself was changed; write the result into an array of its own"
)
def layernorm_in_place(x, gain, bias, eps=1e-5):
    x.data -= mean(x.data)
    r = 1 / np.sqrt(mean(x.data * x.data) + eps)
    n = x.data * r

    def vjp(g):
        return (r * (g - mean(g) - n * mean(g * n)),)

    return Tensor.op(n, (x,), vjp) * gain + bias


@mutant(
    "ex05_norm",
    "layernorm",
    says="where both axes are of one size you took the other one; it is always the last",
)
def layernorm_of_the_wrong_axis_of_a_square(x, gain, bias, eps=1e-5):
    square = len(x.shape) > 1 and x.shape[-1] == x.shape[-2]
    centred = x - x.mean(axis=-2 if square else -1, keepdims=True)
    variance = (centred * centred).mean(axis=-2 if square else -1, keepdims=True)
    return centred * (variance + eps) ** -0.5 * gain + bias
