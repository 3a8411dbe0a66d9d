"""What goes wrong between logits and text."""

import numpy as np

from grader.diagnosis import mutant
from solutions.ex10_sampling import KVCache, sample, temperature, top_k, top_p


def temperature_mutant(says):
    return mutant("ex10_sampling", "temperature", says=says)


def positive(t):
    if t <= 0:
        raise ValueError("the temperature must be above 0")
    return t


@temperature_mutant("the logits are multiplied by t; they are divided by it")
def multiplies(z, t):
    return z * positive(t)


@temperature_mutant("that divides probabilities; temperature works on the logits, before softmax")
def divides_probabilities(z, t):
    p = np.exp(z - z.max())
    return p / p.sum() / positive(t)


@temperature_mutant("the difference to the best logit is divided; divide the logits themselves")
def divides_differences(z, t):
    return (z - z.max()) / positive(t)


@temperature_mutant("that divides by t squared; it is z / t")
def divides_twice(z, t):
    return z / positive(t) / t


@temperature_mutant("z / t is computed, but z comes back")
def temperature_lost(z, t):
    positive(t)
    return z


@temperature_mutant("a temperature of 0 passes, and divides by 0: t <= 0 is a ValueError")
def zero_passes(z, t):
    if t < 0:
        raise ValueError("below 0")
    return z / t if t else np.where(z == z.max(), z, -np.inf)


@temperature_mutant(
    "a temperature below 0 passes, and makes the worst the best: t <= 0 is a ValueError"
)
def less_than_zero_passes(z, t):
    if t == 0:
        raise ValueError("it must not be 0")
    return z / t


@temperature_mutant("the logits were divided in place; the array that was given must stay as it is")
def temperature_in_place(z, t):
    positive(t)
    z /= t
    return z


def top_k_mutant(says):
    return mutant("ex10_sampling", "top_k", says=says)


def at_least_one(k):
    if k < 1:
        raise ValueError("at least one token must stay")
    return k


@top_k_mutant("exactly k stay, and of equal logits some are dropped; all equal to the k-th stay")
def ties_dropped(z, k):
    kept = np.full(len(z), -np.inf)
    best = np.argsort(-z, kind="stable")[: at_least_one(k)]
    kept[best] = z[best]
    return kept


@top_k_mutant("the k smallest stay; sorted logits go up, so the best stand at the end")
def smallest_stay(z, k):
    kth = np.sort(z)[: at_least_one(k)][-1]
    return np.where(z > kth, -np.inf, z)


@top_k_mutant("one too many stays: the k-th largest is at place -k of the sorted logits")
def one_more_stays(z, k):
    kth = np.sort(z)[-at_least_one(k) - 1 :][0]
    return np.where(z < kth, -np.inf, z)


@top_k_mutant("the k-th itself is dropped: drop what is smaller than it, not what is equal")
def kth_dropped(z, k):
    kth = np.sort(z)[-at_least_one(k) :][0]
    return np.where(z <= kth, -np.inf, z)


@top_k_mutant("dropped logits became 0, which is a good score; they become -inf")
def dropped_become_zero(z, k):
    kth = np.sort(z)[-at_least_one(k) :][0]
    return np.where(z < kth, 0.0, z)


@top_k_mutant("only the k best come back; all V must, the dropped ones as -inf")
def only_the_best_come_back(z, k):
    kth = np.sort(z)[-at_least_one(k) :][0]
    return z[z >= kth]


@top_k_mutant("the logits come back sorted; each must stay at its token's place")
def top_k_sorted(z, k):
    best_first = -np.sort(-z)
    best_first[at_least_one(k) :] = -np.inf
    return best_first


@top_k_mutant("with k above V there is no k-th largest; then all stay")
def k_above_v_fails(z, k):
    kth = np.sort(z)[-at_least_one(k)]
    return np.where(z < kth, -np.inf, z)


@top_k_mutant("k = 0 keeps all, for -0 is 0: k < 1 is a ValueError")
def k_of_zero_passes(z, k):
    kth = np.sort(z)[-k:][0]
    return np.where(z < kth, -np.inf, z)


@top_k_mutant("the logits were dropped in place; the array that was given must stay as it is")
def top_k_in_place(z, k):
    z[z < np.sort(z)[-at_least_one(k) :][0]] = -np.inf
    return z


def top_p_mutant(says):
    return mutant("ex10_sampling", "top_p", says=says)


def a_share(p):
    if not 0 < p <= 1:
        raise ValueError("p must be above 0 and at most 1")
    return p


def ranked(z):
    """(the order from the most probable down, the probabilities in it)"""
    order = np.argsort(-z, kind="stable")
    shares = np.exp(z[order] - z.max())
    return order, shares / shares.sum()


def only(z, kept):
    return np.where(np.isin(np.arange(len(z)), kept), z, -np.inf)


@top_p_mutant("the token that crosses p is dropped; it is the last one that stays")
def crossing_token_dropped(z, p):
    order, shares = ranked(z)
    return only(z, order[np.cumsum(shares) <= a_share(p)])


@top_p_mutant("the token that crosses p is dropped unless it is the first; it always stays")
def crossing_token_dropped_but_one(z, p):
    order, shares = ranked(z)
    return only(z, order[: max(1, np.sum(np.cumsum(shares) <= a_share(p)))])


@top_p_mutant("one token too many stays: the one that crosses p is the last")
def one_beyond_p(z, p):
    order, shares = ranked(z)
    return only(z, order[: np.sum(np.cumsum(shares) < a_share(p)) + 2])


@top_p_mutant("the tokens are taken as they stand; begin with the most probable")
def taken_as_they_stand(z, p):
    shares = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    return np.where(np.cumsum(shares) - shares < a_share(p), z, -np.inf)


@top_p_mutant("the tokens are taken from the least probable up; begin with the most probable")
def least_probable_first(z, p):
    order, shares = ranked(z)
    order, shares = order[::-1], shares[::-1]
    return only(z, order[np.cumsum(shares) - shares < a_share(p)])


@top_p_mutant("each probability is compared with p by itself; it is their sum that must reach p")
def each_by_itself(z, p):
    order, shares = ranked(z)
    return only(z, order[shares >= a_share(p)])


@top_p_mutant("z comes back as it was; drop what p does not need")
def nothing_dropped(z, p):
    a_share(p)
    return z


@top_p_mutant("the logits were added up; add up probabilities, after softmax")
def logits_added_up(z, p):
    order = np.argsort(-z, kind="stable")
    return only(z, order[np.cumsum(z[order]) - z[order] < a_share(p)])


@top_p_mutant("e^z was added up without dividing by its total, so it is no share")
def not_divided(z, p):
    order = np.argsort(-z, kind="stable")
    weights = np.exp(z[order] - z.max())
    return only(z, order[np.cumsum(weights) - weights < a_share(p)])


@top_p_mutant("dropped logits became 0, which is a good score; they become -inf")
def top_p_dropped_become_zero(z, p):
    order, shares = ranked(z)
    kept = order[np.cumsum(shares) - shares < a_share(p)]
    return np.where(np.isin(np.arange(len(z)), kept), z, 0.0)


@top_p_mutant("the logits come back in order of their probability; each must stay at its place")
def top_p_sorted(z, p):
    order, shares = ranked(z)
    return np.where(np.cumsum(shares) - shares < a_share(p), z[order], -np.inf)


@top_p_mutant("probabilities come back; the logits that stay must come back as they were")
def probabilities_come_back(z, p):
    order, shares = ranked(z)
    kept = only(z, order[np.cumsum(shares) - shares < a_share(p)])
    return np.exp(kept - kept.max()) / np.exp(kept - kept.max()).sum()


@top_p_mutant("e^z overflows for large logits: take the largest off first")
def top_p_overflows(z, p):
    order = np.argsort(-z, kind="stable")
    shares = np.exp(z[order]) / np.exp(z).sum()
    return only(z, order[np.cumsum(shares) - shares < a_share(p)])


@top_p_mutant("a p of 0 or above 1 passes; it must be above 0 and at most 1, else ValueError")
def any_p_passes(z, p):
    order, shares = ranked(z)
    return only(z, order[np.cumsum(shares) - shares < p])


@top_p_mutant("p = 1 is refused; it keeps all")
def one_is_refused(z, p):
    if not 0 < p < 1:
        raise ValueError("p must be between 0 and 1")
    order, shares = ranked(z)
    return only(z, order[np.cumsum(shares) - shares < p])


@top_p_mutant("the logits were dropped in place; the array that was given must stay as it is")
def top_p_in_place(z, p):
    order, shares = ranked(z)
    z[order[np.cumsum(shares) - shares >= a_share(p)]] = -np.inf
    return z


def sample_mutant(says):
    return mutant("ex10_sampling", "sample", says=says)


def shares_of(z):
    weights = np.exp(z - z.max())
    return weights / weights.sum()


@sample_mutant("that is always the best token; draw one by its probability")
def always_the_best(z, rng):
    rng.random()
    return int(np.argmax(z))


@sample_mutant("every token is as likely as any other; draw by the probabilities")
def all_alike(z, rng):
    return int(rng.random() * len(z))


@sample_mutant("numpy's global generator was asked; ask the rng that is given")
def another_generator(z, rng):
    return int(
        np.searchsorted(np.cumsum(shares_of(z)), np.random.default_rng(99).random(), "right")
    )


@sample_mutant("two random numbers were taken; a token takes one")
def two_numbers(z, rng):
    rng.random()
    return int(np.searchsorted(np.cumsum(shares_of(z)), rng.random(), "right"))


@sample_mutant("a random number was taken for every token; one is enough")
def a_number_for_each(z, rng):
    noise = np.array([rng.random() for _ in z])
    return int(np.argmax(z - np.log(-np.log(noise))))


@sample_mutant("rng.choice(..., p=...) is numpy's alone; rng.random() works with Python's as well")
def choice_of_numpy(z, rng):
    return int(rng.choice(len(z), p=shares_of(z)))


@sample_mutant("the running sum was not divided by its total, so it does not end at 1")
def total_is_not_one(z, rng):
    return int(np.searchsorted(np.cumsum(np.exp(z - z.max())), rng.random(), "right"))


@sample_mutant("u is compared with each probability; compare it with their running sum")
def not_added_up(z, rng):
    return int(np.argmax(shares_of(z) > rng.random()))


@sample_mutant("the stretches are laid from the last token to the first; begin with token 0")
def from_the_end(z, rng):
    return int(len(z) - 1 - np.searchsorted(np.cumsum(shares_of(z)[::-1]), rng.random(), "right"))


@sample_mutant("the probabilities were sorted first, so the place is not the id")
def rank_for_id(z, rng):
    shares = -np.sort(-shares_of(z))
    return int(np.searchsorted(np.cumsum(shares), rng.random(), "right"))


@sample_mutant("that is one too far: the first id whose running sum is above u")
def one_too_far(z, rng):
    place = np.searchsorted(np.cumsum(shares_of(z)), rng.random(), "right")
    return int(min(place + 1, len(z) - 1))


@sample_mutant("that is one too far: the first id whose running sum is above u")
def one_too_far_and_beyond(z, rng):
    return int(np.searchsorted(np.cumsum(shares_of(z)), rng.random(), "right")) + 1


@sample_mutant("that is the last id whose running sum is below u; it is the first one above")
def one_too_early(z, rng):
    place = np.searchsorted(np.cumsum(shares_of(z)), rng.random(), "right")
    return int(max(place - 1, 0))


@sample_mutant("e^z overflows for large logits: take the largest off first")
def sample_overflows(z, rng):
    total = np.cumsum(np.exp(z))
    return int(np.searchsorted(total / total[-1], rng.random(), "right"))


@sample_mutant("softmax is missing: the logits themselves were added up")
def logits_as_shares(z, rng):
    shares = np.where(np.isfinite(z), z - z[np.isfinite(z)].min(), 0.0) + 1e-9
    return int(np.searchsorted(np.cumsum(shares / shares.sum()), rng.random(), "right"))


@sample_mutant("a list of one id comes back; the id itself is wanted")
def list_of_one(z, rng):
    return [int(np.searchsorted(np.cumsum(shares_of(z)), rng.random(), "right"))]


def generate_mutant(says):
    return mutant("ex10_sampling", "generate", says=says)


def checked(model, ids):
    """The room for new ids."""
    room = model.config.block_size - len(ids) + 1
    if not ids or room < 1:
        raise ValueError("too few ids, or too many")
    return room


def new_caches(KVCache, model):
    return [KVCache(model.config.block_size) for _ in range(model.config.n_layer)]


def turned(z, t, k, p):
    """The knobs in their order."""
    z = temperature(z, t)
    z = z if k is None else top_k(z, k)
    return z if p is None else top_p(z, p)


def last(logits):
    return logits.data[0, -1].astype(np.float64)


def generated(caches, model, ids, n, rng, choose, stop=None):
    """The right loop: n new ids at most, each chosen from the logits by choose(z)."""
    shown, new = ids, []
    while len(new) < n:
        shown = [sample(choose(last(model(np.array([shown]), caches))), rng)]
        if shown[0] == stop:
            break
        new += shown
    return new


@generate_mutant(
    "the whole text is read again for every token: give the model caches and the new id"
)
def without_a_cache(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    new = []
    for _ in range(min(max_new_tokens, checked(model, ids))):
        id = sample(turned(last(model(np.array([ids + new]))), t, k, p), rng)
        if id == stop:
            break
        new.append(id)
    return new


@generate_mutant("the prompt was shown id by id; it can be shown as a whole")
def prompt_id_by_id(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n, caches = min(max_new_tokens, checked(model, ids)), new_caches(KVCache, model)
    for id in ids[:-1]:
        model(np.array([[id]]), caches)
    return generated(caches, model, ids[-1:], n, rng, lambda z: turned(z, t, k, p), stop)


@generate_mutant("the prompt is part of the result; only the new ids are wanted")
def prompt_comes_back(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids))
    return ids + generated(
        new_caches(KVCache, model), model, ids, n, rng, lambda z: turned(z, t, k, p), stop
    )


@generate_mutant("the new ids were added to the list that was given; it must stay as it is")
def ids_grow(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids))
    new = generated(
        new_caches(KVCache, model), model, ids, n, rng, lambda z: turned(z, t, k, p), stop
    )
    ids += new
    return new


@generate_mutant("the stop token is part of the result; leave it out")
def stop_comes_back(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n, seen = min(max_new_tokens, checked(model, ids)), []

    def choose(z):
        seen.append(z)
        return turned(z, t, k, p)

    new = generated(new_caches(KVCache, model), model, ids, n, rng, choose, stop)
    return new + [stop] * (len(seen) > len(new))


@generate_mutant("the stop token is left out, but it goes on behind it; it ends there")
def goes_on_after_stop(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids))
    new = generated(new_caches(KVCache, model), model, ids, n, rng, lambda z: turned(z, t, k, p))
    return [id for id in new if id != stop]


@generate_mutant("`stop` is not looked at: it ends at that token")
def never_stops(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids))
    return generated(new_caches(KVCache, model), model, ids, n, rng, lambda z: turned(z, t, k, p))


@generate_mutant("a stop token of 0 does not stop: 0 is false, but it is a token")
def zero_does_not_stop(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids))
    return generated(
        new_caches(KVCache, model), model, ids, n, rng, lambda z: turned(z, t, k, p), stop or None
    )


@generate_mutant("the stop token in the prompt ends it before it has begun; only a new one counts")
def prompt_stops(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = 0 if stop in ids else min(max_new_tokens, checked(model, ids))
    return generated(
        new_caches(KVCache, model), model, ids, n, rng, lambda z: turned(z, t, k, p), stop
    )


@generate_mutant("it goes on beyond block_size: there is room for block_size - len(ids) + 1 ids")
def beyond_block_size(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    checked(model, ids)
    return generated(
        new_caches(KVCache, model),
        model,
        ids,
        max_new_tokens,
        rng,
        lambda z: turned(z, t, k, p),
        stop,
    )


@generate_mutant("it ends one token early: the last one drawn is not shown, and needs no place")
def one_too_few(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids) - 1)
    return generated(
        new_caches(KVCache, model), model, ids, n, rng, lambda z: turned(z, t, k, p), stop
    )


@generate_mutant("max_new_tokens counts the prompt too; it is the number of new ones")
def prompt_counts(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens - len(ids), checked(model, ids))
    return generated(
        new_caches(KVCache, model), model, ids, n, rng, lambda z: turned(z, t, k, p), stop
    )


@generate_mutant("one token more than max_new_tokens comes")
def one_too_many(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens + 1, checked(model, ids))
    return generated(
        new_caches(KVCache, model), model, ids, n, rng, lambda z: turned(z, t, k, p), stop
    )


@generate_mutant("the logits of the first position were taken; the last one knows what comes next")
def first_position(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n, caches, shown, new = (
        min(max_new_tokens, checked(model, ids)),
        new_caches(KVCache, model),
        ids,
        [],
    )
    while len(new) < n:
        z = model(np.array([shown]), caches).data[0, 0].astype(np.float64)
        shown = [sample(turned(z, t, k, p), rng)]
        if shown[0] == stop:
            break
        new += shown
    return new


@generate_mutant("always the best token comes: sample draws one")
def takes_the_best(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids))
    return generated(
        new_caches(KVCache, model), model, ids, n, rng, lambda z: top_k(turned(z, t, k, p), 1), stop
    )


@generate_mutant("the temperature is not used")
def t_ignored(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids))
    return generated(
        new_caches(KVCache, model), model, ids, n, rng, lambda z: turned(z, 1.0, k, p), stop
    )


@generate_mutant("k is not used")
def k_ignored(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids))
    return generated(
        new_caches(KVCache, model), model, ids, n, rng, lambda z: turned(z, t, None, p), stop
    )


@generate_mutant("p is not used")
def p_ignored(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids))
    return generated(
        new_caches(KVCache, model), model, ids, n, rng, lambda z: turned(z, t, k, None), stop
    )


@generate_mutant("top_p comes before the temperature; the order is temperature, top_k, top_p")
def temperature_last(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids))
    return generated(
        new_caches(KVCache, model),
        model,
        ids,
        n,
        rng,
        lambda z: temperature(turned(z, 1.0, k, p), t),
        stop,
    )


@generate_mutant("top_p comes before top_k; the order is temperature, top_k, top_p")
def top_p_before_top_k(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    def choose(z):
        z = turned(z, t, None, p)
        return z if k is None else top_k(z, k)

    return generated(
        new_caches(KVCache, model),
        model,
        ids,
        min(max_new_tokens, checked(model, ids)),
        rng,
        choose,
        stop,
    )


@generate_mutant("with k given, p is not used; both may be given")
def either_k_or_p(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids))
    return generated(
        new_caches(KVCache, model),
        model,
        ids,
        n,
        rng,
        lambda z: turned(z, t, k, p if k is None else None),
        stop,
    )


@generate_mutant("all layers share one cache; each layer has its own keys and values")
def one_cache_for_all(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids))
    caches = [KVCache(model.config.block_size)] * model.config.n_layer
    return generated(caches, model, ids, n, rng, lambda z: turned(z, t, k, p), stop)


@generate_mutant("every call has caches of its own, so the model forgets what came before")
def forgets_the_past(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    shown, new = ids, []
    while len(new) < min(max_new_tokens, checked(model, ids)):
        shown = [
            sample(turned(last(model(np.array([shown]), new_caches(KVCache, model))), t, k, p), rng)
        ]
        if shown[0] == stop:
            break
        new += shown
    return new


@generate_mutant("a random number is wasted before the first token; every token takes one")
def a_number_is_wasted(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids))
    rng.random()
    return generated(
        new_caches(KVCache, model), model, ids, n, rng, lambda z: turned(z, t, k, p), stop
    )


@generate_mutant("an array comes back; a list of ids is wanted")
def array_of_ids(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids))
    return np.array(
        generated(
            new_caches(KVCache, model), model, ids, n, rng, lambda z: turned(z, t, k, p), stop
        ),
        int,
    )


@top_k_mutant("what is nearly equal to the k-th largest stays too; only what is equal stays")
def nearly_equal_stays(z, k):
    if k < 1:
        raise ValueError("k must be at least 1")
    kth = np.sort(z)[-min(k, len(z))]
    return np.where((z >= kth) | np.isclose(z, kth), z, -np.inf)


@top_p_mutant("one token too many where the sum is just p; the sum has to reach p, not to pass it")
def passes_p(z, p):
    if not 0 < p <= 1:
        raise ValueError("p must be above 0 and at most 1")
    order = np.argsort(-z, kind="stable")
    shares = np.exp(z[order] - z.max())
    before = np.append(-1, np.cumsum(shares / shares.sum())[:-1])
    return np.where(np.isin(np.arange(len(z)), order[before <= p]), z, -np.inf)


@top_p_mutant("all that are as probable as the last one stay; the fewest that reach p are wanted")
def equals_stay(z, p):
    if not 0 < p <= 1:
        raise ValueError("p must be above 0 and at most 1")
    shares = np.sort(np.exp(z - z.max()))[::-1] / np.exp(z - z.max()).sum()
    n = int((np.cumsum(shares) - shares < p).sum())
    return np.where(z >= np.sort(z)[::-1][n - 1], z, -np.inf)


@sample_mutant("a number just on a boundary belongs to the next token: the sum must be above u")
def boundary_belongs_to_the_left(z, rng):
    ends = np.cumsum(shares_of(z))
    return int(np.searchsorted(ends / ends[-1], rng.random()))


@generate_mutant("there are always two caches; the model has n_layer layers, each with its own")
def two_caches_always(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n, caches = min(max_new_tokens, checked(model, ids)), [KVCache(), KVCache()]
    return generated(caches, model, ids, n, rng, lambda z: turned(z, t, k, p), stop)


@generate_mutant(
    "the caches stay with the model, and with them the last text; begin with empty ones"
)
def caches_kept_by_the_model(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    n = min(max_new_tokens, checked(model, ids))
    caches = vars(model).setdefault("caches", new_caches(KVCache, model))
    return generated(caches, model, ids, n, rng, lambda z: turned(z, t, k, p), stop)
