"""How long one waits for an answer: checks from cold, saves in watch, a submission marked.

All on the reference's files. Checks stand beside pytest alone, on as many tests that do nothing.

    python -m grader.latency ex01 ex03      runs the hidden tests of these exercises, and no others
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

from . import course as courses
from .bench import BenchError, Row
from .course import ROOT, Course
from .language import _, later

TRIVIAL = "def test_{}():\n    assert np.ones(3).sum() == 3\n"
PAIR = 2  # workers that share the hidden suite
WRONG = (  # an exercise, and a mistake in it that has a name
    ("ex01_tokenizer", 'sorted(set("".join(docs)))', 'sorted("".join(docs))'),
    ("ex05_norm", "(mean_product(centred, centred) +", "(centred.var(-1, ddof=1, keepdims=True) +"),
    ("ex06_attention", "q.shape[3] ** -0.5", "1.0"),
    ("ex08_optim", "return peak * (1 - step / total)", "return peak * step / total"),
)
PASSES, FAILS = later("a save that passes"), later("a save whose mistake is named")


def rows(course: Course, rounds: int, notify: Callable[[str], None]) -> Iterator[Row]:
    """Every latency, so many times each. notify is told what is measured next."""
    for names in [*([exercise.short] for exercise in course.exercises), []]:
        where = names[0] if names else "all"
        notify(_("check {where}").format(where=where))
        yield check(names, where, rounds)
    notify(_("the hidden suite, by two workers"))
    yield hidden(course, rounds)
    notify(_("one submission"))
    yield marked(course, rounds)
    if os.name == "nt":
        notify(_("no saves in watch: Windows has no pty to watch in"))
        return
    notify(_("saves in watch"))
    yield from answers(course, rounds)


def check(names: list[str], where: str, rounds: int) -> Row:
    """Seconds of one check, beside pytest alone on as many tests that do next to nothing."""
    options = ["--target", "solutions", "--no-finale", "--format", "json"]
    command = [sys.executable, "-m", "grader", "check", *names, *options]
    count = tests_in(timed(command, ROOT)[1])
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        tests = "import numpy as np\n" + "".join(TRIVIAL.format(i) for i in range(count))
        (Path(folder) / "test_trivial.py").write_text(tests, "utf-8")
        alone = [sys.executable, "-m", "pytest", "-q", "test_trivial.py"]
        timed(alone, Path(folder))  # once unmeasured, as ours was, so that all is compiled
        for _round in range(rounds):
            ours.append(timed(command, ROOT)[0])
            theirs.append(timed(alone, Path(folder))[0])
    note = _("{count} tests").format(count=count)
    return Row(later("check"), where, None, "s", tuple(ours), "pytest", tuple(theirs), note)


def timed(command: list[str], folder: Path) -> tuple[float, str]:
    """How many seconds it took, and what it printed. BenchError unless it succeeds."""
    start = time.perf_counter()
    ran = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8")
    seconds = time.perf_counter() - start
    if ran.returncode:
        refuse(command, ran.stderr or ran.stdout)
    return seconds, ran.stdout


def refuse(command: list[str], said: str) -> None:
    """BenchError: what fails is not timed."""
    words = _("{words} did not pass, so it is not timed: {all}")
    last = " ".join(said.strip().splitlines()[-1:])
    raise BenchError(words.format(words=" ".join(command[2:]), all=last))


def tests_in(report: str) -> int:
    """How many tests a check has run, by its JSON."""
    pieces = [piece for exercise in json.loads(report)["exercises"] for piece in exercise["pieces"]]
    return sum(len(piece["tests"]) for piece in pieces)


# the hidden suite


def hidden(course: Course, rounds: int) -> Row:
    """Seconds of the hidden suite, by two processes at once, each with a worker."""
    shorts = [exercise.short for exercise in course.exercises]
    command = [sys.executable, "-m", "grader.latency"]
    commands = [[*command, *shorts[i::PAIR]] for i in range(PAIR)]
    ours = tuple(together(commands) for _round in range(rounds))
    return Row(later("hidden suite"), "all", None, "s", ours, note=_("from cold, by two workers"))


def together(commands: list[list[str]]) -> float:
    """Seconds until all of them have ended. BenchError unless all succeed."""
    start = time.perf_counter()
    running = [
        subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, encoding="utf-8")
        for command in commands
    ]
    said = [process.communicate()[1] for process in running]
    seconds = time.perf_counter() - start
    for process, command, words in zip(running, commands, said):
        if process.returncode:
            refuse(command, words)
    return seconds


def main(*names: str) -> int:
    """Check the reference by the hidden tests of these exercises. -> 0 if all pass"""
    from . import suite
    from .assembly import Target

    course = courses.load()
    target = Target.read(ROOT / "solutions", course)
    options = suite.usual(tests=(ROOT / "tests" / "hidden",))
    result = suite.check(course, target, course.select(list(names)), options)
    for exercise in result.exercises:
        for piece in exercise.pieces:
            for test in piece.tests:
                if test.status != "passed":
                    print(f"{exercise.id} {test.name}: {test.message}", file=sys.stderr)
    return 0 if result.passed else 1


# marking


def marked(course: Course, rounds: int) -> Row:
    """Seconds of `mark` on one submission, all exercises, both suites."""
    trust, note = isolated()
    with tempfile.TemporaryDirectory() as folder:
        handed_in = submissions(course, Path(folder) / "submissions", 1)
        ours = tuple(marking(handed_in, trust, 1)[0] for _round in range(rounds))
    return Row(later("mark"), "one submission", None, "s", ours, note=note)


def isolated() -> tuple[list[str], str]:
    """What `mark` must be told here, and under which isolation it then runs."""
    from . import isolation

    try:
        return [], isolation.best().name
    except isolation.Unavailable:
        return ["--trust-submissions"], _("nothing keeps submissions apart here")


def submissions(course: Course, folder: Path, count: int) -> Path:
    """A folder with so many submissions, each the reference under another name."""
    for number in range(count):
        student = folder / f"student{number}"
        student.mkdir(parents=True)
        for exercise in course.exercises:
            text = (ROOT / "solutions" / exercise.file).read_text("utf-8")
            (student / exercise.file).write_text(f"{text}# {number}\n", "utf-8")
    return folder


def marking(
    folder: Path, options: list[str], jobs: int, names: tuple[str, ...] = ()
) -> tuple[float, float]:
    """Seconds of `mark` on that folder, from cold, and the megabytes of its largest process.

    Of Windows 0 megabytes, which does not tell. BenchError unless it succeeds.
    """
    with tempfile.TemporaryDirectory() as beside, open(Path(beside) / "said", "w+b") as said:
        results = ["--results", str(Path(beside) / "marks.jsonl"), "--seed", "1"]
        command = [sys.executable, "-m", "grader", "mark", str(folder), *names, *results, *options]
        command += ["--jobs", str(jobs)]
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, stdout=said, stderr=said)
        code, size = ended(process)
        seconds = time.perf_counter() - start
        if code:
            said.seek(0)
            refuse(command, said.read().decode("utf-8", "replace"))
    return seconds, size


def ended(process: subprocess.Popen) -> tuple[int, float]:
    """How a process ended, and the megabytes of the largest of it and those that it started."""
    if not hasattr(os, "wait4"):
        return process.wait(), 0.0
    _id, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
    return process.returncode, usage.ru_maxrss * unit / 1e6


# watch


def answers(course: Course, rounds: int) -> Iterator[Row]:
    """Seconds from a save to its answer: of passing exercises, and of named mistakes.

    Each figure is the median of an exercise, so that the spread is that between exercises.
    """
    found: dict[str, dict[str, float]] = {PASSES: {}, FAILS: {}}
    for what, exercise, seconds in saves(course, rounds):
        found[what][exercise] = median(seconds)
    for what, times in found.items():
        slowest = max(times, key=times.get)
        note = _("{n} exercises; the slowest is {slowest}").format(n=len(times), slowest=slowest)
        yield Row(what, "watch", None, "s", tuple(times.values()), note=note)


def saves(course: Course, rounds: int) -> Iterator[tuple[str, str, tuple[float, ...]]]:
    """(what is saved, exercise, seconds from each save to its answer), in a copy of the course."""
    from .rehearsal import Copy, Terminal

    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder) / "course")
        for exercise in course.by_id:
            copy.solve(exercise)
        copy.grader("check", "--no-finale")
        with contextlib.closing(Terminal(copy, rows=50, GLASSBOX_LANG="en")) as terminal:
            terminal.until("checked at")
            for id in course.by_id:
                times = tuple(terminal.answered(copy, id) for _save in range(rounds))
                yield PASSES, id, times
            for id, old, new in WRONG:
                times = tuple(terminal.answered(copy, id, old, new) for _save in range(rounds))
                if "likely:" not in terminal.screen:
                    raise BenchError(_("the mistake in {id} was not named").format(id=id))
                yield FAILS, id, times
                terminal.answered(copy, id)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
