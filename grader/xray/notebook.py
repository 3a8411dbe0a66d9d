"""The page inline, in Jupyter: `grader.xray(model, "emma")`."""

from __future__ import annotations

import sys
from html import escape
from importlib import import_module
from pathlib import Path
from typing import Any

from .. import corpus as corpora
from .. import course as courses
from ..finale import NAMES
from ..language import _
from ..learner import ArrayLearner, TrainingError
from . import gather
from .data import page_data
from .observe import namespaces_of

SAMPLES, SECONDS = 300, 2.0  # somebody is waiting for the cell
HEIGHT = 900  # pixels, of the frame that scrolls


class Page:
    """A page as a notebook shows it. `save` writes it to a file; `data` holds its numbers."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def html(self) -> str:
        from .page import page

        return page(self.data)

    def save(self, path: str | Path) -> Path:
        """Write the page to a file, whole or not at all."""
        from ..writing import write

        write(Path(path), self.html())
        return Path(path)

    def _repr_html_(self) -> str:
        frame = f'<iframe srcdoc="{escape(self.html())}" title="{escape(_("the glass box"))}"'
        return f'{frame} width="100%" height="{HEIGHT}" style="border:0"></iframe>'


def xray(model: Any, text: str, tokenizer: Any = None, data: str | Path | None = None) -> Page:
    """Look inside `model`, a GPT of the course's making, while it reads `text`.

    tokenizer   its CharTokenizer; without it, one for the characters of `data`
    data        what it was trained on: a text file, one document a line, or running text; without
                it, the names that come with the course

    The model runs here, in this process, and is left as it was.
    ValueError for a text that it cannot read, or a tokenizer that does not fit.
    """
    corpus = corpora.read(Path(data) if data else NAMES)
    course = Course(model)
    tokenizer = tokenizer or course.CharTokenizer([corpus.chars])
    if tokenizer.vocab_size != model.config.vocab_size:
        raise ValueError(
            _("the model has {n} tokens, and the tokenizer {m}: give xray the model's own").format(
                n=model.config.vocab_size, m=tokenizer.vocab_size
            )
        )
    learner = ArrayLearner(course, tokenizer, corpus.kind, model, optimizer=None)
    plan = {"text": text, "seed": 0, "samples": SAMPLES, "seconds": SECONDS, "record": None}
    told: dict[str, dict[str, Any]] = {}
    try:
        gather.tell(learner, plan, corpus, lambda event: told.update({event["event"]: event}))
    except TrainingError as error:
        raise ValueError(str(error)) from None
    about = {"target": type(model).__module__, "preset": None, "checkpoint": None, "borrowed": []}
    return Page(page_data(text, told, corpus, about | {"data": corpus.path.name}))


class Course:
    """The course's definitions, looked up in the modules beside the model's own."""

    def __init__(self, model: Any) -> None:
        self.namespaces = [vars(sys.modules[type(model).__module__]), *namespaces_of(model)]
        self.package = type(model).__module__.rpartition(".")[0]
        pieces = courses.load().pieces.values()
        self.homes = {unit: piece.exercise for piece in pieces for unit in piece.units}

    def __getattr__(self, name: str) -> Any:
        found = next((n[name] for n in self.namespaces if name in n), None)
        if found is None and self.package and name in self.homes:
            found = getattr(import_module(f"{self.package}.{self.homes[name]}"), name, None)
        if found is None:
            raise AttributeError(_("there is no `{name}` beside the model").format(name=name))
        return found
