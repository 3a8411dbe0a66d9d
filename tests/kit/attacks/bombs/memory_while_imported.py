"""Wants the memory before any limit of a call applies.

Fails because the limit is set before the first byte is imported.
earns: 0
"""

kept = [bytearray(2**28) for _ in range(48)]
raise ValueError(len(kept))
