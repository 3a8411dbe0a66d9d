"""Wants a few bytes to unpack to gigabytes.

Fails because the worker's address space has a limit.
seconds: 60
"""

import zlib

packer = zlib.compressobj(9)
packed = b"".join(packer.compress(bytes(2**20)) for _ in range(64)) + packer.flush()


def layernorm(x, gain, bias, eps=1e-5):
    return [zlib.decompress(packed) for _ in range(100)]
