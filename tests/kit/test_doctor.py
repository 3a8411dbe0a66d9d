"""doctor: one screen that says what is wrong with a set-up, and never falls over it."""

import errno
import io
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader import doctor
from grader.course import ROOT
from grader.doctor import BROKEN, LOOK, OK, Finding, Setup


@pytest.fixture
def clone(tmp_path):
    """The files that doctor reads, as in a fresh clone."""
    for folder in ("exercises", "requirements"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__*"))
    return tmp_path


class Screen(io.StringIO):
    """A terminal of that encoding."""

    def __init__(self, encoding="utf-8", is_terminal=True):
        super().__init__()
        self.is_terminal, self._encoding = is_terminal, encoding

    encoding = property(lambda self: self._encoding)

    def isatty(self):
        return self.is_terminal


def found(check, root=ROOT, environment=(), screen=None):
    """What one check finds, as (state, fact, advice)."""
    setup = Setup(root, dict(environment), screen or Screen())
    return [(f.state, f.fact, f.advice) for f in doctor.guarded("it", check, setup)]


def state(check, *args, **kwargs):
    return [state for state, _, _ in found(check, *args, **kwargs)]


# the screen


def test_one_screen_holds_it_all_and_the_exit_status_says_whether_something_is_broken():
    done = run_doctor()
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(lines) <= 24
    assert [line.split()[1] for line in lines if line.startswith(("ok", "look"))] == [
        *("Python", "venv", "packages", "course", "files", "terminal"),
        *("clock", "disk", "rights", "worker", "make"),
    ]


def run_doctor(*options, setup="", **environment):
    """The command in a Python of its own, in which `setup` has been run before."""
    code = f"import sys; {setup}\nfrom grader.cli import main\nsys.exit(main(['doctor']))"
    return subprocess.run(
        [sys.executable, *options, "-c", code],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


def test_each_finding_is_a_plain_line_with_what_to_do_below_it():
    findings = [Finding(OK, "make", "/usr/bin/make"), Finding(BROKEN, "disk", "full", "make room")]
    assert doctor.render(findings, "utf-8") == (
        "ok      make      /usr/bin/make\n"
        "broken  disk      full\n"
        "                  make room\n"
        "\n"
        "1 broken, 0 to look at\n"
    )


def test_nothing_in_a_path_can_steer_or_stop_the_terminal():
    said = doctor.render([Finding(OK, "make", "/tmp/\x1b[31m\x00é\ud800")], "ascii")
    assert said.startswith("ok      make      /tmp/?[31m?\\xe9\\ud800\n")


def test_a_broken_set_up_ends_with_1():
    done = run_doctor(setup="sys.modules['numpy'] = None")
    assert done.returncode == 1
    assert "broken  worker    cannot start: " in done.stdout
    assert done.stderr == ""


def test_it_runs_on_a_python_that_has_none_of_the_packages():
    done = run_doctor("-S", "-I", setup=f"sys.path.insert(0, {str(ROOT)!r})")
    assert done.returncode == 1
    assert (
        "broken  packages  not installed: numpy, pytest, rich, merge3, polib, plotille\n"
        in done.stdout
    )
    assert done.stderr == ""


@pytest.mark.parametrize("name", doctor.CHECKS)
def test_a_check_that_fails_as_nobody_thought_of_is_a_finding_and_the_rest_goes_on(
    name, monkeypatch
):
    def explode(setup):
        raise RuntimeError("boom")

    calm = {each: lambda setup: [Finding(OK, "it", "fine")] for each in doctor.CHECKS}
    monkeypatch.setattr(doctor, "CHECKS", calm | {name: explode})
    findings = doctor.examine(ROOT)
    assert len(findings) == len(calm)
    [broken] = [finding for finding in findings if finding.state != OK]
    assert (broken.thing, broken.fact) == (name, "could not be looked at: RuntimeError: boom")


def test_no_check_breaks_on_a_folder_that_is_not_there(tmp_path):
    for name, check in doctor.CHECKS.items():
        assert doctor.guarded(name, check, Setup(tmp_path / "gone", {}, Screen()))


# each check


def test_an_old_python_is_broken_and_told_where_a_new_one_is(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    [(state, fact, advice)] = found(doctor.python)
    assert (state, fact) == (BROKEN, "3.9.2; the course needs 3.11 or later")
    assert "python.org/downloads" in advice


def test_an_old_python_is_told_so_before_anything_else_is_imported():
    code = "import runpy, sys; sys.version_info = (3, 9); runpy.run_module('grader')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.startswith("Glass Box needs Python 3.11 or later; this is ")


def test_the_venv_is_this_folder_s_another_one_missing_or_hollow(clone, monkeypatch):
    assert found(doctor.venv, clone) == [
        (LOOK, "there is no .venv here yet", "make it: make setup")
    ]
    (clone / ".venv").mkdir()
    assert state(doctor.venv, clone) == [BROKEN]
    python = clone / ".venv" / "bin" / "python"
    python.parent.mkdir()
    python.symlink_to("/no/such/python")
    assert state(doctor.venv, clone) == [BROKEN]
    python.unlink()
    python.touch()
    [(first, fact, advice)] = found(doctor.venv, clone)
    assert first == LOOK and "not .venv" in fact and advice.endswith("-m grader doctor")
    monkeypatch.setattr(sys, "prefix", str(clone / ".venv"))
    assert found(doctor.venv, clone) == [(OK, ".venv of this folder", "")]


def test_other_versions_than_the_tested_ones_are_named_and_missing_ones_are_broken(
    clone, monkeypatch
):
    versions = {"numpy": "2.3.1", "pytest": None}
    installed = doctor.installed
    monkeypatch.setattr(doctor, "installed", lambda name: versions.get(name, installed(name)))
    pin = doctor.pins(ROOT)["numpy"]
    assert [(s, fact) for s, fact, _ in found(doctor.packages)] == [
        (BROKEN, "not installed: pytest"),
        (LOOK, f"numpy 2.3.1 (tested with {pin})"),
    ]


def test_a_damaged_manifest_is_broken(clone):
    (clone / "exercises" / "manifest.toml").write_text("title = [", "utf-8")
    [(state, fact, _)] = found(doctor.course, clone)
    assert state == BROKEN and "manifest.toml" in fact


def test_a_file_that_is_not_utf8_is_named_with_its_line_and_the_way_back(clone):
    file = clone / "exercises" / "ex05_norm.py"
    file.write_bytes("# one\n# é\n".encode("latin-1"))
    [(state, fact, advice)] = found(doctor.exercises, clone)
    assert state == BROKEN
    assert fact.startswith("exercises/ex05_norm.py:2: byte 8 is not UTF-8")
    assert advice.endswith("undo ex05_norm")


def test_a_missing_file_is_to_be_looked_at_and_can_be_brought_back(clone):
    (clone / "exercises" / "ex05_norm.py").unlink()
    [(state, fact, advice)] = found(doctor.exercises, clone)
    assert (state, fact) == (LOOK, "there is no file exercises/ex05_norm.py")
    assert advice.endswith("reset ex05_norm")


@pytest.mark.parametrize(
    ("screen", "environment", "columns", "states", "words"),
    [
        (Screen(), {}, 80, [OK], "80 columns, colours, utf-8"),
        (Screen(), {"NO_COLOR": "1"}, 80, [OK], "no colours"),
        (Screen(), {"TERM": "dumb"}, 80, [OK], "no colours"),
        (Screen(), {}, 40, [LOOK, OK], "40 columns"),
        (Screen("cp1252"), {}, 80, [LOOK, OK], "cp1252"),
        (Screen(is_terminal=False), {}, 40, [OK], "plain text"),
    ],
)
def test_the_terminal_is_told_by_width_colours_and_encoding(
    screen, environment, columns, states, words, monkeypatch
):
    size = os.terminal_size((columns, 24))
    monkeypatch.setattr(doctor.shutil, "get_terminal_size", lambda: size)
    findings = found(doctor.terminal, ROOT, environment, screen)
    assert [state for state, _, _ in findings] == states
    assert words in findings[-1][1]


def test_a_file_from_the_future_and_a_clock_from_the_past_are_seen(clone, monkeypatch):
    assert state(doctor.clock, clone) == [OK]
    later = time.time() + 3 * 3600 + 60
    os.utime(clone / "exercises" / "ex05_norm.py", (later, later))
    assert found(doctor.clock, clone)[0][:2] == (
        LOOK,
        "ex05_norm.py is dated 3 hours in the future",
    )
    monkeypatch.setattr(doctor.time, "time", lambda: 0.0)
    assert state(doctor.clock, clone) == [LOOK]


@pytest.mark.parametrize(
    ("free", "states"), [(2**40, [OK]), (2**28, [LOOK, LOOK]), (2**20, [BROKEN, BROKEN])]
)
def test_a_full_disk_is_broken_and_a_nearly_full_one_to_be_looked_at(free, states, monkeypatch):
    usage = shutil._ntuple_diskusage(2**41, 0, free)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    assert state(doctor.disk) == states


def test_what_cannot_be_written_is_broken(clone, monkeypatch):
    assert state(doctor.permissions, clone) == [OK]

    def refuse(dir):
        raise PermissionError(errno.EACCES, "Permission denied", str(dir))

    monkeypatch.setattr(doctor.tempfile, "TemporaryFile", refuse)
    denied = found(doctor.permissions, clone)
    assert [state for state, _, _ in denied] == [BROKEN, BROKEN]
    assert "Permission denied" in denied[0][1]


def test_a_locked_exercise_file_is_broken(clone, monkeypatch):
    locked = clone / "exercises" / "ex05_norm.py"
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: Path(path) != locked)
    assert [fact for _, fact, _ in found(doctor.permissions, clone)] == [
        f"{locked} cannot be written"
    ]


def test_looking_leaves_nothing_behind(clone):
    before = sorted(clone.rglob("*"))
    doctor.examine(clone)
    assert sorted(clone.rglob("*")) == before


def test_a_worker_that_dies_is_broken_with_its_last_words(monkeypatch):
    monkeypatch.setattr("grader.worker.BOOT", "import sys; sys.exit('no module named blas')")
    [(state, fact, _)] = found(doctor.worker)
    assert state == BROKEN
    assert fact.startswith("does not answer: ")


def test_without_make_the_command_alone_is_shown(monkeypatch):
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    [(state, fact, advice)] = found(doctor.make)
    assert (state, fact) == (LOOK, "is not installed")
    assert advice.endswith("python -m grader check")
