"""Where a model whose parts all pass first does something else than the reference.

A plan says what to run, on fixed weights. The calls that the student's code makes to the course's
functions are compared, in the reference's order, with those that the reference made:

    layer0 self_attention, third call: max difference 0.3 at [0, 2, 1]

In a student's bundle, which has no reference, its calls stand in a file beside the tests.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from . import wire
from .assembly import Plan, Target
from .course import ROOT, Course
from .language import _, later
from .process import Crashed, TimedOut, Worker

VISIBLE, FILE = ROOT / "tests" / "visible", "reference.calls"
SECONDS = 10.0  # for each run of a model that is whole
RTOL, ATOL = 1e-6, 1e-9
B, T, V, C, L = 2, 5, 7, 4, 2
ORDINALS = (
    *(later("first"), later("second"), later("third"), later("fourth"), later("fifth")),
    *(later("sixth"), later("seventh"), later("eighth"), later("ninth"), later("tenth")),
)

WATCHED = (
    "embedding linear relu gelu softmax cross_entropy rmsnorm layernorm split_heads merge_heads"
    " attention_weights causal_attention self_attention mlp block GPT.__call__ GPT.loss"
    " Tensor.backward AdamW.step train temperature top_k top_p sample generate"
).split()
# Whoever calls one of these at all calls it wherever the model has one.
LANDMARKS = ("block", "self_attention", "mlp", "rmsnorm", "layernorm")
# What these are handed has one shape, whatever the style.
STRICT = (*LANDMARKS, "attention_weights", "causal_attention", "GPT.__call__", "AdamW.step")
LOOPS = ("train", "generate")  # the calls inside are what they promise
# Which runs show how each piece is put together.
RUNS_OF = {
    "ex07.block": ("blocks",),
    "ex07.GPT": ("model",),
    "ex07.variants": ("model", "gpt2"),
    "ex09.train": ("train",),
    "ex10.generate": ("generate",),
}


@dataclass(frozen=True)
class Recording:
    """The calls of one run, in order, the gradients of the weights after it, whether it ended."""

    calls: tuple[dict, ...]
    gradients: dict[str, np.ndarray | None]
    ended: bool

    @classmethod
    def of(cls, answer: Any) -> Recording:
        """The recording in an answer. Raises WireError for one that has not its form."""
        if not is_recording(answer):
            raise wire.WireError("the worker answered with something else than a recording")
        return cls(tuple(answer["calls"]), answer["gradients"], answer["ended"])

    @property
    def runs(self) -> int:
        """How often the model was called."""
        return max((call["run"] for call in self.calls), default=0)


CALL = {"name": str, "run": int, "layer": int, "weights": str, "entered": int, "left": int}


def is_recording(answer: Any) -> bool:
    """Whether the answer has the form of one; its values may be any."""
    return (
        type(answer) is dict
        and answer.keys() == {"calls", "gradients", "ended"}
        and type(answer["calls"]) is list
        and all(map(is_call, answer["calls"]))
        and type(answer["gradients"]) is dict
        and all(array is None or is_array(array) for array in answer["gradients"].values())
        and type(answer["ended"]) is bool
    )


def is_call(call: Any) -> bool:
    return (
        type(call) is dict
        and call.keys() == {*CALL, "given", "gave"}
        and all(type(call[name]) is kind for name, kind in CALL.items())
        and type(call["given"]) is list
        and all(map(is_argument, call["given"]))
        and (call["gave"] is None or type(call["gave"]) is list)
        and all(map(is_array, call["gave"] or ()))
    )


def is_argument(pair: Any) -> bool:
    """Whether it is [name, array or None]."""
    named = type(pair) is list and len(pair) == 2 and type(pair[0]) is str
    return named and (pair[1] is None or is_array(pair[1]))


def is_array(array: Any) -> bool:
    return type(array) is np.ndarray and array.dtype.kind in "iuf"


@cache
def plans() -> dict[str, dict]:
    """What is run, by name: plain data for the worker."""
    rng = np.random.default_rng(7)
    ids, targets = rng.integers(V, size=(2, B, T))
    usual = {
        "watched": WATCHED,
        "preset": "microgpt",
        "sizes": {"vocab_size": V, "block_size": T + 3, "n_layer": L, "n_head": 2, "n_embd": C},
        "weights": {name: rng.normal(0, 0.5, shape) for name, shape in shapes(gpt2=False).items()},
        "ids": ids,
        "targets": targets,
    }
    ours = {name: rng.normal(0, 0.5, shape) for name, shape in shapes(gpt2=True).items()}
    x = rng.normal(size=(B, T, C))
    knobs = {"t": 0.7, "k": 5, "p": 0.9}
    return {
        "blocks": usual | {"run": "blocks", "x": x},
        "model": usual | {"run": "model"},
        "gpt2": usual | {"run": "model", "preset": "gpt2", "weights": ours},
        "train": usual | {"run": "train", "rates": [0.1, 0.05, 0.02]},
        "generate": usual | {"run": "generate", "seed": 3, "tokens": 4, "knobs": knobs},
    }


def shapes(gpt2: bool) -> dict[str, tuple[int, ...]]:
    """The weights of the model that the plans run."""
    found: dict[str, tuple[int, ...]] = {"wte": (V, C), "wpe": (T + 3, C)}
    found |= {"norm_gain": (C,), "norm_bias": (C,)} if gpt2 else {"lm_head": (V, C)}
    for layer in (f"layer{i}." for i in range(L)):
        found |= {f"{layer}attn_{w}": (C, C) for w in ("wq", "wk", "wv", "wo")}
        found |= {f"{layer}mlp_fc1": (4 * C, C), f"{layer}mlp_fc2": (C, 4 * C)}
        if gpt2:
            found |= {f"{layer}attn_{b}": (C,) for b in ("bq", "bk", "bv", "bo")}
            found |= {f"{layer}mlp_b1": (4 * C,), f"{layer}mlp_b2": (C,)}
            found |= {f"{layer}norm{j}_{p}": (C,) for j in (1, 2) for p in ("gain", "bias")}
    return found


# what the reference does


@cache
def recorded(course: Course, reference: Path) -> dict[str, Recording]:
    """Every run of the reference, here in the checker."""
    from . import diagnosis

    bench = diagnosis.stand_in("ex10_sampling", course, reference)
    try:
        answers = {name: bench.ask(request(plan)) for name, plan in plans().items()}
    finally:
        bench.close()
    return {name: Recording.of(answer["value"]) for name, answer in answers.items()}


def request(plan: dict) -> dict:
    """What a worker is asked, to run the plan."""
    return {"op": "record", "plan": plan}


def write(recordings: dict[str, Recording]) -> bytes:
    """The content of the file for a bundle."""
    table = {
        name: {"calls": list(r.calls), "gradients": r.gradients, "ended": r.ended}
        for name, r in recordings.items()
    }
    return zlib.compress(wire.encode(table), 9)


def read(file: Path) -> dict[str, Recording]:
    """The recordings in a file. One that is missing or damaged holds none."""
    try:
        table = wire.decode(zlib.decompress(file.read_bytes()))
        return {name: Recording.of(answer) for name, answer in table.items()}
    except (OSError, zlib.error, wire.WireError, KeyError, TypeError, AttributeError):
        return {}


# the comparison


def first(yours: Recording, reference: Recording) -> str | None:
    """The first place at which your run is not the reference's, in words. None: it is the same.

    What differs inside a call that gives what it should is a matter of style.
    """
    mine, right = by_key(yours), by_key(reference)
    partners = matched(mine, right)
    agreed, trusted = "", 0  # the last call that agreed; until when nothing is asked
    for call, moment in moments(reference):
        if call[moment] <= trusted:
            continue
        if call["run"] > yours.runs and call["name"] == "GPT.__call__":
            return with_agreed(fewer_runs(yours, reference), agreed) if yours.ended else None
        other = partners.get(call["entered"])
        if other and moment == "entered" and call["name"] not in LOOPS and alike(other, call):
            trusted, agreed = call["left"], where(call, right)
            continue
        said = missing(call, mine, right) if yours.ended and moment == "entered" else ""
        if not said and other:
            said = at_moment(moment, other, call, where(call, right))
        if said:
            return with_agreed(said, agreed)
        if other and moment == "left":
            agreed = where(call, right)
    return gradient(yours, reference)


def matched(mine: dict[tuple, list], right: dict[tuple, list]) -> dict[int, dict]:
    """Your call for each of the reference's, by when that began; none where you wrote it otherwise.

    A call is told by its layer and its weights, and counts if made as often as in the reference.
    """
    return {
        call["entered"]: other
        for key, calls in right.items()
        if len(mine[key]) == len(calls)
        for call, other in zip(calls, paired(mine[key], calls))
        if call["name"] in STRICT or not reshaped(other, call)
    }


def alike(yours: dict, call: dict) -> bool:
    """Whether it was handed the same and gave the same; a call that gives nothing says nothing."""
    return (
        bool(yours["gave"]) and not given_otherwise(yours, call) and not gave_otherwise(yours, call)
    )


def reshaped(yours: dict, call: dict) -> bool:
    """Whether it was handed arrays of other shapes, as a flat view of all positions."""
    pairs = zip(yours["given"], call["given"])
    both = [(a, b) for (_, a), (_, b) in pairs if a is not None and b is not None]
    return any(a.shape != b.shape for a, b in both)


def at_moment(moment: str, yours: dict, call: dict, called: str) -> str:
    """What differs where a call begins, or where it ends."""
    if moment == "entered":
        said = given_otherwise(yours, call)
        return f"{called}{',' if ',' in called else ''} {said}" if said else ""
    said = gave_otherwise(yours, call)
    return f"{called}: {said}" if said else ""


def with_agreed(said: str, agreed: str) -> str:
    return (
        said + "; " + _("all before it agrees, last {call}").format(call=agreed) if agreed else said
    )


def by_key(recording: Recording) -> dict[tuple, list]:
    """The calls that are the same but for their order."""
    found: dict[tuple, list] = defaultdict(list)
    for call in recording.calls:
        found[key(call)].append(call)
    return found


def key(call: dict) -> tuple:
    return call["run"], call["layer"], call["name"], call["weights"]


def number_of(call: dict, recorded: dict[tuple, list]) -> int:
    """Its number among the calls that are the same but for their order."""
    return [other["entered"] for other in recorded[key(call)]].index(call["entered"])


def paired(mine: list[dict], right: list[dict]) -> list[dict]:
    """For each of the reference's calls that of yours which was given the same, if there is one.

    Queries, keys and values may be split into heads in any order. The others follow in order.
    """
    left = list(mine)
    found: list[dict | None] = []
    for call in right:
        same = next((other for other in left if not given_otherwise(other, call)), None)
        left = [other for other in left if other is not same]
        found.append(same)
    return [same or left.pop(0) for same in found]


def moments(recording: Recording) -> list[tuple[dict, str]]:
    """Each call twice, when it is "entered" and when it is "left", in the order of events."""
    found = [(call, moment) for call in recording.calls for moment in ("entered", "left")]
    return sorted(found, key=lambda pair: pair[0][pair[1]])


def missing(call: dict, mine: dict[tuple, list], right: dict[tuple, list]) -> str:
    """Words for a part of the model that is there more or less often than in the reference."""
    yours, expected = len(mine[key(call)]), len(right[key(call)])
    elsewhere = any(name == call["name"] for _, _, name, _ in (k for k in mine if mine[k]))
    if yours == expected or not elsewhere or call["name"] not in LANDMARKS:
        return ""
    within = _(" in the model's {run}").format(run=ordinal(call["run"])) if call["run"] > 1 else ""
    return _("{call} is called {yours}{within}, by the reference {expected}").format(
        call=place(call), yours=times(yours), within=within, expected=times(expected)
    )


def fewer_runs(yours: Recording, reference: Recording) -> str:
    return _("model is called {yours}, by the reference {expected}").format(
        yours=times(yours.runs), expected=times(reference.runs)
    )


def given_otherwise(yours: dict, call: dict) -> str:
    """Words for the first argument that is another, if one is."""
    for (name, mine), (_name, right) in zip(yours["given"], call["given"]):
        if mine is None and right is not None:
            return _("is given no {argument}").format(argument=name)
        if mine is not None and right is not None and (said := unlike(mine, right)):
            return _("is given another {argument}: {difference}").format(
                argument=name, difference=said
            )
    return ""


def gave_otherwise(yours: dict, call: dict) -> str:
    """Words for a result that is another."""
    if yours["gave"] is None:
        return _("it did not come back from there")
    return next(filter(None, map(unlike, yours["gave"], call["gave"])), "")


def unlike(mine: np.ndarray, right: np.ndarray) -> str:
    """How two arrays differ; "" where they do not."""
    if mine.shape != right.shape:
        return _("shape {mine}, expected {right}").format(mine=mine.shape, right=right.shape)
    if np.allclose(mine, right, rtol=RTOL, atol=ATOL, equal_nan=True):
        return ""
    with np.errstate(invalid="ignore"):
        distance = np.asarray(np.abs(np.subtract(mine, right, dtype=np.float64)))
    distance[np.isnan(distance) & ~(np.isnan(mine) & np.isnan(right))] = np.inf
    distance[np.isnan(distance)] = 0.0
    worst = np.unravel_index(np.argmax(distance), distance.shape)
    if not worst:
        return _("{mine:.6g}, expected {right:.6g}").format(mine=float(mine), right=float(right))
    place = "[" + ", ".join(map(str, worst)) + "]"
    return _("max difference {size:.2g} at {place}").format(size=distance[worst], place=place)


def gradient(yours: Recording, reference: Recording) -> str | None:
    """The first gradient, from the end of the model, that is another where every value agrees."""
    for name, right in reversed(reference.gradients.items()):
        mine = yours.gradients.get(name)
        if right is None or not yours.gradients:
            continue
        said = _("there is none") if mine is None else unlike(mine, right)
        if said:
            return _("every value agrees, but not the gradient of {name}: {difference}").format(
                name=name, difference=said
            )
    return None


# words


def where(call: dict, right: dict[tuple, list]) -> str:
    """Which call it is: "layer0 self_attention, third call"."""
    words = place(call)
    if len(right[key(call)]) > 1:
        words += ", " + ordinal(number_of(call, right) + 1)
        return words + _(" in the model's {run}").format(run=ordinal(call["run"])) * (
            call["run"] > 1
        )
    return words + (", " + ordinal(call["run"]) if call["run"] > 1 else "")


def place(call: dict) -> str:
    """ "layer0 linear with attn_wq", "model"."""
    name = {"GPT.__call__": "model", "GPT.loss": "model.loss"}.get(call["name"], call["name"])
    layer = f"layer{call['layer']} " if call["layer"] >= 0 else ""
    return layer + (_("{name} with {weights}") if call["weights"] else "{name}").format(
        name=name, weights=call["weights"]
    )


def ordinal(number: int) -> str:
    known = 0 < number <= len(ORDINALS)
    word = _(ORDINALS[number - 1]) if known else _("{n}th").format(n=number)
    return _("{ordinal} call").format(ordinal=word)


def times(number: int) -> str:
    return {0: _("never"), 1: _("once"), 2: _("twice")}.get(number, _("{n} times").format(n=number))


def said(found: str | None) -> str:
    """The line for a report; "" where nothing was found."""
    return _("first difference: {found}").format(found=found) if found else ""


def sought(piece: str, ask: Callable[[dict], dict], recordings: dict[str, Recording]) -> str:
    """The line for a piece that fails. `ask` hands a request to the worker that holds it."""
    for run in RUNS_OF.get(piece, ()):
        if run in recordings:
            answer = ask(request(plans()[run]))
            if "value" not in answer:
                continue
            if found := first(Recording.of(answer["value"]), recordings[run]):
                return said(found)
    return ""


def of_whole(target: Target, course: Course) -> str:
    """The same for a model whose finale fails: every run, on the target's own files alone."""
    reference = ROOT / "solutions"
    known = recorded(course, reference) if reference.is_dir() else read(VISIBLE / FILE)
    worker = Worker()
    try:
        worker.begin()
        answer = worker.ask(
            {
                "op": "load",
                "exercise": "ex10_sampling",
                "modules": Plan().modules(course, target, reference),
                "names": {u: p.exercise for p in course.pieces.values() for u in p.units},
            },
            SECONDS,
        )
        pieces = RUNS_OF if "error" not in answer else ()
        found = (sought(piece, partial(worker.ask, seconds=SECONDS), known) for piece in pieces)
        return next(filter(None, found), "")
    except (TimedOut, Crashed, wire.WireError):
        return ""
    finally:
        worker.close()
