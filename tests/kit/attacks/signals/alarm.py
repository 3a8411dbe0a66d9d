"""Wants a timer to strike later, in somebody else's code.

Fails because it strikes in the worker.
"""

import signal


def layernorm(x, gain, bias, eps=1e-5):
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    while True:
        signal.pause()
