"""Checks the exercises of this folder from the workbook. There is nothing to edit here.

    import glassbox
    glassbox.check("ex05")               the board: what passes, what does not, and why
    glassbox.points("ex05.layernorm")    one piece: what it earns on the visible tests
    glassbox.hint("ex05.layernorm")      a hint; called again, the next one

Beside this file stands glassbox.kit: the tests and the grader. It is unpacked once, into the folder
.glassbox beside this folder. Exercises that this one builds on are taken from this folder or, where
each exercise is an assignment of its own, from the folders beside it.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKED = HERE / "glassbox.kit"
checked = {}  # exercise -> (its files when it was checked, its result)


def check(exercise):
    """Check "ex05" and show the board."""
    _show(_report().board(_result(exercise)))


def points(name):
    """Show the piece "ex05.layernorm"; the result is what it earns on the visible tests."""
    if os.environ.get("NBGRADER_EXECUTION") == "autograde":
        raise RuntimeError(
            "points are not earned in a notebook: the course's nbgrader_config.py lets nbgrader"
            " look up what the grader has recorded; run nbgrader in the folder of the course"
        )
    exercise, _, wanted = name.partition(".")
    found = _result(exercise).exercises[0]
    piece = next(piece for piece in found.pieces if piece.name == wanted)
    _show(_report().piece(found, piece))
    return float(piece.earned)


def hint(piece):
    """Print the next hint for "ex05.layernorm"."""
    done = _grader("hint", piece, "--more")
    print(done.stdout or done.stderr)


def _result(exercise):
    """The result of the exercise, from a new check if any file has changed since the last one."""
    files = _files()
    now = hashlib.sha256(repr(sorted((n, p.read_bytes()) for n, p in files.items())).encode())
    if exercise not in checked or checked[exercise][0] != now.digest():
        checked[exercise] = now.digest(), _check(exercise, files)
    return checked[exercise][1]


def _check(exercise, files):
    with tempfile.TemporaryDirectory() as room:
        target = Path(room, HERE.name)
        target.mkdir()
        for name, path in files.items():
            shutil.copyfile(path, target / name)
        done = _grader(
            "check", exercise, "--target", str(target), "--no-finale", "--format", "json"
        )
    if done.returncode not in (0, 1):
        raise RuntimeError(f"the check could not run:\n{done.stderr.strip()}")
    _report()  # makes the kit importable
    from grader.results import Result

    return Result.from_json(json.loads(done.stdout))


def _files():
    """File name -> where it stands: in this folder, or in a folder of its own beside this one."""
    beside = {path.name: path for path in HERE.parent.glob("ex*/ex*.py") if _is_assignment(path)}
    return beside | {path.name: path for path in HERE.glob("*.py") if path.name != "glassbox.py"}


def _is_assignment(path):
    return path.stem == path.parent.name


def _grader(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        cwd=_kit(),
        env={**os.environ, "PYTHONUTF8": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
    )


def _report():
    if str(_kit()) not in sys.path:
        sys.path.insert(0, str(_kit()))
    from grader.reports import notebook

    return notebook


def _kit():
    """The folder where glassbox.kit is unpacked; it is unpacked whole or not at all."""
    version = hashlib.sha256(PACKED.read_bytes()).hexdigest()[:12]
    home = HERE.parent if os.access(HERE.parent, os.W_OK) else Path(tempfile.gettempdir())
    kit = home / ".glassbox" / version
    if not kit.exists():
        kit.parent.mkdir(exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=kit.parent))
        with zipfile.ZipFile(PACKED) as packed:
            packed.extractall(part)
        try:
            part.rename(kit)
        except OSError:  # another workbook was faster
            shutil.rmtree(part)
    return kit


def _show(page):
    from IPython.display import HTML, display

    display(HTML(page))
