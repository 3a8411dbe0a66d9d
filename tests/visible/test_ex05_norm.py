"""Exercise 5, for the student: every number here can be checked in the head."""

import numpy as np
import pytest

from grader.compare import close, gradcheck

piece = pytest.mark.piece


@piece("rmsnorm", core=True)
def test_one_and_seven(student):
    """The mean of squares is (1 + 49) / 2 = 25, so both are divided by 5."""
    close(student.rmsnorm(student.Tensor([1.0, 7.0]), eps=0.0), [0.2, 1.4])


@piece("rmsnorm", core=True)
def test_each_vector_is_divided_by_its_own_root_mean_square(student):
    """The roots are 5 (of 100 / 4), 5, 20, 2, 50 and 10."""
    x = [
        [[1.0, 7.0, -5.0, 5.0], [2.0, 4.0, 4.0, 8.0], [40.0, 0.0, 0.0, 0.0]],
        [[2.0, -2.0, 2.0, -2.0], [0.0, 60.0, 0.0, 80.0], [10.0, 10.0, 10.0, 10.0]],
    ]
    expected = [
        [[0.2, 1.4, -1.0, 1.0], [0.4, 0.8, 0.8, 1.6], [2.0, 0.0, 0.0, 0.0]],
        [[1.0, -1.0, 1.0, -1.0], [0.0, 1.2, 0.0, 1.6], [1.0, 1.0, 1.0, 1.0]],
    ]
    close(student.rmsnorm(student.Tensor(x), eps=0.0), expected)


@piece("rmsnorm")
def test_gain_scales_each_channel(student):
    x, gain = student.Tensor([[1.0, 7.0], [-7.0, 1.0]]), student.Tensor([10.0, 100.0])
    close(student.rmsnorm(x, gain, eps=0.0), [[2.0, 140.0], [-14.0, 20.0]])


@piece("rmsnorm")
def test_eps_stands_inside_the_root(student):
    """The mean of squares, 4, plus eps, 12, is 16; its root is 4."""
    close(student.rmsnorm(student.Tensor([[2.0, -2.0]]), eps=12.0), [[0.5, -0.5]])


@piece("rmsnorm")
def test_zeros_stay_zeros(student):
    close(student.rmsnorm(student.Tensor([[0.0, 0.0, 0.0]])), [[0.0, 0.0, 0.0]])


@piece("rmsnorm")
def test_rmsnorm_keeps_float32(student):
    x = student.Tensor(np.array([[1.0, 7.0]], np.float32))
    close(student.rmsnorm(x, eps=0.0), np.array([[0.2, 1.4]], np.float32))


@piece("rmsnorm", gradient=True)
def test_gradient_of_one_and_seven(student):
    """The lesson's example: 1/5 ([1, 0] - 0.1 [0.2, 1.4])."""
    x = student.Tensor([1.0, 7.0])
    student.rmsnorm(x, eps=0.0).backward([1.0, 0.0])
    close(x.grad, [0.196, -0.028])


@piece("rmsnorm", gradient=True)
def test_gradient_passes_the_gain_on_its_way_back(student):
    """g times gain is [5, 0], five times that of the lesson's example."""
    x, gain = student.Tensor([1.0, 7.0]), student.Tensor([5.0, 10.0])
    student.rmsnorm(x, gain, eps=0.0).backward([1.0, 0.0])
    close(x.grad, [0.98, -0.14])


@piece("rmsnorm", gradient=True)
def test_gradient_of_the_gain_is_summed_over_all_vectors(student):
    """n is [0.2, 1.4] and [1.4, 0.2], and the gain gets the sum of g * n."""
    x, gain = student.Tensor([[1.0, 7.0], [7.0, 1.0]]), student.Tensor([5.0, 10.0])
    student.rmsnorm(x, gain, eps=0.0).backward([[1.0, 0.0], [10.0, 100.0]])
    close(gain.grad, [0.2 + 14.0, 0.0 + 20.0])


@piece("rmsnorm", gradient=True)
def test_rmsnorm_gradient_is_its_slope(student):
    gradcheck(student, lambda x: student.rmsnorm(x, eps=0.5), [[[1.0, 2.0, 4.0], [0.5, -1.0, 0.0]]])


@piece("layernorm", core=True)
def test_one_and_three(student):
    """[1, 3] has mean 2 and variance 1, so it becomes [-1, 1]."""
    x, gain, bias = (student.Tensor(a) for a in ([[1.0, 3.0]], [1.0, 1.0], [0.0, 0.0]))
    close(student.layernorm(x, gain, bias, eps=0.0), [[-1.0, 1.0]])


@piece("layernorm", core=True)
def test_normalises_each_row(student):
    """The means are 100, 0, 50 and 50, -40, 990; the variances 40^2 or, with a -2, 20^2."""
    x = [
        [[170.0, 110, 50, 80, 90], [60, 30, -50, -30, -10], [40, 30, 0, 60, 120]],
        [[10, 60, 60, 60, 60], [-30, -10, 10, -70, -100], [1000, 1000, 1000, 950, 1000]],
    ]
    expected = [
        [
            [1.75, 0.25, -1.25, -0.5, -0.25],
            [1.5, 0.75, -1.25, -0.75, -0.25],
            [-0.25, -0.5, -1.25, 0.25, 1.75],
        ],
        [[-2, 0.5, 0.5, 0.5, 0.5], [0.25, 0.75, 1.25, -0.75, -1.5], [0.5, 0.5, 0.5, -2, 0.5]],
    ]
    gain, bias = student.Tensor(np.ones(5)), student.Tensor(np.zeros(5))
    close(student.layernorm(student.Tensor(x), gain, bias), expected)


@piece("layernorm")
def test_gain_first_then_bias(student):
    """[-1, 1] times [2, 10] plus [5, 100]."""
    x, gain, bias = (student.Tensor(a) for a in ([[1.0, 3.0]], [2.0, 10.0], [5.0, 100.0]))
    close(student.layernorm(x, gain, bias, eps=0.0), [[3.0, 110.0]])


@piece("layernorm")
def test_eps_is_added_to_the_variance(student):
    """The variance, 4, plus eps, 12, is 16; its root is 4."""
    x, gain, bias = (student.Tensor(a) for a in ([[-2.0, 2.0]], [1.0, 1.0], [0.0, 0.0]))
    close(student.layernorm(x, gain, bias, eps=12.0), [[-0.5, 0.5]])


@piece("layernorm")
def test_equal_numbers_become_the_bias(student):
    x, gain, bias = (
        student.Tensor(a) for a in ([[7.0, 7.0, 7.0]], [2.0, 2.0, 2.0], [1.0, 2.0, 3.0])
    )
    close(student.layernorm(x, gain, bias), [[1.0, 2.0, 3.0]])


@piece("layernorm")
def test_layernorm_keeps_float32(student):
    x, gain, bias = (student.Tensor(np.array(a, np.float32)) for a in ([[1, 3]], [2, 10], [5, 100]))
    close(student.layernorm(x, gain, bias, eps=0.0), np.array([[3, 110]], np.float32))


@piece("layernorm", gradient=True)
def test_gradient_of_x(student):
    """Variance 2, eps 2: n = [-1, -1, 2] / 2. g * gain = [24, 0, 0], its mean 8, mean(g n) = -4."""
    x, gain, bias = (student.Tensor(a) for a in ([[0.0, 0, 3]], [2.0, 5, 7], [3.0, 10, 20]))
    student.layernorm(x, gain, bias, eps=2.0).backward([[12.0, 0.0, 0.0]])
    close(x.grad, [[7.0, -5.0, -2.0]])


@piece("layernorm", gradient=True)
def test_gradient_of_gain_and_bias_is_summed_over_all_rows(student):
    """n is [-1, 1] or [1, -1]: the gain's is -1 + 10 - 100 + 1000 and 2 - 20 + 200 - 2000."""
    x = student.Tensor([[[1.0, 3.0], [3.0, 1.0]], [[5.0, 9.0], [9.0, 5.0]]])
    gain, bias = student.Tensor([1.0, 1.0]), student.Tensor([0.0, 0.0])
    y = student.layernorm(x, gain, bias, eps=0.0)
    y.backward([[[1.0, 2.0], [10.0, 20.0]], [[100.0, 200.0], [1000.0, 2000.0]]])
    close(gain.grad, [909.0, -1818.0])
    close(bias.grad, [1111.0, 2222.0])


@piece("layernorm", gradient=True)
def test_layernorm_gradient_is_its_slope(student):
    x = [[[1.0, 2.0, 4.0], [0.5, -1.0, 0.0]]]
    gradcheck(student, student.layernorm, x, [1.0, 2.0, -1.0], [0.0, 1.0, 2.0])
