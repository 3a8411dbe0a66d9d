"""Wants every later Python to run its code: usercustomize and a .pth in the user's site folder.

Fails because home is not there.
"""

import os
import sys

version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
folder = os.path.join(os.environ.get("HOME", "/root"), ".local/lib", version, "site-packages")
try:
    os.makedirs(folder, exist_ok=True)
    for name in ("usercustomize.py", "hook.pth"):
        with open(os.path.join(folder, name), "w") as file:
            file.write("import os\n")
except OSError:
    pass
