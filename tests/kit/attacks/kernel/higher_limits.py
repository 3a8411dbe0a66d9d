"""Wants its limits back.

Fails because hard limits do not rise again, and the call is of no use without the right to.
"""

import resource


def layernorm(x, gain, bias, eps=1e-5):
    everything = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    limited = False
    for name in ("RLIMIT_FSIZE", "RLIMIT_CPU"):
        limited |= resource.getrlimit(getattr(resource, name)) != everything
        try:
            resource.setrlimit(getattr(resource, name), everything)
            print("REACHED beyond", name)
        except (ValueError, OSError):
            pass
    if not limited:
        print("REACHED a process without limits")
    return x
