"""Wants to send what it saw in one packet.

Fails because there are no sockets, and no network.
"""

import socket


def layernorm(x, gain, bias, eps=1e-5):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.sendto(b"REACHED by udp", ("127.0.0.1", 47110))
    return x
