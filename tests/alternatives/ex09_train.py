"""Right batches, loops and checkpoints in other styles."""

import itertools
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np

from grader.diagnosis import alternative
from solutions.ex09_train import GPT, AdamW, GPTConfig, arrays_in, literal_eval


def right(name, style):
    return alternative("ex09_train", name, style=style)


@right("doc_batches", "lists of lists, padded by hand; the error comes before the first batch")
def batches_of_lists(docs, tokenizer, batch_size, block_size, rng=None):
    if len(docs) == 0:
        raise ValueError("doc_batches needs at least one document")

    def row_of(doc):
        tokens = tokenizer.encode(doc)
        x, y = tokens[:-1][:block_size], tokens[1:][:block_size]
        missing = block_size - len(x)
        return x + [tokenizer.bos] * missing, y + [-1] * missing

    def forever():
        waiting = []
        while True:
            while len(waiting) < batch_size:
                order = np.arange(len(docs)) if rng is None else rng.permutation(len(docs))
                waiting += [docs[int(i)] for i in order]
            rows = [row_of(doc) for doc in waiting[:batch_size]]
            del waiting[:batch_size]
            yield np.array([x for x, _ in rows]), np.array([y for _, y in rows])

    return forever()


@right("doc_batches", "an index that runs on, a shuffled copy for each pass, int32")
def batches_by_index(docs, tokenizer, batch_size, block_size, rng=None):
    if not docs:
        raise ValueError("no documents")
    order, at = list(docs), 0
    if rng is not None:
        rng.shuffle(order)
    while True:
        ids = np.zeros((batch_size, block_size), np.int32) + tokenizer.bos
        targets = -np.ones((batch_size, block_size), np.int32)
        for b in range(batch_size):
            if at == len(order):
                at = 0
                if rng is not None:
                    rng.shuffle(order)
            tokens = tokenizer.encode(order[at])
            at += 1
            for t in range(min(block_size, len(tokens) - 1)):
                ids[b, t], targets[b, t] = tokens[t], tokens[t + 1]
        yield ids, targets


@right("doc_batches", "everything encoded and padded first, rows picked from one table")
def batches_from_a_table(docs, tokenizer, batch_size, block_size, rng=None):
    if len(docs) < 1:
        raise ValueError("give at least one document")
    padded = np.full((len(docs), block_size + 1), -1)
    for line, doc in zip(padded, docs):
        tokens = tokenizer.encode(doc)[: block_size + 1]
        line[: len(tokens)] = tokens
    x = np.where(padded[:, 1:] == -1, tokenizer.bos, padded[:, :-1])
    endless = itertools.chain.from_iterable(
        range(len(docs)) if rng is None else rng.permutation(len(docs)) for _ in itertools.count()
    )
    while True:
        rows = list(itertools.islice(endless, batch_size))
        yield x[rows], padded[rows, 1:]


@right("text_batches", "slices stacked up, one draw for each row")
def windows_stacked(ids, batch_size, block_size, rng):
    if not len(ids) > block_size:
        raise ValueError(f"a window of {block_size} and a target need {block_size + 1} ids")
    while True:
        starts = [int(rng.integers(0, len(ids) - block_size)) for _ in range(batch_size)]
        x = np.stack([np.array(ids[i : i + block_size]) for i in starts])
        y = np.stack([np.array(ids[i + 1 : i + 1 + block_size]) for i in starts])
        yield x, y


@right("text_batches", "a sliding window view of T + 1 ids, split into two views")
def windows_by_view(ids, batch_size, block_size, rng):
    if len(ids) < block_size + 1:
        raise ValueError("the text is too short")
    all_windows = np.lib.stride_tricks.sliding_window_view(np.array(ids), block_size + 1)
    while True:
        both = all_windows[rng.choice(len(all_windows), size=batch_size)]
        yield both[:, :-1], both[:, 1:]


@right("text_batches", "the error at once, starts by multiplying, np.take")
def windows_by_take(ids, batch_size, block_size, rng):
    text = np.asarray(ids)
    places = text.size - block_size
    if places <= 0:
        raise ValueError(f"{text.size} ids are not enough")

    def forever():
        while True:
            starts = (rng.random((batch_size, 1)) * places).astype(int)
            yield tuple(np.take(text, starts + np.arange(s, s + block_size)) for s in (0, 1))

    return forever()


@right("train", "a for loop over numbers, next(batches), float()")
def train_by_numbers(model, batches, steps, optimizer, schedule, on_step=None):
    losses = []
    for step in range(optimizer.t, steps):
        ids, targets = next(batches)
        loss = model.loss(ids, targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step(lr=schedule(step))
        value = float(loss.data)
        losses.append(value)
        if on_step is not None:
            on_step(step, value)
    return losses


@right("train", "a while loop on optimizer.t, gradients forgotten after the step")
def train_while(model, batches, steps, optimizer, schedule, on_step=None):
    losses = []
    while optimizer.t < steps:
        step, (x, y) = optimizer.t, next(batches)
        rate = schedule(step)
        loss = model.loss(x, y)
        loss.backward()
        optimizer.step(rate)
        optimizer.zero_grad()
        losses += [loss.data.item()]
        on_step and on_step(step, losses[-1])
    return losses


@right("train", "all rates beforehand, an inner function for a step, a list comprehension")
def train_with_rates(model, batches, steps, optimizer, schedule, on_step=lambda step, loss: None):
    numbers = range(optimizer.t, steps)
    rates = [schedule(step) for step in numbers]
    tell = on_step or (lambda step, loss: None)

    def take(step, rate):
        batch = next(batches)
        optimizer.zero_grad()
        result = model.loss(*batch)
        result.backward(np.ones_like(result.data))
        optimizer.step(rate)
        loss = float(result.data.reshape(-1)[0])
        tell(step, loss)
        return loss

    return [take(step, rate) for step, rate in zip(numbers, rates)]


@right("save", "a temporary file of the library's choice, Path.replace")
def save_by_tempfile(path, model, optimizer):
    arrays = {name: p.data for name, p in model.params.items()}
    arrays |= {f"optimizer{i}": a for i, a in enumerate(arrays_in(vars(optimizer)))}
    plain = {k: v for k, v in vars(optimizer).items() if isinstance(v, (int, float, tuple))}
    folder = Path(path).resolve().parent
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".npz", delete=False) as file:
        np.savez(file, config=repr(asdict(model.config)), numbers=repr(plain), **arrays)
    Path(file.name).replace(path)


@right("save", "compressed, under a hidden name, synced to the disk before it is renamed")
def save_compressed(path, model, optimizer):
    folder, name = os.path.split(path)
    part = os.path.join(folder, f".{name}.part")
    state = vars(optimizer)
    content = {"config": repr(vars(model.config))}
    content["numbers"] = repr({k: state[k] for k in ("t", "lr", "betas", "eps", "weight_decay")})
    content.update((f"optimizer{i}", array) for i, array in enumerate(arrays_in(state)))
    content.update((name, np.array(p.data, order="F")) for name, p in model.params.items())
    with open(part, "wb") as file:
        np.savez_compressed(file, **content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(part, path)


@right("save", "np.savez under a name that ends in .npz, as it wishes")
def save_under_npz(path, model, optimizer):
    aside = str(path).removesuffix(".npz") + ".new.npz"
    everything = {}
    for name in model.params:
        everything[name] = model.params[name].data
    for array in arrays_in(vars(optimizer)):
        everything["optimizer" + str(len(everything) - len(model.params))] = array
    settings = {}
    for name, value in vars(optimizer).items():
        if isinstance(value, (int, float, tuple)):
            settings[name] = value
    np.savez(aside, config=str(asdict(model.config)), numbers=str(settings), **everything)
    os.replace(aside, path)


@right(
    "load",
    "the arrays read one by one while the file is open, the optimiser made with its settings",
)
def load_while_open(path):
    with np.load(path) as file:
        config = GPTConfig(**eval(str(file["config"])))
        numbers = eval(str(file["numbers"]))
        model = GPT(config, np.random.default_rng(), dtype=file["wpe"].dtype)
        for name, p in model.params.items():
            p.data[...] = file[name]
        t = numbers.pop("t")
        optimizer = AdamW(model.params, **numbers)
        optimizer.t = t
        for i, array in enumerate(arrays_in(vars(optimizer))):
            array[:] = file[f"optimizer{i}"]
    return model, optimizer


@right("load", "setattr for every number, np.copyto for every array, a list for the pair")
def load_by_setattr(path):
    saved = np.load(path)
    config = GPTConfig(**literal_eval(saved["config"].item()))
    model = GPT(config, np.random.default_rng(1), saved["wte"].dtype.type)
    optimizer = AdamW(model.params, 1.0)
    for name, value in literal_eval(saved["numbers"].item()).items():
        setattr(optimizer, name, value)
    for name in model.params:
        np.copyto(model.params[name].data, saved[name])
    for i, array in enumerate(arrays_in(vars(optimizer))):
        np.copyto(array, saved["optimizer" + str(i)])
    saved.close()
    return [model, optimizer]


@right("load", "a model without drawn weights, its dtype given by name")
def load_by_name(path):
    with np.load(path, allow_pickle=False) as file:
        saved = {key: file[key] for key in file.files}
    fields = literal_eval(str(saved["config"]))
    kind = {4: "float32", 8: "float64"}[saved["wte"].itemsize]
    model = GPT(GPTConfig(**fields), np.random.Generator(np.random.PCG64(3)), kind)
    optimizer = AdamW(model.params, lr=0.5, eps=1.0)
    optimizer.__dict__ |= literal_eval(str(saved["numbers"]))
    [np.copyto(p.data, saved[name]) for name, p in model.params.items()]
    pairs = enumerate(arrays_in(vars(optimizer)))
    [np.copyto(array, saved[f"optimizer{i}"]) for i, array in pairs]
    return model, optimizer


@right("doc_batches", "an iterator class that remembers where it is")
class DocBatches:
    def __init__(self, docs, tokenizer, batch_size, block_size, rng=None):
        if not docs:
            raise ValueError("no documents")
        self.rows = [tokenizer.encode(doc) for doc in docs]
        self.shape, self.bos = (batch_size, block_size), tokenizer.bos
        self.rng, self.order = rng, []

    def __iter__(self):
        return self

    def next_row(self):
        if not self.order:
            n = len(self.rows)
            order = range(n) if self.rng is None else self.rng.permutation(n)
            self.order = [int(i) for i in order][::-1]
        return self.rows[self.order.pop()]

    def __next__(self):
        B, T = self.shape
        both = np.stack([np.full((B, T), self.bos), np.full((B, T), -1)])
        for i in range(B):
            row = self.next_row()
            for t, pair in enumerate(itertools.islice(itertools.pairwise(row), T)):
                both[:, i, t] = pair
        return both[0], both[1]


@right("text_batches", "a function called again and again, for ever")
def windows_by_iter(ids, batch_size, block_size, rng):
    text, last = np.array(ids, dtype=np.int64), len(ids) - block_size
    if last < 1:
        raise ValueError("the text is too short")

    def draw():
        starts = [int(rng.integers(0, last)) for _ in range(batch_size)]
        rows = np.array([text[s : s + block_size + 1] for s in starts])
        return rows[:, :-1], rows[:, 1:]

    return iter(draw, None)


@right("train", "enumerate over as many batches as are needed")
def train_by_enumerate(model, batches, steps, optimizer, schedule, on_step=None):
    first = optimizer.t
    tell = on_step or (lambda step, loss: None)

    def losses():
        needed = itertools.islice(batches, max(0, steps - first))
        for step, (ids, targets) in enumerate(needed, start=first):
            optimizer.zero_grad()
            loss = model.loss(ids, targets)
            value = float(loss.data)
            loss.backward()
            optimizer.step(lr=schedule(step))
            tell(step, value)
            yield value

    return list(losses())


@right("text_batches", "no start twice in a batch, where there are enough of them")
def windows_all_different(ids, batch_size, block_size, rng):
    ids = np.asarray(ids)
    starts = len(ids) - block_size
    if starts < 1:
        raise ValueError("too few ids")
    while True:
        drawn = rng.choice(starts, size=batch_size, replace=batch_size > starts)
        places = drawn[:, None] + np.arange(block_size)
        yield ids[places], ids[places + 1]
