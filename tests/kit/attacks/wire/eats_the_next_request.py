"""Wants the conversation out of step: it reads the requests that are still to come.

Fails because a request that is eaten has no answer in its time.
"""

import os
import stat


def layernorm(x, gain, bias, eps=1e-5):
    for descriptor in range(3, 64):
        try:
            if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
                os.set_blocking(descriptor, False)
                os.read(descriptor, 2**16)
        except OSError:
            pass
    return x
