"""Zips that unpack elsewhere, to more than they say, or not at all. Each holds an honest half."""

import io
import os
import shutil
import stat
import struct
import zipfile
from pathlib import Path

NAME = "ex05_norm.py"


def packed(folder: Path) -> zipfile.ZipFile:
    """The zip that takes the folder's place, with the honest half in it."""
    archive = zipfile.ZipFile(folder.with_name(folder.name + ".zip"), "w", zipfile.ZIP_DEFLATED)
    archive.write(folder / NAME, NAME)
    shutil.rmtree(folder)
    return archive


def climbing_out(folder):
    """Wants a file outside of its folder: a name that climbs.

    Fails because nothing is unpacked to a disk; only the files that the course names are read.
    """
    with packed(folder) as archive:
        for up in ("../", "../../home/", "/tmp/", "..\\..\\home\\"):
            archive.writestr(up + "left-by-an-attack", "hello")


def climbing_over_a_neighbour(folder):
    """Wants to overwrite the next submission.

    Fails because nothing is unpacked to a disk.
    """
    with packed(folder) as archive:
        archive.writestr("../next/" + NAME, "raise ValueError\n")


def link_inside(folder):
    """Wants a link that unpacking makes, to another submission's file.

    Fails because an entry that is a link is refused in words.
    earns: 0
    """
    archive = zipfile.ZipFile(folder.with_name(folder.name + ".zip"), "w")
    shutil.rmtree(folder)
    link = zipfile.ZipInfo(NAME)
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with archive:
        archive.writestr(link, "../next/" + NAME)


def bomb(folder):
    """Wants the file itself to unpack to 300 MB of comments.

    Fails because a source file may have 256 KiB, and no more than that is unpacked.
    earns: 0
    """
    archive = zipfile.ZipFile(folder.with_name(folder.name + ".zip"), "w", zipfile.ZIP_DEFLATED)
    shutil.rmtree(folder)
    with archive, archive.open(NAME, "w", force_zip64=True) as file:
        for _ in range(300):
            file.write(b"#" * 2**20)


def bomb_beside(folder):
    """Wants the grader to unpack 300 MB that nobody asked for.

    Fails because only the files that the course names are unpacked.
    earns: 0 8
    """
    with packed(folder) as archive, archive.open("notes.txt", "w", force_zip64=True) as file:
        for _ in range(300):
            file.write(bytes(2**20))


def lying_size(folder):
    """Wants to be taken for a small file: the directory says 10 bytes.

    Fails because what is read is counted, not what is announced.
    earns: 0 8
    """
    with packed(folder) as archive:
        name = archive.filename
    data = bytearray(Path(name).read_bytes())
    at = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 10)
    Path(name).write_bytes(data)


def twice_the_same_name(folder):
    """Wants to be two files: one to be looked at, another to be run.

    Fails because there is one reading: the file that is marked is the file that was read.
    earns: 0 8
    """
    with packed(folder) as archive:
        archive.writestr(NAME, "def rmsnorm(*_): ...\n")


def zip_in_a_zip(folder):
    """Wants the unpacking to go on and on.

    Fails because a zip is unpacked once.
    earns: 0 8
    """
    with packed(folder) as archive:
        for _ in range(20):
            inner = io.BytesIO()
            with zipfile.ZipFile(inner, "w") as nest:
                nest.writestr("more.zip", bytes(1000))
            archive.writestr("more.zip", inner.getvalue())


def ten_thousand_entries(folder):
    """Wants the grader to make ten thousand files.

    Fails because nothing is unpacked to a disk.
    earns: 0 8
    """
    with packed(folder) as archive:
        for number in range(10_000):
            archive.writestr(f"more/{number}.py", "")


def no_zip(folder):
    """Wants to be no result at all: noise that is called a zip.

    Fails because that is said in words.
    earns: 0
    """
    shutil.rmtree(folder)
    folder.with_name(folder.name + ".zip").write_bytes(os.urandom(2000))


def half_a_zip(folder):
    """Wants to be no result at all: an upload that broke off.

    Fails because that is said in words.
    earns: 0
    """
    with packed(folder) as archive:
        name = archive.filename
    data = Path(name).read_bytes()
    Path(name).write_bytes(data[: len(data) // 2])


def locked(folder):
    """Wants the grader to wait for a password.

    Fails because an encrypted file is refused in words.
    earns: 0
    """
    with packed(folder) as archive:
        name = archive.filename
    data = bytearray(Path(name).read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(mark)
        data[at + offset] |= 1
    Path(name).write_bytes(data)


def odd_names_inside(folder):
    """Wants names that no system bears: line ends, escapes, devices, and one of 5000 characters.

    Fails because such entries are passed over; nothing is made on a disk.
    earns: 0 8
    """
    with packed(folder) as archive:
        for name in ("a\nb.py", "\x1b[31m.py", "con.py", "x" * 5000 + ".py", "=1+1.py"):
            archive.writestr(name, "x = 1\n")


def broken_in_its_own_way(folder):
    """Wants every submission after it to be lost: a way of packing that breaks like no other.

    Fails because whatever unpacking raises is this file's problem alone.
    earns: 0
    """
    text = (folder / NAME).read_bytes()
    shutil.rmtree(folder)
    path = folder.with_name(folder.name + ".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr(NAME, text)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 64] = bytes(64)
    path.write_bytes(data)


def directory_out_of_sight(folder):
    """Wants a table of contents of 200,000 names, by showing another one at the very end.

    Fails because it is looked for where zipfile finds it.
    earns: 0
    """
    shutil.rmtree(folder)
    first = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, 1, 0) + b"a"
    entry = struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 33, 0, 0, 0, 6, *[0] * 6)
    names = b"".join(entry + b"%06x" % number for number in range(200_000))
    counts = b"PK\5\6"  # as if another end began there
    end = b"PK\5\6" + bytes(4) + counts + struct.pack("<IIH", len(names), len(first), 0)
    folder.with_name(folder.name + ".zip").write_bytes(first + names + end)


def entry_without_a_name(folder):
    """Wants a name of no letters, whose last one is asked for.

    Fails because a name that is none is passed over.
    """
    with packed(folder) as archive:
        archive.writestr(zipfile.ZipInfo("x"), "")
        archive.filelist[-1].filename = ""


def two_zips_in_one(folder):
    """Wants to be one zip for whoever reads from the front, and another from the back.

    Fails because it is read in one way only, and what that finds is what counts.
    """
    with packed(folder):
        pass
    path = folder.with_name(folder.name + ".zip")
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr(NAME, "raise ValueError\n")
    path.write_bytes(other.getvalue() + path.read_bytes())


def file_and_folder_of_one_name(folder):
    """Wants its file to be a folder as well, so that reading it and looking into it disagree.

    Fails because one name is one thing: the file, if there is one.
    """
    with packed(folder) as archive:
        archive.writestr(NAME + "/", "")
        archive.writestr(NAME + "/" + NAME, "raise ValueError\n")


def one_bomb_shared_by_many(folder):
    """Wants a hundred files to unpack from the same bytes: overlapping entries.

    Fails because what the table of contents adds up to is weighed first.
    earns: 0
    """
    with packed(folder) as archive:
        archive.writestr("zeros", bytes(30 * 2**20))
        zeros = archive.filelist[-1]
        for number in range(100):
            twin = zipfile.ZipInfo(f"ex{number:02}_zeros.py")
            for field in "compress_type compress_size file_size CRC header_offset".split():
                setattr(twin, field, getattr(zeros, field))
            archive.filelist.append(twin)


def another_archive_by_name(folder):
    """Wants a tar to be unpacked as if it were a zip.

    Fails because it is no zip, whatever it is called.
    earns: 0
    """
    import tarfile

    with tarfile.open(folder.with_name(folder.name + ".zip"), "w") as archive:
        archive.add(folder / NAME, "../next/" + NAME)
    shutil.rmtree(folder)
