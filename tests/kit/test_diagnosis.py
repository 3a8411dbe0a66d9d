"""What a wrong answer is called."""

import shutil

import numpy as np
import pytest

from grader import compare, diagnosis, precompute, suite
from grader import course as courses
from grader.assembly import Target
from grader.course import ROOT
from grader.diagnosis import Mutant, stand_in
from grader.student import Student

COURSE = courses.load()
SOLUTIONS, MUTANTS = ROOT / "solutions", ROOT / "tests" / "mutants"
X = np.sin(np.arange(24.0)).reshape(1, 2, 3, 4)


def student_of(exercise: str, mutant: Mutant | None = None) -> Student:
    """The reference with the mutant in it, as a test would talk to it."""
    bench = stand_in(exercise, COURSE, SOLUTIONS, mutant)
    student = Student(bench, {}, COURSE.by_id[exercise].limits)
    compare.current.set(student)
    return student


def known(name: str) -> Mutant:
    return next(m for m in diagnosis.known(MUTANTS) if m.function.__name__ == name)


def test_all_of_a_file_sees_the_mutant_in_it():
    silent = Mutant("ex06_attention", "merge_heads", "", lambda x: x.reshape(1, 3, 8) * 0.0)
    student = student_of("ex06_attention", silent)
    weights = {name: student.Tensor(np.eye(8)) for name in ("wq", "wk", "wv", "wo")}
    y = student.self_attention(student.Tensor(X.reshape(1, 3, 8)), weights, 2)
    assert not student.array(y).any()


def test_a_piece_that_no_mutant_of_its_own_explains_asks_those_of_what_it_needs():
    unscaled = known("weights_unscaled")
    student = student_of("ex06_attention", unscaled)
    x = np.concatenate([X, -X])  # two documents: the root of 1 would be no scale at all
    student.array(student.causal_attention(*(student.Tensor(x + i) for i in range(3))))
    piece = COURSE.pieces["ex06.causal_attention"]
    said = diagnosis.name([student._log.calls], piece, COURSE, SOLUTIONS, MUTANTS)
    assert said == unscaled.says


def test_a_mistake_whose_message_is_right_does_not_explain_one_that_is_wrong():
    """All of them raise ValueError, and a known mistake elsewhere names the character."""
    silent = known("encode_names_nothing")
    student = student_of("ex01_tokenizer", silent)
    wrong = pytest.raises(AssertionError, match="should name")
    with wrong, student.raises(ValueError, mentions="?"):
        student.CharTokenizer(["abc"]).encode("a?c")
    piece = COURSE.pieces["ex01.encode"]
    assert diagnosis.name([student._log.calls], piece, COURSE, SOLUTIONS, MUTANTS) == silent.says


def test_a_mask_that_came_back_is_compared_as_any_array():
    """A vjp that forgets g hands back where x is above 0: an array of True and False."""
    mask, other = np.array([[True, False]]), np.array([[True, True]])
    for types in (True, False):
        assert diagnosis.same_data(mask, mask.copy(), types)
        assert not diagnosis.same_data(mask, other, types)
        assert not diagnosis.same_data(other, mask[0], types)
        assert not diagnosis.same_data(mask * 2.0, mask, types)


def test_a_whole_number_of_any_size_is_compared():
    for types in (True, False):
        assert diagnosis.same_data(10**5000, 10**5000, types)
        assert not diagnosis.same_data(10**5000, 10**5000 + 1, types)
        assert not diagnosis.same_data(10**5000, 0.5, types)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (
            "operands could not be broadcast together with shapes (2,3) (2,)",
            "operands could not be broadcast together with shapes (2,) (2,3)",
            True,
        ),
        (
            "operands could not be broadcast together with shapes (2,3) (2,)",
            "cannot reshape array of size 6 into shape (4,)",
            False,
        ),
        ("17 positions, but block_size is 16", "17 are too many", True),
        ("'Value' object is not iterable", "object of type 'NoneType' has no len()", False),
        ("'NoneType' has no attribute 'size'", "'NoneType' has no attribute 'ravel'", True),
        ("<Tensor at 0x7f10> is none", "<Tensor at 0x8f22> is none", True),
    ],
)
def test_errors_are_the_same_if_they_are_about_the_same_things(one, other, same):
    one, other = ({"error": {"type": "ValueError", "message": m}} for m in (one, other))
    assert diagnosis.alike(one, other) is same
    assert diagnosis.alike(other, one) is same
    assert diagnosis.alike(precompute.bare(one), other) is same


def test_an_error_of_shapes_is_not_called_a_mistake_of_a_piece_that_passes(tmp_path):
    """Positions up to `start` do not fit, and neither does a matrix of the mlp that is turned."""
    wrong = {"(start, start + T)": "(start + T)"}
    [message] = {test.diagnosis for test in results_of(tmp_path, "ex07.GPT", wrong)}
    assert message is None


@pytest.mark.parametrize(
    ("id", "wrong", "says"),
    [
        ("ex09.batches", {"tokens[1:]": "tokens[:-1]"}, "the targets are the ids themselves"),
        (
            "ex07.GPT",
            {
                "if caches and ids.size == 1 and": "if False and",  # without the challenge
                'return linear(x, params["wte" if config.tied_head else "lm_head"])': (
                    'z = linear(x, params["wte" if config.tied_head else "lm_head"]).exp()\n'
                    "        return z / z.sum(-1, keepdims=True)"
                ),
            },
            "these are probabilities",
        ),
    ],
)
def test_a_common_mistake_is_named_in_a_file_that_is_right_elsewhere(tmp_path, id, wrong, says):
    """doc_batches complains of no documents when the first batch is asked for, as a generator does;
    and what a model gives as probabilities can still walk back."""
    tests = results_of(tmp_path, id, wrong)
    assert any((test.diagnosis or "").startswith(says) for test in tests)


def test_the_end_of_a_with_is_not_blamed(tmp_path):
    """What returned None is the block; the last that was asked for is the end of no_grad."""
    line = "return x + mlp(y"
    messages = [test.message or "" for test in results_of(tmp_path, "ex07.block", {line: line[7:]})]
    assert any("returned None" in message for message in messages)
    assert not any("exit(" in message for message in messages)


def results_of(tmp_path, id, wrong):
    """The results of a piece's visible tests on the reference with its right texts made `wrong`."""
    piece = COURSE.pieces[id]
    folder = tmp_path / "exercises"
    shutil.copytree(SOLUTIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / f"{piece.exercise}.py"
    text = file.read_text("utf-8")
    for right, other in wrong.items():
        assert text.count(right) == 1
        text = text.replace(right, other)
    file.write_text(text, "utf-8")
    result = suite.check(COURSE, Target.read(folder, COURSE), (piece,), suite.usual())
    return result.exercises[0].pieces[0].tests
