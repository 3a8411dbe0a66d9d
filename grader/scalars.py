"""The scalar model in a process of its own, on our Value or on the one it was published with.

    python -m grader.scalars ours|published LETTERS STEPS     seconds and losses of steps, as JSON

Both run microgpt.py's own loop, on one name, from the same weights; ours with the collector set as
microgpt.py sets it, the published one as Python does. Neither numpy nor anything else is loaded:
how long Python's collector takes depends on all that there is in the process.
"""

from __future__ import annotations

import gc
import json
import math
import random
import sys
import time
from itertools import pairwise
from string import ascii_lowercase

from solutions import ex02_value, microgpt
from solutions.ex01_tokenizer import CharTokenizer

LR, BETAS = 1e-3, (0.85, 0.99)  # MicroGPT has 0.01, where rounding soon grows
LETTERS = ascii_lowercase


def main(who: str, letters: str, steps: str) -> None:
    if who == "ours":
        gc.set_threshold(microgpt.RARELY)
    kind = {"ours": ex02_value.Value, "published": Value}[who]
    params = {name: [[kind(w) for w in row] for row in m] for name, m in weights().items()}
    times = [time.perf_counter()]

    def on_step(step: int, loss: float) -> None:
        times.append(time.perf_counter())

    tokenizer = CharTokenizer(LETTERS)
    doc = LETTERS[: int(letters)]
    losses = microgpt.train([doc], tokenizer, params, int(steps), on_step, LR, *BETAS)
    print(json.dumps([[b - a for a, b in pairwise(times)], losses]))


def weights() -> dict[str, list[list[float]]]:
    """The same for all: those that microgpt.py draws."""
    params = microgpt.init_params(len(LETTERS) + 1, random.Random(0))
    return {name: [[w.data for w in row] for row in matrix] for name, matrix in params.items()}


class Value:
    """A number that remembers how it was made; `backward` orders the graph by recursion."""

    __slots__ = ("data", "grad", "_children", "_local_grads")

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0
        self._children = children
        self._local_grads = local_grads

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, n):
        return Value(self.data**n, (self,), (n * self.data ** (n - 1),))

    def log(self):
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def exp(self):
        return Value(math.exp(self.data), (self,), (math.exp(self.data),))

    def relu(self):
        return Value(max(0, self.data), (self,), (float(self.data > 0),))

    def __neg__(self):
        return self * -1

    def __radd__(self, other):
        return self + other

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return other + (-self)

    def __rmul__(self, other):
        return self * other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1

    def backward(self):
        order, visited = [], set()

        def visit(value):
            if value not in visited:
                visited.add(value)
                for child in value._children:
                    visit(child)
                order.append(value)

        visit(self)
        self.grad = 1
        for value in reversed(order):
            for child, local in zip(value._children, value._local_grads):
                child.grad += local * value.grad


if __name__ == "__main__":
    main(*sys.argv[1:])
