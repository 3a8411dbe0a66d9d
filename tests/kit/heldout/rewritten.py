"""Held out: misconceptions in other words, written last. Nothing was tuned on them."""

import math

import numpy as np

from grader.diagnosis import mutant
from solutions.ex03_tensor import Tensor
from solutions.ex04_ops import cross_entropy, linear, softmax
from solutions.ex06_attention import attention_weights, causal_attention, merge_heads, split_heads
from solutions.ex07_gpt import mlp, norm, under
from solutions.ex10_sampling import KVCache, sample, temperature, top_k, top_p


@mutant("ex01_tokenizer", "CharTokenizer.__init__", says="init_size_without_bos")
def builds_with_enumerate(self, docs):
    letters = {letter for doc in docs for letter in doc}
    self.chars = list(letters)
    self.chars.sort()
    self.ids = dict(zip(self.chars, range(len(self.chars))))
    self.vocab_size = self.bos = len(self.chars)


@mutant("ex01_tokenizer", "CharTokenizer.encode", says="encode_only_begin")
def starts_only(self, doc):
    ids = [self.bos]
    for letter in doc:
        if letter not in self.ids:
            raise ValueError(letter)
        ids.append(self.ids[letter])
    return ids


@mutant("ex01_tokenizer", "CharTokenizer.decode", says="decode_stops_at_bos")
def reads_to_the_end_mark(self, ids):
    for i in ids:
        if not (0 <= i <= self.bos):
            raise ValueError(f"{i}?")
    body = ids[1:] if ids and ids[0] == self.bos else ids
    text = []
    for i in body:
        if i == self.bos:
            break
        text.append(self.chars[i])
    return "".join(text)


@mutant("ex02_value", "Value.__add__", says="add_derivatives_of_product")
def sum_with_partials(self, other):
    if isinstance(other, (int, float)):
        other = Value(other)  # noqa: F821
    partials = other.data, self.data
    return Value(self.data + other.data, (self, other), partials)  # noqa: F821


@mutant("ex02_value", "Value.__pow__", says="pow_without_factor")
def power_rule_half(self, n):
    slope = self.data ** (n - 1)
    return Value(self.data * slope if self.data else 0**n, (self,), (slope,))  # noqa: F821


@mutant("ex02_value", "Value.relu", says="relu_leaky")
def lets_some_through(self):
    factor = 1.0 if self.data > 0 else 0.01
    return Value(self.data * factor, (self,), (factor,))  # noqa: F821


@mutant("ex02_value", "Value.backward", says="backward_leaves_only")
def clears_the_middle(self):
    order, seen = [], set()
    stack = [(self, iter(self.children))]
    seen.add(self)
    while stack:
        node, children = stack[-1]
        for child in children:
            if child not in seen:
                seen.add(child)
                stack.append((child, iter(child.children)))
                break
        else:
            order.append(node)
            stack.pop()
    self.grad += 1
    for node in reversed(order):
        for child, slope in zip(node.children, node.local_grads):
            child.grad += slope * node.grad
        if node.children:
            node.grad = 0


@mutant("ex03_tensor", "Tensor.exp", says="exp_without_g")
def exponential_node(self):
    out = np.exp(self.data)
    return Tensor.op(out, (self,), lambda g: (np.exp(self.data),))


@mutant("ex03_tensor", "Tensor.mean", says="mean_drops_keepdims")
def average_by_axes(self, axis=None, keepdims=False):
    if axis is None:
        n = self.data.size
    else:
        axes = (axis,) if isinstance(axis, int) else axis
        n = int(np.prod([self.data.shape[a] for a in axes]))
    return self.sum(axis) * (1.0 / n)


@mutant("ex03_tensor", "Tensor.__neg__", says="neg_gradient_kept")
def minus_node(self):
    return Tensor.op(np.negative(self.data), (self,), lambda g: (g,))


@mutant("ex03_tensor", "Tensor.transpose", says="transpose_default_swaps_two")
def transposed_by_swap(self, *axes):
    n = self.data.ndim
    if not axes:
        axes = tuple(range(n - 2)) + (n - 1, n - 2)
    axes = tuple(a % n for a in axes)
    back = [axes.index(i) for i in range(n)]
    return Tensor.op(np.transpose(self.data, axes), (self,), lambda g: (np.transpose(g, back),))


@mutant("ex03_tensor", "Tensor.__matmul__", says="matmul_without_transposes")
def plain_products(self, other):
    def pull(g):
        return np.matmul(g, other.data), np.matmul(self.data, g)

    return Tensor.op(np.matmul(self.data, other.data), (self, other), pull)


@mutant("ex04_ops", "softmax", says="softmax_one_sum")
def normalised_as_a_whole(x, axis=-1):
    e = (x - np.max(x.data, axis=axis, keepdims=True)).exp()
    return e / e.sum()


@mutant("ex04_ops", "softmax", says="softmax_log")
def log_probabilities(x, axis=-1):
    z = x - x.data.max(axis=axis, keepdims=True)
    return z - z.exp().sum(axis=axis, keepdims=True).log()


@mutant("ex04_ops", "gelu", says="gelu_sigmoid")
def quick_gelu(x):
    s = 1 / (1 + np.exp(-1.702 * x.data))

    def pull(g):
        return (g * (s + 1.702 * x.data * s * (1 - s)),)

    return Tensor.op(x.data * s, (x,), pull)


@mutant("ex04_ops", "embedding", says="embedding_from_one")
def rows_from_one(table, ids):
    return table[np.asarray(ids) - 1]


@mutant("ex04_ops", "linear", says="linear_bias_is_constant")
def adds_numbers(x, weight, bias=None):
    rows = x.reshape(-1, x.shape[-1])
    y = (rows @ weight.transpose()).reshape(*x.shape[:-1], weight.shape[0])
    if bias is not None:
        y = y + bias.data
    return y


@mutant("ex04_ops", "cross_entropy", says="cross_entropy_bits")
def surprise_in_bits(logits, targets, ignore=-1):
    t = np.asarray(targets).reshape(-1)
    rows = np.nonzero(t != ignore)[0]
    if rows.size == 0:
        raise ValueError("no targets")
    z = logits.reshape(-1, logits.shape[-1])
    z = z - z.data.max(axis=-1, keepdims=True)
    nats = (z.exp().sum(-1).log()[rows] - z[rows, t[rows]]).mean()
    return nats / math.log(2)


@mutant("ex05_norm", "layernorm", says="layernorm_whole_array")
def one_for_all(x, gain, bias, eps=1e-5):
    centred = x - x.mean()
    return centred * ((centred**2).mean() + eps) ** -0.5 * gain + bias


@mutant("ex05_norm", "layernorm", says="layernorm_not_centred")
def root_mean_square_with_bias(x, gain, bias, eps=1e-5):
    ms = (x**2).mean(-1, keepdims=True)
    return x / (ms + eps) ** 0.5 * gain + bias


@mutant("ex05_norm", "rmsnorm", says="rmsnorm_eps_outside")
def eps_behind_the_root(x, gain=None, eps=1e-5):
    root = (x**2).mean(axis=-1, keepdims=True) ** 0.5
    y = x * (root + eps) ** -1.0
    if gain is not None:
        y = gain * y
    return y


@mutant("ex05_norm", "rmsnorm", says="rmsnorm_whole_array")
def one_scale(x, gain=None, eps=1e-5):
    scale = 1 / np.sqrt(np.mean(x.data * x.data) + eps)
    n = x.data * scale
    y = Tensor.op(n, (x,), lambda g: (scale * (g - n * (g * n).mean()),))
    return y if gain is None else y * gain


@mutant("ex06_attention", "split_heads", says="split_interleaved")
def every_other_channel(x, n_head):
    B, T, C = x.shape
    if C % n_head:
        raise ValueError("uneven")
    return x.reshape(B, T, C // n_head, n_head).transpose(0, 3, 1, 2)


@mutant("ex06_attention", "merge_heads", says="merge_by_reshape_alone")
def glued(x):
    B, _, T, _ = x.shape
    return x.reshape(B, T, -1)


@mutant("ex06_attention", "attention_weights", says="weights_with_the_next_one")
def sees_one_ahead(q, k):
    Tq, Tk = q.shape[2], k.shape[2]
    scores = q @ k.transpose(0, 1, 3, 2) * (1.0 / math.sqrt(q.shape[3]))
    allowed = np.arange(Tk)[None] <= np.arange(Tk - Tq, Tk)[:, None] + 1
    return softmax(scores + np.where(allowed, 0, -np.inf).astype(q.data.dtype))


@mutant("ex06_attention", "attention_weights", says="weights_masked_with_zero")
def multiplies_the_mask(q, k):
    Tq, Tk = q.shape[2], k.shape[2]
    scores = q @ k.transpose(0, 1, 3, 2) / q.shape[3] ** 0.5
    return softmax(scores * np.tril(np.ones((Tq, Tk), q.data.dtype), k=Tk - Tq))


@mutant("ex06_attention", "causal_attention", says="attention_with_residual")
def adds_what_was_asked(q, k, v):
    return q + attention_weights(q, k) @ v


@mutant("ex06_attention", "self_attention", says="self_attention_with_one_head")
def one_big_head(x, weights, n_head, cache=None):
    if x.shape[-1] % n_head:
        raise ValueError("uneven")
    q, k, v = (
        split_heads(linear(x, weights[w], weights.get("b" + w[1])), 1) for w in ("wq", "wk", "wv")
    )
    if cache is not None:
        k, v = cache.extend(k, v)
    return linear(merge_heads(causal_attention(q, k, v)), weights["wo"], weights.get("bo"))


@mutant("ex07_gpt", "mlp", says="mlp_without_biases")
def no_offsets(x, weights, activation):
    h = x @ weights["fc1"].transpose() if len(x.shape) > 1 else linear(x, weights["fc1"])
    h = relu(h) if activation == "relu" else gelu(h)  # noqa: F821
    return linear(h, weights["fc2"])


@mutant("ex07_gpt", "block", says="block_without_second_norm")
def reads_raw(x, weights, config, cache=None):
    attended = self_attention(  # noqa: F821
        norm(x, weights, "norm1", config),
        under(weights, "attn_"),
        n_head=config.n_head,
        cache=cache,
    )
    x = attended + x
    return mlp(x, under(weights, "mlp_"), config.activation) + x


@mutant("ex07_gpt", "GPT.loss", says="loss_that_shifts_again")
def aligns_once_more(self, ids, targets):
    logits = self(ids)
    return cross_entropy(logits[:, :-1], np.asarray(targets)[:, 1:])


@mutant("ex08_optim", "linear_decay", says="decay_without_peak")
def share_left(step, total, peak):
    return (total - step) / total


@mutant("ex08_optim", "clip_grad_norm", says="norms_added")
def sum_of_lengths(params, max_norm):
    lengths = [np.sqrt(np.sum(p.grad * p.grad)) for p in params.values() if p.grad is not None]
    total = float(sum(lengths))
    if total > max_norm:
        for p in params.values():
            if p.grad is not None:
                p.grad = p.grad * max_norm / total
    return total


@mutant("ex08_optim", "warmup_cosine", says="without_floor")
def down_to_nothing(step, warmup, total, peak, floor):
    if step < warmup:
        return (step + 1) / warmup * peak
    progress = min((step - warmup) / (total - warmup), 1) if total > warmup else 1
    return 0.5 * peak * (1 + math.cos(progress * math.pi))


@mutant("ex09_train", "doc_batches", says="targets_not_shifted")
def copies_the_ids(docs, tokenizer, batch_size, block_size, rng=None):
    if not docs:
        raise ValueError("empty")
    queue = []
    while True:
        ids = np.full((batch_size, block_size), tokenizer.bos)
        targets = np.full((batch_size, block_size), -1)
        for b in range(batch_size):
            if not queue:
                queue = list(range(len(docs)) if rng is None else rng.permutation(len(docs)))
            tokens = tokenizer.encode(docs[queue.pop(0)])[: block_size + 1]
            n = len(tokens) - 1
            ids[b, :n] = tokens[:n]
            targets[b, :n] = tokens[:n]
        yield ids, targets


@mutant("ex10_sampling", "top_p", says="one_beyond_p")
def keeps_one_more(z, p):
    if p <= 0 or p > 1:
        raise ValueError("p out of range")
    order = sorted(range(len(z)), key=lambda i: -z[i])
    e = np.exp(z - z.max())
    share, keep, total = e / e.sum(), [], 0.0
    for i in order:
        keep.append(i)
        if total >= p:
            break
        total += share[i]
    out = np.full(len(z), -np.inf)
    out[keep] = z[keep]
    return out


@mutant("ex10_sampling", "sample", says="from_the_end")
def counts_down(z, rng):
    e = np.exp(z - np.max(z))
    p = e / np.sum(e)
    u = rng.random()
    for i in range(len(p) - 1, -1, -1):
        u -= p[i]
        if u < 0:
            return i
    return 0


@mutant("ex10_sampling", "generate", says="prompt_comes_back")
def whole_text(model, ids, max_new_tokens, rng, t=1.0, k=None, p=None, stop=None):
    size = model.config.block_size
    if not ids or len(ids) > size:
        raise ValueError("length")
    caches = [KVCache() for _ in range(model.config.n_layer)]
    text, shown = list(ids), list(ids)
    while len(text) - len(ids) < max_new_tokens and len(text) <= size:
        z = temperature(model(np.array([shown]), caches).data[0, -1].astype(float), t)
        if k is not None:
            z = top_k(z, k)
        if p is not None:
            z = top_p(z, p)
        token = sample(z, rng)
        if token == stop:
            break
        text.append(token)
        shown = [token]
    return text
