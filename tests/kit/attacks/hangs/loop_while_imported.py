"""Wants the grader to wait for the import.

Fails because importing has a limit too, and is not tried without end.
earns: 0
seconds: 60
"""

while True:
    pass
