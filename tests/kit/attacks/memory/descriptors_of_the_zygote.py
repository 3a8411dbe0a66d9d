"""Wants a way out among the descriptors that it was born with: any that leads to another process.

Fails because it has its own pipes, and nothing else.
"""

import os
import socket
import stat


def layernorm(x, gain, bias, eps=1e-5):
    for descriptor in range(64):
        try:
            mode = os.fstat(descriptor).st_mode
        except OSError:
            continue
        if stat.S_ISSOCK(mode):
            print("REACHED a socket", descriptor)
            line = socket.socket(fileno=os.dup(descriptor))
            print(line.recv(1000))
        if stat.S_ISDIR(mode) or stat.S_ISREG(mode):
            print("REACHED a file", descriptor, os.listdir(descriptor))
    return x
