"""Wants every question answered with "no error", by replacing the method that answers.

Fails because the answer must still hold the right numbers.
earns: 0 8
"""

import gc

import numpy as np

for thing in gc.get_objects():
    if type(thing).__name__ == "Dispatcher":
        type(thing).handle = lambda self, request: {"value": np.zeros((2, 3))}
