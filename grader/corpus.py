"""The data that a model trains on: reads a file, says what is wrong with it, holds a part back.

    corpus = read(Path("data/first_names.txt"))     32,018 names to train on, 3,558 held out

A file whose lines are short and hardly ever blank is a list of *documents*, one a line, stripped;
any other is one running *text*. Short: 99 of 100 lines have at most 64 characters; hardly ever:
fewer than 1 line in 20. This is used in the checker and in the worker, and imports neither.
"""

from __future__ import annotations

import difflib
import random
import stat
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .language import _

DOCUMENTS, TEXT = "documents", "text"

MAX_BYTES = 16 * 2**20
MAX_CHARACTERS = 512  # different ones; each is a row of the embedding table
MIN_DOCUMENTS = 20
MIN_TEXT = 2000  # characters: the tenth that is held out must fill a few blocks

SHORT_LINE = 64
HELD_OUT = 10  # one in so many
SHUFFLE_SEED = 1  # the baselines in data/README.md are on this shuffle


class CorpusError(Exception):
    """A file that cannot be trained on. The message says which, why, and what to do."""


@dataclass(frozen=True)
class Corpus:
    """What to train on, and what is held out to see whether it has learnt or only memorised.

    `train` and `held_out` are documents; of a text they are one long document each, the first nine
    tenths and the last. `chars` are all different characters of both, sorted.
    """

    path: Path
    kind: str  # documents | text
    train: tuple[str, ...]
    held_out: tuple[str, ...]

    @property
    def documents(self) -> tuple[str, ...]:
        return self.train + self.held_out

    @cached_property
    def chars(self) -> str:
        return "".join(sorted(set().union(*self.documents)))

    @cached_property
    def longest(self) -> int:
        return max(map(len, self.documents))

    def cut(self, block_size: int) -> int:
        """How many documents do not fit a block of the model, in which BOS stands first."""
        if self.kind == TEXT:
            return 0
        return sum(len(doc) + 1 > block_size for doc in self.documents)

    def held_out_targets(self, block_size: int) -> int:
        """How many characters, ends of documents included, a model predicts in what is held out."""
        if self.kind == TEXT:
            return sum(len(doc) + 1 for doc in self.held_out)
        return sum(min(len(doc) + 1, block_size) for doc in self.held_out)


def read(path: Path) -> Corpus:
    """The file as documents or as a text, nine tenths to train on and one to hold out.

    Raises CorpusError: no such file, not a file, too large, binary, not UTF-8, empty, too little to
    learn from, or too many different characters.
    """
    text = _decoded(path, _bytes(path))
    if not text.strip():
        raise CorpusError(_("{path} is empty: there is nothing to learn in it").format(path=path))
    corpus = _documents(path, text) if _is_list(text) else _text(path, text)
    if len(corpus.chars) > MAX_CHARACTERS:
        raise CorpusError(
            _(
                "{path} has {n:,} different characters. Each is a token of its own; at most "
                "{max_characters} work here: choose a text in an alphabet"
            ).format(path=path, n=len(corpus.chars), max_characters=MAX_CHARACTERS)
        )
    return corpus


def _bytes(path: Path) -> bytes:
    """The content of a regular file of bearable size."""
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise CorpusError(_("{path} is a folder; name a text file in it").format(path=path))
        if not stat.S_ISREG(found.st_mode):
            raise CorpusError(_("{path} is a device or a pipe; name a text file").format(path=path))
        if found.st_size > MAX_BYTES:
            raise CorpusError(
                _(
                    "{path} is too large: {st_size:,.1f} MiB. Cut out a part of at most "
                    "{max_bytes} MiB; no run here gets through more"
                ).format(path=path, st_size=found.st_size / 2**20, max_bytes=MAX_BYTES // 2**20)
            )
        return path.read_bytes()
    except FileNotFoundError:
        raise CorpusError(
            _("there is no file {path}{near}").format(path=path, near=_near(path))
        ) from None
    except OSError as error:
        raise CorpusError(
            _("cannot read {path}: {what}").format(path=path, what=error.strerror or error)
        ) from None
    except ValueError as error:  # a NUL within the path itself
        raise CorpusError(
            _("cannot read {path!r}: {error}").format(path=str(path), error=error)
        ) from None


def _near(path: Path) -> str:
    """ "; near: first_names.txt", or nothing."""
    if not path.parent.is_dir():
        return ""
    names = [entry.name for entry in path.parent.iterdir() if entry.is_file()]
    near = difflib.get_close_matches(path.name, names, n=3)
    return _("; near: {all}").format(all=", ".join(near)) if near else ""


def _decoded(path: Path, data: bytes) -> str:
    """The bytes as text, with "\\n" as its only line end and without a byte order mark."""
    advice = _('Save it as plain text, encoding "UTF-8"')
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise CorpusError(
            _("{path} is in UTF-16, not UTF-8. {advice}").format(path=path, advice=advice)
        )
    if b"\0" in data:
        raise CorpusError(
            _("{path} is binary: byte {index:,} is 0. {advice}").format(
                path=path, index=data.index(0), advice=advice
            )
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(
            _("{path} is not UTF-8: byte {start:,} is 0x{data:02x}. {advice}").format(
                path=path, start=error.start, data=data[error.start], advice=advice
            )
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _is_list(text: str) -> bool:
    """Whether the lines are short and hardly ever blank."""
    lines = [line.strip() for line in text.strip().split("\n")]
    long = sum(len(line) > SHORT_LINE for line in lines)
    blank = lines.count("")
    return long * 100 <= len(lines) and blank * 20 < len(lines)


def _documents(path: Path, text: str) -> Corpus:
    """One document a line; every tenth of them, once shuffled, is held out."""
    docs = [line.strip() for line in text.split("\n") if line.strip()]
    if len(docs) < MIN_DOCUMENTS:
        raise CorpusError(
            _(
                "{path} has only {n} short lines; at least {min_documents} are needed, most "
                "to learn from and some to test on"
            ).format(path=path, n=len(docs), min_documents=MIN_DOCUMENTS)
        )
    random.Random(SHUFFLE_SEED).shuffle(docs)
    held_out = docs[::HELD_OUT]
    del docs[::HELD_OUT]
    return Corpus(path, DOCUMENTS, tuple(docs), tuple(held_out))


def _text(path: Path, text: str) -> Corpus:
    """One long document; its last tenth is held out."""
    if len(text) < MIN_TEXT:
        raise CorpusError(
            _(
                "{path} has only {n:,} characters; a running text needs at least {min_text:,}"
            ).format(path=path, n=len(text), min_text=MIN_TEXT)
        )
    end = len(text) - len(text) // HELD_OUT
    return Corpus(path, TEXT, (text[:end],), (text[end:],))
