"""The Makefile: two commands on a fresh clone, no step by hand before either, and set up only once.

Most tests put small shell scripts in the place of Python, which answer as an old, a bare or a good
one would and write down how they were called; so nothing is installed here.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from grader import course

ROOT = Path(__file__).resolve().parents[2]
TARGETS = (
    "help setup check watch train xray test test-all lint stubs bundle mark course gradebook wheels"
    " newest bench clean"
).split()
TOOLS = "sh awk chmod dirname echo find mkdir rm".split()

FAKE_PYTHON = """#!/bin/sh
case "$1 $2" in
    *print*) echo {version} ;;
    *"sys.exit"*) exit {is_old} ;;
    *ensurepip*) exit {lacks_venv} ;;
    "-m venv")
        rm -rf .venv
        mkdir -p .venv/bin
        printf '#!/bin/sh\\necho "$@" >>calls\\ntest "$2" != "$BREAKS" || exit "$STATUS"\\n' \\
            >.venv/bin/python
        chmod +x .venv/bin/python
        echo "{name} $*" >>calls
        ;;
esac
"""


class Clone:
    """The files that set up, in a folder with a space in its name, and a PATH of our own."""

    def __init__(self, folder):
        self.root = folder / "glass box"
        self.bin = folder / "bin"
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        shutil.copytree(ROOT / "requirements", self.root / "requirements")
        shutil.copy(ROOT / "Makefile", self.root)

    def python(self, name, version, is_old=False, lacks_venv=False):
        text = FAKE_PYTHON.format(
            name=name, version=version, is_old=int(is_old), lacks_venv=int(lacks_venv)
        )
        (self.bin / name).write_text(text, "utf-8")
        (self.bin / name).chmod(0o755)

    def make(self, *words, **env):
        return subprocess.run(
            [shutil.which("make"), *words],
            cwd=self.root,
            env={"PATH": str(self.bin), "BREAKS": "", **env},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        )

    def calls(self):
        """How the Pythons were called since the last time, one line each."""
        calls = self.root / "calls"
        lines = calls.read_text("utf-8").splitlines() if calls.exists() else []
        calls.unlink(missing_ok=True)
        return lines


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


@pytest.fixture
def ready(clone):
    """A clone that is set up."""
    clone.python("python3.12", "3.12")
    assert clone.make("setup").returncode == 0
    clone.calls()
    return clone


INSTALL = "-m pip install --disable-pip-version-check --no-input -r requirements/{}.txt"


# Targets


def test_make_alone_lists_every_target(clone):
    done = clone.make()
    assert done.returncode == 0
    listed = re.findall(r"^  ([a-z-]+) +\S", done.stdout, flags=re.MULTILINE)
    assert sorted(listed) == sorted(TARGETS)
    assert max(len(line) for line in done.stdout.splitlines()) <= 80


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_can_be_made(clone, target):
    assert clone.make("-n", target).returncode == 0


@pytest.mark.parametrize("target", ["check", "watch", "train", "bundle", "stubs"])
def test_arguments_reach_the_command(ready, target):
    assert ready.make(target, "ARGS=--one 'two words'").returncode == 0
    assert ready.calls() == [f"-m grader {target} --one two words"]


def test_make_check_succeeds_when_not_all_passes_and_fails_when_it_could_not_run(ready):
    assert ready.make("check", BREAKS="grader", STATUS="1").returncode == 0
    assert ready.make("check", BREAKS="grader", STATUS="2").returncode != 0


def test_other_commands_that_fail_fail_in_make_too(ready):
    assert ready.make("train", BREAKS="grader", STATUS="1").returncode != 0


def test_clean_removes_what_was_made_and_keeps_a_student_s_work(ready):
    kept = [".glassbox/backup/ex01.py", "exercises/ex01_tokenizer.py"]
    gone = ["exercises/__pycache__/x.pyc", ".pytest_cache/x", ".ruff_cache/x", ".hypothesis/x"]
    for file in kept + gone:
        (ready.root / file).parent.mkdir(parents=True, exist_ok=True)
        (ready.root / file).write_text("x", "utf-8")
    assert ready.make("clean").returncode == 0
    assert all((ready.root / file).exists() for file in kept)
    assert not any((ready.root / file).parent.exists() for file in [*gone, ".venv/pyvenv.cfg"])


# Setting up, once


def test_the_first_command_sets_up_and_says_so_in_one_line(clone):
    clone.python("python3.12", "3.12")
    done = clone.make("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "Setting up (once, about a minute)...\n"
    assert clone.calls() == [
        "python3.12 -m venv --clear .venv",
        INSTALL.format("student"),
        "-m grader check",
    ]


def test_a_second_run_sets_nothing_up(ready):
    done = ready.make("check")
    assert (done.stdout, done.stderr) == ("", "")
    assert ready.calls() == ["-m grader check"]


def test_the_tools_for_tests_are_installed_when_first_needed_and_once(ready):
    assert ready.make("test").stdout == "Setting up for dev (once)...\n"
    assert ready.calls() == [INSTALL.format("dev"), "-m pytest -m not slow"]
    ready.make("test-all")
    assert ready.calls() == ["-m pytest"]


def test_a_changed_list_of_versions_is_installed_anew(ready):
    later = (ready.root / ".venv" / "student.ready").stat().st_mtime + 5
    os.utime(ready.root / "requirements" / "student.txt", (later, later))
    ready.make("setup")
    assert ready.calls() == ["python3.12 -m venv --clear .venv", INSTALL.format("student")]


def test_a_half_made_environment_is_made_anew(ready):
    (ready.root / ".venv" / "student.ready").unlink()
    (ready.root / ".venv" / "half").touch()
    ready.make("setup")
    assert ready.calls() == ["python3.12 -m venv --clear .venv", INSTALL.format("student")]
    assert not (ready.root / ".venv" / "half").exists()


def test_what_a_link_in_the_place_of_the_environment_leads_to_is_left_alone(clone):
    clone.python("python3.12", "3.12")
    mine = clone.root.parent / "mine"
    mine.mkdir()
    (clone.root / ".venv").symlink_to(mine)
    done = clone.make("check")
    assert done.returncode != 0 and "rm .venv" in done.stderr
    assert clone.calls() == []


def test_where_there_are_wheels_nothing_is_asked_of_the_network(clone):
    clone.python("python3.12", "3.12")
    (clone.root / "wheels").mkdir()
    clone.make("setup")
    offline = INSTALL.format("student").replace("-r", "--no-index --find-links wheels -r")
    assert clone.calls()[1] == offline
    clone.make("test")
    assert clone.calls()[0] == INSTALL.format("dev")  # wheels/ holds only the student's


def test_wheels_are_fetched_beside_the_course_for_whichever_system_is_named(ready):
    assert ready.make("wheels", "ARGS=--platform win_amd64").returncode == 0
    assert ready.calls() == [
        "-m pip download --disable-pip-version-check --no-input --only-binary :all: "
        "-r requirements/student.txt -d wheels --platform win_amd64"
    ]


def test_an_environment_whose_python_is_gone_is_made_anew(ready):
    python = ready.root / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/no/such/python")
    ready.make("check")
    assert ready.calls()[-2:] == [INSTALL.format("student"), "-m grader check"]


def test_an_installation_that_fails_shows_why_and_is_tried_again(clone):
    clone.python("python3.12", "3.12")
    done = clone.make("check", BREAKS="pip", STATUS="1")
    assert done.returncode != 0
    assert (
        "Setting up failed, for the reason above. Run make again once it is mended." in done.stderr
    )
    clone.calls()
    assert clone.make("check").returncode == 0
    assert INSTALL.format("student") in clone.calls()


# Which Python


def test_an_old_python_gets_one_clear_sentence(clone):
    clone.python("python3", "3.9", is_old=True)
    clone.python("python", "2.7", is_old=True)
    done = clone.make("check")
    assert done.returncode != 0
    sentence, _make_s_own = done.stderr.splitlines()
    assert sentence == (
        "Glass Box needs Python 3.11 or later; python3 here is Python 3.9. Install one "
        "(https://www.python.org/downloads; Debian, Ubuntu: sudo apt install python3 "
        "python3-venv), then run make again."
    )


def test_no_python_gets_one_clear_sentence(clone):
    done = clone.make("check")
    assert done.returncode != 0
    assert "needs Python 3.11 or later; there is no Python here. Install one" in done.stderr


def test_a_missing_venv_module_gets_one_clear_sentence(clone):
    clone.python("python3", "3.12", lacks_venv=True)
    clone.python("python", "2.7", is_old=True)
    done = clone.make("check")
    assert done.returncode != 0
    sentence, _make_s_own = done.stderr.splitlines()
    assert sentence == (
        "Python 3.12 is here, but without its venv module. Install that (Debian, Ubuntu: "
        "sudo apt install python3.12-venv), then run make again."
    )


def test_where_one_python_will_not_do_the_next_is_taken(clone):
    clone.python("python3.13", "3.13", lacks_venv=True)
    clone.python("python3.12", "3.9", is_old=True)
    clone.python("python3", "3.14")
    assert clone.make("check").returncode == 0
    assert clone.calls()[0] == "python3 -m venv --clear .venv"


# Versions


def test_the_project_has_the_version_of_the_manifest():
    assert project()["version"] == course.load().version


@pytest.mark.parametrize("extra", [None, "dev", "browser", "instructor", "marking", "bench"])
def test_the_pinned_versions_are_within_the_declared_ranges(extra):
    declared = project()["optional-dependencies"][extra] if extra else project()["dependencies"]
    pinned = pins(ROOT / "requirements" / f"{extra or 'student'}.txt")
    for requirement in map(Requirement, declared):
        assert requirement.specifier.contains(pinned[requirement.name])


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def pins(path):
    """Package -> exact version."""
    lines = path.read_text("utf-8").splitlines()
    return dict(line.split()[0].split("==") for line in lines if "==" in line)


# For real


@pytest.mark.slow  # makes a real .venv: about a minute, and needs a package registry
def test_make_check_on_a_fresh_clone_sets_up_once_and_shows_the_board(tmp_path):
    clone = tmp_path / "fresh clone"
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for file in filter(None, tracked.stdout.decode().split("\0")):
        (clone / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, clone / file)
    skip_where_no_registry_answers(tmp_path)
    first, second = make_check(clone), make_check(clone)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert first.stdout.startswith("Setting up (once, about a minute)...\n")
    assert "Setting up" not in second.stdout
    assert "ex01" in second.stdout


def make_check(folder):
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", "check"], cwd=folder, env=env, capture_output=True, encoding="utf-8", timeout=600
    )


def skip_where_no_registry_answers(folder):
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder]
    done = subprocess.run([*command, "mdurl==0.1.2"], capture_output=True, encoding="utf-8")
    if done.returncode != 0:
        pytest.skip(f"no package registry answers: {done.stderr.strip().splitlines()[-1]}")
