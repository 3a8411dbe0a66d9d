"""Wants to fill the disk.

Fails because the exercise may write no bytes into files.
"""

import tempfile


def layernorm(x, gain, bias, eps=1e-5):
    with tempfile.TemporaryFile() as file:
        for _ in range(64):
            file.write(bytes(2**20))
        file.flush()
    print("REACHED the disk")
    return x
