"""Exercise 3: autograd on arrays.

Exercise 2 made a Value for every number. A GPT takes millions of them a step, and Python needs
about a microsecond to make each one. So now one node holds a whole array, and numpy does the
arithmetic. The idea stays: remember the inputs, know the local rule, walk back.

**numpy's words.** The *shape* of an array is its length along each *axis*: [[1, 2, 3], [4, 5, 6]]
is (2, 3), two rows of three; a single number has shape (). Axes are counted from 0, or from the
back: -1 is the last. To sum over an axis is to let it go: over axis 0, the rows, it leaves
[5, 7, 9]; over axis 1 it leaves [6, 15], or, with keepdims=True, [[6], [15]] of shape (2, 1).
float32 and float64 are types (*dtype*): numbers of about 7 digits and of 16.

**The example of exercise 2 again**, d = a * b + a, with arrays:

    a = [2, 5] ----+
                   * --- c = [6, 20] ---+
    b = [3, 4] ----+                    + --- d = [8, 25]
    a ----------------------------------+

There each operation kept a local derivative for each input, and the walk back multiplied: the
child's gradient is the local derivative times the result's gradient. Between arrays the local
derivative would be a matrix: how each of 2 results moves with each of 2 inputs. Nobody needs it.
All that the walk back asks is: *given the gradient g of the result, what is the gradient of each
input?* So an operation keeps a function that answers this, called the vector-Jacobian product, vjp.
It is short, for each element of the result is made from the elements at its own place alone:

    c = a * b     vjp: g -> (g * b, g * a)      local derivative times g, for a and for b
    d = c + a     vjp: g -> (g, g)              both local derivatives are 1

The walk back, with g = [1, 1] for d. It ends at *leaves*, nodes that were not made from anything:

    d  has [1, 1]             hands c [1, 1], and a [1, 1]
    c  has [1, 1]             hands a [1*3, 1*4] = [3, 4], and b [1*2, 1*5] = [2, 5]
    b  has [2, 5]             is a leaf: b.grad = [2, 5], which is a
    a  has [1, 1] + [3, 4]    is a leaf: a.grad = [4, 5], which is b + 1

The first column, a = 2 and b = 3, is exercise 2's example, number by number.

**How a node is made.** Tensor.op(result, parents, vjp) is given. A sine, say, which no GPT needs,
has the local derivative cos(x), and would be

    Tensor.op(np.sin(x.data), (x,), lambda g: (g * np.cos(x.data),))

x.data is x's array. *Parents* are what a node was made from: exercise 2 said children. Here is one
parent, so vjp returns a tuple of one, with its comma. Without the comma its first element would be
taken for the whole gradient.

The walk back asks for parents and vjp, never for a result's numbers. So the two stand apart: a
Tensor has the numbers, and a Node its place in the graph. Numbers that no vjp holds on to are free
again as soon as the next operation has read them: a third of what a step of training would hold.

**Broadcasting** is the one new thing. numpy lines shapes up at their last axis, and repeats an axis
of size 1, or a missing one, until it fits. What was used many times collects many gradients:

    x (2, 3)   [[1, 2, 3],        y = x + b                g = [[1, 2, 3],
                [4, 5, 6]]            [[11, 22, 33],            [4, 5, 6]]
    b    (3,)  [10, 20, 30]            [14, 25, 36]]
                                                           x gets g, as it is: (2, 3)
    b was added to both rows of x                          b gets the column sums [5, 7, 9]: (3,)

`unbroadcast` is that column sum in general: it sums g over every axis that was added or stretched,
so that it has b's shape again.

**The way through this file.** Six pieces, each checked by itself, in this order: `unbroadcast` (two
steps), `backward` (the engine, a dozen lines; the heart of it), then the operations: arithmetic,
`@`, sum and mean, and what changes shapes. Each of those is a line or two once you have its vjp.

What goes wrong most often: a gradient that was not summed back to its operand's shape; a gradient
set where it must be added to; g left out of a vjp; an array changed in place that others hold.

    microgpt.py, with Value                    here, with Tensor
    data, one number                           data, an array
    children                                   parents: the same, what it was made from
    local_grads, a number for each child       vjp, one function for all parents
    grad starts at 0                           grad starts at None: "nothing has arrived"
    linear(x, weight), a loop over the rows    x @ w, one node

Read more: Baydin et al. 2018, "Automatic differentiation in machine learning: a survey", sec. 3.2.
"""

from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count

import numpy as np


def unbroadcast(grad, shape):
    """Sum `grad` over the axes that broadcasting added or stretched, so that it has `shape` again.

    Shapes are lined up at the last axis. Whatever `grad` has more of in front was added; and where
    `shape` has a 1, it was stretched:

        grad  (5, 2, 3)                         grad [[1, 2, 3], [4, 5, 6]], of shape (2, 3):
        shape    (2, 1)                             to (3,)     [5, 7, 9]
               ^     ^                              to (2, 1)   [[6], [15]]
           added     stretched                      to ()       21

    grad   an array, of any shape that `shape` broadcasts to; its type stays
    shape  a tuple -> an array of that shape
    Which axis was added is a matter of place, not of size: (3, 3) to (3,) sums over axis 0.
    """
    # TODO 1  axes that were added in front: sum them away             (5, 2, 3) -> (2, 3)
    # TODO 2  axes of size 1 that were stretched: sum, keepdims           (2, 3) -> (2, 1)
    raise NotImplementedError("TODO unbroadcast")


def broadcast_op(f, a, b, vjp, keep=True):
    """The node f(a, b), for a numpy function f that broadcasts, such as np.add. Given.

    a is a Tensor; b a Tensor, an array, or a number or a mask of True and False (which take a's
    type: float32 stays float32).
    vjp(g, a, b), with a and b as arrays, returns their two gradients as if nothing had been
    broadcast; each is then summed back to its shape by your `unbroadcast`. The larger of two:

        broadcast_op(np.maximum, a, b, lambda g, a, b: (g * (a > b), g * (a <= b)))

    keep=False, for a vjp that looks at neither a nor b: it gets None for both, and their memory is
    free for others.
    """
    if not isinstance(b, Tensor):
        weak = isinstance(b, (int, float)) or np.asarray(b).dtype == bool
        b = Tensor(np.asarray(b, a.data.dtype if weak else None))
    shapes, ab = (a.shape, b.shape), (a.data, b.data) if keep else (None, None)
    return Tensor.op(f(a.data, b.data), (a, b), lambda g: [*map(unbroadcast, vjp(g, *ab), shapes)])


class Node:
    """The place of a result in the graph: all that the walk back needs, and none of its numbers.

    parents   the nodes of what it was made from; a leaf, which was not made from anything, has no
              node and stands here itself, a Tensor
    vjp       the rule for the parents' gradients
    born      counts up from node to node: parents are always older than what is made from them
    """

    births = count()

    def __init__(self, parents, vjp):
        self.parents, self.vjp, self.born = parents, vjp, next(Node.births)


class Tensor:
    """An array that remembers how it was made. Operations make new ones, and change no input.

    data   the array: float32 stays float32, everything else becomes float64, and so does a mixture
    grad   of a leaf: the gradient of the final result, None or an array of its shape
    node   its place in the graph; None for a leaf
    """

    __array_ufunc__ = None  # so that array + tensor asks the tensor, not the array
    recording = True

    def __init__(self, data):
        a = np.asarray(data)
        self.data = a if a.dtype == np.float32 else a.astype(float, casting="same_kind", copy=False)
        self.grad = self.node = None

    @staticmethod
    def op(data, parents, vjp):
        """A new Tensor: the result `data` of an operation on the Tensors of the tuple `parents`.

        vjp(grad) gets the gradient of the result (an array of its shape, which it must not change)
        and returns a tuple: for each parent one array of its shape, or None for "no gradient".
        """
        result = Tensor(data)
        if Tensor.recording:
            assert not isinstance(parents, Tensor), "parents: a tuple; of one with its comma, (x,)"
            result.node = Node([parent.node or parent for parent in parents], vjp)
        return result

    shape = property(lambda self: self.data.shape)

    def __repr__(self):
        return f"Tensor({self.data})"

    # backward

    def backward(self, grad=None):
        """Add to `grad` of every leaf that self was made from: d self / d leaf, times `grad`.

        grad   the gradient of self, from above: an array of self's shape. Without it, self must
               hold one number, whose gradient is 1; else ValueError.

        A node may hand its gradient on only when it has received all of it, and then does so once.
        Exercise 2 put the whole graph in order first. Here is a shorter way: whatever was made from
        a node is younger than the node. So take, again and again, the youngest node that has a
        gradient to hand on. Nobody younger is left, so nothing more can arrive for it. Leaves hand
        nothing on: theirs pile up until no node is left.

        d = a * b + a, as above: a and b are leaves; c = a * b was born first, then d = c + a.

            grads so far                                the youngest node
            d [1, 1]                                    d hands c [1, 1], a [1, 1]
            a [1, 1]            c [1, 1]                c hands a [3, 4], b [2, 5]
            a [4, 5], b [2, 5]                          no node is left: these are the leaves' own

        Who is youngest? A heap knows: a list into which heappush(heap, item) puts an item, and from
        which heappop(heap) takes the smallest, fast. Put in pairs (-born, node): the smallest is
        the youngest. Nodes alone: isinstance(parent, Node) tells them from leaves.

        A tensor used twice gets both gradients. A leaf adds them to the grad that it has from
        before; one that no gradient reaches keeps None. Add with a = a + b, never with a += b: that
        changes the array for everybody who holds it, and two parents may have been handed one. In a
        graph of float32 alone, the gradients are float32 too. The graph may be tens of thousands of
        nodes deep: a loop, no recursion. Nobody walks back over the same graph a second time.
        """
        root = Node([self.node or self], lambda g: (g,))  # above self: hands it the first gradient
        # TODO 1  the first gradient: `grad`, or 1 if self holds one number   self's shape and type
        # TODO 2  grads, {node or leaf: its gradient so far}, and the heap; root is in both
        # TODO 3  while the heap is not empty: take the youngest, and its gradient out of grads
        # TODO 4  ask its vjp for the parents' shares, and add each that is not None to what the
        #         parent has in grads; a node that is new to grads goes on the heap too
        # TODO 5  the leaves, which are all that is left in grads: add to their grad, in an array
        #         of their own
        raise NotImplementedError("TODO Tensor.backward")

    # arithmetic: tensors, arrays and numbers of any shapes that broadcast

    def __add__(self, other):
        """self + other: g -> (g, g).  [1, 2] + [10, 30] = [11, 32]."""
        # TODO  broadcast_op with np.add; the vjp needs neither operand: keep=False
        raise NotImplementedError("TODO Tensor.__add__")

    def __mul__(self, other):
        """self * other, element by element: g -> (g * other, g * self).

        [2, 5] * [3, 4] = [6, 20]; with g = [1, 10], self gets [3, 40] and other [2, 50].
        """
        # TODO  broadcast_op with np.multiply
        raise NotImplementedError("TODO Tensor.__mul__")

    def __pow__(self, n):
        """self ** n for a constant number n, not a Tensor: g -> g * n * self ** (n - 1).

        [2, -3] ** 3 = [8, -27]; with g = [1, 1], self gets [12, 27].
        """
        # TODO  Tensor.op with one parent, as for the sine above
        raise NotImplementedError("TODO Tensor.__pow__")

    def exp(self):
        """e ** self. It is its own derivative: y = exp(self) has g -> g * y.  [0] gives [1]."""
        # TODO 1  the result, kept for the gradient
        # TODO 2  the node
        raise NotImplementedError("TODO Tensor.exp")

    def log(self):
        """The natural logarithm: g -> g / self.  [1] gives [0]."""
        # TODO  the node
        raise NotImplementedError("TODO Tensor.log")

    def __neg__(self):
        """-self, from what you have: then its gradient is right by itself.  -[5, -7] = [-5, 7]."""
        # TODO  a product
        raise NotImplementedError("TODO Tensor.__neg__")

    def __sub__(self, other):
        """self - other, from what you have; other may be a number or an array too."""
        # TODO  a sum, of self and a product
        raise NotImplementedError("TODO Tensor.__sub__")

    def __truediv__(self, other):
        """self / other, from what you have; other may be a number or an array too."""
        # TODO  a product, of self and a power; -1.0, for numpy's integers refuse the power -1
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

        a (..., n, k), b (..., k, m) -> (..., n, m); vectors, with one axis, are not needed anywhere

        Why: take one row times one column, y = a1 b1 + a2 b2. Then a1 gets g b1 and a2 gets g b2: a
        gets g times b, laid down as a row, which is g @ b^T. And b gets g times a, stood up as a
        column, a^T @ g. For matrices every row meets every column, and the same two products add
        all that up. The shapes allow no other order: (n, m) @ (m, k) is (n, k), as a is.

        [[1, 2]] @ [[3], [4]] = [[11]]; with g = [[10]], a gets [[30, 40]] and b gets [[10], [20]].
        """
        # TODO  broadcast_op with np.matmul; ^T swaps the last two axes only, as b.mT does (not b.T)
        raise NotImplementedError("TODO Tensor.__matmul__")

    # reductions

    def sum(self, axis=None, keepdims=False):
        """The sum over `axis`: None for all, a number, or a tuple of numbers; -1 is the last axis.

        keepdims=True leaves the summed axes, with size 1: (2, 3) over axis 1 gives (2, 1).

        Each element moves its sum 1 for 1, so it gets that sum's gradient: g is repeated until it
        has self's shape. Where keepdims was False the summed axes are missing in g: put them back
        first, or g is repeated the wrong way.

            self (2, 3), axis 1, g = [10, 20] -> [[10], [20]] -> [[10, 10, 10], [20, 20, 20]]
        """

        # TODO 1  vjp: the missing axes put back (np.expand_dims), g repeated (np.broadcast_to)
        # TODO 2  the node of the sum
        raise NotImplementedError("TODO Tensor.sum")

    def mean(self, axis=None, keepdims=False):
        """The mean over `axis`, from what you have: the sum, divided by how many were summed.

        That is the size of self divided by the size of the sum: 6 numbers with 2 sums, 3 for each.
        [[1, 2, 3], [4, 5, 6]] over axis 1 gives [2, 5].
        """
        # TODO 1  the sum
        # TODO 2  the sum times a number: its gradient comes by itself
        raise NotImplementedError("TODO Tensor.mean")

    # shaping: the numbers stay what they are, so each gradient only has to find its way home

    def reshape(self, *shape):
        """The same numbers, in reading order, in another shape; one size may be -1, "what is left".

        [[1, 2, 3], [4, 5, 6]].reshape(3, 2) is [[1, 2], [3, 4], [5, 6]]. The gradient goes back
        into self's shape in the same way.
        """
        # TODO  the node; vjp  (3, 2) -> (2, 3)
        raise NotImplementedError("TODO Tensor.reshape")

    def transpose(self, *axes):
        """The axes in another order: transpose(0, 2, 1) swaps the last two of three.

        Without axes all are reversed. They may be counted from the back: -1 is the last. The
        gradient needs the inverse order:

            transpose(1, 2, 0) makes (2, 3, 4) a (3, 4, 2)    axis 0 has moved to the end
            transpose(2, 0, 1) makes (3, 4, 2) a (2, 3, 4)    and back again

        np.argsort([1, 2, 0]) is [2, 0, 1]: where each axis has gone. It needs axes counted from 0.
        """
        # TODO 1  axes, all counted from 0; reversed if there are none
        # TODO 2  the node; vjp transposes by the inverse order
        raise NotImplementedError("TODO Tensor.transpose")

    def __getitem__(self, index):
        """self[index], with whatever numpy takes: numbers, slices, arrays of numbers, masks.

        The gradient is 0 everywhere but at `index`. An element picked twice gets both gradients;
        grad[index] += g would keep only one of them, np.add.at(grad, index, g) adds them all.

            [5, 6, 7][[0, 0, 2]] is [5, 5, 7]; with g = [1, 2, 3], self gets [3, 0, 3]
        """

        # TODO 1  vjp: zeros of self's shape and type, g added at index
        # TODO 2  the node
        raise NotImplementedError("TODO Tensor.__getitem__")


@contextmanager
def no_grad():
    """Inside `with no_grad():` no node remembers its parents: faster where nobody walks back."""
    before, Tensor.recording = Tensor.recording, False
    try:
        yield
    finally:
        Tensor.recording = before
