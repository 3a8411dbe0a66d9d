"""The results file: one record a line, only ever added to; the last line of an id is its result.

A line is written whole, in one go, and is on the disk before the next one begins. If a machine
stops in the middle of a line, the next run takes that line away and the submission is marked again.
While one run writes, another is refused.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from .language import _
from .reports.text import one_line
from .results import SCHEMA, Result

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

BLOCK = 2**20
BEGIN = b'{"schema":'


class LedgerError(Exception):
    """The results file cannot be used; the message says why, and what to do."""


class Ledger:
    """The results file of one run, open and locked; use it in a `with`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mended = 0  # bytes of a torn last line that were taken away

    def __enter__(self) -> Ledger:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self.is_new = not self.path.exists()
        if not self.is_new and not self.path.is_file():  # a folder, a pipe, /dev/null
            words = _("cannot write {path}: it is no regular file; name another one")
            raise LedgerError(words.format(path=self.path))
        try:
            self.descriptor = os.open(self.path, flags | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise cannot_write(self.path, error) from None
        try:
            lock(self.descriptor)
            self.mended = mend(self.descriptor)
        except (OSError, ValueError) as error:
            os.close(self.descriptor)
            if isinstance(error, ValueError):
                raise not_ours(str(self.path)) from None
            if isinstance(error, (BlockingIOError, PermissionError)):
                words = _("{path}: another run is writing it; wait for it, or take another file")
                raise LedgerError(words.format(path=self.path)) from None
            raise cannot_write(self.path, error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.is_new and os.fstat(self.descriptor).st_size == 0:
            with contextlib.suppress(OSError):  # Windows removes no open file
                self.path.unlink()
        os.close(self.descriptor)

    def append(self, record: dict[str, Any]) -> None:
        """Add a record, whole or not at all. Raises LedgerError."""
        line = json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"
        before = os.fstat(self.descriptor).st_size
        try:
            if os.write(self.descriptor, line) != len(line):
                raise OSError(0, _("the disk is full"))
            os.fsync(self.descriptor)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self.descriptor, before)
            raise cannot_write(self.path, error) from None


def cannot_write(path: Path, error: OSError) -> LedgerError:
    return LedgerError(_("cannot write {path}: {why}").format(path=path, why=error.strerror))


def lock(descriptor: int) -> None:
    """Lock the file until it is closed, however this process ends. OSError where another has it."""
    if fcntl:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        import msvcrt

        os.lseek(descriptor, 2**40, os.SEEK_SET)  # a byte that nobody reads
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)


def mend(descriptor: int) -> int:
    """Take away what follows the last line end; how many bytes that were.

    ValueError where that is not the beginning of a record: it is no results file.
    """
    end = size = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - BLOCK)
        newline = piece(descriptor, start, end - start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    torn = piece(descriptor, end, len(BEGIN)).rstrip(b"\0")
    if not BEGIN.startswith(torn):
        raise ValueError
    if end < size:
        os.ftruncate(descriptor, end)
    return size - end


def piece(descriptor: int, start: int, length: int) -> bytes:
    os.lseek(descriptor, start, os.SEEK_SET)
    return os.read(descriptor, length)


def latest(path: Path, view: Callable[[dict], Any] = lambda record: record) -> dict[str, Any]:
    """The last record of each submission, by id, as `view` shows it; in the order of these.

    `view` keeps what a reader needs of a record, so that a large file needs little memory. A last
    line that was torn is left out. Raises LedgerError for a file that holds something else, and for
    a record that lacks what `view` looks for.
    """
    found: dict[str, Any] = {}
    for number, record in enumerate(records(path), 1):
        id = record["submission"]
        found.pop(id, None)
        try:
            found[id] = view(record)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError):
            words = _(
                "{place}: the record of {id} is not whole: was the file changed by hand?"
                " Take that line out, or take another file"
            )
            raise LedgerError(words.format(place=f"{path}:{number}", id=one_line(id))) from None
    return found


def texts(path: Path) -> dict[str, str]:
    """The last record of each submission, by id, as JSON. Raises LedgerError."""

    def text(record: dict[str, Any]) -> str:
        Result.from_json(record)  # it is whole
        return json.dumps(record)

    return latest(path, text)


def results(path: Path) -> dict[str, Result]:
    """The last result of each submission, by id. Raises LedgerError."""
    return latest(path, Result.from_json)


def result(path: Path, id: str) -> Result | None:
    """The last result of one submission. Raises LedgerError."""
    found = None
    for record in records(path):
        found = record if record["submission"] == id else found
    return Result.from_json(found) if found else None


def records(path: Path) -> Iterator[dict[str, Any]]:
    """Every record in the order in which they were written. Raises LedgerError."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if line.endswith(b"\n"):
                    yield parsed(line, f"{path}:{number}")
    except OSError as error:
        words = _("cannot read {path}: {why}")
        raise LedgerError(words.format(path=path, why=error.strerror)) from None


def parsed(line: bytes, place: str) -> dict[str, Any]:
    """The record of one line. Raises LedgerError."""
    try:
        record = json.loads(line)
        if record["schema"] == SCHEMA and type(record["submission"]) is str:
            return record
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise not_ours(place)


def not_ours(place: str) -> LedgerError:
    words = _("{place} is no record of `mark`, of schema {schema}: is it another file?")
    return LedgerError(words.format(place=place, schema=SCHEMA))
