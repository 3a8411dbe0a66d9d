"""The page's data: one JSON object, from which page.py makes the page and nothing else.

An array is {"shape": [2, 3], "f32": "..."}: its numbers in reading order, float32, little-endian,
in base64; written A(2, 3) below. T positions, V tokens of the vocabulary, L layers, H heads, C
channels, as everywhere; P parts, S snapshots. Whatever could not be seen is null, and
`not_observable` says why.

    schema          1
    text            "emma"
    kind            "documents": BOS stands before and after; "text": a piece of running text
    tokens, ids     T of each: ["BOS", "e", "m", "m", "a"], [26, 4, ...]: what the model reads
    next            T ids: what really came next; -1 where that is not known
    vocab           V tokens as they are shown; the last is "BOS"
    cut             how many characters at the end did not fit the block, and were left out
    config          GPTConfig's fields: n_layer, n_head, norm, final_norm, tied_head, ...
    model           {"target": "exercises", "preset": "microgpt",
                     "checkpoint": ".glassbox/checkpoints/microgpt.npz" or null: untrained,
                     "steps": 4210, "parameters": 4192, "data": "first_names.txt",
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
    not_observable  [{"what": "attention", "why": a sentence}]

    record          null, or what `train --record` kept, shown on this text:
                    {"steps": S, "embeddings": A(S, V, 2): the rows of wte on the two directions in
                     which the last ones differ most, "explained": the share of their variance,
                     "attention": A(S, L, H, T, T) or null, "probabilities": A(S, T, V),
                     "losses": S x nats per character on this text, "samples": S x [names]}
    curves          null, or the training run: {"step": [...], "seconds": [...], "loss": [...],
                    "held_out": [...], "learning_rate": [...], "gradient_norm": [...],
                    "tokens_a_second": [...]}, of equal lengths, null where nothing was measured
    bias            null, or the answers of bias.py, whose docstring describes them

A place is {"file": "exercises/ex06_attention.py", "line": 201, "code": "return attention(...)",
"inside": "causal_attention"}: the definition in which the line stands, or null.
"""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

SCHEMA = 1


def packed(array: Any) -> dict[str, Any] | None:
    """An array as it stands in the JSON; None stays None."""
    if array is None:
        return None
    array = np.asarray(array)
    numbers = np.ascontiguousarray(array, "<f4").tobytes()
    return {"shape": list(array.shape), "f32": base64.b64encode(numbers).decode("ascii")}


def unpacked(entry: dict[str, Any]) -> np.ndarray:
    """The array that `packed` wrote."""
    return np.frombuffer(base64.b64decode(entry["f32"]), "<f4").reshape(entry["shape"])
