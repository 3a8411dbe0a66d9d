"""Exercise 3, decided: every shape that broadcasts, every axis, every order, against numpy."""

import itertools
from operator import add, itemgetter, matmul, methodcaller, mul, neg, sub, truediv

import numpy as np
import pytest

from grader import chance
from grader.compare import close, gradcheck, steady

piece = pytest.mark.piece


def normal(*shape, salt=0):
    return chance.rng(salt).normal(size=shape)


def positive(*shape, salt=0):
    """Numbers between 0.5 and 2, away from where a quotient or a logarithm is steep."""
    return chance.rng(salt).uniform(0.5, 2.0, size=shape)


def float32(values):
    return np.array(values, dtype=np.float32)


# unbroadcast


def collected(grad, shape):
    """For each element of `shape` the sum of grad wherever broadcasting put that element."""
    size = int(np.prod(shape))
    owner = np.broadcast_to(np.arange(size).reshape(shape), grad.shape)
    return np.bincount(owner.ravel(), grad.ravel(), size).reshape(shape)


def unbroadcasts(student, *pairs):
    for shape, broadcast in pairs:
        grad = normal(*broadcast)
        close(student.unbroadcast(grad, shape), collected(grad, shape))


@piece("unbroadcast", core=True)
def test_every_added_axis_is_summed_away(student):
    """Each axis that broadcasting put in front is summed away, however many there are."""
    unbroadcasts(student, ((4,), (3, 4)), ((4,), (2, 3, 4)), ((3, 4), (2, 3, 4)), ((), (2, 3)))


@piece("unbroadcast", core=True)
def test_every_stretched_axis_is_summed_and_kept(student):
    """Each axis of size 1 that broadcasting stretched is summed, and stays as an axis of size 1."""
    unbroadcasts(student, ((3, 1), (3, 4)), ((1, 4), (3, 4)), ((2, 1, 4), (2, 3, 4)))
    unbroadcasts(student, ((1, 3, 1), (2, 3, 4)), ((1, 1, 1), (2, 3, 4)))


@piece("unbroadcast")
def test_added_and_stretched_axes_together(student):
    """Axes may have been added in front and stretched further back in one operation."""
    unbroadcasts(student, ((3, 1), (2, 3, 4)), ((1, 4), (2, 3, 4)), ((1,), (2, 3, 4)))
    unbroadcasts(student, ((3, 1, 4), (5, 2, 3, 6, 4)), ((1, 1), (2, 3, 4)))


@piece("unbroadcast")
def test_which_axis_was_added_does_not_depend_on_its_size(student):
    """Shapes are lined up at their last axis, even where another axis has the same size."""
    unbroadcasts(student, ((3,), (3, 3)), ((3, 1), (3, 3)), ((2, 3), (2, 2, 3)))


@piece("unbroadcast")
def test_what_fits_already_is_left_alone(student):
    """Where nothing was broadcast nothing is summed, and axes of size 1 on both sides stay."""
    unbroadcasts(student, ((2, 3, 4), (2, 3, 4)), ((2, 1), (2, 1)), ((1, 3), (1, 1, 3)), ((), ()))


@piece("unbroadcast")
def test_unbroadcast_keeps_float32(student):
    """A float32 gradient stays float32 when it is summed."""
    close(student.unbroadcast(float32([[1.5, 2.0], [3.0, 4.0]]), (2,)), float32([4.5, 6.0]))


# backward, on graphs made with Tensor.op


def combine(student, *terms):
    """The node f1 * p1 + f2 * p2 + ... of the terms (f, p)."""
    factors, parents = zip(*terms)
    return student.scenario("combine", parents=parents, factors=factors)


def leaves(student, count, *shape):
    return [student.Tensor(normal(*shape, salt=salt)) for salt in range(count)]


@piece("backward", core=True)
def test_gradients_of_any_graph(student):
    """Every path from the result to a leaf counts, in graphs of every form."""
    for salt in range(3):
        rng = chance.rng("graph", salt)
        nodes = leaves(student, 3, 2, 3)
        slopes = list(np.eye(3))  # of each node, with respect to the three leaves
        for _ in range(8):
            chosen = rng.integers(len(nodes), size=rng.integers(1, 4))
            factors = rng.normal(size=len(chosen))
            nodes.append(combine(student, *zip(factors.tolist(), [nodes[i] for i in chosen])))
            slopes.append(sum(f * slopes[i] for f, i in zip(factors, chosen)))
        above = normal(2, 3, salt=9)
        combine(student, *((0.5, node) for node in nodes)).backward(above)
        for leaf, slope in zip(nodes[:3], sum(slopes) * 0.5):
            close(leaf.grad, slope * above)


@piece("backward", core=True)
def test_each_node_hands_on_once(student):
    """A node hands its gradient on when it has received all of it: once, not once a path."""
    for far_first in (False, True):
        a = student.Tensor([2.0, 5.0])
        asked = student.scenario("ladder", start=a, rungs=12, far_first=far_first)
        close(a.grad, [377.0, 377.0])  # a Fibonacci number: as many paths
        # a vjp may be asked once for each of its two parents, but not once for every path
        assert asked <= 2 * 12, f"12 nodes were asked {asked} times; each hands on once"


@piece("backward")
def test_adding_to_one_gradient_changes_no_other(student):
    """Several parents may be handed one array. What one of them gets later is not the others'."""
    for order in itertools.permutations(range(3)):
        for terms in itertools.permutations([2.0, 1.0]):
            a, b, c = leaves(student, 3, 2)
            leaf = {2.0: b, 1.0: c}
            made = [combine(student, (f, leaf[f])) for f in terms]
            parents = [[*made, b][i] for i in order] + [a]
            combine(student, *((1.0, p) for p in parents)).backward(np.array([1.0, 10.0]))
            close(b.grad, [3.0, 30.0])
            close(c.grad, [1.0, 10.0])
            close(a.grad, [1.0, 10.0])


@piece("backward")
def test_the_gradient_of_a_leaf_is_an_array_of_its_own(student):
    """Whoever scales the gradient of one leaf in place must not scale that of another."""
    a, b = leaves(student, 2, 2)
    combine(student, (1.0, a), (1.0, b)).backward(np.array([1.0, 10.0]))
    student.scenario("scale_gradients", tensors=[a], factor=0.5)
    close(a.grad, [0.5, 5.0])
    close(b.grad, [1.0, 10.0])


@piece("backward")
def test_leaves_accumulate_over_several_walks(student):
    """A leaf adds each new gradient to what it has from before, until someone sets grad to None."""
    a, b = leaves(student, 2, 2)
    above = np.array([1.0, 10.0])
    combine(student, (3.0, a), (1.0, b)).backward(above)
    combine(student, (4.0, a), (1.0, a)).backward(above)
    combine(student, (1.0, b)).backward(above)
    close(a.grad, [8.0, 80.0])
    close(b.grad, [2.0, 20.0])
    a.grad = None
    combine(student, (6.0, a)).backward(above)
    close(a.grad, [6.0, 60.0])


@piece("backward")
def test_a_gradient_that_was_kept_stays_as_it_is(student):
    """A leaf adds with a new array: one that somebody holds from before is not added to."""
    a, b = leaves(student, 2, 1, 1)
    results = [combine(student, (factor, a), (1.0, b)) for factor in (3.0, 4.0, -2.0)]
    kept = student.scenario("backward_of_each", results=results, leaf=a)
    close(np.array(kept), np.array([3.0, 7.0, 5.0]).reshape(3, 1, 1))


@piece("backward")
def test_a_leaf_beside_the_walk_keeps_none(student):
    """A leaf that no gradient reaches keeps grad = None: a share of None is not zeros."""
    a, chosen, unused, far = leaves(student, 4, 2)
    combine(student, (2.0, unused))
    behind = combine(student, (5.0, far))
    combine(student, (None, chosen), (3.0, a), (None, behind)).backward(np.array([1.0, 10.0]))
    close(a.grad, [3.0, 30.0])
    assert chosen.grad is None and far.grad is None, "a share of None must leave grad = None"
    assert unused.grad is None, "the result was not made from this leaf"


@piece("backward")
def test_zeros_are_a_gradient(student):
    """A leaf that moves nothing, but was asked, has zeros: they did arrive."""
    a, b = leaves(student, 2, 2)
    between = combine(student, (0.0, a))
    combine(student, (1.0, between), (2.0, b)).backward(np.array([1.0, 10.0]))
    close(a.grad, [0.0, 0.0])
    close(b.grad, [2.0, 20.0])


@piece("backward")
def test_a_tensor_may_get_none_and_a_gradient(student):
    """A parent that appears twice, once with a share of None, keeps the gradient of the other."""
    a, b = leaves(student, 2, 2)
    terms = [(None, a), (3.0, a), (4.0, b), (None, b)]
    combine(student, *terms).backward(np.array([1.0, 10.0]))
    close(a.grad, [3.0, 30.0])
    close(b.grad, [4.0, 40.0])


@piece("backward")
def test_one_number_of_any_shape_starts_with_one(student):
    """A result that holds one number needs no gradient from above, however many axes it has."""
    for shape in ((), (1,), (1, 1, 1)):
        a = student.Tensor(np.full(shape, 2.0))
        combine(student, (3.0, a), (4.0, a)).backward()
        close(a.grad, np.full(shape, 7.0))


@piece("backward")
def test_several_numbers_need_a_gradient_from_above(student):
    """With more than one element nobody knows which is meant: ValueError, unless grad is given."""
    a, b = leaves(student, 2, 3, 1)
    y = combine(student, (3.0, a))
    with student.raises(ValueError):
        y.backward()
    combine(student, (3.0, b)).backward(normal(3, 1))
    close(b.grad, 3.0 * normal(3, 1))


@piece("backward")
def test_a_graph_20000_nodes_deep(student):
    """The graph may be tens of thousands of nodes deep: no recursion."""
    a = student.Tensor([2.0, 5.0])
    student.scenario("chain", start=a, length=20_000).backward(np.array([1.0, 10.0]))
    close(a.grad, [1.0, 10.0])


@piece("backward")
def test_gradients_of_float32_are_float32(student):
    """In a graph of float32 alone the gradients are float32, with or without one from above."""
    a, b = student.Tensor(float32([2.0])), student.Tensor(float32([2.0, 5.0]))
    combine(student, (3.0, a)).backward()
    combine(student, (3.0, b)).backward(float32([1.0, 10.0]))
    close(a.grad, float32([3.0]))
    close(b.grad, float32([3.0, 30.0]))


# arithmetic

OPERATIONS = {"plus": add, "minus": sub, "times": mul, "divided": truediv}
SHAPES = [((2, 3), (2, 3)), ((2, 3), (3,)), ((3,), (2, 3)), ((2, 1), (1, 4)), ((1, 2), (2, 1, 2))]
SHAPES += [
    ((3, 3), (3, 1)),
    ((3,), (3, 3)),
    ((), (2, 3)),
    ((2, 3), ()),
    ((3, 1, 2), (2, 1)),
    ((1,), (3, 2)),
    ((), ()),
]


def exp(x):
    return np.exp(x) if isinstance(x, np.ndarray) else x.exp()


def log(x):
    return np.log(x) if isinstance(x, np.ndarray) else x.log()


def square(x):
    return x**2


@piece("arithmetic", core=True)
@pytest.mark.parametrize("name", OPERATIONS)
def test_values_of_all_shapes_that_broadcast(student, name):
    """+ - * / work for all shapes that numpy broadcasts, whichever side is the smaller one."""
    f = OPERATIONS[name]
    for left, right in SHAPES:
        a, b = normal(*left), positive(*right)
        close(f(student.Tensor(a), student.Tensor(b)), f(a, b))


@piece("arithmetic", gradient=True)
@pytest.mark.parametrize("name", OPERATIONS)
def test_gradients_of_all_shapes_that_broadcast(student, name):
    """Both operands get their gradient, each summed back to its own shape."""
    f = OPERATIONS[name]
    for left, right in SHAPES:
        gradcheck(student, f, normal(*left), positive(*right), truth=f)


@piece("arithmetic", gradient=True)
@pytest.mark.parametrize("name", OPERATIONS)
def test_a_number_or_an_array_on_either_side(student, name):
    """The other side may be a number or an array, even one of more axes than the tensor has."""
    f = OPERATIONS[name]
    for constant in (3, -0.5, positive(2), positive(2, 1, 2), np.array([2, 4])):
        for g in (lambda x, c=constant: f(x, c), lambda x, c=constant: f(c, x)):
            close(g(student.Tensor(positive(3, 2))), g(positive(3, 2)))
            gradcheck(student, g, positive(3, 2), truth=g)


@piece("arithmetic", gradient=True)
@pytest.mark.parametrize("name", OPERATIONS)
def test_one_tensor_on_both_sides(student, name):
    """A tensor that is both operands gets the gradients of both."""
    f = OPERATIONS[name]
    gradcheck(student, lambda x: f(x, x), positive(2, 3), truth=lambda x: f(x, x))


@piece("arithmetic", core=True)
def test_values_of_minus_power_exp_and_log(student):
    """The operations of one tensor, on arrays of three axes."""
    a, p = normal(4, 1, 3), positive(4, 1, 3)
    close(-student.Tensor(a), -a)
    for n in (1, 2, 3, -1, -2):
        close(student.Tensor(a) ** n, a**n)
    for n in (0.5, -0.5, 1.5):
        close(student.Tensor(p) ** n, p**n)
    close(student.Tensor(a).exp(), np.exp(a))
    close(student.Tensor(p).log(), np.log(p))


@piece("arithmetic", gradient=True)
def test_gradient_of_minus(student):
    """Whatever the value, -x moves against x."""
    gradcheck(student, neg, normal(4, 1, 3), truth=neg)


@piece("arithmetic", gradient=True)
def test_gradients_of_whole_powers(student):
    """A whole exponent, positive or negative, takes negative bases too."""
    x = positive(2, 1, 3) * np.sign(normal(2, 1, 3))
    for n in (1, 2, 3, -1, -2):
        gradcheck(student, lambda x, n=n: x**n, x, truth=lambda x, n=n: x**n)


@piece("arithmetic", gradient=True)
def test_gradients_of_roots(student):
    """The exponent need not be whole."""
    for n in (0.5, -0.5, 1.5):
        gradcheck(student, lambda x, n=n: x**n, positive(2, 3), truth=lambda x, n=n: x**n)


@piece("arithmetic", gradient=True)
def test_gradient_of_exp_everywhere(student):
    """The gradient of exp is its result, times what comes from above."""
    gradcheck(student, exp, normal(4, 1, 3), truth=exp)


@piece("arithmetic", gradient=True)
def test_gradient_of_log_everywhere(student):
    """The gradient of log is what comes from above, divided by the input."""
    gradcheck(student, log, positive(4, 1, 3), truth=log)


@piece("arithmetic")
def test_very_small_and_very_large_numbers(student):
    """exp, log and / reach as far as numpy's do."""
    close(student.Tensor([-1000.0, 0.0, 700.0]).exp(), np.exp([-1000.0, 0.0, 700.0]))
    close(student.Tensor([1e-300, 1e300]).log(), np.log([1e-300, 1e300]))
    close(student.Tensor([2.0, 3.0]) / student.Tensor([1e-12, -1e-200]), [2e12, -3e200])


@piece("arithmetic", gradient=True)
def test_a_whole_formula(student):
    """Operations of all kinds, one after the other, with tensors that are used several times."""

    def f(a, b, c):
        d = a * b + c
        return (d - 2.0) ** 2 / (1.0 + exp(-d)) - log(c * c) * a + 3.0 / c

    gradcheck(student, f, normal(2, 3), normal(2, 1, salt=1), positive(3), truth=f)


@piece("arithmetic", gradient=True)
def test_no_operation_changes_the_gradient_that_it_is_handed(student):
    """The gradient that a vjp gets belongs to others as well: it must make new arrays."""
    above = normal(2, 3)
    for f in (exp, log, square, neg):
        x, b = student.Tensor(positive(2, 3)), student.Tensor(positive(2, 3))
        (f(x) + b).backward(above)  # + hands one array to both, and b is the last to look at it
        close(b.grad, above)


@piece("arithmetic", gradient=True)
def test_arithmetic_twice_is_the_same_and_leaves_g_alone(student):
    """A second call finds what the first one found, and what came from above stays."""
    for f in (exp, log, square, neg, lambda x: x * 3, lambda x: x / 3, lambda x: 3 - x):
        steady(student, f, positive(2, 3))
    for f in OPERATIONS.values():
        steady(student, f, positive(2, 3), positive(3))


@piece("arithmetic")
def test_a_running_sum_leaves_its_first_tensor_alone(student):
    """total += x makes a new tensor: what total was before is still what it was."""
    x, y = student.Tensor([1.0, 2.0]), student.Tensor([10.0, 20.0])
    close(student.scenario("add_up", start=x, addends=[y, 3.0, y]), [24.0, 45.0])
    close(x.data, [1.0, 2.0])
    close(y.data, [10.0, 20.0])


@piece("arithmetic", gradient=True)
def test_no_operation_changes_its_inputs(student):
    """An operation makes a new array: its inputs stay as they were, also on the way back."""
    x, b = positive(2, 3), positive(3)
    for f in (exp, log, square, neg):
        leaf = student.Tensor(x)
        f(leaf).backward(np.ones((2, 3)))
        close(leaf.data, x)
    for f in OPERATIONS.values():
        leaf, other = student.Tensor(x), student.Tensor(b)
        f(leaf, other).backward(np.ones((2, 3)))
        close(leaf.data, x)
        close(other.data, b)


@piece("arithmetic")
def test_float32_stays_float32(student):
    """float32 stays float32 beside Python's numbers, on either side, in every operation."""
    x = float32([[0.5, 1.5, 2.0]])
    for f in OPERATIONS.values():
        for number in (2, 0.1):
            close(f(student.Tensor(x), number), f(x, number))
            close(f(number, student.Tensor(x)), f(number, x))
        close(f(student.Tensor(x), student.Tensor(x)), f(x, x))
    for f in (exp, log, square, neg, lambda x: x**-0.5):
        close(f(student.Tensor(x)), f(x))


@piece("arithmetic")
def test_float64_with_float32_gives_float64(student):
    """The finer type wins where both are tensors."""
    narrow, wide = student.Tensor(float32([0.5, 1.5])), student.Tensor([0.1, 0.2])
    for y in (narrow + wide, wide * narrow):
        assert student.array(y).dtype == np.float64, "float64 with float32 must give float64"
    close(narrow + wide, [0.6, 1.7], rtol=1e-14)


@piece("arithmetic", gradient=True)
def test_gradients_through_float32_formulas_are_float32(student):
    """In a graph of float32 alone, Python's numbers included, the gradients are float32 too."""
    x, b = student.Tensor(float32([[0.5, 2.0]])), student.Tensor(float32([[1.0], [4.0]]))
    y = (0.5 * x + b) ** 2 / (x.exp() - 3) - b.log() / 2 + 1.0
    y.backward(float32([[1.0, 2.0], [3.0, 4.0]]))
    assert x.grad.dtype == np.float32, "the gradient of a float32 tensor is not float32"
    assert b.grad.dtype == np.float32, "the gradient of a float32 tensor is not float32"


@piece("arithmetic", gradient=True)
def test_nothing_is_remembered_inside_no_grad(student):
    """What is computed inside no_grad is a constant for what comes after."""
    x = student.Tensor([2.0, 5.0])
    with student.no_grad():
        y = x * x + x
    close(y, [6.0, 30.0])
    (y * x).backward(np.array([1.0, 10.0]))
    close(x.grad, [6.0, 300.0])


# matmul

PRODUCTS = [((2, 3), (3, 4)), ((1, 3), (3, 1)), ((4, 1), (1, 2)), ((3, 3), (3, 3))]
STACKS = [
    ((5, 2, 3), (5, 3, 4)),
    ((1, 2, 3), (1, 3, 4)),
    ((2, 5, 1, 3), (2, 5, 3, 4)),
    ((3, 3, 3), (3, 3, 3)),
]
SHARED = [((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4))]
SHARED += [((2, 1, 3, 4), (5, 4, 2)), ((5, 2, 3), (1, 3, 4)), ((5, 2, 3), (1, 3, 1))]


@piece("matmul", core=True)
def test_values_of_matrix_products(student):
    """Matrices of all sizes, one row or one column included."""
    for left, right in PRODUCTS:
        a, b = normal(*left), normal(*right, salt=1)
        close(student.Tensor(a) @ student.Tensor(b), np.einsum("ij,jk->ik", a, b))


@piece("matmul")
def test_values_of_stacks_of_matrices(student):
    """The leading axes are a stack of matrices, and they broadcast."""
    for left, right in STACKS + SHARED:
        a, b = normal(*left), normal(*right, salt=1)
        close(student.Tensor(a) @ student.Tensor(b), np.einsum("...ij,...jk->...ik", a, b))


@piece("matmul", gradient=True)
def test_gradients_of_matrix_products(student):
    """Both matrices get their gradient, each in its own shape, wide or tall or a single row."""
    for left, right in PRODUCTS:
        gradcheck(student, matmul, normal(*left), normal(*right, salt=1), truth=matmul)


@piece("matmul", gradient=True)
def test_gradients_of_stacks_of_matrices(student):
    """In a stack each matrix gets the gradient of its own product: the stack is not turned."""
    for left, right in STACKS:
        gradcheck(student, matmul, normal(*left), normal(*right, salt=1), truth=matmul)


@piece("matmul", gradient=True)
def test_gradients_of_matrices_that_a_stack_shares(student):
    """A matrix that was used for a whole stack collects the gradients of all its uses."""
    for left, right in SHARED:
        gradcheck(student, matmul, normal(*left), normal(*right, salt=1), truth=matmul)


@piece("matmul", gradient=True)
def test_a_matrix_times_itself(student):
    """A matrix on both sides gets the gradients of both."""
    gradcheck(student, lambda x: x @ x @ x, normal(3, 3), truth=lambda x: x @ x @ x)


@piece("matmul", gradient=True)
def test_products_twice_is_the_same_and_leaves_g_alone(student):
    """A second call finds what the first one found, and what came from above stays."""
    for left, right in ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)):
        steady(student, matmul, normal(*left), normal(*right, salt=1))


@piece("matmul", gradient=True)
def test_matrix_products_keep_float32(student):
    """Values and gradients of float32 matrices are float32, and the matrices stay as they were."""
    a, b = float32([[1.0, 2.0]]), float32([[3.0], [4.0]])
    left, right = student.Tensor(a), student.Tensor(b)
    y = left @ right
    close(y, a @ b)
    y.backward(float32([[1.0]]))
    close(left.grad, b.T)
    close(right.grad, a.T)
    close(left.data, a)
    close(right.data, b)


# reductions

AXES = [None, 0, 1, 2, -1, -2, -3, (0, 1), (1, 2), (2, 0), (-1, 0), (-3, -2), (0, 1, 2), (1,)]


def over_all_axes(reduction, keepdims):
    return [methodcaller(reduction, axis=axis, keepdims=keepdims) for axis in AXES]


@piece("reductions", core=True)
@pytest.mark.parametrize("keepdims", [False, True])
def test_sums_over_all_axes(student, keepdims):
    """axis may be None, a number, or several, counted from the front or from the back."""
    x = normal(2, 3, 4)
    for f in over_all_axes("sum", keepdims):
        close(f(student.Tensor(x)), f(x))


@piece("reductions", core=True, needs=["ex03.arithmetic"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_means_over_all_axes(student, keepdims):
    """The mean divides by as many elements as went into each sum, over one axis or several."""
    x = normal(2, 3, 4)
    for f in over_all_axes("mean", keepdims):
        close(f(student.Tensor(x)), f(x))


@piece("reductions", gradient=True)
@pytest.mark.parametrize("keepdims", [False, True])
def test_gradients_of_sums_over_all_axes(student, keepdims):
    """Every element gets the gradient of the sum that it went into, whichever axes are gone."""
    for f in over_all_axes("sum", keepdims):
        gradcheck(student, f, normal(2, 2, 2), truth=f)  # equal sizes: a wrong axis fits, and shows


@piece("reductions", gradient=True, needs=["ex03.arithmetic"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_gradients_of_means_over_all_axes(student, keepdims):
    """Every element gets its part of the gradient of the mean that it went into."""
    for f in over_all_axes("mean", keepdims):
        gradcheck(student, f, normal(2, 3, 1), truth=f)


@piece("reductions")
def test_the_arguments_may_be_given_by_position(student):
    """sum(axis, keepdims), as the signature says."""
    x = normal(2, 3)
    close(student.Tensor(x).sum(1), x.sum(axis=1))
    close(student.Tensor(x).sum(0, True), x.sum(axis=0, keepdims=True))


@piece("reductions", gradient=True, needs=["ex03.arithmetic"])
def test_reductions_of_a_single_number(student):
    """A tensor without axes, and one with a single element, are their own sum and mean."""
    for shape in ((), (1,), (1, 1)):
        x = student.Tensor(np.full(shape, 3.0))
        y = x.sum() * x.mean()
        close(y, 9.0)
        y.backward()
        close(x.grad, np.full(shape, 6.0))


@piece("reductions", gradient=True, needs=["ex03.arithmetic"])
def test_a_reduction_used_with_what_it_was_made_from(student):
    """x - x.mean() and the like: x gets the gradient through the mean, and its own."""

    def f(x):
        return (x - x.mean(axis=-1, keepdims=True)) * x.sum(axis=0)

    gradcheck(student, f, normal(2, 3, 2), truth=f)


@piece("reductions", gradient=True, needs=["ex03.arithmetic"])
def test_reductions_twice_is_the_same_and_leaves_g_alone(student):
    """A second call finds what the first one found, and what came from above stays."""
    for name in ("sum", "mean"):
        for axis in (None, 0, (0, 2)):
            steady(student, methodcaller(name, axis=axis), normal(2, 3, 4))


@piece("reductions", gradient=True, needs=["ex03.arithmetic"])
def test_reductions_keep_float32(student):
    """Values and gradients of float32 are float32, and the tensor stays as it was."""
    rows = float32([[1.0, 2.0], [3.0, 8.0]])
    for f in (methodcaller("sum", axis=1), methodcaller("mean", axis=1)):
        x = student.Tensor(rows)
        y = f(x)
        close(y, f(rows))
        y.backward(float32([1.0, 10.0]))
        assert x.grad.dtype == np.float32, "the gradient of a float32 tensor is not float32"
        close(x.data, rows)


# shaping

NEW_SHAPES = [(4, 6), (24,), (-1,), (2, -1), (1, 24), (-1, 1, 8), (3, 2, 2, 2)]
ORDERS = [*itertools.permutations(range(3)), (-1, 0, 1), (0, -1, -2), (-2, -1, -3)]
ORDERS_OF_TWO = [(0, 1), (1, 0), (-2, -1), (-1, 0)]
ORDERS_OF_FOUR = [(0, 2, 1, 3), (1, 2, 3, 0), (3, 0, 1, 2), (2, 0, 3, 1), (-1, 0, -2, 1)]
ONCE = [1, -2, slice(1, None), (slice(None), slice(None, None, 2)), (2, 0), (..., 1)]
ONCE += [(slice(None, None, -1), slice(2, 0, -1)), (slice(None), None, 2), np.array([2, 0])]
ONCE += [np.array([True, False, True, True])]
OFTEN = [np.array([2, 2, 0]), np.array([[1, 1, 0], [3, 1, 0]]), (slice(1, 3), np.array([0, 0, 3]))]
OFTEN += [(np.array([0, 2, 0]), np.array([1, 3, 1]))]


@piece("shaping", core=True)
def test_reshapes(student):
    """More axes, fewer axes, and -1 for what is left."""
    x = normal(2, 3, 4)
    for shape in NEW_SHAPES:
        close(student.Tensor(x).reshape(*shape), x.reshape(shape))
    close(student.Tensor(3.0).reshape(1, 1), [[3.0]])


@piece("shaping", core=True)
def test_transposes(student):
    """Axes in every order, counted from the front or the back; none given: reversed."""
    x, y = normal(2, 3, 4), normal(2, 3, 4, 5)
    for axes in ORDERS:
        close(student.Tensor(x).transpose(*axes), x.transpose(axes))
    for axes in ORDERS_OF_FOUR:
        close(student.Tensor(y).transpose(*axes), y.transpose(axes))
    for axes in ORDERS_OF_TWO:
        close(student.Tensor(x[0]).transpose(*axes), x[0].transpose(axes))
    close(student.Tensor(x).transpose(), x.transpose())
    close(student.Tensor([1.0, 2.0]).transpose(), [1.0, 2.0])


@piece("shaping", core=True)
def test_everything_that_numpy_takes_as_an_index(student):
    """Numbers, slices, dots, arrays of numbers and masks pick what they pick from an array."""
    x = normal(4, 5)
    for index in ONCE + OFTEN:
        close(student.Tensor(x)[index], x[index])


@piece("shaping", gradient=True)
def test_gradients_of_reshapes(student):
    """The gradient goes back into the old shape, number by number."""
    for shape in NEW_SHAPES:
        f = methodcaller("reshape", *shape)
        gradcheck(student, f, normal(2, 3, 4), truth=f)


@piece("shaping", gradient=True)
def test_gradients_of_transposes_of_three_axes(student):
    """The gradient is put back by the inverse order, which for three axes may be another order."""
    for axes in [*ORDERS, ()]:
        f = methodcaller("transpose", *axes)
        gradcheck(student, f, normal(2, 3, 1), truth=f)
        gradcheck(
            student, f, normal(2, 2, 2), truth=f
        )  # equal sizes: a wrong order fits, and shows


@piece("shaping", gradient=True)
def test_gradients_of_transposes_of_two_and_of_four_axes(student):
    """The gradient is put back by the inverse order, also where four axes go round in a ring."""
    for axes in [*ORDERS_OF_TWO, ()]:
        f = methodcaller("transpose", *axes)
        gradcheck(student, f, normal(2, 3), truth=f)
        gradcheck(student, f, normal(3, 3), truth=f)
    for axes in ORDERS_OF_FOUR:
        f = methodcaller("transpose", *axes)
        gradcheck(student, f, normal(2, 2, 3, 2), truth=f)


@piece("shaping", gradient=True)
def test_heads_are_split_and_merged(student):
    """Reshape and transpose in turn, as attention does, bring every gradient back home."""
    split = student.Tensor(normal(2, 3, 4)).reshape(2, 3, 2, 2).transpose(0, 2, 1, 3)
    close(split, normal(2, 3, 4).reshape(2, 3, 2, 2).swapaxes(1, 2))

    def f(x):
        return x.transpose(0, 2, 1, 3).reshape(2, 3, 4).transpose(2, 0, 1)

    x = normal(2, 2, 3, 2)
    close(f(student.Tensor(x)), f(x))
    gradcheck(student, f, x, truth=f)


@piece("shaping", gradient=True)
def test_what_was_transposed_is_read_in_its_new_order(student):
    """reshape reads the numbers as they stand now, wherever they lie in memory; -1 as well."""
    x = normal(3, 4)
    for f in (lambda x: x.transpose().reshape(12), lambda x: x.transpose().reshape(2, -1)):
        close(f(student.Tensor(x)), f(x))
        gradcheck(student, f, x, truth=f)


@piece("shaping", gradient=True)
def test_shaping_twice_is_the_same_and_leaves_g_alone(student):
    """A second call finds what the first one found, and what came from above stays."""
    steady(student, methodcaller("reshape", 4, 6), normal(2, 3, 4))
    steady(student, methodcaller("transpose", 1, 2, 0), normal(2, 3, 4))
    for index in (1, slice(1, None), np.array([2, 2, 0]), np.array([True, False, True])):
        steady(student, itemgetter(index), normal(3, 4))


@piece("shaping", gradient=True)
def test_gradients_of_what_is_picked_once(student):
    """What was picked gets its gradient, at its own place, and the rest gets 0."""
    for index in ONCE:
        gradcheck(student, itemgetter(index), normal(4, 5), truth=itemgetter(index))


@piece("shaping", gradient=True)
def test_gradients_of_what_is_picked_often(student):
    """What was picked several times gets all its gradients, in whatever pattern it was picked."""
    for index in OFTEN:
        gradcheck(student, itemgetter(index), normal(4, 5), truth=itemgetter(index))


@piece("shaping", gradient=True)
def test_shaping_keeps_float32(student):
    """Values and gradients of float32 are float32, and the tensor stays as it was."""
    x = float32([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    rows = itemgetter(np.array([1, 1]))
    for f in (methodcaller("reshape", 3, 2), methodcaller("transpose", 1, 0), rows):
        tensor = student.Tensor(x)
        y = f(tensor)
        close(y, f(x))
        y.backward(np.ones_like(f(x)))
        assert tensor.grad.dtype == np.float32, "the gradient of a float32 tensor is not float32"
        close(tensor.data, x)
