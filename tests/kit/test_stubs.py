"""The stubs are the solutions without their answers, and a new one costs no student a line."""

import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import stubs
from grader.stubs import StubError, generate, merge, update

SOLUTION = '''"""Lesson."""


def double(x):
    """Twice x."""
    # TODO  one line
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


class Tensor:
    def __mul__(self, other):
        other = like(other)
        ### BEGIN SOLUTION
        def vjp(g):
            return g * other

        return op(self, other, vjp)
        ### END SOLUTION

    def given(self):
        return self
'''

STUB = '''"""Lesson."""


def double(x):
    """Twice x."""
    # TODO  one line
    raise NotImplementedError("TODO double")


class Tensor:
    def __mul__(self, other):
        other = like(other)
        raise NotImplementedError("TODO Tensor.__mul__")

    def given(self):
        return self
'''

DONE = STUB.replace('    raise NotImplementedError("TODO double")', "    return x + x")
NEW_LESSON = SOLUTION.replace('"""Lesson."""', '"""A better lesson."""')
NEW_ANSWER_LINE = SOLUTION.replace("# TODO  one line", "# TODO  one short line")


class Kit:
    """A project of one exercise; calling it with a new solution updates the stubs."""

    def __init__(self, root):
        self.root = root
        self.solutions, self.exercises = root / "solutions", root / "exercises"
        self.base, self.backup = root / ".glassbox" / "stubs", root / ".glassbox" / "backup"
        self.exercise = self.exercises / "ex01_a.py"
        self.record = self.base / "ex01_a.py"

    def __call__(self, solution):
        self.solutions.mkdir(exist_ok=True)
        (self.solutions / "ex01_a.py").write_bytes(solution.encode())
        (change,) = update(self.solutions, self.exercises, self.base)
        return change

    def write(self, text):
        self.exercise.write_bytes(text.encode())

    def read(self):
        return self.exercise.read_bytes().decode()

    def backups(self):
        return [path.read_bytes().decode() for path in self.backup.glob("*")]

    def commit(self, *options):
        """Commit solutions and exercises as they are; the repository is made first if need be."""
        who = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
        for command in (["init"], ["add", "solutions", *options], [*who, "commit", "-m", "x"]):
            subprocess.run(["git", *command], cwd=self.root, check=True, capture_output=True)


@pytest.fixture
def kit(tmp_path):
    return Kit(tmp_path)


# Solution -> stub


def test_each_answer_becomes_one_line_that_names_what_is_to_do():
    assert generate(SOLUTION, "a.py") == STUB


def test_a_file_without_answers_is_copied_as_it_is():
    text = "import math\n\n\nx = math.pi  # no newline at the end"
    assert generate(text, "microgpt.py") == text


def test_a_second_answer_in_a_function_is_named_after_it_too():
    text = (
        "def f(x):\n"
        "    if x:\n"
        "        ### BEGIN SOLUTION\n"
        "        return 1\n"
        "        ### END SOLUTION\n"
        "    else:\n"
        "        ### BEGIN SOLUTION\n"
        "        return 2\n"
        "        ### END SOLUTION\n"
    )
    todo = '        raise NotImplementedError("TODO f")\n'
    assert generate(text, "a.py") == f"def f(x):\n    if x:\n{todo}    else:\n{todo}"


def test_every_stub_is_python_that_compiles():
    compile(generate(SOLUTION, "a.py"), "a.py", "exec")


def in_function(*lines):
    return "\n".join(["def f(x):", *("    " + line for line in lines), ""])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (in_function(stubs.BEGIN, "return x"), "a.py:2: BEGIN SOLUTION without an END SOLUTION"),
        (in_function("return x", stubs.END), "a.py:3: END SOLUTION without a BEGIN SOLUTION"),
        (
            in_function(stubs.BEGIN, "y = x", stubs.BEGIN, "return y", stubs.END, stubs.END),
            "a.py:4: a second BEGIN SOLUTION; end the one of line 2 first",
        ),
        (in_function(stubs.BEGIN, "# nothing", stubs.END, "return x"), "a.py:2: there is no code"),
        (
            in_function("# begin solution", "return x", "# end solution"),
            "a.py:2: write a marker alone on its line, as ### BEGIN SOLUTION or ### END SOLUTION",
        ),
        (in_function("return x  " + stubs.END), "a.py:2: write a marker alone on its line"),
        (f"{stubs.BEGIN}\nx = 1\n{stubs.END}\n", "a.py:1: this answer is not inside one function"),
        (
            f"class A:\n    {stubs.BEGIN}\n    def f(self):\n        return 1\n    {stubs.END}\n",
            "a.py:2: this answer is not inside one function",
        ),
        (
            in_function(stubs.BEGIN, "return x").rstrip()
            + f"\n\n\ndef g():\n    pass\n{stubs.END}\n",
            "a.py:2: this answer is not inside one function",
        ),
        (
            f"def f(x):\n{stubs.BEGIN}\n    return x\n{stubs.END}\n",
            "a.py:2: put both markers around",
        ),
        (
            in_function(stubs.BEGIN, "return (", stubs.END, "x)"),
            "a.py:2: put both markers around whole statements",
        ),
        ("def f(x:\n", "a.py:1: not valid Python"),
    ],
)
def test_a_wrong_marker_is_refused_with_its_file_and_line(text, says):
    with pytest.raises(StubError, match="^" + says.replace("(", r"\(")):
        generate(text, "a.py")


# Drift


def test_no_drift_after_an_update(kit):
    kit(SOLUTION)
    assert stubs.check(kit.solutions, kit.exercises) == []


def test_drift_names_the_file_and_the_first_line_that_differs(kit):
    kit(SOLUTION)
    kit.write(STUB.replace('"""Twice x."""', '"""Thrice x."""'))
    assert stubs.check(kit.solutions, kit.exercises) == [
        "exercises/ex01_a.py:5 differs from the stub of its solution: "
        '\'"""Thrice x."""\' where the stub has \'"""Twice x."""\''
    ]


def test_a_longer_file_a_missing_one_and_a_stray_one_are_drift(kit):
    kit(SOLUTION)
    kit.write(STUB + "x = 1\n")
    (longer,) = stubs.check(kit.solutions, kit.exercises)
    assert longer.startswith("exercises/ex01_a.py:17 differs")
    assert longer.endswith("'x = 1' where the stub has ''")
    kit.exercise.rename(kit.exercises / "stray.py")
    assert stubs.check(kit.solutions, kit.exercises) == [
        "exercises/ex01_a.py is missing",
        "exercises/stray.py has no solution of that name",
    ]


def test_a_folder_without_solutions_is_an_error_and_not_no_drift(tmp_path):
    with pytest.raises(StubError, match="there are no solutions here"):
        stubs.check(tmp_path / "solutions", tmp_path / "exercises")


def test_windows_line_ends_are_no_drift(kit):
    kit(SOLUTION)
    kit.write("\ufeff" + STUB.replace("\n", "\r\n"))
    assert stubs.check(kit.solutions, kit.exercises) == []


# Update


def test_a_missing_exercise_is_written(kit):
    assert kit(SOLUTION).action == stubs.CREATED
    assert kit.read() == STUB


def test_an_untouched_exercise_is_replaced(kit):
    kit(SOLUTION)
    assert kit(NEW_LESSON).action == stubs.REPLACED
    assert kit.read() == generate(NEW_LESSON, "ex01_a.py")
    assert kit.backups() == [STUB]


def test_work_is_left_alone_while_its_stub_stays_the_same(kit):
    kit(SOLUTION)
    kit.write(DONE)
    assert kit(SOLUTION.replace("return 2 * x", "return x << 1")).action == stubs.KEPT
    assert kit.read() == DONE
    assert kit.backups() == []


def test_what_is_new_in_the_kit_is_added_around_a_student_s_work(kit):
    kit(SOLUTION)
    kit.write(DONE)
    change = kit(NEW_LESSON)
    assert change.action == stubs.MERGED
    assert kit.read() == DONE.replace('"""Lesson."""', '"""A better lesson."""')
    assert change.backup.read_text("utf-8") == DONE


def test_where_both_changed_a_line_the_student_s_counts_and_the_kit_s_is_a_comment(kit):
    kit(SOLUTION)
    kit.write(DONE)
    change = kit(NEW_ANSWER_LINE)
    assert change.action == stubs.CONFLICTED
    assert "in one place you and the kit changed the same lines" in change.message
    assert (
        "    # TODO  one line\n"
        "    return x + x\n"
        f"{stubs.CONFLICT}\n"
        "# kit:     # TODO  one short line\n"
        '# kit:     raise NotImplementedError("TODO double")\n'
    ) in kit.read()
    compile(kit.read(), "ex01_a.py", "exec")


def test_lines_that_the_kit_dropped_and_the_student_changed_stay(kit):
    kit(SOLUTION)
    kit.write(DONE.replace("return self\n", "return self  # mine\n"))
    kit(SOLUTION[: SOLUTION.index("    def given")].rstrip() + "\n")
    assert "return self  # mine" in kit.read()
    assert "# kit: (nothing: they are gone)" in kit.read()


def test_a_merge_that_would_break_the_student_s_program_is_put_beside_it(kit):
    kit("a = 1 + \\\n    2\n")
    kit.write("a = 3 + \\\n    2\n")
    change = kit("a = 4 + \\\n    2\n")
    assert change.action == stubs.BESIDE
    assert "merging the new stub into it would break it" in change.message
    assert kit.read() == "a = 3 + \\\n    2\n"


def test_running_again_changes_nothing(kit):
    kit(SOLUTION)
    kit.write(DONE)
    kit(NEW_ANSWER_LINE)
    before = kit.read()
    assert kit(NEW_ANSWER_LINE).action == stubs.KEPT
    assert kit.read() == before
    assert len(kit.backups()) == 1


def test_a_bom_and_windows_line_ends_stay_as_the_student_has_them(kit):
    kit(SOLUTION)
    kit.write("\ufeff" + DONE.replace("\n", "\r\n"))
    assert kit(NEW_LESSON).action == stubs.MERGED
    expected = DONE.replace('"""Lesson."""', '"""A better lesson."""')
    assert kit.read() == "\ufeff" + expected.replace("\n", "\r\n")


def test_without_a_known_start_the_new_stub_is_put_beside_the_work(kit):
    kit.exercises.mkdir()
    kit.write(DONE)
    change = kit(SOLUTION)
    assert change.action == stubs.BESIDE
    assert change.message == (
        "exercises/ex01_a.py: left alone, because it is not known which stub it started from; "
        "the new stub is exercises/ex01_a.py.new"
    )
    assert kit.read() == DONE
    assert kit.exercise.with_name("ex01_a.py.new").read_text("utf-8") == STUB


def test_a_file_that_is_not_utf_8_is_left_alone(kit):
    kit(SOLUTION)
    latin = DONE.encode() + "# caf\u00e9\n".encode("latin-1")
    kit.exercise.write_bytes(latin)
    change = kit(NEW_LESSON)
    assert change.action == stubs.BESIDE
    assert "it is not UTF-8 text" in change.message
    assert kit.exercise.read_bytes() == latin


def test_an_error_in_one_solution_leaves_every_exercise_as_it_was(kit):
    kit(SOLUTION)
    (kit.solutions / "ex02_b.py").write_text(in_function(stubs.BEGIN, "return x"), "utf-8")
    with pytest.raises(StubError, match=r"^solutions/ex02_b.py:2"):
        kit(NEW_LESSON)
    assert kit.read() == STUB


def test_other_files_in_the_exercises_folder_are_not_touched(kit):
    kit(SOLUTION)
    manifest = kit.exercises / "manifest.toml"
    manifest.write_text("x = 1\n", "utf-8")
    kit(NEW_LESSON)
    assert manifest.read_text("utf-8") == "x = 1\n"
    assert sorted(path.name for path in kit.exercises.iterdir()) == ["ex01_a.py", "manifest.toml"]


def test_without_a_record_git_tells_which_stub_the_work_started_from(kit):
    kit(SOLUTION)
    kit.commit("exercises")
    kit.write(DONE)
    kit.record.unlink()
    assert kit(NEW_LESSON).action == stubs.MERGED
    assert kit.read() == DONE.replace('"""Lesson."""', '"""A better lesson."""')


def test_work_that_the_student_has_committed_is_not_taken_for_the_kit_s(kit):
    kit(SOLUTION)
    kit.write(DONE)
    kit.commit("exercises")
    kit.record.unlink()
    assert kit(NEW_LESSON).action == stubs.MERGED
    assert "return x + x" in kit.read()


def test_an_untouched_stub_of_an_older_commit_is_replaced(kit):
    kit(SOLUTION)
    kit.commit("exercises")
    (kit.solutions / "ex01_a.py").write_text(NEW_LESSON, "utf-8")
    kit.commit()
    kit.record.unlink()
    assert kit(NEW_LESSON).action == stubs.REPLACED
    assert stubs.check(kit.solutions, kit.exercises) == []


# Whatever a student and the kit do

KIT_LINES = [f"x{n} = {n}" for n in range(5)] + ["", "# a comment"]
STRANGE_LINES = [
    "x1 = 1",
    "",
    "\t",
    "if x:",
    '"""',
    "\x0c",
    "a\rb",
    "caf\u00e9 \u2028 \U0001f600",
    "# kit: x1 = 1",
]
kit_texts = st.lists(st.sampled_from(KIT_LINES), max_size=12)
edits = st.lists(
    st.tuples(st.sampled_from(["insert", "replace", "delete"]), st.integers(0, 12)), max_size=6
)


def edited(lines, edits, author):
    """`lines` after some edits; every new line says whose it is and stands only once."""
    lines = list(lines)
    for number, (kind, at) in enumerate(edits):
        at %= len(lines) + 1
        new = [] if kind == "delete" else [f"{author} = {number}"]
        lines[at : at + (kind != "insert")] = new
    return lines


def by(author, lines):
    return [line for line in lines if line.startswith(author)]


def is_subsequence(part, whole):
    rest = iter(whole)
    return all(line in rest for line in part)


@settings(derandomize=True, max_examples=300)
@given(kit_texts, edits, edits)
def test_all_that_either_made_is_in_the_merged_file_in_its_order(base, mine, theirs):
    student, kit = edited(base, mine, "student"), edited(base, theirs, "kit")
    merged, _ = merge("\n".join(student), "\n".join(kit), "\n".join(base))
    merged = merged.split("\n")
    assert is_subsequence(by("student", student), merged)
    assert is_subsequence(by("kit", kit), [line.removeprefix("# kit: ") for line in merged])


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.data())
def test_through_many_versions_no_line_of_a_student_is_lost(data):
    """Unique lines stay in the file; the whole file as it was stays there, or in a backup."""
    with tempfile.TemporaryDirectory() as folder:
        kit = Kit(Path(folder))
        made = []
        for version in range(3):
            kit("\n".join(data.draw(kit_texts)))
            lines = data.draw(strange_edits(kit.read().split("\n"), version))
            made = by("student", lines)
            kit.write("\n".join(lines))
            before = kit.read()
            kit("\n".join(data.draw(kit_texts)))
            assert is_subsequence(made, kit.read().split("\n"))
            assert before in [kit.read(), *kit.backups()]


@st.composite
def strange_edits(draw, lines, version):
    """What a student may leave in a file: own lines, the kit's lines copied, nonsense, nothing."""
    lines = edited(lines, draw(edits), f"student{version}")
    for line in draw(st.lists(st.sampled_from(STRANGE_LINES), max_size=4)):
        lines.insert(draw(st.integers(0, len(lines))), line)
    return lines
