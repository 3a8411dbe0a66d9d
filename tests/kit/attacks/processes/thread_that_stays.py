"""Wants a thread to work on between the tests, and after.

Fails because it ends with the child.
"""

import threading
import time


def work():
    while True:
        time.sleep(0.01)


try:
    threading.Thread(target=work).start()
except RuntimeError:
    pass
