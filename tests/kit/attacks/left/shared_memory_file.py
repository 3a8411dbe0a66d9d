"""Wants data to stay in /dev/shm, where files outlive processes.

Fails because there is no /dev/shm to write to.
"""

try:
    with open("/dev/shm/left-by-an-attack", "w") as file:
        file.write("hello")
except OSError:
    pass
