"""The ladder of hints, a rung at a time, and the solution at its end."""

import ast
import json
from dataclasses import replace

import pytest

from grader import course as courses
from grader import hints
from grader.progress import Progress
from grader.results import FAILED, PASSED, TODO, ExerciseResult, PieceResult, Result, TestResult

COURSE = courses.load()
LAYERNORM = replace(
    COURSE.pieces["ex05.layernorm"],
    hints=(
        "What are the mean and the variance of [1, 3]?",
        "Take the mean away, then divide by the root of the variance; it is the biased one, "
        "divided by C.",
        "centred = x - x.mean(axis=-1, keepdims=True)\nreturn gain * centred / ... + bias",
    ),
)
LIKELY = "you divided by C - 1; layer norm uses the biased variance (divide by C)"


def so_far(status=FAILED, likely=None, rungs=0, piece="ex05.layernorm") -> Progress:
    """Everything passes but one piece, of which so many rungs were shown."""
    exercises = []
    for exercise in COURSE.exercises:
        pieces = []
        for each in exercise.pieces:
            mine = each.id == piece
            test = TestResult("test_it", "visible", status if mine else PASSED)
            test = replace(test, diagnosis=likely if mine else None)
            pieces.append(PieceResult.score(each.name, each.points, [test]))
        exercises.append(ExerciseResult(exercise.id, exercise.title, tuple(pieces)))
    result = Result("exercises", ("visible",), tuple(exercises))
    return Progress(result, {piece: 0.0}, frozenset(), {piece: rungs}, frozenset())


def test_the_ladder_is_climbed_a_rung_at_a_time():
    for rungs, word in enumerate(("What are", "Take the mean", "centred =")):
        hint = hints.next_hint(LAYERNORM, so_far(rungs=rungs))
        assert (hint.rung, hint.again) == (rungs + 1, False)
        assert hint.text.startswith(word)
        assert hint.lines()[0] == f"ex05.layernorm, hint {rungs + 1} of 3"


def test_after_the_last_rung_it_says_so_and_that_there_is_a_solution():
    last = hints.next_hint(LAYERNORM, so_far(rungs=2)).lines()[-1]
    show = "python -m grader show ex05.layernorm --give-up"
    assert last == f"this is the last hint; the solution: {show}"
    again = hints.next_hint(LAYERNORM, so_far(rungs=3))
    assert again.rung == 3
    assert again.lines()[-1] == f"that was all; the solution: {show}"
    passed = hints.next_hint(LAYERNORM, so_far(PASSED, rungs=3))
    assert passed.lines()[-1] == "that was all; the solution: python -m grader show ex05.layernorm"


def test_a_copy_without_solutions_promises_none(tmp_path):
    last = hints.next_hint(LAYERNORM, so_far(rungs=2), solutions=tmp_path)
    assert last.lines()[-1] == "this is the last hint; this copy of the course has no solutions"


def test_before_the_last_rung_it_says_how_to_get_the_next():
    said = hints.next_hint(LAYERNORM, so_far()).lines()
    assert said[-1] == "one more: python -m grader hint ex05.layernorm --more"


def test_a_named_mistake_comes_first_and_then_the_rung_that_fits_it():
    hint = hints.next_hint(LAYERNORM, so_far(likely=LIKELY))
    assert hint.lines()[1] == f"likely: {LIKELY}"
    assert hint.rung == 2


def test_a_mistake_that_fits_no_rung_leaves_the_order():
    hint = hints.next_hint(LAYERNORM, so_far(likely="you forgot to return"))
    assert (hint.rung, hint.likely) == (1, "you forgot to return")


def test_asking_for_more_goes_on_whatever_was_named():
    hint = hints.next_hint(LAYERNORM, so_far(likely=LIKELY, rungs=2), more=True)
    assert (hint.rung, hint.likely) == (3, None)


def test_a_rung_that_fits_is_not_offered_twice():
    assert hints.next_hint(LAYERNORM, so_far(likely=LIKELY, rungs=2)).rung == 3


@pytest.mark.parametrize("rungs", [0, 7])
def test_a_piece_without_hints_says_so(rungs):
    piece = replace(LAYERNORM, hints=())
    said = "\n".join(hints.next_hint(piece, so_far(likely=LIKELY, rungs=rungs)).lines())
    assert "no hints yet" in said
    assert LIKELY in said
    assert "show ex05.layernorm --give-up" in said


def test_prose_is_folded_and_code_stays_as_it_is():
    prose = replace(LAYERNORM, hints=("word " * 50,))
    lines = hints.next_hint(prose, so_far()).lines(width=60)
    assert all(len(line) <= 60 for line in lines[:-1])
    code = "y = " + "x + " * 30 + "1\nreturn y"
    lines = hints.next_hint(replace(LAYERNORM, hints=(code,)), so_far()).lines(width=60)
    assert lines[2:4] == [f"  {line}" for line in code.split("\n")]


def test_every_rung_of_the_course_can_be_shown():
    for piece in COURSE.pieces.values():
        for rungs in range(len(piece.hints)):
            hint = hints.next_hint(piece, so_far(TODO, rungs=rungs, piece=piece.id))
            assert hint.rung == rungs + 1
            assert all(word in "\n".join(hint.lines()) for word in hint.text.split())


# the solution


@pytest.mark.parametrize("piece", COURSE.pieces.values(), ids=lambda piece: piece.id)
def test_the_solution_of_a_piece_is_its_definitions_and_no_more(piece):
    shown = hints.solution(piece, so_far(PASSED), give_up=False)
    text = "\n".join(shown)
    tree = ast.parse(text)
    found = [
        f"{node.name}.{inner.name}" if isinstance(node, ast.ClassDef) else node.name
        for node in tree.body
        for inner in (node.body if isinstance(node, ast.ClassDef) else [node])
    ]
    assert found
    for name in found:
        assert any(name == define or name.startswith(f"{define}.") for define in piece.defines)
    assert all(any(n == d or n.startswith(f"{d}.") for n in found) for d in piece.defines)
    assert "SOLUTION" not in text
    assert "TODO" not in text
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert not any(ast.get_docstring(node) for node in functions)


def test_the_solution_is_shown_only_after_the_piece_passes():
    with pytest.raises(hints.NoSolution, match=r"does not pass yet.*--give-up"):
        hints.solution(LAYERNORM, so_far(FAILED), give_up=False)
    assert hints.solution(LAYERNORM, so_far(FAILED), give_up=True)


def test_of_a_piece_that_was_never_checked_it_says_so():
    never = replace(so_far(FAILED), checked={})
    with pytest.raises(hints.NoSolution, match=r"has not been checked yet: .* --give-up") as said:
        hints.solution(LAYERNORM, never, give_up=False)
    assert "python -m grader check ex05.layernorm;" in str(said.value)
    assert hints.solution(LAYERNORM, never, give_up=True)


def test_a_copy_without_solutions_says_so(tmp_path):
    with pytest.raises(hints.NoSolution, match="this copy of the course has no solutions"):
        hints.solution(LAYERNORM, so_far(FAILED), give_up=False, solutions=tmp_path)


# the commands


@pytest.fixture
def ladder(copy):
    """A copy of the course whose first piece has a ladder of two rungs."""
    manifest = copy.exercises / "manifest.toml"
    lines = manifest.read_text("utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("hints ="))
    end = next(i for i, line in enumerate(lines[start:], start) if line.endswith("]"))
    lines[start : end + 1] = [f"hints = {json.dumps(['first rung', 'second rung'])}"]
    manifest.write_text("\n".join(lines), "utf-8")
    return copy


def test_the_hint_without_a_name_is_for_the_next_step_and_is_remembered(ladder):
    first = ladder.grader("hint").stdout
    assert "ex01.vocabulary, hint 1 of 2\n\n  first rung\n" in first
    assert "second rung" in ladder.grader("hint", "--more").stdout
    assert "that was all" in ladder.grader("hint", "vocabulary").stdout


def test_when_everything_passes_there_is_nothing_to_hint_at(copy):
    from grader import progress
    from grader.assembly import Target

    target = Target.read(copy.exercises, COURSE)
    state = copy.root / ".glassbox" / "state.json"
    result = so_far(PASSED).result
    progress.record(result, target, COURSE, state)
    assert "nothing to hint at" in copy.grader("hint").stdout


def test_giving_up_is_noted_and_told_by_status(copy):
    refused = copy.grader("show", "encode")
    assert (refused.returncode, refused.stdout) == (2, "")
    shown = copy.grader("show", "encode", "--give-up")
    assert shown.returncode == 0
    assert "class CharTokenizer:\n    def encode(self, doc):" in shown.stdout
    assert "shown: the solution of ex01.encode, before it passed" in copy.grader("status").stdout


def test_after_passing_the_solution_is_shown_and_nothing_is_noted(copy):
    copy.solve("ex01_tokenizer")
    copy.grader("check", "ex01")
    assert "def encode" in copy.grader("show", "encode").stdout
    assert "the solution of" not in copy.grader("status").stdout


def test_a_hint_for_a_mistake_that_a_check_has_named_begins_with_it(copy):
    copy.solve("ex01_tokenizer", 'sorted(set("".join(docs)))', 'sorted("".join(docs))')
    check = json.loads(copy.grader("check", "vocabulary", "--format", "json").stdout)
    named = [t["diagnosis"] for t in check["exercises"][0]["pieces"][0]["tests"]]
    likely = next(name for name in named if name)
    assert f"likely: {likely}" in copy.grader("hint", "vocabulary").stdout
