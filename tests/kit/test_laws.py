"""Laws of the suites: nothing trivial earns a point, and no answer hides in what students see."""

import ast
import re
import shutil

import pytest

from grader import course as courses
from grader import results, suite
from grader.assembly import Target
from grader.course import ROOT
from grader.results import PASSED

COURSE = courses.load()
SUITES = (ROOT / "tests" / "visible", ROOT / "tests" / "hidden")
TRIVIAL = {
    "its argument": "return {first}",
    "None": "return None",
    "zero": "return 0",
    "one": "return 1.0",
    "zeros": "return {first} * 0",
    "a ValueError alone": "raise ValueError(repr({first}))",
}
PIECES = list(COURSE.pieces.values())


def trivial_source(piece: courses.Piece, answer: str) -> str:
    """The reference's file with every definition of the piece giving a trivial answer."""
    text = (ROOT / "solutions" / f"{piece.exercise}.py").read_text("utf-8")
    tree = ast.parse(text)
    for name, function in definitions(tree):
        if name in piece.defines:
            arguments = [a.arg for a in function.args.args if a.arg != "self"] or ["self"]
            function.body = ast.parse(f"{answer.format(first=arguments[0])}").body
    return ast.unparse(tree)


def definitions(tree: ast.Module):
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef):
                    yield f"{node.name}.{inner.name}", inner


def checked(piece: courses.Piece, answer: str, folder) -> results.PieceResult:
    for file in (ROOT / "solutions").glob("*.py"):
        shutil.copy(file, folder)
    (folder / f"{piece.exercise}.py").write_text(trivial_source(piece, answer), "utf-8")
    options = suite.Options(tests=SUITES, in_process=True, alone=True, mutants=None)
    [exercise] = suite.check(COURSE, Target.read(folder, COURSE), (piece,), options).exercises
    return exercise.pieces[0]


def cases():
    """One trivial answer for each piece, another from piece to piece; the rest is slow."""
    answers = list(TRIVIAL.items())
    for number, piece in enumerate(PIECES):
        for turn, (name, answer) in enumerate(answers):
            marks = () if turn == number % len(answers) else pytest.mark.slow
            yield pytest.param(piece, answer, marks=marks, id=f"{piece.id} gives {name}")


@pytest.mark.parametrize(("piece", "answer"), list(cases()))
def test_a_trivial_answer_earns_nothing(tmp_path, piece, answer):
    result = checked(piece, answer, tmp_path)
    assert result.earned == 0.0
    if answer == TRIVIAL["a ValueError alone"]:
        assert [test.name for test in result.tests if test.status == PASSED] == []


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.id)
def test_every_piece_has_a_core_in_the_visible_suite(piece):
    text = (SUITES[0] / f"test_{piece.exercise}.py").read_text("utf-8")
    assert re.search(rf'@piece\(\s*"{piece.name}",[^)]*core=True', text)


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: piece.id)
def test_every_piece_has_a_ladder_of_three_hints(piece):
    assert len(piece.hints) == 3
    assert all(hint.strip() for hint in piece.hints)


def test_every_definition_of_the_manifest_exists():
    for piece in PIECES:
        tree = ast.parse((ROOT / "solutions" / f"{piece.exercise}.py").read_text("utf-8"))
        assert set(piece.defines) <= {name for name, _ in definitions(tree)}, piece.id


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
