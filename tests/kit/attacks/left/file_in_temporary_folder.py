"""Wants a file to stay in /tmp, for the next submission to find.

Fails because what can be written to is gone with the child.
"""

import tempfile

with open(tempfile.gettempdir() + "/left-by-an-attack", "w") as file:
    file.write("hello")
