"""The random inputs of the tests: new with each seed, the same for the same."""

import numpy as np
import pytest

from grader import chance, suite
from grader import course as courses
from grader.assembly import Target
from grader.course import ROOT

COURSE = courses.load()
SUITES = (ROOT / "tests" / "visible", ROOT / "tests" / "hidden")


@pytest.fixture(autouse=True)
def forgotten_afterwards():
    before = chance.current.set((0, ""))
    yield
    chance.current.reset(before)


def test_a_seed_is_the_same_until_the_check_the_test_or_the_salt_is_another():
    drawn = []
    for check, test, salt in ((0, "a", 1), (1, "a", 1), (0, "b", 1), (0, "a", 2), (0, "a", "1")):
        chance.current.set((check, test))
        assert chance.seed(salt) == chance.seed(salt)
        drawn.append(chance.seed(salt))
    assert len(set(drawn)) == 5


def test_a_generator_begins_anew_each_time():
    assert chance.rng("x").random() == chance.rng("x").random() != chance.rng("y").random()


def asked(seed: int, tests: tuple) -> dict[str, list]:
    """What the suites give ex05 to work on, by test: the numbers of all arrays that cross."""
    given = {}

    def note(test, calls):
        arrays = [a for call in calls for a in call.request.get("args", ()) if np.ndim(a)]
        given[test] = [np.asarray(array).tolist() for array in arrays]

    options = suite.Options(
        tests=tests, seed=seed, in_process=True, alone=True, mutants=None, observe=note
    )
    target = Target.read(ROOT / "solutions", COURSE)
    result = suite.check(COURSE, target, COURSE.by_id["ex05_norm"].pieces, options)
    assert result.passed
    assert result.provenance["seed"] == seed
    return given


def test_the_hidden_suite_asks_of_each_seed_other_numbers_and_the_visible_one_the_same():
    visible, hidden = ({seed: asked(seed, (folder,)) for seed in (0, 8)} for folder in SUITES)
    assert visible[0] == visible[8]
    assert hidden[0] == asked(0, SUITES[1:])
    assert any(hidden[0].values()) and hidden[0] != hidden[8]
