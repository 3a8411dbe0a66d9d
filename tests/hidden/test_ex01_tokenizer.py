"""Exercise 1, what decides. A test's docstring is all that a student is told of it."""

import contextlib
import random

import pytest

from grader import chance
from grader.compare import same
from grader.student import StudentError

piece = pytest.mark.piece
LETTERS = "AEZ abcdeghiknorstuyz'-"


def documents(count, salt=0):
    """`count` texts of 0 to 12 characters."""
    rng = random.Random(chance.seed(salt))
    return ["".join(rng.choices(LETTERS, k=rng.randrange(13))) for _ in range(count)]


# vocabulary


@piece("vocabulary", core=True)
def test_many_documents(student):
    """The vocabulary is every character of every document, once, in sorted order."""
    for docs in (documents(20, salt=i) for i in range(3)):
        tokenizer = student.CharTokenizer(docs)
        same(tokenizer.chars, sorted({char for doc in docs for char in doc}))


@piece("vocabulary")
def test_documents_of_one_character(student):
    """A document may be a single character; its place among the documents does not matter."""
    same(student.CharTokenizer(["y", "x"]).chars, ["x", "y"])


@piece("vocabulary")
def test_the_order_of_documents_does_not_matter(student):
    """The same documents in another order have the same vocabulary."""
    docs = documents(10)
    same(student.CharTokenizer(docs[::-1]).chars, sorted(set("".join(docs))))


@piece("vocabulary")
def test_no_character_is_left_out(student):
    """Digits, punctuation, line ends, capitals and accents are characters like any other."""
    same(student.CharTokenizer(["Zoë\n", "42, é!"]).chars, sorted("Zoë\n42, é!"))


@piece("vocabulary")
def test_bos_and_size_follow_the_vocabulary(student):
    """bos is len(chars), the first id that no character has; vocab_size counts it too."""
    for text in ("q", "hello", LETTERS):
        tokenizer = student.CharTokenizer([text, text])
        same(tokenizer.bos, len(set(text)))
        same(tokenizer.vocab_size, len(set(text)) + 1)


@piece("vocabulary")
def test_without_a_character_only_bos_is_left(student):
    """Without a single character the vocabulary is empty, BOS is 0, and the only id."""
    for docs in ([], [""]):
        tokenizer = student.CharTokenizer(docs)
        same(tokenizer.chars, [])
        same([tokenizer.bos, tokenizer.vocab_size], [0, 1])


@piece("vocabulary")
def test_two_tokenizers_live_side_by_side(student):
    """A second tokenizer must not change the vocabulary of the first."""
    first = student.CharTokenizer(["dog"])
    student.CharTokenizer(["zebra"])
    same(first.chars, ["d", "g", "o"])
    same([first.bos, first.vocab_size], [3, 4])


# encode


@piece("encode", core=True)
def test_ids_are_places_in_the_vocabulary(student):
    """Each character's id is its place in the sorted vocabulary; BOS stands at both ends."""
    chars = sorted(set(LETTERS))
    tokenizer = student.CharTokenizer([LETTERS])
    for doc in ["", " a ", *documents(10)]:
        same(tokenizer.encode(doc), [len(chars), *map(chars.index, doc), len(chars)])


@piece("encode")
def test_a_document_begins_with_bos(student):
    """The first id is BOS: from it the model learns how documents begin."""
    tokenizer = student.CharTokenizer(["dog", "hen"])
    for doc in ("dog", "e"):
        same(tokenizer.encode(doc)[:2], [6, sorted("doghen").index(doc[0])])


@piece("encode")
def test_a_document_ends_with_bos(student):
    """The last id is BOS: from it the model learns when documents end."""
    tokenizer = student.CharTokenizer(["dog", "hen"])
    for doc in ("dog", "e"):
        same(tokenizer.encode(doc)[-2:], [sorted("doghen").index(doc[-1]), 6])


@piece("encode")
def test_a_character_outside_ascii(student):
    """An accented letter has its place by Python's order of characters, after z."""
    same(student.CharTokenizer(["zoë", "été"]).encode("zé"), [5, 2, 3, 5])


@piece("encode")
def test_spaces_are_kept(student):
    """A space is a character of the document, at its ends too."""
    same(student.CharTokenizer([" b"]).encode(" b b "), [2, 0, 1, 0, 1, 0, 2])


@piece("encode")
def test_encoding_leaves_no_trace(student):
    """The same document gives the same ids again, whatever was encoded in between."""
    tokenizer = student.CharTokenizer(["hen", "dog"])
    for _ in range(2):
        same(tokenizer.encode("hood"), [6, 3, 5, 5, 0, 6])
        same(tokenizer.encode(""), [6, 6])
        for last, id in (("d", 0), ("e", 1), ("n", 4)):  # alike but for the last character
            same(tokenizer.encode("dogeo" + last), [6, 0, 5, 2, 1, 5, id, 6])
    same([tokenizer.bos, tokenizer.vocab_size], [6, 7])


@piece("encode")
def test_the_unknown_character_is_named_wherever_it_stands(student):
    """Known characters are encoded; an unknown one raises a ValueError that names it."""
    tokenizer = student.CharTokenizer(["dog", "hen"])
    same(tokenizer.encode("oh"), [6, 5, 3, 6])
    for doc, unknown in (("#dog", "#"), ("do~g", "~"), ("dog%", "%"), ("@", "@")):
        with student.raises(ValueError, mentions=unknown):
            tokenizer.encode(doc)


@piece("encode")
def test_an_unknown_capital_is_unknown(student):
    """A capital is another character than its small letter; one without an id: ValueError."""
    tokenizer = student.CharTokenizer(["dog", "hen"])
    same(tokenizer.encode("hen"), [6, 3, 1, 4, 6])
    with student.raises(ValueError):
        tokenizer.encode("Hen")


@piece("encode")
def test_an_unknown_character_is_not_passed_over(student):
    """A document with a character that has no id has no ids at all: encode must stop."""
    tokenizer = student.CharTokenizer(["dog", "hen"])
    same(tokenizer.encode("do"), [6, 0, 5, 6])
    ids = None
    with contextlib.suppress(StudentError):
        ids = tokenizer.encode("d o")
    assert ids is None, "encode gave ids to a document with an unknown character"


# decode


@piece("decode", core=True)
def test_ids_become_the_characters_at_their_places(student):
    """Each id becomes the character at that place of the vocabulary; BOS becomes nothing."""
    rng = random.Random(chance.seed())
    chars = [*sorted(set(LETTERS)), ""]
    tokenizer = student.CharTokenizer([LETTERS])
    bos, space = len(chars) - 1, chars.index(" ")
    for length in (1, 2, 5, 30):
        drawn = rng.choices(range(bos), k=length)
        for ids in ([space, *drawn, space], [bos, *drawn, bos, *drawn], [bos]):
            same(tokenizer.decode(ids), "".join(chars[id] for id in ids))


@piece("decode")
def test_only_bos_is_no_text(student):
    """BOS stands for no character, however often it comes."""
    tokenizer = student.CharTokenizer(["hen"])
    same(tokenizer.decode([3]), "")
    same(tokenizer.decode([3, 3, 3]), "")
    same(tokenizer.decode([3, 0, 2]), "en")


@piece("decode")
def test_a_round_trip_changes_nothing(student):
    """What was encoded comes back, letter for letter."""
    tokenizer = student.CharTokenizer([LETTERS])
    for doc in [" anna bede ", *documents(10)]:
        same(tokenizer.decode(tokenizer.encode(doc)), doc)


@piece("decode")
def test_spaces_at_the_ends_come_back(student):
    """A space is a character like any other: decode keeps it, at the ends of the text too."""
    tokenizer = student.CharTokenizer([" b"])
    same(tokenizer.decode([2, 0, 0, 1, 0, 2]), "  b ")
    same(tokenizer.decode([0]), " ")


@piece("decode")
def test_the_list_of_ids_stays_as_it_is(student):
    """What is dropped from the text is not dropped from the list of the caller."""
    args = [student.CharTokenizer(["hen"]), [3, 1, 3, 0, 2, 3]]  # e, h, n are 0, 1, 2
    done = student.scenario("arguments_after", name="CharTokenizer.decode", args=args)
    same(done["result"], "hen")
    same(done["args"][1], [3, 1, 3, 0, 2, 3])


@piece("decode")
def test_bos_is_the_last_id(student):
    """The number after BOS stands for nothing: ValueError."""
    tokenizer = student.CharTokenizer(["dog", "hen"])
    same(tokenizer.decode([5, 6]), "o")
    with student.raises(ValueError):
        tokenizer.decode([5, 7])


@piece("decode")
def test_an_id_beyond_the_ends_is_named(student):
    """Ids run from 0 to BOS; any other raises a ValueError that names it."""
    tokenizer = student.CharTokenizer(["dog", "hen"])
    same(tokenizer.decode([6, 0, 5, 2, 6]), "dog")
    for wrong in (-1, 7, -6, 8, -30, 1000):
        for ids in ([wrong], [0, wrong, 6]):
            with student.raises(ValueError, mentions=str(wrong)):
                tokenizer.decode(ids)
