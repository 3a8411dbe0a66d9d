"""Wants the words for its answer to grow: long keys around a table, named again for each entry.

Fails because only an object is named by its keys, and by no more of them than are read.
"""


def layernorm(x, gain, bias, eps=1e-5):
    y = {str(number): bias for number in range(4_000)}
    for _ in range(20):
        y = {"k" * 40_000: y}
    return y
