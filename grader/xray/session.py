"""One look inside a model, from the checker's side: ask the worker, put the page's data together.

look(course, target, lent, wanted) -> the page's data
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import corpus as corpora
from .. import curves, finale
from ..assembly import Plan, Target
from ..course import Course
from ..language import _
from ..learner import TrainingError, read_card
from ..run import WorkerRun
from . import record
from .data import page_data

SAMPLES, FRESH_SAMPLES = 1000, 100  # of a model that has learnt, or has not
SECONDS = 10.0  # for all samples together, and again for what is held out


class CannotLook(Exception):
    """The model cannot be looked into; the message says why and what to do."""


@dataclass(frozen=True)
class Wanted:
    """What to look at: a text, and a checkpoint or None for fresh weights of a preset."""

    text: str
    checkpoint: Path | None
    preset: str = "microgpt"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.preset not in finale.RECIPES:
            names = " or ".join(finale.RECIPES)
            raise CannotLook(
                _("there is no preset {name!r}: {names}").format(name=self.preset, names=names)
            )


def look(
    course: Course, target: Target, wanted: Wanted, lent: Plan, borrowed: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The page's data. `lent` is what is borrowed, for the pieces `borrowed`.

    Raises CannotLook: no such checkpoint, a text that the model cannot read, an error in the code.
    """
    try:
        card = read_card(wanted.checkpoint) if wanted.checkpoint else {}
        corpus = corpora.read(Path(card.get("data", finale.NAMES)))
        fresh = finale.Plan(preset=wanted.preset, seed=wanted.seed).message(corpus)
    except (TrainingError, corpora.CorpusError, finale.PlanError) as error:
        raise CannotLook(str(error)) from error
    message = fresh | {
        "text": wanted.text,
        "checkpoint": wanted.checkpoint and str(wanted.checkpoint),
        "record": wanted.checkpoint and str(record.beside(wanted.checkpoint)),
        "samples": SAMPLES if wanted.checkpoint else FRESH_SAMPLES,
        "seconds": SECONDS,
    }
    told = told_by(WorkerRun(course, target, "xray", message, lent))
    model = {
        "target": target.name,
        "preset": card.get("preset", wanted.preset),
        "checkpoint": wanted.checkpoint and finale.shown_path(wanted.checkpoint),
        "data": corpus.path.name,
        "borrowed": list(borrowed),
    }
    history = curves.read(wanted.checkpoint.with_suffix(".csv")) if wanted.checkpoint else None
    return page_data(wanted.text, told, corpus, model, history)


def told_by(run: WorkerRun) -> dict[str, dict[str, Any]]:
    """The events of a run, by their names. Raises CannotLook for an error."""
    told = {}
    for event in run:
        if event["event"] == "error":
            own = event["type"] == "TrainingError"  # the message says it all
            facts = [event["message"]] if own else [event["where"], event["type"], event["message"]]
            way = told.get("broke", {}).get("notes", [])
            raise CannotLook("\n  ".join([": ".join(fact for fact in facts if fact), *way]))
        told[event["event"]] = event
    return told
