"""Right optimisers in other styles."""

import math

import numpy as np

from grader.diagnosis import alternative


def right(name, style):
    return alternative("ex08_optim", name, style=style)


@right("AdamW", "a dict of m and v for each parameter's name, weights changed in place")
class AdamWByName:
    def __init__(self, params, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0):
        self.params, self.lr, self.betas, self.eps = params, lr, betas, eps
        self.weight_decay, self.t = weight_decay, 0
        self.m = {name: np.zeros_like(p.data) for name, p in params.items()}
        self.v = {name: np.zeros_like(p.data) for name, p in params.items()}

    def step(self, lr=None):
        if lr is None:
            lr = self.lr
        self.t += 1
        beta1, beta2 = self.betas
        for name, p in self.params.items():
            if p.grad is None:
                continue
            m, v = self.m[name], self.v[name]
            m *= beta1
            m += (1 - beta1) * p.grad
            v *= beta2
            v += (1 - beta2) * p.grad**2
            p.data *= 1 - lr * self.weight_decay
            p.data -= lr * (m / (1 - beta1**self.t)) / (np.sqrt(v / (1 - beta2**self.t)) + self.eps)

    def zero_grad(self):
        for name in self.params:
            self.params[name].grad = None


@right("AdamW", "lists of m and v, every array bound anew, steps as in the paper's section 2")
class AdamWInLists:
    def __init__(self, params, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0):
        self.params = list(params.values())
        self.lr, (self.beta1, self.beta2), self.eps, self.decay = lr, betas, eps, weight_decay
        self.m = [0 * p.data for p in self.params]
        self.v = [0 * p.data for p in self.params]
        self.t = 0

    def step(self, lr=None):
        lr = self.lr if lr is None else lr
        self.t = self.t + 1
        root = math.sqrt(1 - self.beta2**self.t)
        alpha = lr * root / (1 - self.beta1**self.t)
        for i, p in enumerate(self.params):
            if p.grad is not None:
                self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * p.grad
                self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * np.square(p.grad)
                change = alpha * self.m[i] / (np.sqrt(self.v[i]) + self.eps * root)
                p.data = p.data - change - lr * self.decay * p.data

    def zero_grad(self):
        [setattr(p, "grad", None) for p in self.params]


@right("AdamW", "one record for each parameter, and a method that moves one")
class AdamWByRecord:
    def __init__(self, params, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0):
        self.lr, self.b1, self.b2, self.eps, self.decay = lr, *betas, eps, weight_decay
        self.t, self.tensors = 0, dict(params)
        self.state = [{"m": np.zeros(p.shape, p.data.dtype)} for p in params.values()]
        for record in self.state:
            record["v"] = record["m"].copy(order="F")

    def step(self, lr=None):
        self.t += 1
        for p, record in zip(self.tensors.values(), self.state):
            if isinstance(p.grad, np.ndarray):
                self.move(p, record, self.lr if lr is None else lr)

    def move(self, p, record, lr):
        betas = {"m": self.b1, "v": self.b2}
        for (key, beta), new in zip(betas.items(), (p.grad, p.grad * p.grad)):
            record[key] += (1 - beta) * (new - record[key])
        m_hat, v_hat = (record[key] / (1 - beta**self.t) for key, beta in betas.items())
        p.data[...] = p.data * (1 - lr * self.decay) - lr * m_hat / (v_hat**0.5 + self.eps)

    def zero_grad(self):
        for p in self.tensors.values():
            p.grad = None


@right("AdamW.step", "one parameter after the other, through views of the long vectors")
def step_through_views(self, lr=None):
    self.t += 1
    (b1, b2), rate, start = self.betas, self.lr if lr is None else lr, 0
    for p, size in zip(self.params, self.sizes):
        here, start = slice(start, start + size), start + size
        if p.grad is None:
            continue
        g, m, v = p.grad.reshape(-1), self.m[here], self.v[here]
        m[:] = b1 * m + (1 - b1) * g
        v[:] = b2 * v + (1 - b2) * g * g
        step = (m / (1 - b1**self.t)) / (np.sqrt(v / (1 - b2**self.t)) + self.eps)
        self.weights[here] -= rate * (step + self.weight_decay * self.weights[here])


@right("AdamW.zero_grad", "a while loop with an index")
def zero_grad_by_index(self):
    i = 0
    while i < len(self.params):
        self.params[i].grad = None
        i += 1


@right("linear_decay", "what is left of the peak")
def decay_of_what_is_left(step, total, peak):
    return (total - step) * peak / total


@right("linear_decay", "the peak less what is gone")
def decay_less_what_is_gone(step, total, peak):
    return peak - step * peak / total


@right("linear_decay", "np.interp, a numpy number")
def decay_by_interpolation(step, total, peak):
    return np.interp(step, [0, total], [peak, 0.0])


@right("warmup_cosine", "three returns, numpy's cos")
def wave_in_three_returns(step, warmup, total, peak, floor):
    if step < warmup:
        return (step + 1) / warmup * peak
    if step >= total:
        return floor
    return floor + 0.5 * (peak - floor) * (1.0 + np.cos(np.pi * (step - warmup) / (total - warmup)))


@right("warmup_cosine", "the squared cosine of half the angle")
def wave_by_half_angle(step, warmup, total, peak, floor):
    if warmup > step:
        return peak * ((1 + step) / warmup)
    left = max(total - step, 0)
    share = math.sin(math.pi / 2 * left / max(total - warmup, 1)) ** 2
    return peak * share + floor * (1 - share)


@right("warmup_cosine", "a mean of peak and floor, and a swing around it")
def wave_around_the_middle(step, warmup, total, peak, floor):
    if step in range(warmup):
        return peak / warmup * (step + 1)
    if not step < total:
        return float(floor)
    middle, swing = (peak + floor) / 2, (peak - floor) / 2
    return middle + swing * math.cos((step - warmup) * math.pi / (total - warmup))


@right("clip_grad_norm", "numpy's norm of one long vector, gradients changed in place")
def clip_in_place(params, max_norm):
    grads = [p.grad for p in params.values() if p.grad is not None]
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in grads])) if grads else 0.0
    if norm > max_norm:
        for g in grads:
            g *= max_norm / norm
    return norm


@right("clip_grad_norm", "math.hypot of the parameters' norms, new arrays")
def clip_by_hypot(params, max_norm):
    norms = [float(np.sqrt(np.sum(p.grad**2))) for p in params.values() if p.grad is not None]
    norm = math.hypot(*norms)
    for p in params.values():
        if p.grad is not None and norm > max_norm:
            p.grad = max_norm * p.grad / norm
    return norm


@right("clip_grad_norm", "a factor of at most 1 for all, with a little added below as in PyTorch")
def clip_by_factor(params, max_norm):
    total = 0.0
    for p in params.values():
        if p.grad is not None:
            total += float((p.grad.astype(np.float64) ** 2).sum())
    factor = min(1.0, max_norm / (total**0.5 + 1e-6))
    for p in params.values():
        p.grad = p.grad if p.grad is None else p.grad * factor
    return total**0.5


@right("AdamW", "number by number, in Python's own floats")
class AdamWByNumber:
    def __init__(self, params, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0):
        self.lr, self.betas, self.eps, self.weight_decay, self.t = lr, betas, eps, weight_decay, 0
        self.params = params
        self.means = {name: np.zeros((2, *p.data.shape)) for name, p in params.items()}

    def step(self, lr=None):
        rate = float(self.lr if lr is None else lr)
        self.t = self.t + 1
        (b1, b2), t = self.betas, self.t
        for name, p in self.params.items():
            if p.grad is None:
                continue
            for place in np.ndindex(p.data.shape):
                g, w = float(p.grad[place]), float(p.data[place])
                m = b1 * float(self.means[name][(0, *place)]) + (1 - b1) * g
                v = b2 * float(self.means[name][(1, *place)]) + (1 - b2) * g * g
                self.means[name][(0, *place)], self.means[name][(1, *place)] = m, v
                move = m / (1 - b1**t) / (math.sqrt(v / (1 - b2**t)) + self.eps)
                p.data[place] = w - rate * self.weight_decay * w - rate * move

    def zero_grad(self):
        for p in self.params.values():
            p.grad = None


@right("linear_decay", "np.float64 throughout")
def decay_in_numpy(step, total, peak):
    return np.float64(peak) * (np.float64(1) - np.float64(step) / np.float64(total))


@right("warmup_cosine", "the real part of a turn in the complex plane")
def cosine_of_a_turn(step, warmup, total, peak, floor):
    if step >= total:
        return floor
    if step < warmup:
        return (step + 1) * (peak / warmup)
    turn = np.exp(1j * np.pi * (step - warmup) / (total - warmup))
    return float(floor + (peak - floor) * (turn.real + 1) / 2)


@right("clip_grad_norm", "float64 sums, one in-place product for each gradient")
def clip_by_multiply(params, max_norm):
    gradients = [p.grad for p in params.values() if p.grad is not None]
    norm = float(np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in gradients)))
    if norm > max_norm:
        for g in gradients:
            np.multiply(g, max_norm / norm, out=g, casting="same_kind")
    return norm
