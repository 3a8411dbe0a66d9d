"""Which processes come from another, and whether they still run (Linux)."""

import contextlib
from pathlib import Path


def descendants(pid: int) -> list[int]:
    """Numbers of all processes that come from `pid`."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parents[int(folder.name)] = int(
                (folder / "stat").read_text().rpartition(")")[2].split()[1]
            )
    found = [pid]
    for ancestor in found:
        found += [child for child, parent in parents.items() if parent == ancestor]
    return found[1:]


def runs(pid: int) -> bool:
    """Whether there is such a process, and it is no mere entry that waits to be asked for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
