"""Misconceptions of exercise 3, in other words than those of tests/mutants."""

import numpy as np

from grader.diagnosis import mutant
from solutions.ex03_tensor import Node, Tensor, unbroadcast

EX = "ex03_tensor"


@mutant(EX, "unbroadcast", says="unbroadcast_added_only")
def sums_in_one_go(grad, shape):
    extra = len(grad.shape) - len(shape)
    if extra:
        grad = np.sum(grad, axis=tuple(range(extra)))
    return grad


@mutant(EX, "unbroadcast", says="unbroadcast_mean")
def averages_the_copies(grad, shape):
    padded = (1,) * (grad.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i, n in enumerate(padded) if n == 1)
    return np.average(grad, axis=axes).reshape(shape) if axes else grad


@mutant(EX, "Tensor.__mul__", says="mul_swapped")
def product_by_hand(self, other):
    b = other
    if not isinstance(b, Tensor):
        b = Tensor(np.asarray(b, dtype=self.data.dtype if np.isscalar(b) else None))

    def pull(g):
        return unbroadcast(self.data * g, self.shape), unbroadcast(b.data * g, b.shape)

    return Tensor.op(self.data * b.data, (self, b), pull)


@mutant(EX, "Tensor.__pow__", says="pow_without_n")
def power_by_division(self, n):
    y = np.power(self.data, n)
    return Tensor.op(y, (self,), lambda g: (np.power(self.data, n - 1) * g,))


@mutant(EX, "Tensor.log", says="log_by_the_result")
def log_named(self):
    out = np.log(self.data)

    def pull(g):
        return (np.divide(g, out),)

    return Tensor.op(out, (self,), pull)


@mutant(EX, "Tensor.__sub__", says="sub_like_add")
def difference_by_hand(self, other):
    b = other
    if not isinstance(b, Tensor):
        b = Tensor(np.asarray(b, dtype=self.data.dtype if np.isscalar(b) else None))
    pull = lambda g: (unbroadcast(g, self.shape), unbroadcast(g, b.shape))  # noqa: E731
    return Tensor.op(np.subtract(self.data, b.data), (self, b), pull)


@mutant(EX, "Tensor.__truediv__", says="div_without_the_sign")
def quotient_by_hand(self, other):
    b = other
    if not isinstance(b, Tensor):
        b = Tensor(np.asarray(b, dtype=self.data.dtype if np.isscalar(b) else None))

    def pull(g):
        to_a = g / b.data
        return unbroadcast(to_a, self.shape), unbroadcast(to_a * self.data / b.data, b.shape)

    return Tensor.op(self.data / b.data, (self, b), pull)


@mutant(EX, "Tensor.__matmul__", says="matmul_swapped")
def product_of_matrices(self, other):
    a, b = self.data, other.data

    def pull(g):
        to_b = np.einsum("...ij,...kj->...ik", g, b)
        to_a = np.einsum("...ji,...jk->...ik", a, g)
        return unbroadcast(to_a, self.shape), unbroadcast(to_b, other.shape)

    return Tensor.op(np.einsum("...ij,...jk->...ik", a, b), (self, other), pull)


@mutant(EX, "Tensor.sum", says="sum_axes_not_put_back")
def sum_with_ones(self, axis=None, keepdims=False):
    y = np.sum(self.data, axis, keepdims=keepdims)
    return Tensor.op(y, (self,), lambda g: (np.ones_like(self.data) * g,))


@mutant(EX, "Tensor.mean", says="mean_over_all")
def mean_of_everything(self, axis=None, keepdims=False):
    count = 1
    for n in self.shape:
        count *= n
    return self.sum(axis=axis, keepdims=keepdims) / count


@mutant(EX, "Tensor.transpose", says="transpose_same_order_back")
def turned_twice(self, *axes):
    order = tuple(a if a >= 0 else a + len(self.shape) for a in axes)
    order = order or tuple(reversed(range(len(self.shape))))
    return Tensor.op(np.transpose(self.data, order), (self,), lambda g: (np.transpose(g, order),))


@mutant(EX, "Tensor.__getitem__", says="getitem_assigns")
def picks_with_plus(self, index):
    def pull(g):
        full = np.zeros(self.shape, self.data.dtype)
        full[index] += g
        return (full,)

    return Tensor.op(self.data[index], (self,), pull)


@mutant(EX, "Tensor.reshape", says="reshape_gradient_as_it_is")
def reshape_without_return(self, *shape):
    y = np.reshape(self.data, shape)

    def pull(g):
        return [g]

    return Tensor.op(y, (self,), pull)


@mutant(EX, "Tensor.backward", says="backward_forgets_the_chain")
def by_depth_first(self, grad=None):
    if grad is None:
        if self.data.size > 1:
            raise ValueError("a gradient is needed")
        grad = np.ones(self.shape, self.data.dtype)
    top = self.node or self
    order, seen, stack = [], set(), [(top, False)]
    while stack:
        node, closed = stack.pop()
        if closed:
            order.append(node)
        elif id(node) not in seen:
            seen.add(id(node))
            stack.append((node, True))
            stack += [(p, False) for p in node.parents if isinstance(node, Node)]
    held = {id(top): np.broadcast_to(np.asarray(grad, self.data.dtype), self.shape)}
    for node in reversed(order):
        g = held.pop(id(node), None)
        if g is None:
            continue
        if isinstance(node, Tensor):
            node.grad = np.array(g) if node.grad is None else node.grad + g
        else:
            for p, share in zip(node.parents, node.vjp(np.ones_like(g))):
                if share is not None:
                    held[id(p)] = held[id(p)] + share if id(p) in held else share
