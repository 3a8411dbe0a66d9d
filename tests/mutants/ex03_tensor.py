"""Exercise 3's misconceptions: axes not summed back, gradients lost, rules without the chain."""

from heapq import heappop, heappush

import numpy as np

from grader.diagnosis import mutant
from solutions.ex03_tensor import Node, Tensor, broadcast_op

EX = "ex03_tensor"
SWAPPED = "you swapped the gradients; each factor gets g times the other factor"
OF_SUM = "you gave both factors the gradient of a sum; a factor gets g times the other"
WITHOUT_G = "you left g out; the local derivative is multiplied by what comes from above"
SAME_POWER = "you kept the exponent; the derivative has a power one less"
WITHOUT_FACTOR = "you left out the factor n in front"

# unbroadcast


@mutant(
    EX, "unbroadcast", "you returned the gradient as it came; sum it until it has the shape asked"
)
def unbroadcast_nothing(grad, shape):
    return grad


@mutant(
    EX, "unbroadcast", "you summed the axes added in front, but not those stretched from size 1"
)
def unbroadcast_added_only(grad, shape):
    return grad.sum(tuple(range(grad.ndim - len(shape))))


@mutant(EX, "unbroadcast", "you summed the axes stretched from 1, but not those added in front")
def unbroadcast_stretched_only(grad, shape):
    added = grad.ndim - len(shape)
    axes = tuple(added + i for i in range(len(shape)) if shape[i] == 1)
    return grad.sum(axes, keepdims=True)


@mutant(EX, "unbroadcast", "you summed the stretched axis away; it must stay, with size 1")
def unbroadcast_axis_lost(grad, shape):
    added = grad.ndim - len(shape)
    stretched = (added + i for i in range(len(shape)) if shape[i] == 1 < grad.shape[added + i])
    return grad.sum((*range(added), *stretched))


@mutant(EX, "unbroadcast", "you took the mean; what was used many times collects the sum")
def unbroadcast_mean(grad, shape):
    added = grad.ndim - len(shape)
    axes = tuple(i for i in range(grad.ndim) if i < added or shape[i - added] == 1)
    return grad.mean(axes).reshape(shape)


@mutant(
    EX, "unbroadcast", "you lined the shapes up at the first axis; numpy lines up the last ones"
)
def unbroadcast_from_the_front(grad, shape):
    padded = (*shape, *[1] * (grad.ndim - len(shape)))
    axes = tuple(i for i in range(grad.ndim) if padded[i] == 1)
    return grad.sum(axes).reshape(shape)


@mutant(EX, "unbroadcast", "you stopped after one axis; every axis that was broadcast is summed")
def unbroadcast_one_axis(grad, shape):
    if grad.ndim > len(shape):
        return grad.sum(0)
    axes = [i for i in range(grad.ndim) if shape[i] == 1 < grad.shape[i]]
    return grad.sum(axes[0], keepdims=True) if axes else grad


@mutant(EX, "unbroadcast", "you kept one of the copies; their gradients are summed")
def unbroadcast_first_copy(grad, shape):
    added = grad.ndim - len(shape)
    first = tuple(0 if i < added else slice(shape[i - added]) for i in range(grad.ndim))
    return grad[first]


# backward


def first(self, grad):
    """The gradient that a walk starts with. Raises ValueError where one must be given."""
    if grad is None and self.data.size != 1:
        raise ValueError(f"backward() of shape {self.shape}: give the gradient from above")
    return np.full(self.shape, 1.0 if grad is None else grad, self.data.dtype)


def added(before, new):
    return np.array(new) if before is None else before + new


def shares_of(node, grad):
    return node.vjp(grad)


def is_leaf(place):
    """Whether a place in the graph is a leaf: a Tensor, which has no rule, and no node."""
    return not hasattr(place, "vjp")


def above(result):
    """A node that hands `result` the first gradient."""
    return Node([result.node or result], lambda grad: (grad,))


def walk(result, grad, arrived=added, kept=added, ask=shares_of):
    """The right walk, but for how gradients meet, in nodes and in leaves, and the asking."""
    root = above(result)
    grads, youngest = {root: grad}, [(-root.born, root)]
    while youngest:
        node = heappop(youngest)[1]
        asked = shares_of if node is root else ask
        for parent, share in zip(node.parents, asked(node, grads.pop(node))):
            if share is not None and parent not in grads and not is_leaf(parent):
                heappush(youngest, (-parent.born, parent))
            if share is not None:
                grads[parent] = arrived(grads.get(parent), share)
    for leaf, grad in grads.items():
        leaf.grad = kept(leaf.grad, grad)


@mutant(
    EX, "Tensor.backward", "you set a gradient that must be added to; a tensor used twice gets both"
)
def backward_assigns(self, grad=None):
    walk(self, first(self, grad), arrived=lambda before, new: new)


@mutant(
    EX, "Tensor.backward", "you replaced what the leaf had from before; a second walk adds to it"
)
def backward_forgets_the_last_walk(self, grad=None):
    walk(self, first(self, grad), kept=lambda before, new: np.array(new))


@mutant(EX, "Tensor.backward", "you gave a leaf an array that another one holds; it needs its own")
def backward_shares_arrays(self, grad=None):
    def arrived(before, new):
        return new if before is None else before + new

    walk(self, first(self, grad), arrived, kept=arrived)


@mutant(EX, "Tensor.backward", "you changed an array in place that others hold; make a new sum")
def backward_adds_in_place(self, grad=None):
    def arrived(before, new):
        if before is not None:
            before += new
        return new if before is None else before

    walk(self, first(self, grad), arrived)


@mutant(
    EX,
    "Tensor.backward",
    "a leaf adds into its own array, which others may hold: grad = grad + g makes a new one",
)
def backward_adds_into_the_leafs_array(self, grad=None):
    def kept(before, new):
        return np.array(new) if before is None else np.add(before, new, out=before)

    walk(self, first(self, grad), kept=kept)


@mutant(EX, "Tensor.backward", "you started from 1 everywhere; start from the gradient from above")
def backward_ignores_above(self, grad=None):
    walk(self, np.ones_like(first(self, grad)))


@mutant(EX, "Tensor.backward", "you took 1 for every element; only one element needs no gradient")
def backward_never_refuses(self, grad=None):
    walk(self, np.ones_like(self.data) if grad is None else grad)


@mutant(
    EX, "Tensor.backward", "you started from a bare 1; the gradient has the shape of the result"
)
def backward_starts_without_a_shape(self, grad=None):
    start = first(self, grad)
    walk(self, start if grad is not None else start.reshape(()))


@mutant(EX, "Tensor.backward", "you started from a float64; the first gradient has self's own type")
def backward_starts_in_float64(self, grad=None):
    walk(self, first(self, grad).astype(np.float64))


@mutant(EX, "Tensor.backward", "you handed 1 to a vjp; hand it the gradient that the node received")
def backward_forgets_the_chain(self, grad=None):
    def ask(node, grad):
        return node.vjp(grad if node is self.node else np.ones_like(grad))

    walk(self, first(self, grad), ask=ask)


@mutant(EX, "Tensor.backward", "you handed 1 to a vjp; hand it the gradient that the node received")
def backward_forgets_what_is_above(self, grad=None):
    walk(self, first(self, grad), ask=lambda node, grad: node.vjp(np.ones_like(grad)))


@mutant(
    EX, "Tensor.backward", "you let a node hand on before all had come; what came later is lost"
)
def backward_hands_on_too_early(self, grad=None):
    waiting, done = [(above(self), first(self, grad))], set()
    while waiting:
        node, grad = waiting.pop(0)
        if is_leaf(node):
            node.grad = added(node.grad, grad)
        elif node not in done:
            done.add(node)
            shares = zip(node.parents, node.vjp(grad))
            waiting += [(parent, share) for parent, share in shares if share is not None]


@mutant(
    EX,
    "Tensor.backward",
    "you handed on again for each path; a node waits for all: the youngest first, by -born",
)
def backward_walks_every_path(self, grad=None):
    waiting = [(above(self), first(self, grad))]
    while waiting:
        node, grad = waiting.pop()
        if is_leaf(node):
            node.grad = added(node.grad, grad)
        else:
            shares = zip(node.parents, node.vjp(grad))
            waiting += [(parent, share) for parent, share in shares if share is not None]


@mutant(EX, "Tensor.backward", "you called a function for every step of depth; it takes a loop")
def backward_by_recursion(self, grad=None):
    order, seen = [], set()

    def visit(node):
        if node not in seen:
            seen.add(node)
            for parent in () if is_leaf(node) else node.parents:
                visit(parent)
            order.append(node)

    root = above(self)
    visit(root)
    grads = {root: first(self, grad)}
    for node in reversed(order):
        grad = grads.pop(node, None)
        if grad is not None and is_leaf(node):
            node.grad = added(node.grad, grad)
        elif grad is not None:
            for parent, share in zip(node.parents, node.vjp(grad)):
                if share is not None:
                    grads[parent] = added(grads.get(parent), share)


@mutant(EX, "Tensor.backward", "you made zeros of a share of None; what nothing reaches keeps None")
def backward_makes_zeros_of_none(self, grad=None):
    def ask(node, grad):
        shares = zip(node.parents, node.vjp(grad))
        zeros = (np.zeros(getattr(p, "shape", grad.shape), grad.dtype) for p in node.parents)
        return [zero if share is None else share for zero, (_p, share) in zip(zeros, shares)]

    walk(self, first(self, grad), ask=ask)


@mutant(EX, "Tensor.backward", "you did arithmetic with a share of None; skip it, nothing arrives")
def backward_adds_none(self, grad=None):
    walk(self, first(self, grad), ask=lambda node, grad: [share + 0 for share in node.vjp(grad)])


@mutant(EX, "Tensor.backward", "you kept one share a parent; one that was used twice gets two")
def backward_one_share_a_parent(self, grad=None):
    def ask(node, grad):
        last = {parent: index for index, parent in enumerate(node.parents)}
        shares = zip(node.parents, node.vjp(grad))
        return [share if last[p] == i else None for i, (p, share) in enumerate(shares)]

    walk(self, first(self, grad), ask=ask)


@mutant(EX, "Tensor.backward", "you stopped at the first parents; walk on until the leaves")
def backward_one_step(self, grad=None):
    node = self.node or above(self)
    for parent, share in zip(node.parents, node.vjp(first(self, grad))):
        if share is not None and is_leaf(parent):
            parent.grad = added(parent.grad, share)


# arithmetic


def tensor(self, other):
    """`other` as a tensor of self's class, in its own type."""
    return other if isinstance(other, type(self)) else type(self)(other)


@mutant(
    EX, "Tensor.__add__", "you did not sum the gradient back to the shape of what was broadcast"
)
def add_not_summed_back(self, other):
    other = tensor(self, other)
    return Tensor.op(self.data + other.data, (self, other), lambda g: (g, g))


@mutant(
    EX, "Tensor.__mul__", "you did not sum the gradient back to the shape of what was broadcast"
)
def mul_not_summed_back(self, other):
    other = tensor(self, other)
    local = self.data, other.data
    return Tensor.op(local[0] * local[1], (self, other), lambda g: (g * local[1], g * local[0]))


@mutant(EX, "Tensor.__add__", "you gave the gradient to self alone; both are added, so both get it")
def add_for_self_alone(self, other):
    return broadcast_op(np.add, self, other, lambda g, a, b: (g, np.zeros_like(g)))


@mutant(EX, "Tensor.__add__", "you halved the gradient; each of two terms moves the sum 1 for 1")
def add_halves(self, other):
    return broadcast_op(np.add, self, other, lambda g, a, b: (g / 2, g / 2))


@mutant(EX, "Tensor.__mul__", SWAPPED)
def mul_swapped(self, other):
    return broadcast_op(np.multiply, self, other, lambda g, a, b: (g * a, g * b))


@mutant(EX, "Tensor.__mul__", WITHOUT_G)
def mul_without_g(self, other):
    return broadcast_op(np.multiply, self, other, lambda g, a, b: (b + 0 * g, a + 0 * g))


@mutant(EX, "Tensor.__mul__", WITHOUT_G)
def mul_without_g_in_its_own_shape(self, other):
    return broadcast_op(np.multiply, self, other, lambda g, a, b: (b, a))


def summed_as_far_as_it_goes(grad, shape):
    """unbroadcast, of a loop for each of its two steps: what has too few axes stays as it is."""
    while grad.ndim > len(shape):
        grad = grad.sum(0)
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(axis, keepdims=True)
    return grad


@mutant(EX, "Tensor.__mul__", WITHOUT_G)
def mul_without_g_in_any_shape(self, other):
    other = tensor(self, other if isinstance(other, Tensor) else np.array(other, self.data.dtype))
    a, b = self.data, other.data
    shares = summed_as_far_as_it_goes
    return Tensor.op(a * b, (self, other), lambda g: (shares(b, a.shape), shares(a, b.shape)))


@mutant(EX, "Tensor.__mul__", "you made a number float64; beside a float32 tensor it takes float32")
def mul_in_float64(self, other):
    return broadcast_op(np.multiply, self, tensor(self, other), lambda g, a, b: (g * b, g * a))


@mutant(
    EX, "Tensor.__mul__", "keep=False hands your vjp None for both factors; a product's needs them"
)
def mul_keeps_nothing(self, other):
    vjp = lambda g, a, b: (g * b, g * a)  # noqa: E731
    return broadcast_op(np.multiply, self, other, vjp, keep=False)


@mutant(EX, "Tensor.__mul__", OF_SUM)
def mul_like_add(self, other):
    return broadcast_op(np.multiply, self, other, lambda g, a, b: (g, g))


@mutant(EX, "Tensor.__pow__", SAME_POWER)
def pow_same_exponent(self, n):
    return Tensor.op(self.data**n, (self,), lambda g: (g * n * self.data**n,))


@mutant(EX, "Tensor.__pow__", WITHOUT_FACTOR)
def pow_without_n(self, n):
    return Tensor.op(self.data**n, (self,), lambda g: (g * self.data ** (n - 1),))


@mutant(EX, "Tensor.__pow__", WITHOUT_G)
def pow_without_g(self, n):
    return Tensor.op(self.data**n, (self,), lambda g: (n * self.data ** (n - 1),))


@mutant(
    EX, "Tensor.exp", "you left g out; the local derivative is multiplied by what comes from above"
)
def exp_without_g(self):
    y = np.exp(self.data)
    return Tensor.op(y, (self,), lambda g: (y,))


@mutant(EX, "Tensor.exp", "you used the rule for powers; e ** x is its own derivative")
def exp_like_a_power(self):
    y = np.exp(self.data)
    return Tensor.op(y, (self,), lambda g: (g * self.data * y / np.e,))


@mutant(EX, "Tensor.exp", "you made a tensor without a history; make the node with Tensor.op")
def exp_not_recorded(self):
    return Tensor(np.exp(self.data))


@mutant(EX, "Tensor.exp", "you wrote the result into the input; an operation makes a new array")
def exp_in_place(self):
    y = np.exp(self.data, out=self.data)
    return Tensor.op(y, (self,), lambda g: (g * y,))


@mutant(EX, "Tensor.log", "you multiplied by the input; the derivative of log is one divided by it")
def log_multiplies(self):
    return Tensor.op(np.log(self.data), (self,), lambda g: (g * self.data,))


@mutant(EX, "Tensor.log", "you took another base; it is the natural logarithm that is meant")
def log_base_2(self):
    return Tensor.op(np.log2(self.data), (self,), lambda g: (g / self.data / np.log(2),))


@mutant(
    EX, "Tensor.log", "you divided by the result; the derivative of log is one divided by the input"
)
def log_by_the_result(self):
    y = np.log(self.data)
    return Tensor.op(y, (self,), lambda g: (g / y,))


@mutant(EX, "Tensor.__neg__", "you turned the sign of the value, but not that of the gradient")
def neg_gradient_kept(self):
    return Tensor.op(-self.data, (self,), lambda g: (g,))


@mutant(EX, "Tensor.__sub__", "you took self from other; a - b takes other from self")
def sub_reversed(self, other):
    return self * -1 + other


@mutant(EX, "Tensor.__sub__", "you gave both the same gradient; a - b falls when b grows")
def sub_like_add(self, other):
    return broadcast_op(np.subtract, self, other, lambda g, a, b: (g, g))


@mutant(EX, "Tensor.__truediv__", "you divided other by self; a / b divides self by other")
def div_reversed(self, other):
    return self**-1.0 * other


@mutant(EX, "Tensor.__sub__", "you swapped the signs: a - b rises with a, and falls when b grows")
def sub_swapped(self, other):
    return broadcast_op(np.subtract, self, other, lambda g, a, b: (-g, g))


@mutant(EX, "Tensor.__truediv__", "you swapped the gradients of a / b: a gets g / b")
def div_swapped(self, other):
    return broadcast_op(np.divide, self, other, lambda g, a, b: (-g * a / b**2, g / b))


@mutant(
    EX,
    "Tensor.__truediv__",
    "you forgot the square: in a / b, b gets g times minus a over b squared",
)
def div_without_the_square(self, other):
    return broadcast_op(np.divide, self, other, lambda g, a, b: (g / b, -g * a / b))


@mutant(EX, "Tensor.__truediv__", "you lost a sign: a / b falls when b grows")
def div_without_the_sign(self, other):
    return broadcast_op(np.divide, self, other, lambda g, a, b: (g / b, g * a / b**2))


@mutant(EX, "Tensor.__truediv__", "you forgot a in the gradient of b; it is minus a over b squared")
def div_denominator_forgets_a(self, other):
    return broadcast_op(np.divide, self, other, lambda g, a, b: (g / b, -g / b**2))


@mutant(
    EX,
    "Tensor.__truediv__",
    "you divided by plain numbers; other is a tensor and gets a gradient too",
)
def div_by_a_constant(self, other):
    return self * (1 / other.data if isinstance(other, Tensor) else 1 / other)


# products and powers, where -a, a - b and a / b are right in nodes of their own


def neg_node(self):
    return Tensor.op(-self.data, (self,), lambda g: (-g,))


def sub_node(self, other):
    return broadcast_op(np.subtract, self, other, lambda g, a, b: (g, -g))


def div_node(self, other):
    return broadcast_op(np.divide, self, other, lambda g, a, b: (g / b, -g * a / b**2))


OWN_NODES = {
    "Tensor.__neg__": neg_node,
    "Tensor.__sub__": sub_node,
    "Tensor.__truediv__": div_node,
}


@mutant(EX, "Tensor.__mul__", SWAPPED, beside=OWN_NODES)
def mul_alone_swapped(self, other):
    return broadcast_op(np.multiply, self, other, lambda g, a, b: (g * a, g * b))


@mutant(EX, "Tensor.__mul__", OF_SUM, beside=OWN_NODES)
def mul_alone_like_add(self, other):
    return broadcast_op(np.multiply, self, other, lambda g, a, b: (g, g))


@mutant(EX, "Tensor.__mul__", WITHOUT_G, beside=OWN_NODES)
def mul_alone_without_g(self, other):
    return broadcast_op(np.multiply, self, other, lambda g, a, b: (b, a))


@mutant(EX, "Tensor.__pow__", SAME_POWER, beside=OWN_NODES)
def pow_alone_same_exponent(self, n):
    return Tensor.op(self.data**n, (self,), lambda g: (g * n * self.data**n,))


@mutant(EX, "Tensor.__pow__", WITHOUT_FACTOR, beside=OWN_NODES)
def pow_alone_without_n(self, n):
    return Tensor.op(self.data**n, (self,), lambda g: (g * self.data ** (n - 1),))


@mutant(EX, "Tensor.__pow__", WITHOUT_G, beside=OWN_NODES)
def pow_alone_without_g(self, n):
    return Tensor.op(self.data**n, (self,), lambda g: (n * self.data ** (n - 1),))


# matmul


@mutant(EX, "Tensor.__matmul__", "you multiplied element by element; @ takes rows times columns")
def matmul_by_elements(self, other):
    return self * other


@mutant(
    EX,
    "Tensor.__matmul__",
    "you left the matrices as they were; the gradients need them transposed",
)
def matmul_without_transposes(self, other):
    return broadcast_op(np.matmul, self, other, lambda g, a, b: (g @ b, a @ g))


@mutant(
    EX, "Tensor.__matmul__", "you turned the whole stack round; transpose the last two axes only"
)
def matmul_all_axes_turned(self, other):
    return broadcast_op(np.matmul, self, other, lambda g, a, b: (g @ b.T, a.T @ g))


@mutant(EX, "Tensor.__matmul__", "you put g on the wrong side; matrix products do not commute")
def matmul_wrong_side(self, other):
    return broadcast_op(np.matmul, self, other, lambda g, a, b: (b.mT @ g, g @ a.mT))


@mutant(
    EX, "Tensor.__matmul__", "you swapped the two gradients; a's is made with b, and b's with a"
)
def matmul_swapped(self, other):
    return broadcast_op(np.matmul, self, other, lambda g, a, b: (a.mT @ g, g @ b.mT))


@mutant(
    EX, "Tensor.__matmul__", "you did not sum the gradient of a matrix that a whole stack shares"
)
def matmul_not_summed_back(self, other):
    a, b = self.data, other.data
    return Tensor.op(a @ b, (self, other), lambda g: (g @ b.mT, a.mT @ g))


@mutant(
    EX, "Tensor.__matmul__", "you used np.dot, which pairs every matrix of a stack with every other"
)
def matmul_dot(self, other):
    return broadcast_op(np.dot, self, other, lambda g, a, b: (g @ b.mT, a.mT @ g))


@mutant(EX, "Tensor.__matmul__", "you turned the right matrix first; @ takes it as it stands")
def matmul_right_turned(self, other):
    def f(a, b):
        return a @ b.mT

    return broadcast_op(f, self, other, lambda g, a, b: (g @ b, g.mT @ a))


# reductions


def sum_node(self, axis, keepdims, vjp):
    return self.op(self.data.sum(axis=axis, keepdims=keepdims), (self,), vjp)


@mutant(
    EX,
    "Tensor.sum",
    "you gave every element 1; each gets the gradient of the sum that it went into",
)
def sum_without_g(self, axis=None, keepdims=False):
    return sum_node(self, axis, keepdims, lambda g: (np.ones_like(self.data),))


@mutant(EX, "Tensor.sum", "you did not put the summed axes back before the gradient was repeated")
def sum_axes_not_put_back(self, axis=None, keepdims=False):
    return sum_node(self, axis, keepdims, lambda g: (np.broadcast_to(g, self.shape),))


@mutant(
    EX, "Tensor.sum", "you put the missing axis back at the end; it belongs where it was summed"
)
def sum_axis_put_last(self, axis=None, keepdims=False):
    def vjp(g):
        while g.ndim < self.data.ndim:
            g = g[..., None]
        return (np.broadcast_to(g, self.shape),)

    return sum_node(self, axis, keepdims, vjp)


@mutant(EX, "Tensor.sum", "you put axes back that keepdims had kept")
def sum_axis_put_back_twice(self, axis=None, keepdims=False):
    def vjp(g):
        g = g if axis is None else np.expand_dims(g, axis)
        return (np.broadcast_to(g, self.shape),)

    return sum_node(self, axis, keepdims, vjp)


@mutant(EX, "Tensor.sum", "you dropped keepdims; with it the summed axis stays, with size 1")
def sum_drops_keepdims(self, axis=None, keepdims=False):
    def vjp(g):
        return (np.broadcast_to(g if axis is None else np.expand_dims(g, axis), self.shape),)

    return sum_node(self, axis, False, vjp)


@mutant(EX, "Tensor.sum", "you summed everything; with an axis given, only that axis is summed")
def sum_of_all(self, axis=None, keepdims=False):
    return sum_node(self, None, keepdims, lambda g: (np.broadcast_to(g, self.shape),))


@mutant(
    EX, "Tensor.mean", "you divided by the number of all elements; divide by how many were summed"
)
def mean_over_all(self, axis=None, keepdims=False):
    return self.sum(axis, keepdims) * (1 / self.data.size)


@mutant(
    EX, "Tensor.mean", "you divided by the length of the first axis; divide by how many were summed"
)
def mean_over_the_first_axis(self, axis=None, keepdims=False):
    return self.sum(axis, keepdims) * (1 / self.shape[0] if self.shape else 1.0)


@mutant(
    EX,
    "Tensor.mean",
    "you divided by one axis; over several axes divide by the product of their sizes",
)
def mean_over_one_of_the_axes(self, axis=None, keepdims=False):
    last = axis[-1] if isinstance(axis, tuple) else axis
    count = self.data.size if last is None else self.shape[last]
    return self.sum(axis, keepdims) * (1 / count)


@mutant(EX, "Tensor.mean", "you returned the sum; the mean divides it by how many were summed")
def mean_not_divided(self, axis=None, keepdims=False):
    return self.sum(axis, keepdims)


@mutant(
    EX,
    "Tensor.mean",
    "you divided the value but not the gradient; each element moves the mean less",
)
def mean_gradient_not_divided(self, axis=None, keepdims=False):
    total = self.sum(axis, keepdims)
    return Tensor.op(self.data.mean(axis=axis, keepdims=keepdims), (total,), lambda g: (g,))


@mutant(EX, "Tensor.mean", "you dropped keepdims; hand it on to the sum")
def mean_drops_keepdims(self, axis=None, keepdims=False):
    total = self.sum(axis)
    return total * (total.data.size / self.data.size)


# shaping


@mutant(
    EX, "Tensor.reshape", "you read the numbers column by column; reshape keeps the reading order"
)
def reshape_by_columns(self, *shape):
    y = self.data.reshape(*shape, order="F")
    return Tensor.op(y, (self,), lambda g: (g.reshape(self.shape, order="F"),))


@mutant(
    EX, "Tensor.reshape", "you handed the gradient on in the new shape; give it the old one back"
)
def reshape_gradient_as_it_is(self, *shape):
    return Tensor.op(self.data.reshape(*shape), (self,), lambda g: (g,))


RESHAPED = (
    "you reshaped self itself; the result needs an array of its own: self.data.reshape(*shape)"
)


@mutant(EX, "Tensor.reshape", RESHAPED)
def reshape_in_place(self, *shape):
    self.data = self.data.reshape(*shape)
    return Tensor.op(self.data, (self,), lambda g: (g.reshape(self.shape),))


@mutant(EX, "Tensor.reshape", RESHAPED)
def reshape_in_place_and_back(self, *shape):
    before, self.data = self.shape, self.data.reshape(*shape)
    return Tensor.op(self.data, (self,), lambda g: (g.reshape(before),))


@mutant(EX, "Tensor.reshape", "you put the gradient back column by column; keep the reading order")
def reshape_gradient_by_columns(self, *shape):
    y = self.data.reshape(*shape)
    return Tensor.op(y, (self,), lambda g: (g.reshape(self.shape, order="F"),))


def transposed(self, axes, back):
    axes = [axis % self.data.ndim for axis in axes] or range(self.data.ndim)[::-1]
    return self.op(self.data.transpose(axes), (self,), lambda g: (g.transpose(back(axes)),))


@mutant(
    EX,
    "Tensor.transpose",
    "you used the same order for the gradient; it goes back by the inverse one",
)
def transpose_same_order_back(self, *axes):
    return transposed(self, axes, list)


@mutant(EX, "Tensor.transpose", "you sorted axes that count from the back; count them from 0 first")
def transpose_negative_axes(self, *axes):
    y = self.data.transpose(axes or None)
    axes = axes or range(self.data.ndim)[::-1]
    return Tensor.op(y, (self,), lambda g: (g.transpose(np.argsort(axes)),))


@mutant(EX, "Tensor.transpose", "you swapped the last two axes; without arguments all are reversed")
def transpose_default_swaps_two(self, *axes):
    n = self.data.ndim
    return transposed(
        self, axes or (*range(n - 2), *range(n)[: -3 if n > 2 else None : -1]), np.argsort
    )


@mutant(EX, "Tensor.transpose", "you always reversed the axes; take them in the order given")
def transpose_always_reversed(self, *axes):
    return transposed(self, (), np.argsort)


@mutant(
    EX,
    "Tensor.transpose",
    "you reshaped to the new sizes; that tears rows apart, transpose moves them",
)
def transpose_by_reshape(self, *axes):
    shape = self.data.transpose(axes or None).shape
    return Tensor.op(self.data.reshape(shape), (self,), lambda g: (g.reshape(self.shape),))


def picked(self, index, put, like=np.zeros_like):
    def vjp(g):
        grad = like(self.data)
        put(grad, index, g)
        return (grad,)

    return self.op(self.data[index], (self,), vjp)


def put(grad, index, g):
    grad[index] = g


@mutant(
    EX,
    "Tensor.__getitem__",
    "what was picked twice keeps only its last gradient: grad[index] = g, or +=, does not add up",
)
def getitem_assigns(self, index):
    return picked(self, index, put)


@mutant(
    EX,
    "Tensor.__getitem__",
    "you handed on g in its own shape; it belongs at its place among zeros",
)
def getitem_gradient_as_it_is(self, index):
    return Tensor.op(self.data[index], (self,), lambda g: (g,))


@mutant(EX, "Tensor.__getitem__", "you gave what was picked 1; it gets the gradient from above")
def getitem_without_g(self, index):
    return picked(self, index, lambda grad, index, g: np.add.at(grad, index, 1.0))


@mutant(EX, "Tensor.__getitem__", "you began with ones; what was not picked gets 0")
def getitem_among_ones(self, index):
    return picked(self, index, np.add.at, like=np.ones_like)


@mutant(
    EX, "Tensor.__getitem__", "you made zeros of float64; the gradient has the type of the tensor"
)
def getitem_in_float64(self, index):
    return picked(self, index, np.add.at, like=lambda x: np.zeros(x.shape))


@mutant(
    EX,
    "Tensor.__getitem__",
    "no gradient comes back: make the node with Tensor.op; a vjp returns an array, np.add.at None",
)
def getitem_not_recorded(self, index):
    return Tensor(self.data[index])


@mutant(EX, "Tensor.__pow__", "you wrote into g; others hold it too, so make an array of your own")
def pow_writes_into_g(self, n):
    def vjp(g):
        if not g.flags.writeable:
            g = g.copy()
        g *= n * self.data ** (n - 1)
        return (g,)

    return Tensor.op(self.data**n, (self,), vjp)


@mutant(
    EX,
    "Tensor.__truediv__",
    "an integer array cannot have the power -1; -1.0 makes floats of its numbers",
)
def truediv_by_an_integer_power(self, other):
    return self * other**-1


@mutant(
    EX,
    "Tensor.__matmul__",
    "in a stack of one matrix you turned the stack as well; swap the last two axes alone",
)
def matmul_turns_a_stack_of_one(self, other):
    def turned(b):
        return b.T if len(b) == 1 else b.mT

    return broadcast_op(np.matmul, self, other, lambda g, a, b: (g @ turned(b), a.mT @ g))


@mutant(
    EX,
    "Tensor.reshape",
    "you read the numbers as they lie in memory; after a transpose that is another order",
)
def reshape_in_memory_order(self, *shape):
    y = self.data.ravel(order="K").reshape(*shape)
    return Tensor.op(y, (self,), lambda g: (g.reshape(self.shape),))


@mutant(
    EX,
    "Tensor.transpose",
    "of two axes you always swap both; transpose(0, 1) leaves them where they are",
)
def transpose_always_swaps_two(self, *axes):
    axes = [axis % self.data.ndim for axis in axes] or range(self.data.ndim)[::-1]
    axes = axes if len(axes) > 2 else range(self.data.ndim)[::-1]
    y = self.data.transpose(axes)
    return Tensor.op(y, (self,), lambda g: (g.transpose(np.argsort(axes)),))
