"""The same code gets the same result with every seed, and the command says where it does not."""

import argparse
from pathlib import Path

import pytest

from grader import course as courses
from grader import halfright, stability, suite
from grader.assembly import Target
from grader.commands import suites
from grader.course import ROOT
from grader.stability import Finding, Outcome
from grader.trials import SUITES
from grader.variants import Setting, by_id, registered

COURSE = courses.load()
REAL = Setting(COURSE)
LISTED = halfright.read(suites.HALF_RIGHT)
TESTS = {suite: ROOT / "tests" / suite for suite in SUITES}
SOLVED = Target.read(ROOT / "solutions", COURSE)


# submissions that are half right


def test_there_are_twenty_and_each_has_something_right():
    assert len({submission.name for submission in LISTED}) == len(LISTED) == 20
    for submission in LISTED:
        assert submission.mistakes or submission.todo
        target = submission.target(REAL)
        same = [id for id in SOLVED.files if target.files[id].text == SOLVED.files[id].text]
        assert len(same) > 1, submission.name  # microgpt.py, and an exercise that is done


@pytest.mark.parametrize("short", [exercise.short for exercise in COURSE.exercises])
def test_every_mistake_can_be_written_into_its_file(short):
    """As Python that defines it last, and binds it to all names of what it is a mutant of."""
    exercise = next(e for e in COURSE.exercises if e.short == short)
    text = SOLVED.files[exercise.id].text
    for variant in registered(REAL, exercise.pieces, REAL.mutants):
        mutant = by_id(REAL.mutants)[variant.id]
        written = halfright.written_in(text, mutant)
        compile(written, variant.id, "exec")
        added = written.removeprefix(text)
        assert f"def {mutant.function.__name__}(" in added or "class " in added, variant.id
        assert "grader" not in added, variant.id


def test_a_mistake_in_the_file_is_found_as_one_put_in_its_place():
    """`Tensor.__mul__` is `__rmul__` too, and both are the mutant's."""
    id, hidden = "ex03.mul_in_float64", (TESTS["hidden"],)
    wanted = COURSE.select(["ex03.arithmetic"])
    written = halfright.Submission("one", mistakes=(id,)).target(REAL)
    found = stability.outcome(stability.Setting(COURSE, wanted, hidden), written, seed=1)
    patch = by_id(REAL.mutants)[id]
    options = suite.Options(tests=hidden, in_process=True, patch=patch, mutants=None, seed=1)
    assert found == stability.in_short(suite.check(COURSE, SOLVED, wanted, options))
    assert 0 < found.earned < found.possible


@pytest.mark.parametrize(
    ("submission", "says"),
    [
        (halfright.Submission("a", mistakes=("ex05.nobody",)), "a: there is no mutant 'ex05.nob"),
        (halfright.Submission("a", todo=("ex5",)), "a: there is no exercise 'ex5'"),
    ],
)
def test_a_submission_of_what_is_not_there_is_refused(submission, says):
    with pytest.raises(halfright.SubmissionError, match=says):
        submission.target(REAL)


def test_a_list_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(halfright.SubmissionError, match="cannot read"):
        halfright.read(tmp_path / "none.toml")
    (tmp_path / "list.toml").write_text('[[submission]]\nname = "a"\n', "utf-8")
    with pytest.raises(halfright.SubmissionError, match="'mistakes' is missing"):
        halfright.read(tmp_path / "list.toml")


# stability

GUESSING = """
import pytest
from grader import chance

@pytest.mark.piece("vocabulary", core=True)
def test_it_is_a_matter_of_luck(student):
    "Heads, or tails."
    student.CharTokenizer(["a"])
    assert chance.rng().random() < 0.5

@pytest.mark.piece("vocabulary")
def test_it_is_not(student):
    "A vocabulary of one."
    assert student.CharTokenizer(["a"]).chars == ["a"]
"""


@pytest.fixture(scope="module")
def lucky(tmp_path_factory) -> stability.Setting:
    """A suite with one test that chance decides."""
    folder: Path = tmp_path_factory.mktemp("suites") / "lucky"
    folder.mkdir()
    (folder / "test_ex01_tokenizer.py").write_text(GUESSING, "utf-8")
    return stability.Setting(COURSE, COURSE.select(["ex01.vocabulary"]), tests=(folder,))


def test_a_test_that_chance_decides_is_found(lucky):
    [finding] = stability.measure(lucky, [SOLVED], range(6), jobs=1)
    tests = {test for test, _, _ in finding.differing}
    assert tests == {"lucky ex01_tokenizer.vocabulary test_it_is_a_matter_of_luck"}
    told = suites.found(finding)
    assert told[0].startswith("solutions: 6 seeds, ")
    assert f"seed {finding.differing[0][1]}, {finding.usual.statuses[tests.pop()]} with" in told[1]


def test_the_usual_outcome_is_that_of_most_seeds():
    right, wrong = Outcome(2.0, 2.0, {"a": "passed"}), Outcome(0.0, 2.0, {"a": "failed"})
    finding = Finding("x", {1: wrong, 2: right, 3: right})
    assert finding.usual == right and finding.differing == [("a", 1, "failed")]
    assert Finding("x", {1: right, 2: right}).differing == []


def test_one_seed_is_nothing_to_compare():
    options = argparse.Namespace(targets=[], all=False, times=1, seed=1, jobs=1)
    with pytest.raises(suites.UsageError, match="takes 2"):
        suites.run_stable(options)


def test_without_names_the_reference_and_four_submissions_are_checked():
    few = argparse.Namespace(targets=[], all=False)
    every = argparse.Namespace(targets=[], all=True)
    names = [target.name for target in suites.targets_of(few, COURSE)]
    assert names == ["solutions", *(submission.name for submission in LISTED[:4])]
    assert len(suites.targets_of(every, COURSE)) == 21


def test_a_sample_of_the_suites_is_stable():
    """Ten seeds for the reference and three more, on four pieces; the command takes all of them."""
    names = ["ex10.temperature", "ex10.top_k", "ex10.top_p", "ex10.sample"]
    setting = stability.Setting(COURSE, COURSE.select(names))
    chosen = [s for s in LISTED if s.name in ("in_place", "never_refuses", "overflows")]
    targets = [SOLVED, *(submission.target(REAL) for submission in chosen)]
    findings = [*stability.measure(setting, targets, range(10))]
    assert [finding.differing for finding in findings] == [[]] * 4
    right, *wrong = (finding.usual for finding in findings)
    assert right.earned == right.possible
    assert all(0 < outcome.earned < right.earned for outcome in wrong)


@pytest.mark.slow  # many minutes: 21 submissions, with 10 seeds
def test_every_submission_gets_one_result():
    setting = stability.Setting(COURSE, COURSE.select([]))
    targets = [SOLVED, *(submission.target(REAL) for submission in LISTED)]
    findings = stability.measure(setting, targets, range(10))
    assert [line for f in findings if f.differing for line in suites.found(f)] == []
