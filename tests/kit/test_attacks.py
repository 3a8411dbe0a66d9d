"""No attack of the corpus wins against the kit, and the arena sees it when one wins.

A sample here; all of them by `python -m grader attacks`, and in the slow tests.
"""

import pytest

from grader import arena, assembly, attacks, course, isolation, suite
from grader.answers import checked
from grader.process import TimedOut, Worker
from grader.results import TIMEOUT
from grader.wire import WireError
from grader.workbench import UsedUp, Workbench

COURSE = course.load()
SAMPLE = [
    "verdicts/forged_value_frame",
    "memory/remember_the_inputs",
    "lies/array_function",
    "theft/read_the_solutions",
    "others/copy_a_neighbour",
    "processes/daemon",
    "texts/terminal_escapes",
    "files/link_to_a_neighbour",
]
BY_NAME = {attack.name: attack for attack in attacks.corpus()}


def try_all(names, design):
    """The outcomes, two at a time; skips where there is no arena."""
    chosen = [BY_NAME[name] for name in names]
    try:
        return list(arena.try_all(chosen, [attacks.DESIGNS[design]], jobs=2))
    except arena.Unavailable as error:
        pytest.skip(str(error))


def assert_all_fail(names, design):
    """None won, and each has the mark that its own returned values earned."""
    outcomes = try_all(names, design)
    wrong = [
        f"{outcome.attack}: {outcome.won or f'it earned {outcome.mark}'}"
        for outcome in outcomes
        if outcome.won or outcome.mark not in BY_NAME[outcome.attack].earns
    ]
    assert not wrong, "\n".join(wrong)


def needs(design):
    """Skips where this machine does not have the isolation."""
    try:
        {"bubblewrap": isolation.bubblewrap, "landlock": isolation.landlock}[design]()
    except isolation.Unavailable as error:
        pytest.skip(f"no {design} here: {error}")


# the corpus


def test_the_corpus_has_every_family_and_says_why_each_attack_fails():
    families = {attack.family for attack in BY_NAME.values()}
    assert len(BY_NAME) == len(attacks.corpus()) >= 200
    assert len(families) >= 16
    for attack in BY_NAME.values():
        assert attack.wants.startswith("Wants ") or attack.family == "ids", attack.name
        assert attack.fails.startswith("Fails ") or attack.family == "ids", attack.name


def test_no_two_attacks_are_the_same():
    texts = [path.read_text("utf-8").split('"""', 2)[2] for path in attacks.CORPUS.glob("*/*.py")]
    assert len(texts) == len(set(texts))


# the arena


def test_a_sample_of_attacks_fails():
    needs("bubblewrap")
    assert_all_fail(SAMPLE, "bubblewrap")


def test_the_arena_sees_an_attack_that_wins():
    forged, left = try_all(["verdicts/pytest_skip", "left/file_at_home"], "in-process")
    assert forged.won == "it earned 16 instead of 8"
    assert left.won == "it left behind /tmp/arena/home/.bashrc, /tmp/arena/home/.profile"


@pytest.mark.slow  # twenty minutes: every attack, each in a container of its own
@pytest.mark.parametrize("design", ["bubblewrap", "landlock"])
def test_no_attack_wins(design):
    needs(design)
    assert_all_fail(BY_NAME, design)


# what attacks have taught


def checked_folder(folder, pieces, **settings):
    target = assembly.Target.read(folder, COURSE, "exercises")
    options = suite.usual(worker=Worker(), mutants=None, **settings)
    return suite.check(COURSE, target, COURSE.select(pieces), options)


def solved(folder, exercise, end="", start=""):
    text = (course.ROOT / "solutions" / f"{exercise}.py").read_text("utf-8")
    (folder / f"{exercise}.py").write_text(start + text + end, "utf-8")


def test_a_later_exercise_is_not_lent_to_an_earlier_one(tmp_path):
    """Else a broken ex06 would hand the reference's attention, and so its softmax, to ex04."""
    solved(tmp_path, "ex04_ops", start="from .ex06_attention import attention_weights\n")
    (tmp_path / "ex06_attention.py").write_text("raise ValueError\n")
    result = checked_folder(tmp_path, ["ex04.relu"])
    assert result.earned == 0
    assert "ex06_attention" not in result.exercises[0].borrowed


def test_importing_again_and_again_uses_up_the_exercises_time(tmp_path):
    """For each plan of what is borrowed the file is imported anew: that is the exercise's time."""
    solved(tmp_path, "ex05_norm", end="\nimport time\ntime.sleep(0.35)\nraise ValueError\n")
    result = checked_folder(tmp_path, ["ex05"], factor=0.05)
    assert result.earned == 0
    solved(tmp_path, "ex05_norm", end="\nwhile True:\n    pass\n")
    result = checked_folder(tmp_path, ["ex05"], factor=0.05)
    statuses = {t.status for piece in result.exercises[0].pieces for t in piece.tests}
    assert statuses == {TIMEOUT}


class Slow:
    """A worker that needs a second for an import."""

    alive, weight = True, 0

    def begin(self):
        pass

    def mark(self):
        pass

    def ask(self, request, seconds):
        if request["op"] == "load" and seconds < 1:
            raise TimedOut("late")
        return {"value": {}}


def test_an_import_that_had_no_time_left_is_tried_again_in_the_other_suite():
    """Else what one piece wastes in the visible tests would cost the others their hidden ones."""
    target = assembly.Target.read(course.ROOT / "solutions", COURSE)
    bench = Workbench(COURSE, target, suite.usual(worker=Slow()))
    piece = COURSE.piece("ex05.rmsnorm")
    bench.spent[piece.exercise, False] = 9.5
    with pytest.raises(UsedUp):
        bench.student(piece, assembly.Plan(), hidden=False)
    assert not bench.unusable
    bench.student(piece, assembly.Plan(), hidden=True)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"value": 1, "error": {}},
        {"value": 1, "more": 2},
        {"value": 1, "printed": -1},
        {"value": 1, "printed": "9"},
        {"error": {"type": "ValueError"}},
        {"error": {"type": "Skipped", "shown_type": "", "message": "", "frames": []}},
        {"error": {"type": "print", "shown_type": "", "message": "", "frames": []}},
        {"error": {"type": "ValueError", "shown_type": "", "message": 7, "frames": []}},
        {"error": {"type": "ValueError", "shown_type": "", "message": "", "frames": [["f", 0]]}},
        {"refused": "everything"},
    ],
    ids=str,
)
def test_what_is_no_answer_is_refused(answer):
    with pytest.raises(WireError):
        checked(answer)
