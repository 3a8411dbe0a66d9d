"""Wants a few bytes to unpack to gigabytes.

Fails because the worker's address space has a limit.
seconds: 60
"""

import zlib

packed = zlib.compress(bytes(2**26), 1)


def layernorm(x, gain, bias, eps=1e-5):
    return [zlib.decompress(packed) for _ in range(100)]
