"""Exercise 2, what you see: numbers small enough to differentiate by hand.

The graphs of the piece *backward* are made by hand, Value(data, children, local_grads), so that it
can be written first; the gradients of the operations wait for it.
"""

import math

import pytest

from grader.compare import close

piece = pytest.mark.piece


# arithmetic


@piece("arithmetic", core=True)
def test_adding(student):
    close((student.Value(2.0) + student.Value(3.0)).data, 5.0)
    close((student.Value(-1.5) + 4).data, 2.5)


@piece("arithmetic", core=True)
def test_multiplying(student):
    close((student.Value(2.0) * student.Value(3.0)).data, 6.0)
    close((student.Value(-1.5) * 4).data, -6.0)


@piece("arithmetic")
def test_powers(student):
    close((student.Value(3.0) ** 2).data, 9.0)
    close((student.Value(4.0) ** -1).data, 0.25)
    close((student.Value(4.0) ** 0.5).data, 2.0)


@piece("arithmetic")
def test_minus(student):
    close((-student.Value(2.0)).data, -2.0)
    close((student.Value(2.0) - student.Value(5.0)).data, -3.0)
    close((student.Value(2.0) - 0.5).data, 1.5)


@piece("arithmetic")
def test_dividing(student):
    close((student.Value(6.0) / student.Value(4.0)).data, 1.5)
    close((student.Value(3.0) / 2).data, 1.5)


@piece("arithmetic")
def test_a_plain_number_on_the_left_minus_a_value(student):
    close((2 - student.Value(5.0)).data, -3.0)


@piece("arithmetic")
def test_a_plain_number_on_the_left_divided_by_a_value(student):
    close((2 / student.Value(4.0)).data, 0.5)


@piece("arithmetic")
def test_the_inputs_stay_as_they_are(student):
    """a + b and a * b make new Values; a is used again, so it must still be 2."""
    a, b = student.Value(2.0), student.Value(3.0)
    close((a + b).data, 5.0)
    close((a * b).data, 6.0)
    close(a.data, 2.0)


@piece("arithmetic", gradient=True)
def test_a_sum_moves_1_for_1_with_each_input(student):
    a, b = student.Value(2.0), student.Value(3.0)
    (a + b).backward()
    close(a.grad, 1.0)
    close(b.grad, 1.0)


@piece("arithmetic", gradient=True)
def test_the_gradient_of_a_factor_is_the_other_factor(student):
    a, b = student.Value(2.0), student.Value(3.0)
    (a * b).backward()
    close(a.grad, 3.0)
    close(b.grad, 2.0)


@piece("arithmetic", gradient=True)
def test_the_gradient_of_a_power(student):
    """a ** 3 at a = 2: 3 * 2 ** 2 = 12."""
    a = student.Value(2.0)
    (a**3).backward()
    close(a.grad, 12.0)


@piece("arithmetic", gradient=True)
def test_a_difference_moves_against_what_is_taken_away(student):
    """3 (a - b): 3 for a, -3 for b."""
    a, b = student.Value(2.0), student.Value(5.0)
    ((a - b) * 3).backward()
    close(a.grad, 3.0)
    close(b.grad, -3.0)


@piece("arithmetic", gradient=True)
def test_the_gradient_of_a_quotient(student):
    """a / b at a = 6, b = 2: 1 / b = 0.5 for a, and -a / b ** 2 = -1.5 for b."""
    a, b = student.Value(6.0), student.Value(2.0)
    (a / b).backward()
    close(a.grad, 0.5)
    close(b.grad, -1.5)


@piece("arithmetic", gradient=True)
def test_the_gradient_of_a_negative(student):
    a = student.Value(2.0)
    (-a).backward()
    close(a.grad, -1.0)


@piece("arithmetic", gradient=True)
def test_a_sum_with_a_plain_number_remembers_its_value(student):
    a = student.Value(2.0)
    (a + 1).backward()
    close(a.grad, 1.0)


@piece("arithmetic", gradient=True)
def test_a_product_with_a_plain_number_remembers_its_value(student):
    a = student.Value(2.0)
    (a * 3).backward()
    close(a.grad, 3.0)


@piece("arithmetic", gradient=True)
def test_a_plain_number_on_the_left_remembers_its_value(student):
    """2 - v: -1. 2 / v at v = 4: -2 / 4 ** 2 = -0.125."""
    a, b = student.Value(5.0), student.Value(4.0)
    (2 - a).backward()
    (2 / b).backward()
    close(a.grad, -1.0)
    close(b.grad, -0.125)


# functions


@piece("functions", core=True)
def test_exp(student):
    close(student.Value(0.0).exp().data, 1.0)
    close(student.Value(1.0).exp().data, math.e)


@piece("functions")
def test_log_undoes_exp(student):
    close(student.Value(1.0).log().data, 0.0)
    close(student.Value(math.e**2).log().data, 2.0)


@piece("functions")
def test_relu_keeps_what_is_above_0(student):
    close(student.Value(3.0).relu().data, 3.0)


@piece("functions")
def test_relu_makes_0_of_the_rest(student):
    close(student.Value(-3.0).relu().data, 0.0)


@piece("functions", gradient=True)
def test_exp_is_its_own_derivative(student):
    """exp(2) = 7.389, and so is its slope there."""
    a = student.Value(2.0)
    a.exp().backward()
    close(a.grad, 7.38905609893065)


@piece("functions", gradient=True)
def test_the_derivative_of_log_is_1_over_its_input(student):
    a = student.Value(4.0)
    a.log().backward()
    close(a.grad, 0.25)


@piece("functions", gradient=True)
def test_relu_passes_the_gradient_where_its_input_is_above_0(student):
    a = student.Value(3.0)
    a.relu().backward()
    close(a.grad, 1.0)


@piece("functions", gradient=True)
def test_relu_passes_nothing_where_its_input_is_below_0(student):
    a = student.Value(-3.0)
    a.relu().backward()
    close(a.grad, 0.0)


@piece("functions", gradient=True)
def test_relu_passes_nothing_at_0(student):
    """There the slope is 0 on one side and 1 on the other; microgpt.py, as most, takes 0."""
    a = student.Value(0.0)
    a.relu().backward()
    close(a.grad, 0.0)


# backward


@piece("backward", core=True)
def test_the_example_of_the_lesson(student):
    """d = a * b + a with a = 2, b = 3."""
    a, b = student.Value(2.0), student.Value(3.0)
    c = student.Value(6.0, (a, b), (3.0, 2.0))
    d = student.Value(8.0, (c, a), (1.0, 1.0))
    d.backward()
    close(a.grad, 4.0)
    close(b.grad, 2.0)
    close(c.grad, 1.0)


@piece("backward", core=True)
def test_local_derivatives_multiply_along_a_path(student):
    """b = 3 a, c = 4 b, so c moves 12 for 1 with a."""
    a = student.Value(2.0)
    b = student.Value(6.0, (a,), (3.0,))
    c = student.Value(24.0, (b,), (4.0,))
    c.backward()
    close(b.grad, 4.0)
    close(a.grad, 12.0)


@piece("backward")
def test_the_result_moves_1_for_1_with_itself(student):
    a = student.Value(2.0)
    b = student.Value(6.0, (a,), (3.0,))
    b.backward()
    close(b.grad, 1.0)


@piece("backward")
def test_a_value_used_twice_by_one_operation_counts_twice(student):
    """b = a * a at a = 3: both factors are a, each with derivative 3, together 6."""
    a = student.Value(3.0)
    b = student.Value(9.0, (a, a), (3.0, 3.0))
    b.backward()
    close(a.grad, 6.0)


@piece("backward")
def test_a_value_hands_on_when_all_of_its_gradient_is_there(student):
    """b = 2 a, c = 3 b, d = c + b, so d = 8 a: b needs what d gives it and what c gives it."""
    a = student.Value(1.0)
    b = student.Value(2.0, (a,), (2.0,))
    c = student.Value(6.0, (b,), (3.0,))
    d = student.Value(8.0, (c, b), (1.0, 1.0))
    d.backward()
    close(b.grad, 4.0)
    close(a.grad, 8.0)


@piece("backward")
def test_the_order_of_the_inputs_does_not_matter(student):
    """b = 2 a, c = 3 b, d = 5 b + c, so d = 16 a; here b stands before c."""
    a = student.Value(1.0)
    b = student.Value(2.0, (a,), (2.0,))
    c = student.Value(6.0, (b,), (3.0,))
    d = student.Value(16.0, (b, c), (5.0, 1.0))
    d.backward()
    close(b.grad, 8.0)
    close(a.grad, 16.0)


@piece("backward")
def test_two_results_add_up(student):
    """b = 3 a and c = 4 a: after both have gone backward, a has 3 + 4."""
    a = student.Value(2.0)
    student.Value(6.0, (a,), (3.0,)).backward()
    close(a.grad, 3.0)
    student.Value(8.0, (a,), (4.0,)).backward()
    close(a.grad, 7.0)


@piece("backward")
def test_a_deep_graph(student):
    """3000 Values, one made from the other: deeper than Python lets a function call itself."""
    a = student.Value(2.0)
    end = student.scenario("chain_of_values", start=a, length=3000)
    end.backward()
    close(a.grad, 1.0)
