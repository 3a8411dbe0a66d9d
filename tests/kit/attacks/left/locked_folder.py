"""Wants its folder to be impossible to clean up: no rights on it, and a link where a folder was.

Fails because the folder is thrown away as a whole.
"""

import os


def layernorm(x, gain, bias, eps=1e-5):
    try:
        os.makedirs("deep/er", exist_ok=True)
        os.symlink("/etc", "link")
        os.chmod("deep", 0)
        os.chmod(".", 0)
    except OSError:
        pass
    return x
