"""What the observed numbers say: probabilities, attention, what moved a prediction, and its parts.

    look(observation)      from what observe.observe saw to arrays, and what could not be had

All of it is arithmetic on arrays that were seen. The student's model is not asked again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..language import _
from .observe import no_lookup, times, told

NORMS = ("norm", "rmsnorm", "layernorm")


class Unseen(Exception):
    """A number that would be needed was not seen; the message says which and why."""


@dataclass(frozen=True)
class Part:
    """What one part of the model adds to the logits (T, V)."""

    kind: str  # embedding | head | attention | mlp | bias
    id: str
    adds: np.ndarray  # to the residual stream (T, C); in the end to the logits
    layer: int | None = None
    head: int | None = None

    def through(self, change: Any) -> Part:
        return Part(self.kind, self.id, change(self.adds), self.layer, self.head)


def look(seen: dict[str, Any]) -> dict[str, Any]:
    """logits, probabilities, attention, moved, lens_error, contributions, not_observable."""
    missing = list(seen["not_observable"])
    logits = seen["logits"].astype(np.float64)
    found = {
        "logits": logits,
        "probabilities": softmax(logits),
        "lens_error": None if seen["lens"] is None else worst(seen["lens"][-1], logits),
        "moved": moved(seen),
    }
    for key, what, ask in (
        ("attention", _("attention"), attention),
        ("contributions", _("what each part adds"), contributions),
    ):
        try:
            found[key] = ask(seen)
        except Unseen as error:
            found[key] = None
            missing.append(told(what, str(error), key))
    return found | {"not_observable": missing}


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def worst(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference; infinite where either is no number."""
    difference = np.abs(a.astype(np.float64) - b).max()
    return float(difference) if np.isfinite(difference) else float("inf")


def attention(seen: dict[str, Any]) -> np.ndarray:
    """Who looked at whom (L, H, T, T), as attention_weights gave it: heads in order of calls."""
    config, T = seen["config"], len(seen["logits"])
    found = calls(seen, "attention_weights")
    layers = [[c for c in found if c["layer"] == layer] for layer in range(config["n_layer"])]
    if not all(layers):
        raise Unseen(times("attention_weights", found, config["n_layer"]))
    weights = [[output(seen, call) for call in layer] for layer in layers]
    shapes = [[w.shape for w in layer] for layer in weights]
    if all(shape == [(1, config["n_head"], T, T)] for shape in shapes):
        return np.stack([layer[0][0] for layer in weights])
    if all(shape == [(1, 1, T, T)] * config["n_head"] for shape in shapes):
        return np.stack([np.concatenate(layer, axis=1)[0] for layer in weights])
    raise Unseen(
        _("`attention_weights` gave {shapes}, not (1, H, {T}, {T})").format(
            shapes=", ".join(map(str, shapes[0])), T=T
        )
    )


def moved(seen: dict[str, Any]) -> np.ndarray | None:
    """Gradient x input (T, T): row t, column s: what token s adds to the chosen logit at t.

    sum over c of  d logit[t, target] / d e[s, c]  *  e[s, c],   e the embeddings of the tokens
    """
    if seen["moved_by"] is None:
        return None
    return np.einsum("tsc,sc->ts", seen["moved_by"].astype(np.float64), seen["embedded"])


def contributions(seen: dict[str, Any]) -> dict[str, Any]:
    """What each part adds to each logit: {"parts", "values" (T, P, V), "error"}.

    The stream is a sum of parts, and so is each logit: the head is linear, and so is a norm once
    its scale is held at what it was. `error` is how far the sum is from the logits: a model that is
    wired in another way shows there.
    """
    blocks = calls(seen, "block")
    layers = seen["config"]["n_layer"]
    if len(blocks) != layers:
        raise Unseen(times("block", blocks, layers))
    begin, end = blocks[0]["number"], blocks[-1]["number"]
    norms = [
        call
        for call in calls(seen, *NORMS)
        if call["layer"] is None and seen["calls"][call["parent"]]["name"] not in NORMS
    ]
    parts = embeddings(seen)
    parts = through_norm(
        seen, parts, [call for call in norms if call["number"] < begin], "embedding_norm"
    )
    for layer in range(layers):
        parts += [*attended(seen, layer), Part("mlp", f"layer{layer}.mlp", mlp(seen, layer), layer)]
    parts = through_norm(
        seen, parts, [call for call in norms if call["number"] > end], "final_norm"
    )
    head = parameter(seen, "wte" if seen["config"]["tied_head"] else "lm_head")  # (V, C)
    parts = [part.through(lambda adds: adds @ head.T) for part in parts]
    values = np.stack([np.broadcast_to(part.adds, seen["logits"].shape) for part in parts], axis=1)
    return {
        "parts": [
            {"id": part.id, "kind": part.kind, "layer": part.layer, "head": part.head}
            for part in parts
        ],
        "values": values,
        "error": worst(seen["logits"], values.sum(1)),
    }


def embeddings(seen: dict[str, Any]) -> list[Part]:
    """Token and position, each (T, C)."""
    parts = []
    for name in ("wte", "wpe"):
        lookups = (
            call
            for call in calls(seen, "embedding", "Tensor.__getitem__")
            if inputs(seen, call)[:1] == [name]
        )
        found = next(lookups, None)
        if found is None:
            raise Unseen(no_lookup(name))
        parts.append(Part("embedding", name, rows(output(seen, found))))
    return parts


def attended(seen: dict[str, Any], layer: int) -> list[Part]:
    """What each head writes into the stream, and the bias of the output projection.

    The heads' values stand side by side when `linear` reads them with attn_wo: each meets the
    columns of attn_wo that are its own.
    """
    name, H = f"layer{layer}.attn_wo", seen["config"]["n_head"]
    projection = next(
        (call for call in calls(seen, "linear") if name in inputs(seen, call)[:2]), None
    )
    if projection is None:
        whole = [call for call in calls(seen, "self_attention") if call["layer"] == layer]
        if len(whole) != 1:
            raise Unseen(times("self_attention", whole, 1))
        adds = rows(output(seen, whole[0]))
        return [Part("attention", f"layer{layer}.attention", adds, layer)]
    wo = parameter(seen, name)  # (C, C)
    mixed = rows(seen["values"][projection["inputs"][0]["value"]]["data"])  # (T, C)
    heads = zip(np.split(mixed, H, axis=1), np.split(wo, H, axis=1))
    parts = [
        Part("head", f"layer{layer}.head{h}", part @ w.T, layer, h)
        for h, (part, w) in enumerate(heads)
    ]
    if f"layer{layer}.attn_bo" in seen["parameters"]:
        bias = parameter(seen, f"layer{layer}.attn_bo")
        parts.append(Part("bias", f"layer{layer}.attn_bo", bias[None], layer))
    return parts


def mlp(seen: dict[str, Any], layer: int) -> np.ndarray:
    found = [call for call in calls(seen, "mlp") if call["layer"] == layer]
    if len(found) != 1:
        raise Unseen(times("mlp", found, 1))
    return rows(output(seen, found[0]))


def through_norm(
    seen: dict[str, Any], parts: list[Part], found: list[dict[str, Any]], which: str
) -> list[Part]:
    """The parts as the norm passes them on, its scale held at what it was; its bias is a part too.

    For each position the scale is the number s that fits best  y - bias = s * gain * (x - mean).
    """
    if not seen["config"][which]:
        return parts
    if len(found) != 1:
        raise Unseen(times(_("the norm that the config calls {name}").format(name=which), found, 1))
    call, layernorm = found[0], seen["config"]["norm"] == "layernorm"
    x = rows(value(seen, next(i["value"] for i in call["inputs"] if "value" in i)))
    y = rows(output(seen, call))
    gain = parameter(seen, "norm_gain") if layernorm else 1.0
    bias = parameter(seen, "norm_bias") if layernorm else None

    def shaped(adds: np.ndarray) -> np.ndarray:
        return (adds - adds.mean(-1, keepdims=True) if layernorm else adds) * gain

    z = shaped(x)
    rest = y if bias is None else y - bias
    square = (z * z).sum(-1, keepdims=True)
    scale = (rest * z).sum(-1, keepdims=True) / np.where(square == 0, 1, square)  # (T, 1)
    parts = [part.through(lambda adds: shaped(adds) * scale) for part in parts]
    extra = [] if bias is None else [Part("bias", f"{which} bias", bias[None])]
    return parts + extra


# reading the observation


def calls(seen: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    """The calls of these names that returned, each with its number; of the first forward only."""
    return [
        call | {"number": number}
        for number, call in enumerate(seen["calls"])
        if call["name"] in names and call["outputs"]
    ]


def value(seen: dict[str, Any], number: int) -> np.ndarray:
    return seen["values"][number]["data"].astype(np.float64)


def output(seen: dict[str, Any], call: dict[str, Any]) -> np.ndarray:
    return value(seen, call["outputs"][0])


def inputs(seen: dict[str, Any], call: dict[str, Any]) -> list[str | None]:
    """For each array that went in, the parameter that it is."""
    return [seen["values"][i["value"]]["parameter"] for i in call["inputs"] if "value" in i]


def parameter(seen: dict[str, Any], name: str) -> np.ndarray:
    if name not in seen["parameters"]:
        raise Unseen(_("the model has no parameter {name}").format(name=name))
    return seen["parameters"][name]["data"].astype(np.float64)


def rows(array: np.ndarray) -> np.ndarray:
    """(1, T, C) or (T, C) -> (T, C)."""
    return array.reshape(-1, array.shape[-1]).astype(np.float64)
