"""No command loses a line, and what is remembered is never trusted."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import course as courses
from grader import progress, snapshots
from grader.assembly import Source, Target
from grader.reports import status
from grader.results import ExerciseResult, PieceResult, Result, TestResult

COURSE = courses.load()


def target(**texts: str) -> Target:
    """The course's files, empty but for those named."""
    ids = [*COURSE.by_id, "microgpt"]
    files = {
        id: Source(Path(f"{id}.py"), f"exercises/{id}.py", texts.get(id[:4], "")) for id in ids
    }
    return Target(Path("exercises"), "exercises", files)


def result(status_: str = "passed", *ids: str, **test: str) -> Result:
    """A check of the pieces named, or of all, each with one test of that status."""
    exercises = []
    for exercise in COURSE.exercises:
        pieces = tuple(
            PieceResult.score(
                piece.name, piece.points, [TestResult("test_it", "visible", status_, **test)]
            )
            for piece in exercise.pieces
            if not ids or piece.id in ids
        )
        if pieces:
            exercises.append(ExerciseResult(exercise.id, exercise.title, pieces))
    return Result("exercises", ("visible",), tuple(exercises))


# what is remembered


def test_what_was_recorded_is_read_again_as_it_was(tmp_path):
    state = tmp_path / "state.json"
    checked = result("failed", message="wrong", diagnosis="you divided by C - 1", where="x.py:3")
    progress.record(checked, target(), COURSE, state)
    read = progress.read(target(), COURSE, state)
    assert read.result == checked
    assert read.stale == frozenset()
    assert read.checked.keys() == COURSE.pieces.keys()


def test_a_piece_that_was_never_checked_is_to_do(tmp_path):
    read = progress.read(target(), COURSE, tmp_path / "state.json")
    assert {p.status for e in read.result.exercises for p in e.pieces} == {"todo"}
    assert read.result.possible == COURSE.points
    assert not read.checked


def test_checking_one_piece_leaves_the_others_as_they_were(tmp_path):
    state = tmp_path / "state.json"
    progress.record(result("passed"), target(), COURSE, state)
    progress.record(result("failed", "ex05.layernorm"), target(), COURSE, state)
    read = progress.read(target(), COURSE, state)
    assert read.piece("ex05.layernorm").status == "failed"
    assert read.piece("ex05.rmsnorm").status == "passed"
    assert read.result.earned == COURSE.points - COURSE.pieces["ex05.layernorm"].points


def test_a_changed_file_makes_stale_its_own_pieces_and_those_that_use_it(tmp_path):
    state = tmp_path / "state.json"
    progress.record(result(), target(), COURSE, state)
    stale = progress.read(target(ex06="# one more line"), COURSE, state).stale
    exercises = {COURSE.pieces[id].exercise for id in stale}
    assert {"ex06_attention", "ex07_gpt", "ex10_sampling"} <= exercises
    assert not exercises & {"ex01_tokenizer", "ex03_tensor", "ex05_norm", "ex08_optim"}


def test_what_was_put_back_is_not_stale_any_more(tmp_path):
    state = tmp_path / "state.json"
    progress.record(result(), target(ex05="as it was"), COURSE, state)
    assert progress.read(target(ex05="changed"), COURSE, state).stale
    assert not progress.read(target(ex05="as it was"), COURSE, state).stale


def test_a_changed_test_makes_stale_what_it_tests(tmp_path):
    before = progress.fingerprints(target(), COURSE, tmp_path)
    (tmp_path / "test_ex05_norm.py").write_text("def test_more(): ...", "utf-8")
    after = progress.fingerprints(target(), COURSE, tmp_path)
    changed = {id for id in before if before[id] != after[id]}
    assert "ex05_norm" in changed
    assert "ex03_tensor" not in changed


def test_stale_results_are_not_taken_for_known(tmp_path):
    state = tmp_path / "state.json"
    progress.record(result(), target(), COURSE, state)
    known = progress.read(target(ex08="new"), COURSE, state).known()
    assert "ex08.AdamW" not in known
    assert [test.status for test in known["ex01.encode"]] == ["passed"]


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_state_file_damaged_anywhere_costs_nothing(tmp_path_factory, data):
    state = tmp_path_factory.mktemp("state") / "state.json"
    progress.record(result("failed", "ex05.layernorm"), target(), COURSE, state)
    progress.record_hint("ex05.layernorm", 2, state)
    whole = state.read_bytes()
    at = int(data.draw(st.floats(0, 1, exclude_max=True)) * len(whole))
    damage = data.draw(st.sampled_from(["cut", "other byte", "inserted"]))
    byte = data.draw(st.binary(min_size=1, max_size=3))
    spoilt = {
        "cut": whole[:at],
        "other byte": whole[:at] + byte + whole[at + len(byte) :],
        "inserted": whole[:at] + byte + whole[at:],
    }[damage]
    state.write_bytes(spoilt)
    read = progress.read(target(), COURSE, state)
    status.lines(read, COURSE)
    assert read.hints in ({}, {"ex05.layernorm": 2})
    progress.record(result("passed", "ex05.layernorm"), target(), COURSE, state)
    assert progress.read(target(), COURSE, state).piece("ex05.layernorm").status == "passed"


@pytest.mark.parametrize("text", ["[]", "{}", "null", "[" * 5000, '{"state": {"checked": 3}}', ""])
def test_a_state_file_of_another_kind_costs_nothing(tmp_path, text):
    state = tmp_path / "state.json"
    state.write_text(text, "utf-8")
    assert not progress.read(target(), COURSE, state).checked


def test_another_version_of_the_state_is_left_unread(tmp_path):
    state = tmp_path / "state.json"
    progress.record(result(), target(), COURSE, state)
    table = json.loads(state.read_text("utf-8")) | {"version": progress.VERSION + 1}
    state.write_text(json.dumps(table), "utf-8")
    assert not progress.read(target(), COURSE, state).checked


def test_results_cannot_be_edited_into_the_state(tmp_path):
    state = tmp_path / "state.json"
    progress.record(result("failed"), target(), COURSE, state)
    state.write_text(state.read_text("utf-8").replace('"failed"', '"passed"'), "utf-8")
    assert progress.read(target(), COURSE, state).result.earned == 0


# status


def lines(state, **texts: str) -> str:
    return "\n".join(status.lines(progress.read(target(**texts), COURSE, state), COURSE))


def test_status_names_points_time_states_and_the_next_step(tmp_path):
    state = tmp_path / "state.json"
    ids = [id for id in COURSE.pieces if id < "ex05"]
    progress.record(result("passed", *ids), target(), COURSE, state)
    progress.record(result("failed", "ex05.rmsnorm", where="x.py:41"), target(), COURSE, state)
    said = lines(state)
    assert "98 of 200 points" in said
    assert "to go" in said
    assert "failed: rmsnorm; not checked yet: layernorm" in said
    assert "next: ex05.rmsnorm, not right yet" in said
    assert "open: x.py:41" in said


def test_status_says_what_is_stale(tmp_path):
    state = tmp_path / "state.json"
    progress.record(result(), target(), COURSE, state)
    assert "changed since" not in lines(state)
    changed = [line for line in lines(state, ex08="more").splitlines() if "changed since" in line]
    assert [line[:4] for line in changed] == ["ex08", "ex09"]
    assert 'check: make check ARGS="ex08"' in lines(state, ex08="more")


def test_status_before_the_first_check_says_so(tmp_path):
    assert "nothing has been checked yet: make check" in lines(tmp_path / "state.json")


def test_status_is_instant_and_runs_nothing(copy):
    (copy.exercises / "ex01_tokenizer.py").write_text("import time; time.sleep(60)", "utf-8")
    code = (
        "import sys, time; from grader.cli import main; main(['status']);"
        "heavy = {'numpy', 'pytest', 'rich', 'exercises', 'merge3'} & set(sys.modules);"
        "print('imported', sorted(heavy), 'spent', time.process_time())"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code], cwd=copy.root, env=copy.environment, capture_output=True
        ).stdout.decode()
        for _ in range(3)
    ]
    assert all("imported []" in run for run in said)
    assert min(float(run.split()[-1]) for run in said) < 0.15


# versions


def contents(path, store) -> list[bytes]:
    return [version.data() for version in snapshots.versions(path.name, store)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "exercises" / "ex05_norm.py"


@pytest.fixture
def store(tmp_path):
    return tmp_path / "snapshots"


def write(path, data: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


def test_each_content_is_kept_once_the_last_seen_first(path, store):
    for data in (b"one", b"two", b"two", b"three", b"one"):
        write(path, data)
        snapshots.take(path.parent, store)
    assert contents(path, store) == [b"one", b"three", b"two"]


def test_undo_goes_back_and_undoing_that_goes_forward(path, store):
    for data in (b"one", b"two"):
        write(path, data)
        snapshots.keep(path, store)
    for expected in (b"one", b"two", b"one"):
        snapshots.put_back(path, snapshots.chosen(path, store=store).data(), store)
        assert path.read_bytes() == expected


def test_undo_after_more_work_goes_back_to_what_was_worked_on(path, store):
    for data in (b"one", b"two"):
        write(path, data)
        snapshots.keep(path, store)
    snapshots.put_back(path, b"one", store)
    write(path, b"one and more")
    snapshots.keep(path, store)
    assert snapshots.chosen(path, store=store).data() == b"one"


@pytest.mark.parametrize(
    "data", [b"", b"\xef\xbb\xbfx = 1\r\n", b"\xff\xfe not text \0", b"no end of line"]
)
def test_a_file_comes_back_byte_for_byte(path, store, data):
    write(path, data)
    snapshots.keep(path, store)
    write(path, b"something else")
    snapshots.put_back(path, snapshots.chosen(path, store=store).data(), store)
    assert path.read_bytes() == data


def test_a_deleted_file_comes_back(path, store):
    write(path, b"work")
    snapshots.keep(path, store)
    path.unlink()
    snapshots.keep(path, store)
    snapshots.put_back(path, snapshots.chosen(path, store=store).data(), store)
    assert path.read_bytes() == b"work"


def test_a_damaged_version_is_not_offered_and_what_it_held_is_kept_anew(path, store):
    for data in (b"one", b"two"):
        write(path, data)
        snapshots.keep(path, store)
    for version in snapshots.versions(path.name, store):
        version.path.write_bytes(b"rotten")
    assert snapshots.chosen(path, store=store) is None
    snapshots.keep(path, store)
    assert contents(path, store) == [b"two"]


def test_files_of_other_kinds_among_the_versions_are_left_alone(path, store):
    write(path, b"work")
    snapshots.keep(path, store)
    stray = store / path.name / "notes.txt"
    stray.write_bytes(b"")
    (store / path.name / "20269931T250000.000000Z-0123456789abcdef").write_bytes(b"")
    assert contents(path, store) == [b"work"]
    assert stray.exists()


def test_a_clock_that_was_set_back_does_not_change_the_order(path, store):
    write(path, b"from the future")
    snapshots.keep(path, store)
    kept = snapshots.versions(path.name, store)[0]
    later = (datetime.now(UTC) + timedelta(days=400)).strftime(snapshots.STAMP)
    kept.path.rename(kept.path.with_name(f"{later}-{kept.digest}"))
    write(path, b"from now")
    snapshots.keep(path, store)
    assert contents(path, store) == [b"from now", b"from the future"]


def test_lost_versions_cost_nothing_but_themselves(path, store):
    write(path, b"work")
    snapshots.keep(path, store)
    for version in snapshots.versions(path.name, store):
        version.path.unlink()
    (store / path.name).rmdir()
    assert snapshots.versions(path.name, store) == []
    snapshots.keep(path, store)
    assert contents(path, store) == [b"work"]


def test_a_file_that_cannot_be_written_is_left_whole(path, store, monkeypatch):
    write(path, b"work")
    snapshots.keep(path, store)

    def full(*names: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        snapshots.put_back(path, b"other", store)
    assert path.read_bytes() == b"work"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_one_file_that_cannot_be_kept_does_not_stop_the_others(path, store):
    write(path, b"work")
    before = path.with_name("ex01_tokenizer.py")
    write(before, b"first")
    store.mkdir()
    (store / before.name).write_bytes(b"a file where a folder should be")
    with pytest.raises(OSError):
        snapshots.take(path.parent, store)
    assert contents(path, store) == [b"work"]


def test_a_file_too_large_to_keep_is_not_overwritten(path, store):
    write(path, b"x" * (snapshots.LARGEST + 1))
    with pytest.raises(OSError, match="too large"):
        snapshots.put_back(path, b"small", store)
    assert path.stat().st_size == snapshots.LARGEST + 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("save"), st.sampled_from([b"a", b"b", b"c\r\n", b""])),
            st.tuples(st.sampled_from(["check", "undo", "delete"]), st.just(b"")),
            st.tuples(st.just("reset"), st.just(b"stub")),
        ),
        max_size=12,
    )
)
def test_whatever_commands_do_nothing_that_stood_in_the_file_is_lost(tmp_path_factory, steps):
    root = tmp_path_factory.mktemp("steps")
    path, store = root / "exercises" / "ex05_norm.py", root / "snapshots"
    write(path, b"the beginning")
    seen = set()
    for step, data in steps:
        if step == "save":
            write(path, data)
        elif step == "delete":
            path.unlink(missing_ok=True)
        else:
            if path.exists():
                seen.add(path.read_bytes())
            snapshots.take(path.parent, store)
            version = snapshots.chosen(path, store=store)
            if step == "reset":
                snapshots.put_back(path, data, store)
            elif step == "undo" and version:
                snapshots.put_back(path, version.data(), store)
    assert seen <= set(contents(path, store)) | ({path.read_bytes()} if path.exists() else set())


# the commands


def test_reset_shows_what_goes_and_undo_brings_it_back(copy):
    path = copy.solve("ex01_tokenizer")
    stub = (copy.root / "solutions" / path.name).read_bytes()
    work = path.read_bytes()
    reset = copy.grader("reset", "ex01", "--yes")
    assert reset.returncode == 0, reset.stderr
    assert "-        ### BEGIN SOLUTION" in reset.stdout
    assert '+        raise NotImplementedError("TODO CharTokenizer.encode")' in reset.stdout
    assert path.read_bytes() not in (work, stub)
    assert copy.grader("undo", "--yes").returncode == 0
    assert path.read_bytes() == work
    assert copy.grader("undo", "ex01", "--yes").returncode == 0
    assert b"raise NotImplementedError" in path.read_bytes()


def test_a_piece_is_no_file_to_reset(copy):
    for command in ("reset", "undo"):
        run = copy.grader(command, "ex01.encode", "--yes")
        assert (run.returncode, run.stdout) == (2, "")
        assert run.stderr == "grader: ex01.encode is a piece of a file; say ex01\n"


def test_without_a_terminal_nothing_is_changed_unless_told(copy):
    path = copy.solve("ex01_tokenizer")
    work = path.read_bytes()
    reset = copy.grader("reset", "ex01")
    assert (reset.returncode, path.read_bytes()) == (2, work)
    assert "say --yes" in reset.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pty to type into")
@pytest.mark.parametrize(("typed", "kept"), [("n\n", True), ("\n", True), ("y\n", False)])
def test_reset_asks_and_only_yes_is_yes(copy, typed, kept):
    path = copy.solve("ex01_tokenizer")
    work = path.read_bytes()
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "grader", "reset", "ex01"]
    environment = copy.environment
    with subprocess.Popen(
        command, cwd=copy.root, env=environment, stdin=theirs, stdout=subprocess.PIPE
    ) as run:
        os.write(ours, typed.encode())
        said = run.communicate(timeout=60)[0].decode()
    os.close(ours)
    os.close(theirs)
    assert "Make exercises/ex01_tokenizer.py the stub, as at the beginning? [y/N]" in said
    assert (path.read_bytes() == work) is kept


def test_every_version_can_be_listed_and_brought_back_by_its_number(copy):
    path = copy.exercises / "ex05_norm.py"
    for data in (b"one\n", b"one\ntwo\n", b"one\ntwo\nthree\n"):
        path.write_bytes(data)
        copy.grader("undo", "ex05", "--list")
    listed = copy.grader("undo", "ex05", "--list").stdout.splitlines()
    assert [line.split()[0] for line in listed[1:]] == ["1", "2", "3"]
    assert listed[1].endswith("3 lines  as it is now")
    assert listed[3].endswith("1 line")
    assert copy.grader("undo", "ex05", "--to", "3", "--yes").returncode == 0
    assert path.read_bytes() == b"one\n"
    missing = copy.grader("undo", "ex05", "--to", "9", "--yes")
    assert (missing.returncode, path.read_bytes()) == (2, b"one\n")
    assert "no version 9" in missing.stderr


def test_undo_without_a_name_takes_the_file_saved_last(copy):
    copy.grader("stubs")
    (copy.exercises / "ex03_tensor.py").write_text("later", "utf-8")
    undone = copy.grader("undo", "--yes")
    assert "exercises/ex03_tensor.py is as it was" in undone.stdout
    assert (copy.exercises / "ex03_tensor.py").read_text("utf-8") != "later"


def test_a_kit_update_can_be_undone(copy):
    path = copy.exercises / "ex05_norm.py"
    handed_out = path.read_bytes()
    copy.grader("stubs")
    solution = copy.root / "solutions" / "ex05_norm.py"
    solution.write_text(solution.read_text("utf-8") + "\n\nNEW = 1\n", "utf-8")
    copy.grader("stubs")
    assert b"NEW = 1" in path.read_bytes()
    copy.grader("undo", "ex05", "--yes")
    assert path.read_bytes() == handed_out


def test_an_unknown_exercise_is_answered_with_near_ones(copy):
    run = copy.grader("reset", "ex05_nrom", "--yes")
    assert (run.returncode, run.stdout) == (2, "")
    assert "near: ex05_norm" in run.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no process groups to kill")
def test_a_check_that_is_killed_has_kept_the_files_already(copy):
    path = copy.exercises / "ex01_tokenizer.py"
    path.write_text("while True:\n    pass\n", "utf-8")
    kept = copy.root / ".glassbox" / "snapshots" / path.name
    run = subprocess.Popen(
        [sys.executable, "-m", "grader", "check", "ex01"],
        cwd=copy.root,
        env=copy.environment,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 60
        while not kept.exists() and time.monotonic() < end:
            time.sleep(0.01)
        time.sleep(0.2)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    assert contents(path, kept.parent) == [path.read_bytes()]


def test_a_check_is_shown_though_nothing_can_be_kept(copy):
    (copy.root / ".glassbox").write_text("a file where the folder should be", "utf-8")
    copy.solve("ex01_tokenizer")
    run = copy.grader("check", "ex01")
    assert run.returncode == 0
    assert "10 of 10 points" in run.stdout
    assert "not kept for later" in run.stderr


def test_status_after_a_check_says_what_the_check_said(copy):
    copy.solve("ex01_tokenizer")
    copy.grader("check", "ex01", "ex05.layernorm")
    said = copy.grader("status").stdout
    assert "10 of 200 points" in said
    assert "to do: layernorm" in said.replace("not checked yet: rmsnorm; ", "")
    copy.solve("ex01_tokenizer", "sorted(", "list(")
    assert "changed since" in copy.grader("status").stdout
    copy.grader("undo", "ex01", "--yes")
    assert "changed since" not in copy.grader("status").stdout


def test_a_check_of_another_folder_is_not_taken_for_progress(copy):
    copy.grader("check", "ex01", "--target", "solutions")
    assert "nothing has been checked yet" in copy.grader("status").stdout


def test_borrowed_pieces_are_remembered_with_their_exercise(tmp_path):
    state = tmp_path / "state.json"
    lent = result("passed", "ex05.rmsnorm", "ex05.layernorm")
    lent = replace(lent, exercises=(replace(lent.exercises[0], borrowed=("ex03_tensor",)),))
    progress.record(lent, target(), COURSE, state)
    read = progress.read(target(), COURSE, state)
    assert read.result.exercises[4].borrowed == ("ex03_tensor",)
