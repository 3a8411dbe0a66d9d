"""A whole term with nbgrader: hand out, collect, mark, adjust, hand in again, give back, export.

Five students: one is right, one partly, one hangs, one cannot be imported, one never hands in.
Every score is compared with the grader's own record; every page is looked at in a real browser.
"""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest
from browser import browser  # noqa: F401

from grader import bundle, isolation, ledger
from grader import course as courses
from grader.course import ROOT

pytest.importorskip(
    "nbgrader", reason="plays a term with nbgrader: pip install -r requirements/instructor.txt"
)
from nbclass import Class, solution

COURSE = courses.load()
NORM = "ex05_norm"
ANSWERS = {
    "jane": solution(NORM),
    "omar": solution(NORM, "centred, centred) + eps", "centred, centred) * 2 + eps"),
    "yuki": solution(NORM, "    n = x.data", "    while True: pass\n    n = x.data"),
    "bela": "def rmsnorm(x:\n",
}
OFFLINE = "mathjax"  # formgrader's own wish; without it, it shows no formulas


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    packed = bundle.pack(bundle.for_students(bundle.Kit(COURSE), ()))
    return Class(tmp_path_factory.mktemp("term"), packed)


@pytest.fixture(scope="module")
def apart():
    """What `mark` needs to be told here: nothing, where submissions can be kept apart."""
    try:
        isolation.best()
    except isolation.Unavailable:
        return ["--trust-submissions"]
    return []


@pytest.fixture
def formgrader(room, tmp_path):
    """The address of a formgrader that serves the course as long as the test lasts."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    own = {f"JUPYTER_{what}_DIR": str(tmp_path / what) for what in ("CONFIG", "DATA", "RUNTIME")}
    command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"]
    command += [f"--port={port}", "--ip=127.0.0.1", "--IdentityProvider.token="]
    with (tmp_path / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command, cwd=room.course, env={**os.environ, **own}, stdout=log, stderr=log
        )
        try:
            address = f"http://127.0.0.1:{port}/formgrader"
            answers(f"{address}/manage_assignments", server)
            yield address
        finally:
            server.terminate()
            server.wait(30)


def answers(address, server):
    """Wait until the page is there."""
    for _attempt in range(600):
        assert server.poll() is None, "the server has ended"
        try:
            urllib.request.urlopen(address, timeout=10).read()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("no formgrader after a minute")


def grader(*arguments):
    done = subprocess.run(
        [sys.executable, "-m", "grader", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def mark(room, apart):
    """Mark what is handed in, write it into the gradebook; the points that the record gives."""
    path = room.course.parent / "results.jsonl"
    grader("mark", room.course / "submitted", "--results", path, *apart)
    grader("gradebook", path, "--course", room.course)
    return {
        student: {
            piece.name: piece.earned
            for exercise in result.exercises
            if exercise.id == NORM
            for piece in exercise.pieces
        }
        for student, result in ledger.results(path).items()
    }


def looked_at(browser, address, name):  # noqa: F811
    """Open a page, wait until its tables are filled, keep a picture. Returns its text."""
    browser.open(address)
    wait(lambda: "Loading" not in browser.text("body"))
    browser.screenshot(name)
    complaints = [words for words in browser.complaints() if OFFLINE not in words.lower()]
    assert complaints == []
    return browser.run("return document.body.innerText")


def wait(until):
    for _attempt in range(200):
        if until():
            return
        time.sleep(0.1)
    raise AssertionError("20 seconds, and still not")


def test_a_term(room, apart, formgrader, browser):  # noqa: F811
    # Hand out, and collect.
    room.release(NORM)
    for student in (*ANSWERS, "zoe"):
        room.teacher("db", "student", "add", student, "--first-name", student.title())
    for student, text in ANSWERS.items():
        room.hand_in(student, NORM, {f"{NORM}.py": text})
    room.teacher("collect", NORM)

    # Mark: the gradebook has what the records have, and nothing of zoe's.
    points = mark(room, apart)
    assert set(points) == set(ANSWERS)
    assert points["jane"] == {"rmsnorm": 8.0, "layernorm": 8.0}
    assert 0 <= points["omar"]["layernorm"] < points["omar"]["rmsnorm"] == 8.0
    assert points["yuki"]["rmsnorm"] == 0.0
    assert points["bela"] == {"rmsnorm": 0.0, "layernorm": 0.0}
    rows = room.rows(NORM)
    assert {student: row["auto"] for student, row in rows.items()} == points
    assert not any(row["asks"] for row in rows.values())
    assert "is there a loop that does not end?" in rows["yuki"]["comment"]
    assert "SyntaxError" in rows["bela"]["comment"]

    # nbgrader's own autograde agrees, by command and by button.
    room.teacher("autograde", NORM, "--force")
    assert room.rows(NORM) == rows
    page = looked_at(browser, f"{formgrader}/manage_submissions/{NORM}", "submissions")
    for student, row in rows.items():
        assert re.search(rf"{student}\b.*{row['score']:g} / 16", page, re.DOTALL)
    browser.run("document.querySelector('td.autograde a, td .glyphicon-flash').click()")
    wait(lambda: "Success" in browser.run("return document.body.innerText"))
    assert room.rows(NORM) == rows

    # Adjust by hand: a score and a comment, in formgrader.
    page = looked_at(browser, f"{formgrader}/submissions/{rows['omar']['page']}", "omar")
    assert "layernorm failed" in page and "What was handed in" in page
    enter(browser, "#layernorm", "3.5")
    enter(browser, "#comment-comment", "Nearly: look at the variance again.")
    wait(lambda: room.rows(NORM)["omar"]["comment"].startswith("Nearly"))
    assert room.rows(NORM)["omar"]["score"] == 11.5
    for name in ("manage_assignments", "manage_students", f"gradebook/{NORM}/{NORM}"):
        looked_at(browser, f"{formgrader}/{name}", name.replace("/", "-"))

    # Yuki hands in again; nobody else's marks move, and the override stays.
    room.hand_in("yuki", NORM, {f"{NORM}.py": solution(NORM)})
    room.teacher("collect", NORM, "--update")
    points = mark(room, apart)
    assert points["yuki"] == {"rmsnorm": 8.0, "layernorm": 8.0}
    rows = room.rows(NORM)
    assert {student: row["auto"] for student, row in rows.items()} == points
    assert rows["omar"]["score"] == 11.5 and rows["omar"]["asks"] == set()

    # Give back: what failed, and why; nothing hidden, and nothing from the network.
    room.teacher("generate_feedback", NORM, "--force")
    room.teacher("release_feedback", NORM)
    secret = bundle.hidden_lines(bundle.Kit(COURSE))
    telling = [line for line in secret if len(line) > 30 and not line.startswith('"""')]
    for student in ANSWERS:
        (page,) = room.feedback(student, NORM)[-1:]
        assert [line for line in telling if line in page.read_text("utf-8")] == []
        text = looked_at(browser, page.as_uri(), f"feedback-{student}")
        assert browser.requests() == []
        assert f"{rows[student]['score']:g} of 16 points" in text
    text = looked_at(browser, room.feedback("omar", NORM)[-1].as_uri(), "feedback-omar")
    assert "Nearly: look at the variance again." in text
    assert "changed by your instructor" in text

    # Export: as the gradebook has it, zoe blank.
    path = room.course.parent / "grades.csv"
    room.teacher("export", f"--to={path}")
    table = [line.split(",") for line in path.read_text("utf-8-sig").splitlines()]
    assert table[0][-1] == NORM
    exported = {row[2]: row[-1] for row in table[2:]}
    assert exported == {**{who: f"{row['score']:g}" for who, row in rows.items()}, "zoe": ""}

    # What nobody has marked yet, autograde marks, or says why not; it never gives points for it.
    room.hand_in("bela", NORM, {f"{NORM}.py": solution(NORM)})
    room.teacher("collect", NORM, "--update")
    if apart:
        return
    room.teacher("autograde", NORM, "--student", "bela")
    assert room.rows(NORM)["bela"]["auto"] == points["jane"]


def test_what_cannot_be_marked_apart_gets_no_points(room, monkeypatch):
    """Where nothing keeps submissions apart, autograde says so, and the student has no mark."""
    from grader import marking

    def refuse(*_given):
        raise marking.MarkingError("student's code cannot be kept apart on this machine")

    monkeypatch.setattr(marking, "mark_all", refuse)
    if not (room.course / "release" / NORM).exists():
        room.release(NORM)
    room.hand_in("lena", NORM, {f"{NORM}.py": solution(NORM)})
    room.teacher("collect", NORM)
    with pytest.raises(AssertionError, match="autograde"):
        room.teacher("autograde", NORM, "--student", "lena")
    assert set(room.rows(NORM)["lena"]["auto"].values()) == {None}
    assert room.rows(NORM)["lena"]["score"] == 0


def enter(browser, selector, words):  # noqa: F811
    """Type into a field of formgrader, and leave it: that saves."""
    field = browser.find(selector)
    browser.run("arguments[0].scrollIntoView({block: 'center'})", field)
    field.clear()
    field.send_keys(words)
    browser.press("tab")


def test_the_workbook_runs_where_it_was_fetched(room, monkeypatch):
    """In a kernel, as in Jupyter: the board appears, and the cells of the pieces give points."""
    import nbclient
    import nbformat

    home = room.home("kim")
    if not (room.course / "release" / NORM).exists():
        room.release(NORM)
    room.hand_in("kim", NORM, {})
    (home / "ex03_tensor").mkdir()
    (home / "ex03_tensor" / "ex03_tensor.py").write_text(solution("ex03_tensor"), "utf-8")
    book = nbformat.read(home / NORM / f"{NORM}.ipynb", as_version=4)
    monkeypatch.setenv("IPYTHONDIR", str(home / ".ipython"))
    nbclient.NotebookClient(book, resources={"metadata": {"path": home / NORM}}).execute()
    cells = {cell.id: cell for cell in book.cells}
    board = cells["check"].outputs[0].data["text/html"]
    assert "layernorm" in board and "to do" in board
    assert json.loads(cells["layernorm"].outputs[-1].data["text/plain"]) == 0.0
