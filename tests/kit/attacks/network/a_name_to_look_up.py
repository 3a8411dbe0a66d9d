"""Wants a name server to carry its message, as a part of a name.

Fails because there are no sockets, and no network.
"""

import socket


def layernorm(x, gain, bias, eps=1e-5):
    socket.gethostbyname("glassbox-arena.invalid")
    return x
