"""The memory of a training step, in a process of its own. Run by `bench`.

    python -m grader.footprint ours|torch c2     one line: the bytes, as JSON

How far the process grows while it trains beyond what it was before: after one step at setting a,
so that all libraries are loaded, but without the model. Of Linux only, which tells the peak.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import numpy as np

from . import peers, race, sandbox
from .bench import SETTINGS, Setting

STATUS = Path("/proc/self/status")
STEPS = 3  # the first lacks what later ones hold


def main(who: str, name: str) -> None:
    sandbox.keep_memory()
    train(who, SETTINGS["a"])
    before = resident("VmRSS")
    train(who, SETTINGS[name])
    print(json.dumps(max(0, resident("VmHWM") - before)))


def train(who: str, setting: Setting) -> None:
    """Make the model and train it for some steps."""
    rng = np.random.default_rng(0)
    model = race.model_of(setting, rng)
    batch = rng.integers(setting.V, size=(2, setting.batch, setting.T))
    if who == "ours":
        step = race.trainer(model, *batch)
    else:
        weights = {name: p.data for name, p in model.params.items()}
        threads = int(os.environ["OPENBLAS_NUM_THREADS"])
        step = peers.torch_trainer(setting, weights, batch, threads)
    for _step in range(STEPS):
        step()


def resident(what: str) -> int:
    """Bytes of this process in memory: VmRSS now, VmHWM at most so far."""
    return int(re.search(rf"{what}:\s+(\d+) kB", STATUS.read_text("ascii")).group(1)) * 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
