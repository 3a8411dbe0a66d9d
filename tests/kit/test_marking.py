"""`mark`: every submission ends in one record, and whatever ends on the way loses none."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from below import descendants

from grader import course as courses
from grader import diagnosis, explanation, intake, isolation, ledger, marker, marking, stats, suite
from grader.assembly import Target
from grader.cli import main
from grader.course import ROOT
from grader.process import TRIES, Worker
from grader.reports import marking as marking_report
from grader.reports import stats as stats_report
from grader.results import ExerciseResult, PieceResult, Result, TestResult
from grader.zygote import Zygote

COURSE = courses.load()
TESTS = (ROOT / "tests" / "visible", ROOT / "tests" / "hidden")
NORM = (ROOT / "solutions" / "ex05_norm.py").read_text("utf-8")
TOKENIZER = (ROOT / "solutions" / "ex01_tokenizer.py").read_text("utf-8")
# Divides by C - 1: a known mistake.
BIASED = NORM.replace(
    "mean_product(centred, centred) + eps",
    "mean_product(centred, centred) * x.shape[-1] / max(1, x.shape[-1] - 1) + eps",
)


def handed_in(top: Path, **students: dict[str, str]) -> Path:
    for id, files in students.items():
        (top / id).mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (top / id / f"{name}.py").write_text(text, "utf-8")
    return top


def run_of(folder: Path, *names: str, **settings) -> marking.Run:
    parcels, _notes = intake.parcels(folder)
    pieces = tuple(piece.id for piece in COURSE.select(list(names)))
    return marking.Run(COURSE, parcels, pieces, TESTS, **settings)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def without_times(record: dict) -> str:
    for exercise in record["exercises"]:
        for piece in exercise["pieces"]:
            for test in piece["tests"]:
                test["seconds"] = 0
    return json.dumps(record)


class Pretend(Executor):
    """Answers as markers do, at once, and runs nothing; notes who was asked for."""

    def __init__(self, answer=None) -> None:
        self.asked: list[str] = []
        self.answer = answer

    def submit(self, function, job, task, seconds):
        job, task = json.loads(job), json.loads(task)
        self.asked.append(task["id"])
        future = Future()
        provenance = task["provenance"] | {"isolation": "bubblewrap+seccomp"}
        exercises = tuple(pretended(id) for id in job["pieces"])
        record = Result("exercises", ("visible",), exercises, task["id"], provenance).to_json()
        future.set_result(self.answer(task) if self.answer else {"record": record})
        return future

    @contextmanager
    def crew(self):
        yield marking.Crew(2, self)


def pretended(id: str) -> ExerciseResult:
    piece = COURSE.pieces[id]
    tests = [TestResult("test_it", "visible", "passed")]
    return ExerciseResult(
        piece.exercise, "title", (PieceResult.score(piece.name, piece.points, tests),)
    )


@pytest.fixture
def class_of_four(tmp_path) -> Path:
    files = {"ex05_norm": NORM}
    return handed_in(tmp_path / "in", ann=files, bob=files, eve={}, zoe=files)


# what is kept, and what is marked again


def test_a_second_run_marks_nothing_again(tmp_path, class_of_four):
    book, crew = tmp_path / "marks.jsonl", Pretend()
    first = marking.mark_all(run_of(class_of_four, "ex05.rmsnorm"), book, crew.crew)
    second = marking.mark_all(run_of(class_of_four, "ex05.rmsnorm"), book, crew.crew)
    assert (first.marked, first.kept) == (4, 0) and (second.marked, second.kept) == (0, 4)
    assert crew.asked == ["ann", "bob", "zoe"]
    assert len(lines(book)) == 4


def test_a_rerun_marks_what_is_new_or_has_changed_with_the_seed_of_the_file(
    tmp_path, class_of_four
):
    book, crew = tmp_path / "marks.jsonl", Pretend()
    marking.mark_all(run_of(class_of_four, "ex05.rmsnorm"), book, crew.crew)
    handed_in(class_of_four, bob={"ex05_norm": BIASED}, eve={"ex05_norm": NORM}, new={"x": ""})
    tally = marking.mark_all(run_of(class_of_four, "ex05.rmsnorm"), book, crew.crew)
    assert crew.asked[3:] == ["bob", "eve"] and (tally.marked, tally.kept) == (3, 2)
    assert len({record["provenance"]["seed"] for record in lines(book)}) == 1
    assert set(ledger.latest(book)) == {"ann", "zoe", "bob", "eve", "new"}


@pytest.mark.parametrize(
    "change",
    [{"seed": 3}, {"trusted": True}, {"factors": {"ann": 2.0, "bob": 2.0, "zoe": 2.0}}],
    ids=["seed", "isolation", "limits"],
)
def test_other_rules_mark_again(tmp_path, class_of_four, change):
    book, crew = tmp_path / "marks.jsonl", Pretend()
    run = run_of(class_of_four, "ex05.rmsnorm", seed=2)
    marking.mark_all(run, book, crew.crew)
    marking.mark_all(replace(run, **change), book, crew.crew)
    assert crew.asked == ["ann", "bob", "zoe"] * 2


@pytest.mark.parametrize("what", ["code_digest", "suite_digest", "versions"])
def test_another_kit_or_suite_marks_again(tmp_path, class_of_four, monkeypatch, what):
    book, crew = tmp_path / "marks.jsonl", Pretend()
    marking.mark_all(run_of(class_of_four, "ex05.rmsnorm"), book, crew.crew)
    monkeypatch.setattr(marker, what, lambda *of: {"numpy": "0"} if what == "versions" else "new")
    marking.mark_all(run_of(class_of_four, "ex05.rmsnorm"), book, crew.crew)
    assert crew.asked == ["ann", "bob", "zoe"] * 2


def test_every_run_draws_a_seed_of_its_own(tmp_path, class_of_four):
    seeds = set()
    for name in "ab":
        run = run_of(class_of_four, "ex05.rmsnorm")
        marking.mark_all(run, tmp_path / f"{name}.jsonl", Pretend().crew)
        seeds.add(lines(tmp_path / f"{name}.jsonl")[0]["provenance"]["seed"])
    assert len(seeds) == 2


def test_marks_of_other_pieces_are_not_mixed_in(tmp_path, class_of_four):
    book = tmp_path / "marks.jsonl"
    marking.mark_all(run_of(class_of_four, "ex05.rmsnorm"), book, Pretend().crew)
    with pytest.raises(marking.MarkingError, match=r"other pieces \(ex05\.rmsnorm"):
        marking.mark_all(run_of(class_of_four, "ex05.layernorm"), book, Pretend().crew)


# the file


def test_a_torn_last_line_is_mended_and_its_submission_marked_again(tmp_path, class_of_four):
    book, crew = tmp_path / "marks.jsonl", Pretend()
    marking.mark_all(run_of(class_of_four, "ex05.rmsnorm"), book, crew.crew)
    whole = book.read_bytes()
    book.write_bytes(whole[:-100])
    tally = marking.mark_all(run_of(class_of_four, "ex05.rmsnorm"), book, crew.crew)
    assert (tally.marked, tally.kept) == (1, 3)
    assert len(lines(book)) == 4 and book.read_bytes().startswith(whole[: whole[:-1].rindex(b"\n")])


@pytest.mark.parametrize("text", ["name,grade\njane,1\n", "my notes", '{"schema": 1}\n'])
def test_a_file_of_something_else_is_not_touched(tmp_path, class_of_four, text):
    book = tmp_path / "notes.txt"
    book.write_text(text)
    with pytest.raises(ledger.LedgerError, match="no record of `mark`"):
        marking.mark_all(run_of(class_of_four), book, Pretend().crew)
    assert book.read_text() == text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="makes a pipe, as POSIX has them")
def test_what_is_no_file_is_refused_and_stays(tmp_path, class_of_four):
    os.mkfifo(tmp_path / "pipe")
    for place in (tmp_path / "pipe", tmp_path):
        with pytest.raises(ledger.LedgerError, match="it is no regular file; name another one"):
            marking.mark_all(run_of(class_of_four), place, Pretend().crew)
    assert (tmp_path / "pipe").is_fifo()


def test_only_a_file_that_the_run_has_made_is_taken_away_while_it_is_empty(tmp_path):
    (tmp_path / "made.jsonl").touch()
    for name in ("made.jsonl", "new.jsonl"):
        with ledger.Ledger(tmp_path / name):
            assert (tmp_path / name).is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["made.jsonl"]


@pytest.mark.parametrize("command", ["mark", "stats", "gradebook"])
def test_a_record_that_is_not_whole_is_said_with_its_line(tmp_path, capsys, command):
    if command == "gradebook":
        pytest.importorskip("nbgrader", reason="writes an nbgrader gradebook")
    folder, book = handed_in(tmp_path / "in", ann={"ex05_norm": NORM}), tmp_path / "m.jsonl"
    book.write_text('{"schema": 1, "submission": "ann"}\n')
    more = {
        "mark": [str(folder), "--results", str(book)],
        "stats": [str(book)],
        "gradebook": [str(book), "--course", str(tmp_path)],
    }
    assert main([command, *more[command]]) == 2
    said = capsys.readouterr().err
    assert f"{book}:1: the record of ann is not whole" in said and "another file" in said


def test_two_runs_on_one_file_are_refused_in_words(tmp_path, class_of_four):
    book = tmp_path / "marks.jsonl"
    with ledger.Ledger(book), pytest.raises(ledger.LedgerError, match="another run is writing it"):
        marking.mark_all(run_of(class_of_four), book, Pretend().crew)


def test_a_full_disk_leaves_whole_lines(tmp_path, monkeypatch):
    write = os.write
    with ledger.Ledger(tmp_path / "marks.jsonl") as book:
        book.append({"schema": 1, "submission": "ann"})
        monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:9]))
        with pytest.raises(ledger.LedgerError, match="the disk is full"):
            book.append({"schema": 1, "submission": "bob"})
    assert [record["submission"] for record in lines(tmp_path / "marks.jsonl")] == ["ann"]


def test_the_last_line_of_an_id_is_its_result(tmp_path):
    path = tmp_path / "marks.jsonl"
    with ledger.Ledger(path) as book:
        for id, earned in (("ann", 1), ("bob", 2), ("ann", 3)):
            book.append({"schema": 1, "submission": id, "earned": earned})
    assert ledger.latest(path, lambda record: record["earned"]) == {"bob": 2, "ann": 3}


# what cannot be marked


def test_every_submission_ends_in_a_record(tmp_path):
    folder = handed_in(tmp_path / "in", ann={"ex05_norm": NORM}, eve={}, max={"main": ""})
    (folder / "zip.zip").write_bytes(b"no zip")
    (folder / "=1+1").mkdir()
    tally = marking.mark_all(run_of(folder, "ex05"), tmp_path / "m.jsonl", Pretend().crew)
    records = ledger.results(tmp_path / "m.jsonl")
    assert tally.marked == len(records) == 5
    assert tally.statuses() == {"passed": 1}
    assert len(tally.unmarked) == 4 and {"eve", "max", "zip"} < tally.unmarked.keys()
    refused = records["zip"]
    assert (refused.earned, refused.possible) == (0.0, 16.0)
    for piece in refused.exercises[0].pieces:
        assert piece.tests[0].status == "refused" and "not a zip" in piece.tests[0].message
    assert records["eve"].exercises[0].status == "todo"


def test_mark_and_stats_say_the_same_of_what_could_not_be_marked(tmp_path):
    """Both leave it out of the mean, say so, and name it: an empty folder like a wrong name."""
    folder = handed_in(tmp_path / "in", ann={"ex05_norm": NORM}, eve={}, max={"main": ""})
    book = tmp_path / "m.jsonl"
    for kept in (0, 3):
        tally = marking.mark_all(run_of(folder, "ex05"), book, Pretend().crew)
        assert tally.kept == kept
        ended = marking_report.summary(tally, book, 0, 1.0)
        counted = stats_report.summary(stats.read(book))
        assert "mean 16 of 16 points; 2 that were not marked are left out" in ended
        assert "; 2 that were not marked are left out" in counted[1]
        assert "      2  not marked" in ended
        assert "  eve: not marked: an empty folder" in ended
        assert any(line.startswith("  max: not marked: none of its files") for line in ended)
        assert ("1 submission marked, 0 kept" in ended[0]) == (kept == 0)
    assert counted[0] == "1 submission marked"


def test_what_the_grader_gives_up_on_is_a_record_too(tmp_path, class_of_four):
    died = Pretend(lambda task: {"died": "signal 9: \x1b[31mout of memory"})
    run = run_of(class_of_four, "ex05.rmsnorm")
    tally = marking.mark_all(run, tmp_path / "m.jsonl", died.crew)
    assert sorted(tally.died) == ["ann", "bob", "zoe"]
    test = ledger.result(tmp_path / "m.jsonl", "ann").exercises[0].pieces[0].tests[0]
    assert (test.status, test.message) == ("refused", "signal 9: out of memory")
    again = marking.mark_all(run, tmp_path / "m.jsonl", Pretend().crew)
    assert (again.marked, again.kept) == (3, 1) and not again.died  # the next run tries again


def test_nothing_is_written_where_nothing_keeps_submissions_apart(
    tmp_path, class_of_four, monkeypatch
):
    def refuse():
        raise isolation.Unavailable("apt install bubblewrap")

    monkeypatch.setattr(isolation, "best", refuse)
    job = marker.Job.make(1, ("ex05.rmsnorm",), TESTS, trusted=False)
    answer = marker.readiness(job)
    assert answer == {"stop": "apt install bubblewrap"}
    assert marker.readiness(replace(job, trusted=True)) == {"ready": True}
    with pytest.raises(marking.MarkingError, match="apt install bubblewrap"):
        stop = Pretend(lambda task: answer)
        marking.mark_all(run_of(class_of_four, "ex05.rmsnorm"), tmp_path / "m.jsonl", stop.crew)
    assert "ann" not in ledger.latest(tmp_path / "m.jsonl")


def test_a_broken_file_of_known_mistakes_stops_the_run_before_it_costs_marks(monkeypatch):
    def broken(folder):
        raise diagnosis.MutationError("tests/mutants/ex05_norm.py: it cannot be loaded")

    monkeypatch.setattr(diagnosis, "known", broken)
    job = marker.Job.make(1, ("ex05.rmsnorm",), TESTS, trusted=True)
    assert marker.readiness(job) == {"stop": "tests/mutants/ex05_norm.py: it cannot be loaded"}


def test_a_marker_of_another_kit_says_so():
    job = marker.Job.make(1, ("ex05.rmsnorm",), TESTS, trusted=True)
    for other in ({"code": "x"}, {"suite": "x"}, {"versions": {"numpy": "1.0"}}):
        assert f"another {next(iter(other))}" in marker.readiness(replace(job, **other))["stop"]


def test_a_record_keeps_no_more_of_a_flood_than_anybody_reads():
    test = {"output": "a" * 100_000, "message": "b" * 100_000}
    record = {"exercises": [{"pieces": [{"tests": [test]}]}]}
    marker.trimmed(record)
    assert len(test["output"]) < 5000 and len(test["message"]) < 9000
    assert "characters left out" in test["output"]


# real markers


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "grader", "mark", *map(str, arguments)]


def test_real_submissions_get_what_they_earned(tmp_path, capsys):
    students = {"ann": {"ex05_norm": NORM}, "bob": {"ex05_norm": BIASED}}
    folder = handed_in(tmp_path / "in", **students, eve={"ex05_norm": "while True: pass"})
    book = tmp_path / "marks.jsonl"
    common = [str(folder), "--results", str(book), "--trust-submissions", "--jobs", "2"]
    assert main(["mark", *common, "ex05"]) == 0
    out = capsys.readouterr().out
    assert "3 submissions marked, 0 kept" in out and "mean 8 of 16 points" in out
    records = ledger.results(book)
    assert {id: r.earned for id, r in records.items()} == {"ann": 16.0, "bob": 8.0, "eve": 0.0}
    for record in records.values():
        assert record.suites == ("visible", "hidden")
        assert record.provenance["isolation"] == "none, trusted"

    assert main(["mark", *common, "ex05", "--explain", "bob", "layernorm"]) == 0
    told = capsys.readouterr().out
    assert "0 of 8 points" in told and "hidden  test_" in told
    assert "came back float64 (2, 3, 5):" in told and "expected float64 (2, 3, 5):" in told
    assert "likely: " in told and "def test_normalises_each_row(student):" in told


def test_a_submission_is_marked_in_the_sandbox_of_this_machine(tmp_path):
    try:
        kind = isolation.best()
    except isolation.Unavailable as error:
        pytest.skip(f"no isolation here: {error}")
    folder = handed_in(tmp_path / "in", ann={"ex01_tokenizer": TOKENIZER})
    book = tmp_path / "marks.jsonl"
    assert main(["mark", str(folder), "--results", str(book), "ex01"]) == 0
    (record,) = ledger.results(book).values()
    assert record.earned == 10.0 and record.provenance["isolation"] == kind.name


def test_a_killed_marker_is_replaced_and_its_submission_marked_again(tmp_path, monkeypatch):
    folder = handed_in(tmp_path / "in", ann={"ex01_tokenizer": TOKENIZER})
    ask, deaths = marker.Marker.ask, []

    def killed_once(self, line, seconds):
        if line != self.job and not deaths:
            deaths.append(self.process.pid)
            self.process.kill()
        return ask(self, line, seconds)

    monkeypatch.setattr(marker.Marker, "ask", killed_once)
    run = run_of(folder, "ex01", trusted=True)
    tally = marking.mark_all(run, tmp_path / "m.jsonl", lambda: marking.here(1))
    assert deaths and not tally.died and tally.briefs["ann"].earned == 10.0
    assert not marker.Marker.open


def test_a_submission_that_always_ends_its_marker_gets_a_result_in_words(tmp_path, monkeypatch):
    folder = handed_in(tmp_path / "in", ann={"ex01_tokenizer": TOKENIZER})
    ask = marker.Marker.ask

    def killed(self, line, seconds):
        if line != self.job:
            self.process.kill()
        return ask(self, line, seconds)

    monkeypatch.setattr(marker.Marker, "ask", killed)
    run = run_of(folder, "ex01", trusted=True)
    tally = marking.mark_all(run, tmp_path / "m.jsonl", lambda: marking.here(1))
    assert tally.died == ["ann"]
    assert f"ended {marker.TRIES} times" in tally.briefs["ann"].why


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_killed_worker_costs_no_marks(monkeypatch):
    ask, begin, asked, begun = Worker.ask, Zygote.begin, [], []

    def killing(self, request, seconds):
        asked.append(request["op"])
        if len(asked) % 40 in (1, 39):  # while it is loaded, and in a test
            self.source.process.kill()
            self.source.process.wait()
        return ask(self, request, seconds)

    def dying(self):
        begun.append(self)
        if len(begun) % 5 == 1:
            self.process.kill()
        return begin(self)

    monkeypatch.setattr(Worker, "ask", killing)
    monkeypatch.setattr(Zygote, "begin", dying)
    assert checked_alone("ex01") == 10.0
    assert len(begun) > 5


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_worker_that_is_killed_each_time_has_crashed(monkeypatch):
    ask, kills = Worker.ask, []

    def killing(self, request, seconds):
        if request.get("name") == "encode":
            kills.append(request)
            self.source.process.kill()
            self.source.process.wait()
        return ask(self, request, seconds)

    monkeypatch.setattr(Worker, "ask", killing)
    assert checked_alone("ex01") < 10.0
    assert kills and len(kills) % TRIES == 0


def checked_alone(name: str) -> float:
    """What the reference earns for an exercise, in a worker without isolation."""
    options = suite.usual(tests=TESTS, alone=True, worker=Worker())
    target = Target.read(ROOT / "solutions", COURSE)
    return suite.check(COURSE, target, COURSE.select([name]), options).earned


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_mark_may_be_killed_at_any_moment(tmp_path):
    students = {f"s{n}": {"ex01_tokenizer": TOKENIZER} for n in range(6)}
    folder, book = handed_in(tmp_path / "in", **students), tmp_path / "marks.jsonl"
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    arguments = [folder, "--results", book, "--trust-submissions", "--jobs", "1", "ex01"]
    environment = os.environ | {"TMPDIR": str(scratch)}
    first = subprocess.Popen(command(*arguments), cwd=ROOT, env=environment)
    deadline = time.monotonic() + 60
    while not (book.exists() and book.read_bytes().count(b"\n")) and time.monotonic() < deadline:
        time.sleep(0.02)
    first.kill()
    first.wait()
    before = book.read_bytes()
    assert 1 <= before.count(b"\n") < 6
    while any(scratch.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)  # the marker sees that it is alone, and leaves nothing
    assert not list(scratch.iterdir())
    subprocess.run(command(*arguments), cwd=ROOT, env=environment, check=True, timeout=60)
    assert book.read_bytes().startswith(before[: before.rindex(b"\n") + 1])
    assert sorted(ledger.latest(book)) == sorted(students) and len(lines(book)) == 6


@pytest.mark.slow  # sixty submissions, and many a process killed on the way
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which processes are whose")
def test_sixty_submissions_lose_nothing_while_processes_are_killed_at_random(tmp_path):
    texts = (TOKENIZER, TOKENIZER + "\nCharTokenizer.decode = None\n", "x = (")
    due = (10.0, 6.0, 0.0)
    students = {f"s{n:02}": {"ex01_tokenizer": f"{texts[n % 3]}\n# {n}\n"} for n in range(60)}
    folder, book = handed_in(tmp_path / "in", **students), tmp_path / "marks.jsonl"
    rng, killed, runs = random.Random(5), 0, 0
    while True:
        run = subprocess.Popen(command(folder, "--results", book, "--jobs", "2", "ex01"), cwd=ROOT)
        runs += 1
        while run.poll() is None:
            time.sleep(rng.expovariate(2))
            with contextlib.suppress(ProcessLookupError):
                os.kill(rng.choice([run.pid, *descendants(run.pid)]), signal.SIGKILL)
                killed += 1
        if run.returncode == 0:
            break
        assert run.returncode == -signal.SIGKILL
    records = lines(book)
    assert sorted(record["submission"] for record in records) == sorted(students)
    marks = {record["submission"]: record["score"]["earned"] for record in records}
    assert marks == {f"s{n:02}": due[n % 3] for n in range(60)}
    assert killed > 10 and runs > 1


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_leaves_a_valid_file_and_says_how_to_go_on(tmp_path):
    students = {f"s{n}": {"ex01_tokenizer": TOKENIZER} for n in range(20)}
    folder, book = handed_in(tmp_path / "in", **students), tmp_path / "marks.jsonl"
    arguments = [folder, "--results", book, "--trust-submissions", "--jobs", "1", "ex01"]
    run = subprocess.Popen(
        command(*arguments),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        # a shell that runs us in the background has Ctrl-C ignored, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    threading.Timer(60, run.kill).start()
    while not (book.exists() and book.read_bytes().count(b"\n")) and run.poll() is None:
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    out = run.communicate()[0]
    assert run.returncode == 2 and "of 20 are marked; the same command goes on from there" in out
    assert lines(book)


def test_hidden_tests_reach_a_record_without_their_values(tmp_path):
    folder = handed_in(tmp_path / "in", bob={"ex05_norm": BIASED})
    run = run_of(folder, "ex05.layernorm", trusted=True)
    marking.mark_all(run, tmp_path / "m.jsonl", lambda: marking.here(1))
    (record,) = ledger.results(tmp_path / "m.jsonl").values()
    hidden = [t for t in record.exercises[0].pieces[0].tests if t.suite == "hidden"]
    failed = [t for t in hidden if t.status == "failed"]
    assert failed and not any("got" in t.message or t.output for t in failed)
    bob = run.submission(run.parcels[0])
    told = "\n".join(explanation.lines(run, bob, COURSE.pieces["ex05.layernorm"], record))
    assert all(f"hidden  {t.name}: failed" in told for t in failed)


@pytest.mark.parametrize(
    ("end", "error"),
    [("\ndef (:\n", "SyntaxError"), ("\nimport nothing_such\n", "ModuleNotFoundError")],
)
def test_a_piece_that_waits_in_a_file_that_cannot_be_loaded_is_explained_by_that(
    tmp_path, end, error
):
    """It waits for a piece that may be right: whoever looks for that finds nothing wrong."""
    folder = handed_in(tmp_path / "in", bob={"ex01_tokenizer": TOKENIZER + end})
    run = run_of(folder, "ex01.encode", trusted=True)
    bob = run.submission(run.parcels[0])
    told = explanation.lines(run, bob, COURSE.pieces["ex01.encode"], None)
    line = TOKENIZER.count("\n") + 2
    assert any(error in text for text in told)
    assert any(f"exercises/ex01_tokenizer.py:{line}" in text for text in told)
    assert not any("waits for" in text for text in told)


def test_an_explanation_compares_with_the_piece_of_its_own_exercise():
    """ex02 and ex03 both have a piece called arithmetic, of as many points."""
    tests = [TestResult("test_it", "visible", "passed")]
    scored = [PieceResult.score("arithmetic", 8, tests[:n]) for n in (0, 1)]
    exercises = [
        ExerciseResult(id, id, (p,)) for id, p in zip(("ex02_value", "ex03_tensor"), scored)
    ]
    record = Result("exercises", ("visible",), tuple(exercises), "ann")
    said = explanation.points(COURSE.pieces["ex03.arithmetic"], scored[1], record)
    assert said == "8 of 8 points: 1 of 1 tests pass"


def test_a_late_submission_is_said_to_be_late(tmp_path):
    for name in ("doejane_LATE_7_8_notes.txt", "roemax_9_10_notes.txt"):
        (tmp_path / name).write_text("x")
    run = run_of(tmp_path, "ex05")
    late, other = (
        explanation.lines(run, run.submission(parcel), COURSE.pieces["ex05.layernorm"], None)
        for parcel in run.parcels
    )
    assert late[:2] == ["7, ex05.layernorm", "handed in late"]
    assert len(other) == 2 and "not marked" in other[1]


def test_a_number_that_python_will_not_print_is_explained_all_the_same():
    assert "too many digits" in next(explanation.valued("came back", [10**5000]))


# Dask


def cluster_of(jobs: int):
    pytest.importorskip("distributed", reason="Dask is not installed: requirements/cluster.txt")
    return lambda: marking.cluster(marking.LOCAL, jobs)


def test_dask_gives_the_same_results_to_the_byte(tmp_path):
    crew = cluster_of(1)
    students = {"ann": {"ex01_tokenizer": TOKENIZER}, "bob": {"ex01_tokenizer": "x = 1"}}
    run = run_of(handed_in(tmp_path / "in", **students), "ex01", trusted=True, seed=7)
    marking.mark_all(run, tmp_path / "here.jsonl", lambda: marking.here(1))
    marking.mark_all(run, tmp_path / "dask.jsonl", crew)
    here, dask = (lines(tmp_path / f"{name}.jsonl") for name in ("here", "dask"))
    assert sorted(map(without_times, here)) == sorted(map(without_times, dask))


@pytest.mark.slow  # a cluster of many processes takes its time to start, to mend and to end
def test_a_killed_dask_worker_loses_nothing(tmp_path):
    crew = cluster_of(2)
    import psutil

    students = {f"s{n}": {"ex01_tokenizer": TOKENIZER} for n in range(8)}
    run = run_of(handed_in(tmp_path / "in", **students), "ex01", trusted=True)
    killed = []

    def kill_one(tally: marking.Tally) -> None:
        """End the process of a Dask worker, the one that has a marker, in the middle."""
        markers = [p for p in psutil.Process().children(recursive=True) if is_marker(p)]
        if tally.marked == 2 and markers and not killed:
            killed.append(markers[0].ppid())
            os.kill(markers[0].ppid(), signal.SIGKILL)

    tally = marking.mark_all(run, tmp_path / "m.jsonl", crew, kill_one)
    assert killed and not tally.died
    assert {id: brief.earned for id, brief in tally.briefs.items()} == dict.fromkeys(students, 10.0)


def is_marker(process) -> bool:
    import psutil

    try:
        return any("grader.marker" in word for word in process.cmdline())
    except psutil.Error:  # it has just ended
        return False


def test_a_cluster_that_is_not_there_is_said_in_words(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with (
        pytest.raises(marking.MarkingError, match=r"install\.sh cluster"),
        marking.cluster("local", 1),
    ):
        pass


# the command


def test_what_cannot_be_run_ends_with_2_and_words(tmp_path, capsys):
    book = str(tmp_path / "m.jsonl")
    assert main(["mark", str(tmp_path / "nowhere"), "--results", book]) == 2
    assert "no such folder" in capsys.readouterr().err
    folder = str(handed_in(tmp_path / "in", ann={"ex05_norm": NORM}))
    assert main(["mark", folder, "--results", book, "--explain", "anne", "rmsnorm"]) == 2
    assert "there is no submission anne; near: ann" in capsys.readouterr().err
    (tmp_path / "more.csv").write_text("ann,much\n")
    more = ["--accommodations", str(tmp_path / "more.csv")]
    assert main(["mark", folder, "--results", book, *more]) == 2
    assert "more.csv:1: 'much' is no factor" in capsys.readouterr().err
    assert not Path(book).exists()
