"""Exercise 6, attention. Numbers small enough to check by hand; log(3) because softmax of
[log 3, 0] is [0.75, 0.25]."""

from math import log

import numpy as np
import pytest

from grader.compare import close, gradcheck, same

piece = pytest.mark.piece


def wave(*shape, start=0.0):
    """Some numbers between -1 and 1, all different: a sine, in any shape."""
    return np.sin(start + np.arange(np.prod(shape))).reshape(shape)


# split_heads and merge_heads

POSITIONS = [[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]]  # (B, T, C) = (1, 2, 4)
HEADS = [[[[1.0, 2.0], [5.0, 6.0]], [[3.0, 4.0], [7.0, 8.0]]]]  # (B, H, T, D) = (1, 2, 2, 2)


@piece("split_heads", core=True)
def test_each_head_gets_its_share_of_every_position(student):
    """Head 0 gets [1, 2] of the first position and [5, 6] of the second, head 1 the rest."""
    close(student.split_heads(student.Tensor(POSITIONS), 2), HEADS)


@piece("split_heads", core=True)
def test_merging_puts_the_heads_side_by_side(student):
    close(student.merge_heads(student.Tensor(HEADS)), POSITIONS)


@piece("split_heads")
def test_merging_undoes_splitting(student):
    """Four documents, three positions, two heads of five numbers: all sizes different."""
    x = wave(4, 3, 10)
    heads = student.split_heads(student.Tensor(x), 2)
    assert student.array(heads).shape == (4, 2, 3, 5), "split_heads gives (B, H, T, D)"
    close(student.merge_heads(heads), x)


@piece("split_heads")
def test_six_channels_do_not_split_in_four_heads(student):
    x = student.Tensor(wave(1, 2, 6))
    assert student.array(student.split_heads(x, 3)).shape == (1, 3, 2, 2)
    with student.raises(ValueError):
        student.split_heads(x, 4)


@piece("split_heads", gradient=True)
def test_gradients_find_the_way_back_from_the_heads(student):
    """Splitting moves numbers; the gradient moves them back to where they came from."""
    x = student.Tensor(np.zeros((1, 2, 4)))
    student.split_heads(x, 2).backward(np.array(HEADS))
    close(x.grad, POSITIONS)


@piece("split_heads", gradient=True)
def test_gradients_find_the_way_back_to_the_heads(student):
    heads = student.Tensor(np.zeros((1, 2, 2, 2)))
    student.merge_heads(heads).backward(np.array(POSITIONS))
    close(heads.grad, HEADS)


# attention_weights

EQUAL = [[[[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]]]]


@piece("attention_weights", core=True)
def test_scores_are_divided_by_the_root_of_d(student):
    """D = 16: the second query's scores are [4 log 3, 0] / sqrt(16), its weights [0.75, 0.25]."""
    q, k = np.zeros((5, 2, 3, 16)), np.zeros((5, 2, 3, 16))
    q[0, 0, 1, 0] = 4.0
    k[0, 0, 0, 0] = log(3)
    expected = np.tile(EQUAL, (5, 2, 1, 1))  # in all other documents and heads the scores are 0
    expected[0, 0, 1] = [0.75, 0.25, 0.0]
    close(student.attention_weights(student.Tensor(q), student.Tensor(k)), expected)


@piece("attention_weights", core=True)
def test_equal_scores_share_alike_among_the_positions_so_far(student):
    """All queries are 0, so every score is 0: each position looks at itself and back, evenly."""
    q, k = student.Tensor(np.zeros((1, 1, 3, 2))), student.Tensor(wave(1, 1, 3, 2))
    close(student.attention_weights(q, k), EQUAL)


@piece("attention_weights")
def test_queries_are_the_last_positions(student):
    """Two queries and four keys: they stand at positions 2 and 3, so they see 3 and 4 keys."""
    q, k = student.Tensor(np.zeros((1, 1, 2, 3))), student.Tensor(wave(1, 1, 4, 3))
    close(student.attention_weights(q, k), [[[[1 / 3, 1 / 3, 1 / 3, 0], [0.25] * 4]]])


@piece("attention_weights")
def test_the_future_stays_hidden_however_well_it_matches(student):
    """The second key matches the first query best of all, but it comes later: weight 0."""
    q, k = student.Tensor([[[[1.0], [0.0]]]]), student.Tensor([[[[0.0], [10000 + log(3)]]]])
    close(student.attention_weights(q, k), [[[[1.0, 0.0], [0.5, 0.5]]]])


@piece("attention_weights")
def test_float32_stays_float32(student):
    """A mask or a root in float64 would make all that follows float64, and twice as slow."""
    q, k = (student.Tensor(np.zeros((1, 1, 2, 3), np.float32)) for _ in "qk")
    close(student.attention_weights(q, k), np.array([[[[1.0, 0.0], [0.5, 0.5]]]], np.float32))


@piece("attention_weights", gradient=True)
def test_gradient_of_queries_and_keys(student):
    """D = 4, weights of the second row [0.75, 0.25], gradient from above [1, 0].

    The scores get 0.75 * 0.25 * [1, -1] = [0.1875, -0.1875]; all else is that times k / 2 or q / 2.
    """
    q = student.Tensor([[[[0.0] * 4, [2.0, 0, 0, 0]]]])
    k = student.Tensor([[[[log(3), 0, 0, 0], [0.0, 4, 0, 0]]]])
    weights = student.attention_weights(q, k)
    weights.backward(np.array([[[[5.0, 7.0], [1.0, 0.0]]]]))
    close(q.grad, [[[[0.0] * 4, [0.1875 * log(3) / 2, -0.1875 * 4 / 2, 0, 0]]]])
    close(k.grad, [[[[0.1875, 0, 0, 0], [-0.1875, 0, 0, 0]]]])


# causal_attention


@piece("causal_attention", core=True)
def test_the_example_of_the_lesson(student):
    """Equal scores: the first sees only 10, the second the mean of 10 and 20."""
    q, k, v = (student.Tensor([[[[a], [b]]]]) for a, b in [(1.0, 1.0), (0.0, 0.0), (10.0, 20.0)])
    close(student.causal_attention(q, k, v), [[[[10.0], [15.0]]]])


@piece("causal_attention", core=True)
def test_values_are_weighted_by_how_well_query_meets_key(student):
    """Weights [0.75, 0.25]: 0.75 * [8, 0] + 0.25 * [0, 4] = [6, 1]."""
    q = student.Tensor([[[[3.0, -1.0], [2**0.5, 0.0]]]])
    k = student.Tensor([[[[log(3), 1.0], [0.0, 2.0]]]])
    v = student.Tensor([[[[8.0, 0.0], [0.0, 4.0]]]])
    close(student.causal_attention(q, k, v), [[[[8.0, 0.0], [6.0, 1.0]]]])


@piece("causal_attention")
def test_one_query_looks_at_all_keys(student):
    """One query, three keys, equal scores: the mean of 1, 2 and 6."""
    q, k = student.Tensor([[[[0.0]]]]), student.Tensor([[[[1.0], [2.0], [3.0]]]])
    close(student.causal_attention(q, k, student.Tensor([[[[1.0], [2.0], [6.0]]]])), [[[[3.0]]]])


@piece("causal_attention")
def test_changing_the_future_does_not_change_the_past(student):
    """Position 3 of 4 gets another key and value; what positions 0 to 2 see stays as it was."""
    q, k, v = wave(2, 3, 4, 5), wave(2, 3, 4, 5, start=1), wave(2, 3, 4, 5, start=2)
    before = student.causal_attention(student.Tensor(q), student.Tensor(k), student.Tensor(v))
    k[:, :, 3], v[:, :, 3] = 9.0, -9.0
    after = student.causal_attention(student.Tensor(q), student.Tensor(k), student.Tensor(v))
    close(after[:, :, :3], student.array(before)[:, :, :3])
    change = np.abs(student.array(after) - student.array(before))
    assert change[:, :, 3].min() > 1e-3, "the last position must see the change"


@piece("causal_attention", gradient=True)
def test_gradient_of_the_values(student):
    """Equal weights: the first value is used in full and in half, the second only in half."""
    q, k, v = (student.Tensor([[[[a], [b]]]]) for a, b in [(1.0, 1.0), (0.0, 0.0), (10.0, 20.0)])
    student.causal_attention(q, k, v).backward(np.array([[[[1.0], [2.0]]]]))
    close(v.grad, [[[[1.0 + 0.5 * 2.0], [0.5 * 2.0]]]])


@piece("causal_attention", gradient=True)
def test_gradient_of_queries_keys_and_values(student):
    arrays = [wave(1, 1, 2, 2, start=start) for start in (0.0, 1.0, 2.0)]
    gradcheck(student, student.causal_attention, *arrays)


# self_attention

OFF = [[0.0, 0.0], [0.0, 0.0]]  # queries or keys of 0: all scores are equal
SAME = [[1.0, 0.0], [0.0, 1.0]]


def attention(student, x, n_head=1, cache=None, **weights):
    """The student's self_attention of arrays; a weight that is not named is 0."""
    arrays = {"wq": OFF, "wk": OFF, "wv": OFF, "wo": OFF} | weights
    tensors = {name: student.Tensor(array) for name, array in arrays.items()}
    more = {} if cache is None else {"cache": cache}
    return student.self_attention(student.Tensor(x), tensors, n_head, **more)


@piece("self_attention", core=True)
def test_values_and_output_are_projected(student):
    """Values [5, 2] and [11, 4] by wv; means [5, 2] and [8, 3]; wo makes [2, 15] and [3, 24]."""
    x, wv, wo = [[[1.0, 2.0], [3.0, 4.0]]], [[1.0, 2.0], [0.0, 1.0]], [[0.0, 1.0], [3.0, 0.0]]
    close(attention(student, x, wv=wv, wo=wo), [[[2.0, 15.0], [3.0, 24.0]]])


@piece("self_attention", core=True)
def test_each_head_looks_for_its_own(student):
    """Two heads of one number. In head 0 the second position's query 1 meets keys [log 3, 0]:
    weights [0.75, 0.25]. In head 1 all keys are 0: weights [0.5, 0.5]."""
    x, wk = [[[0.0, 1.0], [1.0, 0.0]]], [[0.0, log(3)], [0.0, 0.0]]
    y = attention(student, x, n_head=2, wq=SAME, wk=wk, wv=SAME, wo=SAME)
    close(y, [[[0.0, 1.0], [0.25, 0.5]]])


@piece("self_attention")
def test_biases_of_values_and_output_are_added(student):
    """All weights 0 but wo: the values are bv = [1, 2], and wo and bo make [2 + 10, 1 + 20]."""
    swap = [[0.0, 1.0], [1.0, 0.0]]
    zeros = {"bq": [0.0, 0.0], "bk": [0.0, 0.0]}
    y = attention(student, [[[7.0, 8.0]]], wo=swap, bv=[1.0, 2.0], bo=[10.0, 20.0], **zeros)
    close(y, [[[12.0, 21.0]]])


@piece("self_attention")
def test_the_bias_of_the_queries_is_added(student):
    """wq is 0, so every query is bq = [1, 0]: it meets the keys log 3 and 0."""
    zeros = {"bk": [0.0, 0.0], "bv": [0.0, 0.0], "bo": [0.0, 0.0]}
    x, wk = [[[0.0, 1.0], [1.0, 0.0]]], [[0.0, log(3)], [0.0, 0.0]]
    y = attention(student, x, n_head=2, wk=wk, wv=SAME, wo=SAME, bq=[1.0, 0.0], **zeros)
    close(y, [[[0.0, 1.0], [0.25, 0.5]]])


@piece("self_attention", needs=["ex06.KVCache"])
def test_with_a_cache_one_position_at_a_time_gives_the_same(student):
    """The numbers of test_values_and_output_are_projected, each position in a call of its own."""
    wv, wo, cache = [[1.0, 2.0], [0.0, 1.0]], [[0.0, 1.0], [3.0, 0.0]], student.KVCache()
    with student.no_grad():
        first = attention(student, [[[1.0, 2.0]]], cache=cache, wv=wv, wo=wo)
        same(len(cache), 1)
        second = attention(student, [[[3.0, 4.0]]], cache=cache, wv=wv, wo=wo)
    close(first, [[[2.0, 15.0]]])
    close(second, [[[3.0, 24.0]]])


@piece("self_attention", gradient=True)
def test_gradient_of_input_and_weights(student):
    def function(x, wq, wk, wv, wo):
        return student.self_attention(x, {"wq": wq, "wk": wk, "wv": wv, "wo": wo}, 2)

    gradcheck(student, function, wave(1, 2, 2), *(wave(2, 2, start=s) for s in (1, 2, 3, 4)))


# KVCache


def extend(student, cache, keys, values):
    """Put one-number keys and values into the cache: (B, H, Tnew, D) = (1, 1, Tnew, 1)."""
    k, v = (student.Tensor(np.reshape(a, (1, 1, -1, 1))) for a in (keys, values))
    return cache.extend(k, v)


def numbers(student, tensor):
    """The numbers of a (1, 1, T, 1) Tensor in a row."""
    array = student.array(tensor)
    assert array.shape[:2] + array.shape[3:] == (1, 1, 1), f"{array.shape} is not (1, 1, T, 1)"
    return array[0, 0, :, 0].tolist()


@piece("KVCache", core=True)
def test_new_positions_stand_behind_the_old_ones(student):
    """Keys 1 and 2, then 3, are 1, 2, 3; so are the values 10, 20, 30."""
    cache = student.KVCache()
    extend(student, cache, [1.0, 2.0], [10.0, 20.0])
    k, v = extend(student, cache, [3.0], [30.0])
    same(numbers(student, k), [1.0, 2.0, 3.0])
    same(numbers(student, v), [10.0, 20.0, 30.0])


@piece("KVCache")
def test_its_length_is_the_number_of_positions(student):
    """Five positions in the first call, one in the second: six, of four heads each."""
    cache = student.KVCache()
    cache.extend(student.Tensor(wave(2, 4, 5, 3)), student.Tensor(wave(2, 4, 5, 3)))
    same(len(cache), 5)
    cache.extend(student.Tensor(wave(2, 4, 1, 3)), student.Tensor(wave(2, 4, 1, 3)))
    same(len(cache), 6)


@piece("KVCache")
def test_documents_and_heads_keep_to_themselves(student):
    """Two documents, three heads: each gets its own new positions at the end of axis 2."""
    keys, values = wave(2, 3, 4, 5), wave(2, 3, 4, 5, start=100)
    cache = student.KVCache()
    cache.extend(student.Tensor(keys[:, :, :1]), student.Tensor(values[:, :, :1]))
    k, v = cache.extend(student.Tensor(keys[:, :, 1:]), student.Tensor(values[:, :, 1:]))
    close(k, keys)
    close(v, values)


@piece("KVCache")
def test_it_grows_beyond_its_capacity(student):
    """Room for two at the start; one comes, then six at once."""
    cache = student.KVCache(2)
    extend(student, cache, [1.0], [10.0])
    k, v = extend(student, cache, [2.0, 3.0, 4.0, 5.0, 6.0, 7.0], [20.0, 30, 40, 50, 60, 70])
    same(numbers(student, k), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    same(numbers(student, v), [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0])


@piece("KVCache")
def test_it_keeps_float32(student):
    keys, values = (
        wave(1, 2, 3, 4).astype(np.float32),
        wave(1, 2, 3, 4, start=50).astype(np.float32),
    )
    k, v = student.KVCache().extend(student.Tensor(keys), student.Tensor(values))
    close(k, keys)
    close(v, values)


@piece("KVCache")
def test_what_it_gave_before_stays_as_it_was(student):
    cache = student.KVCache(4)
    first, _ = extend(student, cache, [1.0, 2.0], [10.0, 20.0])
    extend(student, cache, [3.0], [30.0])
    assert numbers(student, first) == [1.0, 2.0], "a later call of extend changed an earlier result"


@piece("KVCache")
def test_two_caches_share_nothing(student):
    """Each layer has a cache of its own; they are filled in turn."""
    one, two = student.KVCache(), student.KVCache()
    for i in (1.0, 2.0):
        k, v = extend(student, one, [i], [10 * i])
        extend(student, two, [100 * i], [1000 * i])
    same(numbers(student, k), [1.0, 2.0])
    same(numbers(student, v), [10.0, 20.0])
