"""`stats`: what the results file of a class says, in tables, plain text, CSV and a picture."""

import csv
import io
import json
import sys
from pathlib import Path

import pytest
from rich.console import Console

from grader import course as courses
from grader import stats
from grader.cli import main
from grader.course import ROOT
from grader.marker import INTAKE
from grader.reports import stats as reporter
from grader.reports.table import cell
from grader.results import ExerciseResult, PieceResult, Result, TestResult
from grader.similar import Pair

COURSE = courses.load()
NORM = COURSE.exercise("ex05")
BIASED = "you divided by C - 1"


def a_test(status: str, diagnosis: str | None = None) -> TestResult:
    return TestResult("test_it", "visible", status, "words", diagnosis)


def record(id: str, *statuses: str, diagnosis: str | None = None) -> dict:
    """A record of ex05: the status of its one test for each of its two pieces."""
    return whole(id, *([a_test(s, diagnosis if s == "failed" else None)] for s in statuses))


def whole(id: str, *tests: list[TestResult]) -> dict:
    pieces = [PieceResult.score(p.name, p.points, t) for p, t in zip(NORM.pieces, tests)]
    exercises = (ExerciseResult(NORM.id, NORM.title, tuple(pieces)),)
    return Result("exercises", ("visible",), exercises, submission=id).to_json()


def unmarked(id: str, status: str, words: str) -> dict:
    return whole(id, *([[TestResult(INTAKE, INTAKE, status, words)]] * 2))


def written(path: Path, *records: dict) -> Path:
    path.write_text("".join(json.dumps(r) + "\n" for r in records), "ascii")
    return path


@pytest.fixture
def results(tmp_path) -> Path:
    """Four submissions: one right, two wrong, one of them twice and now better, one refused."""
    return written(
        tmp_path / "marks.jsonl",
        record("ann", "passed", "passed"),
        record("bob", "failed", "failed"),
        record("cid", "passed", "failed", diagnosis=BIASED),
        record("dee", "passed", "timeout"),
        unmarked("eve", "refused", "not a zip"),
        record("bob", "passed", "failed", diagnosis=BIASED),
    )


def test_the_last_record_of_an_id_counts(results):
    found = stats.read(results)
    assert dict(found.scores) == {"ann": 16.0, "bob": 8.0, "cid": 8.0, "dee": 8.0}


def test_each_piece_tells_how_many_passed_and_how_the_others_ended(results):
    rmsnorm, layernorm = stats.read(results).pieces
    assert (rmsnorm.id, rmsnorm.rate, rmsnorm.mean, rmsnorm.spread) == ("ex05.rmsnorm", 1, 8, 0)
    assert (layernorm.passed, layernorm.failed, layernorm.timeout) == (1, 3, 1)
    assert (layernorm.mean, layernorm.possible) == (2.0, 8.0)
    assert layernorm.spread == pytest.approx(12**0.5)  # of 8, 0, 0, 0


def test_a_mistake_is_counted_once_a_submission(results):
    found = stats.read(results)
    assert found.misconceptions == (stats.Misconception("ex05.layernorm", BIASED, 2),)
    assert (found.named, found.failed) == (2, 3)


def test_what_could_not_be_marked_counts_in_no_rate(tmp_path):
    path = written(
        tmp_path / "marks.jsonl",
        record("ann", "passed", "passed"),
        unmarked("bob", "refused", "not a zip"),
        unmarked("cid", "todo", "an empty folder"),
    )
    found = stats.read(path)
    assert dict(found.unmarked) == {"bob": "not a zip", "cid": "an empty folder"}
    assert [piece.rate for piece in found.pieces] == [1.0, 1.0]


def test_a_class_of_which_nothing_could_be_marked_has_a_report(tmp_path):
    path = written(tmp_path / "marks.jsonl", unmarked("bob", "refused", "not a zip"))
    report = reporter.render(stats.read(path))
    assert "0 submissions marked" in report
    assert "bob: not a zip" in report
    assert reporter.tables(stats.read(path))["pieces.csv"].count(b"\r\n") == 1


def test_the_plain_report_says_all_of_it_in_ascii(results):
    report = reporter.render(stats.read(results))
    assert report.isascii()
    for line in (
        "4 submissions marked",
        "mean 10 of 16 points, median 8, spread 3.46; 1 that was not marked is left out",
        "  ex05.layernorm: pass 25%, points 2 of 8, spread 3.46, failed 3, timed out 1",
        "Mistakes that were named, in 2 of 3 failures (67%)",
        f"  ex05.layernorm, in 2 submissions: {BIASED}",
        "  eve: not a zip",
    ):
        assert line in report.splitlines()


def test_the_tables_say_what_the_plain_report_says(results):
    found = stats.read(results)
    console = Console(width=160, record=True, file=io.StringIO())
    reporter.show(found, console=console)
    board = console.export_text()
    for _title, _head, rows, _in_words in reporter.sections(found, None, []):
        for row in rows:
            assert all(value in board for value in row)


def test_a_long_list_is_cut_and_says_so():
    rows = [(str(n),) for n in range(reporter.MOST + 3)]
    assert reporter.shortened(rows)[-1] == ("3 more; --csv has all",)
    assert reporter.shortened(rows[: reporter.MOST]) == rows[: reporter.MOST]


def table(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"))))


def test_every_number_stands_in_the_csv(results):
    tables = reporter.tables(stats.read(results))
    names, rmsnorm, layernorm = table(tables["pieces.csv"])
    assert dict(zip(names, layernorm))["rate"] == "0.25"
    assert dict(zip(names, rmsnorm))["passed"] == "4"
    assert table(tables["misconceptions.csv"])[1] == ["ex05.layernorm", "2", BIASED]
    assert table(tables["scores.csv"])[-1] == ["eve", "", "", "not a zip", ""]


def test_who_came_late_is_in_the_table(tmp_path):
    late = record("ann", "passed", "passed") | {"provenance": {"intake": {"late": True}}}
    path = written(tmp_path / "marks.jsonl", late, record("bob", "passed", "passed"))
    scores = table(reporter.tables(stats.read(path))["scores.csv"])
    assert [(row[0], row[4]) for row in scores[1:]] == [("ann", "late"), ("bob", "")]


@pytest.mark.parametrize("id", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1+1"])
def test_no_cell_is_a_formula(tmp_path, id):
    path = written(tmp_path / "marks.jsonl", record(id, "passed", "passed"))
    [_head, row] = table(reporter.tables(stats.read(path))["scores.csv"])
    assert row[0].startswith("'")
    assert cell(id).startswith("'")


def test_no_escape_of_an_id_or_a_message_reaches_a_report(tmp_path):
    path = written(
        tmp_path / "marks.jsonl",
        record("ann\x1b[2J", "failed", "failed", diagnosis="\x1b]0;title\x07this"),
        unmarked("bob\u202e", "refused", "no\x1b[31m zip"),
    )
    found = stats.read(path)
    console = Console(width=160, record=True, file=io.StringIO(), force_terminal=False)
    reporter.show(found, console=console)
    reports = [reporter.render(found), console.export_text()]
    reports += [data.decode() for data in reporter.tables(found).values()]
    for report in reports:
        assert "\x1b" not in report and "\u202e" not in report


@pytest.mark.parametrize("form", ["png", "svg"])
def test_the_picture_is_one(results, form):
    pytest.importorskip("matplotlib", reason="sh requirements/install.sh curves: no matplotlib")
    begins = {"png": b"\x89PNG", "svg": b"<?xml"}[form]
    assert reporter.picture(stats.read(results), form).startswith(begins)


# the command


def test_the_command_writes_what_it_was_asked_for(results, tmp_path, capsys):
    assert main(["stats", str(results), "--csv", str(tmp_path / "tables")]) == 0
    said = capsys.readouterr().out
    assert "4 submissions marked" in said
    files = sorted(path.name for path in (tmp_path / "tables").iterdir())
    assert files == ["misconceptions.csv", "pieces.csv", "scores.csv"]
    assert all(name in said for name in files)


def test_without_matplotlib_the_command_says_how_to_get_it(results, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["stats", str(results), "--png", str(tmp_path / "class.png")]) == 2
    assert "requirements/install.sh curves" in capsys.readouterr().err


def broken_record() -> str:
    return json.dumps(record("ann", "passed", "passed") | {"exercises": [{"id": 3}]}) + "\n"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot read"),
        ("", "holds no records yet"),
        ("hello\n", "is no record of `mark`"),
        (broken_record(), "the record of ann is not whole"),
    ],
)
def test_a_wrong_file_is_said_to_be_one(tmp_path, capsys, text, says):
    path = tmp_path / "marks.jsonl"
    if text is not None:
        path.write_text(text, "utf-8")
    assert main(["stats", str(path)]) == 2
    assert says in capsys.readouterr().err


def test_look_alikes_are_shown_with_their_lines_and_without_a_verdict(results, tmp_path, capsys):
    folder = tmp_path / "submissions"
    text = (ROOT / "tests" / "kit" / "rewritten" / NORM.file).read_text("utf-8")
    for id, source in {"ann": text, "bob": text.replace("gain", "g"), "cid": "x = 1\n"}.items():
        (folder / id).mkdir(parents=True)
        (folder / id / NORM.file).write_text(source, "utf-8")
    (folder / "dee").mkdir()
    (folder / "dee" / NORM.file).write_bytes(b"\xff\xfe\x00")
    command = ["stats", str(results), "--submissions", str(folder), "--csv", str(tmp_path)]
    assert main([*command, "--format", "plain"]) == 0
    said = capsys.readouterr().out
    assert "  ann and bob: 100% of ex05 shared, lines " in said
    assert "no number can tell" in said
    assert "dee: " in said.partition("Not compared")[2]
    assert table((tmp_path / "similar.csv").read_bytes())[1][:2] == ["ex05_norm", "1"]
    assert table((tmp_path / "not_compared.csv").read_bytes())[1][0].startswith("dee: ")


def test_a_pair_is_said_as_a_sentence_where_there_is_no_table():
    ten, two = range(1, 11), range(2, 4)
    pairs = [
        Pair(f"{id}_it", "ann", "bob", 0.5, 9, ((ten, two), (ten,))) for id in ("ex03", "ex05")
    ]
    _title, _head, rows, in_words = reporter.look_alikes(pairs)
    said = "ann and bob: 50% of ex03 shared, lines 1-10, 2-3 and 1-10; alike too in ex05"
    assert [in_words(*row) for row in rows] == [said]
