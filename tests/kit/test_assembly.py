"""Which file each piece comes from, and what a worker is lent of the reference."""

from pathlib import Path

import numpy as np
import pytest

from grader import course as courses
from grader.assembly import Plan, Target, lend, pieces_of, read
from grader.course import ROOT
from grader.process import InProcess

COURSE = courses.load()
SOLUTIONS = ROOT / "solutions"
ATTENTION = COURSE.by_id["ex06_attention"]


def lent(*names: str) -> dict:
    return lend(SOLUTIONS / ATTENTION.file, frozenset(names), pieces_of(ATTENTION))


def test_what_is_lent_holds_no_other_answer_of_the_file():
    source = lent("attention_weights")["source"]
    assert "def attention_weights" in source
    for other in ("split_heads", "causal_attention", "self_attention", "KVCache"):
        assert f"def {other}" not in source
        assert f"class {other}" not in source


def test_what_is_lent_keeps_its_line_numbers():
    whole = (SOLUTIONS / ATTENTION.file).read_text("utf-8").splitlines()
    for number, line in enumerate(lent("attention_weights")["source"].splitlines()):
        assert line in ("", whole[number])


def test_a_lent_function_calls_the_students_siblings():
    assert lent("causal_attention")["from_student"] == ["attention_weights"]


def test_helpers_that_are_given_come_along():
    norm = COURSE.by_id["ex05_norm"]
    source = lend(SOLUTIONS / norm.file, frozenset({"layernorm"}), pieces_of(norm))["source"]
    assert "def mean_product" in source
    assert "def rmsnorm" not in source


def assembled(folder: Path, exercise: str, borrowed: dict) -> InProcess:
    """The package of a folder's files with names borrowed, loaded in this process."""
    target = Target.read(folder, COURSE)
    worker = InProcess("assembled_for_a_test")
    modules = Plan.of(borrowed).modules(COURSE, target, SOLUTIONS)
    names = {unit: piece.exercise for piece in COURSE.pieces.values() for unit in piece.units}
    answer = worker.ask({"op": "load", "exercise": exercise, "modules": modules, "names": names})
    assert "error" not in answer, answer["error"]
    return worker


@pytest.fixture
def stubs(tmp_path):
    """A folder of untouched stubs."""
    for exercise in COURSE.exercises:
        (tmp_path / exercise.file).write_bytes((ROOT / "exercises" / exercise.file).read_bytes())
    (tmp_path / "microgpt.py").write_bytes((SOLUTIONS / "microgpt.py").read_bytes())
    return tmp_path


def test_a_borrowed_function_works_on_the_students_own_class_of_tensor(stubs):
    """There is one Tensor class, whoever uses it."""
    (stubs / "ex03_tensor.py").write_bytes((SOLUTIONS / "ex03_tensor.py").read_bytes())
    borrowed = {
        "ex04_ops": frozenset({"softmax"}),
        "ex06_attention": frozenset({"attention_weights"}),
    }
    worker = assembled(stubs, "ex06_attention", borrowed)
    try:
        package = worker.dispatcher.package
        tensor = package.module("ex03_tensor").Tensor
        assert package.module("ex04_ops").Tensor is tensor
        weights = package.module("ex06_attention").attention_weights
        zeros = tensor(np.zeros((1, 1, 2, 3)))
        assert type(weights(zeros, zeros)) is tensor
        with pytest.raises(NotImplementedError):
            package.module("ex06_attention").causal_attention(zeros, zeros, zeros)
    finally:
        worker.close()


def test_a_whole_file_is_borrowed_where_the_students_cannot_be_imported(stubs):
    (stubs / "ex03_tensor.py").write_text("this is not Python")
    worker = assembled(stubs, "ex05_norm", {"ex03_tensor": None})
    worker.close()


@pytest.mark.parametrize(
    ("data", "problem", "line"),
    [
        (b"x = 1\n# caf\xe9\n", "not UTF-8", 2),
        (b"x = 1\n\n\0\n", "NUL", 3),
        (b"#" * 300_000, "larger than 256 KiB", 1),
    ],
)
def test_a_file_that_is_no_source_is_said_to_be_none(tmp_path, data, problem, line):
    path = tmp_path / "ex01_tokenizer.py"
    path.write_bytes(data)
    source = read(path, "exercises/ex01_tokenizer.py")
    assert source.text is None
    assert problem in source.problem
    assert source.line == line


def test_a_bom_and_windows_line_ends_make_no_difference(tmp_path):
    path = tmp_path / "ex01_tokenizer.py"
    path.write_bytes(b"\xef\xbb\xbfx = 1\r\ny = 2\r\n")
    assert read(path, "ex01").text == "x = 1\ny = 2\n"


def test_a_folder_in_place_of_a_file_is_refused_in_words(tmp_path):
    (tmp_path / "ex01_tokenizer.py").mkdir()
    assert "not a regular file" in read(tmp_path / "ex01_tokenizer.py", "ex01").problem
