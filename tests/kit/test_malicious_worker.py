"""Whatever a worker answers, the checker ends with a verdict, and the verdict is no pass."""

import builtins
import itertools
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader import answers, course, suite, wire
from grader.assembly import Target
from grader.course import ROOT
from grader.process import Crashed, TimedOut
from grader.reports import board, github, junit, plain
from grader.wire import Ref, WireError

COURSE = course.load()
SOLUTIONS = Target.read(ROOT / "solutions", COURSE)
REPEATABLE = settings(derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
PLACES = {
    "layernorm": ["exercises/ex05_norm.py", 7, ["x", "\x1b[31m"]],
    "Tensor.__init__": ["exercises/ex03_tensor.py", 0, []],
    "softmax": ["exercises/ex04_ops.py", "7", [None]],
    "encode": None,
}
ERRORS = [name for name, kind in vars(builtins).items() if isinstance(kind, type)]


class Liar:
    """A worker that answers each request with the next of its lies."""

    alive, weight = True, 0

    def __init__(self, lies):
        self.lies = itertools.cycle(lies)

    def begin(self):
        pass

    def ask(self, request, seconds):
        """As Worker.ask: the lie crosses the wire, and is looked at as any answer is."""
        if request["op"] in ("limit", "clear"):
            return {"value": None, "printed": 0}
        lie = next(self.lies)
        if request["op"] == "load" and type(lie) is dict and "value" in lie:
            lie = {"value": PLACES}
        if isinstance(lie, Exception):
            raise lie
        return answers.checked(wire.decode(wire.encode(lie)), answers.ANSWERS)

    def mark(self):
        pass

    def printed(self):
        return "\x1b[31m<script>"

    def close(self):
        pass


def values():
    """Anything that can cross, and above all what tests would like to see."""
    numbers = st.sampled_from([0, 1, -1, 2**62, 2**70, True, 0.0, float("nan"), float("inf")])
    shapes = st.sampled_from([(), (0,), (1,), (2, 3), (0, 2**40), (2**40, 0), (1, 1, 1, 1), (7,)])
    arrays = st.builds(np.zeros, shapes, st.sampled_from(["bool", "int64", "float32", "float64"]))
    types = st.sampled_from(["Tensor", "Value", "method", "function", "\x1b[31m", "[/]", "\ud800"])
    refs = st.builds(Ref, st.sampled_from([0, 1, 7, 2**62]), types)
    texts = st.sampled_from(["", "data", "grad", "\x1b]0;x\x07", "\ud800", "x" * 5000, "[/bold]"])
    atoms = st.one_of(st.none(), numbers, arrays, arrays, refs, refs, refs, texts, st.just(...))
    return st.recursive(
        atoms,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(st.sampled_from(["wte", "ids", "\x00", ""]), inner, max_size=3)
        ),
        max_leaves=5,
    )


def errors():
    frames = st.sampled_from(
        [
            [],
            [["exercises/ex05_norm.py", 1, "layernorm", "x"]],
            [["exercises/ex03_tensor.py", 2**19, "\x1b[2J", "[/]" * 999]] * 60,
            [["nowhere.py", 0, "f", "x"]],
            [["nowhere.py", 1.5, None]],
            "frames",
        ]
    )
    full = st.fixed_dictionaries(
        {
            "type": st.sampled_from([*ERRORS, "Skipped", "Exit", "print", "__doc__"]),
            "shown_type": st.just("\x1b[32mPassed"),
            "message": st.sampled_from(["", "-1", "\ud800", "7" * 50_000, "[/red]\x1b[31m"]),
            "frames": frames,
        }
    )
    return full | full.map(lambda error: {"type": error["type"]}) | values()


def lies():
    printed = st.sampled_from([0, 1, 2**62, -1, "much", None])
    forms = st.one_of(
        st.builds(lambda value: {"value": value}, values()),
        st.builds(lambda value: {"value": value}, values()),
        st.builds(lambda error: {"error": error}, errors()),
        st.builds(lambda text: {"refused": {"type": "x", "message": text}}, st.text(max_size=9)),
        st.builds(lambda value, printed: {"value": value, "printed": printed}, values(), printed),
        st.sampled_from([{}, {"event": {}}, {"ended": 0}, {"value": 1, "error": {}}, [], None]),
    )
    ends = st.sampled_from([TimedOut("late"), Crashed("gone"), WireError("noise")])
    return st.lists(forms | forms | forms | forms | ends, min_size=1, max_size=12)


def check(exercise, lies, mutants=None):
    options = suite.Options(
        tests=(ROOT / "tests" / "visible", ROOT / "tests" / "hidden"),
        mutants=mutants,
        worker=Liar(lies),
        alone=True,
    )
    return suite.check(COURSE, SOLUTIONS, exercise.pieces, options)


def assert_a_verdict(exercise, lies, mutants=None):
    result = check(exercise, lies, mutants)
    assert result.earned == 0
    assert all(piece.tests for piece in result.exercises[0].pieces)
    json.dumps(result.to_json(), ensure_ascii=False).encode()
    for report in (plain.render(result, COURSE), junit.render(result), github.summary(result)):
        assert "\x1b" not in report
    board.svg(result, COURSE)


@settings(REPEATABLE, max_examples=30)
@given(st.sampled_from(COURSE.exercises), lies())
def test_a_lying_worker_gets_a_verdict_and_no_points(exercise, lies):
    assert_a_verdict(exercise, lies)


@pytest.mark.slow  # ten minutes: many lies for each exercise, and the search for what explains them
@pytest.mark.parametrize("exercise", COURSE.exercises, ids=lambda exercise: exercise.short)
@settings(REPEATABLE, max_examples=100)
@given(lies())
def test_many_lies_about_each_exercise_get_no_points(exercise, lies):
    assert_a_verdict(exercise, lies, ROOT / "tests" / "mutants")


def test_a_number_that_python_will_not_print_is_a_failure():
    assert check(COURSE.by_id["ex01_tokenizer"], [{"value": 10**100_000}]).earned == 0


def test_an_error_of_any_name_is_a_failure():
    errors = [
        {"type": kind, "shown_type": kind, "message": "-1 7", "frames": []} for kind in ERRORS
    ]
    assert check(COURSE.by_id["ex01_tokenizer"], [{"error": error} for error in errors]).earned == 0
