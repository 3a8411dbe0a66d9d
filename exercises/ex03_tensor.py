"""Exercise 3: autograd on arrays.

Exercise 2 made a Value for every number. A GPT multiplies millions of them, and Python needs a
microsecond to make each one. So now one node holds a whole array, and numpy does the arithmetic.
The idea stays: remember the inputs, know the local rule, walk back.

Here is exercise 2's example again, d = a * b + a, with arrays:

    a = [2, 5]   b = [3, 4]        d = a * b + a = [8, 25]

Local derivatives would now be matrices (each of 2 results by each of 2 inputs), but nobody needs
them. All that the walk back asks is: *given the gradient of the result, what is the gradient of
each input?* The function that answers is called the vector-Jacobian product, vjp, and it is short:

    d = c + a     vjp: g -> (g, g)             g = [1, 1]    c gets [1, 1], a gets [1, 1]
    c = a * b     vjp: g -> (g * b, g * a)     g = [1, 1]    a gets [3, 4], b gets [2, 5]
                                               a.grad = [1, 1] + [3, 4] = [4, 5] = b + 1

One thing is new. numpy *broadcasts*: shapes are lined up at their last axis, and an axis of size 1
(or a missing one) is repeated to fit. What was used many times collects many gradients:

    x (2, 3)   [[1, 2, 3],          y = x + b             g = [[1, 2, 3],
                [4, 5, 6]]              [[11, 22, 33],         [4, 5, 6]]
    b    (3,)  [10, 20, 30]              [14, 25, 36]]
                                                          b used twice: b's gradient is the
    b is used once for each row                           column sum [5, 7, 9], shape (3,)

`unbroadcast` is that column sum in general: it sums g over every axis that broadcasting added or
stretched, so that it has b's shape again. Forgetting it is the most common mistake of all.

    MicroGPT                                   here
    Value, one number                          Tensor, one array
    local_grads, a number for each child       vjp, a function for all parents
    v.grad starts at 0                         t.grad starts at None

Read more: Baydin et al. 2018, "Automatic differentiation in machine learning: a survey", section 3.2.
"""

from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count

import numpy as np


def unbroadcast(grad, shape):
    """Sum `grad` over the axes that broadcasting added or stretched, so that it has `shape` again.

    grad (any shape that `shape` broadcasts to) -> array of `shape`
    (2, 3) to (3,): sum over axis 0.  (2, 3) to (2, 1): sum over axis 1, and keep the axis.
    """
    # TODO 1  axes that were added in front: sum them away            (2, 3) -> (3,)
    # TODO 2  axes of size 1 that were stretched: sum, keep the axis  (2, 3) -> (2, 1)
    raise NotImplementedError("TODO unbroadcast")


def broadcast_op(f, a, b, vjp):
    """The node f(a, b), for a numpy function f that broadcasts, such as np.add. Given.

    a is a Tensor; b a Tensor, an array, or a number (which takes a's type, so float32 stays float32).
    vjp(g, a, b), with a and b as arrays, returns their two gradients as if nothing had been broadcast;
    each is summed back to its shape here. a + b is broadcast_op(np.add, a, b, lambda g, a, b: (g, g)).
    """
    if not isinstance(b, Tensor):
        b = Tensor(np.asarray(b, a.data.dtype if isinstance(b, (int, float)) else None))
    shapes = a.shape, b.shape

    def summed(g):
        return tuple(map(unbroadcast, vjp(g, a.data, b.data), shapes))

    return Tensor.op(f(a.data, b.data), (a, b), summed)


class Tensor:
    """An array that remembers how it was made.

    data   the array: float32 stays float32, everything else becomes float64
    grad   the gradient of the final result with respect to it: None, or an array of its shape
    parents, vjp   the Tensors it was made from, and the rule for their gradients; a leaf has none
    born   counts up from node to node: parents are always older than what is made from them
    """

    __array_ufunc__ = None  # so that array + tensor asks the tensor, not the array
    births = count()
    recording = True

    def __init__(self, data):
        data = np.asarray(data)
        self.data = data if data.dtype == np.float32 else data.astype(np.float64, copy=False)
        self.grad, self.parents, self.vjp, self.born = None, (), None, next(Tensor.births)

    @staticmethod
    def op(data, parents, vjp):
        """A new node: the result `data` of an operation on the Tensors `parents`.

        vjp(grad) gets the gradient of the result (an array of its shape, which it must not change)
        and returns one array for each parent, in that parent's shape, or None for "no gradient".
        """
        node = Tensor(data)
        if Tensor.recording:
            node.parents, node.vjp = parents, vjp
        return node

    @property
    def shape(self):
        return self.data.shape

    def __repr__(self):
        return f"Tensor({self.data})"

    # backward

    def backward(self, grad=None):
        """Add to `grad` of every leaf that self was made from: d self / d leaf, times `grad`.

        grad   the gradient of self, from above: an array of self's shape. Without it, self must
               hold one number, whose gradient is 1; else ValueError.

        A node may hand its gradient on only when it has received all of it. Exercise 2 put the whole
        graph in order first. Here is a shorter way: whatever was made from a node is younger than
        the node. So take, again and again, the youngest node that has a gradient to hand on. Nothing
        younger is left, so nothing can arrive any more.

        A tensor used twice gets both gradients, and a leaf adds them to what it has from before.
        Never change an array in place that somebody else may hold: a = a + b, not a += b.
        """
        # TODO 1  no grad given: 1, if self has one element
        # TODO 2  grads: {node: gradient so far}, and a heap of (-born, node); heappop gives the youngest
        # TODO 3  a leaf keeps its gradient, in an array of its own
        # TODO 4  any other node asks its vjp, and adds one share to each parent (unless it is None)
        raise NotImplementedError("TODO Tensor.backward")

    # arithmetic: tensors, arrays and numbers of any shapes that broadcast

    def __add__(self, other):
        """self + other: g -> (g, g)."""
        # TODO  broadcast_op with np.add
        raise NotImplementedError("TODO Tensor.__add__")

    def __mul__(self, other):
        """self * other, element by element: g -> (g * other, g * self)."""
        # TODO  broadcast_op with np.multiply
        raise NotImplementedError("TODO Tensor.__mul__")

    def __pow__(self, n):
        """self ** n for a constant number n: g -> g * n * self ** (n - 1)."""
        # TODO  Tensor.op with one parent; vjp returns a tuple of one: (..., )
        raise NotImplementedError("TODO Tensor.__pow__")

    def exp(self):
        """e ** self; the gradient needs only the result."""
        # TODO
        raise NotImplementedError("TODO Tensor.exp")

    def log(self):
        """The natural logarithm: g -> g / self."""
        # TODO
        raise NotImplementedError("TODO Tensor.log")

    def __neg__(self):
        """-self, from what you have."""
        # TODO
        raise NotImplementedError("TODO Tensor.__neg__")

    def __sub__(self, other):
        """self - other, from what you have."""
        # TODO
        raise NotImplementedError("TODO Tensor.__sub__")

    def __truediv__(self, other):
        """self / other, from what you have."""
        # TODO
        raise NotImplementedError("TODO Tensor.__truediv__")

    # Given: the reflected forms, for `2 + t` and the like, where the tensor stands on the right.

    __radd__, __rmul__ = __add__, __mul__

    def __rsub__(self, other):
        return self * -1 + other

    def __rtruediv__(self, other):
        return self**-1.0 * other

    # matrix product

    def __matmul__(self, other):
        """self @ other: matrices, or stacks of matrices whose leading axes broadcast.

            y = a @ b     g -> (g @ b^T, a^T @ g), each summed back to its own shape

        a (..., n, k), b (..., k, m) -> (..., n, m); vectors are not needed anywhere
        [[1, 2]] @ [[3], [4]] = [[11]]; with g = [[1]], a gets [[3, 4]] and b gets [[1], [2]].
        """
        # TODO  broadcast_op with np.matmul; ^T swaps the last two axes only, as b.mT does
        raise NotImplementedError("TODO Tensor.__matmul__")

    # reductions

    def sum(self, axis=None, keepdims=False):
        """The sum over `axis`: None for all, a number, or a tuple of numbers; negative ones count back.

        Each element reaches the sum once, so each gets the sum's gradient: g is repeated to self's
        shape. Where keepdims was False the summed axes are missing in g: put them back first.
        """

        # TODO  the node; np.expand_dims and np.broadcast_to help
        raise NotImplementedError("TODO Tensor.sum")

    def mean(self, axis=None, keepdims=False):
        """The mean over `axis`, from what you have: a sum, divided by how many were summed."""
        # TODO
        raise NotImplementedError("TODO Tensor.mean")

    # shaping: the numbers stay, so the gradient is put back in the old order

    def reshape(self, *shape):
        """The same numbers in another shape; one size may be -1, "what is left"."""
        # TODO
        raise NotImplementedError("TODO Tensor.reshape")

    def transpose(self, *axes):
        """The axes in another order: transpose(0, 2, 1) swaps the last two of three. None: reversed.

        The gradient needs the inverse order: np.argsort(axes) of axes counted from 0.
        """
        # TODO
        raise NotImplementedError("TODO Tensor.transpose")

    def __getitem__(self, index):
        """self[index], with whatever numpy takes: numbers, slices, arrays of numbers.

        The gradient is 0 but at `index`. An element picked twice gets both gradients: np.add.at.
        """

        # TODO
        raise NotImplementedError("TODO Tensor.__getitem__")


@contextmanager
def no_grad():
    """Inside `with no_grad():` no node remembers its parents: faster, for when nobody calls backward."""
    before, Tensor.recording = Tensor.recording, False
    try:
        yield
    finally:
        Tensor.recording = before
