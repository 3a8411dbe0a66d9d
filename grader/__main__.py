"""python -m grader COMMAND"""

import importlib.util
import os
import subprocess
import sys

OLDEST = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OWN = os.path.join(
    ROOT, ".venv", *(["Scripts", "python.exe"] if os.name == "nt" else ["bin", "python"])
)


def main():
    if importlib.util.find_spec("rich") is None and os.path.exists(OWN):
        return elsewhere()
    if sys.version_info < OLDEST:  # before anything is imported that such a Python does not have
        print(f"Glass Box needs Python 3.11 or later; this is {sys.version}", file=sys.stderr)
        return 2
    if os.path.exists(os.path.join(ROOT, ".glassbox", "update", "plan.json")):
        carry_on()  # before anything is imported that may be half new
    from .cli import main

    return main()


def carry_on():
    """Finish an update that was broken off."""
    from pathlib import Path

    from . import update

    title = update.finish(Path(ROOT))
    print(f"grader: an update was broken off, and is now finished: {title}", file=sys.stderr)


def elsewhere():
    """Run in .venv, where the packages are: nobody needs to activate it first."""
    command = [OWN, "-m", "grader", *sys.argv[1:]]
    if os.name == "nt":  # where exec would let the shell go on without waiting
        return subprocess.call(command)
    os.execv(OWN, command)


sys.exit(main())
