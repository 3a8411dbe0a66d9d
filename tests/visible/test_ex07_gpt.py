"""Exercise 7, the whole GPT. Models of two channels whose weights are written by hand.

rmsnorm of [10, -10] is [1, -1], but for the eps: 0.99999995.
"""

from math import log

import numpy as np
import pytest

from grader.compare import close, gradcheck, same

piece = pytest.mark.piece


def tensors(student, arrays):
    return {name: student.Tensor(array) for name, array in arrays.items()}


def float64(student):
    """The type itself, np.float64, as it stands beside the student's code."""
    return student.np.dtype("float64").type


def model_of(student, config, weights):
    """A GPT with these weights; those that are not named are 0."""
    model = student.GPT(config, student.rng(0), float64(student))
    for name, parameter in model.params.items():
        student.assign(parameter, weights.get(name, 0.0))
    return model


# init_params


@piece("init_params", core=True)
def test_names_in_order(student):
    """Two layers: the order is that of the draws, so it decides which model a seed gives."""
    params = student.init_params(student.GPTConfig.microgpt(5, n_layer=2), student.rng(0))
    layer = ["attn_wq", "attn_wk", "attn_wv", "attn_wo", "mlp_fc1", "mlp_fc2"]
    names = ["wte", "wpe", "lm_head"] + [f"layer{i}.{name}" for i in (0, 1) for name in layer]
    same(list(params), names)


@piece("init_params")
def test_shapes_are_out_by_in(student):
    """V = 5, C = 8, block_size = 3: every matrix stands (out, in), and the mlp is 4C = 32 wide."""
    config = student.GPTConfig.microgpt(5, n_embd=8, n_head=2, block_size=3)
    params = student.init_params(config, student.rng(0))
    shapes = {"wte": (5, 8), "wpe": (3, 8), "lm_head": (5, 8)}
    shapes |= {f"layer0.attn_{name}": (8, 8) for name in ("wq", "wk", "wv", "wo")}
    shapes |= {"layer0.mlp_fc1": (32, 8), "layer0.mlp_fc2": (8, 32)}
    for name, expected in shapes.items():
        shape = student.array(params[name]).shape
        assert shape == expected, f"{name} has shape {shape}, expected {expected}"


@piece("init_params", core=True)
def test_draws_are_normal_and_in_order(student):
    """numpy's default_rng(0).normal() begins 0.12573, -0.132105, ...; each is times init_std."""
    config = student.GPTConfig.microgpt(3, n_embd=2, n_head=1, block_size=2, init_std=0.5)
    params = student.init_params(config, student.rng(0), float64(student))
    close(params["wte"][0], [0.5 * 0.1257302211, 0.5 * -0.1321048633])  # draws 0 and 1
    close(params["wte"][2], [0.5 * -0.5356693732, 0.5 * 0.3615950549])  # 4 and 5
    close(params["wpe"][0], [0.5 * 1.3040000451, 0.5 * 0.9470809631])  # 6 and 7
    close(params["lm_head"][0], [0.5 * -0.6232744625, 0.5 * 0.0413259793])  # 10 and 11
    close(params["layer0.attn_wq"][0], [0.5 * -0.5442589829, 0.5 * -0.3163001564])  # 16 and 17


@piece("init_params")
def test_weights_are_float32_unless_asked_otherwise(student):
    """float32 is half as large and twice as fast; float64 is for checking to many digits."""
    config = student.GPTConfig.microgpt(2, n_embd=2, n_head=1, block_size=1)
    single = student.init_params(config, student.rng(0))
    double = student.init_params(config, student.rng(0), float64(student))
    for name in single:
        assert student.array(single[name]).dtype == np.float32, f"{name} is not float32"
        assert student.array(double[name]).dtype == np.float64, f"{name} is not float64"


@piece("init_params")
def test_each_layer_has_tensors_of_its_own(student):
    """Writing into layer 0's wq changes no other parameter."""
    config = student.GPTConfig.microgpt(2, n_layer=2, n_embd=2, n_head=1, block_size=1)
    params = student.init_params(config, student.rng(0))
    student.assign(params["layer0.attn_wq"], 7.0)
    for name in params:
        changed = bool((student.array(params[name]) == 7.0).all())
        assert changed == (name == "layer0.attn_wq"), f"{name} is the same Tensor, or a copy"


# mlp: C = 1, so 4 numbers in the middle

FC1 = [[1.0], [-1.0], [2.0], [0.0]]
FC2 = [[1.0, 10.0, -100.0, 1000.0]]


@piece("mlp", core=True)
def test_out_relu_and_back(student):
    """x = 3: fc1 gives [3, -3, 6, 0], relu [3, 0, 6, 0], fc2 adds up 3 - 600."""
    weights = tensors(student, {"fc1": FC1, "fc2": FC2})
    close(student.mlp(student.Tensor([[[3.0]]]), weights, "relu"), [[[-597.0]]])


@piece("mlp", core=True, needs=["ex04.gelu"])
def test_gelu_if_the_model_asks_for_it(student):
    """x = 1: gelu of [1, -1, 2, 0] is [0.841192, -0.158808, 1.954598, 0]."""
    weights = tensors(student, {"fc1": FC1, "fc2": FC2})
    close(student.mlp(student.Tensor([[1.0]]), weights, "gelu"), [[-196.20666]], rtol=1e-5)


@piece("mlp")
def test_both_biases_are_added(student):
    """fc1 of x = 3 is [3, -3, 6, 0]; with b1 it is [-2, 2, 6, 1], after relu [0, 2, 6, 1]."""
    arrays = {"fc1": FC1, "b1": [-5.0, 5.0, 0.0, 1.0], "fc2": FC2, "b2": [0.5]}
    y = student.mlp(student.Tensor([[3.0]]), tensors(student, arrays), "relu")
    close(y, [[20.0 - 600.0 + 1000.0 + 0.5]])


@piece("mlp", gradient=True)
def test_gradient_of_input_and_both_matrices(student):
    def function(x, fc1, fc2):
        return student.mlp(x, {"fc1": fc1, "fc2": fc2}, "relu")

    fc1, fc2 = np.array([[1.0], [-1.0], [2.0], [-3.0]]), np.array([[1.0, 2.0, 3.0, 4.0]])
    gradcheck(student, function, np.array([[3.0], [-2.0]]), fc1, fc2)


# block: C = 2, one head; attention to equal scores, so that it is a mean

STREAM = [[[10.0, -10.0], [10.0, 10.0]]]  # (1, 2, 2); its norm is [1, -1], [1, 1]
ZERO = np.zeros((2, 2))
OFF = {"attn_wq": ZERO, "attn_wk": ZERO, "attn_wv": ZERO, "attn_wo": ZERO}
OFF |= {"mlp_fc1": np.zeros((8, 2)), "mlp_fc2": np.zeros((2, 8))}
THINK = {"mlp_fc1": np.eye(8, 2), "mlp_fc2": np.array([[3.0, 0.0], [0.0, 5.0]]) @ np.eye(2, 8)}


def block_of(student, x, weights, cache=None):
    """The student's block of one head with these weights; those that are not named are 0."""
    config = student.GPTConfig.microgpt(3, n_embd=2, n_head=1)
    more = () if cache is None else (cache,)
    return student.block(student.Tensor(x), tensors(student, OFF | weights), config, *more)


@piece("block")
def test_with_all_weights_0_nothing_changes(student):
    """What was there stays: the residual stream goes straight through."""
    close(block_of(student, STREAM, {}), STREAM)


@piece("block", core=True)
def test_attention_reads_the_norm_and_is_added(student):
    """wv doubles [1, -1] and [1, 1]; the means so far, [2, -2] and [2, 0], are added."""
    y = block_of(student, STREAM, {"attn_wv": 2 * np.eye(2), "attn_wo": np.eye(2)})
    close(y, [[[12.0, -12.0], [12.0, 10.0]]])


@piece("block", core=True)
def test_the_mlp_reads_the_norm_and_is_added(student):
    """relu of [1, -1] and [1, 1], times 3 and 5: [3, 0] and [3, 5] are added."""
    close(block_of(student, STREAM, THINK), [[[13.0, -10.0], [13.0, 15.0]]])


@piece("block")
def test_the_mlp_reads_what_attention_has_written(student):
    """Attention adds [10, 30] to [10, -10]; the norm of [20, 20] is [1, 1], so mlp adds [3, 5]."""
    write = {"attn_wv": np.diag([10.0, -30.0]), "attn_wo": np.eye(2)}
    close(block_of(student, [[[10.0, -10.0]]], write | THINK), [[[23.0, 25.0]]])


@piece("block", needs=["ex06.KVCache"])
def test_the_cache_reaches_attention(student):
    """The second position comes in a call of its own, and still sees the first."""
    weights, cache = {"attn_wv": 2 * np.eye(2), "attn_wo": np.eye(2)}, student.KVCache()
    with student.no_grad():
        block_of(student, [STREAM[0][:1]], weights, cache)
        y = block_of(student, [STREAM[0][1:]], weights, cache)
    close(y, [[[12.0, 10.0]]])


@piece("block", gradient=True)
def test_the_gradient_goes_straight_through(student):
    """With all weights 0 the stream is only passed on, and so is its gradient."""
    x = student.Tensor(STREAM)
    config = student.GPTConfig.microgpt(3, n_embd=2, n_head=1)
    y = student.block(x, tensors(student, OFF), config)
    y.backward(np.array([[[1.0, 2.0], [3.0, 4.0]]]))
    close(x.grad, [[[1.0, 2.0], [3.0, 4.0]]])


# GPT: token 0 at position 0 is [10, -10], token 1 at position 1 is [10, 10]

WEIGHTS = {
    "wte": [[6.0, -4.0], [9.0, 9.0], [5.0, 5.0]],
    "wpe": [[4.0, -6.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]],
    "lm_head": [[1.0, 0.0], [0.0, 1.0], [2.0, 3.0]],
}


def micro(student, weights, **changes):
    """A microgpt of three tokens, four positions, two channels and one head."""
    sizes = {"n_embd": 2, "n_head": 1, "block_size": 4} | changes
    return model_of(student, student.GPTConfig.microgpt(3, **sizes), weights)


@piece("GPT", core=True)
def test_token_and_position_norm_and_head(student):
    """All blocks 0: the head reads the norms [1, -1] and [1, 1] of token + position."""
    logits = micro(student, WEIGHTS)(np.array([[0, 1]]))
    close(logits, [[[1.0, -1.0, -1.0], [1.0, 1.0, 5.0]]])


@piece("GPT")
def test_a_position_is_a_place_whatever_the_token(student):
    """The first two tokens change names, and nothing else."""
    swapped = WEIGHTS | {"wte": [[9.0, 9.0], [6.0, -4.0], [5.0, 5.0]]}
    logits = micro(student, swapped)(np.array([[1, 0]]))
    close(logits, [[[1.0, -1.0, -1.0], [1.0, 1.0, 5.0]]])


@piece("GPT")
def test_ids_may_be_a_list(student):
    close(micro(student, WEIGHTS)([[0, 1], [0, 1]])[1, 0], [1.0, -1.0, -1.0])


@piece("GPT")
def test_microgpt_has_no_norm_before_the_head(student):
    """Attention adds [2, 0] to [1, -1]; the head reads [3, -1] as it is."""
    write = {"layer0.attn_wv": np.eye(2), "layer0.attn_wo": np.diag([2.0, 0.0])}
    logits = micro(student, WEIGHTS | write)(np.array([[0]]))
    close(logits, [[[3.0, -1.0, 3.0]]], rtol=1e-4)  # eps takes some millionths off


@piece("GPT")
def test_every_block_has_weights_of_its_own(student):
    """Block 0 makes [1, -1] to [3, -1]; its norm is [3, -1] / sqrt(5), and block 1 adds [0, -1]."""
    write = {"layer0.attn_wv": np.eye(2), "layer0.attn_wo": np.diag([2.0, 0.0])}
    write |= {"layer1.attn_wv": np.eye(2), "layer1.attn_wo": np.diag([0.0, 5**0.5])}
    logits = micro(student, WEIGHTS | write, n_layer=2)(np.array([[0]]))
    close(logits, [[[3.0, -2.0, 0.0]]], rtol=1e-4, atol=1e-4)


@piece("GPT", needs=["ex06.KVCache"])
def test_positions_go_on_where_the_cache_ends(student):
    """Token 1 alone, after a cache of one position, stands at position 1."""
    model, cache = micro(student, WEIGHTS), student.KVCache()
    with student.no_grad():
        close(model(np.array([[0]]), [cache]), [[[1.0, -1.0, -1.0]]])
        same(len(cache), 1)
        close(model(np.array([[1]]), [cache]), [[[1.0, 1.0, 5.0]]])


@piece("GPT", needs=["ex06.KVCache"])
def test_each_block_has_a_cache_of_its_own(student):
    """Two blocks, two caches; three positions go into each."""
    model, caches = micro(student, WEIGHTS, n_layer=2), [student.KVCache(), student.KVCache()]
    with student.no_grad():
        model(np.array([[0, 1, 2]]), caches)
    same(len(caches[0]), 3)
    same(len(caches[1]), 3)


@piece("GPT")
def test_more_positions_than_block_size(student):
    """block_size is 4: four ids are fine, five are a ValueError."""
    model = micro(student, WEIGHTS)
    assert student.array(model(np.array([[0, 1, 2, 0]]))).shape == (1, 4, 3)
    with student.raises(ValueError):
        model(np.array([[0, 1, 2, 0, 1]]))


@piece("GPT", needs=["ex06.KVCache"])
def test_positions_in_the_cache_count_too(student):
    """block_size is 4: after three cached positions one more is fine, and then none."""
    model, cache = micro(student, WEIGHTS), student.KVCache()
    with student.no_grad():
        model(np.array([[0, 1, 2]]), [cache])
        model(np.array([[0]]), [cache])
        with student.raises(ValueError):
            model(np.array([[0]]), [cache])


@piece("GPT", core=True)
def test_a_model_of_zeros_loses_log_v(student):
    """All weights 0: each of 3 tokens has probability 1/3, and the loss is log 3 = 1.0986."""
    loss = micro(student, {}).loss(np.array([[0, 1], [2, 0]]), np.array([[1, 2], [0, 1]]))
    close(loss, log(3))


@piece("GPT", core=True)
def test_the_loss_is_a_mean_and_skips_minus_one(student):
    """Logits [0, 0, 0] and [0, log 2, log 3]: probabilities 1/3 each, and 1/6, 2/6, 3/6."""
    head = [[0.0, 0.0], [log(2) / 2, log(2) / 2], [log(3) / 2, log(3) / 2]]
    model = micro(student, WEIGHTS | {"lm_head": head})
    ids = np.array([[0, 1]])
    close(model.loss(ids, np.array([[0, 0]])), (log(3) + log(6)) / 2)
    close(model.loss(ids, np.array([[-1, 0]])), log(6))


@piece("GPT", gradient=True)
def test_gradient_of_the_head(student):
    """The head reads [1, -1]; the prediction is 1/3 each, the target token 0: p - [1, 0, 0]."""
    model = micro(student, WEIGHTS | {"lm_head": ZERO[:1]})
    model.loss(np.array([[0]]), np.array([[0]])).backward()
    grad = model.params["lm_head"].grad
    close(grad, [[-2 / 3, 2 / 3], [1 / 3, -1 / 3], [1 / 3, -1 / 3]])


@piece("GPT", gradient=True)
def test_every_parameter_gets_a_gradient(student):
    config = student.GPTConfig.microgpt(5, n_layer=2, n_embd=4, n_head=2, init_std=0.5)
    model = student.GPT(config, student.rng(1))
    model.loss(np.array([[0, 1, 2]]), np.array([[1, 2, 3]])).backward()
    for name, parameter in model.params.items():
        grad = parameter.grad
        assert isinstance(grad, np.ndarray) and np.abs(grad).max() > 0, f"{name} has no gradient"


# variants: what only gpt2 needs


def gpt2(student, weights):
    """A gpt2 of three tokens, four positions, two channels, one head and one block."""
    sizes = {"n_layer": 1, "n_embd": 2, "n_head": 1, "block_size": 4}
    gains = {"layer0.norm1_gain": 1.0, "layer0.norm2_gain": 1.0, "norm_gain": 1.0}
    return model_of(student, student.GPTConfig.gpt2(3, **sizes), gains | weights)


@piece("variants", core=True)
def test_gpt2_has_biases_and_norms_beside_its_matrices(student):
    """One layer of C = 2: gains start at 1, biases at 0, and b1 is as wide as the mlp, 8."""
    config = student.GPTConfig.gpt2(3, n_layer=1, n_embd=2, n_head=1)
    extra = student.extra_params(config, float64(student))
    names = "attn_bq attn_bk attn_bv attn_bo mlp_b2 norm1_bias norm2_bias".split()
    expected = {f"layer0.{name}": [0.0, 0.0] for name in names} | {"norm_bias": [0.0, 0.0]}
    expected |= {f"layer0.{name}": [1.0, 1.0] for name in ("norm1_gain", "norm2_gain")}
    expected |= {"norm_gain": [1.0, 1.0], "layer0.mlp_b1": [0.0] * 8}
    same(sorted(extra), sorted(expected))
    for name, array in expected.items():
        numbers = student.array(extra[name]).tolist()
        assert numbers == array, f"{name} starts as {numbers}, expected {array}"


@piece("variants")
def test_gains_and_biases_have_the_type_that_was_asked_for(student):
    """One array of float64 would make float64 of all that comes after it."""
    config = student.GPTConfig.gpt2(3, n_layer=1, n_embd=2, n_head=1)
    extra = student.extra_params(config, student.np.dtype("float32").type)
    close(extra["norm_gain"], np.ones(2, np.float32))
    close(extra["layer0.attn_bq"], np.zeros(2, np.float32))


@piece("variants", core=True)
def test_layernorm_uses_the_gain_and_bias_of_its_name(student):
    """[10, 30] becomes [-1, 1], times the gain [2, 3], plus the bias [100, 200]."""
    arrays = {"norm1_gain": [7.0, 7.0], "norm1_bias": [7.0, 7.0]}
    arrays |= {"norm2_gain": [2.0, 3.0], "norm2_bias": [100.0, 200.0]}
    config = student.GPTConfig.gpt2(3, n_embd=2, n_head=1)
    y = student.norm(student.Tensor([[10.0, 30.0]]), tensors(student, arrays), "norm2", config)
    close(y, [[98.0, 203.0]])


@piece("variants")
def test_biases_of_attention_and_mlp(student):
    """All matrices 0: attention writes its bo = [1, 2], the mlp its b2 = [3, 4]."""
    names = "attn_bq attn_bk attn_bv norm1_gain norm1_bias norm2_gain norm2_bias".split()
    arrays = OFF | {name: np.zeros(2) for name in names} | {"mlp_b1": np.zeros(8)}
    arrays |= {"attn_bo": [1.0, 2.0], "mlp_b2": [3.0, 4.0]}
    config = student.GPTConfig.gpt2(3, n_embd=2, n_head=1)
    y = student.block(student.Tensor([[[10.0, 30.0]]]), tensors(student, arrays), config)
    close(y, [[[14.0, 36.0]]])


@piece("variants")
def test_each_norm_of_a_block_has_its_own_weights(student):
    """norm1 gives attention its bias [1, 2], norm2 gives the mlp [1, -1]; gelu, then 3 and 5."""
    biases = {"norm1_bias": [1.0, 2.0], "norm2_bias": [1.0, -1.0]}
    names = "attn_bq attn_bk attn_bv attn_bo mlp_b2 norm1_gain norm2_gain".split()
    arrays = OFF | THINK | {name: np.zeros(2) for name in names} | {"mlp_b1": np.zeros(8)}
    arrays |= biases | {"attn_wv": np.eye(2), "attn_wo": np.eye(2)}
    config = student.GPTConfig.gpt2(3, n_embd=2, n_head=1)
    y = student.block(student.Tensor([[[10.0, 30.0]]]), tensors(student, arrays), config)
    close(y, [[[10.0 + 1.0 + 3 * 0.841192, 30.0 + 2.0 + 5 * -0.158808]]])


@piece("variants")
def test_gpt2_has_its_norm_before_the_head_alone(student):
    """[6, 4] + [4, 26] = [10, 30], or [20, 30] with bo: both have the norm [-1, 1]."""
    weights = {"wte": [[6.0, 4.0], [0.0, 5.0], [7.0, 0.0]], "wpe": [[4.0, 26.0]] * 4}
    bias = {"layer0.attn_bo": [10.0, 0.0]}
    for given in (weights, weights | bias):
        logits = gpt2(student, given)(np.array([[0]]))
        close(logits, [[[-2.0, 5.0, -7.0]]], rtol=1e-4)  # eps takes some millionths off


@piece("variants")
def test_a_tied_head_has_no_matrix_of_its_own(student):
    """wte comes first, wpe next; there is no lm_head."""
    config = student.GPTConfig.gpt2(3, n_layer=1, n_embd=2, n_head=1)
    params = student.init_params(config, student.rng(0))
    same(list(params)[:3], ["wte", "wpe", "layer0.attn_wq"])


@piece("variants", gradient=True)
def test_a_tied_head_hands_its_gradient_to_the_table(student):
    """The head reads [-1, 1], so the logits are 4, 4 + log 2 and 4 + log 3: p = [1/6, 2/6, 3/6].

    Row r of the table gets (p - [1, 0, 0])[r] * [-1, 1]. (As an embedding row 0 gets 0 besides: the
    norm of two channels is [-1, 1] whatever the first is, as long as it is less than the second.)
    """
    wte = [[6.0, 10.0], [0.0, 4.0 + log(2)], [0.0, 4.0 + log(3)]]
    model = gpt2(student, {"wte": wte, "wpe": [[4.0, 20.0]] * 4})
    loss = model.loss(np.array([[0]]), np.array([[0]]))
    close(loss, log(6))
    loss.backward()
    close(model.params["wte"].grad, [[5 / 6, -5 / 6], [-1 / 3, 1 / 3], [-1 / 2, 1 / 2]])
