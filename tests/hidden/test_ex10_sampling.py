"""Sampling beside plain numpy; generation beside a model that reads everything again each time."""

import math
import random

import numpy as np
import pytest

from grader import chance
from grader.compare import close

piece = pytest.mark.piece

INF = math.inf


def generator(student, salt=0):
    """Chance beside the student's code."""
    return student.rng(chance.seed(salt))


def logits(V, salt=0, scale=2.0):
    return chance.rng(salt).normal(0, scale, V)


def unchanged(student, name, z, *rest):
    """The result of a call that must leave its array alone."""
    done = student.scenario("arguments_after", name=name, args=[z.copy(), *rest])
    close(done["args"][0], z)
    return done["result"]


@piece("temperature", core=True)
def test_every_logit_is_divided(student):
    """z / t for any number of logits and any t above 0; z itself stays."""
    for V, t in ((1, 0.3), (7, 0.5), (30, 2.5)):
        close(unchanged(student, "temperature", logits(V), t), logits(V) / t)


@piece("temperature")
def test_a_whole_number_is_a_temperature_too(student):
    """t may be an int; dropped logits stay dropped."""
    close(student.temperature(np.array([4.0, -INF, -2.0]), 2), [2.0, -INF, -1.0])


@piece("temperature")
def test_all_digits_are_kept(student):
    """Logits of float64 stay float64: nothing is rounded on the way."""
    z = np.array([1 / 3, -2 / 7, 1e-12])
    close(student.temperature(z, 0.7), z / 0.7, rtol=1e-10, atol=0)


@piece("temperature")
def test_zero_and_less_are_errors_but_little_is_not(student):
    """ValueError at 0 and below; any t above 0 is a temperature."""
    close(student.temperature(np.array([1.0, -1.0]), 1e-3), [1000.0, -1000.0])
    for t in (0, 0.0, -1e-9, -2):
        with student.raises(ValueError):
            student.temperature(np.array([1.0, -1.0]), t)


@piece("top_k", core=True)
def test_the_k_best_keep_their_logits_and_their_places(student):
    """For every k: k logits are left as they are, and all others are -inf; z itself stays."""
    z = logits(11)
    ranks = np.argsort(np.argsort(-z))
    for k in range(1, 12):
        close(unchanged(student, "top_k", z, k), np.where(ranks < k, z, -INF))


@piece("top_k")
def test_all_that_are_equal_to_the_kth_stay(student):
    """Ties at the edge are kept, however many there are; ties above it count one by one."""
    z = np.array([1.0, 3.0, 1.0, 3.0, 0.0, 1.0])
    close(student.top_k(z, 1), [-INF, 3.0, -INF, 3.0, -INF, -INF])
    close(student.top_k(z, 2), [-INF, 3.0, -INF, 3.0, -INF, -INF])
    close(student.top_k(z, 3), [1.0, 3.0, 1.0, 3.0, -INF, 1.0])
    close(student.top_k(np.full(5, 2.0), 2), np.full(5, 2.0))


@piece("top_k")
def test_nearly_equal_is_not_equal(student):
    """What is smaller than the k-th largest goes, however little smaller it is."""
    z = np.array([2.0, 3.0, 2.0 + 1e-9])
    close(student.top_k(z, 2), [-INF, 3.0, z[2]])


@piece("top_k")
def test_more_than_there_are_keeps_all(student):
    """k may be V or larger."""
    for k in (6, 7, 1000):
        close(student.top_k(logits(6), k), logits(6))


@piece("top_k")
def test_k_below_one_is_an_error(student):
    """ValueError: nothing would be left to draw."""
    close(student.top_k(logits(1), 1), logits(1))
    for k in (0, -1):
        with student.raises(ValueError):
            student.top_k(logits(6), k)


def fewest(z, p):
    """z with the logits left that top_p should leave; p well away from every edge."""
    weights = np.exp(z - z.max())
    shares = weights / weights.sum()
    order = np.argsort(-shares, kind="stable")
    n = 1
    while shares[order[:n]].sum() < p:
        n += 1
    kept = np.full(len(z), -INF)
    kept[order[:n]] = z[order[:n]]
    return kept


@piece("top_p", core=True)
def test_the_fewest_that_reach_p_keep_their_logits_and_places(student):
    """From the most probable down until p is reached; all others are -inf; z itself stays."""
    for salt in range(4):
        z = logits(9, salt, scale=1.5)
        for p in (0.15, 0.4, 0.7, 0.93):
            close(unchanged(student, "top_p", z, p), fewest(z, p))


@piece("top_p")
def test_probabilities_count_not_logits(student):
    """Logits plus a constant have the same probabilities, however large or small they are."""
    z = logits(8, scale=0.3)  # no token has 0.6 alone
    for shift in (1000.0, -1000.0):
        kept = np.isfinite(fewest(z, 0.6))
        close(student.top_p(z + shift, 0.6), np.where(kept, z + shift, -INF))


@piece("top_p")
def test_a_sure_token_stays_alone(student):
    """At least one token is kept, even if it has more than p by itself."""
    close(student.top_p(np.array([0.0, 30.0, 0.0]), 0.5), [-INF, 30.0, -INF])
    close(student.top_p(np.array([7.0]), 0.01), [7.0])


@piece("top_p")
def test_just_p_is_enough_and_equals_are_counted(student):
    """Two of four equal tokens have one half: that is enough for p = 0.5, whichever they are."""
    for V, p, n in ((2, 0.5, 1), (4, 0.25, 1), (4, 0.5, 2), (4, 0.75, 3), (2, 0.6, 2)):
        kept = student.top_p(np.zeros(V), p)
        close(np.sort(kept), [-INF] * (V - n) + [0.0] * n)


@piece("top_p")
def test_of_equals_as_many_stay_as_are_needed(student):
    """0.4 and one 0.3 of two reach 0.6: the other one goes."""
    z = np.log([0.3, 0.4, 0.3])
    close(np.sort(student.top_p(z, 0.6)), [-INF, z[0], z[1]])
    kept = student.top_p(np.zeros(300), 0.501)
    assert np.isfinite(kept).sum() == 151, "half of 300, and one more, reach 0.501"


@piece("top_p")
def test_what_is_dropped_already_stays_dropped(student):
    """After top_k some logits are -inf: their probability is 0."""
    z = np.array([-INF, math.log(0.6), -INF, math.log(0.4)])
    close(student.top_p(z, 0.5), [-INF, z[1], -INF, -INF])
    close(student.top_p(z, 0.7), z)


@piece("top_p")
def test_p_of_one_keeps_all_and_beyond_is_an_error(student):
    """p is above 0 and at most 1."""
    z = np.array([0.5, 2.0, 1.0, 1.5, -1.0])
    close(student.top_p(z, 1.0), z)
    close(student.top_p(z, 1), z)
    for p in (0.0, -0.1, 1.01):
        with student.raises(ValueError):
            student.top_p(z, p)


def whole(id):
    assert isinstance(id, (int, np.integer)) and not isinstance(id, bool), "not an int"
    return int(id)


def up_to(z):
    """The cumulative probabilities."""
    weights = np.exp(z - z.max())
    return np.cumsum(weights / weights.sum())


def pick(z, u):
    """The first id whose cumulative probability is above u."""
    return int(np.sum(up_to(z) <= u))


def drawn(student, z, rng, n):
    """n ids, one after the other."""
    ids = student.scenario("in_turn", name="sample", calls=[[z, rng]] * n)
    return [whole(id) for id in ids]


@piece("sample", core=True)
def test_the_cumulative_distribution_is_inverted(student):
    """The first id whose cumulative probability is above the random number, for any logits."""
    for salt in range(5):
        seed = chance.seed(salt)
        z, ours = logits(12, salt), np.random.default_rng(seed)
        for id in drawn(student, z, student.rng(seed), 6):
            assert id == pick(z, ours.random()), "another id"


@piece("sample")
def test_the_running_sum_must_be_above_u(student):
    """Just u is not above u: a dropped token is never drawn, not even by u = 0."""
    for z, u, id in (([-INF, 0.0], 0.0, 1), ([0.0, 0.0], 0.5, 1), ([0.0, 0.0], 0.0, 0)):
        assert whole(student.scenario("sample_at", z=np.array(z), u=u)) == id, "another id"


@piece("sample")
def test_both_kinds_of_generator_give_one_number_a_draw(student):
    """rng.random() is all that numpy's generator and Python's have in common; it is asked once."""
    z, seed = np.log([0.1, 0.3, 0.15, 0.25, 0.2]), chance.seed()
    for kind, ours in (("numpy", np.random.default_rng(seed)), ("python", random.Random(seed))):
        rng = student.rng(seed, kind)
        for id in drawn(student, z, rng, 12):
            assert id == pick(z, ours.random()), "another id"
        close(rng.random(), ours.random())


@piece("sample")
def test_tokens_come_as_often_as_their_probabilities_say(student):
    """150 draws of four tokens with probabilities 0.4, 0.3, 0.2, 0.1."""
    z = np.log([0.4, 0.3, 0.2, 0.1])
    counts = np.bincount(drawn(student, z, student.rng(0), 150), minlength=4)
    close(counts / 150, np.array([0.4, 0.3, 0.2, 0.1]), atol=0.1)


@piece("sample")
def test_dropped_tokens_and_shifted_logits_make_no_difference(student):
    """-inf has probability 0; a number added to all logits changes nothing; z itself stays."""
    z = np.array([-INF, 1.0, -INF, 0.5, 2.0, -INF])
    for shift in (0.0, 800.0, -800.0):
        seed = chance.seed(shift)
        first = unchanged(student, "sample", z + shift, student.rng(seed))
        ids, ours = drawn(student, z + shift, student.rng(seed), 20), np.random.default_rng(seed)
        assert whole(first) == ids[0], "another id"
        for id in ids:
            assert id == pick(z, ours.random()), "another id"


@piece("sample")
def test_the_only_token_is_always_drawn(student):
    """With one token there is nothing to choose."""
    assert whole(student.sample(np.array([-3.0]), student.rng(0))) == 0
    assert whole(student.sample(np.array([-INF, 5.0]), student.rng(0))) == 1


V, BLOCK = 7, 6


def new_model(student, preset="microgpt", seed=None, **changes):
    """Random weights: what comes next depends on all positions, and is never certain."""
    sizes = {"n_embd": 8, "n_head": 2, "n_layer": 2, "block_size": BLOCK, "init_std": 0.2} | changes
    config = getattr(student.GPTConfig, preset)(V, **sizes)
    rng = student.rng(chance.seed("model") if seed is None else seed)
    return student.GPT(config, rng, student.np.dtype("float64").type)


def turned(z, t=1.0, k=None, p=None):
    """The logits as the three knobs leave them, in their order."""
    z = z / t
    if k is not None:
        z = np.where(z < np.sort(z)[-k], -INF, z)
    return z if p is None else fewest(z, p)


def drawn_from_all(student, model, ids, new, u):
    """What generation should have given in place of `new`: one look at the whole text, no cache."""
    assert len(new) == BLOCK - len(ids) + 1, "too few tokens, or too many"
    found = student.array(model(np.array([[*ids, *new[:-1]]])))[0]
    return [pick(z, u.random()) for z in found[len(ids) - 1 :]]


def run(student, model, ids, n, rng, **options):
    """The notes of the scenario, with the new ids as Python ints."""
    inputs = {"model": model, "ids": ids, "max_new_tokens": n, "rng": rng}
    notes = student.scenario("generate", options=options, **inputs)
    assert isinstance(notes["new"], list), "not a list"
    return notes | {"new": [whole(id) for id in notes["new"]]}


@piece("generate", core=True)
def test_with_the_cache_the_tokens_are_those_without(student):
    """Shown one new token a call, the model must come to the same logits as one that reads all."""
    model = new_model(student)
    prompts = [[3], [6, 0], [1, 2, 5, 4], [0, 6, 2], [5, 1], [2, 2, 4, 0], [4, 3], [1, 6, 5]]
    for salt, ids in enumerate(prompts):
        seed = chance.seed(salt)
        new = run(student, model, ids, 9, student.rng(seed))["new"]
        u = np.random.default_rng(seed)
        assert new == drawn_from_all(student, model, ids, new, u), "other tokens"


@piece("generate", needs=["ex07.variants"])
def test_a_gpt2_generates_as_well(student):
    """Nothing in generation depends on the preset."""
    for tied in (True, False):  # a tied head likes the token that it has just seen best
        model = new_model(student, "gpt2", init_std=1.0, tied_head=tied)
        for seed in map(chance.seed, range(4)):
            new = run(student, model, [6], 9, student.rng(seed))["new"]
            u = np.random.default_rng(seed)
            assert new == drawn_from_all(student, model, [6], new, u), "other tokens"


def table_of_logits():
    """After every id the same probabilities, 0.30, 0.22, 0.16 and so on, but in another order."""
    return chance.rng("table").permuted(np.tile(0.3 * np.arange(V), (V, 1)), axis=1)


def long_text(student, **knobs):
    """200 tokens of a model whose logits depend on the last id alone, and what they should be."""
    table, seed = table_of_logits(), chance.seed("draws")
    inputs = {"table": table, "block_size": 200, "ids": [3], "max_new_tokens": 200}
    rng, u = student.rng(seed), np.random.default_rng(seed)
    notes = student.scenario("generate_scripted", rng=rng, options=knobs, **inputs)
    after, expected = [up_to(turned(row, **knobs)) for row in table], [3]
    while len(expected) <= 200:
        expected.append(int(np.sum(after[expected[-1]] <= u.random())))
    return [whole(id) for id in notes["new"]], expected[1:]


@piece("generate")
@pytest.mark.parametrize("knob", [{"t": 0.3}, {"k": 2}, {"p": 0.4}], ids=["t", "k", "p"])
def test_each_knob_is_turned(student, knob):
    """Temperature, top_k and top_p are used, each where it is given."""
    new, expected = long_text(student, **knob)
    assert new == expected, "other tokens"


@piece("generate")
def test_the_temperature_comes_before_top_p(student):
    """A sharper choice reaches p with fewer tokens, and a flatter one with more."""
    for t in (0.4, 2.5):
        new, expected = long_text(student, t=t, p=0.6)
        assert new == expected, "other tokens"


@piece("generate")
def test_top_k_comes_before_top_p(student):
    """The shares that top_p adds up are those of the tokens that top_k has left."""
    for knobs in ({"k": 3, "p": 0.6}, {"t": 2.5, "k": 4, "p": 0.6}):
        new, expected = long_text(student, **knobs)
        assert new == expected, "other tokens"


@piece("generate")
def test_the_prompt_is_shown_once_and_then_one_id_a_call(student):
    """The caches, one for each layer, hold all positions before; nothing is read twice."""
    model = new_model(student)
    for ids in ([3], [6, 0, 1]):
        notes = run(student, model, ids, 4, generator(student))
        shown = [array.tolist() for array in notes["shown"]]
        assert shown == [[ids], *([[id]] for id in notes["new"][:-1])], "it was shown other ids"
        held = [0, *range(len(ids), len(ids) + 3)]
        assert notes["cached"] == held, "the caches did not hold all positions before"


@piece("generate")
def test_it_ends_at_block_size_whatever_the_prompt(student):
    """The model sees block_size positions at most; the token drawn last is not shown to it."""
    model = new_model(student)
    for length in range(1, BLOCK + 1):
        notes = run(student, model, [1] * length, 50, generator(student))
        assert len(notes["new"]) == BLOCK - length + 1, "too few tokens, or too many"
    assert len(run(student, model, [1], 3, generator(student))["new"]) == 3, "not max_new_tokens"
    assert run(student, model, [1], 0, generator(student))["new"] == [], "something from nothing"


@piece("generate")
def test_it_stops_at_the_stop_token_and_leaves_it_out(student):
    """At the first token that is `stop`, 0 as any other; one in the prompt does not count."""
    model = new_model(student, seed=5)
    whole_text = run(student, model, [4, 0], 5, student.rng(0))["new"]  # 3, 2, 0, 0, 6
    for stop in range(V):
        new = run(student, model, [4, 0], 5, student.rng(0), stop=stop)["new"]
        end = whole_text.index(stop) if stop in whole_text else 5
        assert new == whole_text[:end], "it does not end just before the stop token"


@piece("generate")
def test_every_token_takes_one_random_number(student):
    """Also the stop token; both kinds of generator."""
    table = table_of_logits()
    inputs = {"table": table, "block_size": 200, "ids": [3], "max_new_tokens": 40}
    for kind, make in (("numpy", np.random.default_rng), ("python", random.Random)):
        for salt in range(100):  # a text whose second new token is neither 0 nor in the prompt
            seed, text = chance.seed(kind, salt), [3]
            ours = make(seed)
            while len(text) <= 40:
                text.append(pick(table[text[-1]], ours.random()))
            if text[2] not in (0, 3):
                break
        rng = student.rng(seed, kind)
        new = student.scenario("generate_scripted", rng=rng, options={}, **inputs)["new"]
        assert [whole(id) for id in new] == text[1:], "other tokens"
        close(rng.random(), ours.random())
        rng, ours = student.rng(seed, kind), make(seed)
        student.scenario("generate_scripted", rng=rng, options={"stop": text[2]}, **inputs)
        for _ in range(text.index(text[2], 1)):
            ours.random()
        close(rng.random(), ours.random())


@piece("generate")
def test_the_ids_given_stay_as_they_are(student):
    """The prompt's list is the caller's: what is new comes back in a list of its own."""
    args = [new_model(student), [5, 1], 3, generator(student)]
    done = student.scenario("arguments_after", name="generate", args=args)
    assert done["args"][1] == [5, 1], "the list of ids was changed"
    assert len(done["result"]) == 3, "not three new ids"


@piece("generate")
def test_two_texts_know_nothing_of_each_other(student):
    """Each call begins with empty caches."""
    model = new_model(student)
    first = run(student, model, [2], 4, generator(student))["new"]
    run(student, model, [5, 5], 4, generator(student, 1))
    assert run(student, model, [2], 4, generator(student))["new"] == first, "another text"
    for _ in range(2):  # the model itself, without anyone who takes notes
        new = student.generate(model, [2], 4, generator(student))
        assert [whole(id) for id in new] == first, "another text"


@piece("generate")
def test_each_layer_has_its_cache(student):
    """One layer or three: as many caches as layers, and each holds what came before."""
    for n_layer in (1, 3):
        notes = run(student, new_model(student, n_layer=n_layer), [2], 4, generator(student))
        assert len(notes["new"]) == 4, "not four new ids"
        assert notes["cached"] == [0, 1, 2, 3], "the caches did not hold all positions before"


@piece("generate")
def test_no_prompt_and_one_too_long_are_errors(student):
    """1 to block_size ids; anything else is a ValueError."""
    model = new_model(student)
    assert len(run(student, model, [1] * BLOCK, 5, generator(student))["new"]) == 1, "not one token"
    for ids in ([], [1] * (BLOCK + 1)):
        with student.raises(ValueError):
            run(student, model, ids, 1, generator(student))
