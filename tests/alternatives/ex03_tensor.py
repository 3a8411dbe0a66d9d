"""Exercise 3, right in other ways: piece by piece, and whole engines of another design."""

import graphlib
import itertools
import sys
import weakref
from collections import Counter, defaultdict
from functools import reduce

import numpy as np

from grader.diagnosis import alternative
from solutions.ex03_tensor import Tensor, broadcast_op, unbroadcast

EX = "ex03_tensor"

# unbroadcast


@alternative(EX, "unbroadcast", style="a loop, one axis at a time")
def unbroadcast_loop(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


@alternative(EX, "unbroadcast", style="einsum, the axes to keep by letter")
def unbroadcast_einsum(grad, shape):
    padded = (1,) * (grad.ndim - len(shape)) + tuple(shape)
    kept = [axis for axis in range(grad.ndim) if padded[axis] == grad.shape[axis]]
    return np.einsum(grad, [*range(grad.ndim)], kept).reshape(shape)


@alternative(EX, "unbroadcast", style="every element looked up: which one did it come from?")
def unbroadcast_bincount(grad, shape):
    size = int(np.prod(shape))
    owner = np.broadcast_to(np.arange(size).reshape(shape), grad.shape)
    return np.bincount(owner.ravel(), grad.ravel(), size).reshape(shape).astype(grad.dtype)


@alternative(EX, "unbroadcast", style="from the last axis, in Fortran order")
def unbroadcast_fortran(grad, shape):
    grad = np.array(grad, order="F")
    for axis in range(1, grad.ndim + 1):
        if axis > len(shape) or shape[-axis] != grad.shape[-axis]:
            grad = np.add.reduce(grad, axis=-axis, keepdims=True)
    return np.array(grad.reshape(shape), order="F")


# backward


def start(root, grad):
    if grad is not None:
        return np.asarray(grad, dtype=root.data.dtype)
    if root.data.size > 1:
        raise ValueError("more than one element: give grad")
    return np.ones_like(root.data)


def made_of(place):
    """What a place in the graph was made from: nodes and leaves. A leaf was made from nothing."""
    return getattr(place, "parents", [])


def hand_on(node, grad, grads):
    """Add what `node` gives its parents to `grads`; a leaf keeps its own."""
    if not hasattr(node, "vjp"):
        node.grad = grad.copy() if node.grad is None else node.grad + grad
        return
    for parent, share in zip(node.parents, node.vjp(grad)):
        if share is not None:
            grads[parent] = grads[parent] + share if parent in grads else share


@alternative(EX, "Tensor.backward", style="topological order, depth first with a list as the stack")
def backward_depth_first(self, grad=None):
    root = self.node or self
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((parent, False) for parent in made_of(node))
    grads = {root: start(self, grad)}
    for node in reversed(order):
        if node in grads:
            hand_on(node, grads.pop(node), grads)


@alternative(EX, "Tensor.backward", style="all ancestors, sorted by age")
def backward_sorted(self, grad=None):
    root = self.node or self
    nodes, open_ = {root}, [root]
    while open_:
        new = set(made_of(open_.pop())) - nodes
        nodes |= new
        open_ += new
    grads = {root: start(self, grad)}
    for node in sorted(nodes, key=lambda node: getattr(node, "born", -1), reverse=True):
        if node in grads:
            hand_on(node, grads.pop(node), grads)


@alternative(EX, "Tensor.backward", style="Kahn: a node is ready when nobody above it is left")
def backward_counting(self, grad=None):
    first, root = start(self, grad), self.node or self
    above, open_, seen = Counter(), [root], {root}
    while open_:
        for parent in made_of(open_.pop()):
            above[parent] += 1
            if parent not in seen:
                seen.add(parent)
                open_.append(parent)
    grads, ready = {root: first}, [root]
    while ready:
        node = ready.pop()
        if node in grads:
            hand_on(node, grads.pop(node), grads)
        for parent in made_of(node):
            above[parent] -= 1
            if above[parent] == 0:
                ready.append(parent)


@alternative(EX, "Tensor.backward", style="shares are collected in lists and summed when needed")
def backward_collecting(self, grad=None):
    shares = defaultdict(list, {self.node or self: [start(self, grad)]})
    while shares:
        node = max(shares, key=lambda node: getattr(node, "born", -1))
        grad = reduce(np.add, shares.pop(node))
        if not hasattr(node, "vjp"):
            node.grad = np.add(grad, 0 if node.grad is None else node.grad, dtype=grad.dtype)
            continue
        for parent, share in zip(node.parents, node.vjp(grad)):
            if share is not None:
                shares[parent].append(share)


# arithmetic


@alternative(EX, "Tensor.__add__", style="a node of its own, without broadcast_op")
def add_node(self, other):
    if not isinstance(other, Tensor):
        constant = np.asarray(other, dtype=self.data.dtype) if np.ndim(other) == 0 else other
        return Tensor.op(self.data + constant, (self,), lambda g: (unbroadcast(g, self.shape),))

    def vjp(g):
        return unbroadcast(g, self.shape), unbroadcast(g, other.shape)

    return Tensor.op(self.data + other.data, (self, other), vjp)


@alternative(EX, "Tensor.__add__", style="einsum for the gradients, summed by broadcast_op")
def add_einsum(self, other):
    return broadcast_op(np.add, self, other, lambda g, a, b: (np.einsum("...->...", g),) * 2)


@alternative(EX, "Tensor.__mul__", style="a node of its own, results in Fortran order")
def mul_fortran(self, other):
    if not isinstance(other, Tensor):
        other = Tensor(np.asarray(other, self.data.dtype) if type(other) in (int, float) else other)
    a, b = self.data, other.data

    def vjp(g):
        g = np.array(g, order="F")
        return unbroadcast(g * b, a.shape), unbroadcast(g * a, b.shape)

    return Tensor.op(np.array(a * b, order="F"), (self, other), vjp)


@alternative(EX, "Tensor.__mul__", style="einsum")
def mul_einsum(self, other):
    def f(a, b):
        return np.einsum("...,...->...", a, b)

    return broadcast_op(f, self, other, lambda g, a, b: (f(g, b), f(g, a)))


@alternative(EX, "Tensor.__pow__", style="np.power, the slope worked out beforehand")
def pow_slope(self, n):
    y = np.power(self.data, n, dtype=self.data.dtype)
    slope = np.power(self.data, n - 1, dtype=self.data.dtype) * n
    return Tensor.op(y, [self], lambda g: [np.multiply(slope, g)])


@alternative(EX, "Tensor.__pow__", style="whole powers as repeated products")
def pow_products(self, n):
    if n in (2, 3, 4):
        return reduce(lambda x, y: x * y, [self] * n)
    return Tensor.op(self.data**n, (self,), lambda g: (n * self.data ** (n - 1) * g,))


@alternative(EX, "Tensor.exp", style="e to the power, worked out again on the way back")
def exp_twice(self):
    return Tensor.op(np.exp(self.data), (self,), lambda g: (np.exp(self.data) * g,))


@alternative(EX, "Tensor.exp", style="a strided result: every second element of a larger array")
def exp_strided(self):
    room = np.empty((*self.shape, 2), self.data.dtype)
    room[..., 0] = np.exp(self.data)
    y = room[..., 0]
    return Tensor.op(y, (self,), lambda g: (np.multiply(g, y),))


@alternative(EX, "Tensor.log", style="through the logarithm to base 2")
def log_through_base_2(self):
    ln2 = float(np.log(2.0))
    return Tensor.op(np.log2(self.data) * ln2, (self,), lambda g: (g * (1 / self.data),))


@alternative(EX, "Tensor.__neg__", style="a node of its own")
def neg_node(self):
    return Tensor.op(np.negative(self.data), (self,), lambda g: (np.negative(g),))


@alternative(EX, "Tensor.__neg__", style="zero minus")
def neg_from_zero(self):
    return self * 0 + self * -1.0


@alternative(EX, "Tensor.__sub__", style="one node")
def sub_node(self, other):
    return broadcast_op(np.subtract, self, other, lambda g, a, b: (g, -g))


@alternative(EX, "Tensor.__sub__", style="minus, then plus, then minus again")
def sub_twice_negated(self, other):
    return -(other + -self)


@alternative(EX, "Tensor.__truediv__", style="one node")
def div_node(self, other):
    return broadcast_op(np.divide, self, other, lambda g, a, b: (g / b, -g * a / (b * b)))


@alternative(EX, "Tensor.__truediv__", style="one node, the quotient kept for the gradient")
def div_quotient(self, other):
    def vjp(g, a, b):
        share = g / b
        return share, -(share * (a / b))

    return broadcast_op(np.true_divide, self, other, vjp)


# matmul


@alternative(EX, "Tensor.__matmul__", style="einsum")
def matmul_einsum(self, other):
    def f(a, b):
        return np.einsum("...nk,...km->...nm", a, b)

    def vjp(g, a, b):
        return np.einsum("...nm,...km->...nk", g, b), np.einsum("...nk,...nm->...km", a, g)

    return broadcast_op(f, self, other, vjp)


@alternative(EX, "Tensor.__matmul__", style="a node of its own, with swapaxes")
def matmul_node(self, other):
    a, b = self.data, other.data

    def vjp(g):
        to_a, to_b = g @ b.swapaxes(-1, -2), a.swapaxes(-1, -2) @ g
        return unbroadcast(to_a, a.shape), unbroadcast(to_b, b.shape)

    return Tensor.op(np.matmul(a, b), (self, other), vjp)


@alternative(
    EX, "Tensor.__matmul__", style="loops over the rows of the left and columns of the right"
)
def matmul_loops(self, other):
    def f(a, b):
        n, m = a.shape[-2], b.shape[-1]
        stack = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        y = np.empty((*stack, n, m), np.result_type(a, b))
        for i in range(n):
            for j in range(m):
                y[..., i, j] = (a[..., i, :] * b[..., :, j]).sum(-1)
        return y

    def vjp(g, a, b):
        return f(g, b.swapaxes(-1, -2)), f(a.swapaxes(-1, -2), g)

    return broadcast_op(f, self, other, vjp)


# reductions


def sizes_kept(shape, axis):
    """`shape` with the summed axes as 1."""
    if axis is None:
        return (1,) * len(shape)
    axes = axis if isinstance(axis, tuple) else (axis,)
    axes = [one % len(shape) for one in axes]
    return tuple(1 if i in axes else size for i, size in enumerate(shape))


@alternative(EX, "Tensor.sum", style="ones times g, reshaped to the shape with the axes kept")
def sum_ones(self, axis=None, keepdims=False):
    kept = sizes_kept(self.shape, axis)

    def vjp(g):
        return (np.ones_like(self.data) * g.reshape(kept),)

    return Tensor.op(np.sum(self.data, axis=axis, keepdims=keepdims), (self,), vjp)


@alternative(
    EX, "Tensor.sum", style="always keeps the axes, and reshapes them away with an own node"
)
def sum_then_reshape(self, axis=None, keepdims=False):
    def vjp(g):
        return (np.array(np.broadcast_to(g, self.shape)),)

    y = Tensor.op(self.data.sum(axis=axis, keepdims=True), (self,), vjp)
    shape = self.data.sum(axis=axis, keepdims=keepdims).shape
    return y if keepdims else y.op(y.data.reshape(shape), (y,), lambda g: (g.reshape(y.shape),))


@alternative(
    EX, "Tensor.sum", style="the dual of broadcasting: unbroadcast forward, repeat backward"
)
def sum_unbroadcast(self, axis=None, keepdims=False):
    kept = sizes_kept(self.shape, axis)
    y = unbroadcast(self.data, kept)

    def vjp(g):
        g = np.reshape(g, kept)
        for i, size in enumerate(self.shape):
            g = np.repeat(g, size // g.shape[i], axis=i) if size != g.shape[i] else g
        return (g,)

    away = tuple(i for i, size in enumerate(kept) if size == 1)
    summed = away if axis is None else axis
    return Tensor.op(y if keepdims else y.squeeze(summed), (self,), vjp)


@alternative(EX, "Tensor.mean", style="one node")
def mean_node(self, axis=None, keepdims=False):
    y = self.data.mean(axis=axis, keepdims=keepdims)
    kept = sizes_kept(self.shape, axis)
    count = self.data.size // np.asarray(y).size

    def vjp(g):
        return (np.broadcast_to(g.reshape(kept) / count, self.shape),)

    return Tensor.op(y, (self,), vjp)


@alternative(EX, "Tensor.mean", style="divided first, then summed, the count from the sizes")
def mean_divided_first(self, axis=None, keepdims=False):
    axes = range(len(self.shape)) if axis is None else np.atleast_1d(axis)
    count = int(np.prod([self.shape[i] for i in axes]))
    return (self / count).sum(axis=axis, keepdims=keepdims)


@alternative(EX, "Tensor.mean", style="the sum of a tensor of ones counts")
def mean_counted(self, axis=None, keepdims=False):
    ones = np.ones_like(self.data)
    return self.sum(axis, keepdims) / ones.sum(axis=axis, keepdims=keepdims)


# shaping


@alternative(
    EX, "Tensor.reshape", style="a shape is also taken as one tuple; the numbers are copied"
)
def reshape_copy(self, *shape):
    if len(shape) == 1 and isinstance(shape[0], tuple):
        shape = shape[0]
    y = np.array(self.data.ravel()).reshape(shape)
    return Tensor.op(y, (self,), lambda g: (np.reshape(g, self.shape),))


@alternative(EX, "Tensor.reshape", style="number by number through flat iterators")
def reshape_flat(self, *shape):
    y = np.empty_like(self.data.reshape(shape))
    y.flat = list(self.data.flat)

    def vjp(g):
        grad = np.empty_like(self.data)
        grad.flat = list(g.flat)
        return (grad,)

    return Tensor.op(y, (self,), vjp)


@alternative(EX, "Tensor.transpose", style="the inverse order written down in a list")
def transpose_inverse_list(self, *axes):
    n = self.data.ndim
    axes = [axis + n if axis < 0 else axis for axis in axes or reversed(range(n))]
    inverse = [axes.index(i) for i in range(n)]
    return Tensor.op(self.data.transpose(axes), (self,), lambda g: (g.transpose(inverse),))


@alternative(EX, "Tensor.transpose", style="moveaxis there and back")
def transpose_moveaxis(self, *axes):
    to = list(range(self.data.ndim))
    axes = axes or tuple(reversed(to))
    y = np.moveaxis(self.data, axes, to)
    return Tensor.op(y, (self,), lambda g: (np.moveaxis(g, to, axes),))


@alternative(EX, "Tensor.transpose", style="einsum, copied to C order")
def transpose_einsum(self, *axes):
    n = self.data.ndim
    axes = [axis % n for axis in axes or range(-1, -n - 1, -1)]
    y = np.ascontiguousarray(np.einsum(self.data, range(n), axes)).reshape(
        [self.shape[axis] for axis in axes]
    )
    return Tensor.op(y, (self,), lambda g: (np.einsum(g, axes, range(n)),))


@alternative(EX, "Tensor.__getitem__", style="the flat places that were picked, counted")
def getitem_bincount(self, index):
    places = np.arange(self.data.size).reshape(self.shape)[index]

    def vjp(g):
        grad = np.bincount(np.ravel(places), np.ravel(g), self.data.size)
        return (grad.reshape(self.shape).astype(self.data.dtype),)

    return Tensor.op(self.data[index], (self,), vjp)


@alternative(EX, "Tensor.__getitem__", style="a matrix of zeros and ones, times g")
def getitem_onehot(self, index):
    places = np.ravel(np.arange(self.data.size).reshape(self.shape)[index])

    def vjp(g):
        onehot = (np.arange(self.data.size)[:, None] == places).astype(g.dtype)
        return ((onehot @ g.reshape(-1)).reshape(self.shape),)

    return Tensor.op(np.array(self.data[index]), (self,), vjp)


@alternative(EX, "Tensor.__getitem__", style="a loop over everything that was picked")
def getitem_loop(self, index):
    places = np.arange(self.data.size).reshape(self.shape)[index]

    def vjp(g):
        grad = np.zeros(self.data.size, self.data.dtype)
        for place, share in zip(np.ravel(places), np.ravel(g)):
            grad[place] += share
        return (grad.reshape(self.shape),)

    return Tensor.op(self.data[index], (self,), vjp)


# whole engines


class Operations:
    """Everything but the engine: made of `op`, which each engine below has in its own way."""

    __array_ufunc__ = None
    recording = True

    @property
    def shape(self):
        return self.data.shape

    def __repr__(self):
        return f"Tensor({self.data})"

    def __add__(self, other):
        return broadcast_op(np.add, self, other, lambda g, a, b: (g, g))

    def __mul__(self, other):
        return broadcast_op(np.multiply, self, other, lambda g, a, b: (b * g, a * g))

    def __pow__(self, n):
        y = self.data**n
        return Tensor.op(y, (self,), lambda g: (n * self.data ** (n - 1) * g,))

    def exp(self):
        y = np.exp(self.data)
        return Tensor.op(y, (self,), lambda g: (y * g,))

    def log(self):
        return Tensor.op(np.log(self.data), (self,), lambda g: (g / self.data,))

    def __neg__(self):
        return Tensor.op(-self.data, (self,), lambda g: (-g,))

    def __sub__(self, other):
        return broadcast_op(np.subtract, self, other, lambda g, a, b: (g, -g))

    def __truediv__(self, other):
        return broadcast_op(np.divide, self, other, lambda g, a, b: (g / b, -g * a / b**2))

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return -self + other

    def __rtruediv__(self, other):
        return self**-1.0 * other

    def __matmul__(self, other):
        def vjp(g, a, b):
            return g @ b.swapaxes(-1, -2), a.swapaxes(-1, -2) @ g

        return broadcast_op(np.matmul, self, other, vjp)

    def sum(self, axis=None, keepdims=False):
        kept = self.data.sum(axis=axis, keepdims=True).shape

        def vjp(g):
            return (np.broadcast_to(np.reshape(g, kept), self.shape),)

        return Tensor.op(self.data.sum(axis=axis, keepdims=keepdims), (self,), vjp)

    def mean(self, axis=None, keepdims=False):
        total = self.sum(axis=axis, keepdims=keepdims)
        return total / (self.data.size / total.data.size)

    def reshape(self, *shape):
        y = self.data.reshape(shape)
        return Tensor.op(y, (self,), lambda g: (g.reshape(self.shape),))

    def transpose(self, *axes):
        to = range(self.data.ndim)
        axes = axes or to[::-1]
        y = np.moveaxis(self.data, axes, to)
        return Tensor.op(y, (self,), lambda g: (np.moveaxis(g, to, axes),))

    def __getitem__(self, index):
        def vjp(g):
            grad = np.zeros_like(self.data)
            np.add.at(grad, index, g)
            return (grad,)

        return Tensor.op(self.data[index], (self,), vjp)

    def first(self, grad):
        """The gradient to start with."""
        if grad is None and self.data.size != 1:
            raise ValueError(f"{self.data.size} elements: backward needs a gradient from above")
        return np.ones_like(self.data) if grad is None else np.asarray(grad, self.data.dtype)

    def receive(self, share):
        """Keep a gradient beside those that came before, in an array of its own."""
        if share is not None:
            self.grad = np.array(share) if self.grad is None else self.grad + share


def plain(data):
    data = np.asarray(data)
    return data if data.dtype == np.float32 else data.astype(np.float64)


@alternative(EX, "Tensor", style="micrograd: each node holds a closure, and its own gradient")
class Closures(Operations):
    def __init__(self, data):
        self.data, self.grad, self.parents, self.pass_back = plain(data), None, (), None

    @staticmethod
    def op(data, parents, vjp):
        node = Tensor(data)
        if Tensor.recording:

            def pass_back():
                for parent, share in zip(parents, vjp(node.grad)):
                    parent.receive(share)

            node.parents, node.pass_back = parents, pass_back
        return node

    def backward(self, grad=None):
        order, seen, stack = [], set(), [self]
        while stack:
            node = stack[-1]
            new = [parent for parent in node.parents if id(parent) not in seen]
            if id(node) in seen or not new:
                if id(node) not in seen:
                    order.append(node)
                    seen.add(id(node))
                stack.pop()
            else:
                stack.append(new[0])
        self.receive(self.first(grad))
        for node in reversed(order):
            if node.pass_back and node.grad is not None:
                node.pass_back()
                node.grad = None


TAPE = weakref.WeakValueDictionary()  # {place: node}; what nobody needs is not kept alive
PLACES = itertools.count()


@alternative(EX, "Tensor", style="a tape: every operation is written down, and read backwards")
class Tape(Operations):
    def __init__(self, data):
        self.data, self.grad, self.place, self.record = plain(data), None, None, None

    @staticmethod
    def op(data, parents, vjp):
        node = Tensor(data)
        if Tensor.recording:
            node.place, node.record = next(PLACES), (parents, vjp)
            TAPE[node.place] = node
        return node

    def backward(self, grad=None):
        waiting = {self: self.first(grad)}
        places = sorted(TAPE.keys(), reverse=True) if self.record else []
        for place in places[places.index(self.place) :] if places else []:
            node = TAPE.get(place)
            if node in waiting:
                above = waiting.pop(node)
                parents, vjp = node.record
                for parent, share in zip(parents, vjp(above)):
                    if share is not None:
                        before = waiting.get(parent)
                        waiting[parent] = share if before is None else before + share
        for leaf, above in waiting.items():
            leaf.receive(above)


@alternative(EX, "Tensor", style="levels: each node knows its depth, the deepest hand on first")
class Levels(Operations):
    def __init__(self, data):
        self.data, self.grad, self.depth, self.made_from = plain(data), None, 0, []

    @staticmethod
    def op(data, parents, vjp):
        node = Tensor(data)
        if Tensor.recording:
            node.depth = 1 + max((parent.depth for parent in parents), default=0)
            node.made_from, node.rule = list(parents), vjp
        return node

    def backward(self, grad=None):
        levels = [{} for _ in range(self.depth + 1)]
        levels[self.depth][self] = self.first(grad)
        while levels:
            for node, above in levels.pop().items():
                if node.depth == 0:
                    node.receive(above)
                    continue
                for parent, share in zip(node.made_from, node.rule(above)):
                    if share is not None:
                        level = levels[parent.depth]
                        level[parent] = level[parent] + share if parent in level else share


@alternative(EX, "Tensor", style="counting: a node hands on when the last node above it has")
class Counting(Operations):
    def __init__(self, data):
        self.data, self.grad, self.edges = plain(data), None, None

    @staticmethod
    def op(data, parents, vjp):
        node = Tensor(data)
        if Tensor.recording:
            node.edges = parents, vjp
        return node

    def backward(self, grad=None):
        missing, open_ = {self: 0}, [self]
        while open_:
            node = open_.pop()
            for parent in node.edges[0] if node.edges else ():
                if parent not in missing:
                    missing[parent] = 0
                    open_.append(parent)
                missing[parent] += 1
        collected, ready = {self: [self.first(grad)]}, [self]
        while ready:
            node = ready.pop()
            shares = collected.pop(node, [])
            above = sum(shares[1:], shares[0]) if shares else None
            if node.edges is None:
                node.receive(above)
                continue
            parents, vjp = node.edges
            for parent, share in zip(parents, vjp(above) if shares else [None] * len(parents)):
                missing[parent] -= 1
                if share is not None:
                    collected.setdefault(parent, []).append(share)
                if missing[parent] == 0:
                    ready.append(parent)


# more ways, piece by piece


@alternative(EX, "unbroadcast", style="recursion: one axis less each time")
def unbroadcast_recursive(grad, shape):
    if grad.ndim > len(shape):
        return unbroadcast(grad.sum(0), shape)
    for axis in range(grad.ndim):
        if grad.shape[axis] > shape[axis]:
            return unbroadcast(grad.sum(axis, keepdims=True), shape)
    return grad


@alternative(EX, "Tensor.backward", style="recursion, with its limit raised")
def backward_recursive(self, grad=None):
    order, seen, limit = [], set(), sys.getrecursionlimit()

    def visit(node):
        if id(node) not in seen:
            seen.add(id(node))
            for parent in made_of(node):
                visit(parent)
            order.append(node)

    root = self.node or self
    grads = {id(root): start(self, grad)}
    sys.setrecursionlimit(1_000_000)
    try:
        visit(root)
    finally:
        sys.setrecursionlimit(limit)
    for node in order[::-1]:
        g = grads.get(id(node))
        if g is None:
            continue
        if not hasattr(node, "vjp"):
            node.grad = g.copy() if node.grad is None else node.grad + g
            continue
        for parent, share in zip(node.parents, node.vjp(g)):
            if share is not None:
                before = grads.get(id(parent))
                grads[id(parent)] = share if before is None else before + share


@alternative(EX, "Tensor.backward", style="the standard library's topological sorter")
def backward_by_graphlib(self, grad=None):
    root = self.node or self
    graph, open_ = {}, [root]
    while open_:
        node = open_.pop()
        if node not in graph:
            graph[node] = made_of(node)
            open_.extend(graph[node])
    received = defaultdict(list)
    received[root].append(start(self, grad))
    for node in reversed([*graphlib.TopologicalSorter(graph).static_order()]):
        if not received[node]:
            continue
        total = reduce(np.add, received.pop(node))
        if not hasattr(node, "vjp"):
            node.grad = np.add(total, 0 if node.grad is None else node.grad, dtype=total.dtype)
        else:
            for parent, share in zip(node.parents, node.vjp(total)):
                if share is not None:
                    received[parent].append(share)


@alternative(EX, "Tensor.transpose", style="two axes exchanged at a time")
def transpose_by_swaps(self, *axes):
    wanted = [axis % self.data.ndim for axis in axes] or [*range(self.data.ndim)][::-1]
    now, swaps = [*range(self.data.ndim)], []
    for place, axis in enumerate(wanted):
        other = now.index(axis)
        if other != place:
            now[place], now[other] = now[other], now[place]
            swaps.append((place, other))

    def swapped(array, pairs):
        return reduce(lambda a, pair: a.swapaxes(*pair), pairs, array)

    y = swapped(self.data, swaps)
    return Tensor.op(y, (self,), lambda g: (swapped(g, swaps[::-1]),))


@alternative(EX, "Tensor.sum", style="add.reduce, one axis after the other, g tiled")
def sum_by_axes(self, axis=None, keepdims=False):
    n = self.data.ndim
    axes = range(n) if axis is None else np.atleast_1d(axis)
    axes = sorted({int(a) % n for a in axes}) if n else []
    y = reduce(lambda a, i: np.add.reduce(a, axis=i, keepdims=True), axes, self.data)
    kept = y.shape
    shape = kept if keepdims else [size for i, size in enumerate(kept) if i not in axes]

    def vjp(g):
        times = [self.shape[i] if i in axes else 1 for i in range(n)]
        return (np.tile(np.reshape(g, kept), times),)

    return Tensor.op(np.reshape(y, shape), (self,), vjp)
