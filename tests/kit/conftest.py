"""What several files of tests share."""

import os
from pathlib import Path

import pytest

# One BLAS thread: on a busy machine two are slower than one, by far.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["GLASSBOX_LANG"] = "en"  # whatever this machine speaks

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copy(tmp_path):
    """A copy of the course, to be worked in."""
    from grader.rehearsal import Copy

    return Copy(tmp_path / "course")
