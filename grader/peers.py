"""The peers of the race: the same computing, as others write it.

PyTorch eager     the preset microgpt, its training step and its sampling with a cache
Value             the published scalar engine, for microgpt.py to run on in place of ours
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from .bench import Setting
from .language import _
from .scalars import BETAS, LR


def has_torch() -> bool:
    return importlib.util.find_spec("torch") is not None


def no_torch() -> str:
    return _("no peer: PyTorch is not installed; `make bench` installs it")


def torch_trainer(
    setting: Setting, weights: dict, batch: np.ndarray, threads: int
) -> Callable[[], float]:
    """The same training step from the same weights."""
    import torch

    torch.set_num_threads(threads)
    params = {name: torch.tensor(w, requires_grad=True) for name, w in weights.items()}
    optimizer = torch.optim.Adam(params.values(), LR, BETAS)
    ids, targets = (torch.tensor(array) for array in batch)

    def step() -> float:
        optimizer.zero_grad()
        logits = torch_gpt(setting, params, ids)
        loss = torch.nn.functional.cross_entropy(logits.view(-1, setting.V), targets.view(-1))
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def torch_generate(setting: Setting, weights: dict, threads: int) -> list[int]:
    """T new tokens after token 0, with a cache."""
    import torch

    torch.set_num_threads(threads)
    params = {name: torch.from_numpy(w) for name, w in weights.items()}
    shown, past, new = torch.zeros(1, 1, dtype=torch.long), [None] * setting.L, []
    with torch.inference_mode():
        for _ in range(setting.T):
            probs = torch.softmax(torch_gpt(setting, params, shown, past)[:, -1], -1)
            shown = torch.multinomial(probs, 1)
            new.append(shown.item())
    return new


def torch_logits(setting: Setting, weights: dict, ids: np.ndarray) -> np.ndarray:
    """The logits after each token, one token shown at a time."""
    import torch

    params, past = {name: torch.from_numpy(w) for name, w in weights.items()}, [None] * setting.L
    with torch.inference_mode():
        rows = [torch_gpt(setting, params, torch.tensor([[i]]), past)[0, -1] for i in ids]
        return torch.stack(rows).numpy()


def torch_gpt(setting: Setting, params: dict, ids: Any, past: list | None = None) -> Any:
    """The preset microgpt. `past` holds each layer's keys and values so far, and is extended."""
    import torch
    from torch.nn.functional import linear, relu, rms_norm, scaled_dot_product_attention

    (B, T), C = ids.shape, setting.C
    start = past[0][0].shape[2] if past and past[0] else 0
    x = params["wte"][ids] + params["wpe"][start : start + T]  # (B, T, C)
    x = rms_norm(x, (C,), eps=1e-5)
    for i in range(setting.L):
        w = {name: params[f"layer{i}.attn_w{name}"] for name in "qkvo"}
        y = rms_norm(x, (C,), eps=1e-5)
        q, k, v = (linear(y, w[n]).view(B, T, setting.H, -1).transpose(1, 2) for n in "qkv")
        if past is not None:
            k, v = (torch.cat(pair, 2) for pair in zip(past[i], (k, v))) if past[i] else (k, v)
            past[i] = k, v
        y = scaled_dot_product_attention(q, k, v, is_causal=T > 1)  # (B, H, T, D)
        x = x + linear(y.transpose(1, 2).reshape(B, T, C), w["o"])
        hidden = relu(linear(rms_norm(x, (C,), eps=1e-5), params[f"layer{i}.mlp_fc1"]))
        x = x + linear(hidden, params[f"layer{i}.mlp_fc2"])
    return linear(x, params["lm_head"])  # (B, T, V)
