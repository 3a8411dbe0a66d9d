"""Wants the reader to wait for a frame that always goes on a little.

Fails because the limit is on the whole answer, not on each byte.
seconds: 60
"""

import os
import struct
import time


def layernorm(x, gain, bias, eps=1e-5):
    def send(data):
        for descriptor in range(3, 64):
            try:
                os.set_blocking(descriptor, False)
                os.write(descriptor, data)
            except OSError:
                pass

    send(struct.pack("<4sII", b"GBW1", 100_000, 0))
    for _ in range(100_000):
        send(b"[")
        time.sleep(0.05)
