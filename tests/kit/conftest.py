"""What several files of tests share."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# One BLAS thread: on a busy machine two are slower than one, by far.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["GLASSBOX_LANG"] = "en"  # whatever this machine speaks

ROOT = Path(__file__).resolve().parents[2]


class Copy:
    """The course in a folder of its own, its exercises as they are handed out."""

    def __init__(self, root: Path) -> None:
        from grader import stubs

        self.root = root
        self.exercises = root / "exercises"
        self.exercises.mkdir(parents=True)
        for file in ("exercises/__init__.py", "exercises/manifest.toml", "exercises/microgpt.py"):
            shutil.copy(ROOT / file, root / file)
        for folder in ("grader", "solutions", "tests/visible", "tests/mutants"):
            shutil.copytree(ROOT / folder, root / folder)
        for solution in root.glob("solutions/ex*.py"):
            stub = stubs.generate(solution.read_text("utf-8"), solution.name)
            (self.exercises / solution.name).write_text(stub, "utf-8")

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {"PYTHONPATH": str(self.root), "NO_COLOR": "1"}

    def grader(self, *arguments: str) -> subprocess.CompletedProcess:
        """Run a command as a user would, with nobody at the keyboard."""
        return subprocess.run(
            [sys.executable, "-m", "grader", *arguments],
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )

    def solve(self, exercise: str, old: str = "", new: str = "", end: str = "") -> Path:
        """Put the solution into the exercise file, with `new` in the place of `old`, and `end`."""
        text = (self.root / "solutions" / f"{exercise}.py").read_text("utf-8")
        assert old in text, f"{old!r} is not in {exercise}"
        path = self.exercises / f"{exercise}.py"
        path.write_text((text.replace(old, new, 1) if old else text) + end, "utf-8")
        return path


@pytest.fixture
def copy(tmp_path) -> Copy:
    """A copy of the course, to be worked in."""
    return Copy(tmp_path / "course")
