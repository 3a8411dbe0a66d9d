"""What a failure says about objects that have no shape: they go by the call that made them."""

import pytest

from grader import course as courses
from grader.compare import close, current, same
from grader.course import ROOT
from grader.diagnosis import stand_in
from grader.student import Student

COURSE = courses.load()


@pytest.fixture
def student():
    """The reference of exercise 2, in this process."""
    bench = stand_in("ex02_value", COURSE, ROOT / "solutions")
    places = {"Value.__init__": ["x.py", 1, ["self", "data", "children", "local_grads"]]}
    student = Student(bench, places, COURSE.by_id["ex02_value"].limits)
    token = current.set(student)
    yield student
    current.reset(token)
    bench.close()


def message(check, *args) -> str:
    with pytest.raises(AssertionError) as caught:
        check(*args)
    return str(caught.value)


def test_an_operation_is_shown_as_it_is_written(student):
    got = (2 - student.Value(5.0)).data
    assert message(close, got, 1.0) == "(2 - Value(5.0)).data: got -3, expected 1"


def test_a_sign_is_shown_as_a_sign(student):
    got = (-student.Value(2.0)).data
    assert message(close, got, 2.0) == "(-Value(2.0)).data: got -2, expected 2"


def test_a_method_is_shown_with_what_it_was_called_on(student):
    got = student.Value(0.0).exp().data
    assert message(close, got, 0.0) == "Value(0.0).exp().data: got 1, expected 0"


def test_a_gradient_is_shown_with_the_walk_that_made_it(student):
    a = student.Value(2.0)
    ((a - student.Value(5.0)) * 3).backward()
    words = "((Value(2.0) - Value(5.0)) * 3).backward(), the gradient of Value(2.0)"
    assert message(close, a.grad, 1.0) == f"{words}: got 3, expected 1"


def test_a_graph_made_by_hand_shows_its_derivatives(student):
    a = student.Value(2.0)
    b = student.Value(6.0, (a,), (3.0,))
    student.Value(24.0, (b,), (4.0,)).backward()
    words = "Value(24.0, local_grads=(4.0,)).backward(), the gradient of"
    assert message(close, a.grad, 1.0) == f"{words} Value(2.0): got 12, expected 1"
    of_b = f"{words} Value(6.0, local_grads=(3.0,))"
    assert message(close, b.grad, 1.0) == f"{of_b}: got 4, expected 1"


def test_what_is_long_goes_by_its_type(student):
    long = student.Value(1.0)
    for _ in range(6):
        long = long + 1.0
    assert message(close, long.data, 0.0).startswith("(Value + 1.0).data: ")


def test_an_attribute_is_shown_with_the_call_that_made_its_object(student):
    tokenizer = student.CharTokenizer(["abba", "cab"])
    got = message(same, tokenizer.bos, 2)
    assert got == "CharTokenizer(['abba', 'cab']).bos: got 3, expected 2"


def test_a_long_argument_is_left_out_of_it(student):
    tokenizer = student.CharTokenizer(["a" * 100])
    assert message(same, tokenizer.encode("a"), []).startswith("CharTokenizer.encode('a'): ")


@pytest.mark.parametrize("wrong", ["data", "grad"])
def test_a_value_in_place_of_a_number_is_told_what_a_value_is_made_of(student, wrong):
    a = student.Value(2.0)
    if wrong == "data":
        got = student.Value(a).data
    else:
        student.Value(6.0, (a,), (student.Value(3.0),)).backward()
        got = a.grad
    first, second = message(close, got, 3.0).splitlines()
    assert first.endswith(" is a Value, expected the number 3")
    assert second.endswith("its local derivatives too: self.data, not self")
