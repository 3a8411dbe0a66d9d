"""The measure of the suites: on a course of our own with every kind of flaw, and on the real."""

import ast
import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest
from rich.console import Console

from grader import automatic, diagnosis, mutation, trials
from grader import course as courses
from grader.course import ROOT
from grader.language import counted
from grader.reports import matrix as reports
from grader.variants import MutationError, Setting, Variant, registered

COURSE = courses.load()
REAL = Setting(COURSE)

MANIFEST = """
title = "Tiny"
version = "1"
[limits]
import = 5.0
call = 2.0
exercise = 10.0
[[exercise]]
id = "ex01_half"
title = "Half"
goal = "Halve."
minutes = 1
difficulty = 1
part = "tokenizer"
[[exercise.piece]]
name = "opposite"
points = 1
defines = ["opposite"]
needs = []
hints = []
[[exercise.piece]]
name = "half"
points = 1
defines = ["half"]
needs = []
hints = []
[[exercise.piece]]
name = "quarter"
points = 1
defines = ["quarter"]
needs = ["half"]
hints = []
"""
SOLUTION = """
def opposite(x):
    ### BEGIN SOLUTION
    return -x
    ### END SOLUTION


def half(x):
    ### BEGIN SOLUTION
    return x / 2
    ### END SOLUTION


def quarter(x):
    ### BEGIN SOLUTION
    return half(half(x))
    ### END SOLUTION


def given(x):
    return x + 1
"""
VISIBLE = """
import pytest

@pytest.mark.piece("opposite")
def test_opposite_of_four(student):
    assert student.opposite(4.0) == -4.0

@pytest.mark.piece("half", core=True)
def test_half_of_four(student):
    assert student.half(4.0) == 2.0

@pytest.mark.piece("quarter")
def test_quarter_of_four(student):
    assert student.quarter(4.0) == 1.0
"""
HIDDEN = """
import pytest

@pytest.mark.piece("opposite")
def test_opposite_of_three(student):
    "Odd numbers have opposites."
    assert student.opposite(3.0) == pytest.approx(-3.0)

@pytest.mark.piece("half")
def test_half_of_three(student):
    "Odd numbers have halves, too."
    assert student.half(3.0) == pytest.approx(1.5)

@pytest.mark.piece("quarter")
def test_quarter_of_three(student):
    "So do halves of odd numbers."
    assert student.quarter(3.0) == pytest.approx(0.75)
"""
MUTANTS = """
import os
import time
from grader.diagnosis import mutant

@mutant("ex01_half", "half", says="you doubled")
def doubled(x):
    return x * 2

@mutant("ex01_half", "half", says="you added it to itself")
def added(x):
    return x + x

@mutant("ex01_half", "half", says="you tripled")
def tripled(x):
    return x * 3

@mutant("ex01_half", "half", says="you halved even numbers alone")
def even_alone(x):
    return x / 2 if x % 2 == 0 else x

@mutant("ex01_half", "half", says="you halved small numbers alone")
def small_alone(x):
    return x / 2 if x < 100 else x

@mutant("ex01_half", "opposite", says="you never come back")
def endless(x):
    while True:
        pass

@mutant("ex01_half", "opposite", says="you end Python")
def exits(x):
    os._exit(0)

@mutant("ex01_half", "quarter", says="you halved once")
def once(x):
    return half(x)
"""
ALTERNATIVES = """
from grader.diagnosis import alternative

@alternative("ex01_half", "half", style="a product")
def product(x):
    return x * 0.5

@alternative("ex01_half", "quarter", style="in one go")
def at_once(x):
    return x / 4

@alternative("ex01_half", "half", style="not right, really")
def floored(x):
    return x // 2
"""
STEEPER = "has 1.001 times its gradients"
EQUIVALENT = f"""
[[equivalent]]
in = ["ex01_half.half"]
becomes = ["{STEEPER}", "return (x * 2)", "gone"]
reason = "a float has no gradient; the others are wrong: one is killed, one no change at all"
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Setting:
    """A course of two pieces, with variants of every kind."""
    folder = tmp_path_factory.mktemp("tiny")
    files = {
        "manifest.toml": MANIFEST,
        "solutions/ex01_half.py": SOLUTION,
        "tests/visible/test_ex01_half.py": VISIBLE,
        "tests/hidden/test_ex01_half.py": HIDDEN,
        "tests/mutants/ex01_half.py": MUTANTS,
        "tests/mutants/equivalent.toml": EQUIVALENT,
        "tests/alternatives/ex01_half.py": ALTERNATIVES,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    course = courses.load(folder / "manifest.toml")
    return Setting(course, folder / "solutions", folder / "tests", seconds=2.0)


@pytest.fixture(scope="module")
def matrix(tiny) -> mutation.Matrix:
    return mutation.measure(tiny, tiny.course.select([]), with_automatic=True)


@pytest.fixture(scope="module")
def rows(matrix) -> dict[str, dict[str, trials.Row]]:
    return {v.variant.id: v.rows for v in (*matrix.mutants, *matrix.alternatives)}


def ids(verdicts) -> list[str]:
    return [verdict.variant.id for verdict in verdicts]


# wrong answers


def test_a_mutant_is_killed_by_the_tests_that_see_it(rows):
    assert rows["ex01.doubled"]["visible"].failing == ("test_half_of_four",)
    assert rows["ex01.doubled"]["hidden"].failing == ("test_half_of_three",)


def test_a_mutant_that_a_suite_misses_is_a_survivor(matrix):
    assert ids(matrix.survivors("visible")) == ["ex01.even_alone", "ex01.small_alone"]
    assert ids(matrix.survivors("hidden")) == ["ex01.small_alone"]
    assert matrix.rate("hidden") == 7 / 8


def test_a_piece_that_needs_the_changed_one_sees_it_where_its_own_tests_do_not(tiny):
    late = Variant(
        "late", "ex01_half", "half", "", text=SOLUTION.replace("x / 2", "x / (2 + (x == 1.5))")
    )
    [verdict] = trials.judge(tiny, [late])
    assert verdict.rows["hidden"].failing == ("test_quarter_of_three",)


def test_a_change_is_not_tried_on_pieces_that_do_not_need_it(rows):
    assert rows["ex01.once"]["visible"].failing == ("test_quarter_of_four",)
    assert rows["ex01.once"]["hidden"].failing == ("test_quarter_of_three",)


def test_what_does_not_end_is_killed_by_both_suites(rows):
    assert rows["ex01.endless"]["visible"].failing == ("no end within 2 s",)
    assert rows["ex01.endless"]["hidden"].failing == ("no end within 2 s",)


def test_what_ends_python_is_killed_by_both_suites(rows):
    assert rows["ex01.exits"]["visible"].failing == ("it ends Python itself",)
    assert rows["ex01.exits"]["hidden"].failing == ("it ends Python itself",)


def test_the_diagnosis_is_judged_with_the_kill(matrix):
    named = {v.variant.id: reports.naming(v) for v in matrix.mutants}
    assert named["ex01.tripled"] == named["ex01.once"] == "named"
    assert named["ex01.small_alone"] == named["ex01.endless"] == "not named"


def test_a_guess_at_another_mistake_is_misnamed():
    wrong = Variant("ex01.a", "ex01_half", "half", "you doubled")
    verdict = trials.Verdict(wrong, {"visible": trials.Row(("test",), ("you tripled",))})
    assert verdict.misnamed and not verdict.named


def test_mutants_with_the_same_row_and_answers_are_duplicates(matrix):
    assert matrix.duplicates == [("ex01.doubled", "ex01.added")]
    assert matrix.told_apart == len(matrix.mutants) - 1


def test_mutants_with_the_same_row_and_other_answers_are_not_duplicates(rows):
    assert rows["ex01.tripled"]["hidden"].failing == rows["ex01.doubled"]["hidden"].failing
    assert rows["ex01.tripled"]["hidden"].digest != rows["ex01.doubled"]["hidden"].digest


def test_answers_that_differ_by_rounding_have_the_same_digest(rows):
    assert rows["ex01.product"]["hidden"].digest == rows["ex01.product"]["hidden"].digest
    assert trials.rounded([1.0, 0.1 + 0.2]) == trials.rounded([1.0, 0.3])
    assert trials.rounded([1.0, 0.3001]) != trials.rounded([1.0, 0.3])


# right answers


def test_a_right_answer_in_another_style_is_accepted(rows):
    assert not any(row.failing for row in rows["ex01.product"].values())
    assert not any(row.failing for row in rows["ex01.at_once"].values())


def test_a_right_answer_that_fails_is_a_rejection(matrix, rows):
    assert ids(matrix.rejections) == ["ex01.floored"]
    assert rows["ex01.floored"]["hidden"].failing == ("test_half_of_three",)


def test_a_result_off_by_rounding_alone_must_pass(matrix):
    rounding = [v for v in matrix.automatic if v.variant.right]
    assert [v.variant.name for v in rounding] == ["opposite", "half", "quarter"]
    assert not any(v.rejected for v in rounding)
    strict = replace(rounding[0], rows={"hidden": trials.Row(("test_exactly",))})
    assert replace(matrix, alternatives=(), automatic=(strict,)).rejections == [strict]


# automatic mutants


def test_a_survivor_that_nobody_has_reviewed_is_listed(matrix):
    found = [(v.variant.id, v.variant.says) for v in matrix.unreviewed]
    assert found == [("ex01.opposite:2", STEEPER), ("ex01.quarter:14", STEEPER)]


def test_a_review_of_what_is_killed_or_gone_is_outdated(matrix):
    assert matrix.outdated == [("ex01_half.half", "return (x * 2)"), ("ex01_half.half", "gone")]


def test_a_review_without_a_reason_is_refused(tiny, tmp_path):
    (tmp_path / "mutants").mkdir()
    entry = '[[equivalent]]\nin = ["ex01_half.half"]\nbecomes = ["x"]\n'
    (tmp_path / "mutants" / "equivalent.toml").write_text(entry, "utf-8")
    with pytest.raises(MutationError, match="lacks 'reason'"):
        mutation.equivalents(replace(tiny, tests=tmp_path), tiny.course.select([]))


def test_every_slip_of_the_hand_is_tried():
    text = """
def loss(x, weight, keep=False):
    ### BEGIN SOLUTION
    if keep and len(x) >= 2:
        total = x.sum(axis=1, keepdims=True)
    else:
        total = x - weight.T
    total += 1
    return f(total, x)
    ### END SOLUTION
"""
    becomes = {change.becomes for change in automatic.changes(text)}
    assert {
        "if (keep or len(x) >= 2):",  # another connective
        "if keep and (len(x) > 2):",  # another comparison
        "if (not (keep and len(x) >= 2)):",  # a condition turned round
        "if keep and len(x) >= 3:",  # off by one
        "if weight and len(x) >= 2:",  # another argument
        "total = x.mean(axis=1, keepdims=True)",  # another function
        "total = x.sum(axis=1, keepdims=False)",
        "total = x.sum(axis=1)",  # an argument left out
        "total = (weight.T - x)",  # operands swapped
        "total = (x + weight.T)",  # another operation
        "total = x - weight",  # no transpose
        "total = 1",  # nothing added up
        "without total += 1",  # a statement left out
        "return f(x, total)",  # arguments swapped
        "gives back x",
        "gives back None",
        "gives back 1.0",
        "gives back zeros",
        "gives back 1.001 times its result",
        STEEPER,
    } <= becomes


def test_only_answers_are_changed():
    assert {change.name for change in automatic.changes(SOLUTION)} == {
        "opposite",
        "half",
        "quarter",
    }
    lines = {change.line for change in automatic.changes(SOLUTION) if "gives" not in change.becomes}
    assert lines == {2, 4, 8, 10, 14, 16}


@pytest.mark.parametrize("exercise", COURSE.exercises, ids=lambda exercise: exercise.short)
def test_every_automatic_change_of_a_solution_is_python_and_a_change(exercise):
    text = (REAL.reference / exercise.file).read_text("utf-8")
    changes = list(automatic.changes(text))
    assert len(changes) > 40
    assert len({change.text for change in changes} | {text}) == len(changes) + 1
    for change in changes:
        ast.parse(change.text)


# the reports


def test_the_suites_hold_only_without_survivors_and_rejections(matrix):
    assert matrix.shortfalls == [
        "the visible suite kills 75.0%, and must kill 80%",
        "the hidden suite kills 87.5%, and must kill 100%",
        "mutants that nothing tells apart: 1",
        "right answers rejected: 1",
        "automatic mutants surviving: 2",
        "outdated entries of equivalent.toml: 2",
    ]
    killed = tuple(v for v in matrix.mutants if v.killed("visible") and v.killed("hidden"))
    killed = tuple(v for v in killed if v.variant.id != "ex01.added")
    assert replace(matrix, mutants=killed, alternatives=(), automatic=(), reviewed={}).holds


def test_a_variant_that_breaks_a_suite_is_neither_killed_nor_passed_over(matrix):
    broken = replace(matrix.mutants[0], rows={s: trials.Row(broken="no") for s in trials.SUITES})
    lame = replace(matrix, mutants=(broken,), alternatives=(), automatic=(), reviewed={})
    assert ids(lame.survivors("hidden")) == ["ex01.doubled"]
    assert not lame.holds and lame.broken == [("ex01.doubled", "no")] * 2


def test_a_reference_that_fails_measures_nothing(tiny, tmp_path):
    (tmp_path / "ex01_half.py").write_text(SOLUTION.replace("x / 2", "x / 3"), "utf-8")
    with pytest.raises(MutationError, match="ex01_half on the reference: it fails test_half_of"):
        mutation.measure(replace(tiny, reference=tmp_path), tiny.course.select([]))


def test_all_formats_say_the_same(tiny, matrix):
    course = tiny.course
    screen = Console(file=io.StringIO(), width=200, color_system=None)
    reports.show(matrix, course, screen)
    plain, board = reports.render(matrix, course), screen.file.getvalue()
    markdown, record = reports.markdown(matrix, course), reports.to_json(matrix)
    for fact in reports.summary(matrix):
        assert fact in plain and fact in board and fact in markdown
    for title, lines in reports.amiss(matrix):
        assert record["amiss"][title] == lines
        for line in (title, *lines):
            assert all(line in form for form in (plain, board, markdown)), line
    for mutant in record["mutants"]:
        counts = [counted("{n} test", "{n} tests", len(by)) for by in mutant["killed_by"].values()]
        counts = ["survives" if count == "0 tests" else count for count in counts]
        name, (visible, hidden), named = mutant["id"], counts, mutant["diagnosis"]
        assert f"  {name}: visible {visible}, hidden {hidden}, {named}\n" in plain
        assert re.search(rf"{name} +{visible} +{hidden} +{named} ", board)
        assert f"| `{name}` | {mutant['says']} | {visible} | {hidden} |" in markdown


def test_the_table_has_a_line_for_each_exercise_and_one_for_all(tiny, matrix):
    lines = reports.markdown(matrix, tiny.course).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("| exercise |"))
    head, _, half, whole = ([c.strip() for c in x.split("|")] for x in lines[first : first + 4])
    assert half[1] == "ex01 Half" and whole[1] == "all" and half[2:] == whole[2:]
    found = dict(zip(head, half))
    assert found["named mutants"] == "8" and found["by the hidden one"] == "7"
    assert found["rejected"] == "1" and found["surviving"] == "2"
    assert reports.measures(matrix.of("ex02_value"))["named mutants"] == 0


def test_the_plain_report_names_the_tests_that_kill(tiny, matrix):
    plain = reports.render(matrix, tiny.course)
    kill = "ex01.doubled: visible 1 test, hidden 1 test, named\n    visible: test_half_of_four\n"
    assert kill in plain
    assert plain.isascii()


# the command, and the real suites


def grader(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "grader", "mutants", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120)


def test_the_command_says_in_json_what_it_found():
    done = grader("ex10.temperature", "--format", "json")
    record = json.loads(done.stdout)
    assert done.returncode == (0 if record["holds"] else 1), done.stderr
    assert {m["in"] for m in record["mutants"]} == {"ex10_sampling.temperature"}


def test_the_command_refuses_what_is_no_piece():
    done = grader("temprature")
    assert done.returncode == 2
    assert "near: temperature" in done.stderr


def test_every_exercise_has_its_share_of_at_least_80_mutants():
    mutants = registered(REAL, COURSE.select([]), REAL.mutants)
    each = Counter(mutant.exercise for mutant in mutants)
    assert len(mutants) >= 80
    assert {e.id for e in COURSE.exercises if each[e.id] < 8} == set()
    assert len(mutants) == len(diagnosis.known(REAL.mutants))  # no two of one name


def test_every_piece_has_three_right_alternatives():
    right = {
        piece.id: len(registered(REAL, [piece], REAL.alternatives))
        for piece in COURSE.pieces.values()
    }
    assert {piece: n for piece, n in right.items() if n < 3} == {}


@pytest.fixture(scope="module")
def sample() -> dict[str, list[trials.Verdict]]:
    """Of every exercise three mutants and an alternative: the first, the last and one between."""
    chosen = []
    for exercise in COURSE.exercises:
        mutants = registered(REAL, exercise.pieces, REAL.mutants)
        chosen += [mutants[0], mutants[len(mutants) // 2], mutants[-1]]
        chosen += registered(REAL, exercise.pieces, REAL.alternatives, right=True)[-1:]
    found = {exercise.id: [] for exercise in COURSE.exercises}
    for verdict in trials.judge(REAL, chosen):
        found[verdict.variant.exercise].append(verdict)
    return found


@pytest.mark.parametrize("exercise", COURSE.exercises, ids=lambda exercise: exercise.short)
def test_a_sample_of_mutants_is_killed_and_of_alternatives_accepted(sample, exercise):
    for verdict in sample[exercise.id]:
        row = verdict.rows["hidden"]
        assert not row.broken
        assert verdict.rejected != verdict.variant.right, f"{verdict.variant.id}: {row.failing}"


@pytest.mark.slow  # some minutes: every suite on every variant
def test_the_suites_kill_every_mutant_and_reject_no_right_answer():
    matrix = mutation.measure(REAL, COURSE.select([]), with_automatic=True)
    assert matrix.holds, reports.render(matrix, COURSE)
    assert matrix.distinct >= 80  # of which no two are killed by the same tests
    assert matrix.told_apart == len(matrix.mutants)


@pytest.mark.skipif(os.name != "posix", reason="sends Ctrl-C as POSIX does")
def test_ctrl_c_ends_all_processes_that_share_the_work():
    code = (
        "import time\nfrom grader import pool\nif __name__ == '__main__':\n"
        "    with pool.processes(2) as workers:\n"
        "        print(list(workers.map(abs, [-1])), flush=True)\n"
        "        list(workers.map(time.sleep, [60] * 8))\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert run.stdout.readline() == "[1]\n"
    try:
        os.killpg(run.pid, signal.SIGINT)
        said = run.communicate(timeout=20)[1]
        assert said.count("Traceback") == 1 and "KeyboardInterrupt" in said
        until = time.monotonic() + 20
        with pytest.raises(ProcessLookupError):
            while time.monotonic() < until:
                os.killpg(run.pid, 0)
                time.sleep(0.1)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
