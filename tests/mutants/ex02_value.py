"""Mistakes that students make in exercise 2."""

import math
from itertools import count

from grader.diagnosis import mutant
from solutions.ex02_value import Value

EX02 = "ex02_value"
SWAPPED = "you gave each factor itself as the derivative; that of a * b is b for a, and a for b"
OF_SUM = "you gave a product the derivatives of a sum; that of a * b is b for a, and a for b"
SAME_POWER = "you left the power as it was in the derivative; it falls by one: n * self ** (n - 1)"
WITHOUT_FACTOR = "you left out the factor n of the derivative, which is n * self ** (n - 1)"
COMMA = "a tuple of one needs its comma: (self,), and so does its local derivative: (1,)"


def in_order(value):
    """The Values that `value` was made from, each once, after its children; `value` is the last."""
    order, seen, stack = [], set(), [(value, False)]
    while stack:
        node, children_done = stack.pop()
        if children_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child in node.children)
    return order


# arithmetic


@mutant(
    EX02,
    "Value.__add__",
    says="you gave a sum the derivatives of a product; a sum moves 1 for 1 with each input",
)
def add_derivatives_of_product(self, other):
    other = Value.of(other)
    return Value(self.data + other.data, (self, other), (other.data, self.data))


@mutant(
    EX02,
    "Value.__add__",
    says="you kept the children of a sum, but not its derivatives: one for each child, (1, 1)",
)
def add_without_derivatives(self, other):
    other = Value.of(other)
    return Value(self.data + other.data, (self, other))


@mutant(
    EX02,
    "Value.__add__",
    says="your sum with a plain number forgets the Value it was made from; keep it as a child",
)
def add_number_forgets(self, other):
    if not isinstance(other, Value):
        return Value(self.data + other)
    return Value(self.data + other.data, (self, other), (1, 1))


@mutant(
    EX02,
    "Value.__add__",
    says="you changed the Value on the left; an operation makes a new one and leaves its inputs",
)
def add_in_place(self, other):
    other = Value.of(other)
    before = Value(self.data, self.children, self.local_grads)
    self.data, self.children, self.local_grads = self.data + other.data, (before, other), (1, 1)
    return self


@mutant(
    EX02,
    "Value.__add__",
    says="you kept the result and not what it was made from; hand on children and derivatives",
)
def add_without_history(self, other):
    return Value(self.data + Value.of(other).data)


@mutant(EX02, "Value.__mul__", says=SWAPPED)
def mul_derivatives_swapped(self, other):
    other = Value.of(other)
    return Value(self.data * other.data, (self, other), (self.data, other.data))


@mutant(EX02, "Value.__mul__", says=OF_SUM)
def mul_derivatives_of_sum(self, other):
    other = Value.of(other)
    return Value(self.data * other.data, (self, other), (1, 1))


@mutant(
    EX02,
    "Value.__mul__",
    says="your product with a plain number forgets the Value it was made from; keep it as a child",
)
def mul_number_forgets(self, other):
    if not isinstance(other, Value):
        return Value(self.data * other)
    return Value(self.data * other.data, (self, other), (other.data, self.data))


@mutant(EX02, "Value.__pow__", says=SAME_POWER)
def pow_same_power(self, n):
    return Value(self.data**n, (self,), (n * self.data**n,))


@mutant(EX02, "Value.__pow__", says=WITHOUT_FACTOR)
def pow_without_factor(self, n):
    return Value(self.data**n, (self,), (self.data ** (n - 1),))


@mutant(
    EX02,
    "Value.__pow__",
    says="you divided by the number to get the derivative, which fails at 0; lower the power",
)
def pow_divided(self, n):
    return Value(self.data**n, (self,), (n * self.data**n / self.data,))


@mutant(EX02, "Value.__pow__", says=COMMA)
def pow_without_comma(self, n):
    return Value(self.data**n, self, (n * self.data ** (n - 1),))


@mutant(
    EX02,
    "Value.__neg__",
    says="your -a forgets the a it was made from, so no gradient arrives; it is a product",
)
def neg_forgets(self):
    return Value(-self.data)


@mutant(
    EX02,
    "Value.__neg__",
    says="you gave -a the derivative 1; it moves against a, so it is -1",
)
def neg_derivative(self):
    return Value(-self.data, (self,), (1,))


@mutant(EX02, "Value.__neg__", says=COMMA)
def neg_without_comma(self):
    return Value(-self.data, self, (-1,))


@mutant(
    EX02,
    "Value.__sub__",
    says="you gave both inputs of a - b the derivative 1; it moves against b, so that one is -1",
)
def sub_derivative(self, other):
    other = Value.of(other)
    return Value(self.data - other.data, (self, other), (1, 1))


@mutant(
    EX02,
    "Value.__sub__",
    says="you swapped the derivatives of a - b: it moves with a, 1, and against b, -1",
)
def sub_derivatives_swapped(self, other):
    other = Value.of(other)
    return Value(self.data - other.data, (self, other), (-1, 1))


@mutant(
    EX02,
    "Value.__sub__",
    says="you took self from other; self - other is the other way round",
)
def sub_turned(self, other):
    return Value.of(other) + -self


@mutant(
    EX02,
    "Value.__truediv__",
    says="you gave b in a / b the derivative 1 / b; it is -a / b ** 2, as for a * b ** -1",
)
def truediv_derivative(self, other):
    other = Value.of(other)
    return Value(self.data / other.data, (self, other), (1 / other.data, 1 / other.data))


@mutant(
    EX02,
    "Value.__truediv__",
    says="you lost the minus in the derivative of a / b for b; it is -a / b ** 2",
)
def truediv_sign(self, other):
    other = Value.of(other)
    local = (1 / other.data, self.data / other.data**2)
    return Value(self.data / other.data, (self, other), local)


@mutant(
    EX02,
    "Value.__truediv__",
    says="you forgot the square in the derivative of a / b for b; it is -a / b ** 2",
)
def truediv_without_square(self, other):
    other = Value.of(other)
    local = (1 / other.data, -self.data / other.data)
    return Value(self.data / other.data, (self, other), local)


@mutant(
    EX02,
    "Value.__truediv__",
    says="you forgot a in the derivative of a / b for b; it is -a / b ** 2",
)
def truediv_without_a(self, other):
    other = Value.of(other)
    local = (1 / other.data, -1 / other.data**2)
    return Value(self.data / other.data, (self, other), local)


@mutant(
    EX02,
    "Value.__truediv__",
    says="you swapped the derivatives of a / b: 1 / b is that of a, -a / b ** 2 that of b",
)
def truediv_swapped(self, other):
    other = Value.of(other)
    local = (-self.data / other.data**2, 1 / other.data)
    return Value(self.data / other.data, (self, other), local)


@mutant(
    EX02,
    "Value.__truediv__",
    says="you gave a quotient the derivatives of a product; they are 1 / b and -a / b ** 2",
)
def truediv_of_product(self, other):
    other = Value.of(other)
    return Value(self.data / other.data, (self, other), (other.data, self.data))


@mutant(
    EX02,
    "Value.__truediv__",
    says="you divided without the remainder (//); 7 / 2 is 3.5",
)
def truediv_floor(self, other):
    other = Value.of(other)
    b = other.data
    return Value(self.data // b, (self, other), (1 / b, -self.data / b**2))


@mutant(
    EX02,
    "Value.__rsub__",
    says="you took other from self; in 2 - v the number stands left, so it is other - self",
)
def rsub_turned(self, other):
    return self - other


@mutant(
    EX02,
    "Value.__rsub__",
    says="you gave v in 2 - v the derivative 1; it moves against v, so it is -1",
)
def rsub_derivative(self, other):
    return Value(other - self.data, (self,), (1,))


@mutant(
    EX02,
    "Value.__rsub__",
    says="your 2 - v forgets the v it was made from; make a Value of the number, and subtract",
)
def rsub_forgets(self, other):
    return Value(other - self.data)


@mutant(
    EX02,
    "Value.__rtruediv__",
    says="you lost the minus in the derivative of 2 / v; it is -2 / v ** 2",
)
def rtruediv_sign(self, other):
    return Value(other / self.data, (self,), (other / self.data**2,))


@mutant(
    EX02,
    "Value.__rtruediv__",
    says="you forgot the square in the derivative of 2 / v; it is -2 / v ** 2",
)
def rtruediv_without_square(self, other):
    return Value(other / self.data, (self,), (-other / self.data,))


@mutant(
    EX02,
    "Value.__rtruediv__",
    says="you divided self by other; in 2 / v the number stands left, so it is other / self",
)
def rtruediv_turned(self, other):
    return self / other


@mutant(
    EX02,
    "Value.__rtruediv__",
    says="your 2 / v forgets the v it was made from; make a Value of the number, and divide",
)
def rtruediv_forgets(self, other):
    return Value(other / self.data)


# products and powers, where -a, a - b and a / b are right in nodes of their own


def neg_node(self):
    return Value(-self.data, (self,), (-1,))


def sub_node(self, other):
    other = Value.of(other)
    return Value(self.data - other.data, (self, other), (1, -1))


def truediv_node(self, other):
    other = Value.of(other)
    local = (1 / other.data, -self.data / other.data**2)
    return Value(self.data / other.data, (self, other), local)


OWN_NODES = {
    "Value.__neg__": neg_node,
    "Value.__sub__": sub_node,
    "Value.__truediv__": truediv_node,
}


@mutant(EX02, "Value.__mul__", says=SWAPPED, beside=OWN_NODES)
def mul_alone_swapped(self, other):
    other = Value.of(other)
    return Value(self.data * other.data, (self, other), (self.data, other.data))


@mutant(EX02, "Value.__mul__", says=OF_SUM, beside=OWN_NODES)
def mul_alone_of_sum(self, other):
    other = Value.of(other)
    return Value(self.data * other.data, (self, other), (1, 1))


@mutant(EX02, "Value.__pow__", says=SAME_POWER, beside=OWN_NODES)
def pow_alone_same_power(self, n):
    return Value(self.data**n, (self,), (n * self.data**n,))


@mutant(EX02, "Value.__pow__", says=WITHOUT_FACTOR, beside=OWN_NODES)
def pow_alone_without_factor(self, n):
    return Value(self.data**n, (self,), (self.data ** (n - 1),))


# functions


@mutant(
    EX02,
    "Value.exp",
    says="you took the input for the derivative of exp; it is exp itself, the result",
)
def exp_derivative_input(self):
    return Value(math.exp(self.data), (self,), (self.data,))


@mutant(
    EX02,
    "Value.exp",
    says="your exp forgets the Value it was made from, so no gradient arrives",
)
def exp_forgets(self):
    return Value(math.exp(self.data))


@mutant(EX02, "Value.exp", says=COMMA)
def exp_without_comma(self):
    result = math.exp(self.data)
    return Value(result, self, (result,))


@mutant(
    EX02,
    "Value.log",
    says="you took 1 over the result for the derivative of log; it is 1 over the input",
)
def log_derivative_result(self):
    result = math.log(self.data)
    return Value(result, (self,), (1 / result if result else math.inf,))


@mutant(
    EX02,
    "Value.log",
    says="you took the logarithm to the base 10; it is the natural one, to the base e",
)
def log_ten(self):
    return Value(math.log10(self.data), (self,), (1 / self.data,))


@mutant(
    EX02,
    "Value.log",
    says="you added something so that log cannot fail at 0; take that of the number itself",
)
def log_shifted(self):
    return Value(math.log(self.data + 1e-6), (self,), (1 / (self.data + 1e-6),))


@mutant(EX02, "Value.log", says=COMMA)
def log_without_comma(self):
    return Value(math.log(self.data), self, (1 / self.data,))


@mutant(
    EX02,
    "Value.relu",
    says="you gave relu the derivative 1 everywhere; where its input is not above 0, it is 0",
)
def relu_derivative_one(self):
    return Value(max(0, self.data), (self,), (1.0,))


@mutant(
    EX02,
    "Value.relu",
    says="you gave relu the derivative 1 at 0 itself; there it is 0",
)
def relu_at_zero(self):
    return Value(max(0, self.data), (self,), (float(self.data >= 0),))


@mutant(
    EX02,
    "Value.relu",
    says="you took relu's value for its derivative; that is 1 where the input is above 0",
)
def relu_derivative_value(self):
    return Value(max(0, self.data), (self,), (max(0, self.data),))


@mutant(
    EX02,
    "Value.relu",
    says="you let a little of what is below 0 through (a leaky relu); here it becomes 0",
)
def relu_leaky(self):
    slope = 1.0 if self.data > 0 else 0.01
    return Value(slope * self.data, (self,), (slope,))


@mutant(
    EX02,
    "Value.relu",
    says="you kept what is below 0; relu keeps what is above, and makes 0 of the rest",
)
def relu_min(self):
    return Value(min(0, self.data), (self,), (float(self.data < 0),))


@mutant(EX02, "Value.relu", says=COMMA)
def relu_without_comma(self):
    return Value(max(0, self.data), self, (float(self.data > 0),))


# backward


@mutant(
    EX02,
    "Value.backward",
    says="you set gradients where you must add to them: of a Value used twice, one path is lost",
)
def backward_assigns(self):
    self.grad = 1
    for value in reversed(in_order(self)):
        for child, local in zip(value.children, value.local_grads):
            child.grad = local * value.grad


@mutant(
    EX02,
    "Value.backward",
    says="you did not start with 1: the result moves 1 for 1 with itself",
)
def backward_without_start(self):
    for value in reversed(in_order(self)):
        for child, local in zip(value.children, value.local_grads):
            child.grad += local * value.grad


@mutant(
    EX02,
    "Value.backward",
    says="you left out the gradient from above; each child gets local derivative * value.grad",
)
def backward_without_chain_rule(self):
    self.grad += 1
    for value in reversed(in_order(self)):
        for child, local in zip(value.children, value.local_grads):
            child.grad += local


@mutant(
    EX02,
    "Value.backward",
    says="you added local derivative and gradient; along a path they multiply",
)
def backward_adds_along_the_path(self):
    self.grad += 1
    for value in reversed(in_order(self)):
        for child, local in zip(value.children, value.local_grads):
            child.grad += local + value.grad


@mutant(
    EX02,
    "Value.backward",
    says="your gradient came one step far; `order` must hold all, and is walked from its end",
)
def backward_forwards(self):
    self.grad += 1
    for value in in_order(self):
        for child, local in zip(value.children, value.local_grads):
            child.grad += local * value.grad


@mutant(
    EX02,
    "Value.backward",
    says="you walked level by level; a Value must wait until all of its gradient has arrived",
)
def backward_by_levels(self):
    self.grad += 1
    queue, seen = [self], {self}
    for value in queue:
        for child, local in zip(value.children, value.local_grads):
            child.grad += local * value.grad
            if child not in seen:
                seen.add(child)
                queue.append(child)


@mutant(
    EX02,
    "Value.backward",
    says="you let each Value hand on when it was met; first put all of them in topological order",
)
def backward_when_met(self):
    self.grad += 1
    stack, seen = [self], set()
    while stack:
        value = stack.pop()
        if value not in seen:
            seen.add(value)
            stack.extend(value.children)
            for child, local in zip(value.children, value.local_grads):
                child.grad += local * value.grad


@mutant(
    EX02,
    "Value.backward",
    says="you marked a Value as seen when you put it on the stack; mark it when it is opened",
)
def backward_marked_too_early(self):
    order, seen, stack = [], {self}, [(self, False)]
    while stack:
        value, children_done = stack.pop()
        if children_done:
            order.append(value)
            continue
        stack.append((value, True))
        for child in value.children:
            if child not in seen:
                seen.add(child)
                stack.append((child, False))
    self.grad += 1
    for value in reversed(order):
        for child, local in zip(value.children, value.local_grads):
            child.grad += local * value.grad


@mutant(
    EX02,
    "Value.backward",
    says="your order holds a Value once for each path to it, so it hands on again and again",
)
def backward_without_seen(self):
    order, stack = [], [(self, False)]
    while stack:
        value, children_done = stack.pop()
        if children_done:
            order.append(value)
        else:
            stack.append((value, True))
            stack.extend((child, False) for child in value.children)
        if len(order) > 100_000:
            raise MemoryError("it would go on for hours")
    self.grad += 1
    for value in reversed(order):
        for child, local in zip(value.children, value.local_grads):
            child.grad += local * value.grad


@mutant(
    EX02,
    "Value.backward",
    says="you let a Value hand on at each visit, what it has so far; it hands on once, with all",
)
def backward_at_each_visit(self):
    self.grad += 1
    stack, visits = [self], 0
    while stack:
        value, visits = stack.pop(), visits + 1
        for child, local in zip(value.children, value.local_grads):
            child.grad += local * value.grad
            stack.append(child)
        if visits > 100_000:
            raise MemoryError("it would go on for hours")


@mutant(
    EX02,
    "Value.backward",
    says="you called backward of each child, which starts it with 1 again; only the result does so",
)
def backward_of_each_child(self):
    visits = count()

    def backward(value):
        if next(visits) > 100_000:
            raise MemoryError("it would go on for hours")
        value.grad = 1
        for child, local in zip(value.children, value.local_grads):
            child.grad += local * value.grad
            backward(child)

    backward(self)


@mutant(
    EX02,
    "Value.backward",
    says="you walked over a set of the children; a Value that stands there twice counts twice",
)
def backward_set_of_children(self):
    self.grad += 1
    for value in reversed(in_order(self)):
        for child, local in dict(zip(value.children, value.local_grads)).items():
            child.grad += local * value.grad


@mutant(
    EX02,
    "Value.backward",
    says="you set all gradients to 0 first; they are added to what earlier results have left there",
)
def backward_forgets_earlier(self):
    order = in_order(self)
    for value in order:
        value.grad = 0
    self.grad = 1
    for value in reversed(order):
        for child, local in zip(value.children, value.local_grads):
            child.grad += local * value.grad


@mutant(
    EX02,
    "Value.backward",
    says="you kept gradients for the inputs only; every Value on the way has one",
)
def backward_leaves_only(self):
    order = in_order(self)
    self.grad += 1
    for value in reversed(order):
        for child, local in zip(value.children, value.local_grads):
            child.grad += local * value.grad
    for value in order:
        if value.children:
            value.grad = 0


@mutant(
    EX02,
    "Value.backward",
    says="you told Values apart by their numbers; two of them may hold the same number",
)
def backward_by_number(self):
    order, seen, stack = [], set(), [(self, False)]
    while stack:
        value, children_done = stack.pop()
        if children_done:
            order.append(value)
        elif value.data not in seen:
            seen.add(value.data)
            stack.append((value, True))
            stack.extend((child, False) for child in value.children)
    self.grad += 1
    for value in reversed(order):
        for child, local in zip(value.children, value.local_grads):
            child.grad += local * value.grad


@mutant(
    EX02,
    "Value.backward",
    says="your backward calls itself, which Python stops on a deep graph; use a list as the stack",
)
def backward_recursive(self):
    order, seen = [], set()

    def visit(value):
        if value not in seen:
            seen.add(value)
            for child in value.children:
                visit(child)
            order.append(value)

    visit(self)
    self.grad += 1
    for value in reversed(order):
        for child, local in zip(value.children, value.local_grads):
            child.grad += local * value.grad


@mutant(
    EX02,
    "Value.relu",
    says="relu gives back the very Value that it got; every operation makes a new one",
)
def relu_hands_itself_back(self):
    return self if self.data > 0 else Value(0, (self,), (0,))


@mutant(
    EX02,
    "Value.__pow__",
    says="the derivative of a ** 1 at 0 is 1; you divide the result by a, which fails there",
)
def pow_derived_by_dividing(self, n):
    result = self.data**n
    return Value(result, (self,), (n * result / self.data if self.data else 0,))


@mutant(
    EX02,
    "Value.__mul__",
    says="the product is rounded; Python's numbers have 16 digits, and all of them stay",
)
def mul_rounded(self, other):
    other = Value.of(other)
    product = float(f"{self.data * other.data:.9g}")
    return Value(product, (self, other), (other.data, self.data))


@mutant(
    EX02,
    "Value.exp",
    says="you hold the exponent within -20 and 20; take it as it is",
)
def exp_held_within_bounds(self):
    result = math.exp(min(max(self.data, -20), 20))
    return Value(result, (self,), (result,))
