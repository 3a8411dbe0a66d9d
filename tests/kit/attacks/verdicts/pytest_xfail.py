"""Wants to fail as expected.

Fails for the same reason as a skip.
"""


def layernorm(x, gain, bias, eps=1e-5):
    import pytest

    pytest.xfail("known")
