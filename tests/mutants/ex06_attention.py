"""Mistakes that are made in exercise 6, attention."""

import numpy as np

from grader.diagnosis import mutant
from solutions.ex03_tensor import Tensor
from solutions.ex04_ops import linear, softmax
from solutions.ex06_attention import (
    attention_weights,
    causal_attention,
    merge_heads,
    split_heads,
)

EX06 = "ex06_attention"


def future(q, k, lowest=-np.inf, first=1):
    """What to add to the scores: `lowest` where the key is later than the query by `first`."""
    Tq, Tk = q.shape[2], k.shape[2]
    return np.triu(np.full((Tq, Tk), lowest, q.data.dtype), first + Tk - Tq)


def past(q, k):
    """1 where the key may be seen, 0 where it is later than the query."""
    Tq, Tk = q.shape[2], k.shape[2]
    return np.tril(np.ones((Tq, Tk), q.data.dtype), Tk - Tq)


# split_heads and merge_heads


@mutant(
    EX06,
    "split_heads",
    says="you reshaped to (B, H, T, D) at once, which tears positions apart; reshape to"
    " (B, T, H, D), then swap T and H",
)
def split_by_reshape_alone(x, n_head):
    B, T, C = x.shape
    if C % n_head:
        raise ValueError("not divisible")
    return x.reshape(B, n_head, T, C // n_head)


@mutant(
    EX06,
    "split_heads",
    says="you dealt the channels out like cards; a head takes D channels that stand together",
)
def split_interleaved(x, n_head):
    B, T, C = x.shape
    if C % n_head:
        raise ValueError("not divisible")
    return x.reshape(B, T, C // n_head, n_head).transpose(0, 3, 1, 2)


@mutant(EX06, "split_heads", says="you moved T behind D; the result is (B, H, T, D)")
def split_with_time_last(x, n_head):
    B, T, C = x.shape
    if C % n_head:
        raise ValueError("not divisible")
    return x.reshape(B, T, n_head, C // n_head).transpose(0, 2, 3, 1)


@mutant(EX06, "split_heads", says="you forgot to swap T and H; the result is (B, H, T, D)")
def split_without_transpose(x, n_head):
    B, T, C = x.shape
    if C % n_head:
        raise ValueError("not divisible")
    return x.reshape(B, T, n_head, C // n_head)


@mutant(
    EX06,
    "split_heads",
    says="you took n_head for the size of a head; it is how many heads there are",
)
def split_in_heads_of_n_head(x, n_head):
    B, T, C = x.shape
    if C % n_head:
        raise ValueError("not divisible")
    return x.reshape(B, T, C // n_head, n_head).transpose(0, 2, 1, 3)


@mutant(
    EX06,
    "split_heads",
    says="channels that do not fit are dropped in silence; if C is not divisible by n_head, raise"
    " ValueError",
)
def split_drops_the_rest(x, n_head):
    B, T, C = x.shape
    D = C // n_head
    return x[:, :, : n_head * D].reshape(B, T, n_head, D).transpose(0, 2, 1, 3)


@mutant(
    EX06,
    "split_heads",
    says="the numbers are right, but the result does not know where it came from; use Tensor's"
    " own reshape and transpose, not numpy's on .data",
)
def split_without_history(x, n_head):
    B, T, C = x.shape
    return Tensor(x.data.reshape(B, T, n_head, C // n_head).transpose(0, 2, 1, 3))


@mutant(
    EX06,
    "merge_heads",
    says="you reshaped without swapping H and T back; first (B, T, H, D), then (B, T, C)",
)
def merge_by_reshape_alone(x):
    B, H, T, D = x.shape
    return x.reshape(B, T, H * D)


@mutant(
    EX06,
    "merge_heads",
    says="you put D before H; the heads stand side by side, each with its D numbers together",
)
def merge_interleaved(x):
    B, H, T, D = x.shape
    return x.transpose(0, 2, 3, 1).reshape(B, T, H * D)


@mutant(
    EX06,
    "merge_heads",
    says="the numbers are right, but the result does not know where it came from; use Tensor's"
    " own transpose and reshape, not numpy's on .data",
)
def merge_without_history(x):
    B, H, T, D = x.shape
    return Tensor(x.data.transpose(0, 2, 1, 3).reshape(B, T, H * D))


# attention_weights


def product(q, k):
    """The scores without a mask, composed of the operations of q's own Tensor."""
    return q @ k.transpose(0, 1, 3, 2) * q.shape[3] ** -0.5


def scores_of(q, k, divisor):
    """The masked scores, divided by `divisor` in place of sqrt(D)."""
    return q @ k.transpose(0, 1, 3, 2) * (1 / divisor) + future(q, k)


@mutant(EX06, "attention_weights", says="the scores are not scaled; divide them by sqrt(D)")
def weights_unscaled(q, k):
    return softmax(scores_of(q, k, 1.0))


@mutant(EX06, "attention_weights", says="you divided the scores by D; divide them by sqrt(D)")
def weights_divided_by_d(q, k):
    return softmax(scores_of(q, k, q.shape[3]))


@mutant(
    EX06,
    "attention_weights",
    says="you divided by the root of T; D, the length of a query, is the last axis",
)
def weights_divided_by_root_of_time(q, k):
    return softmax(scores_of(q, k, k.shape[2] ** 0.5))


@mutant(
    EX06,
    "attention_weights",
    says="you divided by the root of H, how many heads there are; D is the last axis of a query",
)
def weights_divided_by_root_of_heads(q, k):
    return softmax(scores_of(q, k, q.shape[1] ** 0.5))


@mutant(
    EX06,
    "attention_weights",
    says="you divided by the root of B, the number of documents; D is the last axis of a query",
)
def weights_divided_by_root_of_documents(q, k):
    return softmax(scores_of(q, k, q.shape[0] ** 0.5))


@mutant(
    EX06,
    "attention_weights",
    says="you divided by the root of C, all heads together; each head has D = C / H numbers",
)
def weights_divided_by_root_of_channels(q, k):
    return softmax(scores_of(q, k, (q.shape[1] * q.shape[3]) ** 0.5))


@mutant(EX06, "attention_weights", says="you multiplied the scores by sqrt(D); divide them by it")
def weights_multiplied_by_root_of_d(q, k):
    return softmax(scores_of(q, k, q.shape[3] ** -0.5))


@mutant(
    EX06,
    "attention_weights",
    says="you scaled after the softmax, so the rows do not add up to 1; scale the scores",
)
def weights_scaled_after_softmax(q, k):
    return softmax(scores_of(q, k, 1.0)) * q.shape[3] ** -0.5


@mutant(
    EX06,
    "attention_weights",
    says="you multiplied the queries with the queries; the scores are q @ k^T",
)
def weights_of_queries_alone(q, k):
    return softmax(product(q, q) + future(q, k))


@mutant(
    EX06,
    "attention_weights",
    says="you multiplied the keys with the queries; each row belongs to a query: q @ k^T",
)
def weights_transposed(q, k):
    return softmax(product(k, q) + future(q, k))


@mutant(
    EX06,
    "attention_weights",
    says="nothing is masked: each position sees the future; the scores of later keys are -inf",
)
def weights_without_mask(q, k):
    return softmax(product(q, k))


@mutant(
    EX06,
    "attention_weights",
    says="you masked after the softmax, so the rows no longer add up to 1; mask the scores",
)
def weights_masked_after_softmax(q, k):
    return softmax(product(q, k)) * past(q, k)


@mutant(
    EX06,
    "attention_weights",
    says="you masked after the softmax, so the rows no longer add up to 1; mask the scores",
)
def weights_masked_after_softmax_by_a_square(q, k):
    return softmax(product(q, k)) * past(q, q)


@mutant(
    EX06,
    "attention_weights",
    says="your mask is a square; with a cache there are more keys than queries: (Tq, Tk)",
)
def weights_masked_by_a_square(q, k):
    return softmax(product(q, k) + future(q, q))


@mutant(
    EX06,
    "attention_weights",
    says="the mask sets scores to 0, and e^0 is 1, which is not nothing; set them to -inf",
)
def weights_masked_with_zero(q, k):
    return softmax(product(q, k) * past(q, k))


@mutant(
    EX06,
    "attention_weights",
    says="0 * -inf is nan: make a mask of -inf where the future is, and of 0 elsewhere",
)
def weights_masked_by_a_product(q, k):
    with np.errstate(invalid="ignore"):
        mask = future(q, k, lowest=1.0) * -np.inf
    return softmax(product(q, k) + mask)


@mutant(
    EX06,
    "attention_weights",
    says="transpose() turns all four axes round; name them, and swap the last two alone",
)
def weights_of_a_key_turned_round(q, k):
    return softmax(q @ k.transpose() * q.shape[3] ** -0.5 + future(q, k))


@mutant(
    EX06,
    "attention_weights",
    says="the mask takes 10000 off, and a very good match in the future still shows; use -inf",
)
def weights_masked_with_ten_thousand(q, k):
    return softmax(product(q, k) + future(q, k, lowest=-10000.0))


@mutant(
    EX06,
    "attention_weights",
    says="the mask is the wrong way round: it hides the past and shows the future",
)
def weights_of_the_future(q, k):
    Tq, Tk = q.shape[2], k.shape[2]
    return softmax(product(q, k) + np.tril(np.full((Tq, Tk), -np.inf, q.data.dtype), Tk - Tq - 1))


@mutant(
    EX06,
    "attention_weights",
    says="the mask is off by one: a position also sees itself, so that the first sees something",
)
def weights_without_oneself(q, k):
    return softmax(product(q, k) + future(q, k, lowest=-1e30, first=0))


@mutant(
    EX06,
    "attention_weights",
    says="the mask is off by one: a position also sees itself, so that the first sees something",
)
def weights_without_oneself_and_nothing_left(q, k):
    return softmax(product(q, k) + future(q, k, first=0))


@mutant(
    EX06,
    "attention_weights",
    says="the mask is off by one: each position sees the next one too",
)
def weights_with_the_next_one(q, k):
    return softmax(product(q, k) + future(q, k, first=2))


@mutant(
    EX06,
    "attention_weights",
    says="your mask takes the queries for the first positions; they are the last Tq of the Tk",
)
def weights_of_the_first_queries(q, k):
    Tq, Tk = q.shape[2], k.shape[2]
    return softmax(product(q, k) + np.triu(np.full((Tq, Tk), -np.inf, q.data.dtype), 1))


@mutant(
    EX06,
    "attention_weights",
    says="the softmax runs over the queries, so that columns add up to 1; it runs over the keys,"
    " the last axis",
)
def weights_over_the_queries(q, k):
    return softmax(scores_of(q, k, q.shape[3] ** 0.5), axis=-2)


@mutant(
    EX06,
    "attention_weights",
    says="all visible positions get the same weight, whatever q and k are; the scores are missing",
)
def weights_uniform(q, k):
    return softmax(scores_of(q * 0.0, k, 1.0))


@mutant(
    EX06,
    "attention_weights",
    says="each position looks at itself alone; the weights come from the scores of all keys so far",
)
def weights_identity(q, k):
    B, H, Tq, _ = q.shape
    eye = np.eye(Tq, k.shape[2], k.shape[2] - Tq)
    return Tensor(np.broadcast_to(eye, (B, H, *eye.shape)))


@mutant(EX06, "attention_weights", says="these are the scores; the softmax over them is missing")
def weights_without_softmax(q, k):
    return product(q, k) * past(q, k)


@mutant(
    EX06,
    "attention_weights",
    says="the values are right, but the gradients of q and k lack the factor 1 / sqrt(D)",
)
def weights_with_unscaled_gradient(q, k):
    scores = scores_of(q, k, q.shape[3] ** 0.5).data
    return softmax(Tensor.op(scores, (q, k), lambda g: (g @ k.data, g.mT @ q.data)))


@mutant(
    EX06,
    "attention_weights",
    says="the values are right, but the gradient of k is that of a transposed score: g^T @ q",
)
def weights_with_untransposed_gradient(q, k):
    scale, scores = q.shape[3] ** -0.5, scores_of(q, k, q.shape[3] ** 0.5).data
    return softmax(Tensor.op(scores, (q, k), lambda g: (g @ k.data * scale, g @ q.data * scale)))


@mutant(
    EX06,
    "attention_weights",
    says="the values are right, but no gradient reaches the keys: .data forgets where it came from",
)
def weights_with_forgotten_keys(q, k):
    return softmax(scores_of(q, Tensor(k.data), q.shape[3] ** 0.5))


@mutant(
    EX06,
    "attention_weights",
    says="you changed q in place; it still belongs to whoever gave it",
)
def weights_that_change_the_queries(q, k):
    q.data *= q.shape[3] ** -0.5
    return softmax(scores_of(q, k, 1.0))


@mutant(
    EX06,
    "attention_weights",
    says="float32 became float64, as np.sqrt(D) and a mask of np.full are; use D ** 0.5 and the"
    " dtype of q",
)
def weights_in_float64(q, k):
    scale = np.sqrt(q.shape[3])
    scores = q.data @ k.data.mT / scale + future(q, k).astype(np.float64)

    def vjp(g):
        return g @ k.data / scale, g.mT @ q.data / scale

    return softmax(Tensor.op(scores, (q, k), vjp))


# causal_attention


@mutant(
    EX06,
    "causal_attention",
    says="you mixed the keys; the weights come from the keys, what they mix are the values",
)
def attention_of_keys(q, k, v):
    return attention_weights(q, k) @ k


@mutant(
    EX06,
    "causal_attention",
    says="you swapped queries and keys; the weights are those of q looking at k",
)
def attention_with_roles_swapped(q, k, v):
    return attention_weights(k, q) @ v


@mutant(
    EX06,
    "causal_attention",
    says="the weights are transposed; row i of the weights mixes the values for query i",
)
def attention_with_transposed_weights(q, k, v):
    return attention_weights(q, k).transpose(0, 1, 3, 2) @ v


@mutant(
    EX06,
    "causal_attention",
    says="this is the plain mean of the values so far; the weights must mix them",
)
def attention_plain_mean(q, k, v):
    return attention_weights(q * 0.0, k) @ v


@mutant(
    EX06,
    "causal_attention",
    says="the weights are scaled once more; attention_weights has done all the scaling",
)
def attention_scaled_twice(q, k, v):
    return attention_weights(q * q.shape[3] ** -0.5, k) @ v


@mutant(
    EX06,
    "causal_attention",
    says="you ran a softmax over the weights, which add up to 1 already",
)
def attention_with_two_softmaxes(q, k, v):
    return softmax(attention_weights(q, k)) @ v


@mutant(
    EX06,
    "causal_attention",
    says="you added the queries to the result; what was there is added in the block, not here",
)
def attention_with_residual(q, k, v):
    return q + attention_weights(q, k) @ v


@mutant(
    EX06,
    "causal_attention",
    says="each position gets its own value back; the weights mix those of all positions so far",
)
def attention_returns_the_values(q, k, v):
    return v[:, :, v.shape[2] - q.shape[2] :]


@mutant(
    EX06,
    "causal_attention",
    says="these are the queries, as they came in; the result is a mean of the values",
)
def attention_returns_the_queries(q, k, v):
    return q


@mutant(
    EX06,
    "causal_attention",
    says="the values are right, but no gradient reaches q and k: .data of the weights forgets where"
    " they came from",
)
def attention_with_forgotten_weights(q, k, v):
    return Tensor(attention_weights(q, k).data) @ v


# self_attention


@mutant(EX06, "self_attention", says="queries and keys are swapped: q is made with wq, k with wk")
def self_attention_with_roles_swapped(x, weights, n_head, cache=None):
    swapped = weights | {"wq": weights["wk"], "wk": weights["wq"]}
    if "bq" in weights:
        swapped |= {"bq": weights["bk"], "bk": weights["bq"]}
    q, k, v = (
        split_heads(linear(x, swapped["w" + i], swapped.get("b" + i)), n_head) for i in "qkv"
    )
    if cache is not None:
        k, v = cache.extend(k, v)
    return linear(merge_heads(causal_attention(q, k, v)), weights["wo"], weights.get("bo"))


@mutant(EX06, "self_attention", says="the last step is missing: the output projection, wo and bo")
def self_attention_without_output(x, weights, n_head, cache=None):
    q, k, v = (
        split_heads(linear(x, weights["w" + i], weights.get("b" + i)), n_head) for i in "qkv"
    )
    if cache is not None:
        k, v = cache.extend(k, v)
    return merge_heads(causal_attention(q, k, v))


@mutant(EX06, "self_attention", says="the biases are left out; use those that weights holds")
def self_attention_without_biases(x, weights, n_head, cache=None):
    q, k, v = (split_heads(linear(x, weights["w" + i]), n_head) for i in "qkv")
    if cache is not None:
        k, v = cache.extend(k, v)
    return linear(merge_heads(causal_attention(q, k, v)), weights["wo"])


@mutant(EX06, "self_attention", says="bq, bk and bv are left out; use them if weights holds them")
def self_attention_without_input_biases(x, weights, n_head, cache=None):
    q, k, v = (split_heads(linear(x, weights["w" + i]), n_head) for i in "qkv")
    if cache is not None:
        k, v = cache.extend(k, v)
    return linear(merge_heads(causal_attention(q, k, v)), weights["wo"], weights.get("bo"))


@mutant(EX06, "self_attention", says="bo is left out; the output projection has a bias too")
def self_attention_without_output_bias(x, weights, n_head, cache=None):
    q, k, v = (
        split_heads(linear(x, weights["w" + i], weights.get("b" + i)), n_head) for i in "qkv"
    )
    if cache is not None:
        k, v = cache.extend(k, v)
    return linear(merge_heads(causal_attention(q, k, v)), weights["wo"])


@mutant(
    EX06,
    "self_attention",
    says="you multiplied x @ w; weights stand (out, in), and linear multiplies with w^T",
)
def self_attention_with_transposed_weights(x, weights, n_head, cache=None):
    q, k, v = (
        split_heads(linear(x, weights["w" + i].transpose(1, 0), weights.get("b" + i)), n_head)
        for i in "qkv"
    )
    if cache is not None:
        k, v = cache.extend(k, v)
    y = merge_heads(causal_attention(q, k, v))
    return linear(y, weights["wo"].transpose(1, 0), weights.get("bo"))


@mutant(
    EX06,
    "self_attention",
    says="there is only one head over all C channels; split q, k and v in n_head heads",
)
def self_attention_with_one_head(x, weights, n_head, cache=None):
    q, k, v = (split_heads(linear(x, weights["w" + i], weights.get("b" + i)), 1) for i in "qkv")
    if cache is not None:
        k, v = cache.extend(k, v)
    return linear(merge_heads(causal_attention(q, k, v)), weights["wo"], weights.get("bo"))


@mutant(
    EX06,
    "self_attention",
    says="the values are x itself; they are projected with wv, as q and k are with theirs",
)
def self_attention_of_unprojected_values(x, weights, n_head, cache=None):
    q, k = (split_heads(linear(x, weights["w" + i], weights.get("b" + i)), n_head) for i in "qk")
    v = split_heads(x, n_head)
    if cache is not None:
        k, v = cache.extend(k, v)
    return linear(merge_heads(causal_attention(q, k, v)), weights["wo"], weights.get("bo"))


@mutant(
    EX06,
    "self_attention",
    says="x is added to the result; what was there is added in the block, not here",
)
def self_attention_with_residual(x, weights, n_head, cache=None):
    q, k, v = (
        split_heads(linear(x, weights["w" + i], weights.get("b" + i)), n_head) for i in "qkv"
    )
    if cache is not None:
        k, v = cache.extend(k, v)
    return x + linear(merge_heads(causal_attention(q, k, v)), weights["wo"], weights.get("bo"))


@mutant(
    EX06,
    "self_attention",
    says="the cache is not used, so the new position cannot see those before it",
)
def self_attention_without_cache(x, weights, n_head, cache=None):
    q, k, v = (
        split_heads(linear(x, weights["w" + i], weights.get("b" + i)), n_head) for i in "qkv"
    )
    return linear(merge_heads(causal_attention(q, k, v)), weights["wo"], weights.get("bo"))


@mutant(
    EX06,
    "self_attention",
    says="the cache is filled but not read; go on with the k and v that extend gives back",
)
def self_attention_that_ignores_what_the_cache_gives(x, weights, n_head, cache=None):
    q, k, v = (
        split_heads(linear(x, weights["w" + i], weights.get("b" + i)), n_head) for i in "qkv"
    )
    if cache is not None:
        cache.extend(k, v)
    return linear(merge_heads(causal_attention(q, k, v)), weights["wo"], weights.get("bo"))


@mutant(EX06, "self_attention", says="the cache is filled twice, so each position counts double")
def self_attention_that_fills_the_cache_twice(x, weights, n_head, cache=None):
    q, k, v = (
        split_heads(linear(x, weights["w" + i], weights.get("b" + i)), n_head) for i in "qkv"
    )
    if cache is not None:
        cache.extend(k, v)
        k, v = cache.extend(k, v)
    return linear(merge_heads(causal_attention(q, k, v)), weights["wo"], weights.get("bo"))


@mutant(
    EX06,
    "self_attention",
    says="an empty cache counts as false in Python, so it is never filled; ask `is not None`",
)
def self_attention_with_a_false_cache(x, weights, n_head, cache=None):
    q, k, v = (
        split_heads(linear(x, weights["w" + i], weights.get("b" + i)), n_head) for i in "qkv"
    )
    if cache:
        k, v = cache.extend(k, v)
    return linear(merge_heads(causal_attention(q, k, v)), weights["wo"], weights.get("bo"))


# KVCache


def write(cache, k, v, keep):
    """Keep `keep(old, new)` of keys and values in the cache; give them as arrays."""
    new = np.stack([k.data, v.data])
    cache.room = new if cache.room is None else keep(cache.room, new)
    return cache.room


def after(old, new):
    return np.concatenate([old, new], axis=3)


@mutant(
    EX06,
    "KVCache.extend",
    says="only the new positions come back; give those of all calls so far",
)
def cache_gives_only_the_new(self, k, v):
    self.length += k.shape[2]
    return k, v


@mutant(
    EX06,
    "KVCache.extend",
    says="the new positions are written over the old ones; they go behind them",
)
def cache_starts_over(self, k, v):
    write(self, k, v, lambda old, new: new)
    self.length = k.shape[2]
    return Tensor(self.room[0]), Tensor(self.room[1])


@mutant(EX06, "KVCache.extend", says="the new positions stand before the old ones; they go behind")
def cache_in_reverse(self, k, v):
    room = write(self, k, v, lambda old, new: after(new, old))
    self.length += k.shape[2]
    return Tensor(room[0]), Tensor(room[1])


@mutant(EX06, "KVCache.extend", says="keys and values have changed places")
def cache_swaps_keys_and_values(self, k, v):
    room = write(self, k, v, after)
    self.length += k.shape[2]
    return Tensor(room[1]), Tensor(room[0])


@mutant(EX06, "KVCache.extend", says="the values are the keys once more")
def cache_gives_keys_twice(self, k, v):
    room = write(self, k, v, after)
    self.length += k.shape[2]
    return Tensor(room[0]), Tensor(room[0])


@mutant(
    EX06,
    "KVCache.extend",
    says="the length counts calls; one call may bring many positions",
)
def cache_counts_calls(self, k, v):
    room = write(self, k, v, after)
    self.length += 1
    return Tensor(room[0]), Tensor(room[1])


@mutant(
    EX06,
    "KVCache.extend",
    says="the place for the next positions moves on by 1 a call, though several may have come; the"
    " next are written over them",
)
def cache_moves_on_by_one(self, k, v):
    new = np.stack([k.data, v.data])
    start, end = self.length, self.length + new.shape[3]
    if self.room is None:
        self.room = np.zeros((*new.shape[:3], 256, new.shape[4]), new.dtype)
    self.room[..., start:end, :] = new
    self.length += 1
    return Tensor(self.room[0][..., :end, :]), Tensor(self.room[1][..., :end, :])


@mutant(
    EX06,
    "KVCache.extend",
    says="the new positions went to the axis of the heads; T is axis 2 of (B, H, T, D)",
)
def cache_grows_along_heads(self, k, v):
    room = write(self, k, v, lambda old, new: np.concatenate([old, new], axis=2))
    self.length += k.shape[2]
    return Tensor(room[0]), Tensor(room[1])


@mutant(
    EX06,
    "KVCache.extend",
    says="all the room comes back, the empty part too; give only the positions that are filled",
)
def cache_gives_the_whole_room(self, k, v):
    new = np.stack([k.data, v.data])
    if self.room is None:
        self.room = np.zeros((*new.shape[:3], max(self.capacity, 64), new.shape[4]))
    self.room[..., self.length : self.length + new.shape[3], :] = new
    self.length += new.shape[3]
    return Tensor(self.room[0]), Tensor(self.room[1])


@mutant(
    EX06,
    "KVCache.extend",
    says="old positions are dropped when the capacity is reached; it is how large the room is at"
    " first, not a limit",
)
def cache_forgets_beyond_capacity(self, k, v):
    room = write(self, k, v, lambda old, new: after(old, new)[..., -self.capacity :, :])
    self.length = room.shape[3]
    return Tensor(room[0]), Tensor(room[1])


@mutant(
    EX06,
    "KVCache.extend",
    says="what was kept is lost when the room grows; copy the old positions into the new room",
)
def cache_loses_the_old_when_it_grows(self, k, v):
    new = np.stack([k.data, v.data])
    start, end = self.length, self.length + new.shape[3]
    if self.room is None or end > self.room.shape[3]:
        self.room = np.zeros((*new.shape[:3], max(self.capacity, 2 * end), new.shape[4]))
    self.room[..., start:end, :] = new
    self.length = end
    return Tensor(self.room[0][..., :end, :]), Tensor(self.room[1][..., :end, :])


@mutant(
    EX06,
    "KVCache.extend",
    says="the room never grows; a full one doubles, again and again",
)
def cache_never_grows(self, k, v):
    new = np.stack([k.data, v.data])
    start, end = self.length, self.length + new.shape[3]
    if self.room is None:
        self.room = np.empty((*new.shape[:3], self.capacity, new.shape[4]), new.dtype)
    self.room[..., start:end, :] = new
    self.length = end
    return Tensor(self.room[0][..., :end, :]), Tensor(self.room[1][..., :end, :])


@mutant(
    EX06,
    "KVCache.extend",
    says="the room doubles only once; a long text may need it again and again",
)
def cache_doubles_once(self, k, v):
    new = np.stack([k.data, v.data])
    start, end = self.length, self.length + new.shape[3]
    if self.room is None:
        self.room = np.empty((*new.shape[:3], self.capacity, new.shape[4]), new.dtype)
    if end > self.room.shape[3]:
        self.room = np.concatenate([self.room, self.room], axis=3)
    self.room[..., start:end, :] = new
    self.length = end
    return Tensor(self.room[0][..., :end, :]), Tensor(self.room[1][..., :end, :])


@mutant(
    EX06,
    "KVCache.extend",
    says="only the last of several new positions is kept; keep every one",
)
def cache_keeps_the_last_alone(self, k, v):
    room = write(self, k[:, :, -1:], v[:, :, -1:], after)
    self.length += k.shape[2]
    return Tensor(room[0]), Tensor(room[1])


@mutant(
    EX06,
    "KVCache.extend",
    says="all caches share one memory; each keeps its own, in self",
)
def cache_is_shared(self, k, v):
    shared = type(self)
    new = np.stack([k.data, v.data])
    shared.kept = after(shared.kept, new) if self.length else new
    self.length += k.shape[2]
    return Tensor(shared.kept[0]), Tensor(shared.kept[1])


@mutant(
    EX06,
    "KVCache.extend",
    says="what was given before changes: the room's contents are moved; write behind, move nothing",
)
def cache_slides_its_contents(self, k, v):
    new = np.stack([k.data, v.data])
    T = new.shape[3]
    if self.room is None:
        self.room = np.zeros((*new.shape[:3], 256, new.shape[4]), new.dtype)
    self.room[..., :-T, :] = self.room[..., T:, :].copy()
    self.room[..., -T:, :] = new
    self.length += T
    kept = self.room[..., -self.length :, :]
    return Tensor(kept[0]), Tensor(kept[1])


@mutant(
    EX06,
    "KVCache.extend",
    says="float32 became float64; the cache keeps the type of what it is given",
)
def cache_in_float64(self, k, v):
    room = write(self, k, v, after).astype(np.float64)
    self.length += k.shape[2]
    return Tensor(room[0]), Tensor(room[1])


@mutant(
    EX06,
    "attention_weights",
    says="only the last few positions are seen; a position may look back to the very first",
)
def weights_in_a_window(q, k):
    Tq, Tk = q.shape[2], k.shape[2]
    places = np.arange(Tk - Tq, Tk)[:, None]
    far = np.where(np.arange(Tk) < places - 8, -np.inf, 0).astype(q.data.dtype)
    return softmax(scores_of(q, k, q.shape[3] ** 0.5) + far)


@mutant(
    EX06,
    "KVCache.extend",
    says="after 64 positions it is full; the capacity is no limit, the room doubles",
)
def cache_of_64_positions(self, k, v):
    room = write(self, k, v, after)
    if room.shape[3] > 64:
        raise ValueError("the cache is full")
    self.length += k.shape[2]
    return Tensor(room[0]), Tensor(room[1])
