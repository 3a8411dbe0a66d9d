"""Wants to wait for a lock that nobody will open.

Fails because the checker's clock goes on.
seconds: 60
"""

import threading

lock = threading.Lock()
lock.acquire()


def layernorm(x, gain, bias, eps=1e-5):
    lock.acquire()
