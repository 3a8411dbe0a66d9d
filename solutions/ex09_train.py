"""Exercise 9: training.

The loop that makes a model learn is five lines, the same for this one and for the largest there is:

    forget the old gradients -> loss -> backward -> step -> again

What it eats are batches, and what it leaves behind, for tomorrow, are checkpoints.

*Batches.* B documents side by side, each cut or filled up to T tokens. The model reads the ids, and
at every place it should say the next one: the targets are the ids one place later.

    a, b, c are 0, 1, 2; BOS is 3; T = 6

    document    its tokens          ids                    targets
    "cab"       3 2 0 1 3           3  2  0  1  |3  3      2  0  1  3 |-1 -1    filled up
    "a"         3 0 3               3  0  |3  3  3  3      0  3 |-1 -1 -1 -1
    "abcabca"   3 0 1 2 0 1 2 0 3   3  0  1  2  0  1       0  1  2  0  1  2     cut

A target of -1 does not count in the loss (exercise 4), and what fills up the ids does no harm: it
stands behind the document, and no position looks at a later one. A text without documents is cut
into windows that start anywhere:

    text     5 0 7 7 2 9 4        T = 3, start 2:    ids 7 7 2    targets 7 2 9

*The loop.* backward adds to the gradients that are there (exercise 3), so they are forgotten before
every step; else a step would follow all batches since the beginning. The learning rate comes from a
schedule, a function of the step's number. The optimiser knows that number: it is t.

*Checkpoints.* To go on tomorrow as if nothing had happened, keep everything that the next step
depends on: the weights, and the optimiser's m, v and t. Adam without its memory stumbles. A crash
while the file is written must not cost the old checkpoint: write to another name in the same folder
and rename at the end. A rename happens at once or not at all.

    microgpt.py, in `train` and `loss_of`              here
    tokenizer.encode(docs[step % len(docs)])           doc_batches with rng=None, B = 1
    n = min(BLOCK_SIZE, len(ids) - 1)                  cut to T
    loss.backward()                                    the same, for B documents at once
    lr_now = lr * (1 - step / steps)                   schedule(step)
    w.data -= ...   w.grad = 0                         optimizer.step(lr)   optimizer.zero_grad()

What goes wrong most often: targets not shifted; padding that counts; gradients that pile up; steps
that are counted from 0 again after a resume.
Read more: Goodfellow, Bengio and Courville 2016, "Deep Learning", section 8.1.3.
"""

import os
from ast import literal_eval
from dataclasses import asdict
from itertools import count, islice

import numpy as np

from .ex07_gpt import GPT, GPTConfig
from .ex08_optim import AdamW


def doc_batches(docs, tokenizer, batch_size, block_size, rng=None):
    """Endless batches of documents, each document once before any comes again.

    docs   a list of strings
    rng    a numpy Generator: every pass over the documents has a new order; None: the given order

    Every batch has B rows: it may hold the end of one pass and the start of the next.
    Three documents, B = 2, no rng: rows a b, then c a, then b c, then a b, ...

    yields ids and targets, integer arrays (B, T), T = block_size: see the picture above; new
    arrays each time, for who takes a batch may keep it. The list of documents stays as it is
    No documents: ValueError, when the first batch is asked for or before.
    """
    # TODO 1  no documents: ValueError, or the loop would spin for ever
    # TODO 2  an endless stream of documents, pass after pass: count() and rng.permutation help
    # TODO 3  the next batch_size of them: islice(stream, batch_size)
    # TODO 4  ids full of BOS, targets full of -1              (B, T)
    # TODO 5  each row: its first T + 1 tokens; ids all but the last, targets all but the first
    # TODO 6  yield both, and so on for ever
    ### BEGIN SOLUTION
    if not docs:
        raise ValueError("there are no documents to train on")
    order = range if rng is None else rng.permutation
    stream = (docs[i] for _ in count() for i in order(len(docs)))
    while True:
        ids = np.full((batch_size, block_size), tokenizer.bos)
        targets = np.full((batch_size, block_size), -1)
        for row, doc in enumerate(islice(stream, batch_size)):
            tokens = tokenizer.encode(doc)[: block_size + 1]
            ids[row, : len(tokens) - 1] = tokens[:-1]
            targets[row, : len(tokens) - 1] = tokens[1:]
        yield ids, targets
    ### END SOLUTION


def text_batches(ids, batch_size, block_size, rng):
    """Endless batches of windows of one long text, each starting at a random place.

    ids   the whole text, a list or array of N integers
    rng   a numpy Generator

    A window needs T ids and one more, for its last target: it can start at 0, 1, ..., N - T - 1.
    rng.integers(N - T, size=B) draws B starts, each of them equally often.

    yields ids and targets, integer arrays (B, T), T = block_size; targets start one place later;
    new arrays each time
    N <= T: ValueError, when the first batch is asked for or before.
    """
    # TODO 1  too short: ValueError
    # TODO 2  B starts                                         (B,)
    # TODO 3  the places of all ids: start + 0, 1, ..., T - 1  (B, 1) + (T,) -> (B, T)
    # TODO 4  yield the ids there, and those one place later
    ### BEGIN SOLUTION
    ids = np.asarray(ids)
    if len(ids) <= block_size:
        raise ValueError(f"{len(ids)} ids are too few for a window of {block_size} and its targets")
    while True:
        # (B, 1) + (T,) -> (B, T)
        window = rng.integers(len(ids) - block_size, size=(batch_size, 1)) + np.arange(block_size)
        yield ids[window], ids[window + 1]
    ### END SOLUTION


def train(model, batches, steps, optimizer, schedule, on_step=None):
    """Train up to step number `steps` - 1, starting at number optimizer.t.

    A fresh optimizer starts at step 0; one that has taken 2 steps goes on with number 2. If it has
    taken `steps` steps already, there is nothing to do.

    batches    an iterator of (ids, targets); one is taken for each step, and no more
    schedule   a function: step -> learning rate
    on_step    None, or a function (step, loss) that is called after each step, loss a float

    -> list of float, the loss that each step of this call learnt from
    """
    losses = []
    # TODO 1  for each step, with its batch; zip stops at the first that ends, so put range first
    # TODO 2  forget the gradients, model.loss, backward, step at the rate of this step
    # TODO 3  keep the loss as a float: loss.data.item()
    # TODO 4  tell on_step, if there is one
    ### BEGIN SOLUTION
    for step, (ids, targets) in zip(range(optimizer.t, steps), batches):
        optimizer.zero_grad()
        loss = model.loss(ids, targets)
        loss.backward()
        optimizer.step(schedule(step))
        losses.append(loss.data.item())
        if on_step:
            on_step(step, losses[-1])
    ### END SOLUTION
    return losses


def save(path, model, optimizer):
    """Write everything that the next step depends on to one .npz file, or nothing at all.

    path   its name, which ends in .npz; an older file of that name is replaced

    It holds the config, every parameter, and the optimiser's arrays and numbers, all to the last
    bit. It is written under another name in the same folder and renamed; nothing else stays there.
    vars(optimizer) is the dict of all its attributes, asdict(config) that of the config's fields.
    """
    # TODO 1  the optimiser's numbers (t, lr, betas, ...): attributes that are int, float or tuple
    # TODO 2  arrays by name: the parameters, and all that arrays_in finds among the attributes
    # TODO 3  np.savez(file, config=..., numbers=..., **arrays): a dict goes in as text, repr(dict)
    #         to an open file of another name: np.savez puts .npz behind a bare name that lacks it
    # TODO 4  os.replace(other name, path)
    ### BEGIN SOLUTION
    numbers = {key: x for key, x in vars(optimizer).items() if isinstance(x, (int, float, tuple))}
    arrays = {name: p.data for name, p in model.params.items()}
    arrays |= {f"optimizer{i}": array for i, array in enumerate(arrays_in(vars(optimizer)))}
    with open(f"{path}.partial", "wb") as file:
        np.savez(file, numbers=repr(numbers), config=repr(asdict(model.config)), **arrays)
    os.replace(f"{path}.partial", path)
    ### END SOLUTION


def load(path):
    """Read what `save` wrote, ready to go on with the very next step.

    The weights have the type that they had (float32 or float64), and the optimizer, which moves
    this model, has its t, lr, betas, eps, weight_decay, m and v.

    -> (model, optimizer)
    """
    # TODO 1  the arrays by name: `with np.load(path) as file: saved = dict(file)`
    # TODO 2  the config: literal_eval makes a dict of str(saved["config"])
    # TODO 3  a GPT of this config and of the type of saved["wte"]; any rng will do
    # TODO 4  an AdamW for its params; its numbers: vars(optimizer).update(...)
    # TODO 5  its arrays, and then the weights, written in place: array[...] = saved[...]
    ### BEGIN SOLUTION
    with np.load(path) as file:
        saved = dict(file)
    config = GPTConfig(**literal_eval(str(saved["config"])))
    model = GPT(config, np.random.default_rng(0), saved["wte"].dtype)
    optimizer = AdamW(model.params, lr=0.0)
    vars(optimizer).update(literal_eval(str(saved["numbers"])))
    for i, array in enumerate(arrays_in(vars(optimizer))):
        array[...] = saved[f"optimizer{i}"]
    for name, p in model.params.items():
        p.data[...] = saved[name]
    return model, optimizer
    ### END SOLUTION


def arrays_in(tree):
    """Every array inside nested dicts and lists, in order. Given.

    {"t": 3, "m": [a, b], "v": {"w": c}} gives [a, b, c].
    """
    if isinstance(tree, np.ndarray):
        return [tree]
    branches = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [array for branch in branches for array in arrays_in(branch)]
