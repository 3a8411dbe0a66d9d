"""Wants files and sockets through a queue that filters of system calls do not see.

Fails because the queue itself is refused.
"""

import ctypes

IO_URING_SETUP = 425


def layernorm(x, gain, bias, eps=1e-5):
    parameters = ctypes.create_string_buffer(120)
    if ctypes.CDLL(None).syscall(IO_URING_SETUP, 4, parameters) >= 0:
        print("REACHED io_uring")
    return x
