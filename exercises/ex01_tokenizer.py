"""Exercise 1: characters to numbers.

How an exercise works: read the lesson, put your own lines in place of each
`raise NotImplementedError(...)`, save, and run `make check ARGS="ex01"` (without make:
`python -m grader check ex01`). The first one here is a single line.

A language model computes with numbers, so every character needs one. The *vocabulary* is the sorted
list of all characters that occur; a character's *id* is its place in that list, counted from 0. One
more id stands for no character at all: BOS, "beginning of sequence". It is put before and after
every document, here a name, so that the model learns how names begin and when they end. Whatever
has an id, a character or BOS, is a *token*.

    docs    "abba"  "cab"
    chars    a  b  c              each once, sorted
    ids      0  1  2    BOS = 3   the next free number, len(chars)

    encode("cab")             ->  [3, 2, 0, 1, 3]
                                   ^           ^
                                  BOS         BOS
    decode([3, 2, 0, 1, 3])   ->  "cab"

For the head: which ids does "nan" have in the vocabulary of the two names "ann" and "noa"? The
characters are a, n, o, so BOS is 3, and encode("nan") is [3, 1, 0, 1, 3].

Sorting matters: the same documents must give the same ids in any order, or a model that was saved
today would read gibberish tomorrow. A Python set alone will not do; its order changes from one run
to the next.

What goes wrong most often: the vocabulary collects whole documents instead of their characters; a
space or line end that joined the documents slips in; decode cuts off the first and the last id, but
while a name is being written there is no BOS at its end yet.

In MicroGPT these are the lines under "Let there be a Tokenizer". In microgpt.py, beside this file,
`main` makes one tokenizer of all names, `train` encodes one name a step, and `sample` decodes what
the model drew. GPT-2 uses chunks of characters instead of single ones (byte-pair encoding); the
model behind it does not notice the difference.
Read more: Sennrich, Haddow and Birch 2016, "Neural machine translation of rare words with subword
units", section 3.
"""


class CharTokenizer:
    """A vocabulary of single characters, and BOS.

    chars       the characters of `docs`, each once, as a sorted list; an id is a place in it.
                A space, a capital or an accented letter is a character like any other
    bos         the id of BOS: len(chars)
    vocab_size  how many ids there are, BOS included
    """

    def __init__(self, docs):
        """Collect the vocabulary of `docs`, a list of strings: ["abba", "cab"] gives a, b, c."""
        # TODO  self.chars: every character of every document, once, as a sorted list
        raise NotImplementedError("TODO CharTokenizer.__init__")
        self.bos, self.vocab_size = len(self.chars), len(self.chars) + 1
        self.ids = {char: id for id, char in enumerate(self.chars)}

    def encode(self, doc):
        """The ids of the characters of `doc`, with BOS before and after.

        str -> list of int
        With the vocabulary a, b, c: "cab" gives [3, 2, 0, 1, 3], and "" gives [3, 3].
        A character that is not in the vocabulary: ValueError with that character in its message.
        """
        # TODO 1  look for a character that has no id; raise ValueError, and say which one it is
        # TODO 2  BOS, the id of each character (the dict self.ids knows it), BOS
        raise NotImplementedError("TODO CharTokenizer.encode")

    def decode(self, ids):
        """The text of `ids`; BOS is dropped, wherever it stands and however often.

        list of int -> str
        With the vocabulary a, b, c: [3, 2, 0, 1, 3] gives "cab", [1, 0] gives "ba", [] gives "".
        An id below 0 or above BOS: ValueError with that id in its message. (Python itself would
        take -1 for the last place of a list.) The list that is given stays as it is.
        """
        # TODO 1  look for an id that stands for nothing; raise ValueError, and say which one it is
        # TODO 2  join the characters of all ids but BOS
        raise NotImplementedError("TODO CharTokenizer.decode")
