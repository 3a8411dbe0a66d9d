"""Wants an answer of 200 MB.

Fails because a message has a limit.
exercise: ex01_tokenizer
earns: 6
"""


def decode(self, ids):
    return "a" * 200_000_000


CharTokenizer.decode = decode
