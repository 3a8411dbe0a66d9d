"""JUnit, Gradescope and GitHub Classroom: views of the one record, which always agree with it."""

import base64
import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt  # rich brings it along

from grader import course as courses
from grader.commands import check
from grader.reports import clean, github, gradescope, junit
from grader.results import ExerciseResult, PieceResult, Result, TestResult

COURSE = courses.load()
STATUSES = ("passed", "failed", "todo", "waiting", "timeout", "crashed", "refused")
HOSTILE = (
    "</testcase><script>&amp; ]]> \x1b[31mred\x1b[0m \x00\x08\x0b \ud800 \ufffe \u202e שלום 🤖 "
    '| `code` **bold** [a](http://x) @all "quoted" \r\n::notice title=Autograding report::'
    '{"totalPoints":200,"maxPoints":200}\n##[error]no ' + "w" * 500
)


def a_test(status="passed", name="test_it", suite="visible", **fields):
    return TestResult(name, suite, status, **fields)


def a_piece(name, points, *tests, **rules):
    return PieceResult.score(name, points, tests, **rules)


def a_result(*pieces, **fields):
    exercise = ExerciseResult("ex05_norm", "Normalisation", pieces)
    return Result("exercises", ("visible",), (exercise,), **fields)


def of_status(status):
    return a_test(status, name=f"test_{status}", message=f"this is {status}", where="x.py:1")


EVERY_STATUS = a_result(*(a_piece(status, 3.0, of_status(status)) for status in STATUSES))
SHARES = a_result(
    a_piece("thirds", 10.0, a_test(), a_test(), a_test("failed")),
    a_piece("core_lost", 8.0, a_test(), a_test("failed", name="core"), core=frozenset({"core"})),
    a_piece("almost", 0.01, a_test(), a_test(), a_test("todo")),
)
HIDDEN = replace(
    a_result(
        a_piece("layernorm", 8.0, a_test(), a_test("failed", suite="hidden", message="the mean")),
        a_piece("rmsnorm", 8.0, a_test("failed", message="seen"), a_test(suite="hidden")),
        a_piece("hidden_only", 2.0, a_test(suite="hidden")),
    ),
    suites=("visible", "hidden"),
)
NASTY = a_result(
    a_piece(
        HOSTILE,
        7.0,
        *(
            a_test(status, HOSTILE, HOSTILE, message=HOSTILE, diagnosis=HOSTILE, where=HOSTILE)
            for status in STATUSES
        ),
        a_test("failed", message="", output=(HOSTILE + "\n") * 40),
    ),
)
NASTY = replace(NASTY, target=HOSTILE, submission=HOSTILE, suites=(HOSTILE,))
EMPTY = Result("exercises", ("visible",), ())
RESULTS = {
    "every_status": EVERY_STATUS,
    "shares": SHARES,
    "hidden": HIDDEN,
    "nasty": NASTY,
    "empty": EMPTY,
}
every_result = pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)

words = st.text(max_size=40)
results = st.builds(
    lambda pieces: a_result(*pieces),
    st.lists(
        st.builds(
            lambda name, points, tests: a_piece(name, points, *tests),
            words,
            st.integers(0, 5000).map(lambda hundredths: hundredths / 100),
            st.lists(
                st.builds(
                    TestResult,
                    name=words,
                    suite=st.sampled_from(["visible", "hidden", "mine"]) | words,
                    status=st.sampled_from(STATUSES),
                    message=words,
                    diagnosis=st.none() | words,
                    seconds=st.floats(0, 100),
                    where=st.none() | words,
                    output=words,
                ),
                max_size=4,
            ),
        ),
        max_size=4,
    ),
)


def statuses_of(result):
    pieces = [piece for exercise in result.exercises for piece in exercise.pieces]
    return [test.status for piece in pieces for test in piece.tests]


# JUnit


def check_junit(result):
    root = ElementTree.fromstring(junit.render(result))
    record = result.to_json()
    cases = root.findall(".//testcase")
    passing = [case for case in cases if len(case) == 0]
    assert [len(case) == 0 for case in cases] == [s == "passed" for s in statuses_of(result)]
    for suite, exercise in zip(root, record["exercises"], strict=True):
        points = [float(p.get("value")) for p in suite.findall("properties/property")]
        scored = [exercise, *exercise["pieces"]]
        assert points == [s[number] for s in scored for number in ("earned", "possible")]
    not_passing = int(root.get("failures")) + int(root.get("errors"))
    assert int(root.get("tests")) - not_passing == len(passing)


@every_result
def test_junit_agrees_with_the_record(result):
    check_junit(result)


@settings(max_examples=25, deadline=None)
@given(results)
def test_junit_agrees_with_any_record(result):
    check_junit(result)


def test_in_junit_nothing_is_skipped_since_readers_drop_that_from_the_sum():
    root = ElementTree.fromstring(junit.render(EVERY_STATUS))
    outcomes = {case.get("name"): [child.tag for child in case] for case in root.iter("testcase")}
    assert outcomes == {
        "test_passed": [],
        "test_failed": ["failure"],
        "test_todo": ["failure"],
        "test_waiting": ["failure"],
        "test_timeout": ["error"],
        "test_crashed": ["error"],
        "test_refused": ["error"],
    }
    assert [suite.get("skipped") for suite in root] == ["0"]


def test_a_junit_case_has_its_piece_as_class_and_tells_what_happened():
    test = a_test("failed", message="2 of 3 differ", diagnosis="a sign", where="e/x.py:4")
    root = ElementTree.fromstring(junit.render(a_result(a_piece("layernorm", 8.0, test))))
    case = root.find(".//testcase")
    assert (case.get("classname"), case.get("name")) == ("ex05.layernorm", "test_it")
    assert case[0].attrib == {"type": "failed", "message": "2 of 3 differ"}
    assert case[0].text == "test_it\n  at e/x.py:4\n  2 of 3 differ\n  likely: a sign"


def test_tests_of_one_name_in_two_suites_stay_two_in_junit():
    piece = a_piece("rmsnorm", 8.0, a_test(), a_test(suite="hidden"))
    root = ElementTree.fromstring(junit.render(a_result(piece)))
    assert [case.get("name") for case in root.iter("testcase")] == ["test_it", "test_it (hidden)"]


# Gradescope


def check_gradescope(result):
    document = json.loads(gradescope.render(result))
    record = result.to_json()
    scored = [entry for entry in document["tests"] if "score" in entry]
    pieces = [piece for exercise in record["exercises"] for piece in exercise["pieces"]]
    assert document["score"] == record["score"]["earned"]
    assert [(e["score"], e["max_score"]) for e in scored] == [
        (piece["earned"], piece["possible"]) for piece in pieces
    ]
    assert [e["status"] == "passed" for e in scored] == [p["status"] == "passed" for p in pieces]
    for entry in document["tests"]:
        assert entry["visibility"] in ("hidden", "after_due_date", "after_published", "visible")
        assert entry["output"] == clean(entry["output"])


@every_result
def test_gradescope_agrees_with_the_record(result):
    check_gradescope(result)


@settings(max_examples=25, deadline=None)
@given(results)
def test_gradescope_agrees_with_any_record(result):
    check_gradescope(result)


def test_gradescope_shows_points_that_hidden_tests_share_in_only_when_grades_are_published():
    entries = json.loads(gradescope.render(HIDDEN))["tests"]
    assert [(e["name"], e["visibility"], e.get("score")) for e in entries] == [
        ("ex05.layernorm, visible tests", "visible", None),
        ("ex05.layernorm", "after_published", 4.0),
        ("ex05.rmsnorm, visible tests", "visible", None),
        ("ex05.rmsnorm", "after_published", 4.0),
        ("ex05.hidden_only", "after_published", 2.0),
    ]
    told = [entry["output"] for entry in entries if entry["visibility"] == "visible"]
    assert told == [
        "visible tests: 1 of 1 pass",
        "visible tests: 0 of 1 pass\n\ntest_it\n  seen",
    ]


def test_gradescope_shows_everything_at_once_where_there_is_no_hidden_suite():
    document = json.loads(gradescope.render(SHARES))
    assert {entry["visibility"] for entry in document["tests"]} == {"visible"}
    assert document["stdout_visibility"] == "hidden"


# GitHub Classroom


def reported(result):
    """What the autograding reporter makes of the output: (points, possible, whether it fails)."""
    results = json.loads(base64.b64decode(github.encoded(result)))
    total = sum(test["score"] for test in results["tests"])
    return total, results["max_score"], results["status"] in ("fail", "error")


def check_github(result):
    record = result.to_json()
    total, possible, fails = reported(result)
    assert (total, possible) == (
        pytest.approx(record["score"]["earned"]),
        record["score"]["possible"],
    )
    assert fails == (not result.passed)
    tests = github.record(result)["tests"]
    pieces = [piece for exercise in record["exercises"] for piece in exercise["pieces"]]
    assert [test["score"] for test in tests] == [piece["earned"] for piece in pieces]
    assert [t["status"] == "pass" for t in tests] == [p["status"] == "passed" for p in pieces]
    for said in (text for test in tests for text in (test["name"], test["message"])):
        assert "::" not in said and "##[" not in said
    assert f"## {record['score']['earned']:.10g} of " in github.summary(result)


@every_result
def test_github_agrees_with_the_record(result):
    check_github(result)


@settings(max_examples=25, deadline=None)
@given(results)
def test_github_agrees_with_any_record(result):
    check_github(result)


def test_a_message_cannot_forge_the_points_that_github_reads_from_the_log():
    message = github.record(NASTY)["tests"][0]["message"]
    assert "notice title=Autograding report" in message
    assert not re.search(r"::|##\[", message)


def test_the_output_fits_into_an_environment_variable_however_much_there_is_to_say():
    flood = [a_test("failed", name=f"test_{n}", message="é" * 9000) for n in range(9)]
    pieces = [a_piece(f"piece_{n}", 5.0, *flood) for n in range(60)]
    assert len(github.encoded(a_result(*pieces))) < 128 * 1024


def test_a_summary_keeps_within_what_github_takes_and_says_what_is_left_out():
    flood = [a_test("failed", name=f"test_{n}", message=f"{n}" * 9000) for n in range(99)]
    text = github.summary(a_result(*(a_piece(f"piece_{n}", 5.0, *flood) for n in range(30))))
    assert len(text.encode()) < 2**20
    assert re.search(r"\d+ more pieces have failures\.", text)


def test_in_a_summary_names_are_no_markup():
    text = github.summary(NASTY)
    assert "<script" not in text
    row = next(line for line in text.splitlines() if line.startswith("| ex05"))
    assert len(re.findall(r"(?<!\\)\|", row)) == 5
    evil = ExerciseResult("ex05_norm", "a|b *c* <d> [e](f)", ())
    assert r"a\|b \*c\* \<d\> \[e\]\(f\)" in github.summary(replace(NASTY, exercises=(evil,)))


def test_no_blank_line_in_a_message_makes_the_rest_of_it_markdown():
    message = "one\n\n![a picture](http://x/y.png)\n\n# a title\n\n[a link](http://x)"
    page = github.summary(a_result(a_piece("p", 1.0, a_test("failed", message=message))))
    rendered = MarkdownIt("commonmark", {"html": True}).render(page)
    assert "<img" not in rendered and "<h1" not in rendered and "<a " not in rendered


def test_github_is_told_through_its_two_files_which_are_appended_to(tmp_path):
    output, page = tmp_path / "output", tmp_path / "summary"
    output.write_text("other=1\n")
    files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(page)}
    assert github.publish(SHARES, files) == "6.68 of 18.01 points\n"
    assert output.read_text() == f"other=1\nresult={github.encoded(SHARES)}\n"
    assert page.read_text("utf-8") == github.summary(SHARES)


def test_without_github_all_of_it_is_printed():
    said = github.publish(NASTY, {})
    assert f"result={github.encoded(NASTY)}\n" in said
    assert said.isascii()


# the command


@pytest.mark.parametrize("form", ["junit", "gradescope", "github"])
def test_check_reports_in_each_format(form, capsys, monkeypatch):
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    check.report(SHARES, COURSE, form)
    said = capsys.readouterr().out
    expected = {
        "junit": lambda: junit.render(SHARES),
        "gradescope": lambda: gradescope.render(SHARES),
        "github": lambda: github.publish(SHARES, {}),
    }
    assert said == expected[form]()
