"""Notes what a running model hands to the course's functions, and what they hand back.

This is the worker's side: it runs beside the student's code, and holds no values of its own. What
is to be run comes with the request; `grader/divergence.py` compares what comes back.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import re
import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

MOST = 2000  # calls; a model that makes more has lost its way
LAYER = re.compile(r"layer(\d+)\.(.+)")
NO_LAYER = -1


class Notes:
    """The calls so far, in order, and which are open.

    tensors   the name of each weight, by the id of its Tensor: so a call is told by its weights
    """

    def __init__(self) -> None:
        self.calls: list[dict] = []
        self.open: list[dict] = []
        self.tensors: dict[int, str] = {}
        self.clock = 0
        self.run = 0  # how often the model has been called

    def label(self, weights: dict[str, Any]) -> dict[str, Any]:
        """The same weights, known by their names from now on."""
        self.tensors |= {id(tensor): name for name, tensor in weights.items()}
        return weights

    def enter(self, name: str, arguments: list[tuple[str, Any]]) -> dict:
        self.run += name == "GPT.__call__"
        layer, weights = self.place([value for _, value in arguments])
        call = {
            "name": name,
            "run": self.run,
            "layer": layer,
            "weights": weights,
            "given": [[argument, array_of(value)] for argument, value in arguments],
            "gave": None,
            "entered": self.tick(),
            "left": 0,
        }
        self.calls.append(call)
        self.open.append(call)
        if len(self.calls) > MOST:
            raise OverflowError(f"more than {MOST} calls")
        return call

    def leave(self, call: dict, result: Any) -> None:
        while self.open and self.open.pop() is not call:
            pass
        call["gave"], call["left"] = arrays_in(result), self.tick()

    def tick(self) -> int:
        self.clock += 1
        return self.clock

    def place(self, values: Iterable[Any]) -> tuple[int, str]:
        """The layer that a call belongs to, and the one weight that it was handed, if any.

        What was handed no weight belongs where the call around it does.
        """
        for value in values:
            inside = list(value.values()) if type(value) is dict else [value]
            names = [self.tensors[id(item)] for item in inside if id(item) in self.tensors]
            for name in names:
                found = LAYER.fullmatch(name)
                layer, short = (int(found[1]), found[2]) if found else (NO_LAYER, name)
                return layer, short if type(value) is not dict else ""
        return (self.open[-1]["layer"] if self.open else NO_LAYER), ""


def array_of(value: Any) -> np.ndarray | None:
    """The numbers of a Tensor, an array, a list or a number; None for everything else."""
    data = getattr(value, "data", value) if not isinstance(value, np.ndarray) else value
    if type(data) in (list, tuple, int, float):
        with contextlib.suppress(ValueError):
            data = np.asarray(data)
    plain = type(data) is np.ndarray or isinstance(data, np.generic)
    return np.array(data) if plain and data.dtype.kind in "iuf" else None


def arrays_in(result: Any) -> list[np.ndarray]:
    """The arrays of a result, which may be several."""
    parts = result if type(result) is tuple else (result,)
    return [array for part in parts if (array := array_of(part)) is not None]


@contextlib.contextmanager
def listening(notes: Notes, course: Any, names: Iterable[str]) -> Iterator[None]:
    """Inside, every call of these functions and methods of the course is noted.

    A function is replaced wherever a file of the course knows it, under whatever name.
    """
    found = {}
    for name in names:  # all are looked up first: looking up may import another file
        with contextlib.suppress(Exception):  # one that is not there makes no calls
            found[name] = getattr(course, name.partition(".")[0])
    put_back: list[Callable[[], None]] = []
    try:
        for name, original in found.items():
            method = name.partition(".")[2]
            if not method:
                noted = noting(notes, name, original)
                put_back += [bind(home, original, noted) for home in homes(course)]
            elif method in vars(original):
                put_back.append(
                    functools.partial(setattr, original, method, vars(original)[method])
                )
                setattr(original, method, noting(notes, name, vars(original)[method]))
        yield
    finally:
        for undo in reversed(put_back):
            undo()


def homes(course: Any) -> list[dict]:
    """Every namespace in which the course's functions look names up, borrowed ones among them."""
    modules = [vars(module) for module in course.loaded()]
    functions = [f for home in modules for f in functions_in(home)]
    return list(
        {id(home): home for home in [*modules, *(f.__globals__ for f in functions)]}.values()
    )


def functions_in(home: dict) -> Iterator[types.FunctionType]:
    for value in list(home.values()):
        members = list(vars(value).values()) if isinstance(value, type) else [value]
        yield from (inspect.unwrap(m) for m in members if isinstance(m, types.FunctionType))


def bind(home: dict, original: Any, noted: Any) -> Callable[[], None]:
    """Put `noted` in the place of `original`. -> what takes it back"""
    names = [name for name, value in home.items() if value is original]
    home.update(dict.fromkeys(names, noted))
    return lambda: home.update(dict.fromkeys(names, original))


def noting(notes: Notes, name: str, function: Callable) -> Callable:
    """The function, every call of which is noted."""
    try:
        parameters = [p for p in inspect.signature(function).parameters if p != "self"]
    except (TypeError, ValueError):
        parameters = []
    method = "." in name

    @functools.wraps(function)
    def noted(*args: Any, **kwargs: Any) -> Any:
        own = args[1:] if method else args
        arguments = list(zip(parameters, own)) + [
            (p, kwargs[p]) for p in parameters[len(own) :] if p in kwargs
        ]
        if name == "AdamW.step" and hasattr(notes, "model"):
            arguments += [(f"gradient of {n}", p.grad) for n, p in notes.model.params.items()]
        call = notes.enter(name, arguments)
        result = function(*args, **kwargs)
        notes.leave(call, result)
        return result

    return noted


# what can be run


def blocks(course: Any, notes: Notes, plan: dict) -> dict:
    """One batch up through the blocks, and back; then in two parts, with caches."""
    config = config_of(course, plan)
    weights = notes.label({name: course.Tensor(w) for name, w in plan["weights"].items()})
    layers = [
        {name[len(start) :]: w for name, w in weights.items() if name.startswith(start)}
        for start in (f"layer{i}." for i in range(config.n_layer))
    ]
    x = course.Tensor(plan["x"])
    for layer in layers:
        x = course.block(x, layer, config)
    x.backward(np.ones_like(x.data))
    caches = caches_of(course, config)
    for part in np.array_split(plan["x"], 2, axis=1) if caches else ():
        notes.run += 1
        y = course.Tensor(part)
        for layer, cache in zip(layers, caches):
            y = course.block(y, layer, config, cache)
    return weights


def model(course: Any, notes: Notes, plan: dict) -> dict:
    """The loss of one batch, and back; then the same ids in three parts, with caches."""
    gpt = build(course, notes, plan)
    gpt.loss(plan["ids"], plan["targets"]).backward()
    caches = caches_of(course, gpt.config)
    for part in np.array_split(plan["ids"], 3, axis=1) if caches else ():
        gpt(part, caches)
    return gpt.params


def train(course: Any, notes: Notes, plan: dict) -> dict:
    """A few steps of the student's training loop."""
    gpt = notes.model = build(course, notes, plan)
    optimizer = course.AdamW(gpt.params, 0.1)
    batches = iter([(plan["ids"], plan["targets"]), (plan["targets"], plan["ids"])] * 2)
    course.train(gpt, batches, len(plan["rates"]), optimizer, lambda step: plan["rates"][step])
    return {}


def generate(course: Any, notes: Notes, plan: dict) -> dict:
    """A few tokens, with every knob turned."""
    gpt = build(course, notes, plan)
    rng = np.random.default_rng(plan["seed"])
    prompt = [int(id) for id in plan["ids"][0, :2]]
    course.generate(gpt, prompt, plan["tokens"], rng, **plan["knobs"])
    return {}


def caches_of(course: Any, config: Any) -> list[Any]:
    """A cache for each layer; none while the cache is still to do, which only exercise 10 needs."""
    try:
        return [course.KVCache() for _ in range(config.n_layer)]
    except NotImplementedError:
        return []


def build(course: Any, notes: Notes, plan: dict) -> Any:
    """The student's model with the weights of the plan, in float64."""
    gpt = course.GPT(config_of(course, plan), np.random.default_rng(0), dtype=np.float64)
    for name, values in plan["weights"].items():
        gpt.params[name].data[...] = values
    notes.label(gpt.params)
    return gpt


def config_of(course: Any, plan: dict) -> Any:
    make = {"microgpt": course.GPTConfig.microgpt, "gpt2": course.GPTConfig.gpt2}[plan["preset"]]
    return make(**plan["sizes"])


RUNS: dict[str, Callable] = {f.__name__: f for f in (blocks, model, train, generate)}


def record(course: Any, plan: dict) -> dict:
    """Run the plan: its calls in order, the gradients of the weights after it, whether it ended.

    A run that breaks off in the middle gives what it had come to.
    """
    notes, weights, ended = Notes(), {}, False
    with contextlib.suppress(Exception), listening(notes, course, plan["watched"]):
        weights = RUNS[plan["run"]](course, notes, plan)
        ended = True
    gradients = {name: array_of(tensor.grad) for name, tensor in weights.items()}
    return {"calls": notes.calls[:MOST], "gradients": gradients, "ended": ended}
