"""Wrong answers that are no known mistake: no name is to be given to any of them."""

import math

import numpy as np

from grader.diagnosis import mutant
from solutions.ex03_tensor import Tensor
from solutions.ex04_ops import cross_entropy, embedding, linear, relu, softmax
from solutions.ex06_attention import attention_weights, causal_attention, merge_heads, split_heads
from solutions.ex07_gpt import block, mlp, norm, under
from solutions.ex10_sampling import KVCache, sample


def stranger(exercise, name):
    return mutant(exercise, name, says="")


# exercise 1


@stranger("ex01_tokenizer", "CharTokenizer.__init__")
def in_reverse(self, docs):
    self.chars = sorted(set("".join(docs)), reverse=True)
    self.bos, self.vocab_size = len(self.chars), len(self.chars) + 1
    self.ids = {char: id for id, char in enumerate(self.chars)}


@stranger("ex01_tokenizer", "CharTokenizer.__init__")
def bos_is_zero(self, docs):
    self.chars = sorted(set("".join(docs)))
    self.bos, self.vocab_size = 0, len(self.chars) + 1
    self.ids = {char: id + 1 for id, char in enumerate(self.chars)}


@stranger("ex01_tokenizer", "CharTokenizer.encode")
def reversed_text(self, doc):
    if bad := [c for c in doc if c not in self.ids]:
        raise ValueError(str(bad))
    return [self.bos, *(self.ids[c] for c in doc[::-1]), self.bos]


@stranger("ex01_tokenizer", "CharTokenizer.encode")
def bos_between_all(self, doc):
    if bad := [c for c in doc if c not in self.ids]:
        raise ValueError(str(bad))
    out = [self.bos]
    for c in doc:
        out += [self.ids[c], self.bos]
    return out


@stranger("ex01_tokenizer", "CharTokenizer.decode")
def with_spaces(self, ids):
    if bad := [i for i in ids if not 0 <= i <= self.bos]:
        raise ValueError(str(bad))
    return " ".join(self.chars[i] for i in ids if i != self.bos)


@stranger("ex01_tokenizer", "CharTokenizer.decode")
def backwards(self, ids):
    if bad := [i for i in ids if not 0 <= i <= self.bos]:
        raise ValueError(str(bad))
    return "".join(self.chars[i] for i in reversed(ids) if i != self.bos)


# exercise 2


@stranger("ex02_value", "Value.__add__")
def half_the_sum(self, other):
    other = Value.of(other)  # noqa: F821
    return Value((self.data + other.data) / 2, (self, other), (0.5, 0.5))  # noqa: F821


@stranger("ex02_value", "Value.__mul__")
def derivative_of_one_only(self, other):
    other = Value.of(other)  # noqa: F821
    return Value(self.data * other.data, (self, other), (other.data, 0.0))  # noqa: F821


@stranger("ex02_value", "Value.__pow__")
def negative_derivative(self, n):
    return Value(self.data**n, (self,), (-n * self.data ** (n - 1),))  # noqa: F821


@stranger("ex02_value", "Value.exp")
def exp_of_minus(self):
    y = math.exp(-self.data)
    return Value(y, (self,), (-y,))  # noqa: F821


@stranger("ex02_value", "Value.log")
def log_of_one_plus_twice(self):
    return Value(math.log(1 + 2 * self.data), (self,), (2 / (1 + 2 * self.data),))  # noqa: F821


@stranger("ex02_value", "Value.relu")
def relu_above_one(self):
    return Value(max(0, self.data - 1), (self,), (float(self.data > 1),))  # noqa: F821


# exercise 3


@stranger("ex03_tensor", "unbroadcast")
def by_maximum(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.max(0)
    for axis, n in enumerate(shape):
        if n == 1:
            grad = grad.max(axis, keepdims=True)
    return grad


@stranger("ex03_tensor", "Tensor.__mul__")
def gradient_with_a_square(self, other):
    b = other if isinstance(other, Tensor) else Tensor(np.asarray(other, self.data.dtype))
    return Tensor.op(
        self.data * b.data,
        (self, b),
        lambda g: (
            unbroadcast(g * b.data**2, self.shape),  # noqa: F821
            unbroadcast(g * self.data**2, b.shape),  # noqa: F821
        ),
    )


@stranger("ex03_tensor", "Tensor.exp")
def base_two(self):
    y = np.exp2(self.data)
    return Tensor.op(y, (self,), lambda g: (g * y * 0.7,))


@stranger("ex03_tensor", "Tensor.log")
def one_too_large(self):
    return Tensor.op(np.log(self.data) + 1, (self,), lambda g: (g / self.data,))


@stranger("ex03_tensor", "Tensor.sum")
def sum_of_absolutes(self, axis=None, keepdims=False):
    y = np.abs(self.data).sum(axis=axis, keepdims=keepdims)

    def vjp(g):
        g = g if keepdims or axis is None else np.expand_dims(g, axis)
        return (np.broadcast_to(g, self.shape) * np.sign(self.data),)

    return Tensor.op(y, (self,), vjp)


@stranger("ex03_tensor", "Tensor.mean")
def median_for_mean(self, axis=None, keepdims=False):
    total = self.sum(axis, keepdims)
    return total * (total.data.size / (self.data.size + 1))


@stranger("ex03_tensor", "Tensor.transpose")
def rolls_the_axes(self, *axes):
    order = [(a + 1) % self.data.ndim for a in axes] or list(range(self.data.ndim))[::-1]
    y = self.data.transpose(order)
    return Tensor.op(y, (self,), lambda g: (g.transpose(np.argsort(order)),))


@stranger("ex03_tensor", "Tensor.__getitem__")
def adds_twice(self, index):
    def vjp(g):
        grad = np.zeros_like(self.data)
        np.add.at(grad, index, 2 * g)
        return (grad,)

    return Tensor.op(self.data[index], (self,), vjp)


@stranger("ex03_tensor", "Tensor.__matmul__")
def product_plus_one(self, other):
    return broadcast_op(  # noqa: F821
        lambda a, b: a @ b + 1, self, other, lambda g, a, b: (g @ b.mT, a.mT @ g)
    )


# exercise 4


@stranger("ex04_ops", "relu")
def capped_at_six(x):
    y = np.clip(x.data, 0, 1.5)
    return Tensor.op(y, (x,), lambda g: (g * ((y > 0) & (y < 1.5)),))


@stranger("ex04_ops", "gelu")
def silu(x):
    return x / (1 + (x * -1.0).exp())


@stranger("ex04_ops", "gelu")
def another_constant(x):
    u = (2 / math.pi) ** 0.5 * (x + 0.0447 * x * x * x)
    return x / (1 + (u * -2.0).exp())


@stranger("ex04_ops", "softmax")
def base_ten(x, axis=-1):
    e = ((x - x.data.max(axis, keepdims=True)) * math.log(10)).exp()
    return e / e.sum(axis, keepdims=True)


@stranger("ex04_ops", "softmax")
def squared_scores(x, axis=-1):
    e = ((x - x.data.max(axis, keepdims=True)) * 0.5).exp()
    return e / e.sum(axis, keepdims=True)


@stranger("ex04_ops", "embedding")
def scaled_rows(table, ids):
    return table[np.asarray(ids)] * float(table.shape[1]) ** 0.5


@stranger("ex04_ops", "linear")
def bias_twice(x, weight, bias=None):
    flat = x.reshape(-1, x.shape[-1]) @ weight.transpose()
    y = flat.reshape(*x.shape[:-1], weight.shape[0])
    return y if bias is None else y + bias * 2.0


@stranger("ex04_ops", "linear")
def scaled_by_width(x, weight, bias=None):
    flat = x.reshape(-1, x.shape[-1]) @ weight.transpose() / x.shape[-1]
    y = flat.reshape(*x.shape[:-1], weight.shape[0])
    return y if bias is None else y + bias


@stranger("ex04_ops", "cross_entropy")
def smoothed_labels(logits, targets, ignore=-1):
    t = np.asarray(targets).ravel()
    rows = np.flatnonzero(t != ignore)
    if not len(rows):
        raise ValueError("nothing")
    z = logits.reshape(-1, logits.shape[-1])
    z = z - z.data.max(-1, keepdims=True)
    logp = z - z.exp().sum(-1, keepdims=True).log()
    return logp[rows, t[rows]].mean() * -0.9 + logp[rows].mean() * -0.1


@stranger("ex04_ops", "cross_entropy")
def brier(logits, targets, ignore=-1):
    t = np.asarray(targets).ravel()
    rows = np.flatnonzero(t != ignore)
    if not len(rows):
        raise ValueError("nothing")
    p = softmax(logits.reshape(-1, logits.shape[-1]))
    return ((p[rows, t[rows]] - 1.0) ** 2).mean()


# exercise 5


@stranger("ex05_norm", "rmsnorm")
def mean_of_absolutes(x, gain=None, eps=1e-5):
    n = x / ((x * x) ** 0.5 + 0.0).mean(-1, keepdims=True)
    return n if gain is None else n * gain


@stranger("ex05_norm", "rmsnorm")
def gain_plus_one(x, gain=None, eps=1e-5):
    n = x * ((x * x).mean(-1, keepdims=True) + eps) ** -0.5
    return n if gain is None else n * (gain + 1.0)


@stranger("ex05_norm", "rmsnorm")
def by_the_maximum(x, gain=None, eps=1e-5):
    n = x / (np.abs(x.data).max(-1, keepdims=True) + eps)
    return n if gain is None else n * gain


@stranger("ex05_norm", "layernorm")
def eps_times_ten(x, gain, bias, eps=1e-5):
    d = x - x.mean(-1, keepdims=True)
    return d * ((d * d).mean(-1, keepdims=True) + eps * 10) ** -0.5 * gain + bias


@stranger("ex05_norm", "layernorm")
def over_all_but_last(x, gain, bias, eps=1e-5):
    d = x - x.mean(-1, keepdims=True)
    return d * ((d * d).mean() + eps) ** -0.5 * gain + bias


@stranger("ex05_norm", "layernorm")
def gain_of_the_mean(x, gain, bias, eps=1e-5):
    d = x - x.mean(-1, keepdims=True)
    n = d * ((d * d).mean(-1, keepdims=True) + eps) ** -0.5
    return n * gain.mean() + bias


# exercise 6


@stranger("ex06_attention", "split_heads")
def heads_turned_round(x, n_head):
    B, T, C = x.shape
    if C % n_head:
        raise ValueError("heads")
    return x.reshape(B, T, n_head, C // n_head).transpose(0, 2, 1, 3)[:, ::-1]


@stranger("ex06_attention", "merge_heads")
def last_head_first(x):
    B, H, T, D = x.shape
    return x[:, ::-1].transpose(0, 2, 1, 3).reshape(B, T, H * D)


@stranger("ex06_attention", "attention_weights")
def fourth_root(q, k):
    Tq, Tk = q.shape[2], k.shape[2]
    mask = np.triu(np.full((Tq, Tk), -np.inf, q.data.dtype), 1 + Tk - Tq)
    return softmax(q @ k.transpose(0, 1, 3, 2) / q.shape[3] ** 0.25 + mask)


@stranger("ex06_attention", "attention_weights")
def window_of_two(q, k):
    Tq, Tk = q.shape[2], k.shape[2]
    mask = np.triu(np.full((Tq, Tk), -np.inf, q.data.dtype), 1 + Tk - Tq)
    mask = mask + np.tril(np.full((Tq, Tk), -1e9, q.data.dtype), Tk - Tq - 2)
    return softmax(q @ k.transpose(0, 1, 3, 2) / q.shape[3] ** 0.5 + mask)


@stranger("ex06_attention", "causal_attention")
def half_of_it(q, k, v):
    return attention_weights(q, k) @ v * 0.5


@stranger("ex06_attention", "causal_attention")
def values_squared(q, k, v):
    return attention_weights(q, k) @ (v * v)


@stranger("ex06_attention", "self_attention")
def wo_twice(x, weights, n_head, cache=None):
    q, k, v = (
        split_heads(linear(x, weights[f"w{i}"], weights.get(f"b{i}")), n_head) for i in "qkv"
    )
    if cache is not None:
        k, v = cache.extend(k, v)
    y = linear(merge_heads(causal_attention(q, k, v)), weights["wo"], weights.get("bo"))
    return linear(y, weights["wo"], weights.get("bo"))


@stranger("ex06_attention", "self_attention")
def values_by_wo(x, weights, n_head, cache=None):
    q, k, v = (
        split_heads(linear(x, weights[f"w{i}"], weights.get(f"b{i}")), n_head) for i in "qko"
    )
    if cache is not None:
        k, v = cache.extend(k, v)
    return linear(merge_heads(causal_attention(q, k, v)), weights["wo"], weights.get("bo"))


# exercise 7


@stranger("ex07_gpt", "mlp")
def squared_relu(x, weights, activation):
    h = relu(linear(x, weights["fc1"], weights.get("b1")))
    return linear(h * h, weights["fc2"], weights.get("b2"))


@stranger("ex07_gpt", "block")
def half_the_residual(x, weights, config, cache=None):
    y = norm(x, weights, "norm1", config)
    x = x * 0.5 + self_attention(y, under(weights, "attn_"), config.n_head, cache)  # noqa: F821
    y = norm(x, weights, "norm2", config)
    return x + mlp(y, under(weights, "mlp_"), config.activation)


@stranger("ex07_gpt", "block")
def mlp_twice(x, weights, config, cache=None):
    y = norm(x, weights, "norm1", config)
    x = x + self_attention(y, under(weights, "attn_"), config.n_head, cache)  # noqa: F821
    for _ in range(2):
        x = x + mlp(norm(x, weights, "norm2", config), under(weights, "mlp_"), config.activation)
    return x


@stranger("ex07_gpt", "GPT.__call__")
def positions_backwards(self, ids, caches=None):
    ids, params, config = np.asarray(ids), self.params, self.config
    start = len(caches[0]) if caches else 0
    end = start + ids.shape[1]
    if end > config.block_size:
        raise ValueError("too long")
    x = embedding(params["wte"], ids) + embedding(params["wpe"], np.arange(start, end)[::-1])
    if config.embedding_norm:
        x = norm(x, params, "norm", config)
    for i in range(config.n_layer):
        x = block(x, under(params, f"layer{i}."), config, caches[i] if caches else None)
    if config.final_norm:
        x = norm(x, params, "norm", config)
    return linear(x, params["wte" if config.tied_head else "lm_head"])


@stranger("ex07_gpt", "GPT.loss")
def half_the_loss(self, ids, targets):
    return cross_entropy(self(ids), targets) * 0.5


@stranger("ex07_gpt", "init_params")
def truncated(config, rng, dtype=np.float32):
    V, C = config.vocab_size, config.n_embd
    shapes = {"wte": (V, C), "wpe": (config.block_size, C)}
    if not config.tied_head:
        shapes["lm_head"] = (V, C)
    for i in range(config.n_layer):
        shapes |= {f"layer{i}.attn_{w}": (C, C) for w in ("wq", "wk", "wv", "wo")}
        shapes |= {f"layer{i}.mlp_fc1": (4 * C, C), f"layer{i}.mlp_fc2": (C, 4 * C)}
    return {
        name: Tensor(np.clip(rng.normal(0, config.init_std, s), -0.01, 0.01).astype(dtype))
        for name, s in shapes.items()
    } | extra_params(config, dtype)  # noqa: F821


# exercise 8


@stranger("ex08_optim", "linear_decay")
def quadratic(step, total, peak):
    return peak * (1 - step / total) ** 2


@stranger("ex08_optim", "warmup_cosine")
def cosine_squared(step, warmup, total, peak, floor):
    if step < warmup:
        return peak * (step + 1) / warmup
    done = min(1.0, (step - warmup) / max(1, total - warmup))
    return floor + (peak - floor) * ((1 + math.cos(math.pi * done)) / 2) ** 2


@stranger("ex08_optim", "clip_grad_norm")
def clips_to_half(params, max_norm):
    ps = [p for p in params.values() if p.grad is not None]
    norm_ = math.sqrt(sum(float((p.grad**2).sum()) for p in ps))
    if norm_ > max_norm:
        for p in ps:
            p.grad = p.grad * (0.5 * max_norm / norm_)
    return norm_


@stranger("ex08_optim", "AdamW.step")
def sign_descent(self, lr=None):
    self.t += 1
    for p in self.params:
        if p.grad is not None:
            p.data[...] = p.data * 0.99 - (self.lr if lr is None else lr) * np.sign(p.grad)


# exercise 9


@stranger("ex09_train", "train")
def every_other_step(model, batches, steps, optimizer, schedule, on_step=None):
    losses = []
    for step, (ids, targets) in zip(range(optimizer.t, steps), batches):
        optimizer.zero_grad()
        loss = model.loss(ids, targets)
        loss.backward()
        optimizer.step(schedule(step) * 2)
        losses.append(loss.data.item())
        if on_step:
            on_step(step, losses[-1])
    return losses


@stranger("ex09_train", "text_batches")
def targets_two_later(ids, batch_size, block_size, rng):
    ids = np.asarray(ids)
    if len(ids) <= block_size:
        raise ValueError("too short")
    while True:
        starts = rng.integers(len(ids) - block_size, size=batch_size)
        window = starts[:, None] + np.arange(block_size)
        yield ids[window], ids[np.minimum(window + 2, len(ids) - 1)]


# exercise 10


@stranger("ex10_sampling", "temperature")
def root_of_t(z, t):
    if t <= 0:
        raise ValueError("t")
    return z / math.sqrt(t)


@stranger("ex10_sampling", "top_k")
def half_of_k(z, k):
    if k < 1:
        raise ValueError("k")
    least = np.sort(z)[-max(1, k // 2)]
    return np.where(z < least, -np.inf, z)


@stranger("ex10_sampling", "top_p")
def relative_to_the_best(z, p):
    if not 0 < p <= 1:
        raise ValueError("p")
    e = np.exp(z - z.max())
    return np.where(e >= 1 - p, z, -np.inf)


@stranger("ex10_sampling", "sample")
def sharpened(z, rng):
    e = np.cumsum(np.exp(3 * (z - z.max())))
    return int(np.searchsorted(e / e[-1], rng.random(), side="right"))


@stranger("ex10_sampling", "generate")
def every_token_twice(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    caches = [KVCache() for _ in range(model.config.n_layer)]
    shown, new = list(ids), []
    while len(new) < max_new_tokens:
        z = model(np.array([shown]), caches).data[0, -1] / t
        shown = [sample(z, rng)]
        if shown[0] == stop:
            break
        new += shown * 2
    return new
