"""Which submissions are alike: what no renaming hides, and what is only chance."""

import ast
import builtins
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import course as courses
from grader import similar, stats, stubs
from grader.assembly import SOURCE_LIMIT
from grader.course import ROOT
from grader.similar import Document, compare, fingerprints, given_lines, joined, tokens, winnowed

COURSE = courses.load()
ANSWER = """
def softmax(x, axis=-1):
    shifted = np.exp(x.data - x.data.max(axis=axis, keepdims=True))
    probabilities = shifted / shifted.sum(axis=axis, keepdims=True)

    def vjp(grad):
        along = (grad * probabilities).sum(axis=axis, keepdims=True)
        return (probabilities * (grad - along),)

    return Tensor.op(probabilities, (x,), vjp)


def linear(x, weight, bias=None):
    y = x @ weight.transpose(1, 0)
    if bias is None:
        return y
    return y + bias.reshape(*[1] * (len(y.shape) - 1), bias.shape[0])
"""
OTHER = """
def softmax(x, axis=-1):
    top = x.data.max(axis, keepdims=True)
    powers = (x - Tensor(top)).exp()
    total = powers.sum(axis=axis, keepdims=True)
    return powers * total**-1.0


def linear(x, weight, bias=None):
    swapped = [*range(weight.ndim)][::-1]
    product = x @ weight.transpose(*swapped)
    return product if bias is None else product + bias
"""


def alike(one: str, other: str, stub: str = "") -> list[similar.Pair]:
    return compare("ex04_ops", [Document("ann", one), Document("bob", other)], stub).pairs


class Renamed(ast.NodeTransformer):
    """Every name that is the writer's own gets another."""

    def visit_Name(self, node):
        return ast.Name(another(node.id), node.ctx)

    def visit_arg(self, node):
        return ast.arg(another(node.arg))


def another(name: str) -> str:
    return name if name == "self" or hasattr(builtins, name) else f"{name}_1"


def renamed(text: str) -> str:
    return ast.unparse(Renamed().visit(ast.parse(text)))


@pytest.mark.parametrize(
    "copy",
    [
        ANSWER,
        ANSWER.replace("    ", "\t"),
        ANSWER.replace("\n    ", "\n    # a comment of mine, with 'quotes\n    "),
        ANSWER.replace("-1):", '-1):\n    """My own\n    words."""'),
        ANSWER.replace("probabilities", "p").replace("shifted", "e").replace("grad", "g"),
    ],
    ids=["as it is", "tabs", "comments", "a docstring", "other names"],
)
def test_a_copy_is_found_however_it_is_dressed(copy):
    [pair] = alike(ANSWER, copy)
    assert (pair.share, pair.first, pair.second) == (1.0, "ann", "bob")


@pytest.mark.parametrize("file", [exercise.file for exercise in COURSE.exercises])
def test_a_whole_file_with_every_name_changed_is_still_found(file):
    text = ast.unparse(ast.parse((ROOT / "tests" / "kit" / "rewritten" / file).read_text("utf-8")))
    [pair] = alike(text, renamed(text))
    assert pair.share > 0.9


def test_functions_in_another_order_are_found():
    first, second = ANSWER.split("\n\n\n")
    [pair] = alike(ANSWER, f"{second}\n\n\n{first}\n")
    assert pair.share > 0.75


def test_two_ways_to_do_it_are_not_alike():
    assert alike(ANSWER, OTHER) == []


@pytest.mark.parametrize("exercise", COURSE.exercises, ids=lambda exercise: exercise.id)
def test_the_course_s_own_right_answers_are_not_alike_by_chance(exercise):
    """Three who wrote apart from each other: the reference, the alternatives, the rewritten."""
    folders = ("solutions", "tests/alternatives", "tests/kit/rewritten")
    texts = [(ROOT / folder / exercise.file).read_text("utf-8") for folder in folders]
    documents = [Document(folder, text) for folder, text in zip(folders, texts)]
    assert compare(exercise.id, documents, stubs.generate(texts[0], exercise.file)).pairs == []


def test_what_the_stub_gives_is_no_likeness():
    stub = ANSWER.replace("    return y + ", "    # TODO\n    return y - ")
    assert alike(ANSWER, ANSWER, stub) == []
    assert fingerprints(stub, given_lines(stub)) == {}


def test_what_many_have_says_nothing():
    documents = [Document(f"student{n:02d}", ANSWER) for n in range(similar.COMMON + 1)]
    assert compare("ex04_ops", documents).pairs == []
    few = compare("ex04_ops", documents[1:]).pairs
    assert len(few) == similar.COMMON * (similar.COMMON - 1) // 2


def test_of_a_crowd_that_has_the_same_it_is_said_that_it_is_one():
    """Pairs of many would be many; ten more have something else, or nothing."""
    crowd = [Document(f"student{n:02d}", ANSWER.replace("grad", f"g{n}")) for n in range(12)]
    others = [Document("ann", OTHER), Document("bob", "# nothing yet\n")]
    course = Document("solutions/ex04_ops.py", ANSWER, ours=True)
    found = compare("ex04_ops", [*crowd, *others, course])
    assert found.pairs == []
    assert found.crowds == [[course.owner, *(document.owner for document in crowd)]]
    assert found.untouched == ["bob"]
    assert compare("ex04_ops", crowd[: similar.COMMON]).crowds == []


def test_a_file_as_it_was_handed_out_is_untouched():
    for exercise in COURSE.exercises:
        solution = (ROOT / "solutions" / exercise.file).read_text("utf-8")
        stub = stubs.generate(solution, exercise.file)
        begun = stub.replace('raise NotImplementedError("', 'x = 1; raise ValueError("', 1)
        documents = [Document("ann", stub), Document("bob", begun)]
        assert compare(exercise.id, documents, stub).untouched == ["ann"]


def test_a_few_short_lines_are_no_likeness():
    short = "def f(x):\n    y = [v * v for v in x]\n    return sum(y) / len(y)\n"
    assert alike(short, short) == []


def test_the_course_s_own_answers_are_compared_with_submissions_alone():
    documents = [
        Document("ann", ANSWER),
        Document("solutions/ex04_ops.py", ANSWER, ours=True),
        Document("tests/alternatives/ex04_ops.py", ANSWER, ours=True),
    ]
    found = {(pair.first, pair.second) for pair in compare("ex04_ops", documents).pairs}
    assert found == {("ann", document.owner) for document in documents[1:]}


def test_the_lines_are_those_of_each_file():
    [pair] = alike(ANSWER, "import os\n\n\nHOME = os.environ\n" + ANSWER)
    mine, theirs = pair.places
    assert [range(r.start + 4, r.stop + 4) for r in mine] == list(theirs)
    lines = ANSWER.split("\n")
    assert lines[mine[0].start - 1].startswith("def softmax")
    assert mine[-1].stop - 1 <= len(lines) - 1


def test_lines_with_at_most_one_between_are_one_range():
    assert joined([range(10, 11), range(1, 4), range(3, 6), range(7, 8)]) == (
        range(1, 8),
        range(10, 11),
    )


def test_the_most_alike_come_first():
    half = ANSWER.partition("def linear")[0] + OTHER.partition("    return powers")[0]
    documents = [Document("ann", ANSWER), Document("bob", half), Document("cid", ANSWER)]
    found = compare("ex04_ops", documents).pairs
    assert (found[0].first, found[0].second) == ("ann", "cid")
    assert [p.share for p in found] == sorted((p.share for p in found), reverse=True)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 9), min_size=similar.WINDOW, max_size=60),
    st.lists(st.integers(0, 9), max_size=20),
)
def test_every_window_leaves_a_fingerprint_in_whatever_it_stands(window, before):
    """The guarantee of winnowing: what two texts share leaves its mark in both."""
    alone = {number for _place, number in winnowed(window[: similar.WINDOW])}
    inside = {number for _place, number in winnowed([*before, *window])}
    assert alone <= inside


# any text at all


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab\"'\\#(.0\n \t\x00é🙂\ud800"), max_size=80))
def test_every_text_can_be_read(text):
    lines = text.count("\n") + 1
    assert all(1 <= line <= lines for _token, line in tokens(text))
    assert fingerprints(text) == fingerprints(text)


@pytest.mark.parametrize(
    "unit",
    ['"""\\', '\\"""', '\\"""\n', "'", "(\n", '"\\\n', "x.", "b'''", ". ", ".\t", "f(a, *b)[0] "],
)
def test_the_longest_hostile_file_takes_no_longer_than_another(unit):
    text = unit * (SOURCE_LIMIT // len(unit)) + "\\"
    start = time.process_time()
    fingerprints(text)
    assert time.process_time() - start < 10  # quadratic would take minutes


def test_a_broken_source_is_compared_like_any_other():
    [pair] = alike(ANSWER, ANSWER + "\n\ndef broken(:\n    '")
    assert pair.share == 1.0


def test_three_hundred_submissions_take_seconds(tmp_path):
    """All pairs of 300 long files of one exercise, a quarter of whose lines are their own."""
    text = (ROOT / "tests" / "kit" / "rewritten" / "ex03_tensor.py").read_text("utf-8")
    documents = [
        Document(str(n), text.replace("grad", f"g{n}").replace("return", f"x{n % 7}[{n}] = y;"))
        for n in range(300)
    ]
    start = time.process_time()
    compare("ex03_tensor", documents)
    assert time.process_time() - start < 20


def test_submissions_are_compared_with_the_solutions(tmp_path):
    """All but the reference's own author wrote it otherwise: only one is like it."""
    for id, folder in {"ann": "solutions", "bob": "tests/kit/rewritten"}.items():
        (tmp_path / id).mkdir()
        text = (ROOT / folder / "ex05_norm.py").read_text("utf-8")
        (tmp_path / id / "ex05_norm.py").write_text(text, "utf-8")
    found, notes = stats.alike(tmp_path, COURSE)
    assert [(p.first, p.second, p.share) for p in found] == [("ann", "solutions/ex05_norm.py", 1.0)]
    assert notes == []


def test_a_crowd_is_a_line_and_no_list_of_pairs(tmp_path):
    text = (ROOT / "tests" / "kit" / "rewritten" / "ex05_norm.py").read_text("utf-8")
    for n in range(14):
        (tmp_path / f"student{n:02d}").mkdir()
        stub = (ROOT / "exercises" / "ex05_norm.py").read_text("utf-8")
        (tmp_path / f"student{n:02d}" / "ex05_norm.py").write_text(text if n > 1 else stub, "utf-8")
    found, notes = stats.alike(tmp_path, COURSE)
    named = ", ".join(f"student{n:02d}" for n in range(2, 7))
    assert found == []
    assert notes == [
        f"ex05: 12 files are the same but for names and comments: {named}, ...",
        "ex05: 2 files are the stub, as it was handed out",
    ]


def test_nothing_of_a_submission_is_run(tmp_path):
    (tmp_path / "ann").mkdir()
    mark = tmp_path / "was-run"
    (tmp_path / "ann" / "ex05_norm.py").write_text(f"open({str(mark)!r}, 'w')\n", "utf-8")
    stats.alike(tmp_path, COURSE)
    assert not mark.exists()
