import numpy as np
import pytest

from grader.compare import close, gradcheck

piece = pytest.mark.piece


@piece("rmsnorm", core=True)
def test_three_and_four(student):
    """mean square (9 + 16) / 2 = 12.5, so each is divided by sqrt(12.5)."""
    close(student.rmsnorm(student.Tensor([[3.0, 4.0]]), eps=0.0), [[0.8485281374, 1.1313708499]])


@piece("layernorm", core=True)
def test_normalises_each_row(student):
    x = student.Tensor(np.arange(30.0).reshape(2, 3, 5) ** 1.1)
    close(student.layernorm(x, student.Tensor(np.ones(5)), student.Tensor(np.zeros(5)))[0, 0, :1], [-1.4])


@piece("layernorm", gradient=True)
def test_gradient(student):
    gradcheck(student, student.layernorm, np.array([[1.0, 2.0, 4.0]]), np.array([1.0, 2, 3]), np.zeros(3))
