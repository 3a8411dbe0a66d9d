"""Wants to send what it saw to a server (here: one on this machine).

Fails because there are no sockets, and no network.
"""

import socket


def layernorm(x, gain, bias, eps=1e-5):
    with socket.create_connection(("127.0.0.1", 47110), timeout=1) as line:
        line.sendall(b"REACHED by tcp")
    return x
