"""One file of all pieces: it stands alone, and it learns."""

import re
import subprocess
import sys
from dataclasses import replace

import pytest
import untaken

from grader import course as courses
from grader.assemble import AssembleError, assemble
from grader.assembly import Target
from grader.course import ROOT
from grader.stubs import generate

COURSE = courses.load()
NAMES = ["anna", "bob", "cara", "dan", "eva", "finn", "gina", "hugo"]


def run(tmp_path, text: str, steps: int, *flags: str) -> str:
    (tmp_path / "gpt.py").write_text(text, "utf-8")
    (tmp_path / "names.txt").write_text("\n".join(NAMES), "utf-8")
    command = [sys.executable, *flags, "gpt.py", "names.txt", str(steps)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_array_model_in_one_file_learns_by_itself(tmp_path):
    text = assemble(Target.read(ROOT / "solutions", COURSE), COURSE, "gpt.py")
    losses = [float(text) for text in re.findall(r"loss ([\d.]+)", run(tmp_path, text, 60))]
    assert len(losses) == 60
    assert losses[-1] < losses[0] - 0.5


def test_the_scalar_model_in_one_file_needs_no_package_and_at_most_200_lines(tmp_path):
    text = assemble(Target.read(ROOT / "solutions", COURSE), COURSE, "gpt.py", scalar=True)
    assert len(text.splitlines()) <= 200
    assert "loss" in run(tmp_path, text, 2, "-S")  # -S: no site-packages, so no numpy


def test_a_stub_is_named_with_its_line():
    with pytest.raises(AssembleError, match=r"ex\d\d_\w+\.py:\d+: .*not written yet"):
        assemble(stubs(), COURSE, "gpt.py")


def test_a_challenge_that_nobody_took_is_left_out(tmp_path):
    text = assemble(untaken.target(), COURSE, "gpt.py")
    assert "def decode_step" not in text
    assert "loss" in run(tmp_path, text, 2)


def stubs() -> Target:
    target = Target.read(ROOT / "solutions", COURSE)
    files = {
        id: replace(source, text=generate(source.text, source.path.name))
        for id, source in target.files.items()
    }
    return replace(target, files=files)
