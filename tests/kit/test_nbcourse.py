"""The course as an nbgrader course: what is handed out, and how it works where it is fetched."""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader import bundle, nbcourse, workbook
from grader import course as courses
from grader.course import ROOT

COURSE = courses.load()


@pytest.fixture(scope="module")
def kit():
    return bundle.Kit(COURSE)


@pytest.fixture(scope="module")
def packed(kit):
    """The students' bundle, without the list of known mistakes, which takes a minute to make."""
    return bundle.pack(bundle.for_students(kit, ()))


@pytest.fixture(scope="module")
def course(kit, packed, tmp_path_factory):
    """A course of one assignment for each exercise. Tests leave it as it is."""
    folder = tmp_path_factory.mktemp("nbgrader") / "course"
    nbcourse.write(folder, kit, packed)
    return folder


def notebook(path):
    return json.loads(path.read_text("utf-8"))


def grade_cells(path):
    cells = [cell["metadata"].get("nbgrader", {}) for cell in notebook(path)["cells"]]
    return {cell["grade_id"]: cell["points"] for cell in cells if cell.get("grade")}


def test_every_exercise_is_an_assignment_with_its_stub_and_its_workbook(course, kit):
    stubs = kit.stubs()
    assert {path.name for path in (course / "source").iterdir()} == set(COURSE.by_id)
    for exercise in COURSE.exercises:
        folder = course / "source" / exercise.id
        assert (folder / exercise.file).read_bytes() == stubs[exercise.file]
        assert (folder / f"{exercise.id}.ipynb").is_file()


def test_whole_is_one_assignment_of_all(kit, packed, tmp_path):
    nbcourse.write(tmp_path / "course", kit, packed, whole=True)
    (folder,) = (tmp_path / "course" / "source").iterdir()
    names = {path.name for path in folder.iterdir()}
    for exercise in COURSE.exercises:
        assert {exercise.file, f"{exercise.id}.ipynb"} <= names
    assert nbcourse.of_folder(tmp_path / "course", COURSE)[0].exercises == COURSE.exercises


def test_a_grade_cell_stands_for_each_piece_with_its_points(course):
    for exercise in COURSE.exercises:
        path = course / "source" / exercise.id / f"{exercise.id}.ipynb"
        assert grade_cells(path) == {piece.name: piece.points for piece in exercise.pieces}


def test_no_line_of_an_answer_or_a_hidden_test_is_handed_out(course, kit, packed):
    """`release/` is what `source/` is; the packed kit is the bundle, which has such a test too."""
    found = {p.name: p.read_bytes() for p in (course / "source").rglob("*") if p.is_file()}
    assert found.pop("glassbox.kit") == packed
    for name in [name for name in found if name.endswith(".ipynb")]:
        cells = json.loads(found[name])["cells"]
        found[name] = "\n".join(cell["source"] for cell in cells).encode()
    secret = bundle.secrets(kit)
    assert len(secret) > 1000
    assert list(bundle.given_away(found, secret)) == []


def test_a_workbook_teaches_says_where_to_write_and_checks(course):
    for exercise in COURSE.exercises:
        path = course / "source" / exercise.id / f"{exercise.id}.ipynb"
        source = {cell["id"]: cell["source"] for cell in notebook(path)["cells"]}
        lesson = ast.get_docstring(ast.parse(path.with_suffix(".py").read_text("utf-8")))
        words = re.findall(r"\w{4,}", lesson.partition("\n")[2])
        assert [word for word in words if word not in source["lesson"]] == []
        assert exercise.file in source["start"] and exercise.goal in source["start"]
        assert f'glassbox.check("{exercise.short}")' in source["check"]
        assert "$$" in source["formulas"]
    start = notebook(course / "source" / "ex05_norm" / "ex05_norm.ipynb")["cells"][0]["source"]
    assert "`ex03_tensor`: keep those folders beside this one" in start


def test_workbooks_are_notebooks_to_jupyter(course):
    nbformat = pytest.importorskip("nbformat", reason="needs requirements/instructor.txt")
    for path in (course / "source").rglob("*.ipynb"):
        nbformat.validate(nbformat.read(path, as_version=4))


def test_every_formula_belongs_to_an_exercise():
    assert list(tomllib.loads(workbook.FORMULAS.read_text("utf-8"))) == list(COURSE.by_id)


@given(st.text(alphabet="`~ab\n "))
def test_no_text_breaks_out_of_its_block(text):
    first, *inside, last = workbook.fenced(text, "python").split("\n")
    assert first == last + "python" and set(last) == {"`"}
    assert "\n".join(inside) == text.rstrip()
    assert not any(line.strip(" ").startswith(last) for line in inside)


def test_names_of_the_lesson_are_set_as_code_and_its_blocks_left_alone():
    lesson = "Use mean_product, and GPT.__call__ where a < b.\n\n    x_0 = a < b\n"
    assert workbook.to_markdown(lesson) == (
        "Use `mean_product`, and `GPT.__call__` where a &lt; b.\n\n    x_0 = a < b"
    )


def test_made_again_it_keeps_what_is_the_instructors(kit, packed, tmp_path):
    folder = tmp_path / "course"
    nbcourse.write(folder, kit, packed)
    config = folder / "nbgrader_config.py"
    config.write_text(config.read_text("utf-8") + "# mine\n", "utf-8")
    (folder / "gradebook.db").write_bytes(b"marks")
    stub = folder / "source" / "ex05_norm" / "ex05_norm.py"
    stub.write_text("an older stub", "utf-8")
    nbcourse.write(folder, kit, packed)
    assert config.read_text("utf-8").endswith("# mine\n")
    assert (folder / "gradebook.db").read_bytes() == b"marks"
    assert stub.read_bytes() == kit.stubs()["ex05_norm.py"]


def test_what_is_handed_in_of_an_exercise_added_later_stays_as_it_is(
    kit, packed, tmp_path, monkeypatch
):
    """nbgrader's autograde copies source/ over what was handed in, but for the files named."""
    folder = tmp_path / "course"
    nbcourse.write(folder, kit, packed)
    (folder / "source" / "ex11_more").mkdir()
    (folder / "source" / "ex11_more" / "ex11_more.py").write_text("x = 1\n", "utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setenv("PATH", os.environ["PATH"])
    config, said = folder / "nbgrader_config.py", mock.MagicMock()
    names = {"__file__": str(config), "get_config": lambda: said}
    exec(compile(config.read_text("utf-8"), config, "exec"), names)
    kept = {exercise.id: [exercise.file] for exercise in COURSE.exercises}
    assert said.Autograde.exclude_overwriting == kept | {"ex11_more": ["ex11_more.py"]}


def test_a_folder_that_holds_something_else_is_refused(kit, packed, tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work", "utf-8")
    with pytest.raises(nbcourse.CourseFolderError, match="name a folder that is new"):
        nbcourse.write(tmp_path, kit, packed)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_course_cannot_be_divided_otherwise_later(kit, packed, course):
    with pytest.raises(nbcourse.CourseFolderError, match="divided otherwise"):
        nbcourse.write(course, kit, packed, whole=True)


def test_the_command_refuses_in_words(tmp_path):
    (tmp_path / "file").write_text("", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "grader", "course", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 2
    assert "name a folder that is new" in done.stderr


class Fetched:
    """Assignments in a student's folder, side by side, as fetch_assignment leaves them."""

    def __init__(self, course, home):
        self.course, self.home = course, home

    def fetch(self, assignment):
        nbcourse.shutil.copytree(self.course / "source" / assignment, self.home / assignment)

    def solve(self, exercise):
        text = (ROOT / "solutions" / f"{exercise}.py").read_text("utf-8")
        (self.home / exercise / f"{exercise}.py").write_text(text, "utf-8")

    def run(self, assignment, code, **environment):
        """What the workbook's cells would print; the pages that they show are printed too."""
        return subprocess.run(
            [sys.executable, "-c", f"import glassbox\nglassbox._show = print\n{code}"],
            cwd=self.home / assignment,
            env={**os.environ, **environment},
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )


@pytest.fixture(scope="module")
def fetched(course, tmp_path_factory):
    """ex01 solved, ex03 solved, ex05 fetched: the folder of a student in the middle."""
    student = Fetched(course, tmp_path_factory.mktemp("jane"))
    for assignment in ("ex01_tokenizer", "ex03_tensor", "ex05_norm"):
        student.fetch(assignment)
    for exercise in ("ex01_tokenizer", "ex03_tensor"):
        student.solve(exercise)
    return student


def test_a_workbook_checks_what_stands_beside_it(fetched):
    done = fetched.run("ex01_tokenizer", 'print(glassbox.points("ex01.encode"))')
    assert done.stdout.splitlines()[-1] == "4.0", done.stderr
    assert "encode" in done.stdout and "passed" in done.stdout


def test_a_workbook_takes_earlier_exercises_from_the_folders_beside_it(fetched):
    done = fetched.run("ex05_norm", 'glassbox.check("ex05")')
    assert "to do" in done.stdout and "waiting" not in done.stdout, done.stderr
    assert str(fetched.home) not in done.stdout


def test_a_workbook_gives_hints(fetched):
    first, second = (fetched.run("ex05_norm", 'glassbox.hint("ex05.layernorm")') for _ in "12")
    assert first.returncode == second.returncode == 0, first.stderr
    assert first.stdout.strip() and first.stdout != second.stdout


def test_the_kit_is_unpacked_once_and_outside_what_is_handed_in(fetched):
    before = {path.name for path in (fetched.home / "ex01_tokenizer").iterdir()}
    fetched.run("ex01_tokenizer", 'glassbox.check("ex01")')
    after = {path.name for path in (fetched.home / "ex01_tokenizer").iterdir()}
    assert after - before <= {"__pycache__"}
    assert len(list((fetched.home / ".glassbox").iterdir())) == 1


def test_no_points_are_earned_in_a_notebook_that_nbgrader_runs(fetched):
    code = 'glassbox.points("ex01.encode")'
    done = fetched.run("ex01_tokenizer", code, NBGRADER_EXECUTION="autograde")
    assert done.returncode != 0
    assert "nbgrader_config.py" in done.stderr
