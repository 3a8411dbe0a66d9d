"""Exercise 5: other right answers."""

import numpy as np

from grader.diagnosis import alternative
from solutions.ex03_tensor import Tensor
from solutions.ex05_norm import rmsnorm


@alternative("ex05_norm", "rmsnorm", style="composed of Tensor's operations")
def rmsnorm_composed(x, gain=None, eps=1e-5):
    n = x / ((x * x).mean(axis=-1, keepdims=True) + eps) ** 0.5
    return n if gain is None else n * gain


@alternative("ex05_norm", "rmsnorm", style="composed, with exp and log in place of the power")
def rmsnorm_by_logarithms(x, gain=None, eps=1e-5):
    squares = (x**2).sum(-1, True) / x.shape[-1]
    n = x * ((squares + eps).log() * -0.5).exp()
    if gain is not None:
        return gain * n
    return n


@alternative("ex05_norm", "rmsnorm", style="loops over vectors and channels")
def rmsnorm_loops(x, gain=None, eps=1e-5):
    C = x.shape[-1]
    rows = x.data.reshape(-1, C)
    roots = [(sum(float(v) ** 2 for v in row) / C + eps) ** 0.5 for row in rows]
    n = np.array([row / root for row, root in zip(rows, roots)], x.data.dtype)

    def vjp(g):
        given = g.reshape(-1, C)
        to_x = np.empty_like(rows)
        for i, root in enumerate(roots):
            along = sum(given[i, c] * n[i, c] for c in range(C)) / C
            for c in range(C):
                to_x[i, c] = (given[i, c] - n[i, c] * along) / root
        return (to_x.reshape(x.shape),)

    y = Tensor.op(n.reshape(x.shape), (x,), vjp)
    return y if gain is None else y * gain


@alternative("ex05_norm", "rmsnorm", style="einsum, one node with both gradients")
def rmsnorm_einsum(x, gain=None, eps=1e-5):
    C = x.shape[-1]
    a = x.data
    root = np.sqrt(np.einsum("...c,...c->...", a, a) / C + eps)[..., np.newaxis]
    weight = np.ones(C, a.dtype) if gain is None else gain.data

    def vjp(g):
        passed = g * weight
        along = np.einsum("...c,...c->...", passed, a)[..., np.newaxis]
        to_x = passed / root - a * along / (C * root**3)
        if gain is None:
            return (to_x,)
        return to_x, np.einsum("nc,nc->c", g.reshape(-1, C), (a / root).reshape(-1, C))

    return Tensor.op(a / root * weight, (x,) if gain is None else (x, gain), vjp)


@alternative("ex05_norm", "rmsnorm", style="the whole Jacobian, (..., C, C), times g")
def rmsnorm_jacobian(x, gain=None, eps=1e-5):
    C = x.shape[-1]
    r = ((x.data * x.data).mean(-1, keepdims=True) + eps) ** -0.5
    n = x.data * r

    def vjp(g):
        outer = n[..., :, None] * n[..., None, :]  # (..., C, C)
        jacobian = r[..., None] * (np.eye(C, dtype=g.dtype) - outer / C)
        return ((jacobian @ g[..., None])[..., 0],)

    y = Tensor.op(n, (x,), vjp)
    return y if gain is None else y * gain


@alternative("ex05_norm", "rmsnorm", style="the length of the vector by linalg, in Fortran order")
def rmsnorm_by_length(x, gain=None, eps=1e-5):
    C = x.shape[-1]
    a = np.asfortranarray(x.data)
    root = np.sqrt(np.linalg.norm(a, axis=-1, keepdims=True) ** 2 / C + eps)
    n = np.asfortranarray(a / root)

    def vjp(g):
        return [np.asfortranarray((g - n * np.mean(g * n, axis=-1, keepdims=True)) / root)]

    y = Tensor.op(n, [x], vjp)
    return y if gain is None else y * gain


@alternative("ex05_norm", "layernorm", style="composed of Tensor's operations")
def layernorm_composed(x, gain, bias, eps=1e-5):
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    return gain * (centred / (variance + eps) ** 0.5) + bias


@alternative("ex05_norm", "layernorm", style="composed, variance as mean of squares minus square")
def layernorm_two_moments(x, gain, bias, eps=1e-5):
    mean = x.mean(-1, keepdims=True)
    variance = (x * x).mean(-1, keepdims=True) - mean * mean
    scale = (variance + eps) ** -0.5
    return x * scale * gain + (bias - mean * scale * gain)


@alternative("ex05_norm", "layernorm", style="rmsnorm of x minus its mean")
def layernorm_by_rmsnorm(x, gain, bias, eps=1e-5):
    return rmsnorm(x - x.mean(-1, keepdims=True), gain, eps) + bias


@alternative("ex05_norm", "layernorm", style="np.var, one node with all three gradients")
def layernorm_one_node(x, gain, bias, eps=1e-5):
    a, C = x.data, x.shape[-1]
    spread = np.sqrt(np.var(a, axis=-1, keepdims=True) + eps)
    n = (a - np.mean(a, axis=-1, keepdims=True)) / spread

    def vjp(g):
        to_n = g * gain.data
        total = to_n.sum(-1, keepdims=True)
        along = (to_n * n).sum(-1, keepdims=True)
        to_x = (C * to_n - total - n * along) / (C * spread)
        to_gain = (g * n).reshape(-1, C).sum(0)
        return to_x, to_gain, g.reshape(-1, C).sum(0)

    return Tensor.op(n * gain.data + bias.data, (x, gain, bias), vjp)


@alternative("ex05_norm", "layernorm", style="a matrix that takes the mean out; np.std(ddof=0)")
def layernorm_centring_matrix(x, gain, bias, eps=1e-5):
    C = x.shape[-1]
    centring = (np.eye(C) - 1 / C).astype(x.data.dtype)
    centred = x.data @ centring
    root = np.hypot(x.data.std(-1, ddof=0, keepdims=True), eps**0.5)
    n = centred / root

    def vjp(g):
        return (((g - n * (g * n).mean(-1, keepdims=True)) / root) @ centring,)

    return Tensor.op(n, (x,), vjp) * gain + bias


@alternative("ex05_norm", "layernorm", style="loops over vectors, strided views, numpy scalars")
def layernorm_loops(x, gain, bias, eps=1e-5):
    C = x.shape[-1]
    rows = x.data.reshape(-1, C)
    n = np.zeros_like(rows)
    roots = []
    for i in range(len(rows)):
        mean = rows[i].mean()
        root = np.sqrt(np.square(rows[i] - mean).mean() + eps)
        n[i, ::-1] = ((rows[i] - mean) / root)[::-1]
        roots.append(root)

    def vjp(g):
        g = g.reshape(-1, C)
        back = []
        for i, root in enumerate(roots):
            back.append((g[i] - g[i].mean() - n[i] * (g[i] * n[i]).mean()) / root)
        return (np.stack(back).reshape(x.shape),)

    return Tensor.op(n.reshape(x.shape), (x,), vjp) * gain + bias


# more ways


@alternative("ex05_norm", "rmsnorm", style="channels first, and back")
def rmsnorm_channels_first(x, gain=None, eps=1e-5):
    turned = np.moveaxis(x.data, -1, 0)  # (C, ...)
    r = (sum(row * row for row in turned) / len(turned) + eps) ** -0.5
    n = turned * r

    def vjp(g):
        g = np.moveaxis(g, -1, 0)
        shared = sum(a * b for a, b in zip(g, n)) / len(n)
        return (np.moveaxis(r * (g - n * shared), 0, -1),)

    y = Tensor.op(np.moveaxis(n, 0, -1), (x,), vjp)
    return y if gain is None else gain * y


@alternative("ex05_norm", "layernorm", style="mean and variance in one run (Welford), one node")
def layernorm_welford(x, gain, bias, eps=1e-5):
    mean = np.zeros_like(x.data[..., :1])
    total = np.zeros_like(mean)
    for i in range(x.shape[-1]):
        away = x.data[..., i : i + 1] - mean
        mean = mean + away / (i + 1)
        total = total + away * (x.data[..., i : i + 1] - mean)
    root = (total / x.shape[-1] + eps) ** 0.5
    n = np.divide(x.data - mean, root, order="F")

    def vjp(g):
        flat, h = g.reshape(-1, g.shape[-1]), g * gain.data
        h = h - h.mean(-1, keepdims=True) - n * (h * n).mean(-1, keepdims=True)
        return h / root, (flat * n.reshape(flat.shape)).sum(0), flat.sum(0)

    return Tensor.op(n * gain.data + bias.data, (x, gain, bias), vjp)
