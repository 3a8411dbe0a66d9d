"""Files are written whole or not at all: a reader sees the old one or the new one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def write(path: Path, data: bytes | str) -> None:
    """Write under another name in the same folder, then rename. Text is written as UTF-8.

    What a link names is written, and the link stays; a file that is there keeps its permissions.
    A pipe or a device, such as /dev/null, is written into: nothing takes its place.
    """
    if path.exists() and not path.is_file():
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path = path.resolve()
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data.encode() if isinstance(data, str) else data)
        if path.exists():
            shutil.copymode(path, part)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
