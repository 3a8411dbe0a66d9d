"""Wants its time limit never to come, by stopping the clocks.

Fails because the clock that counts is the checker's.
seconds: 60
"""

import time

time.monotonic = time.time = time.perf_counter = lambda: 0.0


def layernorm(x, gain, bias, eps=1e-5):
    while True:
        pass
