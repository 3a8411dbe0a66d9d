"""`validate`: a new exercise goes the whole way, and each thing that can be wrong is said."""

import shutil

import pytest

from grader import course as courses
from grader import validate
from grader.course import MANIFEST, ROOT

ENTRY = """
[[exercise]]
id = "ex11_example"
title = "Twice"
goal = "Double what you are given."
minutes = 5
difficulty = 1
part = "training"

[[exercise.piece]]
name = "double"
points = 4
defines = ["double"]
needs = []
hints = [
    "What is 3 and 3?",
    "Add the number to itself.",
    "return number + ...",
]
"""
SOLUTION = '''"""Exercise 11: twice."""


def double(number):
    """Twice `number`: 3 gives 6."""
    # TODO  one line
    ### BEGIN SOLUTION
    return number + number
    ### END SOLUTION
'''
TESTS = '''"""Exercise 11, what you see."""

import pytest

from grader.compare import same


@pytest.mark.piece("double", core=True)
def test_three_gives_six(student):
    same(student.double(3), 6)


@pytest.mark.piece("double", core=True)
def test_nothing_stays_nothing(student):
    same([student.double(0), student.double(-1)], [0, -2])
'''
MUTANT = '''"""Exercise 11: mistakes."""

from grader.diagnosis import mutant


@mutant("ex11_example", "double", says="you squared it")
def double_squared(number):
    return number * number
'''


VISIBLE, MUTANTS = "tests/visible/test_ex11_example.py", "tests/mutants/ex11_example.py"
CORELESS = '@pytest.mark.piece("double")\n'


def with_exercise(copy, *changes: tuple[str, str, str]):
    """The copy of the course with an exercise more, and changes (file, old, new) of that."""
    shutil.copytree(ROOT / "tests" / "hidden", copy.root / "tests" / "hidden")
    with (copy.exercises / "manifest.toml").open("a", encoding="utf-8") as manifest:
        manifest.write(ENTRY)
    (copy.root / "solutions" / "ex11_example.py").write_text(SOLUTION, "utf-8")
    (copy.root / "tests" / "visible" / "test_ex11_example.py").write_text(TESTS, "utf-8")
    (copy.root / "tests" / "mutants" / "ex11_example.py").write_text(MUTANT, "utf-8")
    for file, old, new in changes:
        path = copy.root / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")
    return copy


def test_a_new_exercise_goes_through_stubs_validate_and_check(copy):
    course = with_exercise(copy)
    missing = course.grader("validate", "ex11")
    assert missing.returncode == 1
    assert "exercises/ex11_example.py: there is no such file" in missing.stdout
    assert "make it: python -m grader stubs" in missing.stdout

    assert course.grader("stubs").returncode == 0
    stub = course.exercises / "ex11_example.py"
    assert 'NotImplementedError("TODO double")' in stub.read_text("utf-8")

    whole = course.grader("validate", "ex11")
    assert (whole.returncode, whole.stdout) == (0, "nothing is wrong\n"), whole.stderr
    matrix = course.grader("mutants", "ex11", "--format", "plain")  # it has no hidden tests
    assert matrix.returncode == 0, matrix.stderr
    assert "ex11.double_squared: visible 2 tests, hidden no tests, named" in matrix.stdout

    assert course.grader("check", "ex11").returncode == 1
    course.solve("ex11_example")
    done = course.grader("check", "ex11")
    assert done.returncode == 0
    assert "4 of 4 points" in done.stdout


def test_a_solution_that_fails_and_a_test_that_the_stub_passes_are_said(copy):
    course = with_exercise(
        copy,
        ("solutions/ex11_example.py", "number + number", "number * 3"),
        (VISIBLE, "same([student.double(0), student.double(-1)], [0, -2])", "assert True"),
    )
    course.grader("stubs")
    run = course.grader("validate", "ex11")
    assert run.returncode == 1, run.stderr
    assert f"{VISIBLE}, test_three_gives_six: the solution does not pass: " in run.stdout
    assert "to do: mend the test or solutions/ex11_example.py" in run.stdout
    assert f"{VISIBLE}, test_nothing_stays_nothing: of the stub it says passed" in run.stdout


def test_answers_that_cost_nothing_and_mistakes_that_pass_are_said(copy):
    course = with_exercise(
        copy,
        ("exercises/manifest.toml", '"return number + ..."', '"return number + number"'),
        (VISIBLE, '@pytest.mark.piece("double", core=True)\ndef test_n', CORELESS + "def test_n"),
        (VISIBLE, "same(student.double(3), 6)", "same(student.double(0), 0)"),
        (MUTANTS, "number * number", "number + number if number < 9 else 9"),
    )
    course.grader("stubs")
    run = course.grader("validate", "ex11")
    assert run.returncode == 1, run.stderr
    assert "holds the line of solutions/ex11_example.py:8: return number + number" in run.stdout
    assert "ex11.double: giving its argument earns 2 points, by test_three" in run.stdout
    assert f"{MUTANTS}, ex11.double_squared: no test fails it: you squared it" in run.stdout


# the manifest alone


TABLE = MANIFEST.read_text("utf-8") + ENTRY


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "from grader.diagnosis",
            "import nowhere\nfrom grader.diagnosis",
            "it cannot be loaded: Mod",
        ),
        ('"ex11_example", "double"', '"ex11_exmple", "double"', "is no exercise ex11_exmple in"),
        (
            '"ex11_example", "double"',
            '"ex11_example", "duble"',
            "example.py defines no duble; mend",
        ),
    ],
)
def test_a_mistake_in_a_file_of_mistakes_is_said_with_its_file(copy, old, new, says):
    course = with_exercise(copy, (MUTANTS, old, new))
    course.grader("stubs")
    done = course.grader("validate", "ex11")
    assert done.returncode == 1 and MUTANTS in done.stdout and says in done.stdout, done.stderr
    measured = course.grader("mutants", "ex11", "--format", "plain")
    assert measured.returncode == 2 and f"grader: {MUTANTS}" in measured.stderr
    assert says in measured.stderr


def said(tmp_path, text: str) -> list[str]:
    path = tmp_path / "manifest.toml"
    path.write_text(text, "utf-8")
    return [f"{f.where}: {f.what} ({f.advice})" for f in validate.manifest(path)]


def test_nothing_is_wrong_with_the_manifest(tmp_path):
    assert said(tmp_path, TABLE) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('points = 4\ndefines = ["double"]', 'defines = ["double"]', "double: points is missing"),
        ('points = 4\ndefines = ["double"]', 'points = -4\ndefines = ["double"]', "points is -4"),
        ('defines = ["double"]', "defines = []", "double: defines is []"),
        ('id = "ex11_example"', 'id = "eleven"', "id is 'eleven' (id is like \"ex05_norm\""),
        ('id = "ex11_example"', 'id = "ex10_example"', "ex10 is there twice"),
        ('name = "double"', 'name = "to double"', "name is 'to double'"),
        ('goal = "Double what you are given."\n', "", "ex11_example: goal is missing"),
        ('minutes = 5\ndifficulty = 1\npart = "training"', "minutes = 0", "minutes is 0"),
        ('    "What is 3 and 3?",\n', "", "ex11.double has 2 hints (write three"),
        ("[limits]", "[limitless]", "[limits]: call is missing"),
        ('title = "Twice"', "title = Twice", "Invalid value"),
        (
            '["double"]\nneeds = []',
            '["double"]\nneeds = ["ex12.x"]',
            "ex11.double needs ex12.x, which does not exist",
        ),
        (
            '["double"]\nneeds = []',
            '["double"]\nneeds = ["double"]',
            "ex11.double needs itself",
        ),
        (
            'defines = ["CharTokenizer.__init__"]\nneeds = []',
            'defines = ["CharTokenizer.__init__"]\nneeds = ["ex11.double"]',
            "ex01.vocabulary needs ex11.double, which comes later",
        ),
        ('gradient = "ex03.backward"', "gradient = 3", "gradient is 3 (gradient is a piece"),
        ('gradient = "ex03.backward"', 'gradient = "ex03.bakward"', "ex03.bakward, which is no"),
        ('gradient = "ex03.backward"', 'gradient = "ex03"', "the gradient ex03, which is no piece"),
        ('gradient = "ex03.backward"', 'gradiant = "ex03.backward"', "nothing is called gradiant"),
        ("points = 4\n", "points = 4\nall_or_nothing = 1\n", "all_or_nothing is 1"),
        ('id = "ex11_example"', 'id = "ex11_example"\nlimits = 5', "limits is 5"),
    ],
)
def test_a_wrong_entry_is_named_with_what_it_should_be(tmp_path, old, new, says):
    assert old in TABLE
    found = said(tmp_path, TABLE.replace(old, new))
    assert any(says in words for words in found), found


def test_an_exercise_of_the_model_cannot_be_left_out(tmp_path):
    last = TABLE.index('[[exercise]]\nid = "ex10_sampling"')
    [words] = said(tmp_path, TABLE[:last])
    assert "ex10_sampling is missing" in words and "leave it in" in words


@pytest.mark.parametrize("old, new", [("points = 4\n", 'points = "4"\n'), ("[limits]", "[limit]")])
def test_whoever_reads_the_course_is_told_of_a_wrong_entry(tmp_path, old, new):
    path = tmp_path / "manifest.toml"
    path.write_text(TABLE.replace(old, new), "utf-8")
    with pytest.raises(courses.CourseError) as error:
        courses.load(path)
    first = validate.manifest(path).__next__()
    assert str(error.value) == f"{first.where}: {first.what}; {first.advice}".replace(
        "exercises/manifest.toml", str(path)
    )


@pytest.mark.parametrize(
    "text",
    ["", "exercise = 3", 'exercise = ["x"]', "limits = 1\nexercise = [{piece = [1]}]", "\x00"],
)
def test_whatever_the_manifest_holds_it_is_said_and_nothing_breaks(tmp_path, text):
    assert said(tmp_path, text)


# files


def test_a_mistake_in_the_markers_is_said_with_its_line(tmp_path, monkeypatch):
    monkeypatch.setattr(validate, "ROOT", tmp_path)
    exercise = courses.load().exercise("ex05")
    (tmp_path / "solutions").mkdir()
    path = tmp_path / "solutions" / exercise.file
    [missing] = validate.files(exercise)
    assert (missing.where, missing.what) == (
        "solutions/ex05_norm.py",
        "there is no file solutions/ex05_norm.py",
    )
    path.write_text("def f():\n    ### BEGIN SOLUTION\n    return 1\n", "utf-8")
    [finding] = validate.files(exercise)
    assert finding.where == "solutions/ex05_norm.py:2"
    assert finding.what == "BEGIN SOLUTION without an END SOLUTION after it"


def test_a_definition_that_is_not_there_and_a_piece_without_work_are_said(tmp_path, monkeypatch):
    monkeypatch.setattr(validate, "ROOT", tmp_path)
    exercise = courses.load().exercise("ex05")
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / exercise.file).write_text("def rmsnorm(x):\n    return x\n", "utf-8")
    found = [finding.what for finding in validate.files(exercise)]
    assert found == [
        "ex05.rmsnorm leaves nothing to do",
        "ex05.layernorm defines layernorm, which is not there",
        "ex05.layernorm leaves nothing to do",
        "there is no such file",
        "ex05.rmsnorm has no test that is its core",
        "ex05.layernorm has no test that is its core",
    ]
