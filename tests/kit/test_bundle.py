"""The student's bundle: everything that a student needs, and no line of an answer."""

import ast
import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from grader import bundle, diagnosis, precompute, precomputed, suite
from grader import course as courses
from grader.assembly import Target
from grader.course import ROOT
from grader.student import Call

COURSE = courses.load()
LONG = 20  # characters; shorter lines are alike by chance
PYTHON = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'


@pytest.fixture(scope="module")
def files():
    """The bundle's files, with the mistakes of one exercise."""
    return bundle.for_students(bundle.Kit(COURSE), ("ex05_norm",))


@pytest.fixture(scope="module")
def unpacked(files, tmp_path_factory):
    """The bundle as a student has it: unpacked, and set up. Tests leave it as it is."""
    return unpack(bundle.pack(files), tmp_path_factory.mktemp("a student"))


@pytest.fixture
def student(unpacked, tmp_path):
    """A copy of it to work in."""
    return Path(shutil.copytree(unpacked, tmp_path / "course", symlinks=True))


@pytest.fixture(scope="module")
def full_copy(tmp_path_factory):
    """The whole course elsewhere, with what a maintainer's folder gathers in time."""
    root = tmp_path_factory.mktemp("copy") / "course"
    left = (".git", ".glassbox", ".venv", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(*left))
    shutil.copy(ROOT / "solutions" / "ex05_norm.py", root / "exercises")
    rubbish = ["data/shakespeare.txt", "exercises/ex05_norm.py.new", ".glassbox/state.json"]
    for name in [*rubbish, "tests/visible/__pycache__/x.py", "exercises/begun.py"]:
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("rubbish", "utf-8")
    return root


def unpack(data, folder):
    """Unpack as `unzip` does, and put a .venv there that runs this Python."""
    archive = folder / "course.zip"
    bundle.write(archive, data)
    root = folder / "course"
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(root)
        for entry in packed.infolist():
            (root / entry.filename).chmod(entry.external_attr >> 16)
    set_up(root)
    return root


def set_up(root):
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(PYTHON, "utf-8")
    python.chmod(0o755)
    (root / ".venv" / "student.ready").touch()


def run(folder, *command, **environment):
    cleared = {n: v for n, v in os.environ.items() if not n.startswith(("MAKE", "GITHUB_"))}
    return subprocess.run(
        command,
        cwd=folder,
        env=cleared | {"NO_COLOR": "1"} | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )


def check(folder, *arguments):
    """The record of a check there."""
    command = (sys.executable, "-m", "grader", "check", "--format", "json", *arguments)
    done = run(folder, *command)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def solve(root, *exercises):
    for name in exercises:
        shutil.copy(ROOT / "solutions" / f"{COURSE.exercise(name).id}.py", root / "exercises")


def statuses(record):
    return {
        f"{exercise['id'].split('_')[0]}.{piece['name']}": piece["status"]
        for exercise in record["exercises"]
        for piece in exercise["pieces"]
    }


# No answers


def parts(path):
    """What is given in a solution, and its answers, as lists of texts."""
    marker = re.compile(r"^\s*### (?:BEGIN|END) SOLUTION$", flags=re.MULTILINE)
    pieces = marker.split(path.read_text("utf-8"))
    return pieces[::2], pieces[1::2]


def given_text():
    """What every student sees: the stubs and the visible tests."""
    stubs = [part for path in (ROOT / "solutions").glob("*.py") for part in parts(path)[0]]
    tests = [path.read_text("utf-8") for path in (ROOT / "tests" / "visible").glob("*.py")]
    return "\n".join([*stubs, *tests])


def telling(texts):
    """The lines that are too long to be alike by chance, and that no student sees elsewhere."""
    given = given_text()
    lines = {line.strip() for text in texts for line in text.splitlines()}
    return {line for line in lines if len(line) > LONG and line not in given}


def answer_lines():
    return telling(part for path in (ROOT / "solutions").glob("*.py") for part in parts(path)[1])


def test_no_line_of_an_answer_stands_in_the_bundle(files):
    answers = answer_lines()
    assert len(answers) > 100
    assert list(found(files, answers)) == []


def found(files, secrets):
    for name, data in files.items():
        text = data.decode("utf-8", "replace")
        yield from ((name, secret) for secret in secrets if secret in text)


def test_no_hidden_test_stands_in_the_bundle(files):
    functions = {
        ast.get_source_segment(text, node)
        for text in hidden_tests()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert len(functions) > 100
    assert list(found(files, functions)) == []


def hidden_tests():
    return [path.read_text("utf-8") for path in (ROOT / "tests" / "hidden").glob("*.py")]


def test_no_line_of_a_hidden_test_stands_in_the_bundle_but_for_what_the_grader_says_too(files):
    everyday = b"\n".join(data for name, data in files.items() if name.startswith("grader/"))
    lines = {line for line in telling(hidden_tests()) if line not in everyday.decode()}
    assert len(lines) > 1000
    assert list(found(files, lines)) == []


def test_neither_solutions_nor_hidden_tests_nor_mutants_nor_tests_of_the_kit_are_in_it(files):
    folders = {"/".join(name.split("/")[:2]) for name in files}
    assert not folders & {"tests/hidden", "tests/kit", "tests/mutants", "tests/alternatives"}
    assert not any(name.startswith("solutions/") for name in files)


def test_the_stubs_are_made_of_the_solutions_whatever_stands_in_exercises(files, full_copy):
    copied = bundle.for_students(bundle.Kit(COURSE, full_copy), ())
    assert copied == {name: data for name, data in files.items() if not name.endswith(".answers")}


def test_every_stub_is_there_twice_to_work_in_and_to_go_back_to(files):
    for exercise in COURSE.exercises:
        stub = files[f"exercises/{exercise.file}"]
        assert b"raise NotImplementedError" in stub
        assert files[f".glassbox/stubs/{exercise.file}"] == stub


def test_a_bundle_that_would_hand_out_an_answer_is_not_made(full_copy):
    page = full_copy / "exercises" / "README.md"
    text = page.read_text("utf-8")
    line = min(answer_lines())
    page.write_text(f"{text}\n{line}\n", "utf-8")
    with pytest.raises(bundle.BundleError) as error:
        bundle.for_students(bundle.Kit(COURSE, full_copy), ())
    page.write_text(text, "utf-8")
    number = text.count("\n") + 2
    assert f"exercises/README.md:{number} holds the line of solutions/" in str(error.value)


def test_no_hint_holds_a_line_of_an_answer(files):
    manifest = (ROOT / "exercises" / "manifest.toml").read_bytes()
    assert files["exercises/manifest.toml"] == manifest, "the hints are handed out as they are"


def test_the_manifest_still_says_the_same_course_and_its_version(unpacked):
    handed_out = courses.load(unpacked / "exercises" / "manifest.toml")
    assert (handed_out.version, handed_out.points) == (COURSE.version, COURSE.points)
    assert list(handed_out.pieces) == list(COURSE.pieces)


@pytest.mark.parametrize("command", ["bundle x.zip", "lines", "mutants", "stubs"])
def test_what_only_the_whole_course_can_do_is_said_in_words(unpacked, command):
    done = run(unpacked, sys.executable, "-m", "grader", *command.split())
    assert done.returncode == 2
    assert re.fullmatch("grader: .*no solutions.*\n", done.stderr)
    assert not (unpacked / "x.zip").exists()


# The zip


def test_the_same_course_gives_the_same_bytes(files):
    shuffled = dict(reversed(files.items()))
    assert bundle.pack(files) == bundle.pack(shuffled)


def test_another_content_has_another_date_so_that_python_compiles_it_anew(files):
    def dates(files):
        with zipfile.ZipFile(io.BytesIO(bundle.pack(files))) as archive:
            return {entry.date_time for entry in archive.infolist()}

    [before], [after] = dates(files), dates(files | {"README.md": b"new"})
    assert before != after


def test_a_kit_without_solutions_cannot_be_bundled(tmp_path):
    with pytest.raises(bundle.BundleError, match="there is no solutions/ here"):
        bundle.Kit(COURSE, tmp_path)


def test_it_is_small(files):
    assert len(bundle.pack(files)) < 1e6


def test_a_bundle_is_written_whole_or_not_at_all(tmp_path):
    with pytest.raises(bundle.BundleError, match=r"cannot write .*: Is a directory"):
        bundle.write(tmp_path, b"zip")
    bundle.write(tmp_path / "new" / "course.zip", b"zip")
    with pytest.raises(bundle.BundleError, match="cannot write"):
        bundle.write(tmp_path / "new" / "course.zip" / "course.zip", b"zip")
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "course.zip"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="makes a pipe, as POSIX has them")
def test_what_is_no_file_is_written_into_and_never_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    bundle.write(pipe, b"zip")
    assert os.read(reader, 9) == b"zip" and pipe.is_fifo()
    os.close(reader)


def test_the_readme_leads_nowhere_that_is_not_in_the_bundle(files):
    page = files["README.md"].decode()
    places = re.findall(r"\]\(([^)#:]+)\)", page) + re.findall(r"`(\w+/[\w./]*)`", page)
    there = [*files, *{f"{Path(name).parent}/" for name in files}]
    missing = [place for place in places if place not in there and (ROOT / place).exists()]
    assert places and missing == []
    assert bundle.NOTE in page and "## Your first ten minutes" in page
    assert "make test" not in page


def test_the_stubs_to_go_back_to_survive_git(student):
    if not shutil.which("git"):
        pytest.skip("there is no git here")
    run(student, "git", "init", "-q")
    run(student, "git", "add", ".")
    kept = run(student, "git", "ls-files").stdout.splitlines()
    assert ".glassbox/stubs/ex05_norm.py" in kept
    assert not any(name.startswith(".venv") for name in kept)


# What a student does with it


def test_make_check_shows_the_board_of_a_course_that_is_still_to_do(unpacked):
    done = run(unpacked, "make", "check")
    assert done.returncode == 0, done.stderr
    assert "0 of 200 points" in done.stdout
    assert "next: ex01.vocabulary, to write" in done.stdout
    assert "failed" not in done.stdout


def test_an_exercise_whose_needs_are_unfinished_waits_and_never_fails(student):
    solve(student, "ex01", "ex05", "ex06")
    record = check(student, "ex01", "ex05", "ex06")
    found = statuses(record)
    passed = {id for id, status in found.items() if status == "passed"}
    assert passed == {"ex01.vocabulary", "ex01.encode", "ex01.decode", "ex06.KVCache"}
    assert {found[id] for id in found.keys() - passed} == {"waiting"}
    norms = [test for piece in record["exercises"][1]["pieces"] for test in piece["tests"]]
    assert {test["message"] for test in norms} == {"waits for ex03"}


def test_what_waited_passes_once_its_needs_are_written(student):
    solve(student, "ex03", "ex05")
    assert set(statuses(check(student, "ex05")).values()) == {"passed"}


def test_a_mistake_is_named_without_mutants_and_reference(student):
    solve(student, "ex03", "ex05")
    exercise = student / "exercises" / "ex05_norm.py"
    answer = exercise.read_text("utf-8")
    begin = answer.index("def layernorm")
    begin = answer.index("    ### BEGIN SOLUTION", begin)
    end = answer.index("    ### END SOLUTION", begin)
    wrong = (
        "    away = x - x.sum(-1, keepdims=True) / x.shape[-1]\n"
        "    spread = (away**2).sum(-1, keepdims=True) / max(1, x.shape[-1] - 1)\n"
        "    return gain * (away / (spread + eps) ** 0.5) + bias\n"
    )
    exercise.write_text(answer[:begin] + wrong + answer[end:], "utf-8")
    tests = check(student, "layernorm")["exercises"][0]["pieces"][0]["tests"]
    named = {test["diagnosis"] for test in tests} - {None}
    assert named == {"you divided by C - 1; layer norm uses the biased variance (divide by C)"}


def test_reset_goes_back_to_the_stub_and_undo_to_the_work(student):
    solve(student, "ex05")
    exercise = student / "exercises" / "ex05_norm.py"
    work = exercise.read_bytes()
    command = (sys.executable, "-m", "grader")
    assert run(student, *command, "reset", "ex05", "--yes").returncode == 0
    stub = (student / ".glassbox" / "stubs" / "ex05_norm.py").read_bytes()
    assert exercise.read_bytes() == stub
    assert run(student, *command, "undo", "ex05", "--yes").returncode == 0
    assert exercise.read_bytes() == work


def test_a_model_of_one_s_own_files_trains(student):
    solve(student, *(exercise.id for exercise in COURSE.exercises))
    done = run(student, "make", "train", "ARGS=--steps 3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 steps in" in done.stdout


# Diagnosis from what was written down


@pytest.fixture(scope="module")
def setting():
    tests = ROOT / "tests"
    return precompute.Setting(COURSE, ROOT / "solutions", tests / "visible", tests / "mutants")


def ex05_mutants():
    known = diagnosis.known(ROOT / "tests" / "mutants")
    return [mutant for mutant in known if mutant.exercise == "ex05_norm"]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # a mutant may divide by 0
@pytest.mark.parametrize("mutant", ex05_mutants()[::4], ids=lambda mutant: mutant.function.__name__)
def test_a_bundle_names_what_the_whole_course_names(mutant, unpacked):
    [piece] = [p for p in COURSE.pieces.values() if mutant.name in p.defines]
    target = Target.read(ROOT / "solutions", COURSE)

    def named(**options):
        settings = suite.Options(in_process=True, alone=True, patch=mutant, **options)
        [exercise] = suite.check(COURSE, target, (piece,), settings).exercises
        return {test.diagnosis for test in exercise.pieces[0].tests}

    assert named(tests=(unpacked / "tests" / "visible",), reference=None) == named()


def test_what_mistakes_answer_is_found_out_once(setting, tmp_path, monkeypatch):
    """A second bundle takes it from the first; not so where a mistake or the reference changed."""
    made, kept = [], tmp_path / "kept"

    def noted(setting, exercises, notify):
        made.append(exercises)
        return making(setting, exercises, notify)

    making = precompute.made
    monkeypatch.setattr(precompute, "made", noted)
    first = precompute.files(setting, ["ex08_optim"], kept)
    assert precompute.files(setting, ["ex08_optim"], kept) == first
    assert made == [["ex08_optim"], []]
    [file] = kept.iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    assert precompute.files(setting, ["ex08_optim"], kept) == first
    changed = shutil.copytree(setting.mutants, tmp_path / "mutants")
    with (changed / "ex08_optim.py").open("a") as mutants:
        mutants.write("# more to come\n")
    assert precompute.files(replace(setting, mutants=changed), ["ex08_optim"], kept)
    assert made[2:] == [["ex08_optim"], ["ex08_optim"]]
    assert len([*kept.iterdir()]) == 1


def test_no_right_answer_is_written_down(unpacked, setting):
    known = precomputed.read(unpacked / "tests" / "visible" / "ex05_norm.answers")
    right = {}
    for piece in COURSE.by_id["ex05_norm"].pieces:
        right |= precompute.right_answers(setting, piece)
    written = [(e, n) for explanations in known.values() for e in explanations for n in e.wrong]
    assert len(written) > 100
    assert not any(
        diagnosis.alike(explanation.wrong[number], right[explanation.test][number])
        for explanation, number in written
    )


def test_what_answers_partly_like_a_mutant_is_not_named(unpacked):
    file = unpacked / "tests" / "visible" / "ex05_norm.answers"
    test, [explanation, *_] = next(iter(precomputed.read(file).items()))
    answers = [{"value": None}] * explanation.calls
    for number, answer in explanation.wrong.items():
        answers[number] = answer
    log = [call(answer) for answer in answers]
    assert explanation.fits(log)
    assert not explanation.fits(log[:-1])
    assert not explanation.fits([*log, call({"value": None})])
    log[min(explanation.wrong)] = call({"value": 12345.0})
    assert not explanation.fits(log)
    assert precomputed.name({test: log}, file) is None


def call(answer):
    return Call("it()", "it", {}, answer)


@pytest.mark.parametrize("damage", [lambda data: data[:50], lambda data: b"", lambda data: b"x"])
def test_a_damaged_file_of_answers_costs_the_names_and_nothing_else(damage, unpacked, tmp_path):
    whole = unpacked / "tests" / "visible" / "ex05_norm.answers"
    (tmp_path / whole.name).write_bytes(damage(whole.read_bytes()))
    assert precomputed.read(tmp_path / whole.name) == {}
    assert precomputed.name({"test_it": []}, tmp_path / whole.name) is None
    assert precomputed.name({"test_it": []}, tmp_path / "missing.answers") is None


# Gradescope


@pytest.fixture(scope="module")
def autograder(tmp_path_factory):
    """Gradescope's folder /autograder, set up."""
    home = tmp_path_factory.mktemp("autograder")
    data = bundle.pack(bundle.for_gradescope(bundle.Kit(COURSE)))
    unpack(data, home).rename(home / "source")
    shutil.copy(home / "source" / "run_autograder", home)
    return home


def grade(home, folder):
    """Submit the files of a folder. Returns results.json."""
    shutil.rmtree(home / "submission", ignore_errors=True)
    shutil.copytree(folder, home / "submission")
    done = run(home, "./run_autograder", AUTOGRADER=str(home))
    assert done.returncode == 0, done.stderr
    return json.loads((home / "results" / "results.json").read_text("utf-8"))


@pytest.mark.parametrize("layout", ["submission", "submission/exercises"])
def test_gradescope_is_given_the_points_of_a_submission(autograder, tmp_path, layout):
    folder = tmp_path / layout
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "solutions" / "ex01_tokenizer.py", folder)
    results = grade(autograder, tmp_path / "submission")
    points = COURSE.by_id["ex01_tokenizer"].points
    assert results["score"] == points
    scored = [entry for entry in results["tests"] if "score" in entry]
    assert sum(entry["score"] for entry in scored) == points
    assert sum(entry["max_score"] for entry in scored) == COURSE.points
    assert "after_published" in {entry["visibility"] for entry in scored}


def test_an_autograder_that_cannot_run_leaves_no_results(autograder):
    shutil.rmtree(autograder / "results", ignore_errors=True)
    shutil.rmtree(autograder / "submission", ignore_errors=True)
    done = run(autograder, "./run_autograder", AUTOGRADER=str(autograder))
    assert done.returncode == 2
    assert not (autograder / "results").exists()


def test_setting_up_gradescope_s_machine_brings_a_python_that_is_new_enough(tmp_path):
    source, tools = tmp_path / "source", tmp_path / "bin"
    shutil.copytree(ROOT / "requirements", source / "requirements")
    tools.mkdir()
    for tool in ("sh", "dirname", "mkdir", "rm", "chmod"):
        (tools / tool).symlink_to(shutil.which(tool))
    fakes = {
        "apt-get": 'echo "apt-get $*" >>calls\n[ "$3" != python3.11-venv ] || '
        f'{{ printf "%s" "$FAKE" >"{tools}/python3.11"; chmod +x "{tools}/python3.11"; }}\n',
        "python3": "exit 1\n",  # too old for every question
    }
    for name, text in fakes.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}", "utf-8")
        (tools / name).chmod(0o755)
    newer = (
        '#!/bin/sh\ncase "$1 $2" in\n*print*) echo 3.11 ;;\n"-m venv") mkdir -p .venv/bin\n'
        "printf '#!/bin/sh\\necho \"$@\" >>calls\\n' >.venv/bin/python\n"
        "chmod +x .venv/bin/python ;;\nesac\n"
    )
    script = ROOT / bundle.SERVICES / "setup.sh"
    environment = {"PATH": str(tools), "AUTOGRADER": str(tmp_path), "FAKE": newer}
    done = run(tmp_path, shutil.which("sh"), script, **environment)
    assert done.returncode == 0, done.stderr
    assert (source / "calls").read_text("utf-8").splitlines() == [
        "apt-get update",
        "apt-get install -y python3-venv",
        "apt-get install -y bubblewrap",
        "apt-get install -y python3.11-venv",
        "-m pip install --disable-pip-version-check --no-input -r requirements/student.txt",
        "-m pip install --disable-pip-version-check --no-input -r requirements/marking.txt",
    ]


# GitHub Classroom


def test_the_workflow_checks_and_reports_to_the_reporter_under_the_names_that_it_reads(student):
    workflow = (student / ".github" / "workflows" / "classroom.yml").read_text("utf-8")
    [command] = re.findall(r"id: glassbox\n +run: (.+)", workflow)
    [(variable, step, runner)] = re.findall(
        r'(\w+)_RESULTS: "\$\{\{ steps\.(\w+)\.outputs\.result \}\}"\n +with:\n +runners: (\w+)',
        workflow,
    )
    assert (variable, step, runner) == ("GLASSBOX", "glassbox", "glassbox")
    solve(student, "ex01")
    output, page = student / "output", student / "page"
    done = run(
        student, "sh", "-ec", command, GITHUB_OUTPUT=str(output), GITHUB_STEP_SUMMARY=str(page)
    )
    assert done.returncode == 0, done.stderr
    name, _, value = output.read_text("utf-8").strip().partition("=")
    results = json.loads(base64.b64decode(value))
    assert name == "result"
    assert results["max_score"] == COURSE.points
    assert sum(test["score"] for test in results["tests"]) == 10.0
    assert "| ex01 Characters to numbers | passed | 10 of 10 | 3 of 3 pass |" in page.read_text()


# All of it


@pytest.mark.slow  # runs every visible test on every mutant: a minute
def test_the_command_makes_a_small_bundle_that_knows_the_mistakes_of_every_exercise(tmp_path):
    out = tmp_path / "course.zip"
    done = run(ROOT, sys.executable, "-m", "grader", "bundle", str(out))
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(rf"{out}: Glass Box {COURSE.version}, \d+ files, \d+ KiB\n", done.stdout)
    assert out.stat().st_size < 1.2e6
    with zipfile.ZipFile(out) as archive:
        known = {Path(name).stem for name in archive.namelist() if name.endswith(".answers")}
    assert known == {mutant.exercise for mutant in diagnosis.known(ROOT / "tests" / "mutants")}


@pytest.mark.slow  # checks all of the reference, as a student's and as Gradescope's: a minute
def test_the_reference_earns_everything_in_a_bundle_and_on_gradescope(student, autograder):
    solve(student, *(exercise.id for exercise in COURSE.exercises))
    assert check(student, "--no-finale")["score"] == {"earned": 200.0, "possible": 200.0}
    assert grade(autograder, ROOT / "solutions")["score"] == 200.0
