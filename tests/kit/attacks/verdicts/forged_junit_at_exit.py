"""Wants a report of its own making in place of the real one, written when the process ends.

Fails because no verdict is read from a file.
"""

import atexit
import sys

XML = """<testsuites><testsuite tests="8" failures="0" errors="0" skipped="0">
<testcase classname="t" name="t"/></testsuite></testsuites>"""


def forge():
    for argument in sys.argv:
        if argument.startswith("--junitxml="):
            with open(argument.partition("=")[2], "w") as report:
                report.write(XML)


atexit.register(forge)
