"""`check` as a student meets it: real folders, one broken in every way that a file can be."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grader import course as courses
from grader import suite
from grader.assembly import Target
from grader.course import ROOT
from grader.remedies import told
from grader.student import StudentError
from grader.workbench import Workbench

COURSE = courses.load()


def grader(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run a command as a user would, from another folder than the kit's."""
    return subprocess.run(
        [sys.executable, "-m", "grader", *arguments],
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1"} | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def solutions_in(folder: Path) -> Path:
    """A copy of the reference, to be spoilt."""
    shutil.copytree(ROOT / "solutions", folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def spoil(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert text.count(old) >= 1, f"{old!r} is not in {file.name}"
    file.write_text(text.replace(old, new, 1), "utf-8")


@pytest.fixture(scope="module")
def broken(tmp_path_factory) -> dict:
    """One check of a folder in which nearly every file is broken in a way of its own."""
    folder = solutions_in(tmp_path_factory.mktemp("broken") / "exercises")
    tokenizer = folder / "ex01_tokenizer.py"
    tokenizer.write_bytes(b"\xef\xbb\xbf" + tokenizer.read_bytes().replace(b"\n", b"\r\n"))
    spoil(
        folder / "ex02_value.py",
        "return Value(self.data + other.data",
        "return self + other\n        return Value(self.data + other.data",
    )
    ops = folder / "ex04_ops.py"
    spoil(ops, "    y = np.maximum(x.data, 0)\n", "    while True:\n        pass\n")
    spoil(ops, "    c, x2 = (2", "    import sys\n\n    sys.exit(0)\n    c, x2 = (2")
    spoil(ops, "    ids = np.asarray(ids)\n", "    import ctypes\n\n    ctypes.string_at(0)\n")
    spoil(
        ops,
        "    rows = x.data.reshape(-1, x.shape[-1])",
        "    import os\n\n    os.fork()\n    rows = x.data.reshape(-1, x.shape[-1])",
    )
    spoil(folder / "ex05_norm.py", "import numpy as np", "import numpie as np")
    spoil(folder / "ex06_attention.py", "    B, T, C = x.shape\n", "\tB, T, C = x.shape\n")
    spoil(
        folder / "ex07_gpt.py",
        "def mlp(x, weights, activation):",
        "def mlp(x, weights, activation:",
    )
    spoil(
        folder / "ex08_optim.py",
        "    return peak * (1 - step / total)",
        "    while True:\n        print('x' * 100000)",
    )
    (folder / "ex09_train.py").unlink()
    sampling = folder / "ex10_sampling.py"
    sampling.write_text(sampling.read_text("utf-8")[:2500], "utf-8")
    run = grader("check", "--target", str(folder), "--format", "json", "--no-finale")
    assert run.returncode == 1, run.stderr
    return json.loads(run.stdout)


def piece_of(result: dict, id: str) -> dict:
    short, name = id.split(".")
    pieces = next(e["pieces"] for e in result["exercises"] if e["id"].startswith(short))
    return next(piece for piece in pieces if piece["name"] == name)


def first_told(result: dict, id: str) -> dict:
    return next(test for test in piece_of(result, id)["tests"] if test["status"] != "passed")


def test_every_exercise_has_a_result_whatever_its_neighbours_do(broken):
    assert len(broken["exercises"]) == len(COURSE.exercises)
    assert all(piece["tests"] for e in broken["exercises"] for piece in e["pieces"])


def test_a_bom_and_windows_line_ends_pass(broken):
    assert broken["exercises"][0]["status"] == "passed"


def test_a_sound_exercise_between_broken_ones_passes(broken):
    assert broken["exercises"][2]["status"] == "passed"


@pytest.mark.parametrize(
    ("piece", "status", "words", "line"),
    [
        ("ex02.arithmetic", "failed", "RecursionError", "return self + other"),
        ("ex02.arithmetic", "failed", "work with numbers, self.data", "return self + other"),
        ("ex04.relu", "timeout", "no answer after 2 seconds", "def relu"),
        ("ex04.gelu", "failed", "SystemExit", "sys.exit(0)"),
        ("ex04.embedding", "crashed", "segmentation fault", "def embedding"),
        ("ex04.linear", "failed", "may not start a process", "os.fork()"),
        ("ex05.layernorm", "failed", "No module named 'numpie'", "import numpie"),
        ("ex06.split_heads", "failed", "TabError", "B, T, C = x.shape"),
        ("ex07.mlp", "failed", "SyntaxError", "def mlp(x, weights, activation:"),
        ("ex08.schedules", "crashed", "printed more than 32 MiB", "def linear_decay"),
        ("ex10.temperature", "failed", "SyntaxError", ""),
    ],
)
def test_what_is_broken_is_said_in_words_with_its_line(
    broken, tmp_path, piece, status, words, line
):
    test = first_told(broken, piece)
    assert test["status"] == status, test
    assert words in test["message"]
    file, number = test["where"].rsplit(":", 1)
    assert file == f"exercises/{COURSE.pieces[piece].exercise}.py"
    assert int(number) >= 1
    if line and piece != "ex10.temperature":
        spoilt = {
            "ex04.relu": "relu",
            "ex04.embedding": "embedding",
            "ex08.schedules": "linear_decay",
        }
        assert spoilt.get(piece, line) in line


def test_a_missing_file_is_to_do_not_failed(broken):
    assert piece_of(broken, "ex09.train")["status"] == "todo"
    assert "there is no file" in first_told(broken, "ex09.train")["message"]


def test_a_hang_does_not_take_the_other_pieces_of_its_file_along(broken):
    assert piece_of(broken, "ex04.softmax")["status"] == "passed"
    assert piece_of(broken, "ex04.cross_entropy")["status"] == "passed"


def test_the_score_is_the_sum_of_its_parts(broken):
    total = sum(piece["earned"] for e in broken["exercises"] for piece in e["pieces"])
    assert broken["score"] == {"earned": pytest.approx(total), "possible": 200.0}


# whole folders


def test_the_solutions_earn_everything():
    run = grader("check", "--target", "solutions", "--format", "json", "--no-finale")
    assert json.loads(run.stdout)["score"] == {"earned": 200.0, "possible": 200.0}
    assert run.returncode == 0


def test_every_stub_is_to_do_under_every_one_of_its_tests(tmp_path):
    for exercise in COURSE.exercises:
        shutil.copy(ROOT / "exercises" / exercise.file, tmp_path)
    generate_stubs(tmp_path)
    run = grader("check", "--target", str(tmp_path), "--hidden", "--format", "json")
    exercises = json.loads(run.stdout)["exercises"]
    statuses = {
        (piece["name"], test["name"]): test["status"]
        for exercise in exercises
        for piece in exercise["pieces"]
        for test in piece["tests"]
        if test["status"] not in ("todo", "waiting")
    }
    assert statuses == {}


def generate_stubs(folder: Path) -> None:
    """The stubs as the solutions make them, whatever stands in exercises/ of a student's copy."""
    from grader.stubs import generate

    for exercise in COURSE.exercises:
        text = (ROOT / "solutions" / exercise.file).read_text("utf-8")
        (folder / exercise.file).write_text(generate(text, exercise.file), "utf-8")


def test_any_exercise_can_be_done_first_on_borrowed_pieces(tmp_path):
    generate_stubs(tmp_path)
    shutil.copy(ROOT / "solutions" / "ex05_norm.py", tmp_path)
    run = grader("check", "ex05", "--target", str(tmp_path), "--format", "json")
    exercise = json.loads(run.stdout)["exercises"][0]
    assert exercise["status"] == "passed"
    assert exercise["borrowed"] == ["ex03_tensor"]


def test_a_failing_piece_is_not_blamed_on_those_that_need_it(tmp_path):
    """attention_weights is wrong; causal_attention, which uses it, is right and passes."""
    folder = solutions_in(tmp_path / "exercises")
    spoil(folder / "ex06_attention.py", "q.shape[3] ** -0.5", "1.0")
    run = grader("check", "ex06", "--target", str(folder), "--format", "json")
    result = json.loads(run.stdout)
    assert piece_of(result, "ex06.attention_weights")["status"] == "failed"
    assert piece_of(result, "ex06.causal_attention")["status"] == "passed"
    assert "ex06.attention_weights" in result["exercises"][0]["borrowed"]


@pytest.mark.parametrize(
    ("test", "body", "function"),
    [
        ("test_indexing_picks_what_numpy_would", "return Tensor(-self.data)", "Tensor.__getitem__"),
        ("test_indexing_picks_what_numpy_would", "return None", "Tensor.__getitem__"),
        ("test_indexing_picks_what_numpy_would", "while True: pass", "Tensor.__getitem__"),
        (
            "test_what_was_not_picked_gets_zero",
            "return Tensor.op(self.data[index], (self,), lambda g: (self.data,))",
            "Tensor.__getitem__",
        ),
        (
            "test_transpose_takes_the_axes_in_the_order_given",
            "return Tensor(self.data.T)",
            "Tensor.transpose",
        ),
        ("test_a_plain_number_on_the_left_minus_a_value", "return self", "Value.__rsub__"),
    ],
)
def test_a_failure_opens_the_function_that_was_called(tmp_path, test, body, function):
    """Not the first of its piece, in which nothing is wrong."""
    piece = next(piece for piece in COURSE.pieces.values() if function in piece.defines)
    folder = solutions_in(tmp_path / "exercises")
    file = folder / f"{piece.exercise}.py"
    text = file.read_text("utf-8")
    head = re.search(rf"\n    def {function.partition('.')[2]}\(.*\):\n", text)
    spoil(file, head[0], f"{head[0]}        {body}\n")
    result = suite.check(COURSE, Target.read(folder, COURSE), (piece,), suite.usual())
    found = next(t for t in result.exercises[0].pieces[0].tests if t.name == test)
    line = text[: head.start() + 1].count("\n") + 1
    assert found.where == f"exercises/{file.name}:{line}"


def test_what_a_class_lacks_is_looked_for_in_the_class(tmp_path):
    """encode is misspelt: the failure opens CharTokenizer, not the first line of the file."""
    folder = solutions_in(tmp_path / "exercises")
    spoil(folder / "ex01_tokenizer.py", "def encode(", "def encod(")
    piece = COURSE.pieces["ex01.encode"]
    result = suite.check(COURSE, Target.read(folder, COURSE), (piece,), suite.usual())
    text = (folder / "ex01_tokenizer.py").read_text("utf-8")
    line = text.partition("    def __init__(")[0].count("\n") + 1
    where = {test.where for test in result.exercises[0].pieces[0].tests}
    assert where == {f"exercises/ex01_tokenizer.py:{line}"}


@pytest.mark.parametrize(
    ("id", "function", "new", "says"),
    [
        ("ex02.arithmetic", "__add__(self, other):", "pass", "returned None: is a return missing?"),
        (
            "ex02.arithmetic",
            "__add__(self, other):",
            "return self.data + other.data",
            "Value(2.0) + Value(3.0) returned a float, which has no .data",
        ),
        ("ex01.encode", "encode(doc):", "pass", "its first parameter must be self"),
        (
            "ex01.vocabulary",
            "__init__(self, docs):",
            "self.chars, self.bos, self.vocab_size = None, 0, 0",
            "got None, expected ['a', 'b', 'c']\nthat is None, not a list",
        ),
        (
            "ex07.init_params",
            "init_params(config, rng, dtype=np.float32):",
            "return {'wte': np.zeros((7, 8))}",
            "init_params()['wte'] returned an array of shape (7, 8)",
        ),
    ],
)
def test_what_came_back_is_called_what_it_is(tmp_path, id, function, new, says):
    piece = COURSE.pieces[id]
    folder = solutions_in(tmp_path / "exercises")
    file = folder / f"{piece.exercise}.py"
    head = re.search(rf"\n( *)def {function.partition('(')[0]}\(.*\):\n", file.read_text("utf-8"))
    spoil(file, head[0], f"\n{head[1]}def {function}\n{head[1]}    {new}\n{head[1]}    return\n")
    result = suite.check(COURSE, Target.read(folder, COURSE), (piece,), suite.usual())
    messages = [test.message for test in result.exercises[0].pieces[0].tests]
    assert any(says in message for message in messages), messages


def test_a_schedule_that_is_asked_for_a_step_too_many_says_so(tmp_path):
    folder = solutions_in(tmp_path / "exercises")
    spoil(folder / "ex09_train.py", "step(schedule(step))", "step(schedule(step + 1))")
    run = grader("check", "ex09.train", "--target", str(folder), "--format", "plain")
    assert "IndexError: schedule was asked for step 3; the last is 2" in run.stdout


# what was asked for


def test_a_selection_covers_only_itself():
    run = grader("check", "softmax", "ex05", "--target", "solutions", "--format", "json")
    result = json.loads(run.stdout)
    names = [piece["name"] for e in result["exercises"] for piece in e["pieces"]]
    assert names == ["softmax", "rmsnorm", "layernorm"]
    assert result["score"]["possible"] == 22.0


def test_what_is_needed_is_remembered_until_it_changes(copy):
    """The first check of ex05 looks at what its gradients need; the next one need not."""
    copy.solve("ex03_tensor")
    copy.solve("ex05_norm")

    def borrowed():
        run = copy.grader("check", "ex05", "--format", "json")
        (exercise,) = json.loads(run.stdout)["exercises"]
        assert exercise["status"] == "passed"
        return exercise["borrowed"]

    def checked_at(id):
        state = json.loads((copy.root / ".glassbox" / "state.json").read_text("utf-8"))
        return state["state"]["checked"][id]["at"]

    assert borrowed() == []
    needed, asked = checked_at("ex03.backward"), checked_at("ex05.layernorm")
    assert borrowed() == []
    assert checked_at("ex03.backward") == needed and checked_at("ex05.layernorm") > asked
    copy.solve("ex03_tensor", "leaf.grad + grad", "leaf.grad - 2 * grad")
    assert borrowed() == ["ex03_tensor"]
    assert checked_at("ex03.backward") > needed


def test_a_need_that_is_the_references_own_is_not_run():
    """To lend it would change nothing."""
    ran = []
    settings = suite.usual(observe=lambda test, calls: ran.append(test))
    result = suite.check(
        COURSE, Target.read(ROOT / "solutions", COURSE), COURSE.select(["ex09"]), settings
    )
    tests = [test.name for piece in result.exercises[0].pieces for test in piece.tests]
    assert result.passed and sorted(ran) == sorted(tests)


def test_nothing_that_works_is_lent_to_a_need(tmp_path, monkeypatch):
    """Tests of ex07, which ex09 needs, need more than its pieces do: they are asked for too."""
    folder, plans = solutions_in(tmp_path / "exercises"), []
    for file in folder.glob("ex*.py"):
        file.write_text(file.read_text("utf-8") + "# mine\n", "utf-8")  # not the reference's own
    assemble = Workbench._assemble

    def noted(bench, exercise, plan):
        plans.append(plan)
        assemble(bench, exercise, plan)

    monkeypatch.setattr(Workbench, "_assemble", noted)
    target, wanted = Target.read(folder, COURSE), COURSE.select(["ex09"])
    assert suite.check(COURSE, target, wanted, suite.usual()).passed
    assert plans and not any(plan.borrowed for plan in plans)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "softmx"], "near: softmax"),
        (["check", "--target", "nowhere"], "no such folder"),
        (["check", "--tests", "nowhere"], "no such folder"),
    ],
)
def test_what_cannot_be_run_is_said_and_ends_with_2(arguments, words):
    run = grader(*arguments)
    assert run.returncode == 2
    assert words in run.stderr
    assert run.stdout == ""


def test_a_suite_of_ones_own_is_run_beside_the_visible_one(tmp_path):
    suite = tmp_path / "mine"
    suite.mkdir()
    (suite / "test_ex05_norm.py").write_text(
        "import pytest\n"
        "@pytest.mark.piece('rmsnorm')\n"
        "def test_mine(student):\n"
        "    student.array(student.rmsnorm(student.Tensor([[1.0]])))\n"
    )
    run = grader(
        "check", "rmsnorm", "--target", "solutions", "--tests", str(suite), "--format", "json"
    )
    tests = json.loads(run.stdout)["exercises"][0]["pieces"][0]["tests"]
    assert {test["suite"] for test in tests} == {"visible", "mine"}


def test_what_a_test_asks_last_counts_too(tmp_path):
    """A leaf crosses with the next request; where none follows it is made all the same."""
    suite, answers = tmp_path / "mine", solutions_in(tmp_path / "answers")
    suite.mkdir()
    (suite / "test_ex03_tensor.py").write_text(
        "import pytest\n"
        "@pytest.mark.piece('shaping')\n"
        "def test_mine(student):\n"
        "    student.Tensor([[[12.0]]])\n"
    )
    start = "        self.grad = self.node = None\n"
    spoil(answers / "ex03_tensor.py", start, start + "        assert self.data.ndim != 3\n")
    run = grader(
        "check", "shaping", "--target", str(answers), "--tests", str(suite), "--format", "json"
    )
    tests = json.loads(run.stdout)["exercises"][0]["pieces"][0]["tests"]
    (mine,) = (test for test in tests if test["suite"] == "mine")
    assert mine["status"] == "failed" and "AssertionError" in mine["message"]


def test_a_plain_assert_of_an_instructor_says_what_differs_and_names_no_option_of_pytest(tmp_path):
    suite = tmp_path / "visible"
    suite.mkdir()
    (suite / "test_ex01_tokenizer.py").write_text(
        "import pytest\n"
        "@pytest.mark.piece('encode')\n"
        "def test_mine(student):\n"
        "    assert student.CharTokenizer(['ab']).encode('ab') == [2, 1, 0, 2]\n"
    )
    run = grader(
        *("check", "ex01.encode", "--target", "solutions", "--tests", str(suite)),
        *("--format", "plain"),
    )
    assert "assert [2, 0, 1, 2] == [2, 1, 0, 2]" in run.stdout
    assert "At index 1 diff: 0 != 1" in run.stdout and "-v" not in run.stdout


def test_a_broken_suite_is_no_students_fault(tmp_path):
    (tmp_path / "test_ex05_norm.py").write_text("def test_without_a_piece(student): ...\n")
    run = grader("check", "ex05", "--target", "solutions", "--tests", str(tmp_path))
    assert run.returncode == 2
    assert "test_without_a_piece has no @pytest.mark.piece" in run.stderr


def test_in_process_gives_the_same_result():
    apart = grader("check", "ex05", "--target", "solutions", "--format", "json")
    within = grader("check", "ex05", "--target", "solutions", "--format", "json", "--in-process")
    assert json.loads(apart.stdout)["score"] == json.loads(within.stdout)["score"]


def test_the_debugger_stands_in_the_student_s_code(tmp_path):
    folder = solutions_in(tmp_path / "exercises")
    spoil(folder / "ex05_norm.py", "    n = x.data * r\n", "    n = x.data * r[0, 0, 0, 0]\n")
    run = subprocess.run(
        [sys.executable, "-m", "grader", "check", "ex05", "--target", str(folder), "--pdb"],
        cwd=ROOT,
        input="p x.shape, eps\nq\n",
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert "ex05.rmsnorm  test_" in run.stdout and "IndexError" in run.stdout
    assert "rmsnorm()\n-> n = x.data * r[0, 0, 0, 0]\n(Pdb) ((2,), 0.0)\n" in run.stdout
    assert run.returncode != 0 and "Traceback" not in run.stderr


def test_a_model_that_is_not_written_does_not_train_and_says_so(tmp_path):
    folder = tmp_path / "exercises"
    shutil.copytree(ROOT / "exercises", folder, ignore=shutil.ignore_patterns("__pycache__"))
    run = grader("train", "--target", str(folder), "--steps", "3")
    assert "The model is not written to its end yet." in run.stdout and "make check" in run.stdout
    assert "first difference" not in run.stdout and run.returncode == 1


def test_the_debugger_passes_over_what_is_not_begun(tmp_path):
    folder = tmp_path / "exercises"
    shutil.copytree(ROOT / "exercises", folder, ignore=shutil.ignore_patterns("__pycache__"))
    run = grader("check", "ex05", "--target", str(folder), "--pdb")
    assert "(Pdb)" not in run.stdout and "ex05" in run.stdout


def test_nothing_is_left_in_the_temporary_folder(tmp_path):
    grader("check", "ex05", "--target", "solutions", TMPDIR=str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_prints_are_shown_with_the_test_that_made_them(tmp_path):
    folder = solutions_in(tmp_path / "exercises")
    spoil(
        folder / "ex05_norm.py",
        "    centred = ",
        '    print("looking at", x.shape)\n    centred = ',
    )
    spoil(folder / "ex05_norm.py", "n = centred * r", "n = centred * r * 2")
    run = grader("check", "layernorm", "--target", str(folder), "--format", "json")
    test = first_told(json.loads(run.stdout), "ex05.layernorm")
    assert "looking at (" in test["output"]


@pytest.mark.parametrize(
    ("type", "message", "says"),
    [
        ("TypeError", "operand 'Tensor' does not support ufuncs (...)", "or its array, x.data"),
        ("TypeError", "'Value' object is not iterable", "a tuple of one needs its comma"),
        ("AttributeError", "'Tensor' object has no attribute 'T'", "exercise 3 is all"),
        ("AttributeError", "'Tensor' object has no attribute 'born'", "isinstance(parent, Node)"),
        ("TypeError", "'>' not supported between instances of 'Tensor' and 'int'", "x.data > 0"),
        ("ValueError", "The truth value of an array with more than one element ...", "np.where"),
        ("TypeError", "must be real number, not Value", "self.data, not self"),
        ("TypeError", "'>' not supported between instances of 'Value' and 'int'", "self.data"),
        ("AttributeError", "'Tensor' object has no attribute 'sumup'", None),
        ("AttributeError", "'NoneType' object has no attribute 'T'", None),
    ],
)
def test_what_a_tensor_cannot_do_is_followed_by_what_can_be_done(type, message, says):
    words = told(StudentError(type, message, [], "relu(x)")).splitlines()
    assert words[0] == f"relu(x) raised {type}: {message}"
    assert len(words) == (2 if says else 1)
    assert not says or says in words[1]


@pytest.mark.parametrize(
    ("returned", "says"),
    [
        ("(Tensor(g * (y > 0)),)", "a Tensor? A vjp returns arrays"),
        ("(g * (y > 0)).sum()", "a vjp returns a tuple, one gradient for each parent"),
        ("None", "a vjp returns a tuple, one gradient for each parent"),
        ("(y > 0,)", "the gradient of x holds bool values, expected numbers"),
    ],
)
def test_a_vjp_that_returns_something_else_is_told_what_it_returns(tmp_path, returned, says):
    folder = solutions_in(tmp_path / "exercises")
    spoil(folder / "ex04_ops.py", "lambda g: (g * (y > 0),)", f"lambda g: {returned}")
    run = grader("check", "ex04.relu", "--target", str(folder), "--format", "json")
    assert says in first_told(json.loads(run.stdout), "ex04.relu")["message"]


@pytest.mark.parametrize(
    ("file", "piece", "node"),
    [
        ("ex03_tensor.py", "ex03.arithmetic", "Tensor.op(y, (self,), lambda g: (g * y,))"),
        ("ex04_ops.py", "ex04.relu", "Tensor.op(y, (x,), lambda g: (g * (y > 0),))"),
    ],
)
def test_one_parent_without_its_comma_is_told_of_the_comma(tmp_path, file, piece, node):
    """A Tensor can be walked along, row by row: its rows would be the parents."""
    folder = solutions_in(tmp_path / "exercises")
    wrong = node.replace(",), lambda", "), lambda")
    spoil(folder / file, node, wrong)
    run = grader("check", piece, "--target", str(folder), "--format", "json")
    test = first_told(json.loads(run.stdout), piece)
    assert "AssertionError: parents: a tuple; of one with its comma, (x,)" in test["message"]
    line = (folder / file).read_text("utf-8").partition(wrong)[0].count("\n")
    assert test["where"] == f"exercises/{file}:{line + 1}"


def test_a_sum_with_none_says_so_instead_of_computing_with_nan(tmp_path):
    """linear that does not ask whether there is a bias."""
    folder = solutions_in(tmp_path / "exercises")
    spoil(
        folder / "ex04_ops.py", "    return y if bias is None else y + bias", "    return y + bias"
    )
    run = grader("check", "ex04.linear", "--target", str(folder), "--format", "json")
    test = first_told(json.loads(run.stdout), "ex04.linear")
    assert "TypeError: Cannot cast" in test["message"] and "None?" in test["message"]
    line = (folder / "ex04_ops.py").read_text("utf-8").partition("return y + bias")[0].count("\n")
    assert test["where"] == f"exercises/ex04_ops.py:{line + 1}"


def test_an_operation_that_returns_nothing_is_asked_for_its_return(tmp_path):
    folder = solutions_in(tmp_path / "exercises")
    spoil(folder / "ex02_value.py", "return Value(self.data + other", "Value(self.data + other")
    run = grader("check", "ex02.arithmetic", "--target", str(folder), "--format", "json")
    test = first_told(json.loads(run.stdout), "ex02.arithmetic")
    assert test["message"].startswith("Value(2.0) + Value(3.0) returned None: is a return missing?")


@pytest.mark.parametrize(
    ("file", "piece", "own", "right", "wrong", "says"),
    [
        (
            *("ex02_value.py", "ex02.arithmetic"),
            {
                "return self * -1": "return Value(-self.data, (self,), (-1,))",
                "return self * Value.of(other) ** -1": "other = Value.of(other)\n"
                "        local = (1 / other.data, -self.data / other.data**2)\n"
                "        return Value(self.data / other.data, (self, other), local)",
            },
            *("(other.data, self.data)", "(self.data, other.data)"),
            "you gave each factor itself as the derivative",
        ),
        (
            *("ex03_tensor.py", "ex03.arithmetic"),
            {
                "return self * -1\n        ###": "return Tensor.op(-self.data, (self,), "
                "lambda g: (-g,))\n        ###",
                "return self + other * -1": "return self + -other",
                "return self * other**-1.0": "return broadcast_op("
                "np.divide, self, other, lambda g, a, b: (g / b, -g * a / b**2))",
            },
            *("a, b: (g * b, g * a)", "a, b: (g * a, g * b)"),
            "you swapped the gradients",
        ),
    ],
)
def test_a_wrong_product_is_named_beside_quotients_of_their_own(
    tmp_path, file, piece, own, right, wrong, says
):
    """The reference makes a / b of a product, which would be wrong with it."""
    folder = solutions_in(tmp_path / "exercises")
    for old, new in {**own, right: wrong}.items():
        spoil(folder / file, old, new)
    run = grader("check", piece, "--target", str(folder), "--format", "json")
    assert first_told(json.loads(run.stdout), piece)["diagnosis"].startswith(says)


@pytest.mark.parametrize(
    ("batch", "function", "returned"),
    [
        ("ids, targets", "doc_batches", "a tuple"),
        ("ids[window], ids[window + 1]", "text_batches", "a tuple"),
        ("ids, targets", "doc_batches", "None"),
    ],
)
def test_a_stream_of_batches_that_returns_is_told_to_yield(tmp_path, batch, function, returned):
    folder = solutions_in(tmp_path / "exercises")
    wrong = "None" if returned == "None" else batch
    spoil(folder / "ex09_train.py", f"yield {batch}", f"return {wrong}")
    run = grader("check", "ex09.batches", "--target", str(folder), "--format", "json")
    message = first_told(json.loads(run.stdout), "ex09.batches")["message"]
    assert message.startswith(f"{function}(") and f"returned {returned}; it must yield" in message


def test_a_weight_of_another_name_is_called_missing(tmp_path):
    folder = solutions_in(tmp_path / "exercises")
    spoil(folder / "ex07_gpt.py", 'f"layer{i}.attn_{w}"', 'f"layer{i}.attn.{w}"')
    run = grader("check", "init_params", "--target", str(folder), "--format", "json")
    assert "cannot use: there is no 'layer0.attn_wq'" in run.stdout


def test_without_the_packages_it_says_how_to_get_them(tmp_path):
    for room in ("grader", "exercises"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__"))
    run = subprocess.run(
        [sys.executable, "-S", "-m", "grader", "check"],  # -S: no installed package is found
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": "", "LC_ALL": "C"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert run.returncode == 2
    assert run.stderr == (
        "grader: numpy is not installed; `make setup` installs all that is needed\n"
    )


def test_no_value_of_a_hidden_test_reaches_the_student(tmp_path):
    folder = solutions_in(tmp_path / "exercises")
    spoil(
        folder / "ex05_norm.py", "n = centred * r", "print('SECRET', x.data)\n    n = centred + 7"
    )
    run = grader("check", "layernorm", "--hidden", "--target", str(folder), "--format", "json")
    hidden = [
        t for t in first_piece(run)["tests"] if t["suite"] == "hidden" and t["status"] == "failed"
    ]
    assert hidden
    for test in hidden:
        assert test["output"] == ""
        assert "got" not in test["message"].split()
        assert "SECRET" not in json.dumps(test)


def first_piece(run: subprocess.CompletedProcess) -> dict:
    return json.loads(run.stdout)["exercises"][0]["pieces"][0]


STRANGE = {
    "a mask": "np.asarray(getattr(r, 'data', r)) > 0",
    "a huge whole number": "10**5000",
    "objects": "np.asarray(getattr(r, 'data', r)).astype(object)",
    "words": "np.array(['a', 'b'])",
    "an error without words": "(_ for _ in ()).throw(Speechless())",
}


@pytest.mark.parametrize("strange", STRANGE)
def test_whatever_all_functions_return_the_check_ends_with_a_board(tmp_path, strange):
    folder = solutions_in(tmp_path / "exercises")
    for exercise in COURSE.exercises:
        wrapped = [f"{name} = strange({name})" for name in functions(exercise)]
        text = (
            "\nimport numpy as np\nclass Speechless(Exception):\n    __str__ = None\n"
            f"def strange(f):\n    def g(*a, **k):\n        r = f(*a, **k)\n"
            f"        return {STRANGE[strange]}\n    return g\n" + "\n".join(wrapped) + "\n"
        )
        with open(folder / exercise.file, "a", encoding="utf-8") as file:
            file.write(text)
    run = grader("check", "--hidden", "--target", str(folder), "--format", "json", "--no-finale")
    assert run.returncode == 1, run.stderr
    assert "Traceback" not in run.stderr
    assert len(json.loads(run.stdout)["exercises"]) == len(COURSE.exercises)


def functions(exercise) -> list[str]:
    """The functions and methods of an exercise, without what makes an object."""
    names = [name for piece in exercise.pieces for name in piece.defines]
    return [name for name in names if name[0].islower() or ("." in name and "__init__" not in name)]
