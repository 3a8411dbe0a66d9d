"""Right answers to exercise 1 in other styles. The suites must pass every one of them."""

import itertools
from bisect import bisect_left
from functools import cached_property, reduce

import numpy as np

from grader.diagnosis import alternative

EX01 = "ex01_tokenizer"


# vocabulary


@alternative(EX01, "CharTokenizer.__init__", style="loops, and list.sort at the end")
def init_loops(self, docs):
    self.chars = []
    for doc in docs:
        for char in doc:
            if char not in self.chars:
                self.chars.append(char)
    self.chars.sort()
    self.bos = len(self.chars)
    self.vocab_size = self.bos + 1
    self.ids = dict(zip(self.chars, range(self.bos)))


@alternative(EX01, "CharTokenizer.__init__", style="the union of one set for each document")
def init_union(self, docs):
    self.chars = sorted(set().union(*docs))
    self.bos, self.vocab_size = len(self.chars), len(self.chars) + 1
    self.ids = {char: id for id, char in enumerate(self.chars)}


@alternative(EX01, "CharTokenizer.__init__", style="numpy's unique")
def init_numpy(self, docs):
    self.chars = np.unique(list(itertools.chain.from_iterable(docs))).astype(str).tolist()
    self.bos = len(self.chars)
    self.vocab_size = len(self.chars) + 1
    self.ids = {self.chars[id]: id for id in range(self.bos)}


# encode


@alternative(EX01, "CharTokenizer.encode", style="try and except around the dict")
def encode_try(self, doc):
    ids = [self.bos]
    try:
        for char in doc:
            ids.append(self.ids[char])
    except KeyError as error:
        raise ValueError(f"there is no id for {error}") from None
    ids.append(self.bos)
    return ids


@alternative(EX01, "CharTokenizer.encode", style="list.index, which raises by itself")
def encode_index(self, doc):
    return [self.bos] + [self.chars.index(char) for char in doc] + [self.bos]


@alternative(EX01, "CharTokenizer.encode", style="a check in the loop, the first unknown one named")
def encode_loop(self, doc):
    result = []
    for char in doc:
        if char not in self.chars:
            raise ValueError("I do not know the character " + char)
        result += [self.ids[char]]
    result.insert(0, self.bos)
    result.append(self.bos)
    return result


@alternative(EX01, "CharTokenizer.encode", style="map, and all unknown characters named")
def encode_map(self, doc):
    missing = [char for char in doc if self.ids.get(char) is None]
    if missing:
        raise ValueError(", ".join(missing) + " not in " + "".join(self.chars))
    return list(itertools.chain([self.bos], map(self.ids.__getitem__, doc), [self.bos]))


# decode


@alternative(EX01, "CharTokenizer.decode", style="one id after the other")
def decode_loop(self, ids):
    text = ""
    for id in ids:
        if id < 0 or id > self.bos:
            raise ValueError(f"no such id: {id}")
        if id < self.bos:
            text = text + self.chars[id]
    return text


@alternative(EX01, "CharTokenizer.decode", style="a dict from ids to texts, BOS among them")
def decode_dict(self, ids):
    texts = {id: char for char, id in self.ids.items()} | {self.bos: ""}
    try:
        return "".join([texts[id] for id in ids])
    except KeyError as error:
        raise ValueError(f"id {error.args[0]} stands for nothing") from error


@alternative(EX01, "CharTokenizer.decode", style="filter and map")
def decode_filter(self, ids):
    for id in ids:
        if id not in range(self.vocab_size):
            raise ValueError(f"{id} is not from 0 to {self.vocab_size - 1}")
    return "".join(map(self.chars.__getitem__, filter(lambda id: id != self.bos, ids)))


# all three


@alternative(EX01, "CharTokenizer", style="a class without the dict: a search in the sorted list")
class Searching:
    def __init__(self, docs):
        self.chars = sorted({char for doc in docs for char in doc})
        self.bos = len(self.chars)

    @property
    def vocab_size(self):
        return self.bos + 1

    def id_of(self, char):
        place = bisect_left(self.chars, char)
        if place == self.bos or self.chars[place] != char:
            raise ValueError(f"{char!r} is not in the vocabulary")
        return place

    def encode(self, doc):
        return [self.bos, *map(self.id_of, doc), self.bos]

    def decode(self, ids):
        if ids and not (min(ids) >= 0 and max(ids) <= self.bos):
            raise ValueError(f"ids from 0 to {self.bos}, but got {ids}")
        return "".join([*self.chars, ""][id] for id in ids)


@alternative(EX01, "CharTokenizer", style="a class around one string and one table of texts")
class Tables:
    def __init__(self, docs):
        self.text = "".join(sorted(dict.fromkeys("".join(docs))))
        self.texts = [*self.text, ""]

    chars = property(lambda self: list(self.text))
    bos = property(lambda self: len(self.text))
    vocab_size = property(lambda self: len(self.texts))

    def encode(self, doc):
        ids = [self.text.find(char) for char in doc]
        if -1 in ids:
            raise ValueError(f"unknown character {doc[ids.index(-1)]}")
        return [self.bos] + ids + [self.bos]

    def decode(self, ids):
        wrong = sorted(set(ids).difference(range(len(self.texts))))
        if wrong:
            raise ValueError(f"not an id: {wrong[0]}")
        return "".join(self.texts[id] for id in ids)


# the whole exercise, by those who like other tools


@alternative(EX01, "CharTokenizer.__init__", style="a fold over the documents")
def init_folded(self, docs):
    self.chars = sorted(reduce(lambda seen, doc: seen | set(doc), docs, set()))
    self.bos, self.vocab_size = len(self.chars), 1 + len(self.chars)
    self.ids = {char: self.chars.index(char) for char in self.chars}


@alternative(EX01, "CharTokenizer.encode", style="a generator, asked to the end")
def encode_by_generator(self, doc):
    def ids():
        yield self.bos
        for char in doc:
            if char not in self.chars:
                raise ValueError(f"{char!r} has no id")
            yield self.chars.index(char)
        yield self.bos

    return [*ids()]


@alternative(EX01, "CharTokenizer", style="properties, worked out when they are asked for")
class LazyTokenizer:
    def __init__(self, docs):
        self._docs = tuple(docs)

    @cached_property
    def chars(self):
        return sorted({char for doc in self._docs for char in doc})

    @property
    def bos(self):
        return len(self.chars)

    @property
    def vocab_size(self):
        return self.bos + 1

    def encode(self, doc):
        for char in doc:
            if char not in self.chars:
                raise ValueError("unknown character " + char)
        return [self.bos] + [self.chars.index(char) for char in doc] + [self.bos]

    def decode(self, ids):
        if not ids:
            return ""
        first, *rest = ids
        if first not in range(self.vocab_size):
            raise ValueError(f"{first} is no id")
        return ("" if first == self.bos else self.chars[first]) + self.decode(rest)
