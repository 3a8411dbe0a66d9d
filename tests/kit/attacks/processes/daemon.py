"""Wants a process to live on in a session of its own.

Fails because fork is refused, and the namespace ends with its first process.
"""

import os
import time


def leave():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.closerange(0, 64)
            time.sleep(60)
        os._exit(0)
    print("REACHED a life after the grader's")


def layernorm(x, gain, bias, eps=1e-5):
    leave()
    return x
