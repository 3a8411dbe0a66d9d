"""Exercise 4, for the student: every number here can be checked in the head."""

from math import log

import numpy as np
import pytest

from grader.compare import close, gradcheck

piece = pytest.mark.piece


def stays(student, name, x, numbers):
    """What was handed in to the function `name` holds the numbers that it held."""
    now = student.array(x).tolist()
    assert now == numbers, f"{name} changed what it was handed: {numbers} is {now} now"


INF = float("inf")


@piece("relu", core=True)
def test_relu_leaves_positive_numbers_as_they_are(student):
    close(student.relu(student.Tensor([[2.0, 0.5, 3.0]])), [[2.0, 0.5, 3.0]])


@piece("relu", core=True)
def test_relu_makes_zero_of_negative_numbers(student):
    close(student.relu(student.Tensor([[-1.0, 2.0], [0.0, -3.0]])), [[0.0, 2.0], [0.0, 0.0]])


@piece("relu")
def test_relu_leaves_its_input_as_it_is(student):
    x = student.Tensor([-1.0, 2.0])
    close(student.relu(x), [0.0, 2.0])
    stays(student, "relu", x, [-1.0, 2.0])


@piece("relu")
def test_relu_keeps_float32(student):
    x = student.Tensor(np.array([-1.0, 2.0], np.float32))
    close(student.relu(x), np.array([0.0, 2.0], np.float32))


@piece("relu", gradient=True)
def test_relu_gradient_passes_where_x_is_positive(student):
    x = student.Tensor([2.0, 3.0])
    student.relu(x).backward([10.0, -30.0])
    close(x.grad, [10.0, -30.0])


@piece("relu", gradient=True)
def test_relu_gradient_stops_where_x_is_negative(student):
    x = student.Tensor([-1.0, -2.0])
    student.relu(x).backward([10.0, -20.0])
    close(x.grad, [0.0, 0.0])


@piece("relu", gradient=True)
def test_relu_gradient_stops_at_zero(student):
    x = student.Tensor([0.0, -1.0, 1.0])
    student.relu(x).backward([10.0, -20.0, 30.0])
    close(x.grad, [0.0, 0.0, 30.0])


@piece("gelu", core=True)
def test_gelu_of_zero_one_and_minus_one(student):
    """The values of GPT-2's tanh form; the form with erf gives 0.841345 for 1."""
    close(student.gelu(student.Tensor([[0.0, 1.0, -1.0]])), [[0.0, 0.8411919906, -0.1588080094]])


@piece("gelu")
def test_gelu_far_from_zero_is_relu(student):
    x = student.Tensor([1000.0, -1000.0, 6.0, -6.0])
    close(student.gelu(x), [1000.0, 0.0, 6.0, 0.0])


@piece("gelu")
def test_gelu_keeps_float32(student):
    x = student.Tensor(np.array([0.0, 1.0, 20.0], np.float32))
    close(student.gelu(x), np.array([0.0, 0.841192, 20.0], np.float32))


@piece("gelu", gradient=True)
def test_gelu_slope_is_one_half_at_zero(student):
    """There tanh(u) is 0 and so is x: only 0.5 (1 + 0) is left."""
    x = student.Tensor([0.0])
    student.gelu(x).backward([6.0])
    close(x.grad, [3.0])


@piece("gelu", gradient=True)
def test_gelu_gradient_is_its_slope(student):
    gradcheck(student, student.gelu, [[-2.0, -0.5, 1.0], [0.5, 1.5, 3.0]])


@piece("softmax", core=True)
def test_softmax_of_zero_and_log_three(student):
    """e^0 = 1 and e^log(3) = 3, of 4 in all."""
    close(student.softmax(student.Tensor([0.0, log(3)])), [0.25, 0.75])


@piece("softmax", core=True)
def test_softmax_of_each_row_by_itself(student):
    x = [[0.0, log(3), 0.0], [log(4), log(3), log(3)]]
    close(student.softmax(student.Tensor(x)), [[0.2, 0.6, 0.2], [0.4, 0.3, 0.3]])


@piece("softmax")
def test_softmax_along_the_first_axis(student):
    """The columns are [0, log 3], [log 4, 0] and [0, log 9]."""
    x = student.Tensor([[0.0, log(4), 0.0], [log(3), 0.0, log(9)]])
    close(student.softmax(x, axis=0), [[0.25, 0.8, 0.1], [0.75, 0.2, 0.9]])


@piece("softmax")
def test_softmax_of_large_scores_does_not_overflow(student):
    close(student.softmax(student.Tensor([1000.0, 1000.0])), [0.5, 0.5])


@piece("softmax")
def test_softmax_subtracts_the_maximum_of_each_row(student):
    """The maximum of all would push the first row so far down that all its e^x are 0."""
    x = student.Tensor([[0.0, 0.0], [1000.0, 1000.0]])
    close(student.softmax(x), [[0.5, 0.5], [0.5, 0.5]])


@piece("softmax")
def test_softmax_gives_nothing_to_minus_infinity(student):
    close(student.softmax(student.Tensor([log(3), -INF, 0.0])), [0.75, 0.0, 0.25])


@piece("softmax")
def test_softmax_of_large_scores_that_differ(student):
    """Only differences count: 1000 and 1000 + log 3 are as 0 and log 3."""
    close(student.softmax(student.Tensor([1000.0, 1000.0 + log(3)])), [0.25, 0.75])


@piece("softmax")
def test_softmax_leaves_its_input_as_it_is(student):
    x = student.Tensor([1000.0, 1000.0])
    close(student.softmax(x), [0.5, 0.5])
    stays(student, "softmax", x, [1000.0, 1000.0])


@piece("softmax")
def test_softmax_keeps_float32(student):
    x = student.Tensor(np.array([0.0, log(3)], np.float32))
    close(student.softmax(x), np.array([0.25, 0.75], np.float32))


@piece("softmax", gradient=True)
def test_softmax_gradient(student):
    """p = [1, 1, 2] / 4, so the mean of g is 2 + 0 + 2 = 4: p * (g - 4)."""
    x = student.Tensor([0.0, 0.0, log(2)])
    student.softmax(x).backward([8.0, 0.0, 4.0])
    close(x.grad, [1.0, -1.0, 0.0])


@piece("softmax", gradient=True)
def test_softmax_gradient_of_each_row_by_itself(student):
    """The rows of p are [1, 3, 1] / 5 and [4, 3, 3] / 10; their means of g are 1 and 4."""
    x = student.Tensor([[0.0, log(3), 0.0], [log(4), log(3), log(3)]])
    student.softmax(x).backward([[5.0, 0.0, 0.0], [10.0, 0.0, 0.0]])
    close(x.grad, [[0.8, -0.6, -0.2], [2.4, -1.2, -1.2]])


@piece("softmax", gradient=True)
def test_softmax_gradient_along_the_first_axis(student):
    """The columns of p are [1, 3] / 4, [4, 1] / 5 and [1, 9] / 10; their means of g: 4, 4 and 1."""
    x = student.Tensor([[0.0, log(4), 0.0], [log(3), 0.0, log(9)]])
    student.softmax(x, axis=0).backward([[16.0, 5.0, 10.0], [0.0, 0.0, 0.0]])
    close(x.grad, [[3.0, 0.8, 0.9], [-3.0, -0.8, -0.9]])


TABLE = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]


@piece("embedding", core=True)
def test_embedding_looks_up_rows(student):
    close(student.embedding(student.Tensor(TABLE), [2, 0, 2]), [[5, 6], [1, 2], [5, 6]])


@piece("embedding")
def test_embedding_keeps_the_shape_of_the_ids(student):
    """ids (1, 3) -> (1, 3, C)"""
    ids = np.array([[1, 2, 0]], np.int32)
    close(student.embedding(student.Tensor(TABLE), ids), [[[3, 4], [5, 6], [1, 2]]])


@piece("embedding")
def test_embedding_keeps_float32(student):
    table = student.Tensor(np.array(TABLE, np.float32))
    close(student.embedding(table, [1]), np.array([[3, 4]], np.float32))


@piece("embedding", gradient=True)
def test_embedding_row_used_twice_gets_both_gradients(student):
    """Row 2 was used first and last: [1, 10] + [3, 30]. Row 1 was not used."""
    table = student.Tensor(TABLE)
    student.embedding(table, [2, 0, 2]).backward([[1, 10], [2, 20], [3, 30]])
    close(table.grad, [[2, 20], [0, 0], [4, 40]])


@piece("embedding", gradient=True)
def test_embedding_gradient_of_float32_is_float32(student):
    table = student.Tensor(np.array(TABLE, np.float32))
    student.embedding(table, [1]).backward(np.array([[10.0, 20.0]], np.float32))
    close(table.grad, np.array([[0, 0], [10, 20], [0, 0]], np.float32))


@piece("embedding", gradient=True)
def test_embedding_gradient_of_a_batch_of_ids(student):
    """Row 0 was used three times, in both rows of the batch: 1 + 2 + 4."""
    table = student.Tensor(TABLE)
    y = student.embedding(table, [[0, 0], [1, 0]])
    y.backward([[[1, 1], [2, 10]], [[3, 30], [4, 100]]])
    close(table.grad, [[7, 111], [3, 30], [0, 0]])


@piece("linear", core=True)
def test_linear_of_one_vector(student):
    """1*3 + 2*4 + 5 = 16"""
    x, weight, bias = (
        student.Tensor([1.0, 2.0]),
        student.Tensor([[3.0, 4.0]]),
        student.Tensor([5.0]),
    )
    close(student.linear(x, weight, bias), [16.0])


@piece("linear", core=True)
def test_linear_without_a_bias(student):
    """Three outputs: the first number, the second, and their sum."""
    x = student.Tensor([[1.0, 2.0], [3.0, 5.0]])
    weight = student.Tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    close(student.linear(x, weight), [[1, 2, 3], [3, 5, 8]])


@piece("linear")
def test_linear_weight_stands_out_in(student):
    """The first output is x times the first row, 1*1 + 10*2, not the first column."""
    x, weight = student.Tensor([[1.0, 10.0]]), student.Tensor([[1.0, 2.0], [3.0, 4.0]])
    close(student.linear(x, weight), [[21, 43]])


@piece("linear")
def test_linear_keeps_the_leading_axes(student):
    """x (2, 1, 2) -> (2, 1, 1)"""
    x, weight, bias = student.Tensor([[[1.0, 2.0]], [[3.0, 4.0]]]), [[10.0, 1.0]], [0.5]
    y = student.linear(x, student.Tensor(weight), student.Tensor(bias))
    close(y, [[[12.5]], [[34.5]]])


@piece("linear")
def test_linear_keeps_float32(student):
    x, weight = (student.Tensor(np.array(a, np.float32)) for a in ([[1, 2]], [[3, 4]]))
    close(student.linear(x, weight), np.array([[11]], np.float32))


@piece("linear", gradient=True)
def test_linear_gradient_of_x(student):
    """g @ weight: 1 of the first row for the first x; 10 and 100 of the others for the second."""
    x, weight = student.Tensor([[1.0, 2.0], [3.0, 4.0]]), student.Tensor(TABLE)
    student.linear(x, weight).backward([[1, 0, 0], [0, 10, 100]])
    close(x.grad, [[1, 2], [530, 640]])


@piece("linear", gradient=True)
def test_linear_gradient_of_the_weight(student):
    """Output 0 was used by the first row, [1, 2]; the others by the second, [3, 4]."""
    x, weight = student.Tensor([[1.0, 2.0], [3.0, 4.0]]), student.Tensor(TABLE)
    student.linear(x, weight).backward([[1, 0, 0], [0, 10, 100]])
    close(weight.grad, [[1, 2], [30, 40], [300, 400]])


@piece("linear", gradient=True)
def test_linear_gradient_of_the_bias_is_summed_over_all_rows(student):
    x, weight, bias = student.Tensor(np.ones((2, 2, 3))), np.ones((1, 3)), student.Tensor([0.0])
    y = student.linear(x, student.Tensor(weight), bias)
    y.backward([[[1.0], [10.0]], [[100.0], [1000.0]]])
    close(bias.grad, [1111.0])


@piece("linear", gradient=True)
def test_linear_gradient_is_its_slope(student):
    x = [[[1.0, 2.0]], [[3.0, -1.0]]]
    gradcheck(student, student.linear, x, [[1.0, -1.0], [0.5, 2.0], [3.0, 1.0]], [1.0, 2.0, 3.0])


@piece("linear", gradient=True)
def test_linear_gradient_of_one_vector(student):
    """The docstring's example, with g = [1]."""
    x, weight, bias = (
        student.Tensor([1.0, 2.0]),
        student.Tensor([[3.0, 4.0]]),
        student.Tensor([5.0]),
    )
    student.linear(x, weight, bias).backward([1.0])
    close(x.grad, [3.0, 4.0])
    close(weight.grad, [[1.0, 2.0]])
    close(bias.grad, [1.0])


@piece("cross_entropy", core=True)
def test_cross_entropy_of_one_row(student):
    """p = [1/4, 3/4]: the surprise is log 4 if class 0 came, and log(4/3) if class 1 did."""
    logits = [[0.0, log(3)]]
    close(student.cross_entropy(student.Tensor(logits), [0]), log(4))
    close(student.cross_entropy(student.Tensor(logits), [1]), log(4 / 3))


@piece("cross_entropy")
def test_cross_entropy_is_the_mean_over_rows(student):
    """log 4, and log 2 twice, of a batch of (1, 3) rows."""
    logits = student.Tensor([[[0.0, log(3)], [7.0, 7.0], [0.0, 0.0]]])
    close(student.cross_entropy(logits, [[0, 1, 0]]), (log(4) + 2 * log(2)) / 3)


@piece("cross_entropy")
def test_cross_entropy_leaves_ignored_rows_out_of_the_mean(student):
    """Two rows count, with log 4 and log 2; the one in the middle is padding."""
    logits = student.Tensor([[0.0, log(3)], [9.0, 5.0], [7.0, 7.0]])
    close(student.cross_entropy(logits, [0, -1, 0]), (log(4) + log(2)) / 2)


@piece("cross_entropy")
def test_cross_entropy_ignores_what_it_is_told_to(student):
    """The first row alone is left: the others are class 1, and that is ignored, or are -100."""
    logits = student.Tensor([[0.0, log(3)], [9.0, 5.0], [7.0, 7.0]])
    close(student.cross_entropy(logits, [0, 1, 1], ignore=1), log(4))
    close(student.cross_entropy(logits, [0, -100, -100], ignore=-100), log(4))


@piece("cross_entropy")
def test_cross_entropy_of_large_logits_does_not_overflow(student):
    """Equal logits are a coin toss, however large."""
    close(student.cross_entropy(student.Tensor([[1000.0, 1000.0]]), [1]), log(2))


@piece("cross_entropy")
def test_cross_entropy_of_a_hopeless_target_is_finite(student):
    """p of class 1 is e^-1000: too small for a float, but its log is -1000."""
    close(student.cross_entropy(student.Tensor([[1000.0, 0.0]]), [1]), 1000.0)


@piece("cross_entropy")
def test_cross_entropy_leaves_the_logits_as_they_are(student):
    logits = student.Tensor([[1000.0, 0.0]])
    close(student.cross_entropy(logits, [0]), 0.0)
    stays(student, "cross_entropy", logits, [[1000.0, 0.0]])


@piece("cross_entropy")
def test_cross_entropy_refuses_to_average_nothing(student):
    logits = student.Tensor([[0.0, log(3)], [7.0, 7.0]])
    close(student.cross_entropy(logits, [-1, 1]), log(2))
    with student.raises(ValueError):
        student.cross_entropy(logits, [-1, -1])


@piece("cross_entropy", gradient=True)
def test_cross_entropy_gradient_is_predicted_minus_right(student):
    """([1/4, 3/4] - [1, 0]) / 2 and ([1/2, 1/2] - [0, 1]) / 2, for there are two rows."""
    logits = student.Tensor([[0.0, log(3)], [7.0, 7.0]])
    student.cross_entropy(logits, [0, 1]).backward()
    close(logits.grad, [[-0.375, 0.375], [0.25, -0.25]])


@piece("cross_entropy", gradient=True)
def test_cross_entropy_gradient_of_a_batch_has_its_shape(student):
    """(1, 3, 2): three coin tosses, ([1/2, 1/2] - [1, 0]) / 3 or ([1/2, 1/2] - [0, 1]) / 3."""
    logits = student.Tensor(np.zeros((1, 3, 2)))
    student.cross_entropy(logits, [[0, 1, 1]]).backward()
    close(logits.grad, np.array([[[-1.0, 1.0], [1.0, -1.0], [1.0, -1.0]]]) / 6)


@piece("cross_entropy", gradient=True)
def test_cross_entropy_gradient_is_zero_in_ignored_rows(student):
    logits = student.Tensor([[0.0, log(3)], [7.0, 9.0]])
    student.cross_entropy(logits, [0, -1]).backward()
    close(logits.grad[1], [0.0, 0.0])


@piece("cross_entropy", gradient=True)
def test_cross_entropy_gradient_is_divided_by_the_rows_that_count(student):
    """One of two rows counts, so nothing is halved."""
    logits = student.Tensor([[0.0, log(3)], [7.0, 9.0]])
    student.cross_entropy(logits, [0, -1]).backward()
    close(logits.grad[0], [-0.75, 0.75])


@piece("cross_entropy", gradient=True)
def test_cross_entropy_gradient_is_times_the_one_from_above(student):
    """Half the loss, half the gradient."""
    logits = student.Tensor([[0.0, log(3)]])
    (student.cross_entropy(logits, [0]) * 0.5).backward()
    close(logits.grad, [[-0.375, 0.375]])
