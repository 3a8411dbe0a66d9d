"""Exercise 2, what decides. A test's docstring is all that a student is told of it.

Gradients are compared with derivatives taken here by the rules of calculus; those of graphs made by
hand with the sum over all paths, worked out from the other end, from the inputs to the result.
"""

import math
import random

import pytest

from grader import chance
from grader.compare import close

piece = pytest.mark.piece


def numbers(count, salt=0, low=0.3, high=3.0):
    """`count` numbers away from 0, of both signs if `low` is positive."""
    rng = random.Random(chance.seed(salt))
    return [rng.choice([-1, 1]) * rng.uniform(low, high) for _ in range(count)]


def gradients(student, f, *data, above=1.0):
    """The gradient of above * f, f a function of Values, for each of its inputs."""
    values = [student.Value(x) for x in data]
    student.Value(0.0, (f(*values),), (above,)).backward()
    return [value.grad for value in values]


def graph(count, salt, inputs=3):
    """For each node its children and local derivatives: the first have none, one may come twice."""
    rng = random.Random(chance.seed(salt))
    nodes = [((), ())] * inputs
    for index in range(inputs, count):
        children = tuple(rng.randrange(index) for _ in range(rng.randint(1, 3)))
        nodes.append((children, tuple(rng.uniform(-2, 2) for _ in children)))
    return nodes


def ladder(order):
    """A graph whose every node is made of the two before it, named in this order."""
    rng = random.Random(chance.seed("ladder"))
    nodes = [((), ())] * 3
    for index in range(3, 12):
        children = (index - 1, index - 2)[::order]
        nodes.append((children, tuple(rng.choice([-1, 1]) * rng.uniform(0.5, 2) for _ in "ab")))
    return nodes


def build(student, nodes):
    """The nodes as Values made by hand. All numbers are alike: they play no part in backward."""
    values = []
    for children, local in nodes:
        values.append(student.Value(1.0, tuple(values[child] for child in children), local))
    return values


def slopes(nodes, leaf):
    """How each node moves when `leaf` moves, worked out from the inputs to the result."""
    moves = []
    for index, (children, local) in enumerate(nodes):
        through = sum(d * moves[child] for d, child in zip(local, children))
        moves.append(1.0 if index == leaf else through)
    return moves


def a_short_way_and_a_long_one(student, a):
    """A Value made from a, and one four steps further, which moves -4 for 1 with the first."""
    near = far = student.Value(1.0, (a,), (3.0,))
    for local in (2.0, -1.0, 0.5, 4.0):
        far = student.Value(1.0, (far,), (local,))
    return near, far


# arithmetic


@piece("arithmetic", core=True)
def test_sums_and_products(student):
    """a + b and a * b hold the sum and the product, of Values and of plain numbers."""
    for salt in range(3):
        x, y = numbers(2, salt)
        close((student.Value(x) + student.Value(y)).data, x + y)
        close((student.Value(x) * student.Value(y)).data, x * y)
        close((student.Value(x) + y).data, x + y)
        close((student.Value(x) * y).data, x * y)


@piece("arithmetic")
def test_differences_and_quotients(student):
    """a - b and a / b hold the difference and the quotient, of Values and of plain numbers."""
    for salt in range(3):
        x, y = numbers(2, salt)
        close((student.Value(x) - student.Value(y)).data, x - y)
        close((student.Value(x) / student.Value(y)).data, x / y)
        close((student.Value(x) - y).data, x - y)
        close((student.Value(x) / y).data, x / y)
        close((-student.Value(x)).data, -x)


@piece("arithmetic")
def test_powers_of_any_number(student):
    """a ** n is the power, for n positive, negative or a fraction."""
    for x in (0.7, 2.5):
        for n in (1, 2, 3, -1, -2, 0.5, -0.5, 1.7):
            close((student.Value(x) ** n).data, x**n)
    close((student.Value(-2.0) ** 3).data, -8.0)
    close((student.Value(0.0) ** 2).data, 0.0)


@piece("arithmetic")
def test_a_plain_number_on_the_left(student):
    """2 + v, 2 - v, 2 * v and 2 / v keep the order of the two numbers."""
    for salt in range(3):
        x, y = numbers(2, salt)
        close((x + student.Value(y)).data, x + y)
        close((x - student.Value(y)).data, x - y)
        close((x * student.Value(y)).data, x * y)
        close((x / student.Value(y)).data, x / y)


@piece("arithmetic")
def test_whole_numbers_divide_like_others(student):
    """A Value may hold an integer: 7 / 2 is 3.5, and 2 ** -1 is 0.5."""
    close((student.Value(7) / student.Value(2)).data, 3.5)
    close((student.Value(7) / 2).data, 3.5)
    close((7 / student.Value(2)).data, 3.5)
    close((student.Value(2) ** -1).data, 0.5)


@piece("arithmetic")
def test_no_operation_changes_its_inputs(student):
    """Every operation makes a new Value: the numbers that went in are still what they were."""
    x, y = 1.5, -0.5
    a, b = student.Value(x), student.Value(y)
    for result, right in (
        (a + b, x + y),
        (a - b, x - y),
        (a * b, x * y),
        (a / b, x / y),
        (a**2, x**2),
        (-a, -x),
        (2 - a, 2 - x),
        (2 / b, 2 / y),
    ):
        close(result.data, right)
        close(a.data, x)
        close(b.data, y)


@piece("arithmetic")
def test_all_digits_are_kept(student):
    """Python's numbers have 16 digits, those of float32 only 7: a Value keeps more than these."""
    x, y = 0.1, 0.7
    a, b = student.Value(x), student.Value(y)
    for got, right in (
        (a + b, x + y),
        (a * b, x * y),
        (a - b, x - y),
        (a / b, x / y),
        (b**3, y**3),
    ):
        close(got.data, right, rtol=1e-10, atol=0.0)


@piece("arithmetic")
def test_a_running_sum_leaves_its_first_number_alone(student):
    """total += a makes a new Value: what total was before is still what it was."""
    a, b = student.Value(1.5), student.Value(2.0)
    total = student.scenario("add_up", start=a, addends=[b, 3.0, b])
    close(total.data, 8.5)
    close(a.data, 1.5)
    close(b.data, 2.0)


def makes_its_own(student, f):
    """f of a Value is another Value, even where it is the same number."""
    a = student.Value(2.0)
    y = f(a)
    y.backward()
    close(y.data, 2.0)
    close(a.grad, 1.0)
    y.grad = 0
    close(a.grad, 1.0)


@piece("arithmetic", gradient=True)
def test_what_changes_nothing_is_an_operation_too(student):
    """a + 0, a * 1, a ** 1 and the like are new Values, with a gradient of their own."""
    for f in (lambda a: a + 0, lambda a: a * 1, lambda a: a - 0, lambda a: a / 1, lambda a: a**1):
        makes_its_own(student, f)


@piece("arithmetic", gradient=True)
def test_gradients_of_a_sum_and_a_difference(student):
    """A sum hands its gradient to both inputs; a difference hands the second one its negative."""
    for salt in range(3):
        x, y, s = numbers(3, salt)
        for f, sign in ((lambda a, b: a + b, 1), (lambda a, b: a - b, -1)):
            a, b = gradients(student, f, x, y, above=s)
            close(a, s)
            close(b, sign * s)


@piece("arithmetic", gradient=True)
def test_gradients_of_a_product(student):
    """Each factor's gradient is the other factor, times the gradient from above."""
    for salt in range(3):
        x, y, s = numbers(3, salt)
        a, b = gradients(student, lambda a, b: a * b, x, y, above=s)
        close(a, y * s)
        close(b, x * s)


@piece("arithmetic", gradient=True)
def test_gradients_of_a_quotient(student):
    """a / b: 1 / b for a, and -a / b ** 2 for b, times the gradient from above."""
    for salt in range(3):
        x, y, s = numbers(3, salt)
        a, b = gradients(student, lambda a, b: a / b, x, y, above=s)
        close(a, s / y)
        close(b, -s * x / y**2)


@piece("arithmetic", gradient=True)
def test_gradients_of_powers(student):
    """n * a ** (n - 1), for n positive, negative or a fraction."""
    for x in (0.7, 2.5):
        for n in (1, 2, 3, -1, -2, 0.5, -0.5, 1.7):
            a = gradients(student, lambda a, n=n: a**n, x, above=2.0)[0]
            close(a, 2 * n * x ** (n - 1))
    close(gradients(student, lambda a: a**3, -2.0)[0], 12.0)


@piece("arithmetic", gradient=True)
def test_the_first_power_moves_1_for_1(student):
    """a ** 1 is a: its derivative is 1, whatever a is."""
    for x in (-2.0, 0.0, 0.5, 3.0):
        close(gradients(student, lambda a: a**1, x)[0], 1.0)


@piece("arithmetic", gradient=True)
def test_the_gradient_of_a_square_at_0(student):
    """The derivative n * a ** (n - 1) holds at a = 0, too."""
    close(gradients(student, lambda a: a**2, 0.0)[0], 0.0)


@piece("arithmetic", gradient=True)
def test_gradients_with_a_plain_number_on_the_left(student):
    """v keeps its gradient in 2 + v, 2 - v, 2 * v and 2 / v."""
    for salt in range(3):
        x, y = numbers(2, salt)
        close(gradients(student, lambda v, x=x: x + v, y)[0], 1.0)
        close(gradients(student, lambda v, x=x: x - v, y)[0], -1.0)
        close(gradients(student, lambda v, x=x: x * v, y)[0], x)
        close(gradients(student, lambda v, x=x: x / v, y)[0], -x / y**2)


@piece("arithmetic", gradient=True)
def test_gradients_with_a_plain_number_on_the_right(student):
    """v keeps its gradient in v + 2, v - 2, v * 2 and v / 2."""
    for salt in range(3):
        x, y = numbers(2, salt)
        close(gradients(student, lambda v, x=x: v + x, y)[0], 1.0)
        close(gradients(student, lambda v, x=x: v - x, y)[0], 1.0)
        close(gradients(student, lambda v, x=x: v * x, y)[0], x)
        close(gradients(student, lambda v, x=x: v / x, y)[0], 1 / x)


@piece("arithmetic", gradient=True)
def test_the_gradient_of_a_negative_has_the_other_sign(student):
    """-a moves against a."""
    for x in numbers(3):
        close(gradients(student, lambda a: -a, x, above=3.0)[0], -3.0)


@piece("arithmetic", gradient=True)
def test_minus_minus_a_moves_with_a(student):
    """The two signs of -(-a) cancel, in the value and in the gradient."""

    def minus_minus(a):
        minus = -a
        return -minus

    for x in numbers(3):
        close(minus_minus(student.Value(x)).data, x)
        close(gradients(student, minus_minus, x)[0], 1.0)


@piece("arithmetic", gradient=True)
def test_nothing_divided_does_not_move_with_what_divides_it(student):
    """a / b at a = 0: the derivative for b is 0, that for a is 1 / b."""
    for y in numbers(3):
        a, b = gradients(student, lambda a, b: a / b, 0.0, y)
        close(a, 1 / y)
        close(b, 0.0)


@piece("arithmetic", gradient=True)
def test_both_inputs_may_be_the_same_value(student):
    """a + a, a - a and a / a: the gradients of both inputs meet in a."""
    for x in numbers(3):
        close(gradients(student, lambda a: a + a, x)[0], 2.0)
        close(gradients(student, lambda a: a - a, x)[0], 0.0)
        close(gradients(student, lambda a: a / a, x)[0], 0.0)


@piece("arithmetic", gradient=True)
def test_a_value_times_itself(student):
    """a * a: each a is a factor, and the gradient of a is that of both."""
    for x in numbers(3):
        close(gradients(student, lambda a: a * a, x)[0], 2 * x)


@piece("arithmetic", gradient=True)
def test_a_long_expression(student):
    """(a * b - c) / (a + 2) - (1 - b) ** 2: every derivative is the sum over all paths."""
    for salt in range(3):
        a, b, c = (abs(x) for x in numbers(3, salt))
        got = gradients(student, lambda a, b, c: (a * b - c) / (a + 2) - (1 - b) ** 2, a, b, c)
        close(got[0], b / (a + 2) - (a * b - c) / (a + 2) ** 2)
        close(got[1], a / (a + 2) + 2 * (1 - b))
        close(got[2], -1 / (a + 2))


# functions


@piece("functions", core=True)
def test_values_of_exp(student):
    """exp(a) is e to the power a, for a above and below 0."""
    for x in [-200.0, -20.0, 0.5, 50.0, *numbers(3)]:
        close(student.Value(x).exp().data, math.exp(x), atol=0.0)


@piece("functions")
def test_values_of_log(student):
    """log(a) is the natural logarithm: the number whose exp is a."""
    for x in (1e-9, 0.1, 2.0, 10.0, 1e9):
        close(student.Value(x).log().data, math.log(x))


@piece("functions")
def test_values_of_relu(student):
    """relu keeps what is above 0, however small, and makes 0 of the rest."""
    for x in (-1e9, -2.5, -1e-3, 0.0, 1e-3, 0.5, 2.5, 1e9):
        close(student.Value(x).relu().data, max(0.0, x))


@piece("functions")
def test_no_function_changes_its_input(student):
    """exp, log and relu make new Values: the number that went in is still what it was."""
    for x in (0.25, 3.0):
        a = student.Value(x)
        for result, right in ((a.exp(), math.exp(x)), (a.log(), math.log(x)), (a.relu(), x)):
            close(result.data, right)
            close(a.data, x)
    a = student.Value(-2.0)
    close(a.relu().data, 0.0)
    close(a.data, -2.0)


@piece("functions", gradient=True)
def test_gradients_of_exp(student):
    """exp is its own derivative, times the gradient from above."""
    for x in numbers(4):
        close(gradients(student, lambda a: a.exp(), x, above=3.0)[0], 3 * math.exp(x))


@piece("functions", gradient=True)
def test_exp_is_flat_far_below_0(student):
    """e to the power of a very negative number is 0, and so is its derivative."""
    close(gradients(student, lambda a: a.exp(), -1000.0)[0], 0.0)


@piece("functions", gradient=True)
def test_gradients_of_log(student):
    """The derivative of log is 1 over its input, times the gradient from above."""
    for x in (0.1, 1.0, 2.0, 10.0):
        close(gradients(student, lambda a: a.log(), x, above=3.0)[0], 3 / x)


@piece("functions", gradient=True)
def test_gradients_of_relu(student):
    """relu hands on the gradient from above where its input is above 0, and nothing elsewhere."""
    for x in (-2.5, -0.5, 0.5, 2.5):
        got = gradients(student, lambda a: a.relu(), x, above=3.0)[0]
        close(got, 3.0 if x > 0 else 0.0)


@piece("functions", gradient=True)
def test_relu_hands_nothing_on_at_0(student):
    """The derivative of relu at 0 itself is 0; just above it is 1."""
    close(gradients(student, lambda a: a.relu(), 0.0)[0], 0.0)
    close(gradients(student, lambda a: a.relu(), 0.001)[0], 1.0)


@piece("functions", gradient=True)
def test_relu_of_what_is_above_0_is_a_value_of_its_own(student):
    """relu makes a new Value, also where it keeps the number."""
    makes_its_own(student, lambda a: a.relu())


@piece("functions", gradient=True)
def test_functions_of_functions(student):
    """The derivatives multiply: log of exp moves 1 for 1, exp of exp by the product of both."""
    for x in (0.3, 1.0, 2.5):
        close(gradients(student, lambda a: a.exp().log(), x)[0], 1.0)
        close(
            gradients(student, lambda a: a.exp().exp(), x)[0], math.exp(x) * math.exp(math.exp(x))
        )
        close(gradients(student, lambda a: a.relu().log(), x)[0], 1 / x)
        close(gradients(student, lambda a: a.relu().exp(), -x)[0], 0.0)


# backward


@piece("backward", core=True)
def test_any_graph(student):
    """The gradient of each input is the sum, over all paths to it, of the products along them."""
    for nodes in (ladder(1), ladder(-1), *(graph(10, salt) for salt in range(4))):
        values = build(student, nodes)
        values[-1].backward()
        for leaf in range(3):
            close(values[leaf].grad, slopes(nodes, leaf)[-1])


@piece("backward")
def test_the_values_in_between_have_gradients_too(student):
    """Every Value on the way, the result included, gets its own gradient."""
    nodes = [((), ()), ((0,), (2.0,)), ((1, 0), (3.0, -1.0)), ((2, 1), (0.5, 4.0))]
    values = build(student, nodes)
    values[-1].backward()
    for index, value in enumerate(values):
        close(value.grad, slopes(nodes, index)[-1])


@piece("backward")
def test_the_result_itself(student):
    """A Value without children moves 1 for 1 with itself."""
    a = student.Value(5.0)
    a.backward()
    close(a.grad, 1.0)


@piece("backward")
def test_what_had_no_part_in_it_gets_nothing(student):
    """Values that the result was not made from keep the gradient 0, whatever they were used for."""
    a, b = student.Value(2.0), student.Value(3.0)
    other = student.Value(5.0, (a, b), (1.0, 1.0))
    student.Value(4.0, (a,), (2.0,)).backward()
    close(a.grad, 2.0)
    close(b.grad, 0.0)
    close(other.grad, 0.0)


@piece("backward")
def test_gradients_add_up_over_results(student):
    """A gradient is added to what is there: after several results, an input has the sum of all."""
    a, b = student.Value(2.0), student.Value(3.0)
    total = 0.0
    for local in numbers(4):
        c = student.Value(6.0, (a, b), (local, 1.0))
        student.Value(7.0, (c, a), (2.0, 1.0)).backward()
        total += 2 * local + 1
        close(a.grad, total)
    close(b.grad, 8.0)


@piece("backward")
def test_two_results_may_both_be_there_before_the_first_walk(student):
    """The walk from one result leaves the other, made from the same Values, its own walk."""
    a, b = student.Value(2.0), student.Value(3.0)
    c = student.Value(6.0, (a, b), (3.0, 2.0))
    d = student.Value(5.0, (a,), (5.0,))
    end = student.Value(7.0, (d,), (0.5,))
    c.backward()
    close(a.grad, 3.0)
    end.backward()
    close(a.grad, 5.5)
    close(b.grad, 2.0)


@piece("backward")
def test_gradients_start_anew_when_they_are_set_to_0(student):
    """Setting grad to 0 forgets it, as training does after each step."""
    a = student.Value(2.0)
    student.Value(6.0, (a,), (3.0,)).backward()
    a.grad = 0
    student.Value(8.0, (a,), (4.0,)).backward()
    close(a.grad, 4.0)


@piece("backward")
def test_one_operation_may_use_a_value_several_times(student):
    """A Value that stands three times among the children gets all three parts."""
    a, b = student.Value(2.0), student.Value(3.0)
    student.Value(1.0, (a, b, a, a), (0.5, 2.0, -3.0, 7.0)).backward()
    close(a.grad, 4.5)
    close(b.grad, 2.0)


@piece("backward")
def test_a_short_way_and_a_long_one(student):
    """A Value that the result uses itself must wait for what comes the long way round."""
    a = student.Value(1.0)
    near, far = a_short_way_and_a_long_one(student, a)
    student.Value(1.0, (near, far), (5.0, 1.0)).backward()
    close(near.grad, 1.0)
    close(a.grad, 3.0)


@piece("backward")
def test_a_long_way_and_a_short_one(student):
    """The same with the long way first: the order of the children does not matter."""
    a = student.Value(1.0)
    near, far = a_short_way_and_a_long_one(student, a)
    student.Value(1.0, (far, near), (1.0, 5.0)).backward()
    close(near.grad, 1.0)
    close(a.grad, 3.0)


@piece("backward")
def test_the_numbers_play_no_part(student):
    """Backward multiplies local derivatives; equal numbers are still different Values."""
    a, b = student.Value(1.0), student.Value(1.0)
    c = student.Value(1.0, (a, b), (2.0, 3.0))
    d = student.Value(1.0, (c, b), (5.0, 7.0))
    d.backward()
    close(a.grad, 10.0)
    close(b.grad, 22.0)
    close(d.data, 1.0)
    close(a.data, 1.0)


@piece("backward")
def test_a_very_deep_graph(student):
    """The graph may be a million Values deep: backward must not call itself for each."""
    a = student.Value(2.0)
    end = student.scenario("chain_of_values", start=a, length=50_000)
    end.backward()
    close(a.grad, 1.0)


@piece("backward")
def test_a_graph_of_many_paths(student):
    """Each Value hands on once. A number doubled 24 times has 2 ** 24 paths, too many to follow."""
    a = student.Value(1.0)
    rung = a
    for _ in range(24):
        rung = student.Value(1.0, (rung, rung), (1.0, 1.0))
    rung.backward()
    close(a.grad, 2.0**24)
