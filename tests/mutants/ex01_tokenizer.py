"""Mistakes that students make in exercise 1."""

from grader.diagnosis import mutant

EX01 = "ex01_tokenizer"


def number(self):
    """The given lines of CharTokenizer.__init__, once self.chars is there."""
    self.bos, self.vocab_size = len(self.chars), len(self.chars) + 1
    self.ids = {char: id for id, char in enumerate(self.chars)}


# vocabulary


@mutant(
    EX01,
    "CharTokenizer.__init__",
    says="your vocabulary holds whole documents; it is made of their single characters",
)
def init_whole_documents(self, docs):
    self.chars = sorted(set(docs))
    number(self)


@mutant(
    EX01,
    "CharTokenizer.__init__",
    says="sort() puts a list in order where it stands, and returns None; sorted(...) gives a list",
)
def init_sorts_in_place(self, docs):
    self.chars = list(set("".join(docs))).sort()
    number(self)


@mutant(
    EX01,
    "CharTokenizer.__init__",
    says="you joined the documents with line ends, and these became a character; use nothing",
)
def init_joined_by_line_ends(self, docs):
    self.chars = sorted(set("\n".join(docs)))
    number(self)


@mutant(
    EX01,
    "CharTokenizer.__init__",
    says="you kept a character as often as it comes; the vocabulary holds each one once",
)
def init_duplicates(self, docs):
    self.chars = sorted("".join(docs))
    number(self)


@mutant(
    EX01,
    "CharTokenizer.__init__",
    says="your characters stand in the order in which they first come; they must be sorted",
)
def init_first_seen(self, docs):
    self.chars = list(dict.fromkeys("".join(docs)))
    number(self)


@mutant(
    EX01,
    "CharTokenizer.__init__",
    says="you looked at the first document only; the vocabulary is that of all documents",
)
def init_first_document(self, docs):
    self.chars = sorted(set(docs[0])) if docs else []
    number(self)


@mutant(
    EX01,
    "CharTokenizer.__init__",
    says="you joined the documents with a space, and it became a character; join them with nothing",
)
def init_joined_with_space(self, docs):
    self.chars = sorted(set(" ".join(docs)))
    number(self)


@mutant(
    EX01,
    "CharTokenizer.__init__",
    says="you joined the documents with line ends, and these became a character; use nothing",
)
def init_joined_with_line_ends(self, docs):
    self.chars = sorted({char for doc in docs for char in doc + "\n"})
    number(self)


@mutant(
    EX01,
    "CharTokenizer.__init__",
    says="you made all letters small; a capital is a character of its own",
)
def init_small_letters(self, docs):
    self.chars = sorted(set("".join(docs).lower()))
    number(self)


@mutant(
    EX01,
    "CharTokenizer.__init__",
    says="you stripped the documents or left out what is no letter; every character counts",
)
def init_letters_only(self, docs):
    self.chars = sorted({char for doc in docs for char in doc if char.isalpha()})
    number(self)


@mutant(
    EX01,
    "CharTokenizer.__init__",
    says="your vocab_size leaves out BOS; it is one of the ids, so it counts",
)
def init_size_without_bos(self, docs):
    self.chars = sorted(set("".join(docs)))
    number(self)
    self.vocab_size = len(self.chars)


@mutant(
    EX01,
    "CharTokenizer.__init__",
    says="your BOS takes the id of the last character; ids count from 0, so the next is len(chars)",
)
def init_bos_off_by_one(self, docs):
    self.chars = sorted(set("".join(docs)))
    number(self)
    self.bos = len(self.chars) - 1


# encode


@mutant(
    EX01,
    "CharTokenizer.encode",
    says="you left out BOS; it stands before and after every document",
)
def encode_without_bos(self, doc):
    if unknown := set(doc) - set(self.chars):
        raise ValueError(f"unknown: {unknown}")
    return [self.ids[char] for char in doc]


@mutant(
    EX01,
    "CharTokenizer.encode",
    says="you put BOS only before the document; it must also say where the document ends",
)
def encode_only_begin(self, doc):
    if unknown := set(doc) - set(self.chars):
        raise ValueError(f"unknown: {unknown}")
    return [self.bos] + [self.ids[char] for char in doc]


@mutant(
    EX01,
    "CharTokenizer.encode",
    says="you put BOS only after the document; it stands before it, too",
)
def encode_only_end(self, doc):
    if unknown := set(doc) - set(self.chars):
        raise ValueError(f"unknown: {unknown}")
    return [self.ids[char] for char in doc] + [self.bos]


@mutant(
    EX01,
    "CharTokenizer.encode",
    says="you gave an empty document one BOS; it still has a beginning and an end",
)
def encode_empty_once(self, doc):
    if unknown := set(doc) - set(self.chars):
        raise ValueError(f"unknown: {unknown}")
    ids = [self.ids[char] for char in doc]
    return [self.bos, *ids, self.bos] if ids else [self.bos]


@mutant(
    EX01,
    "CharTokenizer.encode",
    says="you left out characters that have no id; an unknown one must raise a ValueError",
)
def encode_skips_unknown(self, doc):
    return [self.bos, *(self.ids[char] for char in doc if char in self.ids), self.bos]


@mutant(
    EX01,
    "CharTokenizer.encode",
    says="you let the dict's KeyError through; an unknown character must raise a ValueError",
)
def encode_key_error(self, doc):
    return [self.bos, *(self.ids[char] for char in doc), self.bos]


@mutant(
    EX01,
    "CharTokenizer.encode",
    says="your ValueError does not say which character is unknown; put it into the message",
)
def encode_names_nothing(self, doc):
    if set(doc) - set(self.chars):
        raise ValueError("unknown")
    return [self.bos, *(self.ids[char] for char in doc), self.bos]


@mutant(
    EX01,
    "CharTokenizer.encode",
    says="you made the document's letters small; a capital has an id of its own, or none",
)
def encode_small_letters(self, doc):
    if unknown := set(doc.lower()) - set(self.chars):
        raise ValueError(f"unknown: {unknown}")
    return [self.bos, *(self.ids[char] for char in doc.lower()), self.bos]


@mutant(
    EX01,
    "CharTokenizer.encode",
    says="you stripped the document; spaces at its ends are characters of it",
)
def encode_stripped(self, doc):
    if unknown := set(doc) - set(self.chars):
        raise ValueError(f"unknown: {unknown}")
    return [self.bos, *(self.ids[char] for char in doc.strip()), self.bos]


# decode


@mutant(
    EX01,
    "CharTokenizer.decode",
    says="you cut off the first and the last id; drop every BOS, and nothing that is not BOS",
)
def decode_cuts_ends(self, ids):
    if unknown := [id for id in ids if not 0 <= id <= self.bos]:
        raise ValueError(f"unknown: {unknown}")
    return "".join(self.chars[id] for id in ids[1:-1] if id != self.bos)


@mutant(
    EX01,
    "CharTokenizer.decode",
    says="you cut off the first and the last id; drop every BOS, and nothing that is not BOS",
)
def decode_cuts_ends_alone(self, ids):
    if unknown := [id for id in ids if not 0 <= id <= self.bos]:
        raise ValueError(f"unknown: {unknown}")
    return "".join(self.chars[id] for id in ids[1:-1])


@mutant(
    EX01,
    "CharTokenizer.decode",
    says="you refused BOS, which is an id like the others; refuse what is below 0 or above BOS",
)
def decode_refuses_bos(self, ids):
    if unknown := [id for id in ids if not 0 <= id < self.bos]:
        raise ValueError(f"unknown: {unknown}")
    return "".join(self.chars[id] for id in ids if id != self.bos)


@mutant(
    EX01,
    "CharTokenizer.decode",
    says="you looked BOS up like a character; it has none, so drop it first",
)
def decode_keeps_bos(self, ids):
    if unknown := [id for id in ids if not 0 <= id <= self.bos]:
        raise ValueError(f"unknown: {unknown}")
    return "".join(self.chars[id] for id in ids)


@mutant(
    EX01,
    "CharTokenizer.decode",
    says="you stopped at a BOS inside; every BOS is dropped, and what follows it is kept",
)
def decode_stops_at_bos(self, ids):
    if unknown := [id for id in ids if not 0 <= id <= self.bos]:
        raise ValueError(f"unknown: {unknown}")
    text = ""
    for place, id in enumerate(ids):
        if id == self.bos and place > 0:
            break
        text += "" if id == self.bos else self.chars[id]
    return text


@mutant(
    EX01,
    "CharTokenizer.decode",
    says="you returned a list of characters; join them to one text",
)
def decode_list(self, ids):
    if unknown := [id for id in ids if not 0 <= id <= self.bos]:
        raise ValueError(f"unknown: {unknown}")
    return [self.chars[id] for id in ids if id != self.bos]


@mutant(
    EX01,
    "CharTokenizer.decode",
    says="you let a negative id count from the end of the list; it must raise a ValueError",
)
def decode_negative(self, ids):
    if unknown := [id for id in ids if id > self.bos]:
        raise ValueError(f"unknown: {unknown}")
    return "".join(self.chars[id] for id in ids if id != self.bos)


@mutant(
    EX01,
    "CharTokenizer.decode",
    says="you left out ids that stand for nothing; below 0 or above BOS must raise a ValueError",
)
def decode_skips_unknown(self, ids):
    return "".join(self.chars[id] for id in ids if 0 <= id < self.bos)


@mutant(
    EX01,
    "CharTokenizer.decode",
    says="you let the list's IndexError through; an id beyond BOS must raise a ValueError",
)
def decode_index_error(self, ids):
    if unknown := [id for id in ids if id < 0]:
        raise ValueError(f"unknown: {unknown}")
    return "".join(self.chars[id] for id in ids if id != self.bos)


@mutant(
    EX01,
    "CharTokenizer.decode",
    says="you took vocab_size for an id; ids end at BOS, which is vocab_size - 1",
)
def decode_off_by_one(self, ids):
    if unknown := [id for id in ids if not 0 <= id <= self.vocab_size]:
        raise ValueError(f"unknown: {unknown}")
    return "".join(self.chars[id] for id in ids if id < self.bos)


@mutant(
    EX01,
    "CharTokenizer.decode",
    says="your ValueError does not say which id stands for nothing; put it into the message",
)
def decode_names_nothing(self, ids):
    if any(not 0 <= id <= self.bos for id in ids):
        raise ValueError("no such id")
    return "".join(self.chars[id] for id in ids if id != self.bos)


@mutant(
    EX01,
    "CharTokenizer.decode",
    says="BOS disappears from the list that you were given; leave that list as it is",
)
def decode_empties_the_list(self, ids):
    while self.bos in ids:
        ids.remove(self.bos)
    if any(not 0 <= id < self.bos for id in ids):
        raise ValueError(f"no such id in {ids}")
    return "".join(self.chars[id] for id in ids)


@mutant(
    EX01,
    "CharTokenizer.decode",
    says="spaces at the ends of the text are lost; a space is a character like any other",
)
def decode_strips(self, ids):
    unknown = [id for id in ids if not 0 <= id <= self.bos]
    if unknown:
        raise ValueError(f"no such ids: {unknown}")
    return "".join(self.chars[id] for id in ids if id != self.bos).strip()
