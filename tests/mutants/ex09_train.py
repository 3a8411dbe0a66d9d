"""What goes wrong in batches, in the loop, and in checkpoints."""

import os
import shutil
import tempfile
from dataclasses import asdict
from functools import wraps
from itertools import count, islice

import numpy as np

from grader.diagnosis import mutant
from solutions.ex09_train import GPT, AdamW, GPTConfig, arrays_in, literal_eval


def docs_mutant(says):
    """A generator, as the reference is: it complains when the first batch is asked for."""

    def register(function):
        @wraps(function)
        def batches(docs, tokenizer, batch_size, block_size, rng=None):
            yield from function(docs, tokenizer, batch_size, block_size, rng)

        mutant("ex09_train", "doc_batches", says=says)(batches)
        return function

    return register


def in_order(docs, rng):
    """The right stream of documents."""
    order = range if rng is None else rng.permutation
    return (docs[i] for _ in count() for i in order(len(docs)))


def filled(stream, tokenizer, batch_size, block_size, write, padding=None):
    """Batches of the stream; write(ids, targets, tokens) fills one row."""
    while True:
        ids = np.full((batch_size, block_size), tokenizer.bos if padding is None else padding)
        targets = np.full((batch_size, block_size), -1)
        for row, doc in enumerate(islice(stream, batch_size)):
            write(ids[row], targets[row], tokenizer.encode(doc)[: block_size + 1])
        yield ids, targets


def right_row(ids, targets, tokens):
    ids[: len(tokens) - 1] = tokens[:-1]
    targets[: len(tokens) - 1] = tokens[1:]


def nonempty(docs):
    if not docs:
        raise ValueError("there are no documents to train on")
    return docs


@docs_mutant("the targets are the ids themselves; each target is the token that comes next")
def targets_not_shifted(docs, tokenizer, batch_size, block_size, rng=None):
    def write(ids, targets, tokens):
        right_row(ids, targets, tokens)
        targets[: len(tokens) - 1] = tokens[:-1]

    return filled(in_order(nonempty(docs), rng), tokenizer, batch_size, block_size, write)


@docs_mutant("the targets are the tokens before; each target is the token that comes next")
def targets_shifted_back(docs, tokenizer, batch_size, block_size, rng=None):
    def write(ids, targets, tokens):
        ids[: len(tokens) - 1] = tokens[1:]
        targets[: len(tokens) - 1] = tokens[:-1]

    return filled(in_order(nonempty(docs), rng), tokenizer, batch_size, block_size, write)


@docs_mutant("the padding has BOS as its target and will be learnt; -1 says that it does not count")
def padding_counts(docs, tokenizer, batch_size, block_size, rng=None):
    def write(ids, targets, tokens):
        targets[:] = tokenizer.bos
        right_row(ids, targets, tokens)

    return filled(in_order(nonempty(docs), rng), tokenizer, batch_size, block_size, write)


@docs_mutant("ids are filled up with 0, which is a character; fill them up with BOS")
def padded_with_a_character(docs, tokenizer, batch_size, block_size, rng=None):
    stream = in_order(nonempty(docs), rng)
    return filled(stream, tokenizer, batch_size, block_size, right_row, padding=0)


@docs_mutant("ids are filled up with -1, which is no token; that is for targets, ids get BOS")
def padded_with_minus_one(docs, tokenizer, batch_size, block_size, rng=None):
    stream = in_order(nonempty(docs), rng)
    return filled(stream, tokenizer, batch_size, block_size, right_row, padding=-1)


@docs_mutant("the last BOS is missing: it is the target that says where a document ends")
def end_is_not_learnt(docs, tokenizer, batch_size, block_size, rng=None):
    def write(ids, targets, tokens):
        right_row(ids, targets, tokens)
        targets[targets == tokenizer.bos] = -1

    return filled(in_order(nonempty(docs), rng), tokenizer, batch_size, block_size, write)


@docs_mutant("a long document is cut one token too early: ids and targets need T + 1 tokens")
def cut_too_early(docs, tokenizer, batch_size, block_size, rng=None):
    def write(ids, targets, tokens):
        right_row(ids, targets, tokens[:block_size])

    return filled(in_order(nonempty(docs), rng), tokenizer, batch_size, block_size, write)


@docs_mutant(
    "a long document was cut before it was encoded, so it seems to end there: cut the tokens"
)
def cut_document_seems_to_end(docs, tokenizer, batch_size, block_size, rng=None):
    docs = [doc[: block_size - 1] for doc in nonempty(docs)]
    return filled(in_order(docs, rng), tokenizer, batch_size, block_size, right_row)


@docs_mutant(
    "the documents left over at the end of a pass are dropped; the next batch goes on with them"
)
def rest_is_dropped(docs, tokenizer, batch_size, block_size, rng=None):
    def stream():
        while True:
            order = range(len(docs)) if rng is None else rng.permutation(len(docs))
            yield from (docs[i] for i in order[: max(len(docs) // batch_size * batch_size, 1)])

    return (
        filled(stream(), tokenizer, batch_size, block_size, right_row) if nonempty(docs) else None
    )


@docs_mutant(
    "every pass begins a new batch, filled up from the start; documents come twice in a pass"
)
def pass_begins_a_batch(docs, tokenizer, batch_size, block_size, rng=None):
    def stream():
        while True:
            order = list(range(len(docs)) if rng is None else rng.permutation(len(docs)))
            yield from (docs[i] for i in order + order[: -len(docs) % batch_size])

    return (
        filled(stream(), tokenizer, batch_size, block_size, right_row) if nonempty(docs) else None
    )


@docs_mutant(
    "the last batch of a pass is smaller; every batch has B rows, from the next pass if need be"
)
def last_batch_is_smaller(docs, tokenizer, batch_size, block_size, rng=None):
    nonempty(docs)
    while True:
        stream = iter([docs[i] for i in (range if rng is None else rng.permutation)(len(docs))])
        for start in range(0, len(docs), batch_size):
            size = min(batch_size, len(docs) - start)
            yield next(filled(stream, tokenizer, size, block_size, right_row))


@docs_mutant("the documents end after one pass; they begin again, endlessly")
def one_pass(docs, tokenizer, batch_size, block_size, rng=None):
    stream = in_order(nonempty(docs), rng)
    batches = filled(stream, tokenizer, batch_size, block_size, right_row)
    yield from islice(batches, -(-len(docs) // batch_size))


@docs_mutant("the order is drawn once; every pass has a new one")
def shuffled_once(docs, tokenizer, batch_size, block_size, rng=None):
    order = range(len(nonempty(docs))) if rng is None else rng.permutation(len(docs))
    docs = [docs[i] for i in order] if nonempty(docs) else []
    return filled(in_order(docs, None), tokenizer, batch_size, block_size, right_row)


@docs_mutant("documents are drawn one by one, so some come twice before others come at all")
def drawn_one_by_one(docs, tokenizer, batch_size, block_size, rng=None):
    def drawn():
        while True:
            yield docs[rng.integers(len(docs))]

    stream = drawn() if nonempty(docs) and rng else in_order(docs, None)
    return filled(stream, tokenizer, batch_size, block_size, right_row)


@docs_mutant("rng is not used: with an rng every pass has an order of its own")
def order_as_given(docs, tokenizer, batch_size, block_size, rng=None):
    return filled(in_order(nonempty(docs), None), tokenizer, batch_size, block_size, right_row)


@docs_mutant("no documents must be a ValueError; now the stream simply ends")
def nothing_from_nothing(docs, tokenizer, batch_size, block_size, rng=None):
    if docs:
        yield from filled(in_order(docs, rng), tokenizer, batch_size, block_size, right_row)


def text_mutant(says):
    return mutant("ex09_train", "text_batches", says=says)


def windows(ids, starts, block_size, shift=1):
    window = np.asarray(starts)[:, None] + np.arange(block_size)
    return ids[window], ids[window + shift]


def long_enough(ids, block_size):
    if len(ids) <= block_size:
        raise ValueError("too few ids")
    return np.asarray(ids)


@text_mutant("the targets are the ids themselves; they are the same window one place later")
def window_not_shifted(ids, batch_size, block_size, rng):
    ids = long_enough(ids, block_size)
    while True:
        starts = rng.integers(len(ids) - block_size, size=batch_size)
        yield windows(ids, starts, block_size, shift=0)


@text_mutant("the targets are the next window; they are the same window one place later")
def next_window(ids, batch_size, block_size, rng):
    ids = long_enough(ids, block_size)
    while True:
        starts = rng.integers(len(ids) - block_size, size=batch_size)
        yield windows(np.append(ids, ids), starts, block_size, shift=block_size)


@text_mutant(
    "the last window has no place for its last target: the starts are drawn from N - T places"
)
def start_too_late(ids, batch_size, block_size, rng):
    ids = long_enough(ids, block_size)
    while True:
        starts = rng.integers(len(ids) - block_size + 1, size=batch_size)
        yield windows(ids, starts, block_size)


@text_mutant(
    "the last window is never drawn: there are N - T of them, and integers leaves out its end"
)
def last_window_left_out(ids, batch_size, block_size, rng):
    ids = long_enough(ids, block_size)
    while True:
        starts = rng.integers(max(len(ids) - block_size - 1, 1), size=batch_size)
        yield windows(ids, starts, block_size)


@text_mutant("the first window is never drawn: starts count from 0")
def first_window_left_out(ids, batch_size, block_size, rng):
    ids = long_enough(ids, block_size)
    while True:
        most = len(ids) - block_size
        starts = rng.integers(min(1, most - 1), most, size=batch_size)
        yield windows(ids, starts, block_size)


@text_mutant("all rows of a batch start at the same place: draw B starts")
def one_start_for_all(ids, batch_size, block_size, rng):
    ids = long_enough(ids, block_size)
    while True:
        starts = [rng.integers(len(ids) - block_size)] * batch_size
        yield windows(ids, starts, block_size)


@text_mutant("every batch is the same: the starts are drawn once, outside the loop")
def starts_drawn_once(ids, batch_size, block_size, rng):
    ids = long_enough(ids, block_size)
    starts = rng.integers(len(ids) - block_size, size=batch_size)
    while True:
        yield windows(ids, starts, block_size)


@text_mutant("the windows stand one behind the other; each starts at a random place of its own")
def side_by_side(ids, batch_size, block_size, rng):
    ids = long_enough(ids, block_size)
    while True:
        first = rng.integers(len(ids) - block_size)
        starts = (first + np.arange(batch_size)) % (len(ids) - block_size)
        yield windows(ids, np.sort(starts), block_size)


@text_mutant("a text of exactly T ids has no target for the last of them: that is a ValueError too")
def short_text_passes(ids, batch_size, block_size, rng):
    if len(ids) < block_size:
        raise ValueError("too few ids")
    ids = np.asarray(ids)
    while True:
        starts = rng.integers(max(len(ids) - block_size, 1), size=batch_size)
        window = starts[:, None] + np.arange(block_size)
        yield ids[window], ids[np.minimum(window + 1, len(ids) - 1)]


@text_mutant("these ids are floats; an embedding is looked up with integers")
def ids_of_floats(ids, batch_size, block_size, rng):
    ids = long_enough(ids, block_size).astype(np.float64)
    while True:
        starts = rng.integers(len(ids) - block_size, size=batch_size)
        yield windows(ids, starts, block_size)


def train_mutant(says):
    return mutant("ex09_train", "train", says=says)


def one_step(model, batch, optimizer, rate):
    """The right step; its loss."""
    optimizer.zero_grad()
    loss = model.loss(*batch)
    loss.backward()
    optimizer.step(rate)
    return loss.data.item()


def loop(steps, batches, take_step, on_step):
    """losses of take_step(step, batch), one after the other."""
    losses = []
    for step, batch in zip(steps, batches):
        losses.append(take_step(step, batch))
        if on_step:
            on_step(step, losses[-1])
    return losses


@train_mutant("the gradients of the step before are still there: forget them before every backward")
def gradients_pile_up(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        loss = model.loss(*batch)
        loss.backward()
        optimizer.step(schedule(step))
        return loss.data.item()

    return loop(range(optimizer.t, steps), batches, take_step, on_step)


@train_mutant("no weight moves: step finds no gradients; forget the old ones before backward")
def forgets_too_late(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        loss = model.loss(*batch)
        loss.backward()
        optimizer.zero_grad()
        optimizer.step(schedule(step))
        return loss.data.item()

    return loop(range(optimizer.t, steps), batches, take_step, on_step)


@train_mutant("the schedule is not used: step has to get the learning rate of the step")
def rate_of_the_optimizer(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        return one_step(model, batch, optimizer, None)

    return loop(range(optimizer.t, steps), batches, take_step, on_step)


@train_mutant("the schedule is asked once; every step has a rate of its own")
def rate_of_the_first_step(model, batches, steps, optimizer, schedule, on_step=None):
    rate = schedule(optimizer.t)

    def take_step(step, batch):
        return one_step(model, batch, optimizer, rate)

    return loop(range(optimizer.t, steps), batches, take_step, on_step)


@train_mutant("the schedule is asked for the step after; step numbers count from 0")
def rate_of_the_next_step(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        return one_step(model, batch, optimizer, schedule(min(step + 1, steps - 1)))

    return loop(range(optimizer.t, steps), batches, take_step, on_step)


@train_mutant("steps are counted from 0 again; they go on at optimizer.t")
def counts_from_zero(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        return one_step(model, batch, optimizer, schedule(step))

    return loop(range(steps), batches, take_step, on_step)


@train_mutant("the first step is left out: they start at optimizer.t, which is 0 at first")
def counts_from_one(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        return one_step(model, batch, optimizer, schedule(step))

    return loop(range(optimizer.t + 1, steps), batches, take_step, on_step)


@train_mutant("`steps` more steps are taken; they go from optimizer.t to steps - 1, `steps` in all")
def that_many_more(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        return one_step(model, batch, optimizer, schedule(min(step, steps - 1)))

    return loop(range(optimizer.t, optimizer.t + steps), batches, take_step, on_step)


@train_mutant("the right number of steps, but numbered from 0; a resumed run has later numbers")
def numbers_start_over(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        return one_step(model, batch, optimizer, schedule(step))

    return loop(range(steps - optimizer.t), batches, take_step, on_step)


@train_mutant("one batch too many is taken: ask whether there is a step left before taking it")
def one_batch_too_many(model, batches, steps, optimizer, schedule, on_step=None):
    losses = []
    for batch in batches:
        if optimizer.t >= steps:
            break
        step = optimizer.t
        losses.append(one_step(model, batch, optimizer, schedule(step)))
        if on_step:
            on_step(step, losses[-1])
    return losses


@train_mutant("every step has the same batch: take the next one for each")
def one_batch_for_all(model, batches, steps, optimizer, schedule, on_step=None):
    batch = next(batches)

    def take_step(step, _):
        return one_step(model, batch, optimizer, schedule(step))

    return loop(range(optimizer.t, steps), count(), take_step, on_step)


@train_mutant("the loss is kept as a Tensor, and with it the whole graph; keep the number")
def loss_as_a_tensor(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        optimizer.zero_grad()
        loss = model.loss(*batch)
        loss.backward()
        optimizer.step(schedule(step))
        return loss

    return loop(range(optimizer.t, steps), batches, take_step, on_step)


@train_mutant("the loss is kept as an array; make a float of it, with .item() or float()")
def loss_as_an_array(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        return np.array(one_step(model, batch, optimizer, schedule(step)))

    return loop(range(optimizer.t, steps), batches, take_step, on_step)


@train_mutant("that is the loss after the step; the loss of a step is the one it learns from")
def loss_after_the_step(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        one_step(model, batch, optimizer, schedule(step))
        return model.loss(*batch).data.item()

    return loop(range(optimizer.t, steps), batches, take_step, on_step)


@train_mutant("that is the last loss alone; all of them are wanted, as a list")
def last_loss_alone(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        return one_step(model, batch, optimizer, schedule(step))

    return loop(range(optimizer.t, steps), batches, take_step, on_step)[-1:]


@train_mutant("the losses are added up from step to step; each stands for itself")
def losses_add_up(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        return one_step(model, batch, optimizer, schedule(step))

    return list(np.cumsum(loop(range(optimizer.t, steps), batches, take_step, on_step)))


@train_mutant("nobody calls on_step")
def nobody_is_told(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        return one_step(model, batch, optimizer, schedule(step))

    return loop(range(optimizer.t, steps), batches, take_step, None)


@train_mutant("on_step gets (loss, step); it takes the step first")
def told_in_the_wrong_order(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        return one_step(model, batch, optimizer, schedule(step))

    told = on_step and (lambda step, loss: on_step(loss, step))
    return loop(range(optimizer.t, steps), batches, take_step, told)


@train_mutant("on_step is told numbers from 1; steps count from 0")
def told_from_one(model, batches, steps, optimizer, schedule, on_step=None):
    def take_step(step, batch):
        return one_step(model, batch, optimizer, schedule(step))

    told = on_step and (lambda step, loss: on_step(step + 1, loss))
    return loop(range(optimizer.t, steps), batches, take_step, told)


@train_mutant("on_step may be None: ask before calling it")
def calls_nobody(model, batches, steps, optimizer, schedule, on_step=None):
    losses = []
    for step, batch in zip(range(optimizer.t, steps), batches):
        losses.append(one_step(model, batch, optimizer, schedule(step)))
        on_step(step, losses[-1])
    return losses


def save_mutant(says):
    return mutant("ex09_train", "save", says=says)


def contents(model, optimizer):
    """What the right `save` writes."""
    state = vars(optimizer)
    numbers = {k: x for k, x in state.items() if isinstance(x, (int, float, tuple))}
    arrays = {f"optimizer{i}": array for i, array in enumerate(arrays_in(state))}
    arrays |= {name: p.data for name, p in model.params.items()}
    return arrays | {"config": repr(asdict(model.config)), "numbers": repr(numbers)}


def write(path, arrays):
    with open(f"{path}.partial", "wb") as file:
        np.savez(file, **arrays)
    os.replace(f"{path}.partial", path)


@save_mutant(
    "the file is written in place, so a crash would leave half of it: write another, rename"
)
def writes_in_place(path, model, optimizer):
    np.savez(path, **contents(model, optimizer))


@save_mutant("the file is copied into place, and its copy stays: rename it with os.replace")
def copies_into_place(path, model, optimizer):
    with open(f"{path}.partial", "wb") as file:
        np.savez(file, **contents(model, optimizer))
    shutil.copyfile(f"{path}.partial", path)


@save_mutant("a backup is left in the folder: the file itself is all that stays")
def leaves_a_backup(path, model, optimizer):
    if os.path.exists(path):
        os.replace(path, f"{path}.old")
    write(path, contents(model, optimizer))
    with open(f"{path}.done", "wb"):
        pass


@save_mutant("the weights were saved in half precision; they must come back to the last bit")
def rounds_the_weights(path, model, optimizer):
    arrays = contents(model, optimizer)
    for name, p in model.params.items():
        arrays[name] = p.data.astype(np.float16).astype(p.data.dtype)
    write(path, arrays)


def load_mutant(says):
    return mutant("ex09_train", "load", says=says)


def read(path, dtype=None):
    """(what the file holds, a fresh model of its config, a fresh optimizer)"""
    with np.load(path) as file:
        saved = dict(file)
    config = GPTConfig(**literal_eval(str(saved["config"])))
    model = GPT(config, np.random.default_rng(0), dtype or saved["wte"].dtype)
    return saved, model, AdamW(model.params, lr=0.0)


def restore(saved, model, optimizer, numbers=True, means=True, weights=True):
    if numbers:
        vars(optimizer).update(literal_eval(str(saved["numbers"])))
    for i, array in enumerate(arrays_in(vars(optimizer)) if means else ()):
        array[...] = saved[f"optimizer{i}"]
    for name, p in model.params.items() if weights else ():
        p.data[...] = saved[name]
    return model, optimizer


@load_mutant("m and v do not come back: Adam without its memory stumbles")
def forgets_the_means(path):
    return restore(*read(path), means=False)


@load_mutant("t does not come back, so the steps and their corrections start over")
def forgets_t(path):
    model, optimizer = restore(*read(path))
    optimizer.t = 0
    return model, optimizer


@load_mutant("lr, betas, eps and weight_decay do not come back, only t")
def forgets_the_settings(path):
    saved, model, optimizer = read(path)
    restore(saved, model, optimizer, numbers=False)
    optimizer.t = literal_eval(str(saved["numbers"]))["t"]
    optimizer.lr = literal_eval(str(saved["numbers"]))["lr"]
    return model, optimizer


@load_mutant("the learning rate does not come back")
def forgets_lr(path):
    model, optimizer = restore(*read(path))
    optimizer.lr = 0.0
    return model, optimizer


@load_mutant("the weights do not come back: they are those of a fresh model")
def forgets_the_weights(path):
    saved, model, optimizer = read(path)
    fresh = {name: p.data.copy() for name, p in model.params.items()}
    restore(saved, model, optimizer)
    for name, p in model.params.items():
        p.data[...] = fresh[name]
    return model, optimizer


@load_mutant(
    "p.data = array cuts the link to the optimiser, whose steps go astray: p.data[...] = array"
)
def cuts_the_link(path):
    saved, model, optimizer = read(path)
    restore(saved, model, optimizer)
    for name, p in model.params.items():
        p.data = saved[name]
    return model, optimizer


@load_mutant("a float64 model comes back as float32; its type is part of what was saved")
def always_float32(path):
    return restore(*read(path, np.float32))


@load_mutant("the optimizer comes back first; the model is wanted first")
def optimizer_first(path):
    return restore(*read(path))[::-1]


@load_mutant("the model comes back alone; its optimizer is wanted too")
def model_alone(path):
    return restore(*read(path))[0]


@docs_mutant("each batch is written over the one before; who keeps a batch needs new arrays")
def one_pair_of_arrays(docs, tokenizer, batch_size, block_size, rng=None):
    stream = in_order(nonempty(docs), rng)
    batches = filled(stream, tokenizer, batch_size, block_size, right_row)
    kept = next(batches)
    yield kept
    for batch in batches:
        kept[0][...], kept[1][...] = batch
        yield kept


@docs_mutant("the list of documents itself is shuffled; leave it as it is, and draw an order")
def shuffles_the_list(docs, tokenizer, batch_size, block_size, rng=None):
    def stream():
        while True:
            if rng is not None:
                rng.shuffle(docs)
            yield from list(docs)

    nonempty(docs)
    return filled(stream(), tokenizer, batch_size, block_size, right_row)


@text_mutant("each batch is written over the one before; who keeps a batch needs new arrays")
def one_pair_of_windows(ids, batch_size, block_size, rng):
    ids, kept = np.asarray(ids), np.zeros((2, batch_size, block_size), int)
    if len(ids) <= block_size:
        raise ValueError("too short")
    while True:
        places = rng.integers(len(ids) - block_size, size=batch_size)[:, None]
        kept[...] = ids[places + np.arange(block_size)], ids[places + np.arange(1, block_size + 1)]
        yield kept[0], kept[1]


@train_mutant("on_step is told before the step is taken; the step comes first")
def tells_too_early(model, batches, steps, optimizer, schedule, on_step=None):
    losses = []
    for step, batch in zip(range(optimizer.t, steps), batches):
        optimizer.zero_grad()
        loss = model.loss(*batch)
        loss.backward()
        losses.append(loss.data.item())
        if on_step:
            on_step(step, losses[-1])
        optimizer.step(schedule(step))
    return losses


@save_mutant("the old file is removed before the new one is there; os.replace does both at once")
def removes_the_old_one_first(path, model, optimizer):
    if os.path.exists(path):
        os.remove(path)
    write(path, contents(model, optimizer))


@save_mutant("the other name stands in another folder, from where a move may be half a copy")
def written_in_another_folder(path, model, optimizer):
    with tempfile.TemporaryDirectory() as folder:
        write(os.path.join(folder, "checkpoint.npz"), contents(model, optimizer))
        shutil.move(os.path.join(folder, "checkpoint.npz"), path)


@save_mutant("the optimiser's numbers are rounded; a small eps becomes 0")
def rounds_the_numbers(path, model, optimizer):
    state = vars(optimizer)
    numbers = {k: x for k, x in state.items() if isinstance(x, (int, float, tuple))}
    numbers |= {k: round(x, 6) for k, x in numbers.items() if isinstance(x, float)}
    write(path, contents(model, optimizer) | {"numbers": repr(numbers)})
