"""Exercise 3: autograd on arrays. Every number here can be checked by hand."""

import numpy as np
import pytest

from grader.compare import close

piece = pytest.mark.piece

ROWS = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]  # (2, 3)


def array(values):
    return np.array(values, dtype=np.float64)


# unbroadcast


@piece("unbroadcast", core=True)
def test_an_axis_added_in_front_is_summed_away(student):
    """b (3,) was used for both rows of (2, 3): it collects both."""
    close(student.unbroadcast(array(ROWS), (3,)), [5.0, 7.0, 9.0])


@piece("unbroadcast", core=True)
def test_an_axis_stretched_from_1_is_summed_and_stays(student):
    """(2, 1) was used for all three columns."""
    close(student.unbroadcast(array(ROWS), (2, 1)), [[6.0], [15.0]])


@piece("unbroadcast")
def test_what_was_not_broadcast_stays_as_it_is(student):
    close(student.unbroadcast(array(ROWS), (2, 3)), ROWS)


@piece("unbroadcast")
def test_a_single_number_collects_everything(student):
    close(student.unbroadcast(array(ROWS), ()), 21.0)


@piece("unbroadcast")
def test_shapes_are_lined_up_at_the_last_axis(student):
    """(2, 2) to (2,): both axes are 2 long, and it is the first that was added."""
    close(student.unbroadcast(array([[1.0, 2.0], [3.0, 4.0]]), (2,)), [4.0, 6.0])


@piece("unbroadcast")
def test_axes_can_be_added_and_stretched_at_once(student):
    """(2, 2, 3) to (2, 1): the first axis was added, the last one stretched."""
    grad = array([ROWS, [[10.0, 20.0, 30.0], [40.0, 50.0, 60.0]]])
    close(student.unbroadcast(grad, (2, 1)), [[66.0], [165.0]])


@piece("unbroadcast")
def test_every_axis_of_size_1_is_summed(student):
    close(student.unbroadcast(array(ROWS), (1, 1)), [[21.0]])


# backward: the graphs are made with Tensor.op, so that nothing else needs to be written


def combine(student, *terms):
    """The node f1 * p1 + f2 * p2 + ... of the terms (f, p)."""
    factors, parents = zip(*terms)
    return student.scenario("combine", parents=parents, factors=factors)


@piece("backward", core=True)
def test_the_gradient_from_above_reaches_the_leaf(student):
    """y = 3a: each element of a gets 3 times what its element of y got."""
    a = student.Tensor([2.0, 5.0])
    y = combine(student, (3.0, a))
    y.backward(array([1.0, 10.0]))
    close(a.grad, [3.0, 30.0])


@piece("backward", core=True)
def test_the_chain_rule_multiplies_along_the_way(student):
    """b = 2a, c = 3b, d = 5c."""
    a = student.Tensor([1.0, 1.0])
    b = combine(student, (2.0, a))
    c = combine(student, (3.0, b))
    d = combine(student, (5.0, c))
    d.backward(array([1.0, 10.0]))
    close(a.grad, [30.0, 300.0])


@piece("backward")
def test_every_parent_gets_its_share(student):
    a, b = student.Tensor([2.0, 5.0]), student.Tensor([3.0, 4.0])
    y = combine(student, (7.0, a), (-1.0, b))
    y.backward(array([1.0, 10.0]))
    close(a.grad, [7.0, 70.0])
    close(b.grad, [-1.0, -10.0])


@piece("backward", core=True)
def test_a_tensor_used_twice_gets_both_gradients(student):
    """y = 3a + 4a."""
    a = student.Tensor([2.0, 5.0])
    y = combine(student, (3.0, a), (4.0, a))
    y.backward(array([1.0, 10.0]))
    close(a.grad, [7.0, 70.0])


@piece("backward")
def test_a_node_hands_on_only_when_it_has_received_all(student):
    """b = 2a, c = 3b, d = c + b: b must wait for what comes through c. d = 4b = 8a."""
    a = student.Tensor([2.0, 5.0])
    b = combine(student, (2.0, a))
    c = combine(student, (3.0, b))
    d = combine(student, (1.0, c), (1.0, b))
    d.backward(array([1.0, 10.0]))
    close(a.grad, [8.0, 80.0])


@piece("backward")
def test_a_node_hands_on_once_however_many_paths_lead_to_it(student):
    """b = a + a, c = b + a, d = c + b, and so on: 6 nodes, but 21 paths from the last one to a."""
    a = student.Tensor([2.0, 5.0])
    asked = student.scenario("ladder", start=a, rungs=6)
    close(a.grad, [21.0, 21.0])
    assert asked <= 2 * 6, f"6 nodes were asked {asked} times; each hands on once, when it has all"


@piece("backward")
def test_gradients_of_float32_are_float32(student):
    """y = 3a walks back from a 1 of y's own type: float64 would take twice the time from there."""
    a = student.Tensor(np.array([2.0], dtype=np.float32))
    combine(student, (3.0, a)).backward()
    close(a.grad, np.array([3.0], dtype=np.float32))


@piece("backward")
def test_adding_leaves_the_array_from_before_as_it_is(student):
    """3a, then 4a: whoever kept the gradient 3 still has 3; the leaf has 7, in a new array."""
    a = student.Tensor([2.0])
    results = [combine(student, (3.0, a)), combine(student, (4.0, a))]
    first, second = student.scenario("backward_of_each", results=results, leaf=a)
    close(second, [7.0])
    now = f"the array of the first gradient, [3.0], holds {first.tolist()} after the second walk"
    assert np.allclose(first, [3.0]), now


@piece("backward")
def test_two_parents_never_share_one_array(student):
    """y = p + b + q hands one array to three. b gets more through p = 2b; q must not see it."""
    b, c = student.Tensor([2.0, 5.0]), student.Tensor([3.0, 4.0])
    q = combine(student, (1.0, c))
    p = combine(student, (2.0, b))
    y = combine(student, (1.0, p), (1.0, b), (1.0, q))
    y.backward(array([1.0, 10.0]))
    close(c.grad, [1.0, 10.0])
    close(b.grad, [3.0, 30.0])


@piece("backward")
def test_a_leaf_adds_to_what_it_has_from_before(student):
    """First 3 a is walked back, then 4 a."""
    a = student.Tensor([2.0, 5.0])
    combine(student, (3.0, a)).backward(array([1.0, 10.0]))
    combine(student, (4.0, a)).backward(array([1.0, 10.0]))
    close(a.grad, [7.0, 70.0])


@piece("backward")
def test_a_parent_whose_share_is_none_gets_nothing(student):
    a, chosen = student.Tensor([2.0, 5.0]), student.Tensor([0.0, 1.0])
    y = combine(student, (3.0, a), (None, chosen))
    y.backward(array([1.0, 10.0]))
    close(a.grad, [3.0, 30.0])
    assert chosen.grad is None, "a leaf that no gradient reaches must keep grad = None"


@piece("backward")
def test_one_element_needs_no_gradient_from_above(student):
    """A number moves 1 for 1 with itself. With more elements, nobody knows which one is meant."""
    a = student.Tensor([[2.0]])
    combine(student, (3.0, a)).backward()
    close(a.grad, [[3.0]])
    two = combine(student, (3.0, student.Tensor([2.0, 5.0])))
    with student.raises(ValueError):
        two.backward()


@piece("backward")
def test_a_graph_3000_nodes_deep_is_walked_without_recursion(student):
    a = student.Tensor([2.0, 5.0])
    student.scenario("chain", start=a, length=3000).backward(array([1.0, 10.0]))
    close(a.grad, [1.0, 10.0])


# arithmetic


@piece("arithmetic", core=True)
def test_plus_adds_element_by_element(student):
    close(student.Tensor([1.0, 2.0]) + student.Tensor([10.0, 30.0]), [11.0, 32.0])


@piece("arithmetic", core=True)
def test_times_multiplies_element_by_element(student):
    close(student.Tensor([2.0, 5.0]) * student.Tensor([3.0, 4.0]), [6.0, 20.0])


@piece("arithmetic")
def test_powers(student):
    close(student.Tensor([2.0, -3.0]) ** 3, [8.0, -27.0])
    close(student.Tensor([4.0, 16.0]) ** -0.5, [0.5, 0.25])


@piece("arithmetic")
def test_exp(student):
    """e = 2.718281828..."""
    close(student.Tensor([0.0, 1.0, -1.0]).exp(), [1.0, 2.718281828, 0.367879441])


@piece("arithmetic")
def test_log_is_the_natural_one(student):
    close(student.Tensor([1.0, 2.0, 2.718281828]).log(), [0.0, 0.693147181, 1.0])


@piece("arithmetic")
def test_minus_keeps_the_order(student):
    close(student.Tensor([5.0, 7.0]) - student.Tensor([1.0, 9.0]), [4.0, -2.0])
    close(-student.Tensor([5.0, -7.0]), [-5.0, 7.0])


@piece("arithmetic")
def test_divided_keeps_the_order(student):
    close(student.Tensor([6.0, 1.0]) / student.Tensor([4.0, 2.0]), [1.5, 0.5])


@piece("arithmetic")
def test_shapes_are_broadcast(student):
    """A row is added to each row, as in the lesson; a column meets a row."""
    b = student.Tensor([10.0, 20.0, 30.0])
    close(student.Tensor(ROWS) + b, [[11.0, 22.0, 33.0], [14.0, 25.0, 36.0]])
    column, row = student.Tensor([[2.0], [5.0]]), student.Tensor([[3.0, 4.0, 6.0]])
    close(column * row, [[6.0, 8.0, 12.0], [15.0, 20.0, 30.0]])


@piece("arithmetic")
def test_numbers_may_stand_on_either_side(student):
    x = student.Tensor([2.0, 4.0])
    close(x + 1, [3.0, 5.0])
    close(x - 1, [1.0, 3.0])
    close(x / 2, [1.0, 2.0])
    close(10 + x, [12.0, 14.0])
    close(3 * x, [6.0, 12.0])
    close(1 - x, [-1.0, -3.0])
    close(1 / x, [0.5, 0.25])


@piece("arithmetic")
def test_float32_stays_float32_beside_a_python_number(student):
    """Half the memory, twice the speed: one float64 would make the whole model float64."""
    x = student.Tensor(np.array([2.0, 4.0], dtype=np.float32))
    close((2.5 * x - 1) / 3 + x**2, np.array([5.333333, 19.0], dtype=np.float32))
    close(x.exp(), np.array([7.389056, 54.59815], dtype=np.float32))
    close(x.log(), np.array([0.6931472, 1.386294], dtype=np.float32))


@piece("arithmetic", gradient=True)
def test_gradient_of_a_sum_is_handed_to_both(student):
    a, b = student.Tensor([2.0, 5.0]), student.Tensor([3.0, 4.0])
    (a + b).backward(array([1.0, 10.0]))
    close(a.grad, [1.0, 10.0])
    close(b.grad, [1.0, 10.0])


@piece("arithmetic", gradient=True)
def test_gradient_of_a_product_is_the_other_factor(student):
    a, b = student.Tensor([2.0, 5.0]), student.Tensor([3.0, 4.0])
    (a * b).backward(array([1.0, 10.0]))
    close(a.grad, [3.0, 40.0])
    close(b.grad, [2.0, 50.0])


@piece("arithmetic", gradient=True)
def test_the_example_of_the_lesson(student):
    """d = a * b + a: a gets b + 1, and b gets a."""
    a, b = student.Tensor([2.0, 5.0]), student.Tensor([3.0, 4.0])
    d = a * b + a
    d.backward(array([1.0, 1.0]))
    close(a.grad, [4.0, 5.0])
    close(b.grad, [2.0, 5.0])


@piece("arithmetic", gradient=True)
def test_gradient_of_a_power(student):
    """y = x^3: dy/dx = 3 x^2."""
    x = student.Tensor([2.0, 1.0])
    (x**3).backward(array([1.0, 10.0]))
    close(x.grad, [12.0, 30.0])


@piece("arithmetic", gradient=True)
def test_gradient_of_exp(student):
    x = student.Tensor([0.0, 1.0])
    x.exp().backward(array([1.0, 10.0]))
    close(x.grad, [1.0, 27.18281828])


@piece("arithmetic", gradient=True)
def test_gradient_of_log(student):
    x = student.Tensor([2.0, 4.0])
    x.log().backward(array([1.0, 10.0]))
    close(x.grad, [0.5, 2.5])


@piece("arithmetic", gradient=True)
def test_gradient_of_minus(student):
    x = student.Tensor([2.0, 5.0])
    (-x).backward(array([10.0, 100.0]))
    close(x.grad, [-10.0, -100.0])


@piece("arithmetic", gradient=True)
def test_gradient_of_a_difference(student):
    """a - b falls when b grows."""
    a, b = student.Tensor([2.0, 5.0]), student.Tensor([3.0, 4.0])
    (a - b).backward(array([10.0, 100.0]))
    close(a.grad, [10.0, 100.0])
    close(b.grad, [-10.0, -100.0])


@piece("arithmetic", gradient=True)
def test_gradient_of_a_quotient(student):
    """y = a / b: dy/da = 1 / b, dy/db = -a / b^2."""
    a, b = student.Tensor([3.0, 6.0]), student.Tensor([2.0, 1.0])
    (a / b).backward(array([1.0, 10.0]))
    close(a.grad, [0.5, 10.0])
    close(b.grad, [-0.75, -60.0])


@piece("arithmetic", gradient=True)
def test_a_broadcast_row_collects_from_every_row(student):
    """x + b as in the lesson: the gradient of b is the column sum."""
    x, b = student.Tensor(np.zeros((2, 3))), student.Tensor([10.0, 20.0, 30.0])
    (x + b).backward(array(ROWS))
    close(x.grad, ROWS)
    close(b.grad, [5.0, 7.0, 9.0])


@piece("arithmetic", gradient=True)
def test_a_broadcast_column_collects_from_every_column(student):
    """(2, 1) * (1, 3): 2 is multiplied by 3, 4 and 6, and 3 by 2 and 5."""
    column, row = student.Tensor([[2.0], [5.0]]), student.Tensor([[3.0, 4.0, 6.0]])
    (column * row).backward(np.ones((2, 3)))
    close(column.grad, [[13.0], [13.0]])
    close(row.grad, [[7.0, 7.0, 7.0]])


# matmul


@piece("matmul", core=True)
def test_each_element_is_a_row_times_a_column(student):
    """1*3 + 2*4 = 11."""
    close(student.Tensor([[1.0, 2.0]]) @ student.Tensor([[3.0], [4.0]]), [[11.0]])


@piece("matmul", core=True)
def test_two_by_three_times_three_by_two(student):
    b = student.Tensor([[1.0, 0.0], [0.0, 1.0], [10.0, 100.0]])
    close(student.Tensor(ROWS) @ b, [[31.0, 302.0], [64.0, 605.0]])


@piece("matmul")
def test_a_stack_is_multiplied_matrix_by_matrix(student):
    """(2, 1, 2) @ (2, 2, 1): 1*3 + 2*4 = 11 and 5*7 + 6*8 = 83."""
    a = student.Tensor([[[1.0, 2.0]], [[5.0, 6.0]]])
    b = student.Tensor([[[3.0], [4.0]], [[7.0], [8.0]]])
    close(a @ b, [[[11.0]], [[83.0]]])


@piece("matmul", gradient=True)
def test_gradient_of_a_row_times_a_column(student):
    """y = a1 b1 + a2 b2: a gets b, lying down; b gets a, standing up."""
    a, b = student.Tensor([[1.0, 2.0]]), student.Tensor([[3.0], [4.0]])
    (a @ b).backward(array([[10.0]]))
    close(a.grad, [[30.0, 40.0]])
    close(b.grad, [[10.0], [20.0]])


@piece("matmul", gradient=True)
def test_gradient_of_two_by_two(student):
    """a's first row meets only the first row of g: [1*5 + 10*6, 1*7 + 10*8]."""
    a, b = student.Tensor([[1.0, 2.0], [3.0, 4.0]]), student.Tensor([[5.0, 6.0], [7.0, 8.0]])
    (a @ b).backward(array([[1.0, 10.0], [0.0, 0.0]]))
    close(a.grad, [[65.0, 87.0], [0.0, 0.0]])
    close(b.grad, [[1.0, 10.0], [2.0, 20.0]])


@piece("matmul", gradient=True)
def test_gradient_of_a_stack_stays_within_each_matrix(student):
    """The identity times b0, and twice the identity times b1; one number of each result counts."""
    a = student.Tensor([[[1.0, 0.0], [0.0, 1.0]], [[2.0, 0.0], [0.0, 2.0]]])
    b = student.Tensor([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]])
    (a @ b).backward(array([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]]]))
    close(a.grad, [[[1.0, 3.0], [0.0, 0.0]], [[0.0, 0.0], [6.0, 8.0]]])
    close(b.grad, [[[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 2.0]]])


@piece("matmul", gradient=True)
def test_a_matrix_shared_by_a_stack_collects_from_all_of_it(student):
    """(2, 1, 2) @ (2, 1): b was used twice, with [1, 2] and with [5, 6]."""
    a, b = student.Tensor([[[1.0, 2.0]], [[5.0, 6.0]]]), student.Tensor([[3.0], [4.0]])
    (a @ b).backward(array([[[1.0]], [[10.0]]]))
    close(a.grad, [[[3.0, 4.0]], [[30.0, 40.0]]])
    close(b.grad, [[51.0], [62.0]])


# reductions


@piece("reductions", core=True)
def test_sum_of_all_is_one_number(student):
    close(student.Tensor(ROWS).sum(), 21.0)


@piece("reductions", core=True)
def test_sum_over_an_axis_takes_that_axis_away(student):
    close(student.Tensor(ROWS).sum(axis=0), [5.0, 7.0, 9.0])
    close(student.Tensor(ROWS).sum(axis=-1), [6.0, 15.0])


@piece("reductions")
def test_keepdims_leaves_the_axis_with_size_1(student):
    close(student.Tensor(ROWS).sum(axis=1, keepdims=True), [[6.0], [15.0]])
    close(student.Tensor(ROWS).sum(keepdims=True), [[21.0]])


@piece("reductions")
def test_sum_over_two_axes_at_once(student):
    x = student.Tensor([ROWS, [[10.0, 20.0, 30.0], [40.0, 50.0, 60.0]]])
    close(x.sum(axis=(0, 2)), [66.0, 165.0])


@piece("reductions", core=True, needs=["ex03.arithmetic"])
def test_mean_divides_by_how_many_were_summed(student):
    """Four in a row, two in a column, eight in all."""
    x = student.Tensor([[1.0, 2.0, 3.0, 6.0], [5.0, 6.0, 7.0, 10.0]])
    close(x.mean(axis=-1, keepdims=True), [[3.0], [7.0]])
    close(x.mean(axis=0), [3.0, 4.0, 5.0, 8.0])
    close(x.mean(axis=(0, 1)), 5.0)
    close(x.mean(), 5.0)


@piece("reductions", gradient=True)
def test_every_summed_element_gets_the_gradient_of_its_sum(student):
    """The sum of a row moves 1 for 1 with each element of that row."""
    x = student.Tensor([[1.0, 2.0], [3.0, 4.0]])
    x.sum(axis=1).backward(array([10.0, 20.0]))
    close(x.grad, [[10.0, 10.0], [20.0, 20.0]])
    y = student.Tensor([[1.0, 2.0], [3.0, 4.0]])
    y.sum(axis=0, keepdims=True).backward(array([[10.0, 20.0]]))
    close(y.grad, [[10.0, 20.0], [10.0, 20.0]])


@piece("reductions", gradient=True)
def test_summed_axes_are_put_back_where_they_were(student):
    """(2, 2, 2) summed over axes 0 and 2: axis 1 is left, and says which gradient is whose."""
    x = student.Tensor(np.zeros((2, 2, 2)))
    x.sum(axis=(0, 2)).backward(array([10.0, 20.0]))
    close(x.grad, [[[10.0, 10.0], [20.0, 20.0]], [[10.0, 10.0], [20.0, 20.0]]])


@piece("reductions", gradient=True)
def test_the_sum_of_all_hands_its_gradient_to_all(student):
    x = student.Tensor(ROWS)
    x.sum().backward(array(10.0))
    close(x.grad, [[10.0, 10.0, 10.0], [10.0, 10.0, 10.0]])


@piece("reductions", gradient=True, needs=["ex03.arithmetic"])
def test_gradient_of_a_mean_is_shared_out(student):
    """Each of three elements moves the mean by a third."""
    x = student.Tensor(ROWS)
    x.mean(axis=1).backward(array([3.0, 30.0]))
    close(x.grad, [[1.0, 1.0, 1.0], [10.0, 10.0, 10.0]])


# shaping


@piece("shaping", core=True)
def test_reshape_keeps_the_numbers_in_reading_order(student):
    close(student.Tensor(ROWS).reshape(3, 2), [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    close(student.Tensor(ROWS).reshape(-1), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])


@piece("shaping")
def test_reshape_leaves_its_tensor_as_it_was(student):
    x = student.Tensor(ROWS)
    close(x.reshape(3, 2), [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    close(student.array(x), ROWS)


@piece("shaping", core=True)
def test_transpose_turns_rows_into_columns(student):
    columns = [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    close(student.Tensor(ROWS).transpose(1, 0), columns)
    close(student.Tensor(ROWS).transpose(), columns)


@piece("shaping")
def test_transpose_takes_the_axes_in_the_order_given(student):
    """(1, 2, 3) with axes (1, 2, 0) becomes (2, 3, 1); with none they are reversed, (3, 2, 1)."""
    x = student.Tensor([ROWS])
    close(x.transpose(1, 2, 0), [[[1.0], [2.0], [3.0]], [[4.0], [5.0], [6.0]]])
    close(x.transpose(0, 1, 2), [ROWS])
    close(x.transpose(), [[[1.0], [4.0]], [[2.0], [5.0]], [[3.0], [6.0]]])


@piece("shaping", core=True)
def test_indexing_picks_what_numpy_would(student):
    x = student.Tensor(ROWS)
    close(x[1], [4.0, 5.0, 6.0])
    close(x[:, 1:], [[2.0, 3.0], [5.0, 6.0]])
    close(x[np.array([1, 0, 1])], [[4.0, 5.0, 6.0], [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


@piece("shaping", gradient=True)
def test_the_gradient_of_a_reshape_has_the_old_shape(student):
    x = student.Tensor(np.zeros((3, 2)))
    x.reshape(2, 3).backward(array(ROWS))
    close(x.grad, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


@piece("shaping", gradient=True)
def test_the_gradient_of_a_transpose_goes_back_to_the_old_order(student):
    """(1, 3, 2) with axes (2, 0, 1) becomes (2, 1, 3)."""
    x = student.Tensor(np.zeros((1, 3, 2)))
    x.transpose(2, 0, 1).backward(array([[[1.0, 2.0, 3.0]], [[4.0, 5.0, 6.0]]]))
    close(x.grad, [[[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]])


@piece("shaping", gradient=True)
def test_what_was_not_picked_gets_zero(student):
    x = student.Tensor([5.0, 6.0, 7.0])
    x[1:].backward(array([1.0, 10.0]))
    close(x.grad, [0.0, 1.0, 10.0])


@piece("shaping", gradient=True)
def test_an_element_picked_twice_gets_both_gradients(student):
    """x[[0, 0, 2]] with g = [1, 2, 3]: element 0 gets 1 + 2."""
    x = student.Tensor([5.0, 6.0, 7.0])
    x[np.array([0, 0, 2])].backward(array([1.0, 2.0, 3.0]))
    close(x.grad, [3.0, 0.0, 3.0])
