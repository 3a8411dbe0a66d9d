"""Exercise 7, the whole GPT: the tests that decide. The oracle is numpy, and knows no gradients."""

from itertools import pairwise

import numpy as np
import pytest

from grader import chance
from grader.compare import close, same

piece = pytest.mark.piece
V = 7

MICRO = {"n_layer": 2, "n_head": 3, "n_embd": 6, "block_size": 5, "norm": "rmsnorm"}
MICRO |= {"embedding_norm": True, "final_norm": False, "activation": "relu"}
MICRO |= {"bias": False, "tied_head": False}
GPT2 = {"n_layer": 2, "n_head": 2, "n_embd": 4, "block_size": 6, "norm": "layernorm"}
GPT2 |= {"embedding_norm": False, "final_norm": True, "activation": "gelu"}
GPT2 |= {"bias": True, "tied_head": True}


# the oracle: arrays by name, choices as a dict


def rms(x):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)


def normed(x, w, name, choices):
    if choices["norm"] == "rmsnorm":
        return rms(x)
    centred = x - x.mean(-1, keepdims=True)
    root = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return centred / root * w[f"{name}_gain"] + w[f"{name}_bias"]


def activated(x, activation):
    if activation == "relu":
        return np.where(x > 0, x, 0.0)
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def thought(x, w, activation):
    """The mlp."""
    hidden = activated(x @ w["fc1"].T + w.get("b1", 0.0), activation)
    return hidden @ w["fc2"].T + w.get("b2", 0.0)


def attended(x, w, n_head):
    """Self-attention: what each position gives to the later ones is struck out."""
    B, T, C = x.shape
    q, k, v = ((x @ w["w" + i].T + w.get("b" + i, 0.0)).reshape(B, T, n_head, -1) for i in "qkv")
    scores = np.einsum("bthd,bshd->bhts", q, k) / np.sqrt(C // n_head)
    scores = np.where(np.tri(T), scores, -np.inf)
    p = np.exp(scores - scores.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    return np.einsum("bhts,bshd->bthd", p, v).reshape(B, T, C) @ w["wo"].T + w.get("bo", 0.0)


def stripped(w, prefix):
    return {name.removeprefix(prefix): a for name, a in w.items() if name.startswith(prefix)}


def one_block(x, w, choices):
    y = normed(x, w, "norm1", choices)
    x = x + attended(y, stripped(w, "attn_"), choices["n_head"])
    y = normed(x, w, "norm2", choices)
    return x + thought(y, stripped(w, "mlp_"), choices["activation"])


def logits_of(w, ids, choices):
    x = w["wte"][ids] + w["wpe"][: ids.shape[1]]
    if choices["embedding_norm"]:
        x = normed(x, w, "norm", choices)
    for i in range(choices["n_layer"]):
        x = one_block(x, stripped(w, f"layer{i}."), choices)
    if choices["final_norm"]:
        x = normed(x, w, "norm", choices)
    return x @ w.get("lm_head", w["wte"]).T


def loss_of(w, ids, targets, choices):
    z = logits_of(w, ids, choices)
    z = z - z.max(-1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(-1, keepdims=True))
    counted = targets != -1
    return -np.take_along_axis(logp, np.where(counted, targets, 0)[..., None], -1)[counted].mean()


# inputs


def normal(*shapes, salt=0):
    rng = chance.rng(salt)
    return [rng.normal(size=shape) for shape in shapes]


def tensors(student, arrays):
    return {name: student.Tensor(array) for name, array in arrays.items()}


def float64(student):
    """The type itself, np.float64, as it stands beside the student's code."""
    return student.np.dtype("float64").type


def ids_and_targets(B, T):
    rng = chance.rng("ids", B, T)
    return rng.integers(V, size=(B, T)), rng.integers(V, size=(B, T))


def config_of(student, choices):
    return student.GPTConfig(V, **choices)


def random_model(student, choices):
    """A model, and the arrays that are written into it: large enough for every part to matter."""
    model = student.GPT(config_of(student, choices), student.rng(chance.seed()), float64(student))
    rng, arrays = chance.rng("weights"), {}
    params = model.params
    for name, shape in {name: student.array(p).shape for name, p in params.items()}.items():
        arrays[name] = rng.normal(0, 0.5, shape) + name.endswith("gain")
    for name, parameter in params.items():
        student.assign(parameter, arrays[name])
    return model, arrays


def check_gradients(handles, truth, arrays):
    """Each gradient is the slope of `truth`, a number made of arrays by name.

    The slope is taken in a random direction, by a step so small that it leaves no trace in the
    real part of the number: what it changes stands alone in the imaginary part. If it is right
    where all arrays change at once, to the last digits, then it is for each.
    """
    rng, grads = chance.rng("directions"), {name: handles[name].grad for name in arrays}
    for name, grad in grads.items():
        assert isinstance(grad, np.ndarray), f"{name} has no gradient"
        shape = arrays[name].shape
        assert grad.shape == shape, f"the gradient of {name} has shape {grad.shape}"
    directions = {name: rng.normal(size=array.shape) for name, array in arrays.items()}

    def off(names):
        """By how much the slope is off, and the slope."""
        moved = {name: arrays[name] + 1e-30j * directions[name] for name in names}
        slope = truth(arrays | moved).imag / 1e-30
        return abs(sum(float((grads[n] * directions[n]).sum()) for n in names) - slope), abs(slope)

    error, slope = off(arrays)
    if error <= 1e-11 + 1e-10 * slope:
        return
    for name in arrays:
        error, slope = off([name])
        assert error <= 1e-8 + 1e-6 * slope, f"the gradient of {name} is wrong"


# init_params


def draws(choices, init_std, seed):
    """Every matrix, drawn in order."""
    rng, C, arrays = np.random.default_rng(seed), choices["n_embd"], {}
    shapes = {"wte": (V, C), "wpe": (choices["block_size"], C)}
    shapes |= {} if choices["tied_head"] else {"lm_head": (V, C)}
    for i in range(choices["n_layer"]):
        shapes |= {f"layer{i}.attn_{w}": (C, C) for w in ("wq", "wk", "wv", "wo")}
        shapes |= {f"layer{i}.mlp_fc1": (4 * C, C), f"layer{i}.mlp_fc2": (C, 4 * C)}
    for name, shape in shapes.items():
        arrays[name] = rng.normal(0, init_std, shape)
    return arrays


@piece("init_params", core=True)
def test_every_weight_of_two_layers_is_drawn_in_order(student):
    """Names, shapes and numbers follow from the generator, one draw of normals for each matrix."""
    config = config_of(student, MICRO | {"init_std": 0.3})
    seed = chance.seed()
    params = student.init_params(config, student.rng(seed), float64(student))
    expected = draws(MICRO, 0.3, seed)
    same(list(params), list(expected))
    for name, array in expected.items():
        close(params[name], array)


@piece("init_params")
def test_float32_is_drawn_alike_and_then_rounded(student):
    """The numbers of a float32 model are those of the float64 model, rounded."""
    seed = chance.seed()
    params = student.init_params(config_of(student, MICRO), student.rng(seed))
    for name, array in draws(MICRO, 0.08, seed).items():
        close(params[name], array.astype(np.float32), rtol=1e-6, atol=0)


@piece("init_params")
def test_each_layer_has_tensors_of_its_own(student):
    """Writing into one parameter changes no other."""
    seed = chance.seed()
    params = student.init_params(config_of(student, MICRO), student.rng(seed), float64(student))
    student.assign(params["layer0.attn_wq"], 5.0)
    for name, array in draws(MICRO, 0.08, seed).items():
        close(params[name], np.full_like(array, 5.0) if name == "layer0.attn_wq" else array)


# mlp


def mlp_weights(C, bias):
    shapes = {"fc1": (4 * C, C), "fc2": (C, 4 * C)} | ({"b1": 4 * C, "b2": C} if bias else {})
    return dict(zip(shapes, normal(*shapes.values(), salt="weights")))


@piece("mlp", core=True, needs=["ex04.gelu"])
def test_any_shape_either_activation_with_and_without_biases(student):
    """fc2 act(fc1 x + b1) + b2, for every leading shape."""
    for shape, activation, bias in [
        ((2, 3, 5), "relu", True),
        ((4, 5), "gelu", True),
        ((1, 1, 3), "gelu", False),
        ((6, 2), "relu", False),
    ]:
        x, weights = normal(shape)[0], mlp_weights(shape[-1], bias)
        y = student.mlp(student.Tensor(x), tensors(student, weights), activation)
        close(y, thought(x, weights, activation))


@piece("mlp")
def test_each_position_is_worked_on_by_itself(student):
    """Another vector at one position changes the result there, and nowhere else."""
    x, weights = normal((2, 3, 4))[0], mlp_weights(4, bias=False)
    y = student.mlp(student.Tensor(x), tensors(student, weights), "relu")
    close(y, thought(x, weights, "relu"))
    before = student.array(y)
    x[1, 0] += 1.0
    after = student.mlp(student.Tensor(x), tensors(student, weights), "relu")
    change = np.abs(student.array(after) - before).max(-1) > 1e-9
    assert change.tolist() == [[False] * 3, [True, False, False]], "it spread"


@piece("mlp", gradient=True, needs=["ex04.gelu"])
def test_gradients_of_all_five(student):
    """The gradient of x, both matrices and both biases, for either activation."""
    x, above = normal((2, 2, 3), (2, 2, 3))
    arrays = mlp_weights(3, bias=True) | {"x": x}
    for activation in ("relu", "gelu"):
        given = tensors(student, arrays)
        weights = {name: tensor for name, tensor in given.items() if name != "x"}
        student.mlp(given["x"], weights, activation).backward(above)

        def truth(a, activation=activation):
            return (above * thought(a["x"], a, activation)).sum()

        check_gradients(given, truth, arrays)


@piece("mlp")
def test_the_mlp_keeps_float32_and_its_inputs(student):
    """float32 in, float32 out; x and the weights are as they were."""
    x = normal((2, 3, 4))[0].astype(np.float32)
    weights = {name: w.astype(np.float32) for name, w in mlp_weights(4, bias=True).items()}
    tensor, given = student.Tensor(x), tensors(student, weights)
    y = student.mlp(tensor, given, "relu")
    close(y, thought(x, weights, "relu").astype(np.float32), rtol=1e-3, atol=1e-3)
    close(tensor, x, rtol=0, atol=0)
    for name, array in weights.items():
        close(given[name], array, rtol=0, atol=0)


# block


def block_weights(choices):
    """{name: array} of one layer."""
    C = choices["n_embd"]
    shapes = {f"attn_{w}": (C, C) for w in ("wq", "wk", "wv", "wo")}
    shapes |= {"mlp_fc1": (4 * C, C), "mlp_fc2": (C, 4 * C)}
    if choices["bias"]:
        shapes |= {name: (C,) for name in "attn_bq attn_bk attn_bv attn_bo mlp_b2".split()}
        shapes["mlp_b1"] = (4 * C,)
    if choices["norm"] == "layernorm":
        shapes |= {f"norm{i}_{part}": (C,) for i in (1, 2) for part in ("gain", "bias")}
    return {name: 0.5 * a for name, a in zip(shapes, normal(*shapes.values(), salt="weights"))}


@piece("block", core=True)
def test_any_sizes(student):
    """Attention of the norm is added, then the mlp of the new norm; T = 1 and H = C count too."""
    for B, T, C, H in [(2, 4, 6, 3), (3, 1, 4, 2), (1, 5, 4, 4), (2, 3, 5, 1)]:
        choices = MICRO | {"n_embd": C, "n_head": H}
        x, weights = normal((B, T, C))[0], block_weights(choices)
        y = student.block(student.Tensor(x), tensors(student, weights), config_of(student, choices))
        close(y, one_block(x, weights, choices))


@piece("block")
def test_no_position_of_a_block_sees_a_later_one(student):
    """Another last position, and another document beside it, change nothing for the others."""
    x, weights = normal((2, 4, 6))[0], block_weights(MICRO)
    given, config = tensors(student, weights), config_of(student, MICRO)
    before = student.array(student.block(student.Tensor(x), given, config))
    x[0, 3], x[1] = 5.0 * np.arange(6), -x[1]
    y = student.block(student.Tensor(x), given, config)
    close(y, one_block(x, weights, MICRO))
    close(y[0, :3], before[0, :3])


@piece("block", needs=["ex06.KVCache"])
def test_a_block_with_a_cache_gives_the_same(student):
    """Two positions, then one, then one: the rows of all four at once."""
    x, weights = normal((2, 4, 6))[0], block_weights(MICRO)
    given, config, cache = tensors(student, weights), config_of(student, MICRO), student.KVCache()
    expected = one_block(x, weights, MICRO)
    with student.no_grad():
        for start, end in [(0, 2), (2, 3), (3, 4)]:
            y = student.block(student.Tensor(x[:, start:end]), given, config, cache=cache)
            close(y, expected[:, start:end])
    same(len(cache), 4)


@piece("block", gradient=True)
def test_gradients_of_the_stream_and_of_every_weight(student):
    """The gradient of x goes both ways, straight on and through attention and mlp."""
    choices = MICRO | {"n_embd": 4, "n_head": 2}
    x, above = normal((2, 3, 4), (2, 3, 4))
    arrays = block_weights(choices) | {"x": x}
    given = tensors(student, arrays)
    weights = {name: tensor for name, tensor in given.items() if name != "x"}
    student.block(given["x"], weights, config_of(student, choices)).backward(above)
    check_gradients(given, lambda a: (above * one_block(a["x"], a, choices)).sum(), arrays)


@piece("block")
def test_a_block_keeps_float32_and_its_inputs(student):
    """float32 in, float32 out; the stream that came in is as it was."""
    x = normal((2, 3, 6))[0].astype(np.float32)
    weights = {name: w.astype(np.float32) for name, w in block_weights(MICRO).items()}
    tensor = student.Tensor(x)
    y = student.block(tensor, tensors(student, weights), config_of(student, MICRO))
    close(y, one_block(x, weights, MICRO).astype(np.float32), rtol=1e-3, atol=1e-3)
    close(tensor, x, rtol=0, atol=0)


# GPT


@piece("GPT", core=True)
def test_logits_of_a_random_microgpt(student):
    """Two blocks, three heads; from one position to block_size, one document or three."""
    model, arrays = random_model(student, MICRO)
    for B, T in [(3, 4), (1, 5), (2, 1), (1, 1)]:
        ids, _ = ids_and_targets(B, T)
        close(model(ids), logits_of(arrays, ids, MICRO))


@piece("GPT")
def test_no_logit_depends_on_a_later_token(student):
    """Changing the last token, or another document, changes no logit before it."""
    model, arrays = random_model(student, MICRO)
    ids, _ = ids_and_targets(2, 5)
    before = student.array(model(ids))
    ids[0, 4], ids[1] = (ids[0, 4] + 1) % V, (ids[1] + 1) % V
    logits = model(ids)
    close(logits, logits_of(arrays, ids, MICRO))
    close(logits[0, :4], before[0, :4])


@piece("GPT", needs=["ex06.KVCache"])
def test_logits_with_caches_equal_those_without(student):
    """Prompt and single tokens, up to block_size exactly: the logits of all at once."""
    by_one = [0, 1, 2, 3, 4, 5]
    for B, n_layer, cuts in (2, 2, by_one), (1, 2, by_one), (1, 1, [0, 3, 4, 5]), (2, 3, [0, 2, 5]):
        choices = MICRO | {"n_layer": n_layer}
        model, arrays = random_model(student, choices)
        ids, _ = ids_and_targets(B, 5)
        expected = logits_of(arrays, ids, choices)
        caches = [student.KVCache(), student.KVCache(5), student.KVCache()][:n_layer]
        with student.no_grad():
            for start, end in pairwise(cuts):
                close(model(ids[:, start:end], caches=caches), expected[:, start:end])
        for cache in caches:
            same(len(cache), 5)


@piece("GPT", needs=["ex06.KVCache"])
def test_large_scores_are_no_trouble_with_caches_either(student):
    """Scores in the thousands, more than exp can take: the logits of all at once."""
    model, arrays = random_model(student, MICRO)
    for layer in "layer0", "layer1":
        arrays[f"{layer}.attn_wq"] = 3000 * arrays[f"{layer}.attn_wq"]
        student.assign(model.params[f"{layer}.attn_wq"], arrays[f"{layer}.attn_wq"])
    ids, _ = ids_and_targets(1, 4)
    expected, caches = logits_of(arrays, ids, MICRO), [student.KVCache(), student.KVCache()]
    with student.no_grad():
        for t in range(4):
            close(model(ids[:, t : t + 1], caches), expected[:, t : t + 1])


@piece("GPT", needs=["ex06.KVCache"])
def test_block_size_is_the_limit_with_and_without_caches(student):
    """block_size positions are fine; one more is a ValueError, be it at once or one by one."""
    model, arrays = random_model(student, MICRO)
    ids, _ = ids_and_targets(1, 6)
    expected = logits_of(arrays, ids[:, :5], MICRO)
    close(model(ids[:, :5]), expected)
    with student.raises(ValueError):
        model(ids)
    caches = [student.KVCache(), student.KVCache()]
    with student.no_grad():
        close(model(ids[:, :4], caches), expected[:, :4])
        with student.raises(ValueError):
            model(ids[:, 4:6], caches)
        caches = [student.KVCache(), student.KVCache()]
        close(model(ids[:, :5], caches), expected)
        with student.raises(ValueError):
            model(ids[:, 5:], caches)


@piece("GPT")
def test_twelve_layers_come_in_order(student):
    """Layer 10 comes after layer 9 and before layer 11, with weights of its own."""
    choices = MICRO | {"n_layer": 12, "n_head": 2, "n_embd": 4}
    model, arrays = random_model(student, choices)
    ids, _ = ids_and_targets(1, 3)
    close(model(ids), logits_of(arrays, ids, choices))


@piece("GPT", needs=["ex06.KVCache"])
def test_the_weights_of_now_count(student):
    """After its weights were moved the model gives other logits, with caches and without."""
    model, arrays = random_model(student, MICRO)
    ids, _ = ids_and_targets(2, 4)
    for shrink in (1.0, 0.7):
        moved = {name: shrink * array for name, array in arrays.items()}
        places = [moved[name] for name in model.params]
        student.scenario("move", tensors=[*model.params.values()], arrays=places)
        close(model(ids), logits_of(moved, ids, MICRO))
        with student.no_grad():
            close(model(ids, [student.KVCache(), student.KVCache()]), logits_of(moved, ids, MICRO))
            first, caches = ids[:1, :1], [student.KVCache(), student.KVCache()]
            close(model(first, caches), logits_of(moved, first, MICRO))


@piece("GPT", gradient=True, needs=["ex06.KVCache"])
def test_after_writing_the_model_learns_as_before(student):
    """A call with caches leaves nothing behind: the gradients of the next loss are all there."""
    model, arrays = random_model(student, MICRO)
    ids, targets = ids_and_targets(2, 3)
    close(model(ids, [student.KVCache(), student.KVCache()]), logits_of(arrays, ids, MICRO))
    model.loss(ids, targets).backward()
    check_gradients(model.params, lambda w: loss_of(w, ids, targets, MICRO), arrays)


@piece("GPT", core=True)
def test_loss_of_a_random_microgpt(student):
    """The mean surprise over the targets that count, be it all, some or one."""
    model, arrays = random_model(student, MICRO)
    ids, targets = ids_and_targets(3, 4)
    close(model.loss(ids, targets), loss_of(arrays, ids, targets, MICRO))
    targets[0, 1:], targets[2] = -1, -1
    close(model.loss(ids, targets), loss_of(arrays, ids, targets, MICRO))
    targets[1], targets[0, 0] = -1, 4
    close(model.loss(ids.tolist(), targets.tolist()), loss_of(arrays, ids, targets, MICRO))


@piece("GPT", gradient=True)
def test_gradients_of_all_parameters_of_microgpt(student):
    """Every parameter's gradient is the slope of the loss; padding has no part in it."""
    model, arrays = random_model(student, MICRO)
    ids, targets = ids_and_targets(2, 4)
    targets[1, 2:] = -1
    model.loss(ids, targets).backward()
    check_gradients(model.params, lambda w: loss_of(w, ids, targets, MICRO), arrays)


@piece("GPT", gradient=True)
def test_gradients_of_two_losses_add_up(student):
    """Until they are forgotten, gradients accumulate: the same loss twice gives the double."""
    model, arrays = random_model(student, MICRO)
    ids, targets = ids_and_targets(1, 3)
    model.loss(ids, targets).backward()
    model.loss(ids, targets).backward()
    check_gradients(model.params, lambda w: 2 * loss_of(w, ids, targets, MICRO), arrays)


@piece("GPT")
def test_a_model_is_float32_and_is_not_changed_by_running(student):
    """Without a dtype: float32 logits and loss; running the model leaves its weights alone."""
    seed = chance.seed()
    model = student.GPT(config_of(student, MICRO), student.rng(seed))
    arrays = {name: a.astype(np.float32) for name, a in draws(MICRO, 0.08, seed).items()}
    ids, targets = ids_and_targets(2, 5)
    close(model(ids), logits_of(arrays, ids, MICRO).astype(np.float32), rtol=1e-3, atol=1e-5)
    expected = np.array(loss_of(arrays, ids, targets, MICRO), np.float32)
    close(model.loss(ids, targets), expected, rtol=1e-4)
    for name, parameter in model.params.items():
        close(parameter, arrays[name], rtol=1e-6, atol=0)


# variants


@piece("variants", core=True)
def test_gpt2_parameters(student):
    """Matrices drawn as ever, without lm_head; gains of 1 and biases of 0 for every layer."""
    config = config_of(student, GPT2 | {"init_std": 0.02})
    seed = chance.seed()
    params = student.init_params(config, student.rng(seed), float64(student))
    expected, C = draws(GPT2, 0.02, seed), 4
    for i in (0, 1):
        biases = "attn_bq attn_bk attn_bv attn_bo mlp_b2 norm1_bias norm2_bias".split()
        expected |= {f"layer{i}.{name}": np.zeros(C) for name in biases}
        expected |= {f"layer{i}.{name}": np.ones(C) for name in ("norm1_gain", "norm2_gain")}
        expected[f"layer{i}.mlp_b1"] = np.zeros(4 * C)
    expected |= {"norm_gain": np.ones(C), "norm_bias": np.zeros(C)}
    same(sorted(params), sorted(expected))
    for name, array in expected.items():
        close(params[name], array)


@piece("variants")
def test_all_parameters_of_gpt2_are_float32_unless_asked_otherwise(student):
    """Gains and biases have the type of the matrices, or all that follows becomes float64."""
    config = config_of(student, GPT2)
    single = student.GPT(config, student.rng(0))
    for name, parameter in single.params.items():
        assert student.array(parameter).dtype == np.float32, f"{name} is not float32"
    ids, _ = ids_and_targets(1, 3)
    assert student.array(single(ids)).dtype == np.float32, "the logits are not float32"
    double = student.init_params(config, student.rng(0), float64(student))
    for name, parameter in double.items():
        assert student.array(parameter).dtype == np.float64, f"{name} is not float64"


@piece("variants", core=True)
def test_logits_and_loss_of_a_random_gpt2(student):
    """LayerNorm, gelu, biases, the norm before the head, the tied head: all at once."""
    model, arrays = random_model(student, GPT2)
    for B, T in [(2, 6), (3, 1)]:
        ids, targets = ids_and_targets(B, T)
        close(model(ids), logits_of(arrays, ids, GPT2))
        close(model.loss(ids, targets), loss_of(arrays, ids, targets, GPT2))


@piece("variants")
def test_a_block_of_gpt2(student):
    """Each norm has its own gain and bias, and every linear its bias."""
    x, weights = normal((2, 3, 4))[0], block_weights(GPT2)
    y = student.block(student.Tensor(x), tensors(student, weights), config_of(student, GPT2))
    close(y, one_block(x, weights, GPT2))


@piece("variants")
def test_the_choices_of_the_config_are_independent(student):
    """Each choice by itself: the norms, where they stand, the activation, biases, the head."""
    for changes in (
        {"norm": "layernorm"},
        {"bias": True},
        {"norm": "layernorm", "final_norm": True, "activation": "gelu"},
        {"bias": True, "tied_head": True, "embedding_norm": False},
        {"final_norm": True, "embedding_norm": False},
    ):
        choices = MICRO | {"n_layer": 1} | changes
        model, arrays = random_model(student, choices)
        ids, _ = ids_and_targets(2, 3)
        names = draws(choices, 1.0, 0).keys() | {
            f"layer0.{name}" for name in block_weights(choices)
        }
        names |= {"norm_gain", "norm_bias"} if choices["norm"] == "layernorm" else set()
        same(sorted(model.params), sorted(names))
        close(model(ids), logits_of(arrays, ids, choices))


@piece("variants", needs=["ex06.KVCache"])
def test_gpt2_with_caches_gives_the_same(student):
    """A prompt of two, then one token a call."""
    model, arrays = random_model(student, GPT2)
    ids, _ = ids_and_targets(2, 6)
    expected, caches = logits_of(arrays, ids, GPT2), [student.KVCache(), student.KVCache()]
    with student.no_grad():
        for start, end in [(0, 2), (2, 3), (3, 4), (4, 5), (5, 6)]:
            close(model(ids[:, start:end], caches), expected[:, start:end])


@piece("variants", needs=["ex06.KVCache"])
def test_a_text_is_written_as_the_config_says(student):
    """One choice at a time unlike MicroGPT's, one token a call: the logits of all at once."""
    for change in (
        {"norm": "layernorm"},
        {"bias": True},
        {"activation": "gelu"},
        {"tied_head": True},
        {"embedding_norm": False},
        {"final_norm": True},
    ):
        choices = MICRO | {"n_layer": 1} | change
        model, arrays = random_model(student, choices)
        ids, _ = ids_and_targets(1, 3)
        expected, cache = logits_of(arrays, ids, choices), student.KVCache()
        with student.no_grad():
            for t in range(3):
                close(model(ids[:, t : t + 1], [cache]), expected[:, t : t + 1])


@piece("variants", gradient=True)
def test_gradients_of_all_parameters_of_gpt2(student):
    """Every parameter, the table that is used twice included, gets the slope of the loss."""
    model, arrays = random_model(student, GPT2)
    ids, targets = ids_and_targets(2, 5)
    targets[0, 3:] = -1
    model.loss(ids, targets).backward()
    check_gradients(model.params, lambda w: loss_of(w, ids, targets, GPT2), arrays)
