"""Which mistakes are recognised in other words, and that nothing else is taken for one.

rewritten   known mistakes in another style: most are to be named, and none wrongly
strangers   wrong answers that are no known mistake: none is to be named
heldout     both kinds, written after the diagnosis; nothing was tuned on the mistakes in it
"""

from pathlib import Path

import pytest
from naming import BOTH, VISIBLE, named

HERE = Path(__file__).parent
SLOW = pytest.mark.slow  # a minute or two for each folder
SUITES = [pytest.param(VISIBLE, id="visible"), pytest.param(BOTH, id="hidden", marks=SLOW)]


def shares(answers):
    """Of those that fail a test: the known mistakes, how many are named right, and false names."""
    known = [a for a in answers if a.expected and a.failing]
    right = [a.id for a in known if a.right]
    missed = [a.id for a in known if not a.right]
    false = {a.id: a.guesses for a in answers if a.false}
    print(f"{len(right)} of {len(known)} named right, {len(false)} of {len(answers)} falsely")
    print(f"not named: {', '.join(missed) or 'none'}; falsely: {false or 'none'}")
    return known, right, false


def test_a_sample_is_named_rightly_and_nothing_falsely():
    known, right, false = shares(
        [*named(HERE / "rewritten", step=12), *named(HERE / "strangers", step=16)]
    )
    assert len(right) == len(known) > 6
    assert not false


@SLOW
@pytest.mark.parametrize("suites", SUITES)
def test_nine_in_ten_mistakes_are_named_in_other_words(suites):
    answers = named(HERE / "rewritten", suites)
    known, right, false = shares(answers)
    assert len(known) == len(answers) >= 40, "each is a known mistake, and each fails"
    assert len({a.expected for a in answers}) >= 40
    assert len(right) >= 0.9 * len(known)
    assert not false


@SLOW
@pytest.mark.parametrize("suites", SUITES)
def test_what_is_no_known_mistake_is_given_no_name(suites):
    answers = named(HERE / "strangers", suites)
    assert len(answers) >= 40
    assert all(a.failing for a in answers)
    _known, _right, false = shares(answers)
    assert not false


@SLOW
@pytest.mark.parametrize("suites", SUITES)
def test_what_was_held_out_is_named_as_well(suites):
    answers = named(HERE / "heldout", suites)
    known, right, false = shares(answers)
    assert len(known) >= 35
    assert len(answers) - len(known) >= 25
    assert len(right) >= 0.9 * len(known)
    assert len(false) <= 0.02 * len(answers)
