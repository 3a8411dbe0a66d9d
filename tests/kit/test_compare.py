"""Comparisons: what they accept, what they refuse, and what they say."""

import numpy as np
import pytest

from grader import course as courses
from grader.compare import close, current, gradcheck, same, straight
from grader.course import ROOT
from grader.diagnosis import Mutant, put_in, stand_in
from grader.student import Student, StudentError

COURSE = courses.load()
NORM = COURSE.by_id["ex05_norm"]
X = np.arange(30.0).reshape(2, 3, 5) ** 1.5


@pytest.fixture
def student():
    """The reference, in this process."""
    bench = stand_in("ex05_norm", COURSE, ROOT / "solutions")
    places = {"layernorm": ["x.py", 1, ["x", "gain", "bias", "eps"]]}
    student = Student(bench, places, NORM.limits)
    token = current.set(student)
    yield student
    current.reset(token)
    bench.close()


def message(check, *args, **kwargs) -> str:
    with pytest.raises(AssertionError) as caught:
        check(*args, **kwargs)
    return str(caught.value)


def layernorm(student, x=X):
    return student.layernorm(
        student.Tensor(x),
        student.Tensor(np.ones(x.shape[-1])),
        student.Tensor(np.zeros(x.shape[-1])),
    )


def test_a_difference_says_the_call_how_many_values_and_the_worst(student):
    expected = student.array(layernorm(student)).copy()
    expected[1, 0, 0] += 1.0
    assert message(close, layernorm(student), expected) == (
        "layernorm(x of shape (2, 3, 5)): 1 of 30 values differ\n"
        f"worst at [1, 0, 0]: got {expected[1, 0, 0] - 1:.6g}, expected {expected[1, 0, 0]:.6g}"
    )


def test_another_shape_is_said_before_any_value(student):
    said = message(close, layernorm(student), np.zeros((2, 3)))
    assert said == (
        "layernorm(x of shape (2, 3, 5)) has shape (2, 3, 5), expected (2, 3)\n"
        "axis 2, 5 long, is too many"
    )


def test_what_all_of_it_is_to_the_right_one_is_said_last(student):
    expected = 10.0 * student.array(layernorm(student))
    said = message(close, layernorm(student), expected)
    assert said.splitlines()[-1] == "yours is 0.1 of expected everywhere"
    assert message(same, [2, 1, 3], [1, 2, 3]).endswith("\nthe right ones, in another order")
    assert message(same, np.array([3, 1, 2]), np.array([2, 1, 3])).endswith("reversed along axis 0")


def test_a_gradient_too_is_told_as_a_whole(student):
    x = student.Tensor(X)
    y = student.layernorm(x, student.Tensor(np.ones(5)), student.Tensor(np.zeros(5)))
    y.backward(np.sin(X))
    said = message(close, x.grad, -student.array(x * 0.0) - np.array(x.grad))
    assert said.endswith("\nyours has the other sign everywhere")


def test_an_array_that_would_broadcast_is_not_close():
    assert "shape" in message(close, np.zeros((1, 3)), [0.0, 0.0, 0.0])
    assert "shape" in message(close, np.zeros((0, 1, 7)), np.zeros((0, 3, 7)))


def test_off_by_a_thousandth_fails_and_by_a_trillionth_passes():
    close(np.array([1.0, 2.0]) * (1 + 1e-12), [1.0, 2.0])
    message(close, np.array([1.0, 2.0]) * (1 + 1e-3), [1.0, 2.0])


@pytest.mark.parametrize("got", [None, "1.0", True, [1.0], np.array([True]), np.array(["1"])])
def test_what_is_no_number_is_not_close_to_one(got):
    message(close, got, [1.0] if isinstance(got, np.ndarray) else 1.0)


def test_nan_and_inf_are_close_to_themselves_alone():
    close(np.array([np.nan, np.inf]), [np.nan, np.inf])
    message(close, np.array([np.nan, 1.0]), [1.0, 1.0])
    message(close, np.array([np.inf]), [-np.inf])


def test_float32_must_stay_float32_where_it_is_expected():
    assert "float32" in message(close, np.zeros(2), np.zeros(2, np.float32))


@pytest.mark.parametrize(
    ("got", "expected"), [(1, 1.0), (True, 1), ((1, 2), [1, 2]), ([1], [1, 2])]
)
def test_same_means_the_same_type_and_length(got, expected):
    message(same, got, expected)
    same(expected, expected)


def test_same_asks_for_a_missing_return(student):
    assert "is a return missing?" in message(same, None, [1])


def test_close_asks_for_a_missing_return_of_a_call_alone(student):
    assert "is a return missing?" in message(close, None, [1.0])
    assert "is a return missing?" in message(student.array, None)
    x = student.Tensor(X)
    said = message(close, x.grad, X)
    assert "is None, expected an array of shape (2, 3, 5)" in said
    assert "none arrives: Tensor(...) forgets what it was made from" in said
    x.data = None
    assert "return" not in message(same, x.data, [1.0])


def test_a_gradient_that_is_a_tensor_is_no_array(student):
    x = student.Tensor(X)
    x.grad = student.Tensor(X)
    assert message(close, x.grad, X).endswith(" is a Tensor, expected an array of shape (2, 3, 5)")


def test_gradcheck_accepts_the_reference(student):
    gradcheck(student, student.layernorm, X[0], np.ones(5), np.zeros(5))


def test_gradcheck_names_the_argument_whose_gradient_is_off(student):
    def wrong(x, gain, bias):
        return student.layernorm(x, gain, bias) * 1.0

    said = message(
        gradcheck,
        student,
        wrong,
        X[0],
        np.ones(5),
        np.zeros(5),
        truth=lambda x, gain, bias: gain * (x - x.mean(-1, keepdims=True)),
    )
    assert "the gradient of" in said


def test_no_slope_is_taken_of_what_changes_its_shape(student):
    def wrong(x):
        whole = (student.array(x) == 1).all()
        return x.reshape(2**12, 1) if whole else x.reshape(1, 2**12)

    said = message(gradcheck, student, wrong, np.ones(2**12))
    assert "has shape (1, 4096), expected (4096, 1)" in said


@pytest.mark.parametrize("off", [{(0, 0): 1e-5}, {(0, 0): 1e-3, (2, 1): -1e-3}, {(1, 1): np.nan}])
def test_along_random_directions_an_error_at_any_place_shows(off):
    x, y = X[:, :3, :2] / 100

    def value(x, y):
        return float((x * x * y).sum())

    gradients = [2 * x * y, x * x]
    rng = np.random.default_rng(0)
    assert straight(gradients, [x, y], value, rng)
    for place, error in off.items():
        gradients[1][place] += error
    assert not straight(gradients, [x, y], value, rng)


def test_a_gradient_that_is_none_or_of_another_shape_is_not_straight():
    for gradient in (None, np.float64(2.0), np.ones((1, 1)), [2.0]):
        assert not straight([gradient], [np.ones(1)], None, None)


def test_a_function_of_tensors_that_returns_an_array_is_told_so(student):
    wrong = Mutant("ex05_norm", "layernorm", "", lambda x, gain, bias, eps=1e-5: x.data)
    put_in(student._worker.dispatcher.package.module("ex05_norm"), wrong)
    assert "it must return a Tensor" in message(close, layernorm(student), X)


def test_a_function_of_arrays_that_returns_a_tensor_is_told_so(student):
    package = student._worker.dispatcher.package
    tensor = package.module("ex03_tensor").Tensor
    put_in(
        package.module("ex10_sampling"),
        Mutant("ex10_sampling", "temperature", "", lambda z, t: tensor(z / t)),
    )
    said = message(close, student.temperature(X, 1.0), X)
    assert "returned a Tensor; it must return an array" in said


def test_a_function_that_returns_none_is_asked_for_its_return(student):
    package = student._worker.dispatcher.package
    put_in(
        package.module("ex10_sampling"),
        Mutant("ex10_sampling", "temperature", "", lambda z, t: None),
    )
    assert "is a return missing?" in message(close, student.temperature(X, 1.0), X)


def test_a_gradient_that_holds_tensors_is_called_an_array_of_objects(student):
    x = student.Tensor(X)
    package = student._worker.dispatcher.package
    made = package.module("ex03_tensor").Tensor
    put_in(
        package.module("ex04_ops"),
        Mutant("ex04_ops", "relu", "", lambda x: made.op(x.data, (x,), lambda g: (made(g),))),
    )
    student.relu(x).backward(X)
    assert "a Tensor? A vjp returns arrays" in message(close, x.grad, X)


def test_a_handle_answers_no_comparison_and_has_no_truth(student):
    y = layernorm(student)
    for question in (lambda: y == y, lambda: bool(y), lambda: np.asarray(y), lambda: list(y)):
        with pytest.raises(TypeError):
            question()


def test_raises_wants_the_type_and_the_name_in_the_message(student):
    with student.raises(TypeError):
        student.layernorm(1, 2)
    with pytest.raises(AssertionError, match="must raise ValueError"), student.raises(ValueError):
        student.layernorm(1, 2)
    with pytest.raises(AssertionError, match=r"but returned$"), student.raises(ValueError):
        layernorm(student)


def test_an_error_that_is_returned_is_to_be_raised(student):
    wrong = Mutant("ex05_norm", "layernorm", "", lambda x, gain, bias, eps=1e-5: ValueError("x"))
    put_in(student._worker.dispatcher.package.module("ex05_norm"), wrong)
    with pytest.raises(AssertionError, match="write raise, not return"), student.raises(ValueError):
        layernorm(student)


def test_what_the_students_code_raises_comes_with_the_call(student):
    with pytest.raises(StudentError, match=r"layernorm\(3\) raised TypeError"):
        student.layernorm(3)


def test_a_gradient_is_named_by_the_call_that_its_tensor_went_into(student):
    x = student.Tensor(X)
    x[np.array([0, 0])].sum(axis=1).backward(np.ones((2, 5)))
    said = message(close, x.grad, np.zeros((2, 3, 5)))
    assert said.startswith("Tensor(shape (2, 3, 5))[[0 0]], the gradient of argument 1: 15 of 30")
    y = student.Tensor(X)
    y.sum(axis=1).backward(np.ones((2, 5)))
    said = message(close, y.grad, np.zeros((2, 3, 5)))
    assert said.startswith("Tensor (2, 3, 5).sum(axis=1), the gradient of argument 1: 30 of 30")


def test_a_gradient_in_a_dict_is_named_by_its_key(student):
    x = student.Tensor(X)
    weights = {name: student.Tensor(np.eye(5)) for name in ("wq", "wk", "wv", "wo")}
    student.self_attention(x, weights, 1).backward(np.ones((2, 3, 5)))
    said = message(close, weights["wv"].grad, np.zeros((5, 5)))
    assert said.startswith("self_attention(shape (2, 3, 5), 1), the gradient of wv: 25 of 25")


def test_numbers_that_the_test_read_itself_need_not_be_a_tensor(student):
    close(student.array(layernorm(student)), student.array(layernorm(student)))


def test_a_gradient_is_named_by_the_walk_back_where_its_tensor_went_into_no_call(student):
    x = student.Tensor(X)
    student.scenario("combine", parents=[x], factors=[2.0]).backward(np.ones(X.shape))
    said = message(close, x.grad, np.ones(X.shape))
    assert said.startswith("Tensor.backward(shape (2, 3, 5)), the gradient of a leaf: 30 of 30")


def test_a_call_keeps_the_numbers_that_it_was_given(student):
    x = np.array([[3.0, 4.0]])
    tensor = student.Tensor(x)
    x[:] = 0.0
    close(tensor, [[3.0, 4.0]])
    assert student._log.calls[0].request["args"][0].tolist() == [[3.0, 4.0]]


def test_a_parameter_is_named_by_its_key(student):
    model = student.GPT(student.GPTConfig.microgpt(3, n_embd=4, n_head=2), student.rng(0))
    params = model.params
    model.loss([[0, 1]], [[1, 2]]).backward()
    said = message(close, params["lm_head"].grad, np.zeros((3, 4)))
    assert said.startswith("Tensor.backward(), the gradient of lm_head: 12 of 12 values differ")
    assert message(close, params["wpe"], [1.0]).startswith(".params of a GPT['wpe'] has shape")


def test_numbers_that_differ_late_are_shown_with_more_digits():
    assert message(close, 1.791762, 1.791758).endswith("got 1.791762, expected 1.791758")
    assert message(close, np.array([2.0]), [2.5]).endswith("worst at [0]: got 2, expected 2.5")
