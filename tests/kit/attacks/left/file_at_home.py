"""Wants a line in a start-up file of the teacher's shell.

Fails because home is not there.
"""

import os

home = os.environ.get("HOME", "/root")
for name in (".bashrc", ".profile"):
    try:
        with open(os.path.join(home, name), "a") as file:
            file.write("echo 'hello from a student'\n")
    except OSError:
        pass
