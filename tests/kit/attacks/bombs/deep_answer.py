"""Wants the reader to recurse into a list of a hundred thousand lists.

Fails because a message may be 24 deep.
exercise: ex01_tokenizer
earns: 6
"""


def decode(self, ids):
    nested = []
    for _ in range(100_000):
        nested = [nested]
    return nested


CharTokenizer.decode = decode
