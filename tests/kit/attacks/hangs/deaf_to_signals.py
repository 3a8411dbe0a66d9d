"""Wants to outlive a polite request to end.

Fails because the request is SIGKILL.
seconds: 60
"""

import signal

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM, signal.SIGXCPU):
    signal.signal(number, signal.SIG_IGN)


def layernorm(x, gain, bias, eps=1e-5):
    while True:
        pass
