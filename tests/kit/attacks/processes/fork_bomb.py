"""Wants as many processes as there can be (here: forty).

Fails because the first fork is refused.
"""

import os
import time


def layernorm(x, gain, bias, eps=1e-5):
    for _ in range(40):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
    print("REACHED forty processes")
    return x
