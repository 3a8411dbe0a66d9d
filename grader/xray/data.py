"""The page's data: one JSON object, from which page.py makes the page and nothing else.

An array is {"shape": [2, 3], "f32": "..."}: its numbers in reading order, float32, little-endian,
in base64; written A(2, 3) below. A gradient is {"shape", "i16", "scale"}: 16-bit integers n, which
stand for n * scale / 32767. T positions, V tokens of the vocabulary, L layers, H heads, C channels,
as everywhere; P parts, S snapshots. Whatever could not be seen is null, and `not_observable` says
why.

    schema          1
    text            "emma"
    kind            "documents": BOS stands before and after; "text": a piece of running text
    tokens, ids     T of each: ["BOS", "e", "m", "m", "a"], [26, 4, ...]: what the model reads
    next            T ids: what really came next; -1 where that is not known
    vocab           V tokens as they are shown; the last is "BOS"
    cut             how many characters at the end did not fit the block, and were left out
    config          GPTConfig's fields: n_layer, n_head, norm, final_norm, tied_head, ...
    model           {"target": "exercises", "preset": "microgpt",
                     "checkpoint": ".glassbox/checkpoints/microgpt.npz" or null: there is none,
                     "steps": 4210; 0: untrained; null: not known, in a notebook,
                     "parameters": 4192, "data": "first_names.txt",
                     "loss": nats per character on this text,
                     "borrowed": ["ex05.layernorm"]: pieces taken from the reference}

    logits          A(T, V), as the student's model gave them
    probabilities   A(T, V), their softmax
    attention       A(L, H, T, T): row = who looks, column = at whom
    lens            A(L + 1, T, V): logits if the model ended after the embedding, after layer 0,
                    ...: the student's own final norm and head on the residual stream there
    lens_error      the largest difference of its last row from `logits`
    targets         T ids: `next`, and where that is -1 the most probable token
    moved           A(T, T): row t, column s: gradient x input, summed over C, of the logit of
                    targets[t] with respect to the embedding of tokens[s]; by the student's backward
    contributions   {"parts": P x {"id": "layer0.head2", "kind": "embedding|head|mlp|bias",
                                   "layer": 0 or null, "head": 2 or null},
                     "values": A(T, P, V): what each part adds to each logit, with the scale of
                               the norms on the way held fixed; the sum over P is the logit,
                     "error": the largest difference of that sum from `logits`}

    parameters      {"wte": {"data": A, "grad": A or null}, ...}; gradients are those of the loss
    values          the arrays that the model made or was given, in the order they were seen:
                    {"shape": [1, 5, 16], "dtype": "float32",
                     "data": A; null if `parameter`, or if it was too large to be kept,
                     "grad": A or null: of the loss, as the student's backward handed it on,
                     "least", "most": its smallest and largest number,
                     "parameter": "layer0.attn_wq" or null: look in `parameters`,
                     "made_at": place or null: the line that made the node}
    calls           in the order they began; a call's number is its place in the list:
                    {"name": "self_attention" or "Tensor.__add__", "layer": 0 or null,
                     "parent": the number of the call it was made in, or null, "depth": 0, 1, ...,
                     "at": place or null: the line that called,
                     "inputs": [{"name": "x", "value": 7} or {"name": "n_head", "text": "4"}],
                     "outputs": [8]: numbers of values,
                     "error": false; true where the call raised}
    backward        numbers of values, in the order in which the student's backward came by
    definitions     {"self_attention": {"file": "exercises/ex06_attention.py", "line": 190,
                                        "source": its lines or null, "borrowed": false}};
                    the source of a borrowed definition is not shown
    not_observable  [{"what": "the logit lens", "why": a sentence, "part": "lens", the field of this
                    data that is null because of it, or null}]

    record          null, or what `train --record` kept, shown on this text:
                    {"steps": S, "positions": R: of a long text only the first R are kept,
                     "embeddings": A(S, V, 2): the rows of wte on the two directions in
                     which the last ones differ most, "explained": the share of their variance,
                     "attention": A(S, L, H, R, R) or null, "probabilities": A(S, R, V),
                     "losses": S x nats per character on this text, "samples": S x [names]}
    curves          null, or the training run: {"step": [...], "seconds": [...], "loss": [...],
                    "held_out": [...], "learning_rate": [...], "gradient_norm": [...],
                    "tokens_a_second": [...]}, of equal lengths, null where nothing was measured
    bias            null, or the answers of bias.py, whose docstring describes them

A place is {"file": "exercises/ex06_attention.py", "line": 201, "code": "return attention(...)" or
null where it is borrowed, "inside": "causal_attention"}: the definition in which the line stands.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..corpus import DOCUMENTS, Corpus
from ..language import _
from . import bias, look

SCHEMA = 1
I16 = 32767  # the largest 16-bit number
BUDGET = 2_100_000  # characters of JSON: with its library the page stays below 3 MB
RECORD_BUDGET = 600_000  # of them


def packed(array: Any) -> dict[str, Any] | None:
    """An array as it stands in the JSON; None stays None."""
    if array is None:
        return None
    array = np.asarray(array)
    numbers = np.ascontiguousarray(array, "<f4").tobytes()
    return {"shape": list(array.shape), "f32": base64.b64encode(numbers).decode("ascii")}


def halved(array: np.ndarray) -> dict[str, Any]:
    """A gradient, which is for looking, in half the bytes: 16-bit shares of its largest number."""
    scale = float(np.abs(array).max(initial=0.0)) or 1.0
    if not math.isfinite(scale):
        return packed(array)
    numbers = np.round(array / scale * I16).astype("<i2").tobytes()
    i16 = base64.b64encode(numbers).decode("ascii")
    return {"shape": list(array.shape), "i16": i16, "scale": scale}


def unpacked(entry: dict[str, Any]) -> np.ndarray:
    """The array that `packed` or `halved` wrote."""
    if "i16" in entry:
        shares = np.frombuffer(base64.b64decode(entry["i16"]), "<i2") / np.float32(I16)
        return (shares * np.float32(entry["scale"])).reshape(entry["shape"])
    return np.frombuffer(base64.b64decode(entry["f32"]), "<f4").reshape(entry["shape"])


def page_data(
    text: str,
    told: dict[str, dict[str, Any]],
    corpus: Corpus,
    model: dict[str, Any],
    curves: dict[str, list] | None = None,
) -> dict[str, Any]:
    """The page's data from what the worker told: gather.py's events by name.

    `model` holds what the worker does not know: target, preset, checkpoint, data, borrowed.
    """
    seen = told["seen"]
    found = look.look(seen)
    parts = found["contributions"]
    data = {
        "schema": SCHEMA,
        "text": text,
        "kind": corpus.kind,
        **{key: seen[key] for key in ("tokens", "ids", "next", "vocab", "cut", "config")},
        "model": model
        | {
            "steps": seen["steps"],
            "loss": finite(seen["loss"]),
            "parameters": sum(p["data"].size for p in seen["parameters"].values()),
        },
        **{key: packed(found[key]) for key in ("logits", "probabilities", "attention", "moved")},
        "lens": packed(seen["lens"]),
        "lens_error": finite(found["lens_error"]),
        "targets": seen["targets"],
        "contributions": parts
        and parts | {"values": packed(parts["values"]), "error": finite(parts["error"])},
        "parameters": {
            name: {"data": packed(p["data"]), "grad": None}
            for name, p in seen["parameters"].items()
        },
        "values": [described(value) for value in seen["values"]],
        **{key: seen[key] for key in ("calls", "backward", "definitions")},
        "not_observable": found["not_observable"] + silent(told, corpus),
        "record": recorded(told.get("snapshots")),
        "curves": curves,
        "bias": answers(told, corpus),
    }
    fill(data, seen)
    return data


def described(value: dict[str, Any]) -> dict[str, Any]:
    """A value without its numbers."""
    array = value["data"]
    return {
        "shape": list(array.shape),
        "dtype": str(array.dtype),
        "data": None,
        "grad": None,
        "least": finite(array.min()) if array.size else None,
        "most": finite(array.max()) if array.size else None,
        "parameter": value["parameter"],
        "made_at": value["made_at"],
    }


def fill(data: dict[str, Any], seen: dict[str, Any]) -> None:
    """Put in gradients and values, those of the outermost calls first, as long as there is room."""
    room = BUDGET - sum(size(entry) for entry in all_packed(data))
    left_out = 0
    for entry, key, array in wanted(data, seen):
        cost = 60 + (8 if key == "grad" else 16) * array.size // 3
        if cost <= room:
            entry[key] = halved(array) if key == "grad" else packed(array)
            room -= cost
        else:
            left_out += 1
    if left_out:
        why = _("the page would be too large with {n} more arrays").format(n=left_out)
        data["not_observable"].append({"part": None, "what": _("the innermost values"), "why": why})


def wanted(data: dict[str, Any], seen: dict[str, Any]) -> Iterator[tuple[dict, str, np.ndarray]]:
    """(where it goes, under which key, the array), the most important first."""
    for name, p in seen["parameters"].items():
        if p["grad"] is not None:
            yield data["parameters"][name], "grad", p["grad"]
    depths = {}
    for call in seen["calls"]:
        for number in (*call["outputs"], *(i["value"] for i in call["inputs"] if "value" in i)):
            depths[number] = min(depths.get(number, math.inf), call["depth"])
    for number in sorted(depths, key=lambda number: (depths[number], number)):
        value, entry = seen["values"][number], data["values"][number]
        if value["parameter"] is None:
            yield entry, "data", value["data"]
            if value["grad"] is not None:
                yield entry, "grad", value["grad"]


def all_packed(tree: Any) -> Iterator[dict[str, Any]]:
    """Every packed array in the data."""
    if isinstance(tree, dict) and "f32" in tree:
        yield tree
    elif isinstance(tree, (dict, list)):
        for item in tree.values() if isinstance(tree, dict) else tree:
            yield from all_packed(item)


def size(entry: dict[str, Any]) -> int:
    return len(entry["f32"]) + 60


def recorded(snapshots: dict[str, Any] | None) -> dict[str, Any] | None:
    """The record, its embeddings drawn on a plane."""
    if snapshots is None:
        return None
    places, explained = plane(snapshots["tables"])
    R = fitting(snapshots["probabilities"], snapshots["attention"])
    attention = snapshots["attention"]
    return {
        "steps": snapshots["steps"],
        "positions": R,
        "embeddings": packed(places),
        "explained": explained,
        "attention": packed(None if attention is None else attention[..., :R, :R]),
        "probabilities": packed(snapshots["probabilities"][:, :R]),
        "losses": [finite(loss) for loss in snapshots["losses"]],
        "samples": snapshots["samples"],
    }


def fitting(probabilities: np.ndarray, attention: np.ndarray | None) -> int:
    """How many positions of the text there is room for: what comes first looks at nothing later."""
    S, T, V = probabilities.shape
    heads = 0 if attention is None else attention.shape[1] * attention.shape[2]
    R = T
    while R > 1 and S * (heads * R * R + R * V) * 16 // 3 > RECORD_BUDGET:
        R -= 1
    return R


def plane(tables: np.ndarray) -> tuple[np.ndarray, float]:
    """(S, V, C) -> (S, V, 2): each table on the two directions in which the last differs most.

    One plane for all, so that what moves has moved. Also the share of the last one's variance.
    """
    last = tables[-1] - tables[-1].mean(0)
    _u, scales, directions = np.linalg.svd(last.astype(np.float64), full_matrices=False)
    axes = directions[:2]
    axes = axes * np.sign(axes[np.arange(2), np.abs(axes).argmax(1)])[:, None]  # one sign, always
    places = (tables - tables[-1].mean(0)) @ axes.T
    return places, float((scales[:2] ** 2).sum() / max((scales**2).sum(), 1e-30))


def answers(told: dict[str, dict[str, Any]], corpus: Corpus) -> dict[str, Any] | None:
    """The part on bias and memory; None of running text, which has no documents to compare."""
    if "surprised" not in told:
        return None
    surprised = told["surprised"]
    return bias.report(
        corpus, told["spoken"]["samples"], surprised["nats"], surprised["characters"]
    )


def silent(told: dict[str, dict[str, Any]], corpus: Corpus) -> list[dict[str, str]]:
    """Why there is nothing to say about what the model prefers."""
    if corpus.kind != DOCUMENTS:
        why = _("a running text has no documents whose first letters and lengths could be compared")
    elif "silent" in told:
        why = told["silent"]["why"]
    else:
        return []
    return [{"part": "bias", "what": _("what the model prefers"), "why": why}]


def finite(number: Any) -> float | None:
    """A number as JSON can say it; None for nan and infinity."""
    if number is None or not math.isfinite(number):
        return None
    return float(number)
