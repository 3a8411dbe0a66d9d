"""Laws of the suites: nothing trivial earns a point, and no answer hides in what students see."""

import ast
import re

import pytest

from grader import course as courses
from grader import trivial, validate
from grader.course import ROOT
from grader.results import PASSED

COURSE = courses.load()
SUITES = (ROOT / "tests" / "visible", ROOT / "tests" / "hidden")
PIECES = list(COURSE.pieces.values())


def cases():
    """One trivial answer for each piece, another from piece to piece; the rest is slow."""
    answers = list(trivial.ANSWERS.items())
    for number, piece in enumerate(PIECES):
        for turn, (name, answer) in enumerate(answers):
            marks = () if turn == number % len(answers) else pytest.mark.slow
            yield pytest.param(piece, answer, marks=marks, id=f"{piece.id} gives {name}")


@pytest.mark.parametrize(("piece", "answer"), list(cases()))
def test_a_trivial_answer_earns_nothing(piece, answer):
    result = trivial.result(COURSE, piece, answer, SUITES, in_process=True)
    assert result.earned == 0.0
    if answer == trivial.ANSWERS["a ValueError alone"]:
        assert [test.name for test in result.tests if test.status == PASSED] == []


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.id)
def test_every_piece_has_a_core_in_the_visible_suite(piece):
    text = (SUITES[0] / f"test_{piece.exercise}.py").read_text("utf-8")
    assert validate.has_core(text, piece)


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.id)
def test_every_piece_has_a_ladder_of_three_hints(piece):
    assert len(piece.hints) == 3
    assert all(hint.strip() for hint in piece.hints)


def test_every_definition_of_the_manifest_exists():
    for piece in PIECES:
        tree = ast.parse((ROOT / "solutions" / f"{piece.exercise}.py").read_text("utf-8"))
        assert set(piece.defines) <= {name for name, _ in trivial.definitions(tree)}, piece.id


def test_the_points_are_microgpts_200_lines():
    assert COURSE.points == 200
    each = [exercise.points for exercise in COURSE.exercises]
    assert each == [10, 24, 36, 28, 16, 30, 20, 12, 12, 12]


def test_no_stub_holds_a_line_of_its_answer():
    for exercise in COURSE.exercises:
        text = (ROOT / "solutions" / exercise.file).read_text("utf-8")
        regions = re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", text, re.S)
        answers = {line.strip() for region in regions for line in region.splitlines()}
        given = {line.strip() for line in re.sub(r"(?s)### BEGIN.*?### END", "", text).splitlines()}
        stub = (ROOT / "exercises" / exercise.file).read_text("utf-8").splitlines()
        leaked = {line.strip() for line in stub} & {a for a in answers - given if len(a) > 20}
        assert leaked == set(), exercise.file


def test_the_map_tells_the_minutes_of_the_manifest():
    text = (ROOT / "exercises" / "README.md").read_text("utf-8")
    told = re.findall(r"^\| `(ex\d\d_\w+)` \| (\d+) \| (\d) ", text, re.M)
    assert told == [(e.id, str(e.minutes), str(e.difficulty)) for e in COURSE.exercises]
