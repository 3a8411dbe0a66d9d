"""data/ holds what it says, and its scripts refuse what they must."""

import hashlib
import json
import os
import re
import subprocess
import sys
from io import StringIO

import pytest

from grader.course import ROOT

DATA = ROOT / "data"
NAMES = (DATA / "first_names.txt").read_text("utf-8").splitlines()


@pytest.fixture
def rebuild(monkeypatch):
    """The script data/rebuild_first_names.py as a module."""
    monkeypatch.syspath_prepend(DATA)
    import rebuild_first_names

    return rebuild_first_names


def sums():
    lines = (DATA / "SHA256SUMS").read_text("utf-8").splitlines()
    return {name: found for found, name in (line.split() for line in lines)}


@pytest.mark.parametrize("name", ["first_names.txt", "microgpt_reference.json"])
def test_the_checksum_is_right(name):
    assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == sums()[name]


def test_the_names_are_as_the_readme_describes_them():
    assert len(NAMES) == 35_576
    assert all(re.fullmatch("[a-z]{2,15}", name) for name in NAMES)
    assert sorted(set(NAMES)) == NAMES


def test_the_reference_holds_a_thousand_losses_and_twenty_samples():
    reference = json.loads((DATA / "microgpt_reference.json").read_text("utf-8"))
    assert (len(reference["losses"]), len(reference["samples"])) == (1000, 20)
    assert sum(reference["losses"][-100:]) / 100 == pytest.approx(2.375, abs=5e-4)


def test_names_are_counted_over_years_and_sexes(rebuild):
    table = StringIO("first_name,sex,count,year_of_birth\nkim,f,60,1950\nkim,m,40,1951\n")
    assert rebuild.babies_by_name(table) == {"kim": 100}


def test_rare_placeholder_and_strange_names_are_left_out(rebuild):
    counts = {"zoe": 100, "rare": 99, "baby": 5000, "x": 900, "o'neil": 800, "abe": 200}
    assert rebuild.chosen(counts) == ["abe", "zoe"]


def test_the_script_knows_the_sum_that_is_published(rebuild):
    assert rebuild.expected_sum() == sums()["first_names.txt"]


@pytest.mark.parametrize("script", ["rebuild_first_names.py", "fetch_shakespeare.py"])
def test_without_a_connection_a_script_says_so_and_changes_nothing(script):
    before = {path.name: path.stat().st_mtime_ns for path in DATA.glob("*.txt")}
    offline = os.environ | {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    offline = {name: value for name, value in offline.items() if name != "PIP_FIND_LINKS"}
    run = subprocess.run(
        [sys.executable, str(DATA / script)], env=offline, capture_output=True, text=True
    )
    assert run.returncode == 1
    assert "needs pip and a connection" in run.stderr
    assert "Traceback" not in run.stderr
    assert {path.name: path.stat().st_mtime_ns for path in DATA.glob("*.txt")} == before
