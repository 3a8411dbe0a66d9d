"""The page: one self-contained HTML file made of page/ and the data that data.py describes."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from ..language import _

PARTS = Path(__file__).with_name("page")
LIBRARIES = ("d3.min.js", "plot.umd.min.js")
PROGRAM = (  # in the order in which they need each other
    "dom colour pictures code model sampling guess attention lens moved contributions stepper "
    "weights learning preferences play main"
).split()
SENTENCE = re.compile(r'\b_\(\s*("(?:[^"\\]|\\.)*")')


def page(data: dict[str, Any]) -> str:
    """The whole page as one text: no other file, no network.

    Everything in `data` is shown as text: a line `</script>` in a student's file stays a line.
    """
    program = "\n".join(read(f"{name}.js") for name in PROGRAM)
    parts = {
        "language": "en",
        "title": escaped(_("Glass Box: {text}").format(text=data["text"])),
        "style": read("style.css"),
        "noscript": escaped(
            _("This page draws itself with JavaScript, which is switched off here.")
        ),
        "words": as_json(words(program)),
        "data": as_json(data),
        "libraries": "\n".join(f"<script>{read(f'vendor/{name}')}</script>" for name in LIBRARIES),
        "program": program,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], read("template.html"))


def read(name: str) -> str:
    return (PARTS / name).read_text("utf-8")


def words(program: str) -> dict[str, str]:
    """The sentences of the page, those that the reader's language says differently."""
    sentences = {json.loads(literal) for literal in SENTENCE.findall(program)}
    return {sentence: _(sentence) for sentence in sorted(sentences) if _(sentence) != sentence}


def as_json(value: Any) -> str:
    """JSON that can stand inside <script>: nothing in it can end the element."""
    text = json.dumps(named(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c")


def named(value: Any) -> Any:
    """The same with nan and inf as words, as JSON has no such numbers."""
    if isinstance(value, dict):
        return {name: named(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [named(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
