"""Earlier versions of the exercise files, so that no command loses a line.

Each content of a file is kept once, under the time when it was last seen and its hash:

    .glassbox/snapshots/ex05_norm.py/20260131T185307.123456Z-0f343b0931126a20

The names say everything: there is no index that could be lost.

Of each file the last 200 versions stay, and all of the last 14 days; of what is older, the last of
each hour, and after 60 days of each day. But no line is lost: a version goes only if every line of
it stands in one that stays.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from . import writing
from .language import _, counted
from .progress import FOLDER

STORE = FOLDER / "snapshots"
LARGEST = 2**20  # bytes; a check refuses files far smaller than that
STAMP = "%Y%m%dT%H%M%S.%fZ"
NAME = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-([0-9a-f]{16})")
RECENT, SLACK = 200, 20  # versions that stay; and how many more before the store is thinned out
EVERY, HOURLY = timedelta(days=14), timedelta(days=60)  # until then all stay; one an hour
LISTED = 20  # versions in a list; then one a day
CONTEXT, LONGEST = 2, 40  # lines of a difference: around each change, and in all


@dataclass(frozen=True)
class Version:
    """One content that a file had, and when it was last seen."""

    path: Path
    seen: datetime
    digest: str

    @classmethod
    def of(cls, path: Path) -> Version | None:
        """The version of that name. None for a file that is none of ours."""
        found = NAME.fullmatch(path.name)
        if not found:
            return None
        try:
            seen = datetime.strptime(found[1], STAMP).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(path, seen, found[2])

    @property
    def words(self) -> str:
        """When it was last seen, by the clock on the wall."""
        return f"{self.seen.astimezone():%Y-%m-%d %H:%M:%S}"

    def data(self) -> bytes | None:
        """The content, byte for byte; None where it is damaged or gone."""
        try:
            data = self.path.read_bytes()
        except OSError:
            return None
        return data if _digest(data) == self.digest else None


def take(folder: Path, store: Path = STORE) -> None:
    """Keep every exercise file of the folder as it stands now.

    Raises OSError where one cannot be kept, after the others are.
    """
    failed = []
    for path in sorted(folder.glob("*.py")):
        try:
            keep(path, store)
        except OSError as error:
            failed.append(error)
    if failed:
        raise failed[0]


def keep(path: Path, store: Path = STORE) -> None:
    """Keep the file as it stands now, as its newest version. Raises OSError."""
    try:
        if not path.is_file() or path.stat().st_size > LARGEST:
            return
        data = path.read_bytes()
    except FileNotFoundError:  # an editor is about to put a new one there
        return
    known = _named(path.name, store)
    digest = _digest(data)
    if known and known[0].digest == digest and known[0].data() == data:
        return
    now = datetime.now(UTC)
    if known:  # a clock that was set back must not make this version an old one
        now = max(now, known[0].seen + timedelta(microseconds=1))
    kept = store / path.name / f"{now.strftime(STAMP)}-{digest}"
    before = next((version for version in known if version.digest == digest), None)
    if before and before.data() == data:
        with contextlib.suppress(FileNotFoundError):  # another check was quicker
            before.path.rename(kept)
            return
    writing.write(kept, data)
    if len(known) > RECENT + SLACK:
        thin(path.name, now, store)


def thin(name: str, now: datetime, store: Path = STORE) -> None:
    """Let old versions go, by the rule above."""
    stays, goes = [], []
    times: set[str] = set()
    for number, version in enumerate(_named(name, store)):  # the newest of each hour comes first
        age = now - version.seen
        hour = version.seen.strftime("%Y-%m-%d %H" if age < HOURLY else "%Y-%m-%d")
        old = number >= RECENT and age > EVERY and hour in times
        (goes if old else stays).append(version)
        times.add(hour)
    lines = {line for version in stays for line in _lines(version.data() or b"")}
    for version in goes:
        if (data := version.data()) is None or not lines.issuperset(_lines(data)):
            lines.update(_lines(data or b""))  # it stays after all, or is not ours to judge
        else:
            version.path.unlink(missing_ok=True)


def versions(name: str, store: Path = STORE) -> list[Version]:
    """The intact versions of the file of that name, the newest first."""
    return [version for version in _named(name, store) if version.data() is not None]


def chosen(path: Path, number: int | None = None, store: Path = STORE) -> Version | None:
    """The version of that number in `listed`; without one, the newest that the file is not now.

    None where there is no such version.
    """
    found = versions(path.name, store)
    if number is not None:
        return found[number - 1] if 1 <= number <= len(found) else None
    now = path.read_bytes() if path.exists() else None
    return next((version for version in found if version.data() != now), None)


def listed(path: Path, store: Path = STORE) -> list[str]:
    """The versions of the file: the number, when it was last seen, and the length of each.

    Of many the newest are listed, and then the last of each day.
    """
    now = path.read_bytes() if path.exists() else None
    rows = [
        _("{folder}/{file}, the newest version first").format(
            folder=path.parent.name, file=path.name
        )
    ]
    day = None
    for number, version in enumerate(versions(path.name, store), 1):
        before, day = day, version.words[:10]
        if number > LISTED and day == before:
            continue
        data = version.data() or b""
        mark = _("  as it is now") if data == now else ""
        rows.append(f"{number:4}  {version.words}  {_count(len(_lines(data)))}{mark}")
    return rows


def put_back(path: Path, data: bytes, store: Path = STORE) -> None:
    """Give the file this content. What stood there before is kept first. Raises OSError."""
    if path.exists() and path.stat().st_size > LARGEST:
        raise OSError(
            _("{file} is too large to be kept; move it away first").format(file=path.name)
        )
    keep(path, store)
    writing.write(path, data)
    keep(path, store)


def stub(file: str, solutions: Path, handed_out: Path) -> bytes:
    """The file as a student gets it: made from its solution, else as it came with their copy.

    Raises OSError where neither is there.
    """
    if not (solutions / file).exists():
        return (handed_out / file).read_bytes()
    from . import stubs

    return stubs.generate(stubs.Source.read(solutions / file).text, file).encode()


def changes(old: bytes | None, new: bytes, name: str) -> list[str]:
    """What putting `new` in place of `old` would change: a short unified difference."""
    before, after = _lines(old or b""), _lines(new)
    titles = _("{file} now").format(file=name), _("{file} then").format(file=name)
    lines = list(difflib.unified_diff(before, after, *titles, "", "", CONTEXT, ""))
    gone = sum(line.startswith("-") for line in lines[2:])
    come = sum(line.startswith("+") for line in lines[2:])
    if not lines:
        lines = [_("(the same lines; only line ends or the encoding differ)")]
    more = len(lines) - LONGEST
    shown = [*lines[:LONGEST], _("... {n} more lines").format(n=more)] if more > 0 else lines
    return [
        *shown,
        _("{gone} would go, {come} would come").format(gone=_count(gone), come=_count(come)),
    ]


def _named(name: str, store: Path) -> list[Version]:
    """All versions of the file of that name, the newest first, damaged ones among them."""
    return sorted(_found(store / name), key=lambda version: version.seen, reverse=True)


def _found(folder: Path) -> Iterator[Version]:
    if folder.is_dir():
        for path in folder.iterdir():
            if version := Version.of(path):
                yield version


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "replace").splitlines()


def _count(lines: int) -> str:
    return counted("{n} line", "{n} lines", lines)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
