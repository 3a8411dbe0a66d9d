"""Wants a file to stay in /tmp, for the next submission to find.

Fails because what can be written to is gone with the child.
"""

for folder in ("/tmp", "/var/tmp"):
    try:
        with open(folder + "/left-by-an-attack", "w") as file:
            file.write("hello")
    except OSError:
        pass
