"""Misconceptions of exercise 9, in other words than those of tests/mutants."""

import numpy as np

from grader.diagnosis import mutant

EX = "ex09_train"


@mutant(EX, "train", says="gradients_pile_up")
def never_zeroes(model, batches, steps, optimizer, schedule, on_step=None):
    history = []
    while optimizer.t < steps:
        now = optimizer.t
        ids, targets = next(batches)
        loss = model.loss(ids, targets)
        loss.backward()
        optimizer.step(lr=schedule(now))
        history.append(float(loss.data))
        if on_step is not None:
            on_step(now, history[-1])
    return history


@mutant(EX, "train", says="nobody_is_told")
def keeps_to_itself(model, batches, steps, optimizer, schedule, on_step=None):
    history = []
    for now in range(optimizer.t, steps):
        x, y = next(batches)
        optimizer.zero_grad()
        loss = model.loss(x, y)
        loss.backward()
        optimizer.step(schedule(now))
        history.append(float(loss.data))
    return history


@mutant(EX, "train", says="rate_of_the_optimizer")
def asks_no_schedule(model, batches, steps, optimizer, schedule, on_step=None):
    history = []
    for now in range(optimizer.t, steps):
        x, y = next(batches)
        loss = model.loss(x, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(loss.data.item())
        on_step and on_step(now, history[-1])
    return history


@mutant(EX, "text_batches", says="window_not_shifted")
def same_window_twice(ids, batch_size, block_size, rng):
    text = np.array(ids)
    N, T = len(text), block_size
    if N < T + 1:
        raise ValueError("too short")
    while True:
        places = rng.integers(0, N - T, batch_size)
        x = np.stack([text[i : i + T] for i in places])
        yield x, x.copy()


@mutant(EX, "doc_batches", says="padding_counts")
def pads_with_bos(docs, tokenizer, batch_size, block_size, rng=None):
    if len(docs) == 0:
        raise ValueError("no documents")

    def endless():
        while True:
            order = np.arange(len(docs)) if rng is None else rng.permutation(len(docs))
            for i in order:
                yield docs[i]

    stream = endless()
    while True:
        rows = []
        for _ in range(batch_size):
            tokens = tokenizer.encode(next(stream))[: block_size + 1]
            rows.append(tokens + [tokenizer.bos] * (block_size + 1 - len(tokens)))
        both = np.array(rows)
        yield both[:, :-1], both[:, 1:]
