"""What must run beside the student's code: loops, callbacks, graphs, models that take notes.

A test names one of these and passes its inputs; the checker judges what comes back. They are the
same for visible and hidden tests, and hold no inputs and no expected values. `find` gives the
student's function of a name.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from itertools import islice
from types import SimpleNamespace
from typing import Any

import numpy as np


class Watched:
    """A model that passes every call on, and notes the ids shown and what its caches held."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.config = model.config
        self.shown: list[np.ndarray] = []
        self.cached: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    def __call__(self, ids: Any, caches: Any = None) -> Any:
        self.shown.append(np.array(ids))
        self.cached.append(len(caches[0]) if caches else -1)
        return self.model(ids, caches)


class Scripted:
    """A model whose logits depend on the last id alone: row `id` of a table (V, V)."""

    def __init__(self, table: np.ndarray, block_size: int, tensor: Callable) -> None:
        self.table, self.tensor = table, tensor
        self.config = SimpleNamespace(block_size=block_size, n_layer=1, vocab_size=len(table))
        self.params: dict = {}

    def __call__(self, ids: Any, caches: Any = None) -> Any:
        return self.tensor(self.table[np.asarray(ids)])


def train(
    find: Callable,
    model: Any,
    batches: list,
    steps: int,
    optimizer: Any,
    lrs: list,
    notify: bool = True,
) -> dict:
    """Run the student's `train`; lrs[step] is the schedule. What was asked and told comes back.

    taken_then: how many steps the optimiser had taken each time that on_step was told.
    """
    asked: list[int] = []
    taken_then: list[int] = []
    told: list[list] = []
    taken: list[int] = []

    def schedule(step: int) -> float:
        asked.append(step)
        if step >= len(lrs):
            raise IndexError(f"schedule was asked for step {step}; the last is {len(lrs) - 1}")
        return lrs[step]

    def counted() -> Iterator[Any]:
        for number, batch in enumerate(batches):
            taken.append(number)
            yield batch

    def on_step(step: int, loss: float) -> None:
        told.append([step, loss])
        taken_then.append(optimizer.t)

    losses = find("train")(
        model, counted(), steps, optimizer, schedule, on_step if notify else None
    )
    notes = {"asked": asked, "told": told, "taken": len(taken), "taken_then": taken_then}
    return {"losses": losses} | notes


def generate(
    find: Callable, model: Any, ids: list, max_new_tokens: int, rng: Any, options: dict
) -> dict:
    """Run the student's `generate` on a model that takes notes.

    shown: the ids of each call; cached: how many positions the first cache held then, -1 without.
    """
    watched = Watched(model)
    new = find("generate")(watched, ids, max_new_tokens, rng, **options)
    return {"new": new, "shown": watched.shown, "cached": watched.cached}


def generate_scripted(
    find: Callable,
    table: np.ndarray,
    block_size: int,
    ids: list,
    max_new_tokens: int,
    rng: Any,
    options: dict,
) -> dict:
    """Run the student's `generate` on a model whose next token depends on the last one alone."""
    return generate(
        find, Scripted(table, block_size, find("Tensor")), ids, max_new_tokens, rng, options
    )


def without_gradients(find: Callable, name: str, args: list) -> Any:
    """Call the student's function `name` inside the course's no_grad."""
    with find("no_grad")():
        return find(name)(*args)


def combine(find: Callable, parents: list, factors: list) -> Any:
    """A node of a graph, made with Tensor.op: the sum of factor * parent.

    A factor of 1 hands on the very array that the node got, as + does. A factor of None adds
    nothing and hands on None, as to a parent that only chooses.
    """
    taken = [f * parent.data for f, parent in zip(factors, parents, strict=True) if f is not None]
    data = sum(taken, np.zeros_like(parents[0].data))

    def vjp(grad: np.ndarray) -> tuple:
        return tuple(grad if f == 1 else None if f is None else f * grad for f in factors)

    return find("Tensor").op(data, tuple(parents), vjp)


def backward_of_each(find: Callable, results: list, leaf: Any) -> list:
    """Walk back from one result after the other: the leaf's gradient after each, all kept."""
    kept = []
    for result in results:
        result.backward()
        kept.append(leaf.grad)
    return kept


def chain(find: Callable, start: Any, length: int) -> Any:
    """A graph as deep as `length`: each node is the one before it, made with Tensor.op."""
    op, node = find("Tensor").op, start
    for _ in range(length):
        node = op(node.data, (node,), lambda grad: (grad,))
    return node


def chain_of_values(find: Callable, start: Any, length: int) -> Any:
    """The same of scalars: each Value is made by hand from the one before it."""
    make, value = find("Value"), start
    for _ in range(length):
        value = make(value.data, (value,), (1.0,))
    return value


def ladder(find: Callable, start: Any, rungs: int, far_first: bool = False) -> int:
    """Walk back down a ladder whose every node is the sum of the two below it.

    far_first   of its two parents the lower one is named first

    What comes back is how often a node was asked for the gradients of its parents.
    """
    op, below, node, asked = find("Tensor").op, start, start, []

    def vjp(grad: np.ndarray) -> tuple:
        asked.append(len(asked))
        return grad, grad

    for _ in range(rungs):
        parents = (below, node) if far_first else (node, below)
        below, node = node, op(node.data + below.data, parents, vjp)
    node.backward(np.ones_like(node.data))
    return len(asked)


def several(find: Callable, name: str, args: list, count: int) -> dict:
    """The first `count` items that the student's function `name` yields, all kept before a look.

    items, and its arguments as it leaves them
    """
    return {"items": list(islice(find(name)(*args), count)), "args": args}


def in_turn(find: Callable, name: str, calls: list) -> list:
    """What the student's function `name` gives for each list of arguments.

    A dict among them is made for the call, as `under` makes one for each layer, and gone after it.
    """
    function = find(name)
    return [function(*({**a} if isinstance(a, dict) else a for a in args)) for args in calls]


def move(find: Callable, tensors: list, arrays: list) -> None:
    """Give each tensor new numbers in a new place, as AdamW does when it gathers the weights."""
    for tensor, array in zip(tensors, arrays, strict=True):
        tensor.data = np.array(array, tensor.data.dtype)


def add_up(find: Callable, start: Any, addends: list) -> Any:
    """A running sum, as every loop makes one."""
    total = start
    for addend in addends:
        total += addend
    return total


class Fixed(random.Random):
    """A generator of one number."""

    def __init__(self, u: float) -> None:
        super().__init__(0)
        self.u = u

    def random(self) -> float:
        return self.u


def sample_at(find: Callable, z: np.ndarray, u: float) -> Any:
    """What the student's `sample` draws when the random number is u."""
    return find("sample")(z, Fixed(u))


def arguments_after(find: Callable, name: str, args: list) -> dict:
    """Call the student's function `name`: its result, and its arguments as it leaves them."""
    result = find(name)(*args)
    return {"result": result, "args": args}


def rename(find: Callable, old: str, new: str) -> None:
    """Give a file that the student's code wrote another name."""
    os.replace(old, new)


def save(find: Callable, path: str, model: Any, optimizer: Any) -> dict:
    """Run the student's `save` into a folder made for it, and note what it does with files.

    opened: names of the files that it opened for writing; renamed: [from, to] of each renaming;
    removed: names of those that it removed; left: what the folder holds in the end. A name with a
    slash is one of another folder.
    """
    folder = os.path.dirname(path) or "."
    os.makedirs(folder, exist_ok=True)
    opened, renamed, removed = [], [], []

    home = os.path.realpath(folder)

    def name_of(path: Any) -> str:
        place, name = os.path.split(os.path.realpath(os.fsdecode(path)))
        return name if place == home else f"{place}/{name}"

    def note(event: str, args: tuple) -> None:
        if event == "open" and not isinstance(args[0], int) and args[2] & (os.O_WRONLY | os.O_RDWR):
            opened.append(name_of(args[0]))
        if event == "os.rename":
            renamed.append([name_of(args[0]), name_of(args[1])])
        if event == "os.remove":
            removed.append(name_of(args[0]))

    with listening(note):
        find("save")(path, model, optimizer)
    left = sorted(os.listdir(folder))
    return {"opened": opened, "renamed": renamed, "removed": removed, "left": left}


LISTENERS: list[Callable] = []


@contextmanager
def listening(note: Callable) -> Iterator[None]:
    """Tell `note` of everything that Python's audit events report inside the `with`."""
    _hook_up()
    LISTENERS.append(note)
    try:
        yield
    finally:
        LISTENERS.remove(note)


@cache
def _hook_up() -> None:
    """Once for all: an audit hook cannot be taken away again."""
    sys.addaudithook(lambda event, args: [note(event, args) for note in tuple(LISTENERS)])


def scale_gradients(find: Callable, tensors: list, factor: float) -> None:
    """Shrink or stretch the gradients where they are, as clipping may."""
    for tensor in tensors:
        tensor.grad *= factor


SCENARIOS: dict[str, Callable] = {
    function.__name__: function
    for function in (
        train,
        generate,
        generate_scripted,
        without_gradients,
        combine,
        backward_of_each,
        chain,
        chain_of_values,
        ladder,
        several,
        in_turn,
        move,
        add_up,
        sample_at,
        arguments_after,
        rename,
        save,
        scale_gradients,
    )
}
