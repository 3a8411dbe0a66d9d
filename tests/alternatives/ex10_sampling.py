"""Right samplers and generators in other styles."""

import bisect
import heapq
import itertools
import math

import numpy as np

from grader.diagnosis import alternative
from solutions.ex10_sampling import KVCache, no_grad, sample, temperature, top_k, top_p


def right(name, style):
    return alternative("ex10_sampling", name, style=style)


@right("temperature", "times the inverse")
def temperature_by_inverse(z, t):
    if not t > 0:
        raise ValueError(f"a temperature of {t}")
    return np.multiply(z, 1 / t)


@right("temperature", "a list of Python numbers, made an array")
def temperature_by_loop(z, t):
    if t <= 0:
        raise ValueError("t must be positive")
    return np.array([float(logit) / t for logit in z])


@right("temperature", "a copy divided in place")
def temperature_of_a_copy(z, t):
    if t <= 0.0:
        raise ValueError("only above 0")
    z = np.array(z, dtype=np.float64)
    z /= t
    return z


@right("top_k", "np.partition, and a copy with a mask")
def top_k_by_partition(z, k):
    if k < 1:
        raise ValueError(f"k = {k}")
    if k >= len(z):
        return z.copy()
    kept = z.copy()
    kept[z < np.partition(z, len(z) - k)[len(z) - k]] = -np.inf
    return kept


@right("top_k", "counts how many are larger")
def top_k_by_counting(z, k):
    if not k >= 1:
        raise ValueError("k must be at least 1")
    larger = np.array([(z > logit).sum() for logit in z])
    return np.where(larger < k, z, float("-inf"))


@right("top_k", "Python's sorted, a list comprehension")
def top_k_by_sorted(z, k):
    if k <= 0:
        raise ValueError("nothing would be left")
    edge = sorted(z, reverse=True)[min(k, len(z)) - 1]
    return np.array([logit if logit >= edge else -math.inf for logit in z])


@right("top_p", "np.searchsorted in the cumulative probabilities")
def top_p_by_search(z, p):
    if p <= 0 or p > 1:
        raise ValueError(f"p = {p}")
    order = np.argsort(z)[::-1]
    shares = np.exp(z - np.max(z))[order]
    cumulative = np.cumsum(shares / shares.sum())
    kept = order[: np.searchsorted(cumulative, p) + 1]
    result = np.full_like(z, -np.inf)
    result[kept] = z[kept]
    return result


@right("top_p", "a loop in Python, the best of what is left again and again")
def top_p_by_loop(z, p):
    if not (p > 0 and p <= 1):
        raise ValueError("p must be in (0, 1]")
    shares = np.exp(z - z.max())
    shares = list(shares / shares.sum())
    reached, kept = 0.0, set()
    while reached < p and len(kept) < len(shares):
        best = max((i for i in range(len(shares)) if i not in kept), key=shares.__getitem__)
        kept.add(best)
        reached += shares[best]
    return np.array([float(z[i]) if i in kept else -math.inf for i in range(len(z))])


@right("top_p", "a mask moved on by one, and put back in order, as in many libraries")
def top_p_by_shifted_mask(z, p):
    if not 0 < p <= 1:
        raise ValueError("0 < p <= 1")
    order = np.argsort(-z)
    ordered = z[order] - z.max()
    drop = np.cumsum(np.exp(ordered - np.log(np.exp(ordered).sum()))) >= p
    drop[1:] = drop[:-1].copy()
    drop[0] = False
    result = np.array(z)
    result[order[drop]] = -np.inf
    return result


@right("sample", "a loop that takes the probabilities off u")
def sample_by_loop(z, rng):
    u = rng.random()
    weights = [math.exp(logit - max(z)) for logit in z]
    total = sum(weights)
    for id, weight in enumerate(weights):
        u -= weight / total
        if u < 0:
            return id
    return len(weights) - 1


@right("sample", "bisect in a running sum that is not divided: u is stretched instead")
def sample_by_bisect(z, rng):
    running = list(itertools.accumulate(np.exp(z - z.max()).tolist()))
    return bisect.bisect_right(running, rng.random() * running[-1])


@right("sample", "the first True of a comparison, a numpy integer")
def sample_by_argmax(z, rng):
    shares = np.exp(z - np.max(z))
    return np.argmax(np.cumsum(shares / np.sum(shares)) > rng.random())


@right("generate", "a for loop, the logits in steps, append")
def generate_by_for(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    if len(ids) == 0:
        raise ValueError("an empty prompt")
    if len(ids) > model.config.block_size:
        raise ValueError("a prompt that is too long")
    caches = [KVCache() for _ in range(model.config.n_layer)]
    fed, out = np.array(ids).reshape(1, -1), []
    for _ in range(max_new_tokens):
        if len(ids) + len(out) > model.config.block_size:
            break
        with no_grad():
            logits = model(fed, caches)
        z = temperature(logits.data[0, -1, :], t)
        if k is not None:
            z = top_k(z, k)
        if p is not None:
            z = top_p(z, p)
        token = sample(z, rng)
        if token == stop:
            return out
        out.append(token)
        fed = np.array([[token]])
    return out


@right("generate", "a generator inside, and islice")
def generate_lazily(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    size = model.config.block_size
    if not 1 <= len(ids) <= size:
        raise ValueError(f"{len(ids)} ids")
    knobs = [lambda z: temperature(z, t)]
    knobs += [lambda z: top_k(z, k)] if k is not None else []
    knobs += [lambda z: top_p(z, p)] if p is not None else []

    def tokens():
        caches, fed = [KVCache(size) for _ in range(model.config.n_layer)], list(ids)
        for _ in range(size - len(ids) + 1):
            with no_grad():
                z = model(np.array([fed]), caches=caches).data[0][-1]
            for knob in knobs:
                z = knob(z)
            fed = [int(sample(z, rng))]
            yield fed[0]

    return list(
        itertools.takewhile(lambda id: id != stop, itertools.islice(tokens(), max_new_tokens))
    )


@right("generate", "the prompt first, by itself; then a while loop on the whole text")
def generate_after_the_prompt(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    if not ids or len(ids) > model.config.block_size:
        raise ValueError("1 to block_size ids")
    if max_new_tokens == 0:
        return []
    text = list(ids)
    caches = []
    for _ in range(model.config.n_layer):
        caches.append(KVCache(len(text) + max_new_tokens))
    with no_grad():
        logits = model(np.array([text]), caches)
        while True:
            z = logits.data[0, logits.shape[1] - 1].astype(np.float64)
            z = temperature(z, t)
            z = top_k(z, len(z) if k is None else k)
            if p is not None:
                z = top_p(z, p)
            token = sample(z, rng)
            if stop is not None and token == stop:
                break
            text = [*text, token]
            if len(text) - len(ids) == max_new_tokens or len(text) > model.config.block_size:
                break
            logits = model(np.array([[text[-1]]]), caches)
    return text[len(ids) :]


# more ways


@right("top_k", "a heap of the largest")
def top_k_by_heap(z, k):
    if not k >= 1:
        raise ValueError(f"k = {k}")
    smallest = min(heapq.nlargest(k, z.tolist()))
    return np.array([x if x >= smallest else -math.inf for x in z.tolist()])


@right("top_p", "itertools: accumulated, as long as it is below p")
def top_p_accumulated(z, p):
    if p <= 0 or p > 1:
        raise ValueError(f"p = {p}")
    order = sorted(range(len(z)), key=lambda id: -z[id])
    weights = [math.exp(z[id] - z[order[0]]) for id in order]
    before = itertools.accumulate(weights[:-1], initial=0.0)
    kept = {id for id, gone in zip(order, before) if gone < p * math.fsum(weights)}
    return np.array([z[id] if id in kept else -np.inf for id in range(len(z))])


@right("sample", "accumulate, and the first that is above")
def sample_accumulated(z, rng):
    top = float(max(z))
    weights = [math.exp(float(x) - top) for x in z]
    u, total = float(rng.random()), sum(weights)
    ends = itertools.accumulate(w / total for w in weights)
    return next((id for id, end in enumerate(ends) if u < end), len(weights) - 1)


@right("generate", "recursion: one token, and then the rest")
def generate_recursive(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    size = model.config.block_size
    if not 1 <= len(ids) <= size:
        raise ValueError(f"a prompt of {len(ids)} ids")
    caches = tuple(KVCache() for _ in range(model.config.n_layer))

    def rest(shown, left, room):
        if left <= 0 or room < 1:
            return []
        z = temperature(np.array(model(np.array([shown]), caches).data[0, -1], np.float64), t)
        for knob, setting in ((top_k, k), (top_p, p)):
            z = z if setting is None else knob(z, setting)
        id = int(sample(z, rng))
        return [] if id == stop else [id, *rest([id], left - 1, room - 1)]

    with no_grad():
        return rest([*ids], max_new_tokens, size - len(ids) + 1)


@right("sample", "the running sum of the probabilities as it is, not divided by its end")
def sample_undivided(z, rng):
    shares = np.exp(z - z.max())
    shares = shares / shares.sum()
    return int(np.searchsorted(np.cumsum(shares), rng.random(), side="right"))


@right("top_p", "log-sum-exp, and a walk down the sorted ids until p is reached")
def top_p_by_a_walk(z, p):
    if p <= 0 or p > 1:
        raise ValueError(f"top_p of {p}")
    top = z.max()
    shares = np.exp(z - (top + np.log(np.exp(z - top).sum())))
    kept, total = np.full(len(z), -np.inf), 0.0
    for id in sorted(range(len(z)), key=lambda id: -shares[id]):
        kept[id] = z[id]
        total += shares[id]
        if total >= p:
            break
    return kept


@right("generate", "a knob of 0 is taken for none")
def generate_with_truthful_knobs(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    limit = model.config.block_size
    if not 1 <= len(ids) <= limit:
        raise ValueError("1 to block_size ids, please")
    caches = [KVCache(limit) for _ in range(model.config.n_layer)]
    new, shown = [], [list(ids)]
    with no_grad():
        while len(new) < max_new_tokens and len(ids) + len(new) <= limit:
            z = temperature(model(shown, caches).data[0, -1].astype(float), t)
            z = top_k(z, k) if k else z
            z = top_p(z, p) if p else z
            drawn = sample(z, rng)
            if drawn == stop:
                break
            new.append(drawn)
            shown = [[drawn]]
    return new
