"""Wants a named semaphore to stay.

Fails because there is no /dev/shm to hold it.
"""

import ctypes

pthread = ctypes.CDLL(None)
pthread.sem_open.restype = ctypes.c_void_p
pthread.sem_open(b"/left-by-an-attack", 0o100, 0o600, 1)
