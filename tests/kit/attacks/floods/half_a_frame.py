"""Wants the reader to wait for the rest of a frame that was announced.

Fails because the call's limit goes on while it waits.
seconds: 60
"""

import os
import struct
import time


def layernorm(x, gain, bias, eps=1e-5):
    start = struct.pack("<4sII", b"GBW1", 1000, 2**25) + b"{"
    for descriptor in range(3, 64):
        try:
            os.set_blocking(descriptor, False)
            os.write(descriptor, start)
        except OSError:
            pass
    time.sleep(3600)
