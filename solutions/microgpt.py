"""The whole algorithm on a page: a GPT, trained and sampled one number at a time.

This is MicroGPT (Andrej Karpathy, 2026, MIT licence) in the words of this course. It is given, with
nothing to fill in: read it from top to bottom. It runs on your CharTokenizer (exercise 1) and your
Value (exercise 2), and is the first thing to run on code that is all yours. Exercises 3 to 10 are
the same algorithm on arrays, and hundreds of times faster.

    python -m exercises.microgpt 50         50 steps on data/first_names.txt, then 20 new names
    python -m exercises.microgpt            1000 steps, which take some minutes

Every number is a Value, every vector a list of Values, every matrix a list of rows.
"""

import gc
import random
import sys
from pathlib import Path

from .ex01_tokenizer import CharTokenizer
from .ex02_value import Value

N_LAYER = 1  # L: blocks on top of each other
N_EMBD = 16  # C: numbers that describe one position
BLOCK_SIZE = 16  # the most positions that it can look at
N_HEAD = 4  # H: attention heads
HEAD_SIZE = N_EMBD // N_HEAD  # D = C / H: each head's part of a vector
RARELY = 1_000_000  # new objects, until Python may search them for cycles: a step's graph has none


def init_params(vocab_size, rng):
    """Every weight, small and random: {name: matrix}, a matrix (out, in)."""

    def matrix(n_out, n_in, std=0.08):
        return [[Value(rng.gauss(0, std)) for _ in range(n_in)] for _ in range(n_out)]

    params = {
        "wte": matrix(vocab_size, N_EMBD),  # what each token means
        "wpe": matrix(BLOCK_SIZE, N_EMBD),  # what each position means
        "lm_head": matrix(vocab_size, N_EMBD),  # from meaning back to tokens
    }
    for i in range(N_LAYER):
        for name in ("attn_wq", "attn_wk", "attn_wv", "attn_wo"):
            params[f"layer{i}.{name}"] = matrix(N_EMBD, N_EMBD)
        params[f"layer{i}.mlp_fc1"] = matrix(4 * N_EMBD, N_EMBD)
        params[f"layer{i}.mlp_fc2"] = matrix(N_EMBD, 4 * N_EMBD)
    return params


# Vectors: the few operations that everything is made of.


def add(x, y):
    return [xi + yi for xi, yi in zip(x, y)]


def dot(x, y):
    return sum(xi * yi for xi, yi in zip(x, y))


def linear(x, weight):
    """Each output is the dot product of `x` with one row of `weight`."""
    return [dot(row, x) for row in weight]


def softmax(logits):
    """Scores -> probabilities. The largest is taken off first, so that exp cannot overflow."""
    largest = max(logit.data for logit in logits)
    exps = [(logit - largest).exp() for logit in logits]
    total = sum(exps)
    return [e / total for e in exps]


def rmsnorm(x):
    """`x` scaled so that the mean of its squares is 1."""
    mean_square = dot(x, x) / len(x)
    scale = (mean_square + 1e-5) ** -0.5
    return [xi * scale for xi in x]


# The model: one token in, a score for each possible next token out.


def gpt(token, position, keys, values, params):
    """The logits of the next token. What it needs of those before is in `keys` and `values`."""
    x = add(params["wte"][token], params["wpe"][position])
    x = rmsnorm(x)
    for i in range(N_LAYER):  # what was there stays, what is new is added
        x = add(x, attention(rmsnorm(x), i, keys, values, params))
        x = add(x, mlp(rmsnorm(x), i, params))
    return linear(x, params["lm_head"])


def attention(x, i, keys, values, params):
    """Look back: mix the values of all positions so far, weighted by how well query meets key."""
    query = linear(x, params[f"layer{i}.attn_wq"])
    keys[i].append(linear(x, params[f"layer{i}.attn_wk"]))
    values[i].append(linear(x, params[f"layer{i}.attn_wv"]))
    mixed = []
    for start in range(0, N_EMBD, HEAD_SIZE):
        head = slice(start, start + HEAD_SIZE)
        scores = [dot(query[head], key[head]) / HEAD_SIZE**0.5 for key in keys[i]]
        weights = softmax(scores)  # one for each position
        channels = zip(*(value[head] for value in values[i]))  # D of them, through all positions
        mixed += [dot(weights, channel) for channel in channels]
    return linear(mixed, params[f"layer{i}.attn_wo"])


def mlp(x, i, params):
    """Think about one position by itself: four times wider, a kink, and back."""
    hidden = [h.relu() for h in linear(x, params[f"layer{i}.mlp_fc1"])]
    return linear(hidden, params[f"layer{i}.mlp_fc2"])


# Learning: how surprised was it, and which way is less?


def loss_of(ids, params):
    """The mean surprise, -log(probability), at each next token of one document, in nats."""
    n = min(BLOCK_SIZE, len(ids) - 1)
    keys, values = [[] for _ in range(N_LAYER)], [[] for _ in range(N_LAYER)]
    losses = []
    for position in range(n):
        probs = softmax(gpt(ids[position], position, keys, values, params))
        losses.append(-probs[ids[position + 1]].log())
    return sum(losses) / n


def train(docs, tokenizer, params, steps, on_step=None, lr=0.01, beta1=0.85, beta2=0.99, eps=1e-8):
    """Adam, one document a step, the learning rate falling in a line to 0. Returns the losses.

    on_step   a function (step, loss) that is called after each step, loss a float
    """
    weights = [w for matrix in params.values() for row in matrix for w in row]
    m, v = [0.0] * len(weights), [0.0] * len(weights)  # running means of grad and grad squared
    losses = []
    for step in range(steps):
        loss = loss_of(tokenizer.encode(docs[step % len(docs)]), params)
        loss.backward()
        lr_now = lr * (1 - step / steps)
        for i, w in enumerate(weights):
            m[i] = beta1 * m[i] + (1 - beta1) * w.grad
            v[i] = beta2 * v[i] + (1 - beta2) * w.grad**2
            m_hat = m[i] / (1 - beta1 ** (step + 1))  # both began at 0, and are too small at first
            v_hat = v[i] / (1 - beta2 ** (step + 1))
            w.data -= lr_now * m_hat / (v_hat**0.5 + eps)
            w.grad = 0
        losses.append(loss.data)
        if on_step:
            on_step(step, loss.data)
    return losses


# Speaking: draw a token, show it to the model, draw the next.


def sample(tokenizer, params, rng, temperature=0.5):
    """One new document: draw the next token again and again, until BOS says that it is over."""
    keys, values = [[] for _ in range(N_LAYER)], [[] for _ in range(N_LAYER)]
    token, new = tokenizer.bos, []
    for position in range(BLOCK_SIZE):
        logits = gpt(token, position, keys, values, params)
        probs = softmax([logit / temperature for logit in logits])
        token = rng.choices(range(tokenizer.vocab_size), weights=[p.data for p in probs])[0]
        if token == tokenizer.bos:
            break
        new.append(token)
    return tokenizer.decode(new)


def main(steps=1000, data=Path(__file__).parent.parent / "data" / "first_names.txt"):
    gc.set_threshold(RARELY)
    rng = random.Random(42)
    docs = [line.strip() for line in Path(data).read_text("utf-8").splitlines() if line.strip()]
    rng.shuffle(docs)
    tokenizer = CharTokenizer(docs)
    params = init_params(tokenizer.vocab_size, rng)
    print(f"{len(docs)} names, {tokenizer.vocab_size} tokens")

    def report(step, loss):
        print(f"step {step + 1:4d} / {steps:4d} | loss {loss:.4f}", end="\r", flush=True)

    train(docs, tokenizer, params, steps, on_step=report)
    print("\nnew names:")
    for i in range(20):
        print(f"{i + 1:3d}  {sample(tokenizer, params, rng)}")


if __name__ == "__main__":
    main(*(int(n) for n in sys.argv[1:2]))
