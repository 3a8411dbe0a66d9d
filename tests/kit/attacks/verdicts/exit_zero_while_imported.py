"""Wants a clean exit of the whole marking, before any test has run.

Fails because the process that ends is the worker's; the tests count what did not pass.
earns: 0
"""

import os

os._exit(0)
