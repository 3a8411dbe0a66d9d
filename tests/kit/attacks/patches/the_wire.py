"""Wants the worker's own code to answer what the attack likes.

Fails because whatever this process sends is only an answer, and is judged as one.
"""

import sys

wire = sys.modules.get("grader.wire")
if wire:
    sent = wire.send

    def send(stream, message):
        if "error" in message:
            message = {"value": None, "printed": message["printed"]}
        sent(stream, message)

    wire.send = send
