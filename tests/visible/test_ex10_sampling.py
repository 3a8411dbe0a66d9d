"""Probabilities that add up in the head, and a model whose next token depends on the last one."""

import math

import numpy as np
import pytest

from grader.compare import close

piece = pytest.mark.piece

INF = math.inf
Z = np.log([0.5, 0.3, 0.2])  # logits of these three probabilities


def stays(student, name, given, *rest):
    """A call must leave the first of its arguments alone."""
    after = student.scenario("arguments_after", name=name, args=[given.copy(), *rest])["args"][0]
    assert np.array_equal(after, given), f"{name} changed the logits that it was given to {after}"


@piece("temperature", core=True)
def test_half_the_temperature_doubles_the_logits(student):
    close(student.temperature(np.array([2.0, 1.0, 0.0, -1.0]), 0.5), [4.0, 2.0, 0.0, -2.0])


@piece("temperature")
def test_temperature_one_changes_nothing(student):
    close(student.temperature(np.array([2.0, 1.0, -1.0]), 1.0), [2.0, 1.0, -1.0])


@piece("temperature")
def test_a_temperature_above_one_brings_the_logits_together(student):
    close(student.temperature(np.array([8.0, -4.0]), 4.0), [2.0, -1.0])


@piece("temperature")
def test_the_logits_that_are_divided_stay_as_they_are(student):
    stays(student, "temperature", np.array([2.0, 1.0]), 0.5)


@piece("temperature")
def test_a_temperature_must_be_above_zero(student):
    close(student.temperature(np.array([3.0]), 0.1), [30.0])
    with student.raises(ValueError):
        student.temperature(np.array([3.0]), 0.0)
    with student.raises(ValueError):
        student.temperature(np.array([3.0]), -1.0)


@piece("top_k", core=True)
def test_the_two_largest_stay_where_they_are(student):
    close(student.top_k(np.array([3.0, 1.0, 2.0]), 2), [3.0, -INF, 2.0])


@piece("top_k")
def test_what_is_equal_to_the_kth_stays_too(student):
    """The two 1s are equal: none of them is better than the other."""
    close(student.top_k(np.array([1.0, 2.0, 1.0, 0.0]), 2), [1.0, 2.0, 1.0, -INF])


@piece("top_k")
def test_one_is_the_best_alone_also_below_zero(student):
    close(student.top_k(np.array([-3.0, -1.0, -2.0]), 1), [-INF, -1.0, -INF])


@piece("top_k")
def test_a_k_of_all_or_more_keeps_all(student):
    close(student.top_k(np.array([3.0, 1.0, 2.0]), 3), [3.0, 1.0, 2.0])
    close(student.top_k(np.array([3.0, 1.0, 2.0]), 50), [3.0, 1.0, 2.0])


@piece("top_k")
def test_the_logits_given_to_top_k_stay_as_they_are(student):
    stays(student, "top_k", np.array([3.0, 1.0, 2.0]), 2)


@piece("top_k")
def test_at_least_one_token_must_stay(student):
    close(student.top_k(np.array([3.0, 1.0]), 1), [3.0, -INF])
    with student.raises(ValueError):
        student.top_k(np.array([3.0, 1.0]), 0)


@piece("top_p", core=True)
def test_the_token_that_crosses_p_stays(student):
    """Probabilities 0.5, 0.3, 0.2: 0.5 is less than 0.6, and 0.5 + 0.3 is more."""
    close(student.top_p(Z, 0.6), [Z[0], Z[1], -INF])


@piece("top_p")
def test_if_the_first_is_enough_it_stays_alone(student):
    close(student.top_p(Z, 0.4), [Z[0], -INF, -INF])


@piece("top_p")
def test_a_large_p_keeps_all(student):
    close(student.top_p(Z, 0.9), Z)
    close(student.top_p(Z, 1.0), Z)


@piece("top_p")
def test_of_two_equals_one_is_half(student):
    """One half each: one of them reaches 0.4, and 0.5 too; both are needed for 0.6."""
    for p, kept in ((0.4, [-INF, 0.0]), (0.5, [-INF, 0.0]), (0.6, [0.0, 0.0])):
        close(np.sort(student.top_p(np.zeros(2), p)), kept)


@piece("top_p")
def test_the_most_probable_come_first_wherever_they_stand(student):
    """0.1, 0.4, 0.2, 0.3: 0.4 and 0.3 together reach 0.6; each stays at its place."""
    z = np.log([0.1, 0.4, 0.2, 0.3])
    close(student.top_p(z, 0.6), [-INF, z[1], -INF, z[3]])


@piece("top_p")
def test_the_logits_given_to_top_p_stay_as_they_are(student):
    stays(student, "top_p", Z, 0.6)


@piece("top_p")
def test_p_is_a_share(student):
    close(student.top_p(Z, 0.1), [Z[0], -INF, -INF])
    for p in (0.0, -0.5, 1.5):
        with student.raises(ValueError):
            student.top_p(Z, p)


def whole(id):
    """An id as a Python int."""
    integer = isinstance(id, (int, np.integer)) and not isinstance(id, bool)
    assert integer, f"an id must be an int, not {type(id).__name__}"
    return int(id)


@piece("sample", core=True)
def test_a_random_number_picks_the_token_in_whose_stretch_it_falls(student):
    """0.5, 0.25, 0.25: below 0.5 is token 0, below 0.75 token 1, then token 2.

    The generator's numbers are 0.64, 0.27, 0.04, 0.02, 0.81, 0.91.
    """
    rng, z = student.rng(0), np.log([0.5, 0.25, 0.25])
    drawn = [whole(student.sample(z, rng)) for _ in range(6)]
    assert drawn == [1, 0, 0, 0, 2, 2], f"drawn: {drawn}, expected [1, 0, 0, 0, 2, 2]"


@piece("sample")
def test_a_generator_of_python_does_as_well(student):
    """random.Random(0) gives 0.84, 0.76, 0.42, 0.26, 0.51, 0.40."""
    rng, z = student.rng(0, "python"), np.log([0.5, 0.25, 0.25])
    drawn = [whole(student.sample(z, rng)) for _ in range(6)]
    assert drawn == [2, 2, 0, 0, 1, 0], f"drawn: {drawn}, expected [2, 2, 0, 0, 1, 0]"


@piece("sample")
def test_one_token_takes_one_random_number(student):
    """After a draw the generator's next number is its second one."""
    rng = student.rng(0)
    student.sample(np.array([0.0, 1.0, 2.0]), rng)
    close(rng.random(), 0.2697867137638703)


@piece("sample")
def test_a_dropped_token_is_never_drawn(student):
    rng, z = student.rng(0), np.array([-INF, 3.0, -INF, 3.0, -INF])
    drawn = [whole(student.sample(z, rng)) for _ in range(6)]
    assert drawn == [3, 1, 1, 1, 3, 3], f"drawn: {drawn}, expected [3, 1, 1, 1, 3, 3]"


@piece("sample")
def test_large_logits_do_not_overflow(student):
    """e^1000 is more than a float can hold, but only differences count: 0.21, 0.58, 0.21."""
    rng, z = student.rng(0), np.array([999.0, 1000.0, 999.0])
    drawn = [whole(student.sample(z, rng)) for _ in range(6)]
    assert drawn == [1, 1, 0, 0, 2, 2], f"drawn: {drawn}, expected [1, 1, 0, 0, 2, 2]"


CYCLE = 50.0 * np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])  # 0, 1, 2, 0, 1, 2, ... for certain
ROWS = np.array([Z, Z, Z])  # after every token: 0.5, 0.3, 0.2


def written(student, table, ids, max_new_tokens, block_size=9, seed=0, **options):
    """A call in words, and what it gives with a model whose logits are the last token's row."""
    inputs = {"table": table, "block_size": block_size, "ids": ids, "rng": student.rng(seed)}
    inputs |= {"max_new_tokens": max_new_tokens, "options": options}
    new = student.scenario("generate_scripted", **inputs)["new"]
    assert isinstance(new, list), "generate must return a list of ids"
    settings = "".join(f", {name}={value}" for name, value in options.items())
    return f"generate({ids}, {max_new_tokens}{settings})", [whole(id) for id in new]


def written_is(run, expected):
    words, new = run
    assert new == expected, f"{words}: got {new}, expected {expected}"


@piece("generate", core=True)
def test_only_the_new_tokens_come_back(student):
    written_is(written(student, CYCLE, [0], 4), [1, 2, 0, 1])
    written_is(written(student, CYCLE, [0, 1], 2), [2, 0])
    written_is(written(student, CYCLE, [0], 0), [])


@piece("generate")
def test_the_stop_token_ends_it_and_is_no_part_of_it(student):
    """The prompt may hold it: names begin and end with BOS."""
    written_is(written(student, CYCLE, [0], 8, stop=2), [1])
    written_is(written(student, CYCLE, [0], 8, stop=0), [1, 2])


@piece("generate")
def test_it_ends_when_the_model_has_seen_block_size_positions(student):
    """It sees 0, 1, 2 and says 1, 2, 0; the last one needs no place any more."""
    written_is(written(student, CYCLE, [0], 8, block_size=3), [1, 2, 0])
    written_is(written(student, CYCLE, [0, 1, 2], 8, block_size=3), [0])


@piece("generate")
def test_each_token_is_drawn(student):
    """0.64, 0.27, 0.04, 0.02, 0.81, 0.91 in stretches that end at 0.5, 0.8 and 1."""
    written_is(written(student, ROWS, [0], 6), [1, 0, 0, 0, 2, 2])


@piece("generate")
def test_a_low_temperature_takes_the_best(student):
    written_is(written(student, ROWS, [0], 6, t=0.05), [0, 0, 0, 0, 0, 0])


@piece("generate")
def test_k_and_p_drop_what_is_unlikely(student):
    written_is(written(student, ROWS, [0], 6, k=1), [0, 0, 0, 0, 0, 0])
    written_is(written(student, ROWS, [0], 6, p=0.4), [0, 0, 0, 0, 0, 0])


@piece("generate")
def test_temperature_comes_first_then_top_k_then_top_p(student):
    """Temperature 0.5 makes 0.66, 0.24, 0.11 of them, top_k 2 makes 0.625, 0.375: p keeps one.

    The random number is 0.94: with two tokens left it would be the second.
    """
    written_is(written(student, ROWS, [0], 1, seed=4, k=1), [0])
    written_is(written(student, ROWS, [0], 1, seed=4, k=3, p=0.4), [0])
    written_is(written(student, ROWS, [0], 1, seed=4, t=0.5, p=0.6), [0])
    written_is(written(student, ROWS, [0], 1, seed=4, k=2, p=0.6), [0])


@piece("generate")
def test_after_the_prompt_the_model_is_shown_one_token_at_a_time(student):
    config = student.GPTConfig.microgpt(5, n_embd=4, n_head=2, n_layer=2, block_size=8)
    model = student.GPT(config, student.rng(1))
    inputs = {"model": model, "ids": [4, 0, 3], "max_new_tokens": 4, "rng": student.rng(0)}
    run = student.scenario("generate", options={}, **inputs)
    shown = [ids.tolist() for ids in run["shown"]]
    right = shown == [[[4, 0, 3]], *([[id]] for id in run["new"][:-1])]
    assert right, f"the model was shown {shown}\nexpected the prompt, and then one new id a call"
    assert run["cached"] == [0, 3, 4, 5], f"the caches held {run['cached']} positions"


@piece("generate")
def test_the_prompt_given_stays_as_it_is(student):
    config = student.GPTConfig.microgpt(5, n_embd=4, n_head=2, block_size=8)
    args = [student.GPT(config, student.rng(1)), [4, 0, 3], 2, student.rng(0)]
    after = student.scenario("arguments_after", name="generate", args=args)["args"][1]
    assert after == [4, 0, 3], f"generate changed the list of ids that it was given to {after}"


@piece("generate")
def test_a_prompt_has_one_to_block_size_ids(student):
    written_is(written(student, CYCLE, [0, 1], 1, block_size=2), [2])
    for ids in ([], [0, 1, 2]):
        with student.raises(ValueError):
            written(student, CYCLE, ids, 1, block_size=2)
