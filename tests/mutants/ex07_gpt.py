"""Mistakes that are made in exercise 7, the whole GPT."""

import numpy as np

from grader.diagnosis import mutant
from solutions.ex03_tensor import Tensor
from solutions.ex04_ops import cross_entropy, embedding, gelu, linear, relu
from solutions.ex05_norm import layernorm, rmsnorm
from solutions.ex06_attention import self_attention
from solutions.ex07_gpt import block, extra_params, mlp, norm, under

EX07 = "ex07_gpt"

# init_params

ATTENTION = ("attn_wq", "attn_wk", "attn_wv", "attn_wo")


def shapes_of(config):
    """The shapes of all matrices, by name, in order."""
    V, C = config.vocab_size, config.n_embd
    shapes = {"wte": (V, C), "wpe": (config.block_size, C)}
    if not config.tied_head:
        shapes["lm_head"] = (V, C)
    for i in range(config.n_layer):
        shapes |= {f"layer{i}.{name}": (C, C) for name in ATTENTION}
        shapes |= {f"layer{i}.mlp_fc1": (4 * C, C), f"layer{i}.mlp_fc2": (C, 4 * C)}
    return shapes


def drawn(shapes, rng, std):
    """An array for each shape, drawn in order."""
    return {name: rng.normal(0, std, shape) for name, shape in shapes.items()}


@mutant(EX07, "init_params", says="the weights have a standard deviation of 1; it is init_std")
def params_of_std_1(config, rng, dtype=np.float32):
    arrays = drawn(shapes_of(config), rng, 1.0)
    return {n: Tensor(a.astype(dtype)) for n, a in arrays.items()} | extra_params(config, dtype)


@mutant(EX07, "init_params", says="the standard deviation is fixed; it is config.init_std")
def params_of_fixed_std(config, rng, dtype=np.float32):
    arrays = drawn(shapes_of(config), rng, 0.02)
    return {n: Tensor(a.astype(dtype)) for n, a in arrays.items()} | extra_params(config, dtype)


@mutant(
    EX07,
    "init_params",
    says="you took init_std for the variance; rng.normal takes the standard deviation itself",
)
def params_with_std_for_variance(config, rng, dtype=np.float32):
    arrays = drawn(shapes_of(config), rng, config.init_std**0.5)
    return {n: Tensor(a.astype(dtype)) for n, a in arrays.items()} | extra_params(config, dtype)


@mutant(EX07, "init_params", says="the weights are uniform; draw them with rng.normal")
def params_uniform(config, rng, dtype=np.float32):
    std = config.init_std
    arrays = {n: rng.uniform(-std, std, shape) for n, shape in shapes_of(config).items()}
    return {n: Tensor(a.astype(dtype)) for n, a in arrays.items()} | extra_params(config, dtype)


@mutant(
    EX07,
    "init_params",
    says="you made a generator of your own; draw from the rng that is given",
)
def params_of_another_generator(config, rng, dtype=np.float32):
    arrays = drawn(shapes_of(config), np.random.default_rng(42), config.init_std)
    return {n: Tensor(a.astype(dtype)) for n, a in arrays.items()} | extra_params(config, dtype)


@mutant(EX07, "init_params", says="lm_head is drawn last; it comes third, before the layers")
def params_with_the_head_last(config, rng, dtype=np.float32):
    shapes = shapes_of(config)
    if "lm_head" in shapes:
        shapes["lm_head"] = shapes.pop("lm_head")
    arrays = drawn(shapes, rng, config.init_std)
    return {n: Tensor(a.astype(dtype)) for n, a in arrays.items()} | extra_params(config, dtype)


@mutant(EX07, "init_params", says="wpe is drawn before wte; wte comes first")
def params_with_positions_first(config, rng, dtype=np.float32):
    shapes = shapes_of(config)
    arrays = drawn({"wpe": shapes.pop("wpe")} | shapes, rng, config.init_std)
    return {n: Tensor(a.astype(dtype)) for n, a in arrays.items()} | extra_params(config, dtype)


@mutant(
    EX07,
    "init_params",
    says="the mlp's matrices are drawn after the attention of all layers; finish a layer, then"
    " begin the next",
)
def params_by_kind(config, rng, dtype=np.float32):
    shapes = shapes_of(config)
    late = {name: shapes.pop(name) for name in list(shapes) if ".mlp_" in name}
    arrays = drawn(shapes | late, rng, config.init_std)
    return {n: Tensor(a.astype(dtype)) for n, a in arrays.items()} | extra_params(config, dtype)


@mutant(EX07, "init_params", says="the mlp's matrices stand (in, out); they stand (out, in)")
def params_transposed(config, rng, dtype=np.float32):
    shapes = {n: s[::-1] if "mlp" in n else s for n, s in shapes_of(config).items()}
    arrays = drawn(shapes, rng, config.init_std)
    return {n: Tensor(a.astype(dtype)) for n, a in arrays.items()} | extra_params(config, dtype)


@mutant(
    EX07,
    "init_params",
    says="wpe has a row for each token; it has one for each position, block_size of them",
)
def params_with_a_position_for_each_token(config, rng, dtype=np.float32):
    shapes = shapes_of(config)
    shapes["wpe"] = shapes["wte"]
    arrays = drawn(shapes, rng, config.init_std)
    return {n: Tensor(a.astype(dtype)) for n, a in arrays.items()} | extra_params(config, dtype)


@mutant(EX07, "init_params", says="only the first layer has weights; there are n_layer of them")
def params_of_one_layer(config, rng, dtype=np.float32):
    shapes = {n: s for n, s in shapes_of(config).items() if "." not in n or n.startswith("layer0.")}
    arrays = drawn(shapes, rng, config.init_std)
    return {n: Tensor(a.astype(dtype)) for n, a in arrays.items()} | extra_params(config, dtype)


@mutant(EX07, "init_params", says="layers are counted from 1; the first is layer0")
def params_counted_from_1(config, rng, dtype=np.float32):
    def later(name):
        layer, dot, rest = name.partition(".")
        return f"layer{int(layer[5:]) + 1}.{rest}" if dot else name

    shapes = {later(name): shape for name, shape in shapes_of(config).items()}
    arrays = drawn(shapes, rng, config.init_std)
    return {n: Tensor(a.astype(dtype)) for n, a in arrays.items()} | extra_params(config, dtype)


@mutant(EX07, "init_params", says="dtype is not used: without astype the weights are float64")
def params_in_float64(config, rng, dtype=np.float32):
    arrays = drawn(shapes_of(config), rng, config.init_std)
    return {n: Tensor(a) for n, a in arrays.items()} | extra_params(config, dtype)


@mutant(
    EX07,
    "init_params",
    says="attn_wo and mlp_fc2 are drawn smaller, as GPT-2 does in its code; here all are alike",
)
def params_scaled_by_depth(config, rng, dtype=np.float32):
    arrays = drawn(shapes_of(config), rng, config.init_std)
    for name in arrays:
        if name.endswith(("attn_wo", "mlp_fc2")):
            arrays[name] *= (2 * config.n_layer) ** -0.5
    return {n: Tensor(a.astype(dtype)) for n, a in arrays.items()} | extra_params(config, dtype)


@mutant(EX07, "init_params", says="all layers share the same Tensors; each has its own")
def params_shared_by_layers(config, rng, dtype=np.float32):
    arrays = drawn(shapes_of(config), rng, config.init_std)
    params = {n: Tensor(a.astype(dtype)) for n, a in arrays.items()}
    for i in range(1, config.n_layer):
        for name in [name for name in params if name.startswith(f"layer{i}.")]:
            params[name] = params[name.replace(f"layer{i}.", "layer0.")]
    return params | extra_params(config, dtype)


@mutant(
    EX07, "init_params", says="lm_head is there although the head is tied to the embedding table"
)
def params_with_a_head_always(config, rng, dtype=np.float32):
    shapes, C = shapes_of(config), config.n_embd
    layers = {name: shapes.pop(name) for name in list(shapes) if "." in name}
    arrays = drawn(shapes | {"lm_head": (config.vocab_size, C)} | layers, rng, config.init_std)
    return {n: Tensor(a.astype(dtype)) for n, a in arrays.items()} | extra_params(config, dtype)


@mutant(
    EX07, "init_params", says="what extra_params gives is missing: the biases and norms of gpt2"
)
def params_without_the_extra_ones(config, rng, dtype=np.float32):
    arrays = drawn(shapes_of(config), rng, config.init_std)
    return {n: Tensor(a.astype(dtype)) for n, a in arrays.items()}


# mlp


@mutant(EX07, "mlp", says="there is no activation between fc1 and fc2")
def mlp_without_activation(x, weights, activation):
    hidden = linear(x, weights["fc1"], weights.get("b1"))
    return linear(hidden, weights["fc2"], weights.get("b2"))


@mutant(EX07, "mlp", says="it is always relu; use the activation that is asked for")
def mlp_always_relu(x, weights, activation):
    hidden = relu(linear(x, weights["fc1"], weights.get("b1")))
    return linear(hidden, weights["fc2"], weights.get("b2"))


@mutant(EX07, "mlp", says="it is always gelu; use the activation that is asked for")
def mlp_always_gelu(x, weights, activation):
    hidden = gelu(linear(x, weights["fc1"], weights.get("b1")))
    return linear(hidden, weights["fc2"], weights.get("b2"))


@mutant(EX07, "mlp", says="the activation comes after fc2; it stands between fc1 and fc2")
def mlp_with_activation_at_the_end(x, weights, activation):
    hidden = linear(x, weights["fc1"], weights.get("b1"))
    return {"relu": relu, "gelu": gelu}[activation](
        linear(hidden, weights["fc2"], weights.get("b2"))
    )


@mutant(EX07, "mlp", says="there is an activation after fc2 too; the result may be negative")
def mlp_with_two_activations(x, weights, activation):
    act = {"relu": relu, "gelu": gelu}[activation]
    hidden = act(linear(x, weights["fc1"], weights.get("b1")))
    return act(linear(hidden, weights["fc2"], weights.get("b2")))


@mutant(EX07, "mlp", says="both biases are left out; use those that weights holds")
def mlp_without_biases(x, weights, activation):
    act = {"relu": relu, "gelu": gelu}[activation]
    return linear(act(linear(x, weights["fc1"])), weights["fc2"])


@mutant(EX07, "mlp", says="b2 is left out; the second linear has a bias too")
def mlp_without_b2(x, weights, activation):
    act = {"relu": relu, "gelu": gelu}[activation]
    return linear(act(linear(x, weights["fc1"], weights.get("b1"))), weights["fc2"])


@mutant(EX07, "mlp", says="b1 is added after the activation; it belongs to fc1, before it")
def mlp_with_b1_after_activation(x, weights, activation):
    hidden = {"relu": relu, "gelu": gelu}[activation](linear(x, weights["fc1"]))
    if "b1" in weights:
        hidden = hidden + weights["b1"]
    return linear(hidden, weights["fc2"], weights.get("b2"))


@mutant(EX07, "mlp", says="x is added to the result; that happens in the block, not here")
def mlp_with_residual(x, weights, activation):
    act = {"relu": relu, "gelu": gelu}[activation]
    hidden = act(linear(x, weights["fc1"], weights.get("b1")))
    return x + linear(hidden, weights["fc2"], weights.get("b2"))


# block


@mutant(
    EX07,
    "block",
    says="nothing is added: x = attention(norm(x)) loses what was there; x = x + ..., twice",
)
def block_without_residual(x, weights, config, cache=None):
    y = norm(x, weights, "norm1", config)
    x = self_attention(y, under(weights, "attn_"), config.n_head, cache)
    y = norm(x, weights, "norm2", config)
    return mlp(y, under(weights, "mlp_"), config.activation)


@mutant(EX07, "block", says="what attention gives is not added to x, but takes its place")
def block_without_first_residual(x, weights, config, cache=None):
    y = norm(x, weights, "norm1", config)
    x = self_attention(y, under(weights, "attn_"), config.n_head, cache)
    y = norm(x, weights, "norm2", config)
    return x + mlp(y, under(weights, "mlp_"), config.activation)


@mutant(EX07, "block", says="what the mlp gives is not added to x, but takes its place")
def block_without_second_residual(x, weights, config, cache=None):
    y = norm(x, weights, "norm1", config)
    x = x + self_attention(y, under(weights, "attn_"), config.n_head, cache)
    y = norm(x, weights, "norm2", config)
    return mlp(y, under(weights, "mlp_"), config.activation)


@mutant(
    EX07,
    "block",
    says="the residual is taken after the norm; the stream itself goes on, its norm is only read by"
    " attention and mlp",
)
def block_with_normed_residual(x, weights, config, cache=None):
    x = norm(x, weights, "norm1", config)
    x = x + self_attention(x, under(weights, "attn_"), config.n_head, cache)
    x = norm(x, weights, "norm2", config)
    return x + mlp(x, under(weights, "mlp_"), config.activation)


@mutant(
    EX07,
    "block",
    says="the norms stand after the addition, as in the first transformer; here they stand before"
    " attention and mlp",
)
def block_with_norms_behind(x, weights, config, cache=None):
    y = x + self_attention(x, under(weights, "attn_"), config.n_head, cache)
    x = norm(y, weights, "norm1", config)
    y = x + mlp(x, under(weights, "mlp_"), config.activation)
    return norm(y, weights, "norm2", config)


@mutant(EX07, "block", says="attention reads x as it is; it reads the norm of x")
def block_without_first_norm(x, weights, config, cache=None):
    x = x + self_attention(x, under(weights, "attn_"), config.n_head, cache)
    y = norm(x, weights, "norm2", config)
    return x + mlp(y, under(weights, "mlp_"), config.activation)


@mutant(EX07, "block", says="the mlp reads x as it is; it reads the norm of x")
def block_without_second_norm(x, weights, config, cache=None):
    y = norm(x, weights, "norm1", config)
    x = x + self_attention(y, under(weights, "attn_"), config.n_head, cache)
    return x + mlp(x, under(weights, "mlp_"), config.activation)


@mutant(
    EX07,
    "block",
    says="attention and mlp both read the stream from before; the mlp reads it with what attention"
    " has added",
)
def block_in_parallel(x, weights, config, cache=None):
    y = self_attention(
        norm(x, weights, "norm1", config), under(weights, "attn_"), config.n_head, cache
    )
    z = mlp(norm(x, weights, "norm2", config), under(weights, "mlp_"), config.activation)
    return x + y + z


@mutant(EX07, "block", says="the mlp comes before attention; attention comes first")
def block_in_reverse(x, weights, config, cache=None):
    y = norm(x, weights, "norm2", config)
    x = x + mlp(y, under(weights, "mlp_"), config.activation)
    y = norm(x, weights, "norm1", config)
    return x + self_attention(y, under(weights, "attn_"), config.n_head, cache)


@mutant(EX07, "block", says="the cache does not reach self_attention")
def block_without_cache(x, weights, config, cache=None):
    y = norm(x, weights, "norm1", config)
    x = x + self_attention(y, under(weights, "attn_"), config.n_head)
    y = norm(x, weights, "norm2", config)
    return x + mlp(y, under(weights, "mlp_"), config.activation)


@mutant(EX07, "block", says="attention has always one head; there are config.n_head")
def block_of_one_head(x, weights, config, cache=None):
    y = norm(x, weights, "norm1", config)
    x = x + self_attention(y, under(weights, "attn_"), 1, cache)
    y = norm(x, weights, "norm2", config)
    return x + mlp(y, under(weights, "mlp_"), config.activation)


@mutant(EX07, "block", says="the mlp always gets relu; it gets config.activation")
def block_with_relu_always(x, weights, config, cache=None):
    y = norm(x, weights, "norm1", config)
    x = x + self_attention(y, under(weights, "attn_"), config.n_head, cache)
    y = norm(x, weights, "norm2", config)
    return x + mlp(y, under(weights, "mlp_"), "relu")


# GPT


def run(parts, model, ids, caches, **wrong):
    """GPT.__call__, made of the module's own (embedding, norm, block, linear).

    wrong   what takes the place of a right choice: see `right`
    """
    embedding, norm, block, linear = parts
    params, config, ids = model.params, model.config, np.asarray(ids)
    start = len(caches[0]) if caches else 0
    right = {
        "places": np.arange(start, start + ids.shape[1]),
        "counted": start + ids.shape[1],  # positions that are checked against block_size
        "embedding_norm": config.embedding_norm,
        "layers": range(config.n_layer),
        "cache_of": lambda i: caches[i] if caches else None,
        "final_norm": config.final_norm,
        "head": params.get("lm_head", params["wte"]),
    }
    choice = right | wrong
    if choice["counted"] > config.block_size:
        raise ValueError("too many positions")
    x = embedding(params["wte"], ids)
    if choice["places"] is not None:
        x = x + embedding(params["wpe"], choice["places"])
    if choice["embedding_norm"]:
        x = norm(x, params, "norm", config)
    for i, layer in enumerate(choice["layers"]):
        x = block(x, under(params, f"layer{layer}."), config, choice["cache_of"](i))
    if choice["final_norm"]:
        x = norm(x, params, "norm", config)
    return linear(x, choice["head"])


@mutant(EX07, "GPT.__call__", says="the positions are left out: x is wte[ids] + wpe[positions]")
def gpt_without_positions(self, ids, caches=None):
    return run((embedding, norm, block, linear), self, ids, caches, places=None)


@mutant(
    EX07,
    "GPT.__call__",
    says="positions start at 0 although the cache holds some; they start at its length",
)
def gpt_with_positions_from_0(self, ids, caches=None):
    T = np.shape(ids)[1]
    return run((embedding, norm, block, linear), self, ids, caches, places=np.arange(T), counted=T)


@mutant(
    EX07,
    "GPT.__call__",
    says="wpe is looked up by the ids; its row is the position, 0, 1, 2, ..., whatever the token",
)
def gpt_with_ids_for_positions(self, ids, caches=None):
    places = np.minimum(ids, self.config.block_size - 1)
    return run((embedding, norm, block, linear), self, ids, caches, places=places)


@mutant(
    EX07,
    "GPT.__call__",
    says="positions start at 0 although the cache holds some; they start at its length",
)
def gpt_with_positions_from_0_that_counts(self, ids, caches=None):
    places = np.arange(np.shape(ids)[1])
    return run((embedding, norm, block, linear), self, ids, caches, places=places)


@mutant(EX07, "GPT.__call__", says="positions are counted from 1; the first is 0")
def gpt_with_positions_from_1(self, ids, caches=None):
    start = len(caches[0]) if caches else 0
    places = np.arange(start, start + np.shape(ids)[1]) + 1
    places = np.minimum(places, self.config.block_size - 1)
    return run((embedding, norm, block, linear), self, ids, caches, places=places)


@mutant(EX07, "GPT.__call__", says="the norm after the embedding is missing; microgpt has one")
def gpt_without_embedding_norm(self, ids, caches=None):
    return run((embedding, norm, block, linear), self, ids, caches, embedding_norm=False)


@mutant(
    EX07,
    "GPT.__call__",
    says="the norm after the embedding is always there; gpt2 has none (config.embedding_norm)",
)
def gpt_with_embedding_norm_always(self, ids, caches=None):
    return run((embedding, norm, block, linear), self, ids, caches, embedding_norm=True)


@mutant(
    EX07,
    "GPT.__call__",
    says="the norm before the head is always there; microgpt has none (config.final_norm)",
)
def gpt_with_final_norm_always(self, ids, caches=None):
    return run((embedding, norm, block, linear), self, ids, caches, final_norm=True)


@mutant(EX07, "GPT.__call__", says="the norm before the head is missing; gpt2 has one")
def gpt_without_final_norm(self, ids, caches=None):
    return run((embedding, norm, block, linear), self, ids, caches, final_norm=False)


@mutant(EX07, "GPT.__call__", says="only the first block is run; there are n_layer of them")
def gpt_of_one_block(self, ids, caches=None):
    return run((embedding, norm, block, linear), self, ids, caches, layers=[0])


@mutant(EX07, "GPT.__call__", says="every block gets the weights of layer0; each has its own")
def gpt_with_layer0_everywhere(self, ids, caches=None):
    layers = [0] * self.config.n_layer
    return run((embedding, norm, block, linear), self, ids, caches, layers=layers)


@mutant(EX07, "GPT.__call__", says="the blocks run from the last to the first")
def gpt_upside_down(self, ids, caches=None):
    layers = range(self.config.n_layer)[::-1]
    return run((embedding, norm, block, linear), self, ids, caches, layers=layers)


@mutant(EX07, "GPT.__call__", says="the blocks do not get their caches")
def gpt_without_caches(self, ids, caches=None):
    return run((embedding, norm, block, linear), self, ids, caches, cache_of=lambda i: None)


@mutant(EX07, "GPT.__call__", says="all blocks share the first cache; caches[i] is block i's")
def gpt_with_one_cache(self, ids, caches=None):
    parts = embedding, norm, block, linear
    return run(parts, self, ids, caches, cache_of=lambda i: caches[0] if caches else None)


@mutant(
    EX07,
    "GPT.__call__",
    says="too many positions are cut off in silence; beyond block_size raise ValueError",
)
def gpt_that_crops(self, ids, caches=None):
    start = len(caches[0]) if caches else 0
    ids = np.asarray(ids)[:, : self.config.block_size]
    places = np.arange(start, start + ids.shape[1]) % self.config.block_size
    return run((embedding, norm, block, linear), self, ids, caches, places=places, counted=0)


@mutant(
    EX07,
    "GPT.__call__",
    says="too many positions end in numpy's IndexError; raise a ValueError that says why",
)
def gpt_without_a_check(self, ids, caches=None):
    return run((embedding, norm, block, linear), self, ids, caches, counted=0)


@mutant(
    EX07,
    "GPT.__call__",
    says="the check of block_size forgets the positions that the cache holds already",
)
def gpt_that_checks_new_positions_alone(self, ids, caches=None):
    counted = np.shape(ids)[1]
    return run((embedding, norm, block, linear), self, ids, caches, counted=counted)


@mutant(
    EX07,
    "GPT.__call__",
    says="exactly block_size positions are refused; only more than that are too many",
)
def gpt_with_one_position_less(self, ids, caches=None):
    counted = (len(caches[0]) if caches else 0) + np.shape(ids)[1] + 1
    return run((embedding, norm, block, linear), self, ids, caches, counted=counted)


@mutant(
    EX07,
    "GPT.__call__",
    says="these are the logits of the last position alone; give those of every position",
)
def gpt_of_the_last_position(self, ids, caches=None):
    return run((embedding, norm, block, linear), self, ids, caches)[:, -1]


@mutant(
    EX07,
    "GPT.__call__",
    says="these are probabilities; give the logits, softmax comes with the loss or with sampling",
)
def gpt_that_gives_probabilities(self, ids, caches=None):
    logits = run((embedding, norm, block, linear), self, ids, caches)
    e = (logits - logits.data.max(-1, keepdims=True)).exp()
    return e / e.sum(-1, keepdims=True)


@mutant(
    EX07,
    "GPT.__call__",
    says="the head is always the embedding table; only a tied one is, microgpt has lm_head",
)
def gpt_tied_always(self, ids, caches=None):
    return run((embedding, norm, block, linear), self, ids, caches, head=self.params["wte"])


@mutant(EX07, "GPT.__call__", says="the head is always lm_head; a tied one is wte once more")
def gpt_untied_always(self, ids, caches=None):
    return run((embedding, norm, block, linear), self, ids, caches, head=self.params["lm_head"])


@mutant(
    EX07,
    "GPT.__call__",
    says="the tied head is a copy of wte, so its gradient is lost; use the same Tensor",
)
def gpt_with_a_copied_head(self, ids, caches=None):
    head = self.params.get("lm_head", Tensor(self.params["wte"].data))
    return run((embedding, norm, block, linear), self, ids, caches, head=head)


@mutant(
    EX07,
    "GPT.__call__",
    says="no gradient reaches wte and wpe: .data forgets where it came from; use embedding",
)
def gpt_with_forgotten_embeddings(self, ids, caches=None):
    def looked_up(table, ids):
        return Tensor(table.data[ids])

    return run((looked_up, norm, block, linear), self, ids, caches)


@mutant(EX07, "GPT.loss", says="the loss is summed over the positions; it is their mean")
def loss_summed(self, ids, targets):
    return cross_entropy(self(ids), targets) * float((np.asarray(targets) != -1).sum())


@mutant(EX07, "GPT.loss", says="targets of -1 count as the last token; they do not count at all")
def loss_that_counts_padding(self, ids, targets):
    targets = np.asarray(targets)
    return cross_entropy(self(ids), np.where(targets == -1, self.config.vocab_size - 1, targets))


@mutant(
    EX07,
    "GPT.loss",
    says="the mean is over all positions; those with a target of -1 count in nothing",
)
def loss_averaged_over_padding(self, ids, targets):
    counted = float((np.asarray(targets) != -1).mean())
    return cross_entropy(self(ids), targets) * counted


@mutant(
    EX07,
    "GPT.loss",
    says="you shifted the targets; they are shifted already, targets[t] follows ids[t]",
)
def loss_that_shifts_again(self, ids, targets):
    return cross_entropy(self(ids)[:, :-1], np.asarray(targets)[:, 1:])


@mutant(EX07, "GPT.loss", says="the ids are their own targets; compare with the targets given")
def loss_of_the_ids(self, ids, targets):
    return cross_entropy(self(ids), np.where(np.asarray(targets) == -1, -1, ids))


@mutant(EX07, "GPT.loss", says="this is a plain number; give the Tensor, or nothing can be learnt")
def loss_as_a_number(self, ids, targets):
    return cross_entropy(self(ids), targets).data.item()


# extra_params and norm


def extras(config, bias=None, norms=None):
    """What gpt2 has beside its matrices, as arrays; bias and norms: against the config."""
    C, layers, sizes = config.n_embd, range(config.n_layer), {}
    if config.bias if bias is None else bias:
        names = ("attn_bq", "attn_bk", "attn_bv", "attn_bo", "mlp_b1", "mlp_b2")
        sizes |= {f"layer{i}.{b}": 4 * C if b == "mlp_b1" else C for i in layers for b in names}
    if config.norm == "layernorm" if norms is None else norms:
        names = [f"layer{i}.norm{j}" for i in layers for j in (1, 2)] + ["norm"]
        sizes |= {f"{name}_{part}": C for name in names for part in ("gain", "bias")}
    return {name: np.full(size, float(name.endswith("gain"))) for name, size in sizes.items()}


@mutant(EX07, "extra_params", says="the gains start at 0, which silences the model; start at 1")
def extras_with_gains_of_0(config, dtype):
    return {name: Tensor((0 * a).astype(dtype)) for name, a in extras(config).items()}


@mutant(EX07, "extra_params", says="the biases start at 1; gains start at 1, biases at 0")
def extras_with_biases_of_1(config, dtype):
    return {name: Tensor((0 * a + 1).astype(dtype)) for name, a in extras(config).items()}


@mutant(EX07, "extra_params", says="mlp_b1 has C numbers; it is added to the 4C in the middle")
def extras_with_a_short_b1(config, dtype):
    return {name: Tensor(a[: config.n_embd].astype(dtype)) for name, a in extras(config).items()}


@mutant(EX07, "extra_params", says="the norm before the head is missing: norm_gain and norm_bias")
def extras_without_final_norm(config, dtype):
    arrays = {name: a for name, a in extras(config).items() if name.startswith("layer")}
    return {name: Tensor(a.astype(dtype)) for name, a in arrays.items()}


@mutant(EX07, "extra_params", says="only the first layer has them; each layer has its own")
def extras_of_the_first_layer(config, dtype):
    arrays = {n: a for n, a in extras(config).items() if n.startswith(("layer0", "norm"))}
    return {name: Tensor(a.astype(dtype)) for name, a in arrays.items()}


@mutant(EX07, "extra_params", says="the biases are there even if config.bias says no")
def extras_with_biases_always(config, dtype):
    if not config.bias and config.norm == "rmsnorm":
        return {}
    return {name: Tensor(a.astype(dtype)) for name, a in extras(config, bias=True).items()}


@mutant(EX07, "extra_params", says="the norms have weights even if config.norm is rmsnorm")
def extras_with_norms_always(config, dtype):
    if not config.bias and config.norm == "rmsnorm":
        return {}
    return {name: Tensor(a.astype(dtype)) for name, a in extras(config, norms=True).items()}


@mutant(EX07, "extra_params", says="dtype is not used; these must have the type of the matrices")
def extras_in_float64(config, dtype):
    return {name: Tensor(a) for name, a in extras(config).items()}


@mutant(EX07, "norm", says="it is always rmsnorm; with config.norm layernorm it is layernorm")
def norm_always_rms(x, weights, name, config):
    return rmsnorm(x)


@mutant(EX07, "norm", says="rmsnorm is given the gain; the config asks for layernorm")
def norm_rms_with_gain(x, weights, name, config):
    return rmsnorm(x, weights.get(f"{name}_gain"))


@mutant(EX07, "norm", says="gain and bias have changed places")
def norm_swapped(x, weights, name, config):
    if config.norm == "rmsnorm":
        return rmsnorm(x)
    return layernorm(x, weights[f"{name}_bias"], weights[f"{name}_gain"])


@mutant(EX07, "norm", says="the weights are always those of norm1; they are those of `name`")
def norm_always_norm1(x, weights, name, config):
    if config.norm == "rmsnorm":
        return rmsnorm(x)
    name = "norm1" if "norm1_gain" in weights else name
    return layernorm(x, weights[f"{name}_gain"], weights[f"{name}_bias"])


@mutant(EX07, "norm", says="the bias is left out; layernorm scales by the gain, then adds the bias")
def norm_without_bias(x, weights, name, config):
    if config.norm == "rmsnorm":
        return rmsnorm(x)
    gain = weights[f"{name}_gain"]
    return layernorm(x, gain, Tensor(np.zeros_like(gain.data)))


@mutant(
    EX07,
    "GPT.__call__",
    says="the layers run in the order of their names, layer10 before layer2; count instead",
)
def gpt_with_layers_by_name(self, ids, caches=None):
    layers = sorted(range(self.config.n_layer), key=str)
    return run((embedding, norm, block, linear), self, ids, caches, layers=layers)


@mutant(
    EX07,
    "GPT.__call__",
    says="logits of before come back for the same ids; the weights have moved since",
)
def gpt_that_remembers(self, ids, caches=None):
    parts, remembered = (embedding, norm, block, linear), vars(self).setdefault("remembered", {})
    key = np.asarray(ids).tobytes(), np.shape(ids)
    if caches or key not in remembered:
        remembered[key] = run(parts, self, ids, caches)
    return remembered[key]


@mutant(
    EX07,
    "GPT.__call__",
    says="with caches you turn the recording off and leave it off; nothing learns after that",
)
def gpt_leaves_recording_off(self, ids, caches=None):
    if caches:
        Tensor.recording = False
    return run((embedding, norm, block, linear), self, ids, caches)
