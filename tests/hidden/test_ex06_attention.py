"""Exercise 6, attention: the tests that decide. The oracle is numpy, and knows no gradients."""

import numpy as np
import pytest

from grader import chance
from grader.compare import close, gradcheck, narrow, same, steady

piece = pytest.mark.piece


def normal(*shapes, salt=0):
    """Arrays of normal numbers, one for each shape."""
    rng = chance.rng(salt)
    return [rng.normal(size=shape) for shape in shapes]


def tensors(student, *arrays):
    return [student.Tensor(array) for array in arrays]


def in_heads(x, n_head):
    """(B, T, C) -> (B, H, T, D), head by head."""
    D = x.shape[2] // n_head
    return np.stack([x[:, :, h * D : (h + 1) * D] for h in range(n_head)], axis=1)


def side_by_side(x):
    """(B, H, T, D) -> (B, T, C)."""
    return np.concatenate([x[:, h] for h in range(x.shape[1])], axis=2)


def weights_of(q, k):
    """What each query gives to each key, (B, H, Tq, Tk), query by query."""
    weights = np.zeros((*q.shape[:3], k.shape[2]))
    for i in range(q.shape[2]):
        seen = k.shape[2] - q.shape[2] + i + 1
        scores = np.einsum("bhd,bhtd->bht", q[:, :, i], k[:, :, :seen]) / np.sqrt(q.shape[3])
        exps = np.exp(scores - scores.max(-1, keepdims=True))
        weights[:, :, i, :seen] = exps / exps.sum(-1, keepdims=True)
    return weights


def attended(q, k, v):
    return weights_of(q, k) @ v


def whole(x, weights, n_head):
    """All of self-attention, without a cache."""
    q, k, v = (x @ weights["w" + i].T + weights.get("b" + i, 0.0) for i in "qkv")
    y = side_by_side(attended(in_heads(q, n_head), in_heads(k, n_head), in_heads(v, n_head)))
    return y @ weights["wo"].T + weights.get("bo", 0.0)


def random_weights(C, bias):
    """{name: array} of a self-attention."""
    arrays = normal(*[(C, C)] * 4, *[(C,)] * 4 * bias, salt="weights")
    return dict(zip("wq wk wv wo bq bk bv bo".split(), arrays))


def held(student, weights):
    """The same weights as the student's Tensors."""
    return {name: student.Tensor(array) for name, array in weights.items()}


# split_heads and merge_heads


@piece("split_heads", core=True)
def test_any_number_of_heads(student):
    """Head h gets the channels hD to (h + 1)D of every position; one head and C heads count too."""
    (x,) = normal((2, 5, 12))
    for n_head in (1, 3, 4, 12):
        close(student.split_heads(student.Tensor(x), n_head), in_heads(x, n_head))
    (x,) = normal((3, 3, 9))  # as many heads as positions, and as many numbers a head
    close(student.split_heads(student.Tensor(x), 3), in_heads(x, 3))


@piece("split_heads", core=True)
def test_heads_are_merged_in_order(student):
    """Merging puts head 0 first, then head 1, and so on, each with its D numbers together."""
    for shape in [(2, 3, 5, 4), (3, 5, 2, 1), (1, 2, 3, 4), (3, 3, 3, 3)]:
        (x,) = normal(shape)
        close(student.merge_heads(student.Tensor(x)), side_by_side(x))


@piece("split_heads")
def test_a_single_position(student):
    """T = 1, the case that generating one token at a time needs, splits and merges as any other."""
    (x,) = normal((3, 1, 8))
    heads = student.split_heads(student.Tensor(x), 2)
    close(heads, in_heads(x, 2))
    close(student.merge_heads(heads), x)


@piece("split_heads")
def test_only_divisors_are_accepted(student):
    """10 channels split in 1, 2, 5 or 10 heads; any other number is a ValueError."""
    (x,) = normal((2, 3, 10))
    for n_head in (1, 2, 5, 10):
        close(student.split_heads(student.Tensor(x), n_head), in_heads(x, n_head))
    for n_head in (3, 4, 7, 20):
        with student.raises(ValueError):
            student.split_heads(student.Tensor(x), n_head)


@piece("split_heads", gradient=True)
def test_gradients_of_splitting_and_merging(student):
    """Each gradient goes back to the place that its number came from."""
    x, heads = normal((2, 3, 4), (2, 3, 1, 2))
    gradcheck(student, lambda x: student.split_heads(x, 2), x, truth=lambda x: in_heads(x, 2))
    gradcheck(student, student.merge_heads, heads, truth=side_by_side)


@piece("split_heads", gradient=True)
def test_gradients_of_two_splits_add_up(student):
    """x is split twice; its gradient is the sum of both."""
    array, above, other = normal((2, 3, 4), (2, 4, 3, 1), (2, 2, 3, 2))
    x = student.Tensor(array)
    student.split_heads(x, 4).backward(above)
    student.split_heads(x, 2).backward(other)
    close(x.grad, side_by_side(above) + side_by_side(other))


@piece("split_heads", gradient=True)
def test_heads_twice_is_the_same_and_leaves_g_alone(student):
    """A second call finds what the first one found, and float32 has gradients of float32."""
    for function, shape in ((lambda x: student.split_heads(x, 2), (2, 3, 4)),) + (
        (student.merge_heads, (2, 2, 3, 2)),
    ):
        steady(student, function, *normal(shape))
        narrow(student, function, *normal(shape))


@piece("split_heads")
def test_heads_of_float32_are_float32(student):
    """float32 in, float32 out, and the input is as it was."""
    x = normal((2, 3, 4))[0].astype(np.float32)
    tensor = student.Tensor(x)
    heads = student.split_heads(tensor, 2)
    close(heads, in_heads(x, 2))
    close(student.merge_heads(heads), x)
    close(tensor, x, rtol=0, atol=0)


# attention_weights


@piece("attention_weights", core=True)
def test_weights_follow_the_scores(student):
    """The softmax, over the keys so far, of q . k / sqrt(D); T = 1 and D = 1 count too."""
    for shape in [(2, 3, 4, 5), (3, 2, 5, 1), (2, 3, 1, 4), (1, 1, 2, 9), (3, 3, 3, 3)]:
        q, k = normal(shape, shape)
        close(student.attention_weights(*tensors(student, q, k)), weights_of(q, k))


@piece("attention_weights")
def test_a_text_of_eighty_positions(student):
    """The last position sees all eighty; with one query, too."""
    q, k = normal((1, 2, 80, 2), (1, 2, 80, 2))
    for Tq in (80, 1):
        given = tensors(student, q[:, :, -Tq:], k)
        close(student.attention_weights(*given), weights_of(q[:, :, -Tq:], k))


@piece("attention_weights")
def test_fewer_queries_than_keys(student):
    """With a cache the queries are the last Tq of Tk positions, be it one or all but one."""
    for Tq in (1, 2, 5):
        q, k = normal((2, 3, Tq, 4), (2, 3, 6, 4))
        close(student.attention_weights(*tensors(student, q, k)), weights_of(q, k))


@piece("attention_weights")
def test_huge_scores(student):
    """Scores of a hundred thousand: no nan, rows add up to 1, and the future gets nothing."""
    rng = chance.rng()
    way = rng.choice([-300.0, 300.0], (2, 3, 1, 5))
    order = rng.permuted(np.tile(np.arange(4.0), (2, 3, 1)), axis=-1)[..., None]
    q, k = np.repeat(way, 4, axis=2), way * order  # no two keys fit nearly alike
    close(student.attention_weights(*tensors(student, q, k)), weights_of(q, k))
    ahead = np.arange(1.0, 5.0).reshape(1, 1, 4, 1) * np.ones((1, 1, 4, 2))  # later keys fit better
    matching = student.attention_weights(*tensors(student, 300 * ahead, 300 * ahead))
    close(matching, np.eye(4)[None, None])


@piece("attention_weights")
def test_documents_and_heads_do_not_see_each_other(student):
    """Another key in one head of one document changes that head of that document alone."""
    q, k = normal((3, 2, 4, 5), (3, 2, 4, 5))
    changed = k.copy()
    changed[1, 0] = -changed[1, 0]
    before = student.attention_weights(*tensors(student, q, k))
    after = student.attention_weights(*tensors(student, q, changed))
    close(before, weights_of(q, k))
    close(after, weights_of(q, changed))
    differs = np.abs(student.array(after) - student.array(before)).max(axis=(2, 3)) > 1e-6
    assert differs.tolist() == [[False, False], [True, False], [False, False]], "it spread"


@piece("attention_weights", gradient=True)
def test_gradients_of_queries_and_keys(student):
    """Both gradients, for as many queries as keys and for fewer, T = 1 among them."""
    for q_shape, k_shape in [((2, 2, 3, 2), (2, 2, 3, 2)), ((1, 2, 2, 3), (1, 2, 4, 3))]:
        q, k = normal(q_shape, k_shape)
        gradcheck(student, student.attention_weights, q, k, truth=weights_of)
    q, k = normal((1, 1, 1, 4), (1, 1, 3, 4))
    gradcheck(student, student.attention_weights, q, k, truth=weights_of)


@piece("attention_weights", gradient=True)
def test_one_tensor_as_query_and_key(student):
    """If queries and keys are the same Tensor, it gets both gradients."""
    (x,) = normal((1, 2, 3, 2))
    gradcheck(
        student,
        lambda x: student.attention_weights(x, x),
        x,
        truth=lambda x: weights_of(x, x),
    )


@piece("attention_weights", gradient=True)
def test_gradients_of_two_calls_add_up(student):
    """The same queries look at two sets of keys; their gradient is the sum of both."""
    arrays = normal((1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 5, 4), (1, 2, 3, 3), (1, 2, 3, 5))
    q, k, more = tensors(student, *arrays[:3])
    student.attention_weights(q, k).backward(arrays[3])
    first = q.grad
    student.attention_weights(q, more).backward(arrays[4])
    alone, again = tensors(student, arrays[0], arrays[2])
    student.attention_weights(alone, again).backward(arrays[4])
    assert np.abs(first).max() > 1e-3, "the queries got no gradient"
    close(q.grad, first + alone.grad)


@piece("attention_weights", gradient=True)
def test_weights_twice_is_the_same_and_leaves_g_alone(student):
    """A second call finds what the first one found, and float32 has gradients of float32."""
    arrays = normal((1, 2, 2, 3), (1, 2, 4, 3))
    steady(student, student.attention_weights, *arrays)
    narrow(student, student.attention_weights, *arrays)


@piece("attention_weights")
def test_weights_of_float32_are_float32(student):
    """float32 in, float32 out: the mask must not make it float64. The inputs are as they were."""
    q, k = (array.astype(np.float32) for array in normal((2, 3, 4, 5), (2, 3, 6, 5)))
    queries, keys = tensors(student, q, k)
    weights = student.attention_weights(queries, keys)
    close(weights, weights_of(q, k).astype(np.float32), rtol=1e-3, atol=1e-5)
    close(queries, q, rtol=0, atol=0)
    close(keys, k, rtol=0, atol=0)


# causal_attention


@piece("causal_attention", core=True)
def test_values_are_mixed_by_the_weights(student):
    """The mean of the values so far, weighted by the scores; T = 1 gives the value itself."""
    for shape in [(2, 3, 4, 5), (3, 2, 5, 1), (2, 3, 1, 4)]:
        q, k, v = normal(shape, shape, shape)
        close(student.causal_attention(*tensors(student, q, k, v)), attended(q, k, v))


@piece("causal_attention")
def test_fewer_queries_than_values(student):
    """With a cache there are more keys and values than queries."""
    for Tq in (1, 2, 5):
        q, k, v = normal((2, 3, Tq, 4), (2, 3, 6, 4), (2, 3, 6, 4))
        close(student.causal_attention(*tensors(student, q, k, v)), attended(q, k, v))


@piece("causal_attention")
def test_no_position_sees_a_later_one(student):
    """Whatever position is changed, everything before it stays as it was, and it itself changes."""
    arrays = normal((2, 2, 5, 3), (2, 2, 5, 3), (2, 2, 5, 3))
    before = student.array(student.causal_attention(*tensors(student, *arrays)))
    for t in range(5):
        changed = [array.copy() for array in arrays]
        for array in changed:
            array[:, :, t] += 3.0
        after = student.causal_attention(*tensors(student, *changed))
        close(after[:, :, :t], before[:, :, :t])
        change = np.abs(student.array(after) - before)
        assert change[:, :, t].max() > 1e-3, "a position must see itself"


@piece("causal_attention")
def test_a_document_alone_gets_what_it_gets_in_a_batch(student):
    """No document, and no head, knows of the others."""
    q, k, v = normal((3, 2, 4, 5), (3, 2, 4, 5), (3, 2, 4, 5))
    result = student.causal_attention(*tensors(student, q, k, v))
    close(result, attended(q, k, v))
    together = student.array(result)
    for b, h in [(0, 0), (1, 1), (2, 0)]:
        alone = [array[b : b + 1, h : h + 1] for array in (q, k, v)]
        close(student.causal_attention(*tensors(student, *alone)), together[b : b + 1, h : h + 1])


@piece("causal_attention", gradient=True)
def test_gradients_of_queries_keys_and_values(student):
    """All three gradients, for as many queries as keys and for fewer."""
    shapes = [(2, 2, 3, 2)] * 3, [(1, 2, 2, 3), (1, 2, 4, 3), (1, 2, 4, 3)]
    for shape in shapes:
        gradcheck(student, student.causal_attention, *normal(*shape), truth=attended)


@piece("causal_attention", gradient=True)
def test_the_future_gets_no_gradient(student):
    """What the first two positions say cannot depend on keys and values that come later."""
    q, k, v = tensors(student, *normal((2, 2, 4, 3), (2, 2, 4, 3), (2, 2, 4, 3)))
    above = np.zeros((2, 2, 4, 3))
    above[:, :, :2] = normal((2, 2, 2, 3), salt=1)[0]
    student.causal_attention(q, k, v).backward(above)
    for tensor in (q, k, v):
        grad = tensor.grad
        assert np.abs(grad[:, :, 1]).max() > 1e-6, "the second position must get a gradient"
        close(grad[:, :, 2:], np.zeros((2, 2, 2, 3)), atol=1e-12)


@piece("causal_attention", gradient=True)
def test_one_tensor_in_all_three_roles(student):
    """If one Tensor is query, key and value, it gets all three gradients."""
    (x,) = normal((1, 2, 3, 2))
    gradcheck(
        student,
        lambda x: student.causal_attention(x, x, x),
        x,
        truth=lambda x: attended(x, x, x),
    )


@piece("causal_attention", gradient=True)
def test_attention_twice_is_the_same_and_leaves_g_alone(student):
    """A second call finds what the first one found, and float32 has gradients of float32."""
    arrays = normal((1, 2, 2, 3), (1, 2, 4, 3), (1, 2, 4, 3))
    steady(student, student.causal_attention, *arrays)
    narrow(student, student.causal_attention, *arrays)


@piece("causal_attention")
def test_attention_of_float32_is_float32(student):
    """float32 in, float32 out, and the inputs are as they were."""
    arrays = [a.astype(np.float32) for a in normal((2, 3, 2, 5), (2, 3, 4, 5), (2, 3, 4, 5))]
    given = tensors(student, *arrays)
    y = student.causal_attention(*given)
    close(y, attended(*arrays).astype(np.float32), rtol=1e-3, atol=1e-3)
    for tensor, array in zip(given, arrays):
        close(tensor, array, rtol=0, atol=0)


# self_attention


@piece("self_attention", core=True)
def test_any_sizes_with_and_without_biases(student):
    """Project, split, attend, merge, project; with any number of heads, biases or none."""
    for B, T, C, n_head, bias in [(2, 5, 12, 3, True), (3, 1, 8, 4, False), (1, 4, 6, 6, True)]:
        x, weights = normal((B, T, C))[0], random_weights(C, bias)
        y = student.self_attention(student.Tensor(x), held(student, weights), n_head)
        close(y, whole(x, weights, n_head))


@piece("self_attention")
def test_the_number_of_heads_matters(student):
    """The same weights, in 1, 2, 4 and 8 heads."""
    x, weights = normal((2, 3, 8))[0], random_weights(8, bias=False)
    for n_head in (1, 2, 4, 8):
        y = student.self_attention(student.Tensor(x), held(student, weights), n_head)
        close(y, whole(x, weights, n_head))


@piece("self_attention")
def test_the_past_does_not_know_the_future(student):
    """Another last position, and another document beside it, change nothing for the others."""
    x, weights = normal((2, 4, 6))[0], random_weights(6, bias=True)
    y = student.array(student.self_attention(student.Tensor(x), held(student, weights), 2))
    x[0, 3], x[1] = 5.0, -x[1]
    changed = student.self_attention(student.Tensor(x), held(student, weights), 2)
    close(changed[0, :3], y[0, :3])
    change = np.abs(student.array(changed) - y)
    assert change[0, 3].max() > 1e-3 and change[1].max() > 1e-3, "what was changed must change"


@piece("self_attention", needs=["ex06.KVCache"])
def test_cached_equals_uncached_position_by_position(student):
    """One position a call, with a cache: each result is the row of the whole text at once."""
    x, weights = normal((2, 20, 8))[0], random_weights(8, bias=True)
    expected, given, cache = whole(x, weights, 4), held(student, weights), student.KVCache(3)
    with student.no_grad():
        for t in range(20):
            y = student.self_attention(student.Tensor(x[:, t : t + 1]), given, 4, cache)
            close(y, expected[:, t : t + 1])
            same(len(cache), t + 1)


@piece("self_attention", needs=["ex06.KVCache"])
def test_cached_equals_uncached_chunk_by_chunk(student):
    """A prompt of three, one position, then two more: the same rows again."""
    x, weights = normal((2, 6, 6))[0], random_weights(6, bias=False)
    expected, given, cache = whole(x, weights, 2), held(student, weights), student.KVCache()
    with student.no_grad():
        for start, end in [(0, 3), (3, 4), (4, 6)]:
            part = student.Tensor(x[:, start:end])
            y = student.self_attention(part, given, n_head=2, cache=cache)
            close(y, expected[:, start:end])
    same(len(cache), 6)


@piece("self_attention", needs=["ex06.KVCache"])
def test_what_the_cache_holds_already_is_seen(student):
    """Keys and values that were put in before count as those of earlier positions."""
    x, before_k, before_v = normal((2, 3, 4), (2, 2, 5, 2), (2, 2, 5, 2))
    weights, cache = random_weights(4, bias=False), student.KVCache()
    with student.no_grad():
        cache.extend(*tensors(student, before_k, before_v))
        y = student.self_attention(student.Tensor(x), held(student, weights), 2, cache)
    q, k, v = (in_heads(x @ weights[w].T, 2) for w in ("wq", "wk", "wv"))
    k, v = np.concatenate([before_k, k], axis=2), np.concatenate([before_v, v], axis=2)
    close(y, side_by_side(attended(q, k, v)) @ weights["wo"].T)


@piece("self_attention", gradient=True)
def test_gradients_of_input_weights_and_biases(student):
    """The gradient of x and of every weight and bias that is given."""
    x, weights = normal((2, 3, 4), salt=1)[0], random_weights(4, bias=True)
    names = list(weights)

    def function(x, *arrays):
        return student.self_attention(x, dict(zip(names, arrays)), 2)

    def truth(x, *arrays):
        return whole(x, dict(zip(names, arrays)), 2)

    gradcheck(student, function, x, *weights.values(), truth=truth)


@piece("self_attention", gradient=True)
def test_gradients_of_two_calls_add_up_in_the_weights(student):
    """The same weights serve two texts, one of a single position; they get both gradients."""
    weights, (x, more) = random_weights(4, bias=False), normal((2, 3, 4), (1, 1, 4), salt=1)
    both, first, second = (held(student, weights) for _ in range(3))
    for given, array in [(both, x), (both, more), (first, x), (second, more)]:
        y = student.self_attention(student.Tensor(array), given, 2)
        y.backward(np.ones(array.shape))
    for name in ("wv", "wo"):
        assert np.abs(second[name].grad).max() > 1e-3, f"{name} got no gradient"
    for name in weights:
        close(both[name].grad, first[name].grad + second[name].grad)


@piece("self_attention")
def test_each_call_has_the_weights_that_it_is_given(student):
    """Layer after layer, each with weights of its own, and a dict that is gone after the call."""
    calls, expected = [], []
    for salt in range(6):
        x, *given = normal((2, 3, 4), *[(4, 4)] * 4, salt=salt)
        weights = dict(zip(("wq", "wk", "wv", "wo"), given))
        calls.append([student.Tensor(x), held(student, weights), 2])
        expected.append(whole(x, weights, 2))
    for y, right in zip(student.scenario("in_turn", name="self_attention", calls=calls), expected):
        close(y, right)


@piece("self_attention")
def test_self_attention_of_float32_is_float32(student):
    """float32 in, float32 out; x and the weights are as they were."""
    x = normal((2, 3, 8))[0].astype(np.float32)
    weights = {name: w.astype(np.float32) for name, w in random_weights(8, bias=True).items()}
    tensor, given = student.Tensor(x), held(student, weights)
    y = student.self_attention(tensor, given, 2)
    close(y, whole(x, weights, 2).astype(np.float32), rtol=1e-3, atol=1e-3)
    close(tensor, x, rtol=0, atol=0)
    for name, array in weights.items():
        close(given[name], array, rtol=0, atol=0)


# KVCache


def fed(student, cache, keys, values, sizes):
    """Extend the cache by chunks of these sizes; all that it gives, as (keys, values) so far."""
    results, start = [], 0
    for size in sizes:
        part = slice(start, start + size)
        results.append(cache.extend(*tensors(student, keys[:, :, part], values[:, :, part])))
        start += size
    return results


@piece("KVCache", core=True)
def test_chunks_of_any_size_with_any_capacity(student):
    """After each call: everything so far, in order, whatever the room was at the start."""
    keys, values = normal((2, 3, 9, 4), (2, 3, 9, 4))
    for capacity in (None, 1, 4, 9, 100):
        cache = student.KVCache() if capacity is None else student.KVCache(capacity)
        end = 0
        for size in (2, 1, 1, 5):
            part = slice(end, end + size)
            k, v = cache.extend(*tensors(student, keys[:, :, part], values[:, :, part]))
            end += size
            close(k, keys[:, :, :end])
            close(v, values[:, :, :end])
            same(len(cache), end)


@piece("KVCache")
def test_a_long_text_one_position_at_a_time(student):
    """Forty positions: more than the room that it starts with."""
    keys, values = normal((2, 1, 40, 2), (2, 1, 40, 2))
    cache = student.KVCache()
    k, v = fed(student, cache, keys, values, [1] * 40)[-1]
    close(k, keys)
    close(v, values)
    same(len(cache), 40)


@piece("KVCache")
def test_a_long_prompt_at_once(student):
    """Far more positions in the first call than there is room for."""
    keys, values = normal((1, 2, 301, 3), (1, 2, 301, 3))
    k, v = fed(student, student.KVCache(2), keys, values, [300, 1])[-1]
    close(k, keys)
    close(v, values)


@piece("KVCache")
def test_two_caches_share_nothing(student):
    """Each layer has its own; filling them in turn, with other shapes, mixes nothing."""
    keys, values, more, others = normal((1, 2, 4, 3), (1, 2, 4, 3), (2, 1, 4, 5), (2, 1, 4, 5))
    one, two = student.KVCache(), student.KVCache()
    for t in range(4):
        part = slice(t, t + 1)
        k, v = one.extend(*tensors(student, keys[:, :, part], values[:, :, part]))
        a, b = two.extend(*tensors(student, more[:, :, part], others[:, :, part]))
    close(k, keys)
    close(v, values)
    close(a, more)
    close(b, others)
    same(len(student.KVCache()), 0)


@piece("KVCache")
def test_two_caches_of_one_shape_share_nothing(student):
    """Two layers have keys and values of one shape, and come in turn, each to its own cache."""
    texts = [normal((1, 2, 4, 3), (1, 2, 4, 3), salt=salt) for salt in range(2)]
    caches = [student.KVCache(2), student.KVCache(2)]
    for t in range(4):
        for cache, text in zip(caches, texts):
            given = cache.extend(*tensors(student, *(a[:, :, t : t + 1] for a in text)))
            for got, array in zip(given, text):
                close(got, array[:, :, : t + 1])


@piece("KVCache")
def test_earlier_results_stay_as_they_were(student):
    """What it gave is somebody's; later calls, growing or not, do not change it."""
    keys, values = normal((2, 2, 20, 3), (2, 2, 20, 3))
    for capacity in (2, 30):
        end = 0
        results = fed(student, student.KVCache(capacity), keys, values, [3, 1, 1, 9, 6])
        for size, (k, v) in zip([3, 1, 1, 9, 6], results):
            end += size
            close(k, keys[:, :, :end])
            close(v, values[:, :, :end])


@piece("KVCache")
def test_it_keeps_the_type(student):
    """float32 keys and values come back as float32, also after growing; the inputs stay."""
    keys, values = (a.astype(np.float32) for a in normal((1, 2, 5, 3), (1, 2, 5, 3)))
    given = tensors(student, keys[:, :, :2], values[:, :, :2])
    cache = student.KVCache(1)
    cache.extend(*given)
    k, v = cache.extend(*tensors(student, keys[:, :, 2:], values[:, :, 2:]))
    close(k, keys, rtol=0, atol=0)
    close(v, values, rtol=0, atol=0)
    close(given[0], keys[:, :, :2], rtol=0, atol=0)
