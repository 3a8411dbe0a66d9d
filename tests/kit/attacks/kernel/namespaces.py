"""Wants a user namespace, in which it is root.

Fails because the call is refused.
"""

import ctypes

NEW_USER = 0x10000000
if ctypes.CDLL(None).unshare(NEW_USER) == 0:
    print("REACHED a namespace of its own")
