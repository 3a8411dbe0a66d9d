"""Exercise 4, for the marks: other shapes, extreme numbers, every gradient."""

from math import log

import numpy as np
import pytest

from grader import chance
from grader.compare import close, gradcheck, narrow, steady

piece = pytest.mark.piece

INF = float("inf")
SHAPES = [(5,), (1, 4), (3, 1), (4, 4), (2, 1, 7), (2, 3, 3), (4, 2, 3, 5)]


def numbers(*shape):
    """Numbers of both signs, none of them near 0, where relu has no slope."""
    x = chance.rng(*shape).normal(0.3, 2, shape)
    return x + np.copysign(0.05, x)


def some_ids(shape, below):
    return chance.rng("ids", *shape).integers(0, below, shape)


def true_relu(x):
    return np.where(x > 0, x, 0)


def true_gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def true_softmax(x, axis=-1):
    exps = np.exp(x - x.max(axis, keepdims=True))
    return exps / exps.sum(axis, keepdims=True)


def true_linear(x, weight, bias=0.0):
    return np.einsum("...i,oi->...o", x, weight) + bias


def true_cross_entropy(logits, targets, ignore=-1):
    z = logits.reshape(-1, logits.shape[-1])
    z = z - z.max(-1, keepdims=True)
    pairs = zip(z, np.ravel(targets), strict=True)
    losses = [np.log(np.exp(row).sum()) - row[t] for row, t in pairs if t != ignore]
    return np.mean(losses)


def follows(student, function, truth, *inputs):
    """Called once more with the same Tensors, it sees the numbers that they hold by then."""
    tensors = [student.Tensor(array) for array in inputs]
    close(function(*tensors), truth(*inputs))
    others = [array[::-1] * 0.5 for array in inputs]
    for tensor, array in zip(tensors, others, strict=True):
        student.assign(tensor, array)
    close(function(*tensors), truth(*others))


@piece("relu", core=True)
def test_relu_of_any_shape(student):
    """Every number is treated by itself, whatever the shape around it."""
    for shape in SHAPES:
        close(student.relu(student.Tensor(numbers(*shape))), true_relu(numbers(*shape)))


@piece("relu", gradient=True)
def test_relu_of_numbers_large_and_small(student):
    """There is no ceiling, and nothing too small to pass."""
    x = student.Tensor([-1e30, -1e-9, 1e-9, 7.0, 1e30])
    y = student.relu(x)
    close(y, [0.0, 0.0, 1e-9, 7.0, 1e30], rtol=1e-9, atol=0)
    y.backward([1.0, 2.0, 3.0, 4.0, 5.0])
    close(x.grad, [0.0, 0.0, 3.0, 4.0, 5.0])


@piece("relu")
def test_relu_stays_float32(student):
    """float32 in, float32 out; a mask of True and False must not make it float64."""
    x = numbers(2, 3, 4).astype(np.float32)
    close(student.relu(student.Tensor(x)), true_relu(x))


@piece("relu", gradient=True)
def test_relu_gradient_of_any_shape(student):
    """What comes from above passes unchanged where x is above 0, and nothing passes elsewhere."""
    for shape in SHAPES:
        x, above = numbers(*shape), numbers(*shape, 1)[..., 0]
        handle = student.Tensor(x)
        student.relu(handle).backward(above)
        close(handle.grad, above * (x > 0))


@piece("relu", gradient=True)
def test_relu_gradient_at_zero_is_zero(student):
    """At 0 itself nothing passes, as below it."""
    x = student.Tensor([[0.0, 1.0, -0.0]])
    student.relu(x).backward([[3.0, 5.0, 7.0]])
    close(x.grad, [[0.0, 5.0, 0.0]])


@piece("relu", gradient=True)
def test_relu_beside_a_residual(student):
    """x goes into relu and around it: it gets both gradients, and neither spoils the other."""
    gradcheck(
        student,
        lambda x: student.relu(x) + x + student.relu(-x),
        numbers(2, 3, 4),
        truth=lambda x: true_relu(x) + x + true_relu(-x),
    )


@piece("relu", gradient=True)
def test_relu_changes_nothing_handed_in(student):
    """x is the caller's: after the call and after backward it holds what it held."""
    x = student.Tensor(numbers(2, 3, 4))
    y = student.relu(x)
    y.backward(np.ones((2, 3, 4)))
    close(y, true_relu(numbers(2, 3, 4)))
    close(student.array(x), numbers(2, 3, 4), rtol=0, atol=0)


@piece("relu", gradient=True)
def test_relu_twice_is_the_same_and_leaves_g_alone(student):
    """A second call finds what the first one found, and what came from above stays."""
    steady(student, student.relu, numbers(2, 3, 4))


@piece("relu", gradient=True)
def test_relu_keeps_float32_on_the_way_back(student):
    """The gradients of float32 are float32 too."""
    narrow(student, student.relu, numbers(2, 3, 4))


@piece("relu")
def test_relu_sees_the_numbers_of_now(student):
    """Called again after training has moved what it is given, it gives the new result."""
    follows(student, student.relu, true_relu, numbers(2, 3, 4))


@piece("gelu", core=True)
def test_gelu_of_any_shape(student):
    """Every number is treated by itself, by GPT-2's tanh form to the last digit."""
    for shape in SHAPES:
        close(student.gelu(student.Tensor(numbers(*shape))), true_gelu(numbers(*shape)))


@piece("gelu")
def test_gelu_of_x_and_of_minus_x_differ_by_x(student):
    """gelu(x) is x times a share between 0 and 1; -x gets the rest of the share."""
    x = numbers(3, 5)
    difference = student.gelu(student.Tensor(x)) - student.gelu(student.Tensor(-x))
    close(difference, x)


@piece("gelu")
def test_gelu_near_zero_is_half_of_x_and_a_little_more(student):
    """There the share of x is 1/2, and rises with the height of the normal curve."""
    x = np.array([-0.01, 0.001, 0.01])
    close(student.gelu(student.Tensor(x)), x / 2 + x**2 / np.sqrt(2 * np.pi), rtol=1e-5)


@piece("gelu")
def test_gelu_of_large_numbers_does_not_overflow(student):
    """Far above 0 gelu is x itself, and far below it is 0: never nan."""
    x = np.array([[30.0, -30.0, 300.0], [-300.0, 5000.0, -5000.0]])
    close(student.gelu(student.Tensor(x)), true_relu(x))


@piece("gelu")
def test_gelu_stays_float32(student):
    """float32 in, float32 out; a numpy number such as np.sqrt(2 / np.pi) would make it float64."""
    x = numbers(2, 3, 4).astype(np.float32)
    close(student.gelu(student.Tensor(x)), true_gelu(x).astype(np.float32), rtol=1e-3, atol=1e-5)


@piece("gelu", gradient=True)
def test_gelu_gradient_of_any_shape(student):
    """Both factors of x (1 + tanh(u)) / 2 depend on x, and u is a cubic: three slopes in one."""
    for shape in [(5,), (3, 1), (2, 1, 7), (2, 3, 4)]:
        gradcheck(student, student.gelu, numbers(*shape), truth=true_gelu)


@piece("gelu", gradient=True)
def test_gelu_gradient_near_zero(student):
    """A product has two slopes: the share itself, near 1/2, and x times the share's own slope."""
    x = student.Tensor([-0.01, 0.0, 0.01])
    student.gelu(x).backward([1.0, 2.0, 3.0])
    slope = 0.5 + np.array([-0.01, 0.0, 0.01]) * np.sqrt(2 / np.pi)
    close(x.grad, slope * [1.0, 2.0, 3.0], rtol=1e-5)


@piece("gelu", gradient=True)
def test_gelu_beside_a_residual(student):
    """x goes into gelu and around it: it gets both gradients, and neither spoils the other."""
    gradcheck(
        student,
        lambda x: student.gelu(x) + x + student.gelu(x * 0.5),
        numbers(2, 3, 4),
        truth=lambda x: true_gelu(x) + x + true_gelu(x * 0.5),
    )


@piece("gelu", gradient=True)
def test_gelu_changes_nothing_handed_in(student):
    """x is the caller's: after the call and after backward it holds what it held."""
    x = student.Tensor(numbers(2, 3, 4))
    y = student.gelu(x)
    y.backward(np.ones((2, 3, 4)))
    close(y, true_gelu(numbers(2, 3, 4)))
    close(student.array(x), numbers(2, 3, 4), rtol=0, atol=0)


@piece("gelu", gradient=True)
def test_gelu_twice_is_the_same_and_leaves_g_alone(student):
    """A second call finds what the first one found, and what came from above stays."""
    steady(student, student.gelu, numbers(2, 3, 4))


@piece("gelu", gradient=True)
def test_gelu_keeps_float32_on_the_way_back(student):
    """The gradients of float32 are float32 too."""
    narrow(student, student.gelu, numbers(2, 3, 4))


@piece("gelu")
def test_gelu_sees_the_numbers_of_now(student):
    """Called again after training has moved what it is given, it gives the new result."""
    follows(student, student.gelu, true_gelu, numbers(2, 3, 4))


@piece("softmax", core=True)
def test_softmax_of_any_shape(student):
    """Every vector along the last axis becomes probabilities of its own."""
    for shape in SHAPES:
        close(student.softmax(student.Tensor(numbers(*shape))), true_softmax(numbers(*shape)))


@piece("softmax")
def test_softmax_along_every_axis(student):
    """The sum is along the axis that was asked for, counted from the front or from the back."""
    x = numbers(2, 3, 4, 5)
    for axis in range(-4, 4):
        close(student.softmax(student.Tensor(x), axis=axis), true_softmax(x, axis))


@piece("softmax")
def test_softmax_is_of_differences_only(student):
    """Adding the same number to all scores of a row changes none of its probabilities."""
    x = numbers(3, 5)
    shifts = np.array([[-1000.0], [30.0], [1000.0]])
    close(student.softmax(student.Tensor(x + shifts)), true_softmax(x))


@piece("softmax")
def test_softmax_of_scores_far_apart(student):
    """Where one score is far above the others it takes all, and nothing overflows."""
    x = student.Tensor([[-1000.0, 0.0, 1000.0], [-1e5, -1e5, -2e5], [1e5, 0.0, 1e5]])
    close(student.softmax(x), [[0.0, 0.0, 1.0], [0.5, 0.5, 0.0], [0.5, 0.0, 0.5]])


@piece("softmax")
def test_softmax_of_a_single_score(student):
    """A single score takes all, whatever it is."""
    close(student.softmax(student.Tensor([[3.0], [-0.5], [1000.0]])), np.ones((3, 1)))


@piece("softmax")
def test_softmax_hides_what_is_minus_infinity(student):
    """A score of -inf becomes exactly 0, and the others share the rest as if it were not there."""
    x = numbers(4, 4) + np.triu(np.full((4, 4), -INF), 1)
    close(student.softmax(student.Tensor(x)), true_softmax(x), atol=0)


@piece("softmax")
def test_softmax_stays_float32(student):
    """float32 in, float32 out."""
    x = numbers(2, 3, 4).astype(np.float32)
    close(student.softmax(student.Tensor(x)), true_softmax(x), rtol=1e-4)
    close(student.softmax(student.Tensor(x), axis=1), true_softmax(x, 1), rtol=1e-4)


@piece("softmax", gradient=True)
def test_softmax_gradient_of_any_shape(student):
    """Every score moves every probability of its row, because it is part of their sum."""
    for shape in [(5,), (3, 1), (2, 1, 7), (2, 3, 4)]:
        gradcheck(student, student.softmax, numbers(*shape), truth=true_softmax)


@piece("softmax", gradient=True)
def test_softmax_gradient_along_every_axis(student):
    """The sum in the gradient is along the same axis as the sum in the softmax."""
    for axis in (0, 1, 2, -2):
        gradcheck(
            student,
            lambda x, axis=axis: student.softmax(x, axis=axis),
            numbers(2, 3, 4),
            truth=lambda x, axis=axis: true_softmax(x, axis),
        )


@piece("softmax", gradient=True)
def test_softmax_gradients_that_are_equal_vanish(student):
    """The probabilities add up to 1 whatever the scores: pulling all up alike moves nothing."""
    x = student.Tensor(numbers(3, 5))
    student.softmax(x).backward(np.full((3, 5), 7.0))
    close(x.grad, np.zeros((3, 5)))


@piece("softmax", gradient=True)
def test_softmax_gradient_of_equal_scores(student):
    """With all p alike each score gets its g less the plain mean of g, times p."""
    x, above = student.Tensor(np.full((2, 4), 3.0)), numbers(2, 4)
    student.softmax(x).backward(above)
    close(x.grad, (above - above.mean(-1, keepdims=True)) / 4)


@piece("softmax", gradient=True)
def test_softmax_gradient_that_is_balanced(student):
    """Where the weighted mean of g is 0, nothing is taken off: each score gets p times its g."""
    x = student.Tensor(np.full((1, 4), -2.0))
    student.softmax(x).backward([[1.0, -1.0, 3.0, -3.0]])
    close(x.grad, [[0.25, -0.25, 0.75, -0.75]])


@piece("softmax", gradient=True)
def test_softmax_gradient_of_a_single_score_is_zero(student):
    """A single score takes all, whatever it is, so that moving it changes nothing."""
    x = student.Tensor([[3.0], [-0.5]])
    student.softmax(x).backward([[5.0], [7.0]])
    close(x.grad, [[0.0], [0.0]])


@piece("softmax", gradient=True)
def test_softmax_gradient_of_what_is_hidden_is_zero(student):
    """A score of -inf gets no gradient, and the others what they would get without it."""
    x, above = numbers(3, 3) + np.triu(np.full((3, 3), -INF), 1), numbers(3, 3)[::-1]
    handle, p = student.Tensor(x), true_softmax(x)
    student.softmax(handle).backward(above)
    close(handle.grad, p * (above - (above * p).sum(-1, keepdims=True)))


@piece("softmax", gradient=True)
def test_softmax_beside_a_residual(student):
    """x goes into softmax and around it: it gets both gradients, and neither spoils the other."""
    gradcheck(
        student,
        lambda x: student.softmax(x) + x + student.softmax(x, axis=0),
        numbers(2, 3, 4),
        truth=lambda x: true_softmax(x) + x + true_softmax(x, 0),
    )


@piece("softmax", gradient=True)
def test_softmax_changes_nothing_handed_in(student):
    """x is the caller's: after the call and after backward it holds what it held."""
    x = student.Tensor(numbers(2, 3, 4))
    y = student.softmax(x)
    y.backward(np.ones((2, 3, 4)))
    close(y, true_softmax(numbers(2, 3, 4)))
    close(student.array(x), numbers(2, 3, 4), rtol=0, atol=0)


@piece("softmax", gradient=True)
def test_softmax_twice_is_the_same_and_leaves_g_alone(student):
    """A second call finds what the first one found, and what came from above stays."""
    steady(student, student.softmax, numbers(2, 3, 4))


@piece("softmax", gradient=True)
def test_softmax_keeps_float32_on_the_way_back(student):
    """The gradients of float32 are float32 too."""
    narrow(student, student.softmax, numbers(2, 3, 4))


@piece("softmax")
def test_softmax_sees_the_numbers_of_now(student):
    """Called again after training has moved what it is given, it gives the new result."""
    follows(student, student.softmax, true_softmax, numbers(2, 3, 4))


@piece("embedding", core=True)
def test_embedding_of_ids_of_any_shape(student):
    """ids (...) give rows (..., C), whatever shape the ids have."""
    table = numbers(6, 3)
    for shape in [(5,), (1,), (4, 1), (2, 5), (2, 4, 5)]:
        ids = some_ids(shape, 6)
        close(student.embedding(student.Tensor(table), ids), table[ids])


@piece("embedding")
def test_embedding_of_lists_and_small_integers(student):
    """ids may be a list, a list of lists, or an array of any kind of integers."""
    table, ids = numbers(6, 3), some_ids((2, 4), 6)
    handle = student.Tensor(table)
    for given in (ids.tolist(), ids.astype(np.int32), ids.astype(np.int64)):
        close(student.embedding(handle, given), table[ids])


@piece("embedding")
def test_embedding_reaches_the_first_and_the_last_row(student):
    """ids count from 0: the first row is 0, and the last is V - 1."""
    table = numbers(6, 3)
    close(student.embedding(student.Tensor(table), [0, 5]), table[[0, 5]])


@piece("embedding")
def test_embedding_of_a_single_row(student):
    """A table may have one row, and then all ids are 0."""
    close(student.embedding(student.Tensor(numbers(1, 3)), [0, 0]), numbers(1, 3)[[0, 0]])


@piece("embedding")
def test_embedding_of_a_single_channel(student):
    """A table may have one channel, and the axis stays."""
    close(student.embedding(student.Tensor(numbers(4, 1)), [[2, 0]]), numbers(4, 1)[[[2, 0]]])


@piece("embedding")
def test_embedding_stays_float32(student):
    """A float32 table gives float32 rows."""
    table = numbers(6, 3).astype(np.float32)
    close(student.embedding(student.Tensor(table), [[4, 0]]), table[[[4, 0]]])


@piece("embedding", gradient=True)
def test_embedding_gradient_of_a_batch(student):
    """Whatever the shape of the ids, each row of the table gets the sum of what it was used for."""
    for shape in [(1,), (7,), (5, 1), (3, 5), (2, 4, 5)]:
        ids, above = some_ids(shape, 6), numbers(*shape, 3)
        table = student.Tensor(numbers(6, 3))
        student.embedding(table, ids).backward(above)
        expected = np.zeros((6, 3))
        np.add.at(expected, ids, above)
        close(table.grad, expected)


@piece("embedding", gradient=True)
def test_embedding_gradient_of_ids_that_are_all_different(student):
    """Rows that were used once get the gradient of that use, rows that were not used get 0."""
    table, above = student.Tensor(numbers(5, 2)), numbers(3, 2)
    student.embedding(table, [4, 0, 2]).backward(above)
    expected = np.zeros((5, 2))
    expected[[4, 0, 2]] = above
    close(table.grad, expected)


@piece("embedding", gradient=True)
def test_embedding_gradient_of_all_rows_in_order(student):
    """As positions do: row 0, row 1, and so on to the last; each gets what came from above."""
    table, above = student.Tensor(numbers(5, 2)), numbers(5, 2)[::-1]
    student.embedding(table, np.arange(5)).backward(above)
    close(table.grad, above)


@piece("embedding", gradient=True)
def test_embedding_used_twice_collects_both(student):
    """Two look-ups in one table, as when positions and tokens share it: their gradients add up."""
    ids, others = some_ids((2, 4), 5), some_ids((4, 2), 5).T
    gradcheck(
        student,
        lambda table: student.embedding(table, ids) * 3.0 + student.embedding(table, others),
        numbers(5, 3),
        truth=lambda table: table[ids] * 3.0 + table[others],
    )


@piece("embedding", gradient=True)
def test_embedding_changes_nothing_handed_in(student):
    """The table is the caller's: after the call and after backward it holds what it held."""
    table = student.Tensor(numbers(6, 3))
    y = student.embedding(table, [[1, 1, 5]])
    y.backward(np.ones((1, 3, 3)))
    close(y, numbers(6, 3)[[[1, 1, 5]]])
    close(student.array(table), numbers(6, 3), rtol=0, atol=0)


@piece("embedding", gradient=True)
def test_embedding_twice_is_the_same_and_leaves_g_alone(student):
    """A second call finds what the first one found, and what came from above stays."""
    steady(student, lambda table: student.embedding(table, [[1, 3], [3, 0]]), numbers(5, 3))


@piece("embedding", gradient=True)
def test_embedding_keeps_float32_on_the_way_back(student):
    """The gradients of float32 are float32 too."""
    narrow(student, lambda table: student.embedding(table, [[1, 3], [3, 0]]), numbers(5, 3))


@piece("embedding")
def test_embedding_sees_the_numbers_of_now(student):
    """Called again after training has moved what it is given, it gives the new result."""
    follows(
        student,
        lambda table: student.embedding(table, [[1, 3], [3, 0]]),
        lambda table: table[[[1, 3], [3, 0]]],
        numbers(5, 3),
    )


@piece("linear", gradient=True)
def test_linear_twice_is_the_same_and_leaves_g_alone(student):
    """A second call finds what the first one found, and what came from above stays."""
    steady(student, student.linear, numbers(2, 4, 5), numbers(3, 5), numbers(3))


@piece("linear", gradient=True)
def test_linear_keeps_float32_on_the_way_back(student):
    """The gradients of float32 are float32 too."""
    narrow(student, student.linear, numbers(2, 4, 5), numbers(3, 5), numbers(3))


@piece("linear")
def test_linear_sees_the_numbers_of_now(student):
    """Called again after training has moved what it is given, it gives the new result."""
    follows(student, student.linear, true_linear, numbers(2, 4, 5), numbers(3, 5), numbers(3))


@piece("linear", core=True)
def test_linear_of_any_number_of_axes(student):
    """(..., in) -> (..., out): one vector, rows, a batch of rows, or more axes still."""
    weight, bias = numbers(3, 5), numbers(3)
    for shape in [(5,), (1, 5), (3, 5), (4, 5), (2, 4, 5), (2, 3, 5), (6, 1, 5), (2, 1, 4, 5)]:
        x = numbers(*shape)
        got = student.linear(*map(student.Tensor, (x, weight, bias)))
        close(got, true_linear(x, weight, bias))


@piece("linear")
def test_linear_needs_no_bias(student):
    """Without a bias nothing is added, and bias=None says the same."""
    x, weight = numbers(2, 4, 5), numbers(3, 5)
    a, b = student.Tensor(x), student.Tensor(weight)
    close(student.linear(a, b), true_linear(x, weight))
    close(student.linear(a, b, None), true_linear(x, weight))


@piece("linear")
def test_linear_with_a_square_weight(student):
    """Where in and out are equal no shape gives a forgotten transpose away, but the numbers do."""
    x, weight = numbers(2, 3, 4), numbers(4, 4)
    close(student.linear(student.Tensor(x), student.Tensor(weight)), true_linear(x, weight))


@piece("linear")
def test_linear_of_a_single_input_or_output(student):
    """in or out may be 1; the axis stays."""
    for n_in, n_out in [(1, 3), (4, 1), (1, 1)]:
        x, weight, bias = numbers(2, 5, n_in), numbers(n_out, n_in), numbers(n_out)
        got = student.linear(*map(student.Tensor, (x, weight, bias)))
        close(got, true_linear(x, weight, bias))


@piece("linear")
def test_linear_stays_float32(student):
    """float32 in, float32 out, with a bias and without."""
    x, weight, bias = (numbers(*s).astype(np.float32) for s in [(2, 4, 5), (3, 5), (3,)])
    a, b, c = map(student.Tensor, (x, weight, bias))
    close(student.linear(a, b), true_linear(x, weight), rtol=1e-3, atol=1e-3)
    close(student.linear(a, b, c), true_linear(x, weight, bias), rtol=1e-3, atol=1e-3)


@piece("linear", gradient=True)
def test_linear_gradient_of_rows(student):
    """x gets g @ weight, the weight g^T @ x, the bias the column sums of g."""
    for n in (1, 3, 4):
        arrays = numbers(n, 5), numbers(3, 5), numbers(3)
        gradcheck(student, student.linear, *arrays, truth=true_linear)


@piece("linear", gradient=True)
def test_linear_gradient_of_one_vector_of_many(student):
    """A single vector is one row: its weight gets a gradient in the weight's own shape."""
    gradcheck(student, student.linear, numbers(5), numbers(3, 5), numbers(3), truth=true_linear)


@piece("linear", gradient=True)
def test_linear_gradient_of_a_batch(student):
    """All leading axes are rows: weight and bias collect from every one of them."""
    for shape in [(2, 4, 5), (6, 1, 5), (2, 1, 3, 5)]:
        arrays = numbers(*shape), numbers(3, 5), numbers(3)
        gradcheck(student, student.linear, *arrays, truth=true_linear)


@piece("linear", gradient=True)
def test_linear_gradient_without_a_bias(student):
    """x and the weight get the same gradient whether there is a bias or not."""
    gradcheck(student, student.linear, numbers(2, 4, 5), numbers(3, 5), truth=true_linear)


@piece("linear", gradient=True)
def test_linear_gradient_with_a_square_weight(student):
    """Where in and out are equal no shape gives a forgotten transpose away, but the numbers do."""
    gradcheck(student, student.linear, numbers(2, 3, 4), numbers(4, 4), truth=true_linear)


@piece("linear", gradient=True)
def test_linear_gradient_of_a_single_input_and_output(student):
    """Where in and out are 1 the weight is one number, and gets a matrix of one number back."""
    gradcheck(student, student.linear, numbers(2, 3, 1), numbers(1, 1), truth=true_linear)


@piece("linear", gradient=True)
def test_linear_shares_its_weight(student):
    """One weight used twice, and x around it as well: the gradients add up, none is spoilt."""
    gradcheck(
        student,
        lambda x, weight: student.linear(student.linear(x, weight), weight) + x,
        numbers(2, 3, 4),
        numbers(4, 4),
        truth=lambda x, weight: true_linear(true_linear(x, weight), weight) + x,
    )


@piece("linear", gradient=True)
def test_linear_of_what_was_transposed(student):
    """x may be the result of other operations, its numbers in any order in memory."""
    gradcheck(
        student,
        lambda x, weight: student.linear(x.transpose(0, 2, 1), weight),
        numbers(2, 5, 4),
        numbers(3, 5),
        truth=lambda x, weight: true_linear(x.transpose(0, 2, 1), weight),
    )


@piece("linear", gradient=True)
def test_linear_changes_nothing_handed_in(student):
    """x, weight and bias are the caller's: after the call and backward they hold what they held."""
    for shape in ((2, 4), (1,), ()):
        arrays = numbers(*shape, 5), numbers(3, 5), numbers(3)
        tensors = [student.Tensor(array) for array in arrays]
        y = student.linear(*tensors)
        y.backward(np.ones((*shape, 3)))
        close(y, true_linear(*arrays))
        for tensor, array in zip(tensors, arrays, strict=True):
            close(student.array(tensor), array, rtol=0, atol=0)


@piece("cross_entropy", core=True)
def test_cross_entropy_of_rows(student):
    """The surprise at each row's own target, and the mean of it over all rows."""
    logits, targets = numbers(6, 4), some_ids((6,), 4)
    got = student.cross_entropy(student.Tensor(logits), targets)
    close(got, true_cross_entropy(logits, targets))


@piece("cross_entropy")
def test_cross_entropy_of_any_number_of_axes(student):
    """logits (..., V) and targets (...): one row, a batch, T = 1, or more axes still."""
    for shape in [(), (1,), (2, 3), (5, 1), (2, 3, 4)]:
        logits, targets = numbers(*shape, 7), some_ids(shape, 7)
        got = student.cross_entropy(student.Tensor(logits), targets)
        close(got, true_cross_entropy(logits, targets))


@piece("cross_entropy")
def test_cross_entropy_of_lists_and_small_integers(student):
    """Targets may be a list, a list of lists, or an array of any kind of integers."""
    logits, targets = numbers(2, 3, 4), some_ids((2, 3), 4)
    for given in (targets.tolist(), targets.astype(np.int32), targets.astype(np.int64)):
        got = student.cross_entropy(student.Tensor(logits), given)
        close(got, true_cross_entropy(logits, targets))


@piece("cross_entropy")
def test_cross_entropy_of_equal_logits_is_the_log_of_their_number(student):
    """A model that knows nothing is as surprised as by a fair die, whatever came."""
    for V in (2, 6):
        logits = student.Tensor(np.full((3, V), 5.0))
        close(student.cross_entropy(logits, [0, V - 1, V // 2]), log(V))


@piece("cross_entropy")
def test_cross_entropy_of_a_single_class_is_zero(student):
    """Where there is only one class nothing can be a surprise."""
    close(student.cross_entropy(student.Tensor(numbers(3, 1)), [0, 0, 0]), 0.0)


@piece("cross_entropy")
def test_cross_entropy_is_never_negative(student):
    """A probability is at most 1, its logarithm at most 0, and surprise is the minus of that."""
    for target in range(4):
        loss = student.array(student.cross_entropy(student.Tensor(numbers(1, 4)), [target]))
        assert loss >= 0, f"the loss is {loss:.6g}; a surprise cannot be negative"


@piece("cross_entropy")
def test_cross_entropy_of_equal_logits_with_padding(student):
    """Where all rows are equally surprising, padding cannot change their mean."""
    logits = student.Tensor(np.full((2, 3, 5), -2.0))
    close(student.cross_entropy(logits, [[4, -1, 0], [-1, -1, 2]]), log(5))


@piece("cross_entropy")
def test_cross_entropy_leaves_out_padding(student):
    """Rows that are ignored count neither in the sum nor in the number it is divided by."""
    logits, targets = numbers(2, 5, 4), some_ids((2, 5), 4)
    targets[0, 3:] = targets[1, 1:] = -1
    got = student.cross_entropy(student.Tensor(logits), targets)
    close(got, true_cross_entropy(logits, targets))


@piece("cross_entropy")
def test_cross_entropy_ignores_another_negative_number(student):
    """`ignore` is an argument: -1 is only what it is if nobody says otherwise."""
    logits, targets = numbers(3, 5, 4), some_ids((3, 5), 4)
    targets[1, 1:] = -100
    got = student.cross_entropy(student.Tensor(logits), targets, ignore=-100)
    close(got, true_cross_entropy(logits, targets, -100))


@piece("cross_entropy")
def test_cross_entropy_ignores_any_class(student):
    """`ignore` may be a class that exists, or a number that no class has."""
    logits = numbers(3, 5, 4)
    for ignore in (0, 3, 99):
        targets = some_ids((3, 5), 4)
        targets[0, 0], targets[1, 1:] = 2, ignore
        got = student.cross_entropy(student.Tensor(logits), targets, ignore=ignore)
        close(got, true_cross_entropy(logits, targets, ignore))


@piece("cross_entropy")
def test_cross_entropy_is_of_differences_only(student):
    """Adding the same number to all logits of a row changes nothing, however large it is."""
    logits, targets = numbers(3, 4), [2, 0, 3]
    shifts = np.array([[-1000.0], [30.0], [1000.0]])
    got = student.cross_entropy(student.Tensor(logits + shifts), targets)
    close(got, true_cross_entropy(logits, targets))


@piece("cross_entropy")
def test_cross_entropy_of_logits_far_apart(student):
    """A probability too small for a float still has a logarithm: the difference of the logits."""
    logits, targets = np.array([[3000.0, 0.0, 0.0], [-500.0, 0.0, 500.0]]), [2, 0]
    got = student.cross_entropy(student.Tensor(logits), targets)
    close(got, true_cross_entropy(logits, targets))


@piece("cross_entropy")
def test_cross_entropy_of_an_unlikely_target(student):
    """A probability of e^-30 is small, but nothing is added to it to be safe."""
    close(student.cross_entropy(student.Tensor([[30.0, 0.0]]), [1]), 30.0)


@piece("cross_entropy")
def test_cross_entropy_of_rows_that_are_all_ignored(student):
    """There is no mean of nothing: ValueError, whatever is ignored; of one row there is a mean."""
    logits = numbers(2, 2, 3)
    handle = student.Tensor(logits)
    for ignore in (-1, 1):
        targets = np.full((2, 2), ignore)
        with student.raises(ValueError):
            student.cross_entropy(handle, targets, ignore=ignore)
        targets[1, 0] = 2
        got = student.cross_entropy(handle, targets, ignore=ignore)
        close(got, true_cross_entropy(logits, targets, ignore))


@piece("cross_entropy", gradient=True)
def test_cross_entropy_gradient_of_any_number_of_axes(student):
    """Predicted minus right in every row, divided by the number of rows, times g from above."""
    for shape in [(), (4,), (5, 1), (2, 3)]:
        targets = some_ids(shape, 4)
        gradcheck(
            student,
            lambda logits, targets=targets: student.cross_entropy(logits, targets),
            numbers(*shape, 4),
            truth=lambda logits, targets=targets: true_cross_entropy(logits, targets),
        )


@piece("cross_entropy", gradient=True)
def test_cross_entropy_gradient_of_one_row(student):
    """With a single row there is nothing to average: predicted minus right."""
    logits = numbers(1, 5)
    handle = student.Tensor(logits)
    student.cross_entropy(handle, [3]).backward()
    close(handle.grad, true_softmax(logits) - np.eye(5)[[3]])


@piece("cross_entropy", gradient=True)
def test_cross_entropy_gradient_where_the_model_is_sure_and_right(student):
    """What was predicted is what was right: there is nothing to learn."""
    logits = student.Tensor([[1000.0, 0.0, -1000.0]])
    student.cross_entropy(logits, [0]).backward()
    close(logits.grad, [[0.0, 0.0, 0.0]])


@piece("cross_entropy", gradient=True)
def test_cross_entropy_gradient_with_padding(student):
    """Ignored rows get 0, and the others are divided by the number of rows that count."""
    for ignore in (-1, 2, 99):
        targets = some_ids((2, 4), 4)
        targets[0, 2:] = targets[1, 0] = ignore
        targets[1, 1] = 1  # or all might be ignored
        gradcheck(
            student,
            lambda z, t=targets, i=ignore: student.cross_entropy(z, t, ignore=i),
            numbers(2, 4, 4),
            truth=lambda z, t=targets, i=ignore: true_cross_entropy(z, t, i),
        )


@piece("cross_entropy", gradient=True)
def test_cross_entropy_gradient_of_logits_far_apart(student):
    """However sure and wrong the model was, what comes back is finite: predicted minus right."""
    logits = student.Tensor([[1000.0, 0.0, -1000.0]])
    student.cross_entropy(logits, [1]).backward()
    close(logits.grad, [[1.0, -1.0, 0.0]])


@piece("cross_entropy", gradient=True)
def test_cross_entropy_gradients_of_two_losses_add_up(student):
    """The loss may be scaled, and the logits may have other uses: each passes on its own share."""
    targets, others = [1, 0, 3], [3, 3, -1]
    gradcheck(
        student,
        lambda z: student.cross_entropy(z, targets) * 3.0 + student.cross_entropy(z, others),
        numbers(3, 4),
        truth=lambda z: true_cross_entropy(z, targets) * 3.0 + true_cross_entropy(z, others),
    )


@piece("cross_entropy", gradient=True)
def test_cross_entropy_changes_nothing_handed_in(student):
    """The logits are the caller's: after the call and after backward they hold what they held."""
    logits = student.Tensor(numbers(2, 3, 4))
    targets = [[1, 0, 3], [2, -1, 2]]
    loss = student.cross_entropy(logits, targets)
    loss.backward()
    close(loss, true_cross_entropy(numbers(2, 3, 4), targets))
    close(student.array(logits), numbers(2, 3, 4), rtol=0, atol=0)


@piece("cross_entropy", gradient=True)
def test_cross_entropy_twice_is_the_same_and_leaves_g_alone(student):
    """A second call finds what the first one found, and what came from above stays."""
    steady(student, lambda z: student.cross_entropy(z, [1, -1, 0, 3]), numbers(4, 5))


@piece("cross_entropy", gradient=True)
def test_cross_entropy_keeps_float32_on_the_way_back(student):
    """The gradients of float32 are float32 too."""
    narrow(student, lambda z: student.cross_entropy(z, [1, -1, 0, 3]), numbers(4, 5))


@piece("cross_entropy")
def test_cross_entropy_sees_the_numbers_of_now(student):
    """Called again after training has moved what it is given, it gives the new result."""
    follows(
        student,
        lambda z: student.cross_entropy(z, [1, -1, 0, 3]),
        lambda z: true_cross_entropy(z, [1, -1, 0, 3]),
        numbers(4, 5),
    )
