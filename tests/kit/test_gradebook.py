"""Marks -> nbgrader's gradebook: what is written, what survives, and what is refused in words."""

import json
import math
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from grader import course as courses
from grader import marks
from grader.course import ROOT
from grader.reports import notebook
from grader.results import (
    FAILED,
    PASSED,
    REFUSED,
    TIMEOUT,
    TODO,
    ExerciseResult,
    PieceResult,
    Result,
    TestResult,
)

COURSE = courses.load()
NORM = COURSE.by_id["ex05_norm"]
NO_NBGRADER = "writes an nbgrader gradebook: pip install -r requirements/instructor.txt"


def passed(name="test_a", suite="visible"):
    return TestResult(name, suite, PASSED)


def failed(message="30 of 30 values differ", status=FAILED, suite="visible"):
    return TestResult("test_b", suite, status, message)


def record(student, rmsnorm, layernorm=None, **provenance):
    """A result of ex05: the tests of its two pieces; without others, layernorm passes."""
    tests = {"rmsnorm": rmsnorm, "layernorm": layernorm or [passed()]}
    pieces = [PieceResult.score(name, 8, tests[name]) for name in tests]
    exercise = ExerciseResult("ex05_norm", NORM.title, tuple(pieces))
    return Result("exercises", ("visible",), (exercise,), student, provenance)


def lines(*results):
    return {result.submission: json.dumps(result.to_json()) for result in results}


# What a record is worth, without nbgrader


@pytest.fixture
def empty(tmp_path):
    """As much of a course as marks look at."""
    (tmp_path / "nbgrader_config.py").write_text("", "utf-8")
    return tmp_path


def mark_of(result, folder):
    line = json.dumps(result.to_json())
    return marks.of_record(result.submission, line, folder, COURSE).marks[0]


def test_a_piece_has_the_points_that_its_tests_earned(empty):
    mark = mark_of(record("jane", [passed(), failed()]), empty)
    assert [p.earned for p in mark.points(NORM)] == [4.0, 8.0]
    assert mark.comment(NORM) is None


@pytest.mark.parametrize("status", [TIMEOUT, "crashed", REFUSED])
def test_what_was_stopped_has_0_points_and_the_reason(empty, status):
    mark = mark_of(record("jane", [failed("no answer after 2 seconds", status)]), empty)
    assert mark.points(NORM)[0].earned == 0
    assert mark.comment(NORM) == "rmsnorm: 0 points: no answer after 2 seconds"


def test_a_file_that_cannot_be_imported_has_0_points_and_the_reason(empty):
    tests = [failed("SyntaxError: invalid syntax\nexercises/ex05_norm.py:1"), failed("hidden")]
    tests = [tests[0], tests[0], replace(tests[1], suite="hidden")]
    mark = mark_of(record("jane", tests, tests), empty)
    assert mark.comment(NORM) == "rmsnorm, layernorm: 0 points: SyntaxError: invalid syntax"


def test_what_is_still_to_do_has_0_points_and_no_reason(empty):
    to_do = [failed("TODO rmsnorm", TODO)] * 2
    mark = mark_of(record("jane", to_do), empty)
    assert mark.points(NORM)[0].earned == 0
    assert mark.comment(NORM) is None


def test_what_could_not_be_marked_at_all_is_left_to_a_person(empty):
    refused = [TestResult("intake", "intake", REFUSED, "not a zip")]
    mark = mark_of(record("jane", refused, refused), empty)
    assert [p.earned for p in mark.points(NORM)] == [None, None]
    assert "not a zip" in mark.comment(NORM)


def test_a_file_that_was_not_handed_in_is_left_to_a_person(empty):
    folder = empty / "submitted" / "jane" / "ex05_norm"
    folder.mkdir(parents=True)
    (folder / "timestamp.txt").write_text("2026-11-22 21:23:13 UTC", "utf-8")
    to_do = [failed("there is no file", TODO)]
    mark = mark_of(record("jane", to_do, to_do), empty)
    assert [p.earned for p in mark.points(NORM)] == [None, None]
    assert "ex05_norm.py was not handed in" in mark.comment(NORM)


def test_a_file_that_was_handed_in_as_it_was_handed_out_has_0_points(empty):
    todo = [TestResult("test_a", "visible", TODO)]
    result = record("jane", todo, todo, intake={"files": [NORM.file]})
    mark = mark_of(result, empty)
    assert [p.earned for p in mark.points(NORM)] == [0.0, 0.0] and mark.comment(NORM) is None


@pytest.mark.parametrize("points", [4, 16])
def test_marks_of_other_points_than_now_are_refused(empty, points):
    pieces = tuple(replace(p, points=points) for p in NORM.pieces)
    exercises = [replace(NORM, pieces=pieces) if e is NORM else e for e in COURSE.exercises]
    line = json.dumps(record("jane", [passed()]).to_json())
    with pytest.raises(marks.MarksError, match=rf"had 8 points; it has {points} now: run `mark`"):
        marks.of_record("jane", line, empty, replace(COURSE, exercises=tuple(exercises)))


def test_a_piece_that_the_record_does_not_have_is_left_to_a_person(empty):
    result = record("jane", [passed()])
    half = replace(result.exercises[0], pieces=result.exercises[0].pieces[:1])
    mark = mark_of(replace(result, exercises=(half,)), empty)
    assert [p.earned for p in mark.points(NORM)] == [8.0, None]


@pytest.mark.parametrize("earned", [99.0, -1.0, math.nan, math.inf])
def test_points_that_no_piece_can_have_are_refused(empty, earned):
    result = record("jane", [passed()])
    first, second = result.exercises[0].pieces
    wrong = replace(result.exercises[0], pieces=(replace(first, earned=earned), second))
    with pytest.raises(marks.MarksError, match="rmsnorm"):
        mark_of(replace(result, exercises=(wrong,)), empty).points(NORM)


@pytest.mark.parametrize("student", ["../x", "a/b", "=cmd|x", "", "a\nb", ".hidden"])
def test_an_id_that_is_no_name_never_becomes_a_folder(empty, student):
    with pytest.raises(marks.MarksError, match="cannot be a student's id"):
        mark_of(record(student, [passed()]), empty)


def test_a_record_of_other_files_than_are_there_now_is_refused(empty):
    folder = empty / "submitted" / "jane" / "ex05_norm"
    folder.mkdir(parents=True)
    (folder / "ex05_norm.py").write_text("x = 1\n", "utf-8")
    now = marks.intake.open_parcel(marks.parcel(empty, "jane"), COURSE).digest
    assert mark_of(record("jane", [passed()], submission=now), empty).student == "jane"
    (folder / "ex05_norm.py").write_text("x = 2\n", "utf-8")
    with pytest.raises(marks.MarksError, match="handed in anew"):
        mark_of(record("jane", [passed()], submission=now), empty)


def test_a_report_is_safe_whatever_a_student_wrote():
    evil = "<script>alert(1)</script>\x1b[2J</pre>"
    tests = (replace(failed(evil), name=evil, diagnosis=evil, where=evil, output=evil),)
    piece = PieceResult(evil, FAILED, 0.0, 8.0, tests)
    page = notebook.piece(ExerciseResult("ex05_norm", evil, (piece,)), piece)
    assert "<script" not in page and "\x1b" not in page
    assert page.count("</pre>") == page.count("<pre")


def test_a_report_says_what_the_board_says():
    test = replace(failed("layernorm(x): 30 of 30 values differ"), diagnosis="divided by C - 1")
    hidden = failed("a written reason", suite="hidden")
    piece = PieceResult.score("layernorm", 8, [test, hidden, passed()])
    page = notebook.piece(ExerciseResult("ex05_norm", "Norm", (piece,)), piece)
    for words in (
        "layernorm(x): 30 of 30 values differ",
        "likely:",
        "divided by C - 1",
        "a written reason",
        "2.67 of 8 points",
        "visible 1 of 2, hidden 0 of 1",
        "glassbox.hint(&quot;ex05.layernorm&quot;)",
    ):
        assert words in page, words


# With nbgrader


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A course that has released ex05. Copied for each test, never changed."""
    pytest.importorskip("nbgrader", reason=NO_NBGRADER)
    from nbclass import Class

    room = Class(tmp_path_factory.mktemp("made"), b"the kit is not needed here")
    room.release("ex05_norm")
    return room


@pytest.fixture
def room(made, tmp_path):
    """The course, to be written into."""
    from nbclass import Class

    copy = Class.__new__(Class)
    copy.course, copy.homes = tmp_path / "course", tmp_path / "homes"
    shutil.copytree(made.course, copy.course)
    config = copy.course / "nbgrader_config.py"
    kit = f"KIT = {str(ROOT)!r}\n"
    text = config.read_text("utf-8").splitlines(keepends=True)
    config.write_text("".join(kit if t.startswith("KIT =") else t for t in text), "utf-8")
    return copy


def write(room, *results, db=None):
    from grader import gradebook

    return gradebook.write(room.course, COURSE, lines(*results), db)


def by_hand(room, student, piece, score=None, comment=None, extra=None):
    """What an instructor enters in formgrader."""
    from grader import gradebook

    with gradebook.opened(gradebook.settings(room.course)) as book:
        grade = book.find_grade(piece, "ex05_norm", "ex05_norm", student)
        grade.manual_score, grade.extra_credit = score, extra
        grade.needs_manual_grade = False
        if comment:
            found = book.find_comment("comment", "ex05_norm", "ex05_norm", student)
            found.manual_comment = comment
        book.db.commit()


def test_a_grade_for_each_piece(room):
    outcome = write(
        room,
        record("jane", [passed()]),
        record("omar", [passed(), failed()]),
        record("yuki", [failed("no answer after 2 seconds", TIMEOUT)]),
    )
    assert len(outcome.written) == 3 and not outcome.refused and not outcome.review
    rows = room.rows("ex05_norm")
    assert rows["jane"]["auto"] == {"rmsnorm": 8.0, "layernorm": 8.0}
    assert rows["omar"]["auto"] == {"rmsnorm": 4.0, "layernorm": 8.0}
    assert rows["yuki"]["auto"] == {"rmsnorm": 0.0, "layernorm": 8.0}
    assert rows["yuki"]["comment"] == "rmsnorm: 0 points: no answer after 2 seconds"
    assert not any(row["asks"] for row in rows.values())


def test_what_a_person_decides_on_has_no_score_and_asks(room):
    refused = [TestResult("intake", "intake", REFUSED, "not a zip")]
    outcome = write(room, record("jane", refused, refused))
    assert outcome.review == ["jane, ex05.rmsnorm", "jane, ex05.layernorm"]
    row = room.rows("ex05_norm")["jane"]
    assert row["auto"] == {"rmsnorm": None, "layernorm": None}
    assert row["asks"] == {"rmsnorm", "layernorm"}


def test_what_cannot_be_marked_takes_no_mark_away(room):
    write(room, record("jane", [passed()]))  # and puts a notebook into submitted/jane
    before = room.rows("ex05_norm"), files_of(room)
    refused = [
        TestResult("intake", "intake", REFUSED, "none of its files is named for an exercise")
    ]
    outcome = write(room, record("jane", refused, refused))
    (words,) = outcome.refused
    assert words.startswith("jane: could not be marked (none of its files") and "stay" in words
    assert (room.rows("ex05_norm"), files_of(room)) == before


def test_writing_twice_changes_nothing(room):
    results = record("jane", [passed(), failed()]), record("omar", [passed()])
    write(room, *results)
    before = room.rows("ex05_norm"), files_of(room)
    write(room, *results)
    assert (room.rows("ex05_norm"), files_of(room)) == before


def files_of(room):
    found = [path for where in ("autograded", "submitted", "marks") for path in tree(room, where)]
    return {path: path.read_bytes() for path in found}


def tree(room, name):
    return [path for path in (room.course / name).rglob("*") if path.is_file()]


def test_what_an_instructor_entered_survives(room):
    write(room, record("jane", [failed()]))
    by_hand(room, "jane", "rmsnorm", 6.5, "I see what you meant.", extra=1.0)
    write(room, record("jane", [failed()]))
    row = room.rows("ex05_norm")["jane"]
    assert row["manual"]["rmsnorm"] == 6.5 and row["score"] == 6.5 + 1.0 + 8.0
    assert row["comment"] == "I see what you meant."
    assert row["asks"] == set()


def test_an_override_is_asked_about_again_where_the_tests_have_changed_their_mind(room):
    write(room, record("jane", [failed()]))
    by_hand(room, "jane", "rmsnorm", 6.5)
    outcome = write(room, record("jane", [passed()]))
    assert outcome.review == ["jane, ex05.rmsnorm"]
    row = room.rows("ex05_norm")["jane"]
    assert row["auto"]["rmsnorm"] == 8.0 and row["manual"]["rmsnorm"] == 6.5


def test_a_student_who_cannot_be_written_stays_as_before_and_the_rest_goes_on(room, monkeypatch):
    write(room, record("jane", [failed()]))
    before = room.rows("ex05_norm")["jane"], files_of(room)
    keep = marks.keep

    def full(folder, record):
        if record.student == "jane":
            raise OSError("no space left on device")
        keep(folder, record)

    monkeypatch.setattr(marks, "keep", full)
    outcome = write(room, record("jane", [passed()]), record("omar", [passed()]))
    assert outcome.refused == ["jane: no space left on device"]
    rows = room.rows("ex05_norm")
    assert rows["jane"] == before[0]
    assert rows["omar"]["score"] == 16.0
    monkeypatch.undo()
    write(room, record("jane", [passed()]))
    assert room.rows("ex05_norm")["jane"]["score"] == 16.0


def test_a_gradebook_that_another_program_writes_to_is_waited_for(room, monkeypatch):
    from grader import gradebook

    monkeypatch.setattr(gradebook, "PATIENCE", 0.05)
    monkeypatch.setattr(gradebook, "TRIES", 2)
    other = sqlite3.connect(room.course / "gradebook.db")
    other.execute("BEGIN IMMEDIATE")
    outcome = write(room, record("jane", [passed()]))
    assert outcome.refused == ["jane: database is locked"]
    other.rollback()
    other.close()
    assert not write(room, record("jane", [passed()])).refused


def test_late_work_loses_what_the_courses_rule_says(room):
    room.teacher("db", "assignment", "add", "ex05_norm", "--duedate", "2026-11-01 12:00 UTC")
    for student, day in (("early", "10-31"), ("late", "11-02")):
        folder = room.course / "submitted" / student / "ex05_norm"
        folder.mkdir(parents=True)
        (folder / "timestamp.txt").write_text(f"2026-{day} 12:00:00 UTC", "utf-8")
        (folder / "ex05_norm.py").write_text("", "utf-8")
    config = room.course / "nbgrader_config.py"
    rule = 'c.LateSubmissionPlugin.penalty_method = "zero"\n'
    config.write_text(config.read_text("utf-8") + rule, "utf-8")
    write(room, record("early", [passed()]), record("late", [passed()]))
    rows = room.rows("ex05_norm")
    assert (rows["early"]["score"], rows["early"]["penalty"]) == (16.0, 0.0)
    assert (rows["late"]["score"], rows["late"]["penalty"]) == (16.0, 16.0)


def test_marks_from_elsewhere_get_all_that_nbgrader_needs(room):
    """A zip from Canvas never was in submitted/; autograde and feedback want something there."""
    write(room, record("jane", [passed()]))
    write(room, record("jane", [passed()]))
    room.teacher("autograde", "ex05_norm", "--force")
    assert room.rows("ex05_norm")["jane"]["score"] == 16.0
    room.teacher("generate_feedback", "ex05_norm")
    room.teacher("release_feedback", "ex05_norm")


def test_an_assignment_that_nbgrader_does_not_have_yet_is_named(room):
    first = ExerciseResult("ex01_tokenizer", "Characters", ())
    result = record("jane", [passed()])
    outcome = write(room, replace(result, exercises=(first, *result.exercises)))
    assert outcome.unknown == {"ex01_tokenizer"}
    assert room.rows("ex05_norm")["jane"]["score"] == 16.0


def test_an_assignment_that_nbgrader_has_with_other_points_gets_no_marks(room):
    from grader import gradebook

    write(room, record("jane", [failed()]))
    before = room.rows("ex05_norm"), files_of(room)
    pieces = tuple(replace(p, points=16) for p in NORM.pieces)
    exercises = [replace(NORM, pieces=pieces) if e is NORM else e for e in COURSE.exercises]
    changed = replace(COURSE, exercises=tuple(exercises))
    more = ExerciseResult("ex05_norm", NORM.title, (PieceResult.score("rmsnorm", 16, [passed()]),))
    line = lines(replace(record("jane", []), exercises=(more,)))
    with pytest.raises(gradebook.GradebookError, match="with the pieces and points of now: run"):
        gradebook.write(room.course, changed, line)
    assert (room.rows("ex05_norm"), files_of(room)) == before


def test_a_student_whom_the_gradebook_did_not_have_is_named_beside_those_it_had(room):
    assert write(room, record("jane", [passed()])).new == []
    assert write(room, record("jane", [passed()]), record("jnae", [passed()])).new == ["jnae"]
    assert write(room, record("jnae", [passed()])).new == []


def test_autograde_marks_on_after_the_course_has_another_exercise(room):
    from grader import autograde

    for student in ("jane", "omar"):
        place = room.course / "submitted" / student / "ex05_norm"
        place.mkdir(parents=True)
        shutil.copy(ROOT / "solutions" / NORM.file, place)
    for student, ids in (("jane", [NORM.id]), ("omar", ["ex01_tokenizer", NORM.id])):
        course = replace(COURSE, exercises=tuple(COURSE.by_id[id] for id in ids))
        record = autograde.mark_now(room.course, student, course)
        assert [mark.result.earned for mark in record.marks] == [16.0]


def test_the_command_says_what_it_did(room, tmp_path):
    pytest.importorskip("nbgrader", reason=NO_NBGRADER)
    path = tmp_path / "results.jsonl"
    refused = [TestResult("intake", "intake", REFUSED, "not a zip")]
    results = lines(record("jane", [passed()]), record("omar", refused, refused))
    path.write_text("".join(f"{line}\n" for line in results.values()), "utf-8")
    done = command(path, "--course", str(room.course))
    assert done.returncode == 0, done.stderr
    assert "2 marks of 2 of 2 students written" in done.stdout
    assert "omar, ex05.rmsnorm" in done.stdout


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "grader", "gradebook", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )


def test_the_command_refuses_in_words(tmp_path):
    pytest.importorskip("nbgrader", reason=NO_NBGRADER)
    path = tmp_path / "results.jsonl"
    path.write_text(next(iter(lines(record("jane", [passed()])).values())) + "\n", "utf-8")
    done = command(path, "--course", tmp_path)
    assert done.returncode == 2 and "is no nbgrader course" in done.stderr
    done = command(tmp_path / "nothing", "--course", tmp_path)
    assert done.returncode == 2 and "nothing" in done.stderr


# Out of the gradebook


def exported(room, layout, *more):
    path = room.course / f"{layout}.csv"
    room.teacher("export", f"--to={path}", f"--Grades.layout={layout}", *more)
    return path.read_text("utf-8-sig").splitlines()


def test_exports_quote_leave_blank_and_compute_nothing(room):
    refused = [TestResult("intake", "intake", REFUSED, "not a zip")]
    write(room, record("jane", [passed(), failed()]), record("omar", refused, refused))
    person = {"first-name": 'Neil "Nej"', "last-name": "O, Brien", "email": "=cmd|' /C calc'!A0"}
    room.teacher("db", "student", "add", "jane", *(f"--{k}={v}" for k, v in person.items()))
    room.teacher("db", "student", "add", "absent", "--last-name=@SUM(A1)")
    name = '"O, Brien, Neil ""Nej"""'
    canvas = exported(room, "canvas")
    assert canvas[:2] == [
        "Student,ID,SIS User ID,SIS Login ID,Section,ex05_norm",
        "    Points Possible,,,,,16",
    ]
    assert sorted(canvas[2:]) == sorted(
        [f"{name},,jane,jane,,12", "omar,,omar,omar,,", "'@SUM(A1),,absent,absent,,"]
    )
    moodle = exported(room, "moodle")
    assert moodle[0] == "Username,First name,Last name,Email address,ex05_norm"
    assert f'jane,"Neil ""Nej""","O, Brien",\'{person["email"]},12' in moodle
    plain = exported(room, "plain")
    assert len(plain) == 4
    jane = next(line for line in plain if ",jane," in line)
    assert jane.endswith(",12,0,12,16")


def test_exports_take_nbgraders_own_selections(room):
    write(room, record("jane", [passed()]), record("omar", [passed()]))
    lines = exported(room, "canvas", "--student", "omar")
    assert [line.split(",")[0] for line in lines[2:]] == ["omar"]


# At scale, and on a server


@pytest.fixture
def postgres():
    """The address of a PostgreSQL server that lives as long as the test."""
    pytest.importorskip("nbgrader", reason=NO_NBGRADER)
    pytest.importorskip("psycopg2", reason="talks to PostgreSQL: requirements/instructor.txt")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("starts a PostgreSQL server: apt install postgresql")
    with tempfile.TemporaryDirectory() as place:
        yield from server(found[-1].parent, Path(place))


def server(programs, place):
    import os

    as_user = []
    if os.geteuid() == 0:  # which PostgreSQL refuses to be run by
        if shutil.which("runuser") is None:
            pytest.skip("starts a PostgreSQL server as another user: needs runuser")
        as_user = ["runuser", "-u", "nobody", "--"]
        shutil.chown(place, "nobody")
    data = place / "data"
    quiet = {"check": True, "capture_output": True, "timeout": 60, "cwd": "/"}
    subprocess.run([*as_user, programs / "initdb", "-A", "trust", "-U", "me", data], **quiet)
    listen = f"-c listen_addresses='' -c unix_socket_directories='{place}' -c fsync=off"
    control = [*as_user, programs / "pg_ctl", "-D", data, "-l", place / "log", "-w"]
    subprocess.run([*control, "-o", listen, "start"], **quiet)
    try:
        yield f"postgresql+psycopg2://me@/postgres?host={place}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **quiet)


def test_a_postgresql_server_holds_the_gradebook_as_well(postgres, tmp_path):
    from nbclass import Class

    room = Class(tmp_path, b"no kit", db=postgres)
    room.release("ex05_norm")
    write(room, record("jane", [passed(), failed()]))
    write(room, record("jane", [passed(), failed()]))
    assert not (room.course / "gradebook.db").exists()
    assert room.rows("ex05_norm")["jane"]["score"] == 12.0
    room.teacher("autograde", "ex05_norm", "--force")
    assert room.rows("ex05_norm", db=postgres)["jane"]["score"] == 12.0


@pytest.mark.slow  # a minute and more on a busy machine: what it promises is a time
def test_300_submissions_of_the_whole_course_take_less_than_a_minute(tmp_path):
    pytest.importorskip("nbgrader", reason=NO_NBGRADER)
    from nbclass import Class

    from grader import gradebook

    room = Class(tmp_path, b"no kit")
    for exercise in COURSE.exercises:
        room.teacher("generate_assignment", exercise.id)
    exercises = tuple(
        ExerciseResult(
            exercise.id,
            exercise.title,
            tuple(
                PieceResult.score(p.name, p.points, [passed(f"test_{n}") for n in range(20)])
                for p in exercise.pieces
            ),
        )
        for exercise in COURSE.exercises
    )
    results = [Result("x", ("visible",), exercises, f"s{n:03}") for n in range(300)]
    for result in results:
        for exercise in COURSE.exercises:
            folder = room.course / "submitted" / result.submission / exercise.id
            shutil.copytree(room.course / "release" / exercise.id, folder)
            (folder / "timestamp.txt").write_text("2026-11-01 12:00:00 UTC", "utf-8")
    wall, cpu = time.monotonic(), time.process_time()
    outcome = gradebook.write(room.course, COURSE, lines(*results))
    wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    print(f"3000 marks in {wall:.0f} s, {cpu:.0f} of them computing")
    assert len(outcome.written) == 3000 and not outcome.refused
    assert cpu < 60  # the clock on the wall counts what else the machine does
