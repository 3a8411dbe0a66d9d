"""Wants the answer of another submission, found on the disk.

Fails because no other submission is there.
"""

import glob
import os

here = os.getcwd()
for _ in range(4):
    for path in glob.glob(here + "/submissions/next/ex05_norm.py"):
        with open(path) as file:
            exec(file.read(), globals())
    here = os.path.dirname(here)
