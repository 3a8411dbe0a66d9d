"""Exercise 8: the optimiser.

The gradient says which way is up; the optimiser takes a step down. Plain descent, w -= lr * grad,
has one speed for all weights: too fast for some, too slow for others. Adam keeps two running means
for each weight, of its gradient (m: where to) and of the gradient's square (v: how rough), and
divides one by the root of the other: every weight moves about lr a step, however large its gradient.

    m = b1 m + (1 - b1) g            v = b2 v + (1 - b2) g^2
    m_hat = m / (1 - b1^t)           v_hat = v / (1 - b2^t)          t = 1, 2, 3, ...
    w = w - lr * m_hat / (sqrt(v_hat) + eps)

Both means start at 0, so at first they are too small; the hats correct that. By hand, at t = 1:

    g = 4:   m = 0.1 * 4 = 0.4,  m_hat = 0.4 / 0.1 = 4      (b1 = 0.9, b2 = 0.95)
             v = 0.05 * 16 = 0.8, v_hat = 0.8 / 0.05 = 16   so the step is lr * 4 / 4 = lr
    without the hats: lr * 0.4 / sqrt(0.8) = 0.447 lr, a step that depends on b1 and b2

The W stands for weight decay: each step every weight also shrinks by the share lr * weight_decay,
*beside* the gradient's step. Put into the gradient it would be divided by sqrt(v_hat) too, and
decay rough weights less than smooth ones.

The learning rate usually starts high (or warms up first) and falls: big steps to get near, small
ones to settle.

      peak  .--.                       linear_decay goes from peak to 0 in a line;
           /    `.                     warmup_cosine rises in a line, then falls along
          /       `-.___ floor         half a cosine wave
        0  warmup    total   step

What goes wrong most often: the bias correction forgotten, eps inside the root, t starting at 0.
In MicroGPT this is the loop over `weights` in `train`.
Read more: Kingma and Ba 2015, "Adam"; Loshchilov and Hutter 2019, "Decoupled weight decay".
"""

from math import cos, pi, sqrt

import numpy as np


class AdamW:
    """Adam with decoupled weight decay, on a dict of Tensors such as `model.params`.

    t   how many steps it has taken
    m, v   the running means of gradient and squared gradient, one number for each weight

    All weights are moved into one long vector, and each `p.data` becomes a view of its part (same
    numbers, same memory): so that a step is a few operations on one array, not a few for each
    parameter. Write weights with p.data[...] = w; p.data = w would cut the link.
    """

    def __init__(self, params, lr, betas=(0.9, 0.95), eps=1e-8, weight_decay=0.0):
        self.t, self.lr, self.betas, self.eps, self.weight_decay = 0, lr, betas, eps, weight_decay
        self.params = list(params.values())
        self.sizes = [p.data.size for p in self.params]
        self.weights = np.concatenate([p.data.ravel() for p in self.params])
        self.m, self.v = np.zeros_like(self.weights), np.zeros_like(self.weights)
        for p, view in zip(self.params, np.split(self.weights, np.cumsum(self.sizes)[:-1])):
            p.data = view.reshape(p.shape)

    def step(self, lr=None):
        """Move every weight that has a gradient one step; `lr` for this step, or the one given first.

            w = w - lr * weight_decay * w - lr * m_hat / (sqrt(v_hat) + eps)

        A parameter whose grad is None keeps its weights, m and v.
        With g = 4 at t = 1 the step is lr, whatever the betas.
        """
        # TODO 1  lr, and t counts from 1
        # TODO 2  g: the gradients of the parameters that have one, as one long vector
        # TODO 3  part: their places in self.weights, self.m and self.v
        # TODO 4  m and v there, then the weights: the decay, and the step with both hats
        raise NotImplementedError("TODO AdamW.step")

    def zero_grad(self):
        """Forget all gradients: grad = None, so that the next backward starts afresh."""
        # TODO
        raise NotImplementedError("TODO AdamW.zero_grad")


def linear_decay(step, total, peak):
    """From `peak` at step 0 in a line to 0 at step `total`: peak * (1 - step / total).

    linear_decay(5, 10, 0.2) = 0.1.
    """
    # TODO
    raise NotImplementedError("TODO linear_decay")


def warmup_cosine(step, warmup, total, peak, floor):
    """Up in a line, then down along half a cosine wave.

        step < warmup:            peak * (step + 1) / warmup
        warmup <= step < total:   floor + (peak - floor) * (1 + cos(pi * done)) / 2,
                                  done = (step - warmup) / (total - warmup)
        step >= total:            floor

    warmup 2, total 6, peak 1, floor 0: 0.5, 1, 1, 0.854, 0.5, 0.146, 0.
    """
    # TODO
    raise NotImplementedError("TODO warmup_cosine")


def clip_grad_norm(params, max_norm):
    """If all gradients together are longer than `max_norm`, shorten them to it; keep their direction.

        norm = sqrt(sum of all squares of all gradients),     g = g * max_norm / norm  if norm > max_norm

    params   a dict of Tensors; a grad of None counts as nothing

    -> the norm before clipping, a float
    Gradients [3] and [4] have norm 5; with max_norm 1 they become [0.6] and [0.8].
    """
    # TODO 1  the norm over all parameters together
    # TODO 2  a longer one: scale every gradient
    raise NotImplementedError("TODO clip_grad_norm")
