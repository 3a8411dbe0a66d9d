"""Sampling, by hand: four tokens, probabilities that are halves and quarters."""

import numpy as np
import pytest

from grader.compare import close, same

piece = pytest.mark.piece

Z = np.log([0.5, 0.25, 0.125, 0.125])  # logits with exactly these probabilities
DROPPED = -np.inf


# temperature


@piece("temperature", core=True)
def test_a_temperature_of_two_halves_every_logit(student):
    close(student.temperature(np.array([2.0, -1.0, 0.0]), 2.0), [1.0, -0.5, 0.0])


@piece("temperature")
def test_a_temperature_of_one_changes_nothing(student):
    close(student.temperature(np.array([2.0, -1.0, 0.5]), 1.0), [2.0, -1.0, 0.5])


@piece("temperature")
@pytest.mark.parametrize("t", [0.0, -1.0])
def test_a_temperature_must_be_above_zero(student, t):
    close(student.temperature(np.array([1.0, 3.0]), 0.5), [2.0, 6.0])
    with student.raises(ValueError):
        student.temperature(np.array([1.0, 3.0]), t)


# top_k


@piece("top_k", core=True)
def test_the_two_largest_stay_in_their_places(student):
    close(student.top_k(np.array([3.0, 1.0, 2.0]), 2), [3.0, DROPPED, 2.0])


@piece("top_k")
def test_one_stays_at_k_1(student):
    close(student.top_k(np.array([1.0, 5.0, 2.0]), 1), [DROPPED, 5.0, DROPPED])


@piece("top_k")
def test_a_tie_with_the_smallest_that_stays_stays_too(student):
    close(student.top_k(np.array([2.0, 1.0, 1.0, 0.0]), 2), [2.0, 1.0, 1.0, DROPPED])


@piece("top_k")
def test_a_k_beyond_the_vocabulary_keeps_all(student):
    close(student.top_k(np.array([3.0, 1.0, 2.0]), 10), [3.0, 1.0, 2.0])


# top_p


@piece("top_p", core=True)
def test_the_token_that_crosses_p_is_kept(student):
    """0.5 is below 0.6, so one more must come: 0.5 + 0.25."""
    close(student.top_p(Z, 0.6), [Z[0], Z[1], DROPPED, DROPPED])


@piece("top_p")
def test_the_most_probable_token_is_always_kept(student):
    close(student.top_p(Z, 0.1), [Z[0], DROPPED, DROPPED, DROPPED])


@piece("top_p")
def test_the_tokens_stay_in_their_places(student):
    shuffled = Z[[2, 0, 3, 1]]
    close(student.top_p(shuffled, 0.7), [DROPPED, Z[0], DROPPED, Z[1]])


@piece("top_p")
def test_p_of_one_keeps_all(student):
    close(student.top_p(Z, 1.0), Z)


@piece("top_p")
@pytest.mark.parametrize("p", [0.0, 1.5])
def test_p_must_be_a_share(student, p):
    close(student.top_p(Z, 0.4), [Z[0], DROPPED, DROPPED, DROPPED])
    with student.raises(ValueError):
        student.top_p(Z, p)


# sample


@piece("sample", core=True)
def test_one_number_u_picks_by_the_cumulative_probability(student):
    """Python's Random(1) gives u = 0.134, 0.847, 0.764, 0.255, 0.495: ids 0, 2, 2, 0, 0 at
    cumulative probabilities 0.5, 0.75, 0.875, 1.
    """
    rng = student.rng(1, "python")
    drawn = [student.sample(Z, rng) for _ in range(5)]
    assert drawn == [0, 2, 2, 0, 0], f"the five draws gave {drawn}, expected [0, 2, 2, 0, 0]"


@piece("sample")
def test_numpys_generator_works_as_well(student):
    """numpy's default_rng(0) gives u = 0.637, 0.270, 0.041, 0.017, 0.813."""
    rng = student.rng(0)
    drawn = [student.sample(Z, rng) for _ in range(5)]
    assert drawn == [1, 0, 0, 0, 2], f"the five draws gave {drawn}, expected [1, 0, 0, 0, 2]"


@piece("sample")
def test_a_dropped_token_is_never_drawn(student):
    z = np.array([DROPPED, 0.0, DROPPED, 0.0])
    rng = student.rng(3)
    assert {student.sample(z, rng) for _ in range(30)} == {1, 3}, "a token of logit -inf was drawn"


@piece("sample")
def test_the_result_is_a_plain_int(student):
    same(student.sample(np.array([0.0, 1000.0]), student.rng(0)), 1)


# generate

NEXT = np.full((4, 4), -50.0)  # after each token the next one is as good as certain:
NEXT[[0, 1, 2, 3], [1, 2, 3, 0]] = 50.0  # 0 -> 1 -> 2 -> 3 -> 0


def generated(student, ids, max_new_tokens, block_size=16, **options):
    return student.scenario(
        "generate_scripted",
        table=NEXT,
        block_size=block_size,
        ids=ids,
        max_new_tokens=max_new_tokens,
        rng=student.rng(0),
        options=options,
    )


@piece("generate", core=True)
def test_it_continues_and_gives_the_new_ids_only(student):
    same(generated(student, [3, 0], 5)["new"], [1, 2, 3, 0, 1])


@piece("generate")
def test_it_stops_at_the_stop_token_and_leaves_it_out(student):
    same(generated(student, [0], 10, stop=3)["new"], [1, 2])


@piece("generate")
def test_it_ends_when_the_model_has_seen_block_size_positions(student):
    """A prompt of 2 and a block of 4: the model sees 2 + 1 + 1 positions, and draws 3 tokens."""
    same(generated(student, [0, 1], 100, block_size=4)["new"], [2, 3, 0])


@piece("generate")
def test_after_the_prompt_the_model_is_shown_one_id_at_a_time(student):
    shown = generated(student, [3, 0], 3)["shown"]
    shapes = [np.shape(ids) for ids in shown]
    assert shapes == [(1, 2), (1, 1), (1, 1)], f"the model was shown ids of shapes {shapes}"


@piece("generate")
def test_the_cache_gives_the_same_tokens_as_reading_all_again(student):
    """With the same draws, each token must follow from the logits of the whole text so far."""
    config = student.GPTConfig.microgpt(5, block_size=8, init_std=1.0)
    model = student.GPT(config, student.rng(1), "float64")
    fresh = student.rng(2, "python")
    text = [4]
    for _ in range(6):
        logits = student.array(model(np.array([text])))[0, -1]
        text.append(student.sample(logits, fresh))
    same(student.generate(model, [4], 6, student.rng(2, "python")), text[1:])


@piece("generate")
def test_no_prompt_or_one_beyond_the_block_is_refused(student):
    same(generated(student, [0], 1)["new"], [1])
    for ids in ([], [0] * 17):
        with student.raises(ValueError):
            generated(student, ids, 1)
