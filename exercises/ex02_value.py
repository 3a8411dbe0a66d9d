"""Exercise 2: autograd, one number at a time.

Training needs to know, for every weight, whether the loss would rise or fall if that weight grew a
little: the derivative of the loss. Nobody works it out on paper. Instead each number remembers how
it was made, and the chain rule walks back along that memory. That is all of autograd.

Each operation knows its *local* derivatives: how its result moves when one input moves alone.

    c = a * b        dc/da = b     dc/db = a
    c = a + b        dc/da = 1     dc/db = 1

and the chain rule multiplies them along every path, and adds up where paths meet:

    a = 2,  b = 3
                        grad of d = 1
    a -----+                             d = c + a
           * --- c = 6 ---+              d moves 1 for 1 with c:          c.grad = 1
    b -----+              + --- d = 8    b reaches d through c alone:     b.grad = 1 * a = 2
    a --------------------+              a reaches d twice: through c (1 * b = 3) and directly (1):
                                                                          a.grad = 3 + 1 = 4

Check it by hand: d = a*b + a, so dd/da = b + 1 = 4 and dd/db = a = 2.

What goes wrong most often: *setting* a gradient where it must be *added to*. `a` above is used
twice; whoever writes `a.grad = ...` keeps only the last path.

In MicroGPT this is the class `Value`, line for line, but for one thing: its `backward` calls itself
once for each step of depth, and Python stops that at about a thousand. Yours will not.
Read more: Karpathy, micrograd; Baydin et al. 2018, "Automatic differentiation in machine learning".
"""

import math


class Value:
    """A number that remembers how it was made.

    data   the number
    grad   the derivative of the final result with respect to this number; 0 before backward()
    children, local_grads   the Values it was made from, and the derivative with respect to each

    An operation makes a new Value from its result, its inputs and its local derivatives:
    2 * 3 is Value(6, (a, b), (3, 2)).
    """

    __slots__ = ("data", "grad", "children", "local_grads")

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0
        self.children = children
        self.local_grads = local_grads

    def __repr__(self):
        return f"Value({self.data}, grad={self.grad})"

    @staticmethod
    def of(other):
        """`other` as a Value: a plain number becomes one without a history."""
        return other if isinstance(other, Value) else Value(other)

    # arithmetic

    def __add__(self, other):
        """self + other, both derivatives 1."""
        other = Value.of(other)
        # TODO  the sum, made from self and other, with its two local derivatives
        raise NotImplementedError("TODO Value.__add__")

    def __mul__(self, other):
        """self * other; each derivative is the other number."""
        other = Value.of(other)
        # TODO  the product, and its two local derivatives
        raise NotImplementedError("TODO Value.__mul__")

    def __pow__(self, n):
        """self ** n for a constant number n (not a Value); the derivative is n * self ** (n - 1)."""
        # TODO  the power, and its one local derivative
        raise NotImplementedError("TODO Value.__pow__")

    def __neg__(self):
        """-self, from what you have: a product."""
        # TODO
        raise NotImplementedError("TODO Value.__neg__")

    def __sub__(self, other):
        """self - other, from what you have: a sum with a negative."""
        # TODO
        raise NotImplementedError("TODO Value.__sub__")

    def __truediv__(self, other):
        """self / other, from what you have: a product with a power of -1."""
        # TODO
        raise NotImplementedError("TODO Value.__truediv__")

    # The reflected forms: Python calls them for `2 + v` and the like, where the number stands left.

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        """other - self. The order matters."""
        # TODO
        raise NotImplementedError("TODO Value.__rsub__")

    def __rtruediv__(self, other):
        """other / self. The order matters."""
        # TODO
        raise NotImplementedError("TODO Value.__rtruediv__")

    # functions

    def exp(self):
        """e ** self; it is its own derivative. exp(0) = 1, with derivative 1."""
        # TODO
        raise NotImplementedError("TODO Value.exp")

    def log(self):
        """The natural logarithm; the derivative is 1 / self. log(1) = 0, with derivative 1."""
        # TODO
        raise NotImplementedError("TODO Value.log")

    def relu(self):
        """self where it is above 0, else 0; the derivative is 1 there, and 0 elsewhere (0 at 0)."""
        # TODO
        raise NotImplementedError("TODO Value.relu")

    # backward

    def backward(self):
        """Add to the `grad` of every Value that self was made from: d self / d value.

        A Value may hand its gradient on only when it has received all of it, that is, after every
        Value made from it: walk the graph in topological order, from self backwards.
        Gradients are added to what is there: calling it on two results adds up both.
        The graph may be a million Values deep: use a list as the stack, not recursion.

        With a = 2, b = 3 and d = a * b + a: a.grad = 4, b.grad = 2, d.grad = 1.
        """
        # TODO 1  an order in which every Value stands after its children: depth first; put a Value
        #         on the stack once to open its children, and once more to close it when they are done
        # TODO 2  self moves 1 for 1 with itself
        # TODO 3  from self back: each child's grad grows by local derivative * grad of the parent
        raise NotImplementedError("TODO Value.backward")
