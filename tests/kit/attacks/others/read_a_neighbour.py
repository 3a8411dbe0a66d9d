"""Wants another student's text in its own report.

Fails because no other submission is there.
"""

import glob
import os

here = os.getcwd()
for _ in range(4):
    for path in glob.glob(here + "/submissions/next/*.py") + glob.glob(here + "/gradebook.csv"):
        with open(path) as file:
            print(file.read()[-300:])
    here = os.path.dirname(here)
