"""Where an assembled model first leaves the reference, and that right models never seem to."""

import re
from dataclasses import replace

import numpy as np
import pytest
import untaken

from grader import course as courses
from grader import diagnosis, divergence
from grader.assembly import Target
from grader.commands.model import first_difference
from grader.course import ROOT
from grader.diagnosis import stand_in
from grader.suite import Options, check

COURSE = courses.load()
SOLUTIONS, TESTS = ROOT / "solutions", ROOT / "tests"
RECORDED = divergence.recorded(COURSE, SOLUTIONS)
SAYS = {
    "block_without_first_residual": "layer0 rmsnorm, second call, is given another x",
    "block_without_second_norm": "layer0 rmsnorm is called once, by the reference twice",
    "block_of_one_head": "layer0 self_attention is given another n_head: 1, expected 2",
    "gpt_with_positions_from_0": "embedding with wpe, third call, is given another ids",
    "gpt_of_one_block": "layer1 block is called never, by the reference once",
    "gpt_that_gives_probabilities": "model: max difference",
    "gpt_with_forgotten_embeddings": "every value agrees, but not the gradient of wpe",
    "gpt_without_final_norm": "layernorm with norm_gain is called never, by the reference once",
    "norm_always_norm1": "layer0 layernorm with norm1_gain is called twice, by the reference once",
    "norm_swapped": "layer0 layernorm with norm1_gain is called never, by the reference once",
    "gradients_pile_up": "AdamW.step, second call, is given another gradient of wte",
    "rate_of_the_next_step": "AdamW.step is given another lr: 0.05, expected 0.1",
    "without_a_cache": "model, second call, is given another ids: shape (1, 3), expected (1, 1)",
    "prompt_comes_back": "generate: shape (6,), expected (4,)",
}


def test_a_challenge_that_nobody_took_hides_no_difference():
    """Its stub is no piece that is still to do, and a model without it is no other model."""
    target = untaken.target()
    assert first_difference(target, COURSE) == ""
    gpt = target.files["ex07_gpt"]
    wrong = replace(gpt, text=gpt.text.replace("return x + mlp(", "return mlp("))
    files = {**target.files, "ex07_gpt": wrong}
    assert "layer0 block" in first_difference(replace(target, files=files), COURSE)


def variant(folder: str, name: str) -> diagnosis.Mutant:
    return next(m for m in diagnosis.known(TESTS / folder) if m.function.__name__ == name)


def found(mutant: diagnosis.Mutant | None, pieces=tuple(divergence.RUNS_OF)) -> str:
    """What is said of the reference with this definition in it."""
    bench = stand_in("ex10_sampling", COURSE, SOLUTIONS, mutant)
    try:
        lines = [divergence.sought(piece, bench.ask, RECORDED) for piece in pieces]
    finally:
        bench.close()
    return next(filter(None, lines), "")


def test_the_reference_is_like_itself_and_keeps_no_notes_afterwards():
    assert found(None) == ""
    bench = stand_in("ex10_sampling", COURSE, SOLUTIONS)
    plan = divergence.plans()["model"]
    before = bench.ask({"op": "call", "name": "relu", "args": [], "kwargs": {}})
    first, second = (bench.ask(divergence.request(plan))["value"] for _ in range(2))
    after = bench.ask({"op": "call", "name": "relu", "args": [], "kwargs": {}})
    bench.close()
    assert len(first["calls"]) == len(second["calls"]) == len(RECORDED["model"].calls)
    assert before["error"]["message"] == after["error"]["message"]


@pytest.mark.parametrize("name", SAYS)
def test_a_mistake_between_the_parts_is_found_where_it_is_made(name):
    assert found(variant("mutants", name)).startswith(f"first difference: {SAYS[name]}")


def test_it_says_what_agreed_before():
    said = found(variant("mutants", "gpt_with_one_cache"), ["ex07.GPT"])
    assert "; all before it agrees, last layer1 split_heads" in said


RIGHT = [
    m
    for m in diagnosis.known(TESTS / "alternatives")
    if m.exercise.split("_")[0] in ("ex04", "ex05", "ex06", "ex07", "ex09", "ex10")
]


@pytest.mark.parametrize("step", [16, pytest.param(1, marks=pytest.mark.slow)])  # 20 s for all
def test_right_answers_in_other_styles_differ_nowhere(step):
    said = {m.function.__name__: found(m) for m in RIGHT[::step]}
    assert len(said) > 100 // step
    assert {name: line for name, line in said.items() if line} == {}


def test_heads_may_be_split_in_any_order():
    """Values first: the same calls as the reference's, in another order."""

    def self_attention(x, weights, n_head, cache=None):
        v, k, q = (
            split_heads(linear(x, weights[f"w{n}"], weights.get(f"b{n}")), n_head)  # noqa: F821
            for n in "vkq"
        )
        k, v = cache.extend(k, v) if cache else (k, v)
        y = merge_heads(causal_attention(q, k, v))  # noqa: F821
        return linear(y, weights["wo"], weights.get("bo"))  # noqa: F821

    # a cache that is still empty is false: `cache is not None` is what is meant
    assert "extend" not in found(
        diagnosis.Mutant("ex06_attention", "self_attention", "", self_attention), ["ex07.GPT"]
    )


def test_a_run_that_breaks_off_is_compared_as_far_as_it_came():
    def mlp(x, weights, activation):
        raise ValueError("no")

    said = found(diagnosis.Mutant("ex07_gpt", "mlp", "", mlp), ["ex07.GPT"])
    assert said.startswith("first difference: layer0 mlp: it did not come back from there")


def test_a_model_that_calls_for_ever_is_cut_short():
    def mlp(x, weights, activation):
        while True:
            relu(x)  # noqa: F821

    said = found(diagnosis.Mutant("ex07_gpt", "mlp", "", mlp), ["ex07.GPT"])
    assert said == "" or said.startswith("first difference: ")


def test_the_file_of_a_bundle_holds_the_same(tmp_path):
    file = tmp_path / divergence.FILE
    file.write_bytes(divergence.write(RECORDED))
    read = divergence.read(file)
    assert read.keys() == RECORDED.keys()
    assert all(divergence.first(read[run], RECORDED[run]) is None for run in read)
    assert len(file.read_bytes()) < 200_000


@pytest.mark.parametrize("content", [b"", b"not zlib", None])
def test_a_file_that_is_missing_or_damaged_says_nothing(tmp_path, content):
    file = tmp_path / divergence.FILE
    if content is not None:
        file.write_bytes(content)
    assert divergence.read(file) == {}


# in a check


def checked(mutant: diagnosis.Mutant, piece: str, **options) -> list:
    settings = Options(
        tests=(TESTS / "visible",), in_process=True, patch=mutant, alone=True, **options
    )
    target = Target.read(SOLUTIONS, COURSE)
    result = check(COURSE, target, (COURSE.pieces[piece],), settings)
    return [t for t in result.exercises[0].pieces[0].tests if t.status == "failed"]


def test_the_board_says_it_once_below_the_first_failure_of_the_piece():
    tests = checked(variant("mutants", "gpt_upside_down"), "ex07.GPT")
    lines = [line for t in tests for line in t.message.splitlines() if "first difference" in line]
    assert len(lines) == 1
    assert tests[0].message.splitlines()[-1] == lines[0]
    assert re.fullmatch(
        r"first difference: layer0 block is given another x: max difference [\d.]+ at \[.*\]; "
        r"all before it agrees, last rmsnorm",
        lines[0],
    )


def test_a_piece_that_is_one_formula_is_not_compared():
    [test, *_] = checked(variant("mutants", "rmsnorm_sum"), "ex05.rmsnorm")
    assert "first difference" not in test.message


def test_what_the_comparison_makes_the_code_print_is_no_part_of_the_test(tmp_path):
    for path in SOLUTIONS.glob("*.py"):
        text = path.read_text("utf-8")
        text = text.replace("x = x + self_attention(", "print('block'); x = self_attention(")
        (tmp_path / path.name).write_text(text, "utf-8")
    target = Target.read(tmp_path, COURSE)
    pieces = (COURSE.pieces["ex07.block"],)
    options = Options(tests=(TESTS / "visible",), alone=True)
    [piece] = check(COURSE, target, pieces, options).exercises[0].pieces
    first = next(t for t in piece.tests if t.status == "failed")
    assert "first difference: layer0 rmsnorm, second call" in first.message
    assert first.output.count("block") <= 2  # the runs of the comparison print far more


def test_a_finale_that_fails_is_told_where(tmp_path):
    for path in SOLUTIONS.glob("*.py"):
        text = path.read_text("utf-8").replace("optimizer.zero_grad()", "pass")
        (tmp_path / path.name).write_text(text, "utf-8")
    said = divergence.of_whole(Target.read(tmp_path, COURSE), COURSE)
    assert "AdamW.step, second call, is given another gradient of wte" in said
    assert divergence.of_whole(Target.read(SOLUTIONS, COURSE), COURSE) == ""


def test_numbers_are_told_with_their_place():
    mine, right = np.zeros((2, 3)), np.zeros((2, 3))
    mine[1, 2] = 0.25
    assert divergence.unlike(mine, right) == "max difference 0.25 at [1, 2]"
    assert divergence.unlike(mine, mine.T) == "shape (2, 3), expected (3, 2)"
    assert divergence.unlike(np.array(1.0), np.array(2.0)) == "1, expected 2"
    mine[0, 0] = np.nan
    assert divergence.unlike(mine, right) == "max difference inf at [0, 0]"
    assert divergence.unlike(mine, mine) == ""
