"""Keep a model's weights while it learns: what `train --record` writes, and the glass box replays.

    recorder = Recorder(path)
    recorder.keep_if_due(model, step, total)     after each step
    recorder.save()
    read(path) -> Record

A snapshot is a copy of all weights and nothing else, so it costs next to no time. What the model
then saw and said is found out later, on whatever text is looked at.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SNAPSHOTS = 40
MOST_BYTES = 64 * 2**20
FEWEST = 8  # however large the model
STEPS = "steps"  # no parameter has this name


@dataclass(frozen=True)
class Record:
    """Weights of S moments: steps (S,), and each parameter's (S, ...)."""

    steps: np.ndarray
    weights: dict[str, np.ndarray]


@dataclass
class Recorder:
    """Snapshots at shares (i / n)^2 of the run: a model changes most at the beginning."""

    path: Path
    steps: list[int] = field(default_factory=list)
    weights: dict[str, list[np.ndarray]] = field(default_factory=dict)
    most: int = 0  # snapshots that there is room for; 0: not known yet

    @classmethod
    def resumed(cls, path: Path, step: int) -> Recorder:
        """Go on with the record of a run that has taken `step` steps, if there is one."""
        if not path.is_file():
            return cls(path)
        record = read(path)
        n = int((record.steps <= step).sum())
        weights = {name: list(kept[:n]) for name, kept in record.weights.items()}
        return cls(path, [int(s) for s in record.steps[:n]], weights)

    def keep_if_due(self, model: Any, step: int, total: int) -> None:
        """A snapshot, if the run has come to the next share of its steps."""
        self.most = self.most or moments(model)
        if not self.steps or step >= total * (len(self.steps) / (self.most - 1)) ** 2:
            self.keep(model, step)

    def keep(self, model: Any, step: int) -> None:
        """A snapshot, unless there is one of this step."""
        if self.steps and self.steps[-1] >= step:
            return
        self.steps.append(step)
        for name, p in model.params.items():
            self.weights.setdefault(name, []).append(np.array(p.data))

    def save(self) -> None:
        """Write it whole or not at all."""
        partial = self.path.with_name(f"partial-{self.path.name}")
        arrays = {name: np.stack(kept) for name, kept in self.weights.items()}
        with partial.open("wb") as file:
            np.savez(file, **{STEPS: np.array(self.steps)}, **arrays)
        os.replace(partial, self.path)


def moments(model: Any) -> int:
    """How many snapshots there are room for."""
    size = sum(np.asarray(p.data).nbytes for p in model.params.values())
    return max(FEWEST, min(SNAPSHOTS, MOST_BYTES // size))


def read(path: Path) -> Record:
    """What `Recorder.save` wrote."""
    with np.load(path) as file:
        arrays = dict(file)
    return Record(arrays.pop(STEPS), arrays)


def beside(checkpoint: Path) -> Path:
    """Where the record of a checkpoint stands: microgpt.record.npz -> no checkpoint itself."""
    return checkpoint.with_suffix(".record")
