"""Exercise 9: training.

The loop that makes it learn is five lines, the same for this model and for the largest there is:

    forget the old gradients -> loss -> backward -> step -> again

What it eats are batches: B documents side by side, cut or filled up to T tokens. The model reads the
ids and should say, at each place, the next one:

    "cab"    tokens    BOS c a b BOS
             ids       BOS c a b  |  BOS BOS        filled up with BOS to T = 6
             targets    c  a b BOS|  -1  -1         shifted by one; -1: do not count this

One token longer than T is cut: ids are its first T tokens, targets its tokens 1 to T.

*Checkpoints*: to go on tomorrow as if nothing had happened, save everything that the next step
depends on: the weights, and the optimiser's two means and its t. Adam without its memory stumbles.
Write to another name first and rename at the end: a rename happens at once or not at all, so a crash
in the middle leaves the old checkpoint whole.

What goes wrong most often: targets not shifted, padding counted in the loss, gradients not forgotten,
the learning rate's schedule starting over after a resume.
In MicroGPT this is `train`, with one document a step.
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
    """Endless batches of whole documents, each document once before any comes again.

    rng   a numpy Generator: each pass in a new order; None: in the given order, again and again.
          A batch may hold the end of one pass and the start of the next.

    yields ids and targets, integer arrays (B, T), T = block_size: see the picture above.
    No documents: ValueError.
    """
    # TODO 1  no documents: ValueError, or the loop would spin for ever
    # TODO 2  an endless stream of documents
    # TODO 3  take batch_size of them; ids full of BOS, targets full of -1; write each row's tokens in
    raise NotImplementedError("TODO doc_batches")


def text_batches(ids, batch_size, block_size, rng):
    """Endless batches of windows of one long text, each starting at a random place.

    ids   the whole text, a list or array of N integers; rng: a numpy Generator

    yields ids and targets (B, T), T = block_size; targets are the same window one place later.
    Starts are drawn as rng.integers(N - T, size=B): every full window, the last one included.
    N <= block_size: ValueError.
    """
    # TODO 1  too short: ValueError
    # TODO 2  B starts; windows are ids[start + (0, 1, ..., T - 1)]       (B, 1) + (T,) -> (B, T)
    raise NotImplementedError("TODO text_batches")


def train(model, batches, steps, optimizer, schedule, on_step=None):
    """Steps number optimizer.t to steps - 1: a fresh optimiser starts at 0, a resumed one goes on.

    batches    an iterator of (ids, targets); exactly one is taken for each step
    schedule   a function: step -> learning rate
    on_step    a function (step, loss) that is called after each step, loss a float

    -> list of float, the loss of each step
    """
    losses = []
    # TODO 1  for each step, with its batch
    # TODO 2  forget the gradients, loss, backward, step with this step's learning rate
    # TODO 3  keep the loss as a float, tell on_step
    raise NotImplementedError("TODO train")
    return losses


def save(path, model, optimizer):
    """Write everything that the next step depends on to one .npz file, or nothing at all.

    It holds the config, every parameter under its name, and all of the optimiser's numbers.
    """
    # TODO 1  arrays by name: the parameters, and all that arrays_in finds in the optimiser
    # TODO 2  as text (repr): the config, and the plain numbers of the optimiser (t, lr, betas, ...)
    # TODO 3  np.savez to another name in the same folder, then os.replace
    raise NotImplementedError("TODO save")


def load(path):
    """Read what `save` wrote: -> (model, optimizer), ready to go on with the very next step."""
    # TODO 1  a model of the saved config and type; its weights, written with p.data[...] = ...
    # TODO 2  an optimiser for it, with all of its numbers as they were, its arrays written in place
    raise NotImplementedError("TODO load")


def arrays_in(tree):
    """Every array inside nested dicts and lists, in order: {"m": [a, b], "t": 3} gives [a, b]. Given."""
    if isinstance(tree, np.ndarray):
        return [tree]
    branches = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return [array for branch in branches for array in arrays_in(branch)]
