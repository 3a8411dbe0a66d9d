"""A newer bundle over a student's copy of the course: their lines stay, the kit around them is new.

All is worked out first, and written beside what is there:

    .glassbox/update/plan.json    which files come, and which go
    .glassbox/update/new/...      what comes, an exercise merged with the student's lines
    .glassbox/update/old/...      what was there, to go back to

That folder appears at once, by a renaming. From then on the update is carried to its end, if need
be by the next command: one that was broken off in the middle is finished, never left half done.
Afterwards the folder is kept in .glassbox/updates, where `update --undo` finds it.

Only the standard library is imported with this file: it must run while the rest is half new.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from . import writing
from .language import _, counted

HOME = ".glassbox"
OPEN, DONE = f"{HOME}/update", f"{HOME}/updates"
STUBS, MANIFEST = f"{HOME}/stubs", "exercises/manifest.toml"
OURS = ("grader", "tests/visible")  # folders in which a file that is not in the bundle goes
LARGEST = 64 * 2**20  # bytes, unpacked; a bundle has a few MiB
KEEP_ALWAYS = ("__pycache__",)


class UpdateError(Exception):
    """There was no update, and nothing was changed; the message says why, and what to do."""


@dataclass
class Plan:
    """Which files come, with their content, and which go; and what to tell about them."""

    title: str
    write: dict[str, bytes] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not self.write and not self.remove


# what is in the zip


def read(path: Path) -> dict[str, bytes]:
    """The files of a bundle, by their paths. Raises UpdateError for what is none."""
    try:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > LARGEST:
                raise UpdateError(_("{path} is far too large for a bundle").format(path=path))
            files = {entry.filename: archive.read(entry) for entry in entries}
    except OSError as error:
        raise UpdateError(
            _("{path} cannot be read: {error}").format(path=path, error=error.strerror)
        ) from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise UpdateError(
            _("{path} is no whole zip file: {error}; fetch it again").format(path=path, error=error)
        ) from None
    for name in files:
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\\" in name or ":" in name:
            raise UpdateError(
                _("{path} holds the path {name}, which no bundle has").format(path=path, name=name)
            )
    return files


def version(manifest: bytes) -> tuple[str, str]:
    """The course's title and its version."""
    table = tomllib.loads(manifest.decode())
    return table["title"], table["version"]


# what to do


def plan(root: Path, files: dict[str, bytes]) -> Plan:
    """What it takes to bring the copy at `root` up to the bundle's files. Raises UpdateError."""
    if (root / "solutions").is_dir():
        raise UpdateError(
            _("this is the whole course: update it with git, then run: python -m grader stubs")
        )
    try:
        old, new = version((root / MANIFEST).read_bytes()), version(files[MANIFEST])
    except (OSError, KeyError, ValueError):
        raise UpdateError(_("that is no bundle of this course: it has no manifest")) from None
    if old[0] != new[0]:
        raise UpdateError(
            _("that is a bundle of another course: {other}, not {title}").format(
                other=new[0], title=old[0]
            )
        )
    found = Plan(_("{title} {old} -> {new}").format(title=new[0], old=old[1], new=new[1]))
    for name, data in sorted(files.items()):
        if exercise(name):
            merge(root, name, data, found)
        elif content(root / name) != data:
            found.write[name] = data
    found.remove = [name for name in sorted(kit(root)) if name not in files]
    return found


def exercise(name: str) -> bool:
    """Whether it is a file that students write in."""
    return name.startswith("exercises/") and name.endswith(".py") and name.count("/") == 1


def merge(root: Path, name: str, stub: bytes, found: Plan) -> None:
    """Add to the plan what becomes of one exercise: three texts decide, as for `stubs`."""
    from . import stubs

    file = PurePosixPath(name).name
    try:
        base = content(root / STUBS / file)
        change, data = stubs.merged(content(root / name), stub, base, name)
    except UnicodeDecodeError:
        change, data = stubs.beside(name, _("it is not UTF-8 text")), stub
    if change.action == stubs.BESIDE:
        name += ".new"
    if data is not None and content(root / name) != data:
        found.write[name] = data
    if change.action not in (stubs.CURRENT, stubs.KEPT):
        found.told.append(change.message)


def kit(root: Path) -> Iterator[str]:
    """The files of the folders that are the kit's alone."""
    for folder in OURS:
        for path in (root / folder).rglob("*"):
            if path.is_file() and not any(part in KEEP_ALWAYS for part in path.parts):
                yield path.relative_to(root).as_posix()


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


# doing it


def begin(root: Path, what: Plan) -> None:
    """Write all of it beside what is there; it counts from the renaming on."""
    part = root / f"{OPEN}.{os.getpid()}.part"
    shutil.rmtree(part, ignore_errors=True)
    try:
        for name, data in what.write.items():
            writing.write(part / "new" / name, data)
        for name in (*what.write, *what.remove):
            if (data := content(root / name)) is not None:
                writing.write(part / "old" / name, data)
        names = {"title": what.title, "write": [*what.write], "remove": what.remove}
        writing.write(part / "plan.json", json.dumps(names, indent=1).encode())
        os.rename(part, root / OPEN)
    except OSError as error:
        raise UpdateError(_("nothing was changed: {error}").format(error=error)) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


def finish(root: Path) -> str:
    """Carry an update that has begun to its end. -> its title, "" where there is none

    Every step may be done twice, so that it does not matter where it was broken off.
    """
    folder = root / OPEN
    try:
        names = json.loads((folder / "plan.json").read_text("utf-8"))
    except FileNotFoundError:
        return ""
    for name in names["write"]:
        writing.write(root / name, (folder / "new" / name).read_bytes())
    for name in names["remove"]:
        (root / name).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # it is not empty
            (root / name).parent.rmdir()
    (root / DONE).mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y-%m-%d_%H-%M-%S.%f")
    os.rename(folder, root / DONE / stamp)
    return names["title"]


def undoing(root: Path) -> Plan:
    """What takes the last update back; exercises that were written in since stay as they are.

    That is an update too: once more brings back what it took.
    """
    done = sorted((root / DONE).glob("*/plan.json"))
    if not done:
        raise UpdateError(_("there is no update to take back"))
    folder = done[-1].parent
    names = json.loads(done[-1].read_text("utf-8"))
    back = Plan(_("back from {title}").format(title=names["title"]))
    for name in (*names["write"], *names["remove"]):
        before, after = content(folder / "old" / name), content(folder / "new" / name)
        if exercise(name) and content(root / name) != after:
            back.told.append(
                _("{name} was changed since, and stays; undo has its earlier versions").format(
                    name=name
                )
            )
        elif before is None:
            back.remove.append(name)
        else:
            back.write[name] = before
    return back


def summary(what: Plan) -> list[str]:
    """What it does, in words."""
    kit = len([name for name in what.write if not exercise(name)])
    lines = [what.title, *what.told]
    lines.append(counted("{n} file of the kit is new", "{n} files of the kit are new", kit))
    if what.remove:
        lines.append(counted("{n} file goes", "{n} files go", len(what.remove)))
    if any(name.startswith("requirements/") for name in what.write):
        lines.append(_("other packages are needed: run make setup, or install them again"))
    return lines
