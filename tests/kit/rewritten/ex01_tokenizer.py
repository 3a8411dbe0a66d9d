"""Misconceptions of exercise 1, in other words than those of tests/mutants."""

from grader.diagnosis import mutant

EX = "ex01_tokenizer"


@mutant(EX, "CharTokenizer.__init__", says="init_duplicates")
def collects_with_a_loop(self, docs):
    found = []
    for name in docs:
        for letter in name:
            found.append(letter)
    found.sort()
    self.chars = found
    self.vocab_size = 1 + len(found)
    self.bos = self.vocab_size - 1
    self.ids = {}
    for place in range(len(found)):
        self.ids[found[place]] = place


@mutant(EX, "CharTokenizer.__init__", says="init_first_seen")
def appends_what_is_new(self, docs):
    self.chars, self.ids = [], {}
    for doc in docs:
        for char in doc:
            if char not in self.ids:
                self.ids[char] = len(self.chars)
                self.chars.append(char)
    self.bos = len(self.chars)
    self.vocab_size = self.bos + 1


@mutant(EX, "CharTokenizer.encode", says="encode_without_bos")
def looks_each_up(self, doc):
    for char in doc:
        if char not in self.chars:
            raise ValueError(f"{char} is unknown")
    return list(map(self.chars.index, doc))


@mutant(EX, "CharTokenizer.encode", says="encode_skips_unknown")
def appends_what_it_finds(self, doc):
    out = [self.bos]
    for char in doc:
        id = self.ids.get(char)
        if id is not None:
            out.append(id)
    out.append(self.bos)
    return out


@mutant(EX, "CharTokenizer.decode", says="decode_cuts_ends")
def slices_the_ids(self, ids):
    for id in ids:
        if id < 0 or id > self.bos:
            raise ValueError(f"{id} stands for nothing")
    text = ""
    for id in ids[1:-1]:
        text += self.chars[id] if id < self.bos else ""
    return text


@mutant(EX, "CharTokenizer.decode", says="decode_negative")
def filters_and_maps(self, ids):
    real = [i for i in ids if i != self.bos]
    if any(i > self.bos for i in real):
        raise ValueError(f"too large: {max(real)}")
    return "".join(map(self.chars.__getitem__, real))
