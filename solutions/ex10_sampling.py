"""Exercise 10: sampling.

The model gives a score for every token that could come next; somebody has to choose. Always taking
the best makes every name the same, and drawing by the probabilities makes some of them nonsense.
Three knobs stand in between. All of them work on the logits z, before softmax:

    logits                    a 2.0    b 1.0    c 0.0   d -1.0
    probabilities               0.64     0.24     0.09     0.03
    temperature 0.5   z / 0.5   0.86     0.12     0.02     0.00      sharper; 2.0 would be flatter
    top_k 2                     0.73     0.27      -        -        the 2 best
    top_p 0.8                   0.73     0.27      -        -        the fewest that reach 0.8:
                                                                     a alone 0.64, a and b 0.88

A token is dropped by setting its logit to -inf, for e^-inf = 0. Its place stays: a place is an id.
top_k asks how many tokens may stay. top_p asks how much of the probability, and so keeps few where
the model is sure and many where it is not.

Then one random number u in [0, 1) chooses. Lay the probabilities side by side on a line of length
1, and see where u falls: the ends of the stretches are the running sum, 0.64, 0.88, 0.97, 1.

    u = 0.70:   |------ a 0.64 ------|-- b 0.24 --|-c-|d|
                                        ^ 0.70                -> b

Generation puts this in a loop, with the cache of exercise 6. The prompt is read once; from then on
the model is shown the one token that is new. With one character a token, and BOS as `stop`:

    call   is shown     the caches held    draws
    1      BOS e m      0 positions        m
    2      m            3                  a
    3      a            4                  BOS      so it ends, and the result is m a

    microgpt.py, in `sample`                               here
    logits = gpt(token, position, keys, values, params)    model(ids, caches)
    [logit / temperature for logit in logits]              temperature(z, t)
    softmax, and rng.choices(..., weights=...)             sample(z, rng)
    if token == tokenizer.bos: break                       stop
    for position in range(BLOCK_SIZE)                      it ends at block_size

What goes wrong most often: top_p drops the token that crosses p; the prompt is read again for every
token; a stop token of 0 is taken for "no stop token"; the stop token is part of the result.
Read more: Holtzman et al. 2020, "The curious case of neural text degeneration", section 3.1.
"""

import numpy as np

from .ex03_tensor import no_grad
from .ex06_attention import KVCache


def temperature(z, t):
    """Make the choice sharper (t below 1) or flatter (above 1).

        z / t

    z (V,) -> (V,); z itself is not changed. t <= 0: ValueError.
    [2, 1, -1] with t = 0.5 gives [4, 2, -2].
    """
    # TODO 1  t <= 0: ValueError
    # TODO 2  the formula
    ### BEGIN SOLUTION
    if t <= 0:
        raise ValueError(f"temperature {t}: it must be above 0")
    return z / t
    ### END SOLUTION


def top_k(z, k):
    """Keep the k largest logits, and all that are equal to the smallest of them; others -> -inf.

    z (V,) -> (V,), each logit at its place; z itself is not changed.
    k >= V keeps all. k < 1: ValueError. (Beware: z[-0:] is all of z.)
    [3, 1, 2] with k = 2 gives [3, -inf, 2]; [2, 1, 1] with k = 2 keeps all three.
    """
    # TODO 1  k < 1: ValueError
    # TODO 2  the k-th largest: np.sort goes up, so the k largest are the last k
    # TODO 3  -inf for what is smaller: np.where
    ### BEGIN SOLUTION
    if k < 1:
        raise ValueError(f"top_k {k}: at least one token must stay")
    return np.where(z < np.sort(z)[-k:][0], -np.inf, z)
    ### END SOLUTION


def top_p(z, p):
    """Keep the fewest tokens, most probable first, that together reach p; others -> -inf.

    From the most probable down, add up probabilities until the sum is at least p. The token that
    crosses p stays, so there is always one. In other words: a token stays if what comes *before* it
    adds up to less than p.

    z (V,) -> (V,), each logit at its place; z itself is not changed. p <= 0 or p > 1: ValueError.
    Probabilities 0.5, 0.3, 0.2: p = 0.4 keeps one, p = 0.6 keeps two, p = 0.9 keeps three.
    """
    # TODO 1  p out of range: ValueError
    # TODO 2  the ids from the most probable down: np.argsort(-z)           (V,)
    # TODO 3  their probabilities; take off z.max() first, or e^z overflows (V,)
    # TODO 4  for each, what comes before it adds up to: np.cumsum          (V,)
    # TODO 5  -inf for those that do not stay, in the order of z: np.isin(all ids, ids that stay)
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

    The result is the first id whose running sum of probabilities is above u.

    rng   a random.Random or a numpy Generator; .random() is what both have

    z (V,) -> int; z itself is not changed
    Probabilities 0.5, 0.25, 0.25: u = 0.4 gives 0, u = 0.6 gives 1, u = 0.8 gives 2.
    """
    # TODO 1  probabilities; take off z.max() first, or e^z overflows     (V,)
    # TODO 2  their running sum, the ends of the stretches                (V,)
    # TODO 3  in which stretch u falls: np.searchsorted, side="right"; made an int
    ### BEGIN SOLUTION
    # as np.exp(z - z.max()).cumsum(), which takes a microsecond and a half more for each token
    total = np.add.accumulate(np.exp(z - z[z.argmax()]))
    return int(total.searchsorted(rng.random() * total[-1], side="right"))
    ### END SOLUTION


@no_grad()
def generate(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    """Continue `ids`, one token at a time: temperature, top_k if given, top_p if given, sample.

    It ends after max_new_tokens, or when `stop` is drawn (one in the prompt does not count), or
    when the model has seen block_size positions. The last token drawn needs no place, as it is not
    shown to the model.

    The model is called with caches, one KVCache for each layer: first with the whole prompt, then
    with the one new id. Nobody asks for gradients, so no node need be remembered: no_grad. (Given.)

    ids list of int, which is not changed -> list of int, the new ids only, without `stop`
    No ids, or more than block_size: ValueError. (Given.)
    """
    room = model.config.block_size - len(ids) + 1
    if not ids or room < 1:
        raise ValueError(f"{len(ids)} ids; it takes 1 to {model.config.block_size}")
    # TODO 1  n_layer empty caches; the prompt is what the model is shown first
    # TODO 2  while another id is wanted, and there is room for it:
    # TODO 3      logits of the last position, as float64: (1, T, V) -> (V,)
    # TODO 4      the knobs in their order, and sample
    # TODO 5      stop, or keep the id; it alone is what the model is shown next
    ### BEGIN SOLUTION
    caches = [KVCache(model.config.block_size) for _ in range(model.config.n_layer)]
    shown, new = ids, []
    for _ in range(min(max_new_tokens, room)):
        z = temperature(model([shown], caches).data[0, -1].astype(np.float64), t)
        z = z if k is None else top_k(z, k)
        z = z if p is None else top_p(z, p)
        shown = [sample(z, rng)]
        if shown[0] == stop:
            break
        new += shown
    return new
    ### END SOLUTION
