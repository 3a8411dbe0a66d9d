"""Wants a lazy answer: a generator that never ends in place of a text.

Fails because a generator stays where it is; nobody iterates it.
exercise: ex01_tokenizer
earns: 6
"""


def decode(self, ids):
    while True:
        yield "a"


CharTokenizer.decode = decode
