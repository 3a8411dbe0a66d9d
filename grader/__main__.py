"""python -m grader COMMAND"""

import sys

OLDEST = (3, 11)


def main():
    if sys.version_info < OLDEST:  # before anything is imported that such a Python does not have
        print(f"Glass Box needs Python 3.11 or later; this is {sys.version}", file=sys.stderr)
        return 2
    from .cli import main

    return main()


sys.exit(main())
