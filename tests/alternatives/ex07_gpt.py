"""Right answers to exercise 7, the whole GPT, in other styles than the reference's."""

from functools import reduce

import numpy as np

from grader.diagnosis import alternative
from solutions.ex03_tensor import Tensor
from solutions.ex04_ops import cross_entropy, embedding, gelu, linear, relu
from solutions.ex05_norm import layernorm, rmsnorm
from solutions.ex06_attention import self_attention
from solutions.ex07_gpt import block, extra_params, init_params, mlp, norm, under

EX07 = "ex07_gpt"

# init_params


@alternative(EX07, "init_params", style="one line for each matrix")
def params_line_by_line(config, rng, dtype=np.float32):
    def matrix(n_out, n_in):
        return Tensor(np.asarray(rng.normal(0.0, config.init_std, (n_out, n_in)), dtype))

    C, params = config.n_embd, {}
    params["wte"] = matrix(config.vocab_size, C)
    params["wpe"] = matrix(config.block_size, C)
    if not config.tied_head:
        params["lm_head"] = matrix(config.vocab_size, C)
    for i in range(config.n_layer):
        params[f"layer{i}.attn_wq"] = matrix(C, C)
        params[f"layer{i}.attn_wk"] = matrix(C, C)
        params[f"layer{i}.attn_wv"] = matrix(C, C)
        params[f"layer{i}.attn_wo"] = matrix(C, C)
        params[f"layer{i}.mlp_fc1"] = matrix(4 * C, C)
        params[f"layer{i}.mlp_fc2"] = matrix(C, 4 * C)
    params.update(extra_params(config, dtype))
    return params


@alternative(EX07, "init_params", style="standard normals, then scaled; the type itself is called")
def params_scaled_afterwards(config, rng, dtype=np.float32):
    V, C = config.vocab_size, config.n_embd
    table = [("wte", V, C), ("wpe", config.block_size, C), ("lm_head", V, C)]
    table = [row for row in table if row[0] != "lm_head" or not config.tied_head]
    for i in range(config.n_layer):
        table += [(f"layer{i}.attn_{w}", C, C) for w in "wq wk wv wo".split()]
        table += [(f"layer{i}.mlp_fc1", 4 * C, C), (f"layer{i}.mlp_fc2", C, 4 * C)]
    params = {}
    for name, n_out, n_in in table:
        numbers = config.init_std * rng.standard_normal((n_out, n_in))
        params[name] = Tensor(dtype(numbers))
    return {**params, **extra_params(config, dtype)}


@alternative(EX07, "init_params", style="each matrix drawn as one long row, in Fortran order after")
def params_drawn_flat(config, rng, dtype=np.float32):
    V, C = config.vocab_size, config.n_embd
    names = ["wte", "wpe"] + ["lm_head"] * (not config.tied_head)
    parts = ["attn_wq", "attn_wk", "attn_wv", "attn_wo", "mlp_fc1", "mlp_fc2"]
    names += [f"layer{i}.{part}" for i in range(config.n_layer) for part in parts]
    shapes = {"wte": (V, C), "wpe": (config.block_size, C), "lm_head": (V, C)}
    shapes |= {"mlp_fc1": (4 * C, C), "mlp_fc2": (C, 4 * C)}
    params = {}
    for name in names:
        shape = shapes.get(name.split(".")[-1], (C, C))
        flat = rng.normal(loc=0.0, scale=config.init_std, size=shape[0] * shape[1])
        params[name] = Tensor(np.asfortranarray(flat.reshape(shape), dtype=dtype))
    return params | extra_params(config, dtype)


# mlp


@alternative(EX07, "mlp", style="composed of Tensor's operations")
def mlp_composed(x, weights, activation):
    hidden = x @ weights["fc1"].transpose(1, 0)
    if "b1" in weights:
        hidden = hidden + weights["b1"]
    hidden = relu(hidden) if activation == "relu" else gelu(hidden)
    y = hidden @ weights["fc2"].transpose(1, 0)
    return y + weights["b2"] if "b2" in weights else y


@alternative(EX07, "mlp", style="looks the activation up by its name")
def mlp_with_a_lookup(x, weights, activation):
    def layer(x, i):
        return linear(x, weights[f"fc{i}"], weights.get(f"b{i}"))

    return layer(globals()[activation](layer(x, 1)), 2)


@alternative(EX07, "mlp", style="for relu, a product with what is above 0")
def mlp_with_a_gate(x, weights, activation):
    hidden = linear(x, weights["fc1"], weights.get("b1"))
    if activation == "gelu":
        hidden = gelu(hidden)
    else:
        hidden = hidden * (hidden.data > 0).astype(hidden.data.dtype)
    return linear(hidden, weights["fc2"], weights.get("b2"))


@alternative(EX07, "mlp", style="the sum over the four quarters of the hidden layer")
def mlp_by_quarters(x, weights, activation):
    C, total = weights["fc2"].shape[0], weights.get("b2", 0.0)
    for i in range(4):
        part = slice(i * C, (i + 1) * C)
        bias = weights["b1"][part] if "b1" in weights else None
        hidden = linear(x, weights["fc1"][part], bias)
        hidden = {"relu": relu, "gelu": gelu}[activation](hidden)
        total = linear(hidden, weights["fc2"][:, part]) + total
    return total


# block


@alternative(EX07, "block", style="in one expression for each half")
def block_in_two_lines(x, weights, config, cache=None):
    attention, thinking = under(weights, "attn_"), under(weights, "mlp_")
    x = self_attention(norm(x, weights, "norm1", config), attention, config.n_head, cache) + x
    return mlp(norm(x, weights, "norm2", config), thinking, config.activation) + x


@alternative(EX07, "block", style="the dicts of weights written out")
def block_with_its_weights_by_name(x, weights, config, cache=None):
    attention = {w: weights["attn_" + w] for w in ("wq", "wk", "wv", "wo")}
    thinking = {w: weights["mlp_" + w] for w in ("fc1", "fc2")}
    if config.bias:
        attention |= {b: weights["attn_" + b] for b in ("bq", "bk", "bv", "bo")}
        thinking |= {b: weights["mlp_" + b] for b in ("b1", "b2")}
    seen = self_attention(
        norm(x, weights, "norm1", config), attention, n_head=config.n_head, cache=cache
    )
    stream = x + seen
    return stream + mlp(norm(stream, weights, "norm2", config), thinking, config.activation)


@alternative(EX07, "block", style="chooses the norm itself, writes in a loop")
def block_as_a_loop(x, weights, config, cache=None):
    def attend(y):
        return self_attention(y, under(weights, "attn_"), config.n_head, cache)

    def think(y):
        return mlp(y, under(weights, "mlp_"), config.activation)

    for name, write in (("norm1", attend), ("norm2", think)):
        if config.norm == "layernorm":
            y = layernorm(x, weights[name + "_gain"], weights[name + "_bias"])
        else:
            y = rmsnorm(x)
        x = x + write(y)
    return x


# GPT


@alternative(EX07, "GPT", style="indexes Tensors, multiplies with the transposed head")
class GPTByIndexing:
    def __init__(self, config, rng, dtype=np.float32):
        self.config = config
        self.params = init_params(config, rng, dtype)

    def __call__(self, ids, caches=None):
        config, params = self.config, self.params
        ids = np.array(ids)
        T = ids.shape[1]
        past = 0 if caches is None else len(caches[0])
        if past + T > config.block_size:
            raise ValueError(f"block_size is {config.block_size}")
        x = params["wte"][ids] + params["wpe"][past : past + T]
        x = norm(x, params, "norm", config) if config.embedding_norm else x
        for i, cache in enumerate(caches or [None] * config.n_layer):
            x = block(x, under(params, f"layer{i}."), config, cache)
        x = norm(x, params, "norm", config) if config.final_norm else x
        head = params["lm_head"] if "lm_head" in params else params["wte"]
        return x @ head.transpose(1, 0)

    def loss(self, ids, targets):
        return cross_entropy(self(ids), targets)


@alternative(EX07, "GPT", style="one-hot products, the layers' weights sorted out once")
class GPTByOneHot:
    def __init__(self, config, rng, dtype=np.float32):
        self.config, self.params = config, init_params(config, rng, dtype)
        self.layers = [under(self.params, f"layer{i}.") for i in range(config.n_layer)]

    def look_up(self, name, ids):
        table = self.params[name]
        return Tensor(np.eye(table.shape[0], dtype=table.data.dtype)[ids]) @ table

    def __call__(self, ids, caches=None):
        ids = np.asarray(ids)
        positions = np.arange(ids.shape[1])
        if caches:
            positions = positions + len(caches[0])
        if positions.max() >= self.config.block_size:
            raise ValueError("too long")
        x = self.look_up("wte", ids) + self.look_up("wpe", positions)
        if self.config.embedding_norm:
            x = norm(x, self.params, "norm", self.config)
        for i, layer in enumerate(self.layers):
            x = block(x, layer, self.config, caches and caches[i])
        if self.config.final_norm:
            x = norm(x, self.params, "norm", self.config)
        return linear(x, self.params["wte" if self.config.tied_head else "lm_head"])

    def loss(self, ids, targets):
        logits = self(ids)
        V = logits.shape[-1]
        return cross_entropy(logits.reshape(-1, V), np.reshape(targets, -1))


@alternative(EX07, "GPT", style="split in methods, the loss composed of log-probabilities")
class GPTInMethods:
    def __init__(self, config, rng, dtype=np.float32):
        self.config, self.params = config, init_params(config, rng, dtype)

    def embed(self, ids, start):
        places = np.arange(start, start + ids.shape[1])
        if places[-1] > self.config.block_size - 1:
            raise ValueError(f"position {places[-1]} is beyond {self.config.block_size}")
        places = np.broadcast_to(places, ids.shape)
        return embedding(self.params["wpe"], places) + embedding(self.params["wte"], ids)

    def norm_if(self, wanted, x):
        return norm(x, self.params, "norm", self.config) if wanted else x

    def __call__(self, ids, caches=None):
        x = self.embed(np.asarray(ids), len(caches[0]) if caches else 0)
        x = self.norm_if(self.config.embedding_norm, x)
        for i in range(self.config.n_layer):
            cache = None if caches is None else caches[i]
            x = block(x, under(self.params, f"layer{i}."), self.config, cache=cache)
        x = self.norm_if(self.config.final_norm, x)
        return linear(x, self.params.get("lm_head", self.params["wte"]))

    def loss(self, ids, targets):
        targets = np.asarray(targets)
        counted = np.nonzero(targets != -1)
        z = self(ids)[counted]  # (N, V)
        z = z - z.data.max(-1, keepdims=True)
        log_sum = z.exp().sum(axis=-1).log()
        chosen = z[np.arange(len(counted[0])), targets[counted]]
        return (log_sum - chosen).mean()


# extra_params and norm


@alternative(EX07, "extra_params", style="layer by layer")
def extras_layer_by_layer(config, dtype):
    C, extra = config.n_embd, {}
    for i in range(config.n_layer):
        if config.bias:
            for b in ("attn_bq", "attn_bk", "attn_bv", "attn_bo", "mlp_b2"):
                extra[f"layer{i}.{b}"] = Tensor(np.zeros(C, dtype))
            extra[f"layer{i}.mlp_b1"] = Tensor(np.zeros(4 * C, dtype))
        if config.norm == "layernorm":
            for j in (1, 2):
                extra[f"layer{i}.norm{j}_gain"] = Tensor(np.ones(C, dtype))
                extra[f"layer{i}.norm{j}_bias"] = Tensor(np.zeros(C, dtype))
    if config.norm == "layernorm":
        extra["norm_gain"] = Tensor(np.ones(C, dtype))
        extra["norm_bias"] = Tensor(np.zeros(C, dtype))
    return extra


@alternative(EX07, "extra_params", style="norms first, from a table of starting numbers")
def extras_from_a_table(config, dtype):
    C, start = config.n_embd, {}
    if config.norm != "rmsnorm":
        start["norm_gain"], start["norm_bias"] = [1.0] * C, [0.0] * C
        for i in range(config.n_layer):
            for j in "12":
                start[f"layer{i}.norm{j}_gain"] = [1.0] * C
                start[f"layer{i}.norm{j}_bias"] = [0.0] * C
    if config.bias:
        for i in range(config.n_layer):
            widths = dict.fromkeys("attn_bq attn_bk attn_bv attn_bo mlp_b2".split(), C)
            for name, width in (widths | {"mlp_b1": 4 * C}).items():
                start[f"layer{i}.{name}"] = [0.0] * width
    return {name: Tensor(np.array(numbers, dtype)) for name, numbers in start.items()}


@alternative(EX07, "extra_params", style="parts of one long array, strided views")
def extras_as_views(config, dtype):
    C, L = config.n_embd, config.n_layer
    extra, zeros, ones = {}, np.zeros((L, 12 * C), dtype), np.ones((2 * L + 1, 2 * C), dtype)
    for i in range(L * config.bias):
        for j, b in enumerate(("attn_bq", "attn_bk", "attn_bv", "attn_bo", "mlp_b2")):
            extra[f"layer{i}.{b}"] = Tensor(zeros[i, j * C : (j + 1) * C])
        extra[f"layer{i}.mlp_b1"] = Tensor(zeros[i, 5 * C : 9 * C])
    names = [f"layer{i}.norm{j}" for i in range(L) for j in (1, 2)] + ["norm"]
    for name, row in zip(names if config.norm == "layernorm" else [], ones):
        extra[name + "_gain"] = Tensor(row[::2])
        extra[name + "_bias"] = Tensor(np.zeros_like(row)[1::2])
    return extra


@alternative(EX07, "norm", style="composed of Tensor's operations")
def norm_composed(x, weights, name, config):
    if config.norm == "layernorm":
        x = x - x.mean(axis=-1, keepdims=True)
    n = x * ((x * x).mean(axis=-1, keepdims=True) + 1e-5) ** -0.5
    if config.norm == "rmsnorm":
        return n
    return n * weights[name + "_gain"] + weights[name + "_bias"]


@alternative(EX07, "norm", style="layernorm is rmsnorm of what is left without the mean")
def norm_of_the_centred(x, weights, name, config):
    if config.norm != "layernorm":
        return rmsnorm(x)
    centred = x - x.mean(axis=-1, keepdims=True)
    return rmsnorm(centred, weights[f"{name}_gain"]) + weights[f"{name}_bias"]


@alternative(EX07, "norm", style="by keyword")
def norm_by_keyword(x, weights, name, config):
    weights = under(weights, name + "_")
    return layernorm(x, **weights) if config.norm == "layernorm" else rmsnorm(x)


# more ways


@alternative(EX07, "init_params", style="a generator of names and shapes, a draw for each")
def params_generated(config, rng, dtype=np.float32):
    def shapes():
        C = config.n_embd
        yield "wte", (config.vocab_size, C)
        yield "wpe", (config.block_size, C)
        if not config.tied_head:
            yield "lm_head", (config.vocab_size, C)
        for i in range(config.n_layer):
            for name in ("attn_wq", "attn_wk", "attn_wv", "attn_wo"):
                yield f"layer{i}.{name}", (C, C)
            yield f"layer{i}.mlp_fc1", (4 * C, C)
            yield f"layer{i}.mlp_fc2", (C, 4 * C)

    params = {}
    for name, shape in shapes():
        drawn = rng.normal(loc=0.0, scale=config.init_std, size=shape)
        params[name] = Tensor(np.array(drawn, dtype=dtype, order="F"))
    return {**params, **extra_params(config, dtype)}


@alternative(EX07, "mlp", style="two functions, the second of the first")
def mlp_of_functions(x, weights, activation):
    act = relu if activation == "relu" else gelu

    def layer(number):
        return lambda t: linear(t, weights[f"fc{number}"], weights.get(f"b{number}"))

    return reduce(lambda t, f: f(t), (layer(1), act, layer(2)), x)


@alternative(EX07, "block", style="a fold over its two halves")
def block_folded(x, weights, config, cache=None):
    def attend(y):
        return self_attention(y, under(weights, "attn_"), config.n_head, cache=cache)

    def think(y):
        return mlp(y, under(weights, "mlp_"), config.activation)

    halves = {"norm1": attend, "norm2": think}
    return reduce(lambda s, half: half[1](norm(s, weights, half[0], config)) + s, halves.items(), x)


@alternative(EX07, "GPT", style="properties, and a fold over the layers")
class FoldedGPT:
    def __init__(self, config, rng, dtype=np.float32):
        self.config = config
        self._params = init_params(config, rng, dtype)

    @property
    def params(self):
        return self._params

    @property
    def head(self):
        return self.params.get("lm_head", self.params["wte"])

    def layer(self, i, caches):
        weights = under(self.params, f"layer{i}.")
        return lambda x: block(x, weights, self.config, caches[i] if caches else None)

    def maybe_norm(self, wanted, x):
        return norm(x, self.params, "norm", self.config) if wanted else x

    def __call__(self, ids, caches=None):
        ids = np.array(ids, dtype=int)
        past = len(caches[0]) if caches else 0
        positions = np.arange(past, past + ids.shape[-1])
        if positions[-1] >= self.config.block_size:
            raise ValueError(f"position {positions[-1]} is beyond the block")
        x = embedding(self.params["wte"], ids) + self.params["wpe"][positions]
        x = self.maybe_norm(self.config.embedding_norm, x)
        layers = (self.layer(i, caches) for i in range(self.config.n_layer))
        x = reduce(lambda x, layer: layer(x), layers, x)
        return linear(self.maybe_norm(self.config.final_norm, x), self.head)

    def loss(self, ids, targets):
        return cross_entropy(logits=self(ids=ids), targets=targets)
