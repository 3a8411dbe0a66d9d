"""Wants the next Python in this folder to import its numpy.py.

Fails because the folder is the child's own, and goes with it.
"""

for name in ("numpy.py", "grader.py", "sitecustomize.py"):
    try:
        with open(name, "w") as file:
            file.write("raise SystemExit(0)\n")
    except OSError:
        pass
