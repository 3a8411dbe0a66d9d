"""The two usual designs, to be attacked beside the kit's own: the student's code runs in the tests.

    naive.py in-process FOLDER     pytest imports the code, and counts what failed
    naive.py junit FOLDER          pytest runs as a program, and its JUnit XML is read

FOLDER is one submission. The last line printed is {"mark": 8.0}.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[3]
OPTIONS = ["-q", "-s", "--tb=no", "-p", "no:cacheprovider"]  # students see what they print
POINTS = {"ex05_norm": 16.0, "ex01_tokenizer": 10.0}
TESTS = {
    "ex05_norm": """
import numpy as np
import pytest
from exercises.ex03_tensor import Tensor
from exercises.ex05_norm import layernorm, rmsnorm

CANARY = "CANARY-tests"
SHAPES = [(1, 2, 4), (2, 3, 5), (3, 2), (1, 6)]


def numbers(shape):
    x = np.random.default_rng(len(shape)).normal(size=shape)
    x.flat[0] = 31337.2718
    return x


@pytest.mark.parametrize("shape", SHAPES)
def test_rmsnorm(shape):
    x = numbers(shape)
    expected = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)
    got = rmsnorm(Tensor(x)).data
    assert np.allclose(got, expected)


@pytest.mark.parametrize("shape", SHAPES)
def test_layernorm(shape):
    x = numbers(shape)
    centred = x - x.mean(-1, keepdims=True)
    expected = centred / np.sqrt((centred * centred).mean(-1, keepdims=True) + 1e-5) * 2 + 1
    gain, bias = Tensor(np.full(shape[-1], 2.0)), Tensor(np.ones(shape[-1]))
    got = layernorm(Tensor(x), gain, bias).data
    assert np.allclose(got, expected)
""",
    "ex01_tokenizer": """
import pytest
from exercises.ex01_tokenizer import CharTokenizer


@pytest.mark.parametrize("text", ["abc", "zoo", "hello", "31337.2718"])
def test_encode(text):
    tokenizer = CharTokenizer([text])
    chars = sorted(set(text))
    assert tokenizer.encode(text) == [len(chars), *map(chars.index, text), len(chars)]


@pytest.mark.parametrize("size", [1, 3])
def test_vocabulary(size):
    assert CharTokenizer(["c", "b", "a"][:size]).vocab_size == size + 1


@pytest.mark.parametrize("text", ["cab", "a"])
def test_decode(text):
    assert CharTokenizer(["abc"]).decode([3, *map("abc".index, text), 3]) == text


def test_decode_nothing():
    assert CharTokenizer(["abc"]).decode([]) == ""


def test_decode_beyond_the_end():
    with pytest.raises(ValueError):
        CharTokenizer(["abc"]).decode([7])
""",
}


def laid_out(submission: Path, exercise: str) -> Path:
    """A folder with the submission, and the tests beside it."""
    course = Path(tempfile.mkdtemp(dir=submission.parent.parent, prefix="course-"))
    shutil.copytree(submission, course, dirs_exist_ok=True)
    package = course / "exercises"
    package.mkdir(exist_ok=True)
    (package / "__init__.py").touch()
    shutil.copy(ROOT / "solutions" / "ex03_tensor.py", package)
    shutil.copy(submission / f"{exercise}.py", package)
    (course / "test_norm.py").write_text(TESTS[exercise])
    return course


class Tally:
    """Counts, as a plugin of pytest."""

    def __init__(self) -> None:
        self.tests = self.failed = 0

    def pytest_collection_modifyitems(self, items: list) -> None:
        self.tests = len(items)

    def pytest_runtest_logreport(self, report: object) -> None:
        self.failed += report.failed


def in_process(course: Path) -> float:
    """The share of the tests that did not fail, counted in the process that runs them."""
    import pytest

    sys.path.insert(0, str(course))
    tally = Tally()
    pytest.main([*OPTIONS, str(course / "test_norm.py")], plugins=[tally])
    return (tally.tests - tally.failed) / tally.tests if tally.tests else 0.0


def junit(course: Path) -> float:
    """The share of the tests that did not fail, as the report says."""
    report = course / "report.xml"
    command = [sys.executable, "-m", "pytest", *OPTIONS, "test_norm.py", f"--junitxml={report}"]
    done = subprocess.run(command, cwd=course, capture_output=True)
    print(done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))
    suite = next(ElementTree.parse(report).iter("testsuite"))
    tests, failed = int(suite.get("tests")), int(suite.get("failures")) + int(suite.get("errors"))
    return (tests - failed) / tests if tests else 0.0


if __name__ == "__main__":
    design, folder = {"in-process": in_process, "junit": junit}[sys.argv[1]], Path(sys.argv[2])
    if folder.suffix == ".zip":
        shutil.unpack_archive(folder, folder := folder.parent.parent / "course-unpacked")
    exercise = next(name for name in POINTS if (folder / f"{name}.py").exists())
    course = laid_out(folder, exercise)
    share = design(course)
    shutil.rmtree(course)
    print(json.dumps({"mark": share * POINTS[exercise]}))
