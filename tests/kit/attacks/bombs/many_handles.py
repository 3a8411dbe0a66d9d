"""Wants a million objects in one answer.

Fails because a message holds at most 50,000 values.
exercise: ex01_tokenizer
earns: 6
"""


def decode(self, ids):
    return [object() for _ in range(1_000_000)]


CharTokenizer.decode = decode
