"""Exercise 10: sampling.

The model gives a score for each possible next token; somebody has to choose. Always taking the best
makes every name the same; drawing by the probabilities makes some nonsense. Three knobs stand in
between, all on the logits z, before softmax:

    logits                    a 2.0    b 1.0    c 0.0   d -1.0
    probabilities               0.64     0.24     0.09     0.03
    temperature 0.5   z / 0.5   0.86     0.12     0.02     0.00      sharper; 2.0 would be flatter
    top_k 2                     0.73     0.27      -        -        the 2 best
    top_p 0.8                   0.73     0.27      -        -        the fewest that reach 0.8:
                                                                     a alone 0.64, a and b 0.88

A token is dropped by setting its logit to -inf: e^-inf = 0. Then one random number u in [0, 1)
picks: stand the probabilities side by side on a line of length 1 and see where u falls.

    u = 0.70:   |------ a 0.64 ------|-- b 0.24 --|-c-|d|
                                        ^ 0.70                -> b

Generation puts it in a loop, with the cache of exercise 6: the prompt is read once, and from then
on the model is shown one new token at a time.

What goes wrong most often: top_p drops the token that crosses p, the prompt is read again for each
token, the stop token is part of the result.
In MicroGPT this is `sample`, with temperature 0.5.
Read more: Holtzman et al. 2020, "The curious case of neural text degeneration", section 3.1.
"""

import numpy as np

from .ex03_tensor import no_grad
from .ex06_attention import KVCache


def temperature(z, t):
    """z / t: below 1 sharper, above 1 flatter. t <= 0: ValueError.

    z (V,) -> (V,)
    """
    # TODO
    ### BEGIN SOLUTION
    if t <= 0:
        raise ValueError(f"temperature {t}: it must be above 0")
    return z / t
    ### END SOLUTION


def top_k(z, k):
    """Keep the k largest logits, and all that are equal to the smallest of them; the rest -> -inf.

    z (V,) -> (V,); z itself is not changed. k >= V keeps all; k < 1: ValueError.
    [3, 1, 2] with k = 2 gives [3, -inf, 2]; [2, 1, 1] with k = 2 keeps all three.
    """
    # TODO 1  the k-th largest
    # TODO 2  -inf for what is smaller
    ### BEGIN SOLUTION
    if k < 1:
        raise ValueError(f"top_k {k}: at least one token must stay")
    kth = np.sort(z)[-k:][0]
    return np.where(z < kth, -np.inf, z)
    ### END SOLUTION


def top_p(z, p):
    """Keep the fewest most probable tokens that add up to at least p; the rest -> -inf.

    The token that crosses p is kept, so at least one always is.

    z (V,) -> (V,); z itself is not changed. p not in (0, 1]: ValueError.
    Probabilities 0.5, 0.3, 0.2: p = 0.4 keeps one, p = 0.6 keeps two, p = 0.9 keeps three.
    """
    # TODO 1  the tokens from the most probable down, and their probabilities
    # TODO 2  what stands *before* each one adds up to less than p: it stays
    # TODO 3  -inf for the others, in the original order
    ### BEGIN SOLUTION
    if not 0 < p <= 1:
        raise ValueError(f"top_p {p}: it must be above 0 and at most 1")
    order = np.argsort(-z, kind="stable")
    total = np.cumsum(np.exp(z[order] - z.max()))
    before = np.append(0, total[:-1]) / total[-1]  # what the more probable ones add up to
    return np.where(np.isin(np.arange(len(z)), order[before < p]), z, -np.inf)
    ### END SOLUTION


def sample(z, rng):
    """Draw one id with the probabilities softmax(z), by one number u = rng.random().

    The result is the first id whose cumulative probability is above u.

    z (V,), rng random.Random or numpy Generator -> int
    Probabilities 0.5, 0.25, 0.25: u = 0.49 gives 0, u = 0.5 gives 1, u = 0.75 gives 2.
    """
    # TODO 1  probabilities, and their running sum
    # TODO 2  where u falls: np.searchsorted with side="right"; an int
    ### BEGIN SOLUTION
    total = np.cumsum(np.exp(z - z.max()))
    return int(np.searchsorted(total / total[-1], rng.random(), side="right"))
    ### END SOLUTION


@no_grad()
def generate(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    """Continue `ids`, one token at a time: temperature, then top_k and top_p if given, then sample.

    It ends after max_new_tokens, at the token `stop`, or when the model has seen block_size
    positions (the last token drawn is not shown to it).
    The model is called with caches, one KVCache for each layer: first with the whole prompt, then
    with one id each time. No gradients are needed: no_grad.

    ids list of int -> list of int, the new ids only, without the stop token
    No ids, or more than block_size: ValueError.
    """
    room = model.config.block_size - len(ids) + 1
    if not ids or room < 1:
        raise ValueError(f"{len(ids)} ids; it takes 1 to {model.config.block_size}")
    # TODO 1  empty caches; the prompt is what the model is shown first
    # TODO 2  while there is room: logits of the last position, choose, stop or keep
    # TODO 3  next time show it the new id only
    ### BEGIN SOLUTION
    caches = [KVCache(model.config.block_size) for _ in range(model.config.n_layer)]
    shown, new = ids, []
    while len(new) < min(max_new_tokens, room):
        z = model(np.array([shown]), caches).data[0, -1]
        z = temperature(z.astype(np.float64), t)
        z = z if k is None else top_k(z, k)
        z = z if p is None else top_p(z, p)
        shown = [sample(z, rng)]
        if shown[0] == stop:
            break
        new += shown
    return new
    ### END SOLUTION
