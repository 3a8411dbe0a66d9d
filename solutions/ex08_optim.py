"""Exercise 8: the optimiser.

The gradient of the loss says for every weight which way is up, and how steeply. The optimiser takes
a step down. How long a step? Plain descent has one rate for all weights,

    w = w - lr * g

and a rate that is right where the slope is 200 hardly moves a weight whose slope is 0.02. Adam
keeps two running means for every weight: m, of its gradient (where to), and v, of its gradient's
square (how large it usually is). It divides the one by the root of the other:

    m = b1 m + (1 - b1) g            v = b2 v + (1 - b2) g^2         both start at 0
    m_hat = m / (1 - b1^t)           v_hat = v / (1 - b2^t)          t = 1, 2, 3, ...
    w = w - lr * m_hat / (sqrt(v_hat) + eps)

So a weight moves about lr a step, steep or flat, as long as its gradients agree. If they contradict
each other m is small beside the root of v, and the weight waits (b1 = 0.9, b2 = 0.95):

    gradients   4    4    4    4          steps   lr   1.00 lr   1.00 lr   1.00 lr
    gradients   4   -4    4   -4          steps   lr  -0.05 lr   0.34 lr  -0.05 lr

*The hats.* m and v start at 0, so at first they are too small; dividing by 1 - b^t makes up for it.
By hand, g = 4 at t = 1:

    m = 0.1 * 4 = 0.4       m_hat = 0.4 / (1 - 0.9) = 4
    v = 0.05 * 16 = 0.8     v_hat = 0.8 / (1 - 0.95) = 16       step  lr * 4 / 4 = lr
                                              without the hats  lr * 0.4 / sqrt(0.8) = 0.447 lr

After a hundred steps 1 - b^t is nearly 1, and the hats are off. eps keeps 0 / 0 away, where a
weight has had no gradient but 0.

*The W* stands for weight decay: at each step every weight also loses the share lr * weight_decay
of itself, *beside* the gradient's step. Put into the gradient, the decay would be divided by the
root of v_hat too, and a weight with large gradients would decay less than one with small ones.

*Schedules.* The rate is large at first, to get near, and small at the end, to settle. At the very
beginning m and v know nothing yet: large models warm up.

      peak  .--.                       linear_decay goes from the peak to 0 in a line;
           /    `.                     warmup_cosine rises in a line, then falls along
          /       `-.___ floor         half a cosine wave
        0  warmup    total   step

*Clipping.* One odd batch can have a gradient a hundred times longer than all others, and throw the
model off its way. Take all gradients of all parameters as one long arrow; if it is longer than
max_norm, shorten it to max_norm. Its direction stays.

    microgpt.py, in `train`                                 here
    m[i] = beta1 * m[i] + (1 - beta1) * w.grad              m, of all weights at once
    m_hat = m[i] / (1 - beta1 ** (step + 1))                t is step + 1
    w.data -= lr_now * m_hat / (v_hat**0.5 + eps)           the same; MicroGPT has no decay
    w.grad = 0                                              zero_grad
    lr_now = lr * (1 - step / steps)                        linear_decay

What goes wrong most often: the hats forgotten; t still 0 at the first step; eps inside the root;
the decay in the gradient; `lr or self.lr`, which takes a rate of 0 for none.
Read more: Kingma and Ba 2015, "Adam"; Loshchilov and Hutter 2019, "Decoupled weight decay
regularization".
"""

from math import cos, pi, sqrt

import numpy as np


class AdamW:
    """Adam with decoupled weight decay, on a dict of Tensors such as `model.params`.

    params, sizes   the Tensors of that dict, now a list, and how many numbers each has
    t      how many steps it has taken
    m, v   the running means of gradient and squared gradient, one number for each weight

    All weights are moved into one long vector, and each `p.data` becomes a view of its part: other
    shape, same memory. So a step is a few operations on long vectors, not a few for each parameter.

        params    a (2, 3)        b (2,)       sizes [6, 2]
        weights   . . . . . .     . .          (8,); m and v look the same
                  a.data          b.data       views

    Write weights with p.data[...] = w, and the next step starts from them; p.data = w would cut
    the link. Another design is as right, a dict of m and v by name for example. But make all arrays
    in __init__, as attributes or in dicts or lists, and keep numbers as attributes: exercise 9
    saves both.
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
        """Move every weight that has a gradient one step.

            w = w - lr * weight_decay * w - lr * m_hat / (sqrt(v_hat) + eps)

        lr   the rate of this step alone; None: the one given at the start. 0 is a rate too.

        A parameter whose grad is None rests: weights, m and v stay. t counts all the same.
        float32 weights stay float32. (Beware: np.sqrt of a Python number is a float64, which makes
        float64 of every array it meets; math.sqrt, and np.sqrt of an array, do not.)
        With g = 4 at t = 1 the step is lr, whatever the betas.
        """
        # TODO 1  lr, and t counts from 1
        # TODO 2  the gradients that are there, as one vector g: .ravel() each, np.concatenate
        # TODO 3  part: which of all the weights these are, a vector of True and False, so that
        #         self.m[part] is theirs; np.repeat([True, False], [6, 2]) gives 6 True, 2 False
        # TODO 4  self.m[part] and self.v[part]                        as long as g
        # TODO 5  self.weights[part]: the decay, and the step with both hats
        ### BEGIN SOLUTION
        lr, (b1, b2) = self.lr if lr is None else lr, self.betas
        self.t += 1
        g = np.concatenate([p.grad.ravel() for p in self.params if p.grad is not None] or [[]])
        has_grad = [p.grad is not None for p in self.params]
        part = ... if all(has_grad) else np.repeat(has_grad, self.sizes)  # everything, or a mask
        self.m[part] += (1 - b1) * (g - self.m[part])
        self.v[part] += (1 - b2) * (g * g - self.v[part])
        root = np.sqrt(self.v[part] / (1 - b2**self.t)) + self.eps
        self.weights[part] *= 1 - lr * self.weight_decay
        self.weights[part] -= lr / (1 - b1**self.t) * self.m[part] / root
        ### END SOLUTION

    def zero_grad(self):
        """Forget all gradients: grad = None, so that the next backward starts afresh."""
        # TODO
        ### BEGIN SOLUTION
        for p in self.params:
            p.grad = None
        ### END SOLUTION


def linear_decay(step, total, peak):
    """The learning rate that falls in a line from `peak` at step 0 to 0 at step `total`.

        peak * (1 - step / total)

    linear_decay(5, 10, 0.2) = 0.1.
    """
    # TODO  the formula
    ### BEGIN SOLUTION
    return peak * (1 - step / total)
    ### END SOLUTION


def warmup_cosine(step, warmup, total, peak, floor):
    """The learning rate that rises in a line, then falls along half a cosine wave.

        step < warmup:            peak * (step + 1) / warmup
        warmup <= step < total:   floor + (peak - floor) * (1 + cos(pi * done)) / 2
                                  done = (step - warmup) / (total - warmup), from 0 to 1
        step >= total:            floor

    The first step already has a rate above 0. With warmup 0 the wave begins at once.
    warmup 2, total 6, peak 1, floor 0: 0.5, 1, 1, 0.854, 0.5, 0.146, 0.
    """
    # TODO 1  before the warmup's end
    # TODO 2  how much of the wave is done: 1 from `total` on
    # TODO 3  the wave
    ### BEGIN SOLUTION
    if step < warmup:
        return peak * (step + 1) / warmup
    done = (step - warmup) / (total - warmup) if step < total else 1
    return floor + (peak - floor) * (1 + cos(pi * done)) / 2
    ### END SOLUTION


def clip_grad_norm(params, max_norm):
    """If all gradients together are longer than `max_norm`, shorten them to it.

        norm = sqrt(the sum of all squares of all gradients)
        g = g * max_norm / norm     for every gradient, if norm > max_norm; else they stay

    params   a dict of Tensors; a grad of None counts as nothing, and stays None; the weights are
             left alone, and float32 gradients stay float32

    -> the norm before clipping, a float, in either case
    Gradients [3] and [4] have norm 5; with max_norm 1 they become [0.6] and [0.8].
    Pascanu, Mikolov and Bengio 2013, section 3.2.
    """
    # TODO 1  the parameters that have a gradient
    # TODO 2  one norm over all of them
    # TODO 3  if it is too long: the same factor for every gradient
    ### BEGIN SOLUTION
    params = [p for p in params.values() if p.grad is not None]
    norm = sqrt(sum(np.vdot(p.grad, p.grad).item() for p in params))
    if norm > max_norm:
        for p in params:
            p.grad = p.grad * (max_norm / norm)
    return norm
    ### END SOLUTION
