"""What goes wrong in an optimiser."""

import numpy as np

from grader.diagnosis import mutant
from solutions.ex08_optim import cos, pi, sqrt


def adamw(says, method="step"):
    return mutant("ex08_optim", f"AdamW.{method}", says=says)


def begin(self, lr):
    """(learning rate, gradients as one vector, their places), and t counted."""
    self.t += 1
    g = np.concatenate([p.grad.ravel() for p in self.params if p.grad is not None] or [[]])
    part = np.repeat([p.grad is not None for p in self.params], self.sizes)
    return self.lr if lr is None else lr, g, part


def average(self, g, part):
    b1, b2 = self.betas
    self.m[part] = b1 * self.m[part] + (1 - b1) * g
    self.v[part] = b2 * self.v[part] + (1 - b2) * g * g


def hats(self, part):
    b1, b2 = self.betas
    return self.m[part] / (1 - b1**self.t), self.v[part] / (1 - b2**self.t)


def move(self, lr, part, direction):
    self.weights[part] -= lr * (self.weight_decay * self.weights[part] + direction)


@adamw("there is no bias correction: m and v start at 0, and are too small until they are divided")
def without_hats(self, lr=None):
    lr, g, part = begin(self, lr)
    average(self, g, part)
    move(self, lr, part, self.m[part] / (np.sqrt(self.v[part]) + self.eps))


@adamw("m is corrected, but v is used as it is; both start at 0, and both need their hat")
def only_one_hat(self, lr=None):
    lr, g, part = begin(self, lr)
    average(self, g, part)
    m_hat, _ = hats(self, part)
    move(self, lr, part, m_hat / (np.sqrt(self.v[part]) + self.eps))


@adamw(
    "nan is 0 / 0 or a root of less than 0: count t before the corrections; is v a mean of squares?"
)
def counts_too_late(self, lr=None):
    lr, g, part = begin(self, lr)
    average(self, g, part)
    self.t -= 1
    m_hat, v_hat = hats(self, part)
    move(self, lr, part, m_hat / (np.sqrt(v_hat) + self.eps))
    self.t += 1


@adamw("t is not counted, so every correction divides by 1 - b^0 = 0; it is 1 at the first step")
def never_counts(self, lr=None):
    lr, g, part = begin(self, lr)
    average(self, g, part)
    self.t -= 1
    m_hat, v_hat = hats(self, part)
    move(self, lr, part, m_hat / (np.sqrt(v_hat) + self.eps))


@adamw("you divide by 1 - b at every step; it is 1 - b^t, which comes close to 1")
def always_the_first_hat(self, lr=None):
    lr, g, part = begin(self, lr)
    average(self, g, part)
    b1, b2 = self.betas
    m_hat, v_hat = self.m[part] / (1 - b1), self.v[part] / (1 - b2)
    move(self, lr, part, m_hat / (np.sqrt(v_hat) + self.eps))


@adamw("m_hat and v_hat were kept as the new m and v; the means themselves stay uncorrected")
def hats_are_kept(self, lr=None):
    lr, g, part = begin(self, lr)
    average(self, g, part)
    self.m[part], self.v[part] = hats(self, part)
    move(self, lr, part, self.m[part] / (np.sqrt(self.v[part]) + self.eps))


@adamw("eps is inside the root; it is added after the root has been taken")
def eps_inside_the_root(self, lr=None):
    lr, g, part = begin(self, lr)
    average(self, g, part)
    m_hat, v_hat = hats(self, part)
    move(self, lr, part, m_hat / np.sqrt(v_hat + self.eps))


@adamw("eps is missing, so a weight that has only seen gradients of 0 becomes 0 / 0")
def without_eps(self, lr=None):
    lr, g, part = begin(self, lr)
    average(self, g, part)
    m_hat, v_hat = hats(self, part)
    move(self, lr, part, m_hat / np.sqrt(v_hat))


@adamw("you divide by v_hat itself; it is a mean of squares, so its root is what is needed")
def without_the_root(self, lr=None):
    lr, g, part = begin(self, lr)
    average(self, g, part)
    m_hat, v_hat = hats(self, part)
    move(self, lr, part, m_hat / (v_hat + self.eps))


@adamw("the two betas are swapped: the first is for m, the second for v")
def betas_swapped(self, lr=None):
    lr, g, part = begin(self, lr)
    self.betas = self.betas[::-1]
    average(self, g, part)
    m_hat, v_hat = hats(self, part)
    self.betas = self.betas[::-1]
    move(self, lr, part, m_hat / (np.sqrt(v_hat) + self.eps))


@adamw("the shares are swapped: the old mean keeps the share b, the new gradient gets 1 - b")
def shares_swapped(self, lr=None):
    lr, g, part = begin(self, lr)
    b1, b2 = self.betas
    self.m[part] = (1 - b1) * self.m[part] + b1 * g
    self.v[part] = (1 - b2) * self.v[part] + b2 * g * g
    m_hat, v_hat = hats(self, part)
    move(self, lr, part, m_hat / (np.sqrt(v_hat) + self.eps))


@adamw("v averages the square of m; it averages the square of the gradient")
def v_of_m(self, lr=None):
    lr, g, part = begin(self, lr)
    b1, b2 = self.betas
    self.m[part] = b1 * self.m[part] + (1 - b1) * g
    self.v[part] = b2 * self.v[part] + (1 - b2) * self.m[part] ** 2
    m_hat, v_hat = hats(self, part)
    move(self, lr, part, m_hat / (np.sqrt(v_hat) + self.eps))


@adamw("the step goes up: the gradient points uphill, so the step is taken off")
def uphill(self, lr=None):
    lr, g, part = begin(self, lr)
    average(self, g, part)
    m_hat, v_hat = hats(self, part)
    move(self, lr, part, -m_hat / (np.sqrt(v_hat) + self.eps))


@adamw("that is plain gradient descent, lr * gradient; Adam divides by the root of v_hat")
def plain_descent(self, lr=None):
    lr, g, part = begin(self, lr)
    move(self, lr, part, g)


@adamw(
    "the decay was put into the gradient, where the root divides it too; it stands beside the step"
)
def decay_in_the_gradient(self, lr=None):
    lr, g, part = begin(self, lr)
    average(self, g + self.weight_decay * self.weights[part], part)
    m_hat, v_hat = hats(self, part)
    self.weights[part] -= lr * m_hat / (np.sqrt(v_hat) + self.eps)


@adamw("the decay is not multiplied by the learning rate")
def decay_without_lr(self, lr=None):
    lr, g, part = begin(self, lr)
    average(self, g, part)
    m_hat, v_hat = hats(self, part)
    self.weights[part] *= 1 - self.weight_decay
    self.weights[part] -= lr * m_hat / (np.sqrt(v_hat) + self.eps)


@adamw("weight_decay is not used")
def without_decay(self, lr=None):
    lr, g, part = begin(self, lr)
    average(self, g, part)
    m_hat, v_hat = hats(self, part)
    self.weights[part] -= lr * m_hat / (np.sqrt(v_hat) + self.eps)


@adamw("the decay took its share of the weights after the step; it is a share of those before")
def decay_after_the_step(self, lr=None):
    lr, g, part = begin(self, lr)
    average(self, g, part)
    m_hat, v_hat = hats(self, part)
    self.weights[part] -= lr * m_hat / (np.sqrt(v_hat) + self.eps)
    self.weights[part] *= 1 - lr * self.weight_decay


def right_step(self, lr=None):
    lr, g, part = begin(self, lr)
    average(self, g, part)
    m_hat, v_hat = hats(self, part)
    move(self, lr, part, m_hat / (np.sqrt(v_hat) + self.eps))


@adamw("the decay also shrinks parameters that have no gradient; those rest")
def decays_what_rests(self, lr=None):
    rate = self.lr if lr is None else lr
    rests = np.repeat([p.grad is None for p in self.params], self.sizes)
    self.weights[rests] *= 1 - rate * self.weight_decay
    right_step(self, lr)


@adamw("a gradient of None was taken as 0; the parameter then still moves by m; it should rest")
def none_as_zero(self, lr=None):
    for p in self.params:
        p.grad = np.zeros(p.shape) if p.grad is None else p.grad
    right_step(self, lr)


@adamw("a parameter without a gradient is not skipped: look whether its grad is None first")
def none_is_not_skipped(self, lr=None):
    for p in self.params:
        p.grad.ravel()
    right_step(self, lr)


@adamw("the lr given to step is not used")
def lr_ignored(self, lr=None):
    right_step(self)


@adamw("0 is a learning rate too: ask whether lr is None, not whether it is true")
def lr_or_default(self, lr=None):
    right_step(self, lr or self.lr)


@adamw("the lr given to step was kept for later steps; it is for that step alone")
def lr_is_kept(self, lr=None):
    self.lr = self.lr if lr is None else lr
    right_step(self)


@adamw("t does not count: it is the number of steps taken")
def t_stands_still(self, lr=None):
    self.t = 0
    right_step(self, lr)
    self.t = 0


@adamw("t went up once for each parameter; it counts steps")
def t_counts_parameters(self, lr=None):
    right_step(self, lr)
    self.t += len(self.params) - 1


@adamw("float32 weights became float64: np.sqrt of a Python number is a float64, and widens them")
def widens(self, lr=None):
    right_step(self, lr)
    for p in self.params:
        p.data = p.data.astype(np.float64, copy=False)


@adamw("the step starts from a copy of the weights made earlier; others may have written new ones")
def own_copy_of_the_weights(self, lr=None):
    right_step(self, lr)
    ends = np.cumsum(self.sizes)[:-1]
    for p, new in zip(self.params, np.split(self.weights, ends)):
        p.data = new.reshape(p.shape).copy()


@adamw("zero_grad leaves zeros; the grad is to be None, as before the first backward", "zero_grad")
def zero_grad_leaves_zeros(self):
    for p in self.params:
        p.grad = np.zeros(p.shape)


@adamw("zero_grad forgets nothing: set the grad of every parameter to None", "zero_grad")
def zero_grad_does_nothing(self):
    for p in self.params:
        grad = p.grad
        grad = None  # noqa: F841


@adamw("zero_grad forgets the first gradient only: go through all parameters", "zero_grad")
def zero_grad_of_the_first(self):
    self.params[0].grad = None


def schedule(name, says):
    return mutant("ex08_optim", name, says=says)


@schedule("linear_decay", "the rate rises from 0 to the peak; it falls from the peak to 0")
def decay_rises(step, total, peak):
    return peak * step / total


@schedule("linear_decay", "that counts from 1: at step 0 the rate is the peak itself")
def decay_counts_from_one(step, total, peak):
    return peak * (1 - (step + 1) / total)


@schedule("linear_decay", "the rate gets to 0 one step early: it is 0 at step `total`")
def decay_ends_early(step, total, peak):
    return peak * (1 - step / (total - 1))


@schedule("linear_decay", "// drops what is behind the point; the share done is step / total")
def decay_in_whole_numbers(step, total, peak):
    return peak * (1 - step // total)


@schedule("linear_decay", "the peak is missing: that is the share that is left, from 1 to 0")
def decay_without_peak(step, total, peak):
    return 1 - step / total


def wave(step, warmup, total, peak, floor):
    """The right rate."""
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / (total - warmup) if step < total else 1
    return floor + (peak - floor) * (1 + cos(pi * done)) / 2


@schedule("warmup_cosine", "the warmup starts at a rate of 0, so the first step is for nothing")
def warmup_from_zero(step, warmup, total, peak, floor):
    return peak * step / warmup if step < warmup else wave(step, warmup, total, peak, floor)


@schedule("warmup_cosine", "the warmup is one step too long, and goes beyond the peak")
def warmup_too_long(step, warmup, total, peak, floor):
    return peak * (step + 1) / warmup if step <= warmup else wave(step, warmup, total, peak, floor)


@schedule("warmup_cosine", "the warmup rises from the floor; it rises from 0")
def warmup_from_the_floor(step, warmup, total, peak, floor):
    if step < warmup:
        return floor + (peak - floor) * (step + 1) / warmup
    return wave(step, warmup, total, peak, floor)


@schedule("warmup_cosine", "there is no warmup: below `warmup` the rate rises in a line")
def without_warmup(step, warmup, total, peak, floor):
    return wave(max(step, warmup), warmup, total, peak, floor)


@schedule("warmup_cosine", "the wave counts from step 0; it begins where the warmup ends")
def wave_from_step_zero(step, warmup, total, peak, floor):
    return (
        wave(step, warmup, total, peak, floor)
        if step < warmup
        else wave(step, 0, total, peak, floor)
    )


@schedule("warmup_cosine", "the wave is `total` steps long; it has the steps from warmup to total")
def wave_too_long(step, warmup, total, peak, floor):
    right = wave(step, warmup, total, peak, floor)
    return right if step < warmup else wave(step, warmup, total + warmup, peak, floor)


@schedule("warmup_cosine", "1 + cos is between 0 and 2: halve it")
def wave_not_halved(step, warmup, total, peak, floor):
    right = wave(step, warmup, total, peak, floor)
    return right if step < warmup else floor + 2 * (right - floor)


@schedule("warmup_cosine", "cos alone goes down to -1; (1 + cos) / 2 goes from 1 to 0")
def wave_below_zero(step, warmup, total, peak, floor):
    right = wave(step, warmup, total, peak, floor)
    return right if step < warmup else 2 * right - peak


@schedule("warmup_cosine", "that is a quarter of a wave; half a wave is flat at both ends")
def quarter_of_a_wave(step, warmup, total, peak, floor):
    if step < warmup or step >= total:
        return wave(step, warmup, total, peak, floor)
    return floor + (peak - floor) * cos(pi / 2 * (step - warmup) / (total - warmup))


@schedule("warmup_cosine", "the rate falls in a line; it falls along half a cosine wave")
def line_for_wave(step, warmup, total, peak, floor):
    if step < warmup or step >= total:
        return wave(step, warmup, total, peak, floor)
    return peak + (floor - peak) * (step - warmup) / (total - warmup)


@schedule("warmup_cosine", "the floor is not used: the wave ends at 0")
def without_floor(step, warmup, total, peak, floor):
    return wave(step, warmup, total, peak, 0.0)


@schedule(
    "warmup_cosine", "the wave swings by the whole peak; above the floor it is only peak - floor"
)
def floor_added(step, warmup, total, peak, floor):
    right = wave(step, warmup, total, peak, 0.0)
    return right if step < warmup else floor + right


@schedule("warmup_cosine", "after `total` the wave comes up again; the rate stays on the floor")
def wave_goes_on(step, warmup, total, peak, floor):
    if step < total:
        return wave(step, warmup, total, peak, floor)
    done = (step - warmup) / max(total - warmup, 1)
    return floor + (peak - floor) * (1 + cos(pi * done)) / 2


@schedule("warmup_cosine", "after `total` the rate is 0; it stays on the floor")
def nothing_after_the_end(step, warmup, total, peak, floor):
    return wave(step, warmup, total, peak, floor) if step <= total else 0.0


@schedule("warmup_cosine", "with warmup 0 you divide by 0: ask whether step is below warmup first")
def warmup_of_zero_divides(step, warmup, total, peak, floor):
    rising = peak * (step + 1) / warmup
    return rising if step < warmup else wave(step, warmup, total, peak, floor)


def clip(says):
    return mutant("ex08_optim", "clip_grad_norm", says=says)


def norm_of(params):
    return sqrt(sum((p.grad**2).sum() for p in params.values() if p.grad is not None))


def scale(params, factor):
    for p in params.values():
        p.grad = None if p.grad is None else p.grad * factor


@clip("each gradient was clipped by itself; one norm over all of them keeps the direction")
def each_alone(params, max_norm):
    norm = norm_of(params)
    for name, p in params.items():
        alone = norm_of({name: p})
        scale({name: p}, max_norm / alone if alone > max_norm else 1.0)
    return norm


@clip(
    "each gradient was clipped by itself, and the last norm returned; one norm is over all of them"
)
def each_alone_and_the_last_norm(params, max_norm):
    norm = 0.0
    for name, p in params.items():
        if p.grad is not None:
            norm = norm_of({name: p})
            scale({name: p}, max_norm / norm if norm > max_norm else 1.0)
    return norm


@clip("each number was cut off at max_norm; it is the length of all together that is limited")
def by_value(params, max_norm):
    norm = norm_of(params)
    for p in params.values():
        p.grad = None if p.grad is None else np.clip(p.grad, -max_norm, max_norm)
    return norm


@clip("short gradients were lengthened; only those longer than max_norm are scaled")
def always_to_max_norm(params, max_norm):
    norm = norm_of(params)
    scale(params, max_norm / norm if norm else 1.0)
    return norm


@clip("gradients at length 1 come out; the new length is max_norm")
def to_length_one(params, max_norm):
    norm = norm_of(params)
    scale(params, 1 / norm if norm > max_norm else 1.0)
    return norm


@clip("the fraction is upside down: g * max_norm / norm")
def upside_down(params, max_norm):
    norm = norm_of(params)
    scale(params, norm / max_norm if norm > max_norm else 1.0)
    return norm


@clip("that is the norm after clipping; the one before is what is wanted")
def norm_afterwards(params, max_norm):
    norm = norm_of(params)
    scale(params, max_norm / norm if norm > max_norm else 1.0)
    return min(norm, max_norm)


@clip("the root is missing: that is the sum of squares")
def square_of_the_norm(params, max_norm):
    norm = norm_of(params) ** 2
    scale(params, max_norm / norm if norm > max_norm else 1.0)
    return norm


@clip("the norms of the single gradients were added; add the squares, and take one root")
def norms_added(params, max_norm):
    norm = sum(norm_of({name: p}) for name, p in params.items())
    scale(params, max_norm / norm if norm > max_norm else 1.0)
    return norm


@clip("that is the largest gradient; the norm is the root of the sum of all squares")
def largest(params, max_norm):
    norm = float(
        max((np.abs(p.grad).max() for p in params.values() if p.grad is not None), default=0)
    )
    scale(params, max_norm / norm if norm > max_norm else 1.0)
    return norm


@clip("the norm is computed, but no gradient is shortened: p.grad * factor is a new array")
def not_written_back(params, max_norm):
    norm = norm_of(params)
    for p in params.values():
        grad = p.grad
        grad = None if grad is None else grad * max_norm / norm
    return norm


@clip("a parameter without a gradient is not skipped: look whether its grad is None first")
def clip_none_is_not_skipped(params, max_norm):
    norm = sqrt(sum((p.grad**2).sum() for p in params.values()))
    scale(params, max_norm / norm if norm > max_norm else 1.0)
    return norm


@clip("a gradient of None became zeros; it counts as nothing, and stays None")
def none_becomes_zeros(params, max_norm):
    for p in params.values():
        p.grad = np.zeros(p.shape) if p.grad is None else p.grad
    norm = norm_of(params)
    scale(params, max_norm / norm if norm > max_norm else 1.0)
    return norm


@clip("the weights were scaled; it is their gradients that are to be shortened")
def weights_scaled(params, max_norm):
    norm = norm_of(params)
    for p in params.values():
        p.data[...] = p.data * (max_norm / norm if norm > max_norm else 1.0)
    return norm


@clip("with gradients of 0 you divide by 0: scale only where the norm is above max_norm")
def divides_by_zero(params, max_norm):
    norm = norm_of(params)
    factor = max_norm / norm
    scale(params, min(1.0, factor))
    return norm


@adamw("m and v are forgotten with the gradients; they are the memory of the steps", "zero_grad")
def zero_grad_forgets_the_means(self):
    for p in self.params:
        p.grad = None
    self.m[...], self.v[...] = 0, 0


@adamw("numbers of a gradient land at other weights: .ravel() reads rows, order K reads memory")
def gradient_in_memory_order(self, lr=None):
    lr, _, part = begin(self, lr)
    g = np.concatenate([p.grad.ravel("K") for p in self.params if p.grad is not None] or [[]])
    average(self, g, part)
    m_hat, v_hat = hats(self, part)
    move(self, lr, part, m_hat / (np.sqrt(v_hat) + self.eps))


@adamw("a gradient of zeros counts as none; m goes on moving the weights, and the decay too")
def rests_on_zeros(self, lr=None):
    for p in self.params:
        p.grad = None if p.grad is None or not p.grad.any() else p.grad
    lr, g, part = begin(self, lr)
    average(self, g, part)
    m_hat, v_hat = hats(self, part)
    move(self, lr, part, m_hat / (np.sqrt(v_hat) + self.eps))
