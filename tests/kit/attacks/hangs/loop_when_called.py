"""Wants the grader to wait for ever.

Fails because each call has a limit, on the checker's clock.
seconds: 60
"""


def layernorm(x, gain, bias, eps=1e-5):
    while True:
        pass
