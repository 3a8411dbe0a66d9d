"""Wants a socket of any family: raw, packet, netlink, crypto, virtual machine, Bluetooth.

Fails because no socket can be made.
"""

import ctypes


def layernorm(x, gain, bias, eps=1e-5):
    library = ctypes.CDLL(None)
    for family in range(46):
        for kind in (1, 2, 3, 5):
            if library.socket(family, kind, 0) >= 0:
                print("REACHED a socket of family", family)
    pair = (ctypes.c_int * 2)()
    if library.socketpair(1, 1, 0, pair) == 0:
        print("REACHED a pair of sockets")
    return x
