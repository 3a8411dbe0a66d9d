"""Misconceptions of exercise 5, in other words than those of tests/mutants."""

import numpy as np

from grader.diagnosis import mutant
from solutions.ex03_tensor import Tensor

EX = "ex05_norm"


@mutant(EX, "layernorm", says="layernorm_unbiased")
def with_ddof(x, gain, bias, eps=1e-5):
    mu = x.data.mean(axis=-1, keepdims=True)
    sd = np.sqrt(x.data.var(axis=-1, keepdims=True, ddof=1) + eps)
    n, C = (x.data - mu) / sd, x.shape[-1]

    def pull(g):
        inner = n * (g * n).sum(-1, keepdims=True) / (C - 1)
        return ((g - g.mean(-1, keepdims=True) - inner) / sd,)

    return Tensor.op(n, (x,), pull) * gain + bias


@mutant(EX, "layernorm", says="layernorm_eps_outside")
def adds_to_the_deviation(x, gain, bias, eps=1e-5):
    centred = x - x.mean(axis=-1, keepdims=True)
    deviation = (centred**2).mean(axis=-1, keepdims=True) ** 0.5
    return gain * (centred / (deviation + eps)) + bias


@mutant(EX, "layernorm", says="layernorm_swapped")
def shifts_and_scales(x, gain, bias, eps=1e-5):
    d = x - x.mean(-1, True)
    s = ((d * d).mean(-1, True) + eps) ** 0.5
    return bias * d / s + gain


@mutant(EX, "layernorm", says="layernorm_bias_first")
def affine_in_brackets(x, gain, bias, eps=1e-5):
    d = x - x.mean(-1, keepdims=True)
    inverse = ((d * d).sum(-1, keepdims=True) / x.shape[-1] + eps) ** -0.5
    return (d * inverse + bias) * gain


@mutant(EX, "layernorm", says="layernorm_without_root")
def over_the_variance(x, gain, bias, eps=1e-5):
    m = x.mean(axis=-1, keepdims=True)
    v = ((x - m) * (x - m)).mean(axis=-1, keepdims=True)
    return (x - m) / (v + eps) * gain + bias


@mutant(EX, "layernorm", says="layernorm_variance_around_zero")
def second_moment(x, gain, bias, eps=1e-5):
    moment = (x * x).sum(axis=-1, keepdims=True) / float(x.shape[-1])
    return (x - x.mean(axis=-1, keepdims=True)) * (moment + eps) ** -0.5 * gain + bias


@mutant(EX, "rmsnorm", says="rmsnorm_sum")
def unit_length(x, gain=None, eps=1e-5):
    length = np.sqrt(np.square(x.data).sum(axis=-1, keepdims=True) + eps)
    n = x.data / length
    y = Tensor.op(n, (x,), lambda g: ((g - n * (g * n).sum(-1, keepdims=True)) / length,))
    return y if gain is None else gain * y


@mutant(EX, "rmsnorm", says="rmsnorm_centred")
def like_its_neighbour(x, gain=None, eps=1e-5):
    mu = x.sum(-1, keepdims=True) / x.shape[-1]
    v = ((x - mu) ** 2).mean(-1, keepdims=True)
    out = (x - mu) / (v + eps) ** 0.5
    return out if gain is None else out * gain


@mutant(EX, "rmsnorm", says="rmsnorm_fixed_eps")
def with_a_constant(x, gain=None, eps=1e-5):
    EPS = 0.00001
    n = x / ((x**2).mean(-1, True) + EPS) ** 0.5
    if gain is not None:
        n = n * gain
    return n


@mutant(EX, "rmsnorm", says="rmsnorm_constant_root")
def scale_of_data(x, gain=None, eps=1e-5):
    scale = 1.0 / np.sqrt(np.mean(x.data**2, axis=-1, keepdims=True) + eps)
    y = x * Tensor(scale)
    return y * gain if gain is not None else y


@mutant(EX, "rmsnorm", says="rmsnorm_without_root")
def mean_square_only(x, gain=None, eps=1e-5):
    ms = (x * x).sum(-1, True) * (1 / x.shape[-1])
    y = x * (ms + eps) ** -1.0
    return y if gain is None else y * gain
