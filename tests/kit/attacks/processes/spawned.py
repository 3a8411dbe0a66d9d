"""Wants posix_spawn, which is neither fork nor exec by name.

Fails because underneath it is both.
"""

import ctypes


def layernorm(x, gain, bias, eps=1e-5):
    arguments = (ctypes.c_char_p * 3)(b"echo", b"REACHED a spawned program", None)
    spawned = ctypes.c_int()
    libc = ctypes.CDLL(None)
    libc.posix_spawn(ctypes.byref(spawned), b"/bin/echo", None, None, arguments, None)
    libc.waitpid(spawned, None, 0)
    return x
