"""The gradients are written by hand here, so that every step can be followed on paper."""

import numpy as np
import pytest

from grader.compare import close, same

piece = pytest.mark.piece


def after_steps(student, weights, gradients, **options):
    """The weights after one step with each of the gradients."""
    w = student.Tensor(weights)
    optimizer = student.AdamW({"w": w}, **options)
    for gradient in gradients:
        w.grad = np.array(gradient, np.asarray(weights).dtype)
        optimizer.step()
    return w.data


@piece("AdamW", core=True)
def test_the_first_step_is_lr_long_whatever_the_size_of_the_gradient(student):
    """m_hat = g and v_hat = g * g, so the step is lr * g / |g|."""
    moved = after_steps(student, [1.0, 1.0, 1.0], [[4.0, -0.5, 200.0]], lr=0.1)
    close(moved, [0.9, 1.1, 0.9])


@piece("AdamW")
def test_the_step_goes_on_for_a_while_when_the_gradient_is_gone(student):
    """Gradients 4 and then 0, b1 = 1/2, b2 = 3/4.

    t = 1: m = 2, v = 4; m_hat = 2 / (1/2) = 4,     v_hat = 4 / (1/4) = 16          step 0.1
    t = 2: m = 1, v = 3; m_hat = 1 / (3/4) = 1.333, v_hat = 3 / (7/16) = 6.857      step 0.0509175
    """
    moved = after_steps(student, [1.0], [[4.0], [0.0]], lr=0.1, betas=(0.5, 0.75))
    close(moved, [1 - 0.1 - 0.0509175077])


@piece("AdamW")
def test_eps_stands_outside_the_root(student):
    """Gradient 3, eps 1: 3 / (sqrt(9) + 1) is three quarters."""
    close(after_steps(student, [1.0], [[3.0]], lr=0.1, eps=1.0), [0.925])


@piece("AdamW")
def test_the_decay_is_a_share_of_the_weight_beside_the_step(student):
    """2 loses lr * weight_decay * 2 by decay, 0.15 and 0.1; its gradient moves it by lr, 0.1."""
    close(after_steps(student, [2.0], [[-0.5]], lr=0.1, weight_decay=0.75), [1.95])
    close(after_steps(student, [2.0], [[4.0]], lr=0.1, weight_decay=0.5), [1.8])


@piece("AdamW")
def test_a_parameter_without_a_gradient_stays(student):
    a, b = student.Tensor([2.0]), student.Tensor([2.0])
    optimizer = student.AdamW({"a": a, "b": b}, lr=0.1, weight_decay=0.5)
    for gradient in (np.array([4.0]), None):
        a.grad, b.grad = gradient, np.array([4.0])
        optimizer.step()
    close(a.data, [1.8])  # moved once, then left alone: no step, no decay
    close(b.data, [1.61])  # moved twice: 1.8 - 0.09 - 0.1


@piece("AdamW")
def test_a_learning_rate_given_to_step_counts_for_that_step_alone(student):
    """A constant gradient moves the weight by lr each time; 0 is a rate too."""
    w = student.Tensor([1.0])
    optimizer = student.AdamW({"w": w}, lr=0.1)
    w.grad = np.array([4.0])
    optimizer.step(lr=0.02)
    close(w.data, [0.98])
    optimizer.step(lr=0.0)
    close(w.data, [0.98])
    optimizer.step()
    close(w.data, [0.88])


@piece("AdamW")
def test_float32_weights_stay_float32(student):
    moved = after_steps(student, np.array([1.0], np.float32), [[4.0]], lr=0.1)
    close(moved, np.array([0.9], np.float32))


@piece("AdamW")
def test_t_counts_the_steps(student):
    w = student.Tensor([1.0])
    optimizer = student.AdamW({"w": w}, lr=0.1)
    same(optimizer.t, 0)
    w.grad = np.array([4.0])
    optimizer.step()
    optimizer.step()
    same(optimizer.t, 2)


@piece("AdamW", core=True)
def test_zero_grad_forgets_every_gradient(student):
    """None, as before the first backward: zeros would still be averaged into m and v."""
    a, b = student.Tensor([1.0]), student.Tensor([[2.0, 3.0]])
    optimizer = student.AdamW({"a": a, "b": b}, lr=0.1)
    a.grad, b.grad = np.array([4.0]), np.array([[5.0, 6.0]])
    optimizer.zero_grad()
    assert a.grad is None and b.grad is None, "after zero_grad() every .grad must be None"


@piece("AdamW")
def test_zero_grad_leaves_the_means_alone(student):
    """g = 4 twice: two steps of lr. Without m and v of the first the second would be 0.735 lr."""
    a = student.Tensor([1.0])
    optimizer = student.AdamW({"a": a}, lr=0.1)
    for weight in (0.9, 0.8):
        a.grad = np.array([4.0])
        optimizer.step()
        optimizer.zero_grad()
        close(a.data, [weight])


@piece("schedules", core=True)
def test_linear_decay_is_half_the_peak_half_way(student):
    close(student.linear_decay(5, 10, 0.2), 0.1)


@piece("schedules")
def test_linear_decay_goes_from_the_peak_to_zero(student):
    close(student.linear_decay(0, 4, 0.2), 0.2)
    close(student.linear_decay(1, 4, 0.2), 0.15)
    close(student.linear_decay(4, 4, 0.2), 0.0)


@piece("schedules", core=True)
def test_the_warmup_rises_in_equal_steps_to_the_peak(student):
    """The first step already has a rate above 0; the last of the warmup has the peak."""
    for step, rate in enumerate([0.25, 0.5, 0.75, 1.0]):
        close(student.warmup_cosine(step, 4, 10, 1.0, 0.1), rate)


@piece("schedules")
def test_after_the_warmup_the_rate_falls_along_half_a_wave(student):
    """cos goes through 1, 0.707, 0, -0.707, -1."""
    for step, rate in zip(range(2, 7), [1.0, 0.8535534, 0.5, 0.1464466, 0.0]):
        close(student.warmup_cosine(step, 2, 6, 1.0, 0.0), rate)


@piece("schedules")
def test_the_wave_ends_on_the_floor(student):
    """Half way it is in the middle between peak and floor: (3 + 1) / 2."""
    close(student.warmup_cosine(2, 2, 6, 3.0, 1.0), 3.0)
    close(student.warmup_cosine(4, 2, 6, 3.0, 1.0), 2.0)
    close(student.warmup_cosine(6, 2, 6, 3.0, 1.0), 1.0)


@piece("schedules")
def test_after_the_last_step_the_rate_stays_on_the_floor(student):
    close(student.warmup_cosine(8, 2, 6, 3.0, 1.0), 1.0)
    close(student.warmup_cosine(60, 2, 6, 3.0, 1.0), 1.0)


def with_gradients(student, *gradients):
    """Parameters that have these gradients, in a dict such as model.params."""
    params = {name: student.Tensor(np.ones(2)) for name, _ in zip("abc", gradients)}
    for p, gradient in zip(params.values(), gradients):
        p.grad = None if gradient is None else np.array(gradient)
    return params


@piece("clip_grad_norm", core=True)
def test_the_norm_is_taken_over_all_gradients_together(student):
    """sqrt(3 * 3 + 4 * 4) = 5, and that is what comes back, clipped or not."""
    close(student.clip_grad_norm(with_gradients(student, [3.0, 0.0], [0.0, 4.0]), 1.0), 5.0)
    close(student.clip_grad_norm(with_gradients(student, [3.0, 0.0], [0.0, 4.0]), 9.0), 5.0)


@piece("clip_grad_norm", core=True)
def test_long_gradients_are_shortened_to_max_norm(student):
    """From norm 5 to norm 2.5: every one is halved."""
    params = with_gradients(student, [3.0, 0.0], [0.0, -4.0])
    student.clip_grad_norm(params, 2.5)
    close(params["a"].data, [1.0, 1.0])  # the weights stay
    close(params["a"].grad, [1.5, 0.0])
    close(params["b"].grad, [0.0, -2.0])


@piece("clip_grad_norm")
def test_short_gradients_stay_as_they_are(student):
    params = with_gradients(student, [3.0, 0.0], [0.0, -4.0])
    student.clip_grad_norm(params, 10.0)
    close(params["a"].grad, [3.0, 0.0])
    close(params["b"].grad, [0.0, -4.0])


@piece("clip_grad_norm")
def test_a_missing_gradient_counts_as_nothing(student):
    params = with_gradients(student, [3.0, 4.0], None)
    close(student.clip_grad_norm(params, 1.0), 5.0)
    close(params["a"].grad, [0.6, 0.8])
    assert params["b"].grad is None, "a .grad that was None must stay None"
