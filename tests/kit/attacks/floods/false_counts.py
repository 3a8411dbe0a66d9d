"""Wants the grader to wait for prints that were never made, at every test.

Fails because it waits once at most.
seconds: 60
"""

import gc

for thing in gc.get_objects():
    if type(thing).__name__ == "Printed":
        type(thing).count = property(lambda self: 2**62, lambda self, value: None)
