"""AdamW beside a plain numpy one, on gradients written by hand; schedules; clipping."""

import math

import numpy as np
import pytest

from grader import chance
from grader.compare import close, same

piece = pytest.mark.piece

SHAPES = {"w": (3, 5), "b": (4,), "s": (), "k": (2, 1, 3)}


def drawn(rng, scale=1.0, dtype=np.float64):
    """Numbers of both signs by name, none so small that the default eps would show."""
    return {
        name: np.asarray(scale * rng.choice([-1, 1], shape) * rng.uniform(0.5, 2, shape), dtype)
        for name, shape in SHAPES.items()
    }


def expected(weights, history, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0):
    """Weights by name after every step of `history`, a list of gradients by name; None: left out.

    lr   one number, or one for each step
    """
    w = {name: np.array(array, np.float64) for name, array in weights.items()}
    m = {name: np.zeros(array.shape) for name, array in w.items()}
    v = {name: np.zeros(array.shape) for name, array in w.items()}
    rates = [lr] * len(history) if isinstance(lr, float) else lr
    for t, (gradients, rate) in enumerate(zip(history, rates, strict=True), start=1):
        for name, g in gradients.items():
            if g is not None:
                m[name] = betas[0] * m[name] + (1 - betas[0]) * g
                v[name] = betas[1] * v[name] + (1 - betas[1]) * g * g
                step = m[name] / (1 - betas[0] ** t)
                step = step / (np.sqrt(v[name] / (1 - betas[1] ** t)) + eps)
                w[name] = w[name] - rate * weight_decay * w[name] - rate * step
    return w


def run(student, weights, history, rates=None, **options):
    """The student's parameters after the same steps."""
    params = {name: student.Tensor(array) for name, array in weights.items()}
    optimizer = student.AdamW(params, **options)
    for i, gradients in enumerate(history):
        for name, p in params.items():
            p.grad = gradients.get(name)
        optimizer.step() if rates is None else optimizer.step(rates[i])
    return params


def agree(params, weights, **tolerances):
    for name, array in weights.items():
        close(params[name].data, array, **tolerances)


@piece("AdamW", core=True)
def test_many_steps_follow_the_formula_in_every_parameter(student):
    """Several parameters of different shapes, each with its own m and v, several steps, decay."""
    rng = chance.rng()
    weights, history = drawn(rng), [drawn(rng) for _ in range(5)]
    options = dict(lr=0.03, betas=(0.8, 0.97), eps=1e-3, weight_decay=0.2)
    agree(run(student, weights, history, **options), expected(weights, history, **options))


@piece("AdamW")
def test_what_is_not_given_has_its_default(student):
    """betas, eps and weight_decay have the defaults of the signature."""
    rng = chance.rng()
    weights, history = drawn(rng), [drawn(rng) for _ in range(3)]
    agree(run(student, weights, history, lr=0.05), expected(weights, history, lr=0.05))


@piece("AdamW")
def test_a_schedule_may_give_every_step_its_own_rate(student):
    """A rate given to step() is for that step; m, v and t go on as ever. 0 is a rate too."""
    rng = chance.rng()
    weights, history, rates = drawn(rng), [drawn(rng) for _ in range(4)], [0.1, 0.0, 0.5, 0.02]
    params = run(student, weights, history, rates, lr=7.0, weight_decay=0.1)
    agree(params, expected(weights, history, rates, weight_decay=0.1))


@piece("AdamW")
def test_a_rate_given_once_is_not_kept(student):
    """step(lr) uses its own rate; the next step() goes back to the one given first."""
    rng = chance.rng()
    weights, history = drawn(rng), [drawn(rng) for _ in range(3)]
    params = run(student, weights, history, [None, 0.5, None], lr=0.01)
    agree(params, expected(weights, history, [0.01, 0.5, 0.01]))


@piece("AdamW")
def test_a_parameter_left_out_keeps_its_weights_and_its_means(student):
    """Without a gradient a parameter rests, m and v too, while t counts on for all."""
    rng = chance.rng()
    weights, history = drawn(rng), [drawn(rng) for _ in range(5)]
    for step, name in enumerate(["w", "b", "s", "w"]):
        history[step][name] = None
    options = dict(lr=0.1, weight_decay=0.3)
    agree(run(student, weights, history, **options), expected(weights, history, **options))


@piece("AdamW")
def test_without_any_gradient_only_t_moves(student):
    """A step for which no parameter has a gradient is a step that changes no weight."""
    weights = drawn(chance.rng())
    params = {name: student.Tensor(array) for name, array in weights.items()}
    optimizer = student.AdamW(params, lr=0.1, weight_decay=0.5)
    optimizer.step()
    agree(params, weights)
    same(optimizer.t, 1)


@piece("AdamW")
def test_a_gradient_of_zero_moves_nothing(student):
    """0 / (0 + eps) is 0: eps keeps a weight that has only seen zeros from becoming nan."""
    params = run(student, {"w": np.array([1.0, 2.0])}, [{"w": np.array([0.0, 1.0])}], lr=0.5)
    close(params["w"].data, [1.0, 1.5])


@piece("AdamW")
def test_the_means_outlive_zero_grad(student):
    """Forgetting the gradients after each step, as training does, forgets neither m nor v."""
    rng = chance.rng()
    weights, history = drawn(rng), [drawn(rng) for _ in range(4)]
    params = {name: student.Tensor(array) for name, array in weights.items()}
    optimizer = student.AdamW(params, lr=0.1)
    for gradients in history:
        for name, p in params.items():
            p.grad = gradients[name]
        optimizer.step()
        optimizer.zero_grad()
    agree(params, expected(weights, history, lr=0.1))


@piece("AdamW")
def test_a_gradient_may_lie_in_memory_in_any_order(student):
    """The gradient of what was transposed belongs to the weights at its own places."""
    rng = chance.rng()
    array, above = rng.normal(size=(2, 3)), rng.normal(size=(3, 2))
    w = student.Tensor(array)
    optimizer = student.AdamW({"w": w}, lr=0.1, eps=1.0)
    w.transpose().backward(above)
    optimizer.step()
    close(w.data, expected({"w": array}, [{"w": above.T}], lr=0.1, eps=1.0)["w"])


@piece("AdamW")
def test_a_gradient_of_zero_is_a_gradient(student):
    """It is not None: the weight goes on by what m remembers, and decays."""
    rng = chance.rng()
    weights, history = drawn(rng), [drawn(rng) for _ in range(4)]
    for step, name in ((1, "w"), (1, "s"), (2, "b"), (2, "k")):
        history[step][name] = np.zeros(SHAPES[name])
    options = dict(lr=0.1, weight_decay=0.3)
    agree(run(student, weights, history, **options), expected(weights, history, **options))


@piece("AdamW")
def test_gradients_of_any_size_make_steps_of_one_size(student):
    """Adam divides by the gradient's own size, however large; only near eps does a step shrink."""
    weights, g = {"w": np.zeros(4)}, np.array([1e30, -1e-3, 1e-8, -1e-12])
    close(run(student, weights, [{"w": g}] * 2, lr=0.1)["w"].data, -0.2 * g / (np.abs(g) + 1e-8))


@piece("AdamW")
def test_weights_written_between_steps_count(student):
    """Whoever writes p.data[...] = w changes the weights that the next step starts from."""
    w = student.Tensor([[1.0, 2.0]])
    optimizer = student.AdamW({"w": w}, lr=0.1)
    student.assign(w, [[5.0, 6.0]])
    w.grad = np.array([[1.0, 1.0]])
    optimizer.step()
    close(w.data, [[4.9, 5.9]])
    student.assign(w, [[-1.0, -2.0]])
    optimizer.step()
    close(w.data, [[-1.1, -2.1]])


@piece("AdamW")
def test_float32_weights_stay_float32(student):
    """A step computes in the type of the weights, and leaves it as it is."""
    rng = chance.rng()
    weights, history = (
        drawn(rng, dtype=np.float32),
        [drawn(rng, dtype=np.float32) for _ in range(3)],
    )
    params = run(student, weights, history, lr=0.03, weight_decay=0.1)
    right = expected(weights, history, lr=0.03, weight_decay=0.1)
    agree(params, {name: w.astype(np.float32) for name, w in right.items()}, rtol=1e-4, atol=1e-4)


@piece("AdamW")
def test_two_optimizers_have_nothing_in_common(student):
    """Each has its own t, m and v."""
    rng = chance.rng()
    weights, history = drawn(rng), [drawn(rng) for _ in range(2)]
    run(student, drawn(rng), [drawn(rng) for _ in range(3)], lr=0.2)
    agree(run(student, weights, history, lr=0.1), expected(weights, history, lr=0.1))


@piece("AdamW")
def test_after_zero_grad_a_step_moves_nothing(student):
    """zero_grad leaves None everywhere, and None is skipped, decay included."""
    weights = drawn(chance.rng())
    params = {name: student.Tensor(array) for name, array in weights.items()}
    optimizer = student.AdamW(params, lr=0.1, weight_decay=0.5)
    for name, p in params.items():
        p.grad = np.ones(SHAPES[name])
    optimizer.zero_grad()
    assert all(p.grad is None for p in params.values()), "a gradient is left"
    optimizer.step()
    agree(params, weights)


@piece("schedules", core=True)
def test_linear_decay_is_a_line(student):
    """Equal steps down from the peak at step 0 to 0 at step `total`, for any peak and total."""
    for total, peak in ((7, 0.3), (1000, 6e-4)):
        for step in (0, 1, total // 3, total - 1, total):
            close(student.linear_decay(step, total, peak), peak * (total - step) / total)


@piece("schedules", core=True)
def test_warmup_cosine_follows_its_three_parts(student):
    """Up in a line, down along half a cosine wave, then flat, for any numbers."""
    warmup, total, peak, floor = 5, 23, 0.7, 0.1
    calls = [[step, warmup, total, peak, floor] for step in range(30)]
    rates = student.scenario("in_turn", name="warmup_cosine", calls=calls)
    for step in range(30):
        done = min(max(step - warmup, 0) / (total - warmup), 1)
        down = floor + (peak - floor) * (0.5 + 0.5 * math.cos(math.pi * done))
        rate = peak * (step + 1) / warmup if step < warmup else down
        close(rates[step], rate)


@piece("schedules")
def test_without_a_warmup_it_starts_at_the_peak(student):
    """No step is below warmup = 0, so the wave begins at once; nothing is divided by 0."""
    close(student.warmup_cosine(0, 0, 8, 0.4, 0.1), 0.4)
    close(student.warmup_cosine(4, 0, 8, 0.4, 0.1), 0.25)


@piece("schedules")
def test_a_warmup_of_the_whole_length_ends_on_the_floor(student):
    """With total = warmup there is no wave: the line up, and from total on the floor."""
    close(student.warmup_cosine(3, 4, 4, 0.4, 0.1), 0.4)
    close(student.warmup_cosine(4, 4, 4, 0.4, 0.1), 0.1)


@piece("schedules")
def test_long_after_the_end_it_is_still_on_the_floor(student):
    """The wave is over at `total`; it does not come up again."""
    for step in (10, 11, 18, 1000):
        close(student.warmup_cosine(step, 2, 10, 1.0, 0.25), 0.25)


def with_gradients(student, gradients):
    params = {name: student.Tensor(np.ones(g.shape, g.dtype)) for name, g in gradients.items()}
    for name, p in params.items():
        p.grad = gradients[name]
    return params


def length(gradients):
    return math.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients.values()))


@piece("clip_grad_norm", core=True)
def test_a_long_gradient_keeps_its_direction(student):
    """All gradients together are one vector: its norm comes back, it is scaled as a whole."""
    gradients = drawn(chance.rng(), scale=3.0)
    params, norm = with_gradients(student, gradients), length(gradients)
    close(student.clip_grad_norm(params, 0.7), norm)
    for name, g in gradients.items():
        close(params[name].grad, g * (0.7 / norm))


@piece("clip_grad_norm", core=True)
def test_a_short_gradient_is_left_alone(student):
    """Clipping only ever shortens."""
    gradients = drawn(chance.rng(), scale=0.1)
    params = with_gradients(student, gradients)
    close(student.clip_grad_norm(params, 50.0), length(gradients))
    for name, g in gradients.items():
        close(params[name].grad, g)


@piece("clip_grad_norm")
def test_a_gradient_just_over_the_limit_is_shortened_just_a_little(student):
    """Between just under and just over max_norm there is no jump."""
    for norm in (4.99, 5.01):
        params = with_gradients(student, {"a": np.array([0.6 * norm]), "b": np.array([0.8 * norm])})
        close(student.clip_grad_norm(params, 5.0), norm)
        close(params["a"].grad, [0.6 * min(norm, 5.0)])


@piece("clip_grad_norm")
def test_nothing_but_zeros_has_norm_zero(student):
    """There is nothing to shorten, and nothing is divided by 0."""
    params = with_gradients(student, {"a": np.zeros((2, 3)), "b": np.zeros(4)})
    close(student.clip_grad_norm(params, 1.0), 0.0)
    close(params["a"].grad, np.zeros((2, 3)))


@piece("clip_grad_norm")
def test_parameters_without_a_gradient_count_as_nothing(student):
    """A gradient of None is no part of the vector, and stays None; only None: the norm is 0."""
    params = with_gradients(student, {"a": np.array([[6.0], [8.0]]), "b": np.ones(3)})
    params["b"].grad = None
    close(student.clip_grad_norm(params, 5.0), 10.0)
    close(params["a"].grad, [[3.0], [4.0]])
    assert params["b"].grad is None
    params["a"].grad = None
    close(student.clip_grad_norm(params, 5.0), 0.0)


@piece("clip_grad_norm")
def test_float32_gradients_stay_float32(student):
    """The gradients keep their type."""
    params = with_gradients(student, {"a": np.array([3.0, 4.0], np.float32)})
    close(student.clip_grad_norm(params, 1.0), 5.0, rtol=1e-5)
    close(params["a"].grad, np.array([0.6, 0.8], np.float32), rtol=1e-5)


@piece("clip_grad_norm")
def test_the_weights_are_not_touched(student):
    """Only gradients are clipped."""
    params = with_gradients(student, {"a": np.array([30.0, 40.0])})
    close(student.clip_grad_norm(params, 1.0), 50.0)
    close(params["a"].data, [1.0, 1.0])
    close(params["a"].grad, [0.6, 0.8])
