"""Misconceptions of exercise 8, in other words than those of tests/mutants."""

import math

import numpy as np

from grader.diagnosis import mutant

EX = "ex08_optim"


class PerParameter:
    """m and v of each parameter under its name; `direction` says what the step takes off."""

    def __init__(self, params, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0):
        self.params, self.lr, self.betas, self.eps = params, lr, betas, eps
        self.weight_decay, self.t = weight_decay, 0
        self.m = {name: np.zeros_like(p.data) for name, p in params.items()}
        self.v = {name: np.zeros_like(p.data) for name, p in params.items()}

    def zero_grad(self):
        for p in self.params.values():
            p.grad = None

    def step(self, lr=None):
        lr = self.lr if lr is None else lr
        self.t += 1
        for name, p in self.params.items():
            if p.grad is not None:
                p.data *= 1 - lr * self.weight_decay
                p.data -= lr * self.direction(name, p.grad)

    def average(self, name, g):
        b1, b2 = self.betas
        self.m[name] = self.m[name] * b1 + g * (1 - b1)
        self.v[name] = self.v[name] * b2 + g**2 * (1 - b2)
        return self.m[name], self.v[name]


@mutant(EX, "AdamW", says="without_hats")
class NoCorrection(PerParameter):
    def direction(self, name, g):
        m, v = self.average(name, g)
        return m / (np.sqrt(v) + self.eps)


@mutant(EX, "AdamW", says="eps_inside_the_root")
class EpsilonFirst(PerParameter):
    def direction(self, name, g):
        m, v = self.average(name, g)
        b1, b2 = self.betas
        m, v = m / (1 - b1**self.t), v / (1 - b2**self.t)
        return m / np.sqrt(v + self.eps)


@mutant(EX, "AdamW", says="without_the_root")
class OverTheSquare(PerParameter):
    def direction(self, name, g):
        m, v = self.average(name, g)
        b1, b2 = self.betas
        return (m / (1 - b1**self.t)) / (v / (1 - b2**self.t) + self.eps)


@mutant(EX, "AdamW", says="always_the_first_hat")
class FirstHat(PerParameter):
    def direction(self, name, g):
        m, v = self.average(name, g)
        return (m / (1 - self.betas[0])) / (np.sqrt(v / (1 - self.betas[1])) + self.eps)


@mutant(EX, "linear_decay", says="decay_rises")
def share_done(step, total, peak):
    return step * peak / total


@mutant(EX, "warmup_cosine", says="warmup_from_zero")
def rises_from_nothing(step, warmup, total, peak, floor):
    if step < warmup:
        return peak * (step / warmup)
    if step >= total:
        return floor
    angle = math.pi * (step - warmup) / (total - warmup)
    return floor + 0.5 * (peak - floor) * (1 + math.cos(angle))


@mutant(EX, "warmup_cosine", says="line_for_wave")
def falls_straight(step, warmup, total, peak, floor):
    if step < warmup:
        return (step + 1) * peak / warmup
    left = max(0, total - step) / (total - warmup) if total > warmup else 0
    return floor + left * (peak - floor)


@mutant(EX, "clip_grad_norm", says="each_alone")
def one_at_a_time(params, max_norm):
    squares = 0.0
    for tensor in params.values():
        if tensor.grad is None:
            continue
        own = float(np.sqrt((tensor.grad**2).sum()))
        squares += own**2
        if own > max_norm:
            tensor.grad = tensor.grad / own * max_norm
    return math.sqrt(squares)


@mutant(EX, "clip_grad_norm", says="always_to_max_norm")
def scales_regardless(params, max_norm):
    grads = [p for p in params.values() if p.grad is not None]
    norm = float(np.linalg.norm([np.linalg.norm(p.grad) for p in grads])) if grads else 0.0
    for p in grads:
        if norm > 0:
            p.grad = p.grad * (max_norm / norm)
    return norm
