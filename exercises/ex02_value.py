"""Exercise 2: autograd, one number at a time.

A model is a formula with many numbers in it that can be changed, its *weights*; the *loss* is one
number that says how wrong its answers are. Training makes every weight a little larger or smaller,
so that the loss falls. For that it needs to know, for each weight, how the loss moves when this
weight alone grows a little: the *derivative* of the loss with respect to the weight, its
*gradient*. Take two weights and a loss of one line:

    d = a * b + a                    a = 2, b = 3:      d = 8
    make a a little larger           a = 2.01:          d = 2.01 * 3 + 2.01 = 8.04
    make b a little larger           b = 3.01:          d = 2 * 3.01 + 2 = 8.02

0.01 more in a is 0.04 more in d, so the gradient of a is 4; that of b is 2. MicroGPT has 4192
weights. To try each of them in turn would take 4192 runs of the model for one step of training;
autograd finds all 4192 gradients in one walk.

**Every number remembers how it was made.** An operation gives a new number that knows its inputs,
and for each input the *local* derivative: how the result moves when this input alone moves. All the
numbers, each with what it was made from, are called the *graph*.

    c = a + b        dc/da = 1               dc/db = 1
    c = a * b        dc/da = b               dc/db = a
    c = a ** n       dc/da = n * a ** (n - 1)
    c = exp(a)       dc/da = exp(a)
    c = log(a)       dc/da = 1 / a
    c = relu(a)      dc/da = 1 where a > 0, else 0         relu(a) is a where a > 0, else 0

**The chain rule** does the rest. If d moves 5 for 1 with c, and c moves 3 for 1 with a, then d
moves 15 for 1 with a, along this path: *multiply along a path*. If a reaches d along several paths,
all of them count: *add up where paths meet*.

    a = 2,  b = 3
                                      d moves 1 for 1 with c:           c.grad = 1
    a ----+
          * --- c = 6 ---+            b reaches d through c alone:      b.grad = a * 1 = 2
    b ----+              |
                         + --- d = 8  a reaches d through c, b * 1 = 3,
                         |            and directly, 1:                  a.grad = 3 + 1 = 4
    a -------------------+

**Backward** is this sum, in one walk from the result to its inputs. What has arrived at a number is
its gradient; it hands local derivative * gradient to each of its inputs, which add it to what they
already have.

    start     d.grad = 1
    at d      hand 1 * 1 to c and 1 * 1 to a       c.grad = 1     a.grad = 1
    at c      hand 3 * 1 to a and 2 * 1 to b       b.grad = 2     a.grad = 1 + 3 = 4

The order matters: a number may hand on only when *all* of its own gradient has arrived. Take
b = 2a, c = 3b, d = c + b, which is d = 8a:

    d, c, b, a    b has 1 from d and 3 from c, together 4, and hands on 2 * 4 = 8        right
    d, b, c, a    b has 1 from d, and hands on 2 * 1 = 2; what c gives it later is lost  wrong

An order in which every number stands after those that it was made from is called *topological*:
here a, b, c, d. Walk it from its end.

**The way through this file.** Arithmetic and functions are a line each, backward a dozen. Until
backward is written the board calls the other two *waiting*: their numbers are checked at once, but
their derivatives can only be seen by walking back.

What goes wrong most often: a gradient is *set* where it must be *added to*, and of a number that is
used twice only one path counts; a number hands on before all of its gradient is there; an operation
with a plain number, such as a * 3, forgets where it came from; a tuple of one thing without its
comma: (a,) is a tuple, (a) is a.

In MicroGPT this is the class `Value`, operation for operation, but for one thing: its `backward`
calls itself once for each step of depth, and Python stops that at about a thousand. Yours will not.
In microgpt.py every weight is a Value, and so is every number made of them; `train` calls
loss.backward() once a step, and afterwards sets each w.grad back to 0, since gradients add up.
Read more: Karpathy, micrograd, and his lecture "The spelled-out intro to neural networks and
backpropagation".
"""

import math


class Value:
    """A number that remembers how it was made.

    data   the number
    grad   the derivative of the final result with respect to this number; 0 before backward()
    children, local_grads   the Values it was made from, and the derivative with respect to each

    An operation leaves its inputs as they are, and makes a new Value from its result, its inputs
    and its local derivatives: with a = 2 and b = 3, a * b is Value(6, (a, b), (3, 2)).
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
        """self + other; both derivatives are 1. A plain number counts as a Value, too: a + 3."""
        other = Value.of(other)
        # TODO  a Value of the sum, made from self and other, with its two local derivatives
        raise NotImplementedError("TODO Value.__add__")

    def __mul__(self, other):
        """self * other; the derivative of each is the other number: at 2 * 3 they are 3 and 2."""
        other = Value.of(other)
        # TODO  a Value of the product, with its two local derivatives
        raise NotImplementedError("TODO Value.__mul__")

    def __pow__(self, n):
        """self ** n for a plain number n, positive or not; the derivative is n * self ** (n - 1).

        3 ** 2 = 9, with derivative 6; 4 ** -1 = 0.25, with derivative -0.0625.
        """
        # TODO  a Value of the power, with its one child and its one local derivative, tuples of one
        raise NotImplementedError("TODO Value.__pow__")

    def __neg__(self):
        """-self. From what you have: a product."""
        # TODO
        raise NotImplementedError("TODO Value.__neg__")

    def __sub__(self, other):
        """self - other. From what you have: a sum with a negative."""
        # TODO
        raise NotImplementedError("TODO Value.__sub__")

    def __truediv__(self, other):
        """self / other. From what you have: a product with a power. 6 / 4 = 1.5."""
        # TODO
        raise NotImplementedError("TODO Value.__truediv__")

    # The reflected forms: Python calls them where a plain number stands left, as in 2 + v or 2 - v;
    # self is then the Value, on the right.

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __rsub__(self, other):
        """other - self: with v = 5, 2 - v is -3."""
        # TODO
        raise NotImplementedError("TODO Value.__rsub__")

    def __rtruediv__(self, other):
        """other / self: with v = 4, 2 / v is 0.5."""
        # TODO
        raise NotImplementedError("TODO Value.__rtruediv__")

    # functions

    def exp(self):
        """e ** self; it is its own derivative. exp(0) = 1, with derivative 1."""
        # TODO  math.exp gives the number
        raise NotImplementedError("TODO Value.exp")

    def log(self):
        """The natural logarithm; the derivative is 1 / self. log(1) = 0, with derivative 1."""
        # TODO  math.log gives the number
        raise NotImplementedError("TODO Value.log")

    def relu(self):
        """self where it is above 0, else 0; the derivative is 1 there, and 0 elsewhere (0 at 0)."""
        # TODO
        raise NotImplementedError("TODO Value.relu")

    # backward

    def backward(self):
        """Add to the `grad` of every Value that self was made from: d self / d value.

        Gradients are *added* to what is there. Two results that were made from the same a, each by
        operations of its own, add up in a.grad; a second walk over the same graph need not work.
        Each Value hands on once, when all of its gradient has arrived: walk the graph in
        topological order, from self backwards. To follow every path by itself would never end; a
        number doubled 40 times has 2 ** 40 of them.
        The graph may be a million Values deep: use a list as the stack, not recursion.

        With a = 2, b = 3 and d = a * b + a: a.grad = 4, b.grad = 2, d.grad = 1. Step 1 below,
        with the top of the stack on the right, and x' for "x, to be closed":

            open d     d' c a
            open a     d' c a'        close a    d' c          order  a
            open c     d' c' a b
            open b     d' c' a b'     close b    d' c' a       order  a b
            skip a     d' c'          close c    d'            order  a b c
                                      close d                  order  a b c d
        """
        # TODO 1  `order`: self and all that it was made from, each once, after its children.
        #         Depth first: a Value goes on the stack to be opened. To open it, put it back to be
        #         closed, and its children on top of it to be opened. To close it, append it to
        #         `order`. A Value that has been opened before is not opened again.
        # TODO 2  self moves 1 for 1 with itself
        # TODO 3  from the end of `order` to its start: to each child's grad, add
        #         local derivative * grad of the Value that is handing on
        raise NotImplementedError("TODO Value.backward")
