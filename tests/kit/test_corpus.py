"""Reading data to train on: what is a list, what is a text, and what is neither, in words."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import corpus
from grader.corpus import DOCUMENTS, TEXT, CorpusError
from grader.course import ROOT

WORDS = [f"word{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in range(50)]
PROSE = "It was the best of times, it was the worst of times, it was the age of wisdom.\n\n" * 40


@pytest.fixture
def file(tmp_path):
    """Writes `data` to a file and gives its path."""

    def write(data, name="data.txt"):
        path = tmp_path / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return write


def problem(path):
    """What `read` says about a file that it refuses."""
    with pytest.raises(CorpusError) as error:
        corpus.read(path)
    return str(error.value)


def test_the_names_are_split_nine_to_one():
    names = corpus.read(ROOT / "data" / "first_names.txt")
    assert (names.kind, len(names.train), len(names.held_out)) == (DOCUMENTS, 32_018, 3_558)
    assert names.chars == "abcdefghijklmnopqrstuvwxyz"
    assert names.longest == 15


def test_the_split_loses_and_repeats_nothing(file):
    words = corpus.read(file("\n".join(WORDS)))
    assert sorted(words.train + words.held_out) == sorted(WORDS)
    assert len(words.held_out) == 5


def test_the_split_is_the_same_every_time(file):
    path = file("\n".join(WORDS))
    random.seed(5)
    first = corpus.read(path)
    random.seed(6)
    assert corpus.read(path) == first


def test_lines_are_stripped_and_blank_ones_dropped(file):
    found = corpus.read(file("\n\n  " + "  \n".join(WORDS) + "\n\n\n"))
    assert sorted(found.documents) == sorted(WORDS)


def test_prose_is_one_text_whose_last_tenth_is_held_out(file):
    prose = corpus.read(file(PROSE))
    assert prose.kind == TEXT
    assert prose.train[0] + prose.held_out[0] == PROSE
    assert len(prose.held_out[0]) == len(PROSE) // 10


def test_short_lines_with_blanks_between_are_a_text(file):
    verse = "Shall I compare thee\nto a summer's day?\n\n" * 60
    assert corpus.read(file(verse)).kind == TEXT


def test_one_long_line_among_a_hundred_leaves_a_list_a_list(file):
    assert corpus.read(file("\n".join([*WORDS, *WORDS, "x" * 200]))).kind == DOCUMENTS


def test_windows_lines_and_a_byte_order_mark_change_nothing(file):
    plain = corpus.read(file("\n".join(WORDS), "a.txt"))
    windows = corpus.read(file(b"\xef\xbb\xbf" + "\r\n".join(WORDS).encode(), "b.txt"))
    assert windows.documents == plain.documents


def test_letters_of_any_alphabet_are_welcome(file):
    assert "ß" in corpus.read(file("\n".join(word + "ßøñж" for word in WORDS))).chars


def test_a_missing_file_is_named_with_near_ones(file):
    path = file("x", "names.txt")
    said = problem(path.with_name("name.txt"))
    assert "there is no file" in said and "near: names.txt" in said


def test_a_folder_is_refused(tmp_path):
    assert "is a folder" in problem(tmp_path)


@pytest.mark.parametrize("data", ["", "\n", " \n\t\n \n", "\ufeff"])
def test_nothing_to_learn_is_said(file, data):
    assert "is empty" in problem(file(data))


def test_a_binary_file_is_refused_at_its_first_zero_byte(file):
    assert "byte 3 is 0" in problem(file(b"PNG\x00\x01\x02"))


def test_bytes_that_are_not_utf_8_are_named_with_their_place(file):
    assert "byte 23 is 0xe9" in problem(file(b"word\n" * 4 + b"caf\xe9\n"))


def test_utf_16_is_named(file):
    assert "UTF-16" in problem(file("\n".join(WORDS).encode("utf-16")))


def test_a_huge_file_is_refused_before_it_is_read(file):
    path = file("")
    with path.open("wb") as sparse:
        sparse.truncate(corpus.MAX_BYTES + 1)
    assert "too large" in problem(path)


def test_a_list_of_a_few_lines_is_too_short(file):
    assert "only 3 short lines" in problem(file("anna\nben\ncleo\n"))


def test_a_short_text_is_too_short(file):
    assert "only 800 characters" in problem(file("word " * 160))


def test_too_many_different_characters_are_refused(file):
    said = problem(file("\n".join(chr(0x4E00 + i) + chr(0x5E00 + i) for i in range(300))))
    assert "600 different characters" in said and "512" in said


def test_documents_longer_than_a_block_are_counted(file):
    words = corpus.read(file("\n".join([*WORDS, "x" * 15, "y" * 16, "z" * 30])))
    assert words.cut(16) == 2
    assert corpus.read(file(PROSE)).cut(16) == 0


@given(st.binary(max_size=300))
def test_any_bytes_give_a_corpus_or_an_error_in_words(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(data)
    try:
        assert corpus.read(path).train
    except CorpusError as error:
        assert str(path) in str(error)
