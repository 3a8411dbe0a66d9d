"""Misconceptions of exercise 2, in other words than those of tests/mutants."""

import math

from grader.diagnosis import mutant
from solutions.ex02_value import Value

EX = "ex02_value"


@mutant(EX, "Value.__mul__", says="mul_derivatives_swapped")
def builds_it_in_steps(self, other):
    if not isinstance(other, Value):
        other = Value(other)
    out = Value(self.data * other.data)
    out.children = (self, other)
    out.local_grads = tuple(child.data for child in out.children)
    return out


@mutant(EX, "Value.__pow__", says="pow_same_power")
def through_the_result(self, n):
    result = math.pow(self.data, n)
    return Value(result, children=(self,), local_grads=(result * n,))


@mutant(EX, "Value.__truediv__", says="truediv_sign")
def as_one_node(self, other):
    b = Value.of(other)
    one_over_b = 1.0 / b.data
    return Value(self.data * one_over_b, (self, b), (one_over_b, self.data * one_over_b**2))


@mutant(EX, "Value.__sub__", says="sub_derivative")
def difference_as_one_node(self, other):
    right = Value.of(other)
    return Value(self.data - right.data, (self, right), (1.0,) * 2)


@mutant(EX, "Value.exp", says="exp_derivative_input")
def exp_by_power(self):
    x = self.data
    return Value(math.e**x, (self,), (x,))


@mutant(EX, "Value.relu", says="relu_derivative_one")
def relu_by_branches(self):
    if self.data < 0:
        return Value(0.0, (self,), (1.0,))
    return Value(self.data, (self,), (1.0,))


@mutant(EX, "Value.backward", says="backward_assigns")
def sets_them(self):
    done, order = set(), []
    todo = [(self, 0)]
    while todo:
        node, i = todo.pop()
        if i == 0 and id(node) in done:
            continue
        done.add(id(node))
        if i < len(node.children):
            todo.append((node, i + 1))
            todo.append((node.children[i], 0))
        else:
            order.insert(0, node)
    self.grad = 1
    for node in order:
        for i in range(len(node.children)):
            node.children[i].grad = node.grad * node.local_grads[i]


@mutant(EX, "Value.backward", says="backward_without_start")
def counts_parents_first(self):
    above, seen, todo = {}, {self}, [self]
    while todo:
        for child in todo.pop().children:
            above[child] = above.get(child, 0) + 1
            if child not in seen:
                seen.add(child)
                todo.append(child)
    ready = [self]
    while ready:
        node = ready.pop()
        for child, d in zip(node.children, node.local_grads):
            child.grad += d * node.grad
            above[child] -= 1
            if above[child] == 0:
                ready.append(child)


@mutant(EX, "Value.backward", says="backward_without_chain_rule")
def ignores_what_is_above(self):
    order, seen = [], set()

    def visit(start):
        stack = [iter([start])]
        path = []
        while stack:
            node = next(stack[-1], None)
            if node is None:
                stack.pop()
                if path:
                    order.append(path.pop())
            elif node not in seen:
                seen.add(node)
                path.append(node)
                stack.append(iter(node.children))

    visit(self)
    self.grad += 1.0
    for node in order[::-1]:
        for child, local in zip(node.children, node.local_grads):
            child.grad += local


@mutant(EX, "Value.log", says="log_derivative_result")
def log_with_names(self):
    y = math.log(self.data)
    slope = y**-1 if y else math.inf
    return Value(y, (self,), (slope,))
