"""Exercise 5, for the marks: other shapes, extreme numbers, every gradient."""

import numpy as np
import pytest

from grader import chance
from grader.compare import close, gradcheck, narrow, steady

piece = pytest.mark.piece

SHAPES = [(5,), (1, 4), (3, 1), (4, 4), (2, 1, 7), (2, 3, 3), (4, 2, 3, 5)]


def numbers(*shape):
    """Vectors of large numbers, well apart from each other, to which eps makes no difference."""
    rng = chance.rng(*shape)
    places = rng.permuted(np.broadcast_to(np.arange(shape[-1]), shape), axis=-1)
    return 60.0 * places - 100 + rng.uniform(-10, 10, shape)


def scales(*shape):
    """Gains, or biases, of both signs."""
    rng = chance.rng("scales", *shape)
    return rng.choice([-1, 1], shape) * rng.uniform(0.5, 3, shape)


def true_rmsnorm(x, gain=1.0, eps=1e-5):
    return gain * x / np.sqrt((x**2).mean(-1, keepdims=True) + eps)


def true_layernorm(x, gain, bias, eps=1e-5):
    centred = x - x.mean(-1, keepdims=True)
    return true_rmsnorm(centred, gain, eps) + bias


@piece("rmsnorm", core=True)
def test_rmsnorm_of_any_number_of_axes(student):
    """A norm treats every vector along the last axis alike, however many axes stand before it."""
    for shape in SHAPES:
        x = numbers(*shape)
        close(student.rmsnorm(student.Tensor(x)), true_rmsnorm(x))


@piece("rmsnorm")
def test_gain_belongs_to_the_channels(student):
    """The gain holds one number for each channel, and every position is scaled by the same gain."""
    for shape in SHAPES:
        x, gain = numbers(*shape), scales(shape[-1])
        close(student.rmsnorm(student.Tensor(x), student.Tensor(gain)), true_rmsnorm(x, gain))


@piece("rmsnorm")
def test_gain_may_turn_the_vector_round(student):
    """A gain is any number, also a negative one; the sign stays."""
    x, gain = student.Tensor(numbers(2, 3)), student.Tensor([-1.0, -1.0, -1.0])
    close(student.rmsnorm(x, gain), -true_rmsnorm(numbers(2, 3)))


@piece("rmsnorm")
def test_rmsnorm_of_one_vector_sees_no_other(student):
    """Changing one vector must leave what comes of all the others as it was."""
    x = numbers(2, 3, 5)
    changed = x.copy()
    changed[1, 0] *= 100
    for batch in (x, changed):
        close(student.rmsnorm(student.Tensor(batch)), true_rmsnorm(batch))


@piece("rmsnorm")
def test_length_is_forgotten(student):
    """Without eps, a vector and a thousand times it give the same: only the direction counts."""
    x = numbers(2, 3, 4)
    for scale in (1e-3, 1.0, 1e3):
        close(student.rmsnorm(student.Tensor(x * scale), eps=0.0), true_rmsnorm(x, eps=0.0))


@piece("rmsnorm")
def test_rmsnorm_of_small_vectors_feels_eps(student):
    """eps is added to the mean of squares, and is 1e-5 if not given: small vectors stay small."""
    x = numbers(3, 4) * 1e-5
    close(student.rmsnorm(student.Tensor(x)), true_rmsnorm(x))
    close(student.rmsnorm(student.Tensor(x), eps=1e-3), true_rmsnorm(x, eps=1e-3))


@piece("rmsnorm")
def test_rmsnorm_keeps_float32(student):
    """float32 in, float32 out: the gain and eps must not turn it into float64."""
    x, gain = numbers(2, 3, 4).astype(np.float32), scales(4).astype(np.float32)
    close(student.rmsnorm(student.Tensor(x)), true_rmsnorm(x), rtol=1e-4)
    got = student.rmsnorm(student.Tensor(x), student.Tensor(gain))
    close(got, true_rmsnorm(x, gain), rtol=1e-4)


@piece("rmsnorm", gradient=True)
def test_rmsnorm_gradient_without_a_gain(student):
    """Every number of a vector moves its root mean square, and so has a share in every gradient."""
    for shape in [(4,), (2, 1, 5), (2, 3, 4)]:
        gradcheck(student, student.rmsnorm, numbers(*shape), truth=true_rmsnorm)


@piece("rmsnorm", gradient=True)
def test_rmsnorm_gradient_of_a_single_channel(student):
    """Without eps a single channel can only become 1 or -1: moving x a little changes nothing."""
    x = student.Tensor([[3.0], [-0.5]])
    student.rmsnorm(x, eps=0.0).backward([[1.0], [10.0]])
    close(x.grad, [[0.0], [0.0]])


@piece("rmsnorm", gradient=True)
def test_rmsnorm_gradient_where_x_is_normal_already(student):
    """Where the root mean square is 1 already, the result is x, but the gradient is not g."""
    x, above = np.array([[1.0, -1.0, 1.0], [-1.0, -1.0, 1.0]]), numbers(2, 3)
    handle = student.Tensor(x)
    student.rmsnorm(handle, eps=0.0).backward(above)
    close(handle.grad, above - x * (above * x).mean(-1, keepdims=True))


@piece("rmsnorm", gradient=True)
def test_rmsnorm_gradient_of_x_and_gain(student):
    """Going back, the gradient passes the gain first; the gain's own is a sum over all vectors."""
    for shape in [(4,), (2, 1, 5), (2, 3, 4)]:
        gradcheck(student, student.rmsnorm, numbers(*shape), scales(shape[-1]), truth=true_rmsnorm)


@piece("rmsnorm", gradient=True)
def test_rmsnorm_gradient_with_a_large_eps(student):
    """eps is part of the root in the gradient as well."""
    gradcheck(
        student,
        lambda x: student.rmsnorm(x, eps=2.0),
        numbers(2, 4) / 50,
        truth=lambda x: true_rmsnorm(x, eps=2.0),
    )


@piece("rmsnorm", gradient=True)
def test_rmsnorm_gradient_of_zeros(student):
    """Near zero only eps is left under the root: what comes from above is divided by it."""
    x = student.Tensor(np.zeros((1, 3)))
    student.rmsnorm(x, eps=0.25).backward([[1.0, 2.0, 3.0]])
    close(x.grad, [[2.0, 4.0, 6.0]])


@piece("rmsnorm", gradient=True)
def test_rmsnorm_beside_a_residual(student):
    """As in a block, x goes into the norm and around it: it gets both gradients, each unspoilt."""
    gradcheck(
        student,
        lambda x, gain: student.rmsnorm(x, gain) + x + student.rmsnorm(x),
        numbers(2, 3, 4),
        scales(4),
        truth=lambda x, gain: true_rmsnorm(x, gain) + x + true_rmsnorm(x),
    )


@piece("rmsnorm", gradient=True)
def test_rmsnorm_changes_nothing_handed_in(student):
    """x and gain are the caller's: after the call and after backward they hold what they held."""
    x, gain = numbers(2, 3, 4), scales(4)
    a, b = student.Tensor(x.copy()), student.Tensor(gain.copy())
    y = student.rmsnorm(a, b)
    y.backward(np.ones((2, 3, 4)))
    close(y, true_rmsnorm(x, gain))
    close(student.array(a), x, rtol=0, atol=0)
    close(student.array(b), gain, rtol=0, atol=0)


@piece("rmsnorm", gradient=True)
def test_rmsnorm_twice_is_the_same_and_leaves_g_alone(student):
    """A second call finds what the first one found, and what came from above stays."""
    steady(student, student.rmsnorm, numbers(2, 3, 4), scales(4))


@piece("rmsnorm", gradient=True)
def test_rmsnorm_keeps_float32_on_the_way_back(student):
    """The gradients of float32 are float32 too."""
    narrow(student, student.rmsnorm, numbers(2, 3, 4), scales(4))


@piece("layernorm", core=True)
def test_layernorm_of_any_number_of_axes(student):
    """A norm treats every vector along the last axis alike, however many axes stand before it."""
    for shape in SHAPES:
        x, gain, bias = numbers(*shape), np.ones(shape[-1]), np.zeros(shape[-1])
        got = student.layernorm(*map(student.Tensor, (x, gain, bias)))
        close(got, true_layernorm(x, gain, bias))


@piece("layernorm")
def test_gain_and_bias_belong_to_the_channels(student):
    """Each channel is scaled by its gain, then shifted by its bias, alike at every position."""
    for shape in SHAPES:
        x, gain, bias = 100 * numbers(*shape), *scales(2, shape[-1])
        got = student.layernorm(*map(student.Tensor, (x, gain, bias)))
        close(got, true_layernorm(x, gain, bias))


@piece("layernorm")
def test_layernorm_of_one_vector_sees_no_other(student):
    """Changing one vector must leave what comes of all the others as it was."""
    x, gain, bias = numbers(2, 3, 5), np.ones(5), np.zeros(5)
    changed = x.copy()
    changed[1, 0] *= 100
    for batch in (x, changed):
        got = student.layernorm(*map(student.Tensor, (batch, gain, bias)))
        close(got, true_layernorm(batch, gain, bias))


@piece("layernorm")
def test_place_and_size_are_forgotten(student):
    """Without eps, shifting or stretching a vector as a whole changes nothing."""
    x, gain, bias = numbers(2, 3, 4), np.ones(4), np.zeros(4)
    for scale, shift in ((1.0, 100.0), (1e-3, 0.0), (1e3, -50.0)):
        moved = student.Tensor(x * scale + shift)
        got = student.layernorm(moved, student.Tensor(gain), student.Tensor(bias), eps=0.0)
        close(got, true_layernorm(x, gain, bias, eps=0.0))


@piece("layernorm")
def test_layernorm_of_small_vectors_feels_eps(student):
    """eps is added to the variance, and is 1e-5 when it is not given: small vectors stay small."""
    x, gain, bias = numbers(3, 4) * 1e-5, np.ones(4), np.zeros(4)
    a, b, c = map(student.Tensor, (x, gain, bias))
    close(student.layernorm(a, b, c), true_layernorm(x, gain, bias))
    close(student.layernorm(a, b, c, eps=1e-3), true_layernorm(x, gain, bias, eps=1e-3))


@piece("layernorm")
def test_layernorm_keeps_float32(student):
    """float32 in, float32 out: neither eps nor the number of channels must make it float64."""
    x, gain, bias = (a.astype(np.float32) for a in (numbers(2, 3, 4), *scales(2, 4)))
    got = student.layernorm(*map(student.Tensor, (x, gain, bias)))
    close(got, true_layernorm(x, gain, bias), rtol=1e-3, atol=1e-3)


@piece("layernorm", gradient=True)
def test_layernorm_gradient_of_x_gain_and_bias(student):
    """Every number of a vector moves mean and variance, and so has a share in every gradient."""
    for shape in [(3, 1), (2, 1, 5), (2, 3, 4)]:
        arrays = numbers(*shape), *scales(2, shape[-1])
        gradcheck(student, student.layernorm, *arrays, truth=true_layernorm)


@piece("layernorm", gradient=True)
def test_layernorm_gradient_of_a_single_vector(student):
    """A vector alone, of one axis, has a gradient as well; gain and bias have one row to sum."""
    gradcheck(student, student.layernorm, numbers(4), *scales(2, 4), truth=true_layernorm)


@piece("layernorm", gradient=True)
def test_shifting_x_changes_nothing_so_equal_gradients_vanish(student):
    """Adding the same to all channels is undone: a gradient equal in all of them does nothing."""
    x, gain, bias = (student.Tensor(a) for a in (numbers(2, 5), np.ones(5), np.zeros(5)))
    student.layernorm(x, gain, bias).backward(np.full((2, 5), 3.0))
    close(x.grad, np.zeros((2, 5)))


@piece("layernorm", gradient=True)
def test_stretching_x_changes_nothing_so_gradients_along_it_vanish(student):
    """Without eps, stretching x from its mean is undone: a gradient along that does nothing."""
    x, gain, bias = (student.Tensor(a) for a in (numbers(2, 5), np.ones(5), np.zeros(5)))
    above = true_layernorm(numbers(2, 5), 1.0, 0.0, eps=0.0)
    student.layernorm(x, gain, bias, eps=0.0).backward(above)
    close(x.grad, np.zeros((2, 5)))


@piece("layernorm", gradient=True)
def test_layernorm_gradient_with_a_large_eps(student):
    """eps is part of the root in the gradient as well."""
    gradcheck(
        student,
        lambda x, gain, bias: student.layernorm(x, gain, bias, eps=2.0),
        numbers(2, 4) / 50,
        *scales(2, 4),
        truth=lambda x, gain, bias: true_layernorm(x, gain, bias, eps=2.0),
    )


@piece("layernorm", gradient=True)
def test_layernorm_gradient_of_equal_numbers(student):
    """Where all numbers are equal only eps is left under the root; the mean is still taken out."""
    x, gain, bias = (student.Tensor(a) for a in (np.full((1, 3), 7.0), np.ones(3), np.zeros(3)))
    student.layernorm(x, gain, bias, eps=0.25).backward([[1.0, 2.0, 6.0]])
    close(x.grad, [[-4.0, -2.0, 6.0]])


@piece("layernorm", gradient=True)
def test_layernorm_beside_a_residual(student):
    """As in a block, x goes into the norm and around it: it gets both gradients, each unspoilt."""
    gradcheck(
        student,
        lambda x, gain, bias: (
            student.layernorm(x, gain, bias) + x + student.layernorm(x, bias, gain)
        ),
        numbers(2, 3, 4),
        *scales(2, 4),
        truth=lambda x, gain, bias: (
            true_layernorm(x, gain, bias) + x + true_layernorm(x, bias, gain)
        ),
    )


@piece("layernorm", gradient=True)
def test_layernorm_changes_nothing_handed_in(student):
    """x, gain and bias are the caller's: after the call and backward they hold what they held."""
    arrays = 100 * numbers(2, 3, 4), *scales(2, 4)
    tensors = [student.Tensor(array.copy()) for array in arrays]
    y = student.layernorm(*tensors)
    y.backward(np.ones((2, 3, 4)))
    close(y, true_layernorm(*arrays))
    for tensor, array in zip(tensors, arrays, strict=True):
        close(student.array(tensor), array, rtol=0, atol=0)


@piece("layernorm", gradient=True)
def test_layernorm_twice_is_the_same_and_leaves_g_alone(student):
    """A second call finds what the first one found, and what came from above stays."""
    steady(student, student.layernorm, numbers(2, 3, 4), *scales(2, 4))


@piece("layernorm", gradient=True)
def test_layernorm_keeps_float32_on_the_way_back(student):
    """The gradients of float32 are float32 too."""
    narrow(student, student.layernorm, numbers(2, 3, 4), *scales(2, 4))
