"""Every command that the README shows is run, on a copy of the kit in an empty folder."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader import isolation
from grader.course import ROOT

README = (ROOT / "README.md").read_text("utf-8")
TEACHING = README.partition("## Teaching with it")[2].partition("\n## ")[0]


def commands(text: str) -> list[str]:
    """What a reader of this text would type."""
    return [
        line.strip().removeprefix("$ ").split("  #")[0].strip()
        for block in re.findall(r"```console\n(.*?)```", text, re.S)
        for line in block.splitlines()
        if line.strip().startswith("$ ")
    ]


NESTED = {"make test", "make lint"}  # they would run this very test again, or all of ruff
SLOW = ("mutants", "--target solutions", "--preset", "--scalar", "microgpt", "stable", "attacks")
BROUGHT = {"student": "numpy", "dev": "hypothesis", "marking": "seccompy", "instructor": "nbgrader"}


def tracked(folder: Path) -> Path:
    """A copy of what is under version control, with the environment that runs this test."""
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in files.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (folder / ".venv" / "bin" / "python").chmod(0o755)
    for name, package in BROUGHT.items():
        if importlib.util.find_spec(package):
            (folder / ".venv" / f"{name}.ready").touch()
    return folder


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Path:
    """A kit as it is cloned: nothing is written yet."""
    return tracked(tmp_path_factory.mktemp("a fresh kit"))


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A kit in which a student has written everything, and trained it."""
    folder = tracked(tmp_path_factory.mktemp("a finished kit"))
    for file in (ROOT / "solutions").glob("*.py"):
        shutil.copy(file, folder / "exercises")
    run(folder, "make train ARGS='--steps 20'")
    return folder


def run(folder: Path, command: str) -> subprocess.CompletedProcess:
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment | {"NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


def test_the_readme_shows_commands():
    assert {"make check", "make test"} <= set(commands(README))


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(c, marks=pytest.mark.slow if any(s in c for s in SLOW) else ())
        for c in commands(README.replace(TEACHING, ""))
    ],
)
def test_a_command_of_the_readme_works(request, command):
    trains = any(word in command for word in ("train", "sample", "microgpt", "xray"))
    kit = request.getfixturevalue("finished" if trains else "fresh")
    run(kit, command.replace("make", "make -n") if command in NESTED else command)


def test_an_instructor_gets_from_the_bundle_to_the_gradebook(tmp_path):
    """The commands of "Teaching with it", one after the other, on what two students handed in."""
    if missing := [list_ for list_, name in BROUGHT.items() if not importlib.util.find_spec(name)]:
        pytest.skip(f"not installed: requirements/{missing[-1]}.txt")
    try:
        isolation.best()
    except isolation.Unavailable as error:
        pytest.skip(f"nothing can be marked here: {error}")
    kit = tracked(tmp_path / "kit")
    for student, source in (("ann", "solutions"), ("bob", "exercises")):
        (kit / "submissions" / student).mkdir(parents=True)
        shutil.copy(kit / source / "ex05_norm.py", kit / "submissions" / student)
    for command in commands(TEACHING):
        if "class/submitted" in command:
            shutil.copytree(kit / "submissions", kit / "class" / "submitted", dirs_exist_ok=True)
        run(kit, command)
    written = (kit / "class" / "gradebook.db").read_bytes()
    assert b"ann" in written and b"bob" in written


def test_a_python_without_the_packages_hands_over_to_the_venv(fresh):
    """`python -m grader hint`, as the board says, without activating anything."""
    said = run(fresh, f'"{sys.executable}" -S -m grader hint ex01.vocabulary')
    assert "ex01.vocabulary, hint" in said.stdout
