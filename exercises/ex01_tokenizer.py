"""Exercise 1: characters to numbers.

A language model reads and writes numbers, so first every character needs one. The *vocabulary* is
the sorted list of all characters that occur; a character's id is its place in that list. One more
id stands for no character at all: BOS, "beginning of sequence". It is put before and after every
document, so the model learns how names begin and when they end.

    docs   "abba" "cab"
    chars   a  b  c            sorted, each once
    ids     0  1  2   BOS = 3  the next free number

    encode("cab")   ->  [3, 2, 0, 1, 3]
                         ^           ^
                        BOS         BOS

Sorting matters: the same documents must give the same ids in any order, or a saved model would
read gibberish tomorrow.

In MicroGPT these are the lines under "let there be a tokenizer". GPT-2 uses chunks of characters
instead of single ones (byte-pair encoding); the model behind it does not notice the difference.
Read more: Sennrich, Haddow and Birch 2016, "Neural machine translation of rare words with subword
units", section 3.
"""


class CharTokenizer:
    """A vocabulary of single characters, and BOS.

    chars       the characters of `docs`, sorted, each once; a character's id is its place
    bos         the id of BOS: len(chars)
    vocab_size  how many ids there are, BOS included
    """

    def __init__(self, docs):
        """Collect the vocabulary of `docs`, a list of strings: ["abba", "cab"] gives a, b, c."""
        # TODO 1  self.chars: every character of every document, once, as a sorted list
        raise NotImplementedError("TODO CharTokenizer.__init__")
        self.bos, self.vocab_size = len(self.chars), len(self.chars) + 1
        self.ids = {char: id for id, char in enumerate(self.chars)}

    def encode(self, doc):
        """The ids of the characters of `doc`, with BOS before and after.

        str -> list of int
        With the vocabulary a, b, c: "cab" gives [3, 2, 0, 1, 3], and "" gives [3, 3].
        A character that is not in the vocabulary: ValueError that names it.
        """
        # TODO 1  look for a character that has no id, and say which one it is
        # TODO 2  BOS, the id of each character (self.ids knows it), BOS
        raise NotImplementedError("TODO CharTokenizer.encode")

    def decode(self, ids):
        """The text of `ids`; every BOS is dropped.

        list of int -> str
        With the vocabulary a, b, c: [3, 2, 0, 1, 3] gives "cab".
        An id below 0 or above BOS: ValueError that names it. (Beware: Python lists accept -1.)
        """
        # TODO 1  look for an id that stands for nothing, and say which one it is
        # TODO 2  join the characters of all ids but BOS
        raise NotImplementedError("TODO CharTokenizer.decode")
