"""Hidden tests ask nothing that the stub's text does not promise."""

import ast
import tomllib
from collections import Counter

import pytest

from grader import course as courses
from grader import stubs
from grader.course import ROOT

COURSE = courses.load()
RESTS_ON = tomllib.loads((ROOT / "tests" / "hidden" / "rests_on.toml").read_text("utf-8"))


def test_every_exercise_is_there():
    assert list(RESTS_ON) == [exercise.id for exercise in COURSE.exercises]


@pytest.mark.parametrize("exercise", COURSE.exercises, ids=lambda exercise: exercise.short)
def test_every_hidden_test_rests_on_one_sentence(exercise):
    tree = ast.parse((ROOT / "tests" / "hidden" / f"test_{exercise.id}.py").read_text("utf-8"))
    tests = [node.name for node in tree.body if getattr(node, "name", "").startswith("test_")]
    resting = Counter(test for tests in RESTS_ON[exercise.id].values() for test in tests)
    assert resting == Counter(tests)


@pytest.mark.parametrize("exercise", COURSE.exercises, ids=lambda exercise: exercise.short)
def test_every_sentence_stands_in_the_stub(exercise):
    solution = (ROOT / "solutions" / exercise.file).read_text("utf-8")
    stub = " ".join(stubs.generate(solution, exercise.file).replace(" # ", " ").split())
    missing = [s for s in RESTS_ON[exercise.id] if " ".join(s.split()) not in stub]
    assert missing == []
