"""What stands in the place of the file, or beside it, is no ordinary file."""

import os
import socket
from pathlib import Path

NAME = "ex05_norm.py"
ROOT = Path(__file__).resolve().parents[3]


def replace(folder: Path) -> Path:
    path = folder / NAME
    path.unlink()
    return path


def link_to_a_neighbour(folder):
    """Wants another submission's file to count as its own.

    Fails because links are refused.
    earns: 0
    """
    replace(folder).symlink_to("../next/ex05_norm.py")


def link_to_the_solution(folder):
    """Wants the reference to count as its own.

    Fails because links are refused.
    earns: 0
    """
    replace(folder).symlink_to("../../kit/solutions/ex05_norm.py")


def link_to_a_secret(folder):
    """Wants a file of the teacher's to be read, and its first line to stand in an error message.

    Fails because links are refused.
    earns: 0
    """
    replace(folder).symlink_to("../../home/secret.txt")


def link_to_itself(folder):
    """Wants the reader to go in circles.

    Fails because links are refused.
    earns: 0
    """
    replace(folder).symlink_to(NAME)


def link_to_an_endless_device(folder):
    """Wants the reader to read zeros for ever.

    Fails because links are refused, and no more than 256 KiB is read.
    earns: 0
    """
    replace(folder).symlink_to("/dev/zero")


def folder_that_is_a_link(folder):
    """Wants its whole folder to be another student's.

    Fails because links are refused.
    earns: 0
    """
    replace(folder)
    folder.rmdir()
    folder.symlink_to("next")


def pipe(folder):
    """Wants the reader to wait for a writer: a named pipe.

    Fails because only regular files are opened.
    earns: 0
    """
    os.mkfifo(replace(folder))


def socket_file(folder):
    """Wants the reader to open a socket.

    Fails because only regular files are opened.
    earns: 0
    """
    path = replace(folder)
    here = os.getcwd()
    os.chdir(folder)  # the name of a socket is short
    try:
        with socket.socket(socket.AF_UNIX) as line:
            line.bind(path.name)
    finally:
        os.chdir(here)


def folder_in_its_place(folder):
    """Wants the reader to open a folder.

    Fails because only regular files are opened.
    earns: 0
    """
    path = replace(folder)
    path.mkdir()
    (path / "__init__.py").write_text("def layernorm(x, gain, bias): ...\n")


def sparse_giant(folder):
    """Wants the reader to read a terabyte that takes no place on the disk.

    Fails because a source file may have 256 KiB.
    earns: 0
    """
    with replace(folder).open("wb") as file:
        file.truncate(2**40)


def no_file(folder):
    """Wants to be no result at all.

    Fails because a missing file is still to do.
    earns: 0
    """
    replace(folder)


def conftest_beside(folder):
    """Wants pytest to run its conftest.py, where every test passes.

    Fails because only the files that the course names are read.
    """
    (folder / "conftest.py").write_text(
        "def pytest_runtest_makereport(item, call):\n    call.excinfo = None\n"
    )


def conftest_that_skips(folder):
    """Wants pytest to run its conftest.py, where tests that would fail are not collected.

    Fails because only the files that the course names are read.
    """
    (folder / "conftest.py").write_text(
        "def pytest_collection_modifyitems(items):\n"
        "    items[:] = [item for item in items if 'layernorm' not in item.name]\n"
    )


def pytest_ini_beside(folder):
    """Wants pytest to obey its pytest.ini, which deselects what would fail.

    Fails because pytest is given a configuration of the kit's own, and no folder to search.
    """
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -k 'not layernorm'\n")


def numpy_beside(folder):
    """Wants `import numpy` to find its numpy.py first, where everything is close.

    Fails because only the files that the course names are read, and none is imported by path.
    """
    (folder / "numpy.py").write_text(
        "import importlib.util, sys\n"
        "here = sys.path.pop(0); sys.modules.pop('numpy')\n"
        "import numpy; sys.path.insert(0, here)\n"
        "numpy.allclose = lambda *_, **__: True\n"
    )


def start_up_code_beside(folder):
    """Wants Python to run its sitecustomize.py at start.

    Fails because only the files that the course names are read, and Python starts isolated.
    """
    (folder / "sitecustomize.py").write_text("import os\nos._exit(0)\n")


def tests_of_its_own(folder):
    """Wants its own tests, which pass, to be counted too.

    Fails because only the files that the course names are read.
    """
    passing = "".join(f"def test_{i}():\n    pass\n" for i in range(200))
    (folder / "test_mine.py").write_text(passing)


def bytecode_beside(folder):
    """Wants its bytecode to be run in place of the text.

    Fails because the worker compiles the text that was read, and looks at no other file.
    """
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "ex05_norm.cpython-311.pyc").write_bytes(b"\xa7\r\r\n" + bytes(64))


def ten_thousand_files(folder):
    """Wants the grader to look at every file that it sends.

    Fails because only the files that the course names are opened.
    """
    (folder / "more").mkdir()
    for number in range(10_000):
        (folder / "more" / f"{number}.py").touch()


def grader_beside(folder):
    """Wants `import grader` to find its own, where every comparison is content.

    Fails because nothing of a submission is on the checker's path.
    """
    (folder / "grader").mkdir()
    (folder / "grader" / "__init__.py").write_text("print('REACHED the grader')\n")
    (folder / "grader" / "compare.py").write_text("close = same = print\n")


def manifest_of_its_own(folder):
    """Wants other points and no needs: it brings its own table of contents, of the same version.

    Fails because of its manifest nothing but the version is looked at.
    """
    text = (ROOT / "exercises" / "manifest.toml").read_text("utf-8")
    (folder / "manifest.toml").write_text(text.replace("points = ", "points = 9"), "utf-8")


def settings_of_many_tools(folder):
    """Wants the settings of pytest, coverage, tox, Jupyter, make and the shell to be obeyed.

    Fails because these files are never looked at.
    """
    for name in (
        *("tox.ini", "setup.cfg", "pyproject.toml", ".coveragerc", "usercustomize.py", "evil.pth"),
        *("Makefile", ".env", "nbgrader_config.py", "jupyter_config.py", ".pdbrc", "noxfile.py"),
    ):
        (folder / name).write_text("print('REACHED')\nimport os; print('REACHED')\n")
