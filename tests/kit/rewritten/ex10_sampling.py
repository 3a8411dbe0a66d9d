"""Misconceptions of exercise 10, in other words than those of tests/mutants."""

import math

import numpy as np

from grader.diagnosis import mutant

EX = "ex10_sampling"


@mutant(EX, "temperature", says="multiplies")
def hotter_is_sharper(z, t):
    if not t > 0:
        raise ValueError(f"t is {t}")
    return np.array([value * t for value in z])


@mutant(EX, "top_k", says="ties_dropped")
def exactly_k(z, k):
    if k <= 0:
        raise ValueError("k")
    out = np.full(len(z), -np.inf)
    for i in sorted(range(len(z)), key=lambda i: -z[i])[:k]:
        out[i] = z[i]
    return out


@mutant(EX, "top_k", says="dropped_become_zero")
def masks_with_zero(z, k):
    if k < 1:
        raise ValueError("k")
    least = sorted(z, reverse=True)[min(k, len(z)) - 1]
    return z * (z >= least)


@mutant(EX, "top_p", says="crossing_token_dropped")
def stops_before(z, p):
    if p <= 0 or p > 1:
        raise ValueError("p")
    e = np.exp(z - np.max(z))
    probs = e / e.sum()
    out, total = np.full(z.shape, -np.inf), 0.0
    for i in np.argsort(-probs, kind="stable"):
        total += probs[i]
        if total > p:
            break
        out[i] = z[i]
    return out


@mutant(EX, "top_p", says="taken_as_they_stand")
def in_the_order_of_ids(z, p):
    if p <= 0 or p > 1:
        raise ValueError("p")
    probs = np.exp(z - z.max())
    probs /= probs.sum()
    keep, total = [], 0.0
    for prob in probs:
        keep.append(total < p)
        total += prob
    return np.where(keep, z, -np.inf)


@mutant(EX, "sample", says="always_the_best")
def picks_the_top(z, rng):
    rng.random()
    best, at = -math.inf, 0
    for i, value in enumerate(z):
        if value > best:
            best, at = value, i
    return at


@mutant(EX, "sample", says="one_too_far")
def walks_too_far(z, rng):
    p = np.exp(z - z.max())
    p = p / p.sum()
    u, total = rng.random(), 0.0
    for i in range(len(p)):
        total += p[i]
        if total > u:
            return i + 1
    return len(p)
