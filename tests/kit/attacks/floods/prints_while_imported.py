"""Wants to drown the report before the first test.

Fails for the same reason.
earns: 0
"""

import os

for _ in range(48):
    os.write(2, b"spam" * 2**18)
os._exit(0)
