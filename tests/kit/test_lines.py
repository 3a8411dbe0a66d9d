"""A line counts if it holds code of the model, and nothing else does."""

from pathlib import Path

import pytest

from grader import lines

ROOT = Path(__file__).resolve().parents[2]

TEXT = '''"""Lesson,
on two lines."""

import numpy as np
from .ex03_tensor import (
    Tensor,
)

EPS = 1e-5  # counts: 1


@dataclass
class GPTConfig:
    """Given."""

    n_embd: int = 16

    def ffn(self):
        return 4 * self.n_embd


def softmax(x, axis=-1):
    """One docstring."""
    # a comment
    ### BEGIN SOLUTION
    z = np.exp(
        x
    )

    def vjp(g):
        return """text,

        not a docstring"""

    return z
    ### END SOLUTION
'''


@pytest.fixture
def solutions(tmp_path):
    """A model whose ex05 is TEXT; every other file is one line of code."""
    for short in lines.MODEL:
        (tmp_path / f"{short}_x.py").write_text("x = 1\n", "utf-8")
    (tmp_path / "ex05_x.py").write_text(TEXT, "utf-8")
    (tmp_path / "ex02_value.py").write_text("x = 1\n" * 50, "utf-8")
    (tmp_path / "microgpt.py").write_text("# comment\n\nx = 1\n", "utf-8")
    return tmp_path


def test_only_code_of_the_model_counts(solutions):
    eps, signatures, z, text, result = 1, 2, 3, 2, 1
    counted = lines.count(solutions).files["ex05_x.py"]
    assert counted == eps + signatures + z + text + result


def test_the_total_leaves_out_ex02_and_microgpt(solutions):
    counted = lines.count(solutions)
    assert list(counted.files) == [f"{short}_x.py" for short in lines.MODEL]
    assert counted.total == 9 + 8


def test_microgpt_counts_every_line(solutions):
    assert lines.count(solutions).microgpt == 3


def test_a_function_is_its_signature_and_its_body_and_the_given_class_has_none(solutions):
    counted = lines.count(solutions)
    found = {function.name: (function.line, function.length) for function in counted.functions}
    assert found == {"softmax": (22, 8), "vjp": (30, 3)}
    assert counted.median_function == 5.5


@pytest.mark.parametrize(
    ("file", "size", "within"),
    [
        ("ex01_x.py", lines.LIMIT - 16, True),
        ("ex01_x.py", lines.LIMIT - 15, False),
        ("microgpt.py", lines.MICROGPT_LIMIT, True),
        ("microgpt.py", lines.MICROGPT_LIMIT + 1, False),
    ],
)
def test_the_limits_are_limits(solutions, file, size, within):
    (solutions / file).write_text("x = 1\n" * size, "utf-8")
    assert lines.count(solutions).within_limits is within


def test_a_missing_part_is_named(solutions):
    (solutions / "ex07_x.py").unlink()
    with pytest.raises(FileNotFoundError, match=r"0 files ex07_\*\.py; there must be one"):
        lines.count(solutions)


def test_the_reference_model_is_within_its_limits():
    counted = lines.count(ROOT / "solutions")
    assert counted.total <= lines.LIMIT
    assert counted.microgpt <= lines.MICROGPT_LIMIT
    assert counted.median_function <= lines.FUNCTION_GOAL
