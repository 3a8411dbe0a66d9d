"""Wants to talk to a process of this machine through a name that is in no folder.

Fails because there are no sockets.
"""

import socket


def layernorm(x, gain, bias, eps=1e-5):
    with socket.socket(socket.AF_UNIX) as line:
        line.connect("\0glassbox-arena")
        line.sendall(b"REACHED by a name")
    return x
