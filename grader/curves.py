"""A training run as curves: a table, and a picture of it, beside the checkpoint.

write(checkpoint, rows)      NAME.csv and NAME.svg; NAME.png too where resvg-py is installed
read(path)                   the columns of such a table, or None
"""

from __future__ import annotations

import csv
from pathlib import Path

COLUMNS = (
    "step",
    "seconds",
    "loss",
    "held_out",
    "learning_rate",
    "gradient_norm",
    "tokens_a_second",
)


def read(path: Path) -> dict[str, list[float | None]] | None:
    """The columns of a table of curves; None where there is no such file."""
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {c: [float(row[c]) if row.get(c) else None for row in rows] for c in COLUMNS}
