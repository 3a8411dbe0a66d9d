"""Exercise 1, what you see: one claim a test, all of them small enough to check by hand."""

import pytest

from grader.compare import same

piece = pytest.mark.piece
DOCS = ["abba", "cab"]  # the vocabulary a, b, c: ids 0, 1, 2, and BOS is 3


# vocabulary


@piece("vocabulary", core=True)
def test_each_character_stands_once(student):
    same(student.CharTokenizer(["abba", "cab"]).chars, ["a", "b", "c"])


@piece("vocabulary", core=True)
def test_the_characters_are_sorted(student):
    same(student.CharTokenizer(["hen", "dog"]).chars, ["d", "e", "g", "h", "n", "o"])


@piece("vocabulary")
def test_one_document_is_enough(student):
    same(student.CharTokenizer(["noon"]).chars, ["n", "o"])


@piece("vocabulary")
def test_bos_is_the_next_free_number(student):
    """The characters are a, e, i, l, m, o, v: ids 0 to 6."""
    same(student.CharTokenizer(["emma", "olivia"]).bos, 7)


@piece("vocabulary")
def test_the_vocabulary_size_includes_bos(student):
    """Seven characters, a, e, i, l, m, o, v, and BOS."""
    same(student.CharTokenizer(["emma", "olivia"]).vocab_size, 8)


@piece("vocabulary")
def test_a_capital_is_a_character_of_its_own(student):
    """Python sorts all capitals before the small letters."""
    same(student.CharTokenizer(["Anna"]).chars, ["A", "a", "n"])


@piece("vocabulary")
def test_a_space_is_a_character_too(student):
    same(student.CharTokenizer(["a cab"]).chars, [" ", "a", "b", "c"])


# encode


@piece("encode", core=True)
def test_bos_stands_at_both_ends(student):
    same(student.CharTokenizer(DOCS).encode("cab"), [3, 2, 0, 1, 3])


@piece("encode", core=True)
def test_every_character_gets_its_id_however_often_it_comes(student):
    same(student.CharTokenizer(DOCS).encode("bbab"), [3, 1, 1, 0, 1, 3])


@piece("encode")
def test_an_empty_document_is_bos_and_bos(student):
    tokenizer = student.CharTokenizer(DOCS)
    same(tokenizer.encode("b"), [3, 1, 3])
    same(tokenizer.encode(""), [3, 3])


@piece("encode")
def test_a_capital_is_not_the_small_letter(student):
    """The vocabulary A, a: the ids are 0 and 1, and BOS is 2."""
    same(student.CharTokenizer(["Aa"]).encode("aA"), [2, 1, 0, 2])


@piece("encode")
def test_an_unknown_character_is_named(student):
    tokenizer = student.CharTokenizer(DOCS)
    same(tokenizer.encode("cab"), [3, 2, 0, 1, 3])
    with student.raises(ValueError, mentions="?"):
        tokenizer.encode("ca?b")


# decode


@piece("decode", core=True)
def test_decode_undoes_encode(student):
    same(student.CharTokenizer(DOCS).decode([3, 2, 0, 1, 3]), "cab")


@piece("decode", core=True)
def test_ids_without_bos_are_text_too(student):
    """While the model is writing, its text has no BOS at the end yet."""
    same(student.CharTokenizer(DOCS).decode([1, 0, 1]), "bab")


@piece("decode")
def test_bos_is_dropped_wherever_it_stands(student):
    same(student.CharTokenizer(DOCS).decode([3, 0, 3, 3, 1]), "ab")


@piece("decode")
def test_spaces_at_the_ends_are_kept(student):
    """Space and b are 0 and 1."""
    same(student.CharTokenizer([" b"]).decode([0, 1, 0]), " b ")


@piece("decode")
def test_nothing_decodes_to_nothing(student):
    same(student.CharTokenizer(DOCS).decode([]), "")


@piece("decode")
def test_a_negative_id_is_named(student):
    """Python would take -1 for the last place of the list; here it stands for nothing."""
    tokenizer = student.CharTokenizer(DOCS)
    same(tokenizer.decode([0, 1]), "ab")
    with student.raises(ValueError, mentions="-1"):
        tokenizer.decode([0, -1])


@piece("decode")
def test_an_id_beyond_bos_is_named(student):
    """There are four ids, 0 to 3, and BOS is one of them."""
    tokenizer = student.CharTokenizer(DOCS)
    same(tokenizer.vocab_size, 4)
    same(tokenizer.decode([2, 3]), "c")
    with student.raises(ValueError, mentions="7"):
        tokenizer.decode([0, 7])
