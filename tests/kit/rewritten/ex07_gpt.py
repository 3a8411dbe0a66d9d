"""Misconceptions of exercise 7, in other words than those of tests/mutants."""

import numpy as np

from grader.diagnosis import mutant
from solutions.ex03_tensor import Tensor
from solutions.ex04_ops import cross_entropy, embedding, gelu, linear, relu
from solutions.ex06_attention import self_attention
from solutions.ex07_gpt import block, extra_params, mlp, norm, under

EX = "ex07_gpt"


@mutant(EX, "mlp", says="mlp_without_activation")
def two_matrices(x, weights, activation):
    y = x
    for fc, b in (("fc1", "b1"), ("fc2", "b2")):
        y = linear(y, weights[fc], weights.get(b))
    return y


@mutant(EX, "mlp", says="mlp_always_relu")
def kink(x, weights, activation):
    h = linear(x, weights["fc1"])
    if "b1" in weights:
        h = h + weights["b1"]
    h = relu(h)
    return linear(h, weights["fc2"], weights.get("b2"))


@mutant(EX, "block", says="block_without_residual")
def passes_through(x, weights, config, cache=None):
    attend = under(weights, "attn_")
    think = under(weights, "mlp_")
    x = self_attention(norm(x, weights, "norm1", config), attend, config.n_head, cache)
    return mlp(norm(x, weights, "norm2", config), think, config.activation)


@mutant(EX, "block", says="block_in_parallel")
def both_at_once(x, weights, config, cache=None):
    a = self_attention(
        norm(x, weights, "norm1", config), under(weights, "attn_"), config.n_head, cache
    )
    m = mlp(norm(x, weights, "norm2", config), under(weights, "mlp_"), config.activation)
    return x + a + m


@mutant(EX, "block", says="block_with_normed_residual")
def norms_the_stream(x, weights, config, cache=None):
    x = norm(x, weights, "norm1", config)
    x = x + self_attention(x, under(weights, "attn_"), config.n_head, cache)
    x = norm(x, weights, "norm2", config)
    x = x + mlp(x, under(weights, "mlp_"), config.activation)
    return x


@mutant(EX, "init_params", says="params_with_the_head_last")
def draws_one_by_one(config, rng, dtype=np.float32):
    C, params = config.n_embd, {}

    def draw(name, *shape):
        params[name] = Tensor(rng.normal(scale=config.init_std, size=shape).astype(dtype))

    draw("wte", config.vocab_size, C)
    draw("wpe", config.block_size, C)
    for layer in range(config.n_layer):
        for w in "qkvo":
            draw(f"layer{layer}.attn_w{w}", C, C)
        draw(f"layer{layer}.mlp_fc1", 4 * C, C)
        draw(f"layer{layer}.mlp_fc2", C, 4 * C)
    if not config.tied_head:
        draw("lm_head", config.vocab_size, C)
    params.update(extra_params(config, dtype))
    return params


@mutant(EX, "GPT.__call__", says="gpt_without_positions")
def tokens_alone(self, ids, caches=None):
    ids = np.array(ids)
    past = len(caches[0]) if caches is not None else 0
    if past + ids.shape[1] > self.config.block_size:
        raise ValueError("too long")
    h = embedding(self.params["wte"], ids)
    if self.config.embedding_norm:
        h = norm(h, self.params, "norm", self.config)
    caches = caches or [None] * self.config.n_layer
    for i, cache in enumerate(caches):
        h = block(h, under(self.params, f"layer{i}."), self.config, cache)
    if self.config.final_norm:
        h = norm(h, self.params, "norm", self.config)
    head = self.params["wte"] if self.config.tied_head else self.params["lm_head"]
    return linear(h, head)


@mutant(EX, "GPT.loss", says="loss_of_the_ids")
def compares_with_itself(self, ids, targets):
    logits = self.__call__(ids)
    return cross_entropy(logits, np.asarray(ids))


@mutant(EX, "extra_params", says="extras_with_gains_of_0")
def zeros_everywhere(config, dtype):
    C, L, found = config.n_embd, config.n_layer, {}
    if config.bias:
        for i in range(L):
            for b in "qkvo":
                found[f"layer{i}.attn_b{b}"] = Tensor(np.zeros(C, dtype))
            found[f"layer{i}.mlp_b1"] = Tensor(np.zeros(4 * C, dtype))
            found[f"layer{i}.mlp_b2"] = Tensor(np.zeros(C, dtype))
    if config.norm == "layernorm":
        for prefix in [f"layer{i}.norm{j}" for i in range(L) for j in (1, 2)] + ["norm"]:
            for part in ("gain", "bias"):
                found[f"{prefix}_{part}"] = Tensor(np.zeros(C, dtype))
    return found


@mutant(EX, "mlp", says="mlp_with_activation_at_the_end")
def kink_late(x, weights, activation):
    h = linear(x, weights["fc1"], weights.get("b1"))
    h = linear(h, weights["fc2"], weights.get("b2"))
    return relu(h) if activation == "relu" else gelu(h)
