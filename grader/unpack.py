"""Folders and zips that strangers have made, looked into and read without trusting them.

Nothing is ever unpacked to the disk: a zip is a folder whose files are read where they are. A link
is not followed, a name that leads out of its zip is not read, and of a file no more is read than
was asked for, whatever size it claims.
"""

from __future__ import annotations

import functools
import os
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from .language import _

MIB = 2**20
ZIP_BYTES = 256 * MIB  # of a zip that a student has made; some send their .venv along
UNPACKED_BYTES = 2048 * MIB  # of all that it says to hold
RATIO = 200  # of that to the zip itself; source code has about 4
DIRECTORY_BYTES = 4 * MIB  # of its table of contents: about 50,000 files
DEPTH = 12  # folders in folders
ZIPS_DEEP = 3  # zips in zips: all submissions, one of them, what it holds
FILES = 20_000  # looked at in one submission
ENTRIES = 100_000  # of all zips in it, whether they are looked at or not

SKIPPED = {"__MACOSX", "__pycache__", "node_modules", "site-packages", "venv", "Thumbs.db"}
PACKED = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".gz", ".rar", ".7z")


class Unreadable(Exception):
    """It cannot be read; the message says why, in words for whoever handed it in."""


@dataclass(frozen=True)
class Item:
    """A file, a folder or a zip; or what is neither, and why it is not looked into."""

    name: str
    read: Callable[[int], bytes] | None = None  # at most so many bytes. Raises Unreadable
    inside: Callable[[], list[Item]] | None = None  # of a folder or zip. Raises Unreadable
    problem: str = ""
    entries: Callable[[], int] = lambda: 0  # how many a zip has, in all

    @property
    def is_zip(self) -> bool:
        return self.read is not None and self.inside is not None

    @property
    def stem(self) -> str:
        """The name; of a zip, and of any other archive, without its ending."""
        endings = (".zip", *PACKED) if self.read or self.problem else ()
        ending = next((e for e in endings if self.name.lower().endswith(e)), "")
        return self.name[: len(self.name) - len(ending)]


def item(path: Path) -> Item:
    """What stands at `path`. Of what the user has named themselves, a link is followed."""
    if path.is_dir():
        return Item(path.name, inside=lambda: folder(path))
    return regular(path.name, Zip(path, trusted=True), lambda limit: read(path, limit))


def folder(path: Path) -> list[Item]:
    """What a folder holds, by name. Raises Unreadable."""
    try:
        with os.scandir(path) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise Unreadable(_("cannot be read: {why}").format(why=error.strerror)) from None
    return [standing(entry) for entry in found if not skipped(entry.name)]


def standing(entry: os.DirEntry) -> Item:
    """One entry of a folder."""
    path = Path(entry.path)
    try:
        if entry.is_symlink() or getattr(entry, "is_junction", lambda: False)():
            return Item(entry.name, problem=_("is a link; links are not followed"))
        if entry.is_dir(follow_symlinks=False):
            return Item(entry.name, inside=lambda: folder(path))
        if not entry.is_file(follow_symlinks=False):
            return Item(entry.name, problem=_("is no regular file"))
    except OSError as error:
        return Item(entry.name, problem=_("cannot be read: {why}").format(why=error.strerror))
    return regular(entry.name, Zip(path), lambda limit: read(path, limit))


def regular(name: str, zip: Zip, reader: Callable[[int], bytes]) -> Item:
    """A file; a zip can be looked into as well."""
    low = name.lower()
    if low.endswith(".zip"):
        inside = functools.partial(members, zip)
        return Item(name, reader, inside, entries=lambda: len(archive(zip).infolist()))
    if low.endswith(PACKED):
        return Item(name, problem=_("is no zip; only folders and zips are looked into"))
    return Item(name, reader)


def passed_over(path: Path) -> list[str]:
    """The folders within `path` that are skipped for their names: somebody may miss them."""
    if not path.is_dir():
        return []
    with os.scandir(path) as entries:
        return sorted(entry.name for entry in entries if skipped(entry.name) and entry.is_dir())


def skipped(name: str) -> bool:
    """Whether it is what systems and tools leave about."""
    return name.startswith(".") or name in SKIPPED


def opened(path: Path) -> BinaryIO:
    """The regular file at `path`: no link, no pipe, no device. Raises Unreadable."""
    flags = os.O_RDONLY
    for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, flag, 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise Unreadable(_("cannot be read: {why}").format(why=error.strerror)) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unreadable(_("is no regular file"))
    return os.fdopen(descriptor, "rb")


def read(path: Path, limit: int) -> bytes:
    """The first `limit` bytes of a regular file. Raises Unreadable."""
    with opened(path) as file:
        try:
            return file.read(limit)
        except OSError as error:
            raise Unreadable(_("cannot be read: {why}").format(why=error.strerror)) from None


@dataclass(frozen=True)
class Zip:
    """Where a zip stands: a path, and the numbers of the entries that lead to a zip in it.

    trusted   the instructor has named it: it holds all submissions, and may be large
    """

    path: Path
    inside: tuple[int, ...] = ()
    trusted: bool = False


@functools.lru_cache(maxsize=4)
def archive(zip: Zip) -> zipfile.ZipFile:
    """The zip, open. Raises Unreadable for what is none, and for one made to do harm."""
    try:
        if zip.inside:
            outer = archive(Zip(zip.path, zip.inside[:-1], zip.trusted))
            file = copied(outer, outer.infolist()[zip.inside[-1]])
        else:
            file = zip.path.open("rb") if zip.trusted else opened(zip.path)
        if not (zip.trusted and not zip.inside):
            bound(file)
        found = zipfile.ZipFile(file)
        if not (zip.trusted and not zip.inside):
            weigh(found, file.seek(0, os.SEEK_END))
        return found
    except Unreadable:
        raise
    except Exception as error:  # each way of packing breaks in a way of its own
        raise Unreadable(_("is not a zip that can be read: {why}").format(why=error)) from None


def bound(file: BinaryIO) -> None:
    """Raise Unreadable where reading the zip's table of contents alone would take too much."""
    size = file.seek(0, os.SEEK_END)
    if size > ZIP_BYTES:
        raise Unreadable(_("is larger than {size} MiB").format(size=ZIP_BYTES // MIB))
    end = zipfile._EndRecData(file)  # as ZipFile finds it: a zip may have another to be seen
    if end and end[zipfile._ECD_SIZE] > DIRECTORY_BYTES:
        raise Unreadable(_("holds too many files"))


def weigh(zip: zipfile.ZipFile, size: int) -> None:
    """Raise Unreadable for a zip that would unpack to far more than it is."""
    total = sum(entry.file_size for entry in zip.infolist())
    if total > UNPACKED_BYTES or (total > MIB and total > RATIO * size):
        words = _("is {size:.0f} KiB that unpack to {total:.0f} MiB: a zip bomb, not unpacked")
        raise Unreadable(words.format(size=size / 1024, total=total / MIB))


def member(zip: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    """The first `limit` bytes of a file in the zip. Raises Unreadable."""
    try:
        with zip.open(entry) as file:
            return file.read(limit)
    except Exception as error:  # as above
        raise Unreadable(_("cannot be unpacked: {why}").format(why=error)) from None


def copied(zip: zipfile.ZipFile, entry: zipfile.ZipInfo) -> BinaryIO:
    """A zip in a zip, in a file of its own that has no name. Raises Unreadable."""
    file = tempfile.TemporaryFile(prefix="glassbox-")  # noqa: SIM115  the zip keeps it open
    with zip.open(entry) as inner:
        while file.tell() <= ZIP_BYTES and (chunk := inner.read(MIB)):
            file.write(chunk)
    return file


def members(zip: Zip, within: tuple[str, ...] = ()) -> list[Item]:
    """What a zip holds, or a folder in it, by name. Raises Unreadable.

    Of two files of one name the later one counts, as it does for who unpacks it.
    """
    if len(zip.inside) >= ZIPS_DEEP:
        raise Unreadable(_("is a zip in a zip in a zip; it is not looked into"))
    found = contents(zip).get(within, {})
    return [
        within_zip(zip, within, name, found[name]) for name in sorted(found) if not skipped(name)
    ]


@functools.lru_cache(maxsize=4)
def contents(zip: Zip) -> dict[tuple[str, ...], dict[str, int | None]]:
    """For each folder of the zip, what it holds: the number of a file's entry, None of a folder.

    Raises Unreadable.
    """
    tree: dict[tuple[str, ...], dict[str, int | None]] = {(): {}}
    for number, entry in enumerate(archive(zip).infolist()):
        parts = parts_of(entry.filename)
        if parts is None:  # shown as it is, and never read
            tree[()][repr(entry.filename)] = number
            continue
        is_folder = entry.filename.endswith("/")  # is_dir() takes no name without letters
        for depth in range(len(parts) - (0 if is_folder else 1)):
            tree.setdefault(parts[:depth], {}).setdefault(parts[depth], None)
            tree.setdefault(parts[: depth + 1], {})
        if parts and not is_folder:
            tree.setdefault(parts[:-1], {})[parts[-1]] = number
    return tree


def parts_of(name: str) -> tuple[str, ...] | None:
    """The folders and the name of a zip's entry; None where it leads out of the zip."""
    name = name.replace("\\", "/")  # as some tools on Windows write them
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    outside = name.startswith("/") or ".." in parts or (parts and parts[0].endswith(":"))
    return None if outside or len(parts) > 2 * DEPTH else parts


def within_zip(zip: Zip, within: tuple[str, ...], name: str, number: int | None) -> Item:
    """One entry of a zip."""
    if number is None:
        return Item(name, inside=lambda: members(zip, (*within, name)))
    entry = archive(zip).infolist()[number]
    mode = entry.external_attr >> 16
    if parts_of(entry.filename) is None:
        return Item(name, problem=_("leads out of the zip, or too deep; it is not read"))
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG):
        return Item(name, problem=_("is a link or no regular file"))
    inner = Zip(zip.path, (*zip.inside, number), zip.trusted)
    return regular(
        name, inner, lambda limit: member(archive(zip), archive(zip).infolist()[number], limit)
    )


def walk(top: Item) -> Iterator[tuple[tuple[str, ...], Item]]:
    """Every file under `top` with the folders that lead to it; zips are folders, too.

    What cannot be looked into comes as an Item with a problem; what is too deep, or comes after
    FILES others, as one as well.
    """
    seen = entries = 0
    open_: list[tuple[tuple[str, ...], Item]] = [((), top)]
    while open_:
        above, here = open_.pop()
        if here.inside is None:
            yield above, here
            continue
        try:
            if len(above) > DEPTH:
                raise Unreadable(_("lies too deep; it is not looked into"))
            found = here.inside()
        except (Unreadable, RecursionError) as error:
            yield above, Item(here.name, problem=str(error))
            continue
        seen, entries = seen + len(found), entries + here.entries()
        if seen > FILES or entries > ENTRIES:
            yield above, Item(here.name, problem=_("holds too many files; not all were looked at"))
            return
        below = (*above, here.name) if here is not top else above
        found.sort(key=lambda item: item.is_zip)  # what lies open is looked at first
        open_ += [(below, item) for item in reversed(found)]
