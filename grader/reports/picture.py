"""The model as a picture whose parts light up as their pieces pass.

    tokens -> embedding -> [ norm -> attention -> + -> norm -> mlp -> + ] x L -> head -> loss

The residual stream runs past attention and mlp; beside the model stands what uses it, and under it
autograd, the ground that all of it stands on.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.text import Text

from ..course import Course
from ..results import FAILED, PASSED, TODO, WAITING, Result
from .parts import LABELS, states
from .text import ascii_only, clean, short

STYLES = {PASSED: "bold green", FAILED: "bold red", TODO: "", WAITING: ""}
LABEL_STYLES = STYLES | {PASSED: "bold reverse green"}

BESIDE = ("sampler", "training", "optimiser")

SIDE = 22  # columns to the right of the model that hold those three, where there is room
GAP = Text("  ")

Tile = list[Text]  # rows of equal width, to be set side by side


@dataclass(frozen=True)
class Ink:
    """The characters to draw with. A state has its own sign, a lit part its own border."""

    signs: dict[str, str]
    lit: str  # a border: top left, across, top right, down, bottom left, bottom right
    unlit: str
    wire: str
    residual: str  # up and over: corner, across, corner, down
    fork: str
    plus: str
    times: str
    bar: str  # earned, open
    ascii: bool = False

    def text(self, string: str, style: str = "") -> Text:
        """`string` as it stands: never markup, no escapes, only characters that can be printed."""
        string = clean(string)
        return Text(ascii_only(string) if self.ascii else string, style)

    def sign(self, status: str) -> Text:
        return Text(self.signs[status], STYLES[status])

    def border(self, status: str) -> str:
        return self.lit if status == PASSED else self.unlit


UNICODE = Ink(
    signs={PASSED: "✓", FAILED: "✗", TODO: "○", WAITING: "…"},
    lit="┏━┓┃┗┛",
    unlit="╭╌╮╎╰╯",
    wire="─",
    residual="╭─╮│",
    fork="┴",
    plus="⊕",
    times="×",
    bar="━╌",
)
ASCII = Ink(
    signs={PASSED: "*", FAILED: "x", TODO: "o", WAITING: "~"},
    lit="#=####",
    unlit=".-.:''",
    wire="-",
    residual=".-.|",
    fork="+",
    plus="+",
    times="x",
    bar="=.",
    ascii=True,
)


def draw(result: Result, course: Course, ink: Ink, width: int) -> list[Text]:
    """The picture for a result of the whole course; one line to wrap where it has no room."""
    state = states(result, course)
    model = _model(state, ink)
    room = len(model[0])
    if width < room:
        return [_line(state, ink)]
    ground = _ground(result, course, state["autograd"], ink, room)
    if width < room + SIDE:
        third = (room - 2 * len(GAP)) // 3
        sampler, training, optimiser = (_box(part, state, ink, third) for part in BESIDE)
        return [*model, *_row(sampler, [GAP] * 3, training, [GAP] * 3, optimiser), *ground]
    column = [row for part in BESIDE for row in _box(part, state, ink, SIDE - len(GAP))]
    return _row([*model, *ground], [GAP] * len(column), column)


def _model(state: dict[str, str], ink: Ink) -> Tile:
    def box(part: str) -> Tile:
        return _on_the_wire(_box(part, state, ink))

    wire = _on_the_wire([Text(" "), Text(ink.wire), Text(" ")])
    return _row(
        *(box("tokenizer"), wire, box("embedding"), wire),
        _block(state, ink),
        *(wire, box("head"), wire, box("loss")),
    )


def _block(state: dict[str, str], ink: Ink) -> Tile:
    """norm -> attention -> + -> norm -> mlp -> +, framed, with the residual line above."""
    corner, across, end, down = ink.residual
    plus = Text(ink.plus, STYLES[state["blocks"]])

    def past(tile: Tile) -> Tile:
        return _on_the_wire(tile, above=across)

    def box(part: str) -> Tile:
        return past(_box(part, state, ink))

    wire = [Text(" "), Text(ink.wire), Text(" ")]
    fork = _on_the_wire([Text(down), Text(ink.fork), Text(" ")], above=corner)
    join = _on_the_wire([Text(down), plus, Text(" ")], above=end)
    free = _on_the_wire(wire)
    inside = _row(
        *(free, fork, box("norm"), past(wire), box("attention"), past(wire), join),
        *(free, fork, box("norm"), past(wire), box("mlp"), past(wire), join, free),
    )
    title = f"{ink.signs[state['blocks']]} block {ink.times} L"
    return _framed(inside[1:-1], title, state["blocks"], ink)


def _ground(result: Result, course: Course, status: str, ink: Ink, width: int) -> Tile:
    """autograd, with the exercises that make it."""
    label = Text(style=LABEL_STYLES[PASSED] if status == PASSED else "")
    label.append(LABELS["autograd"], STYLES[status])
    for exercise in result.exercises:
        if exercise.id in course.by_id and course.by_id[exercise.id].part == "autograd":
            label.append("    ").append_text(ink.sign(exercise.status))
            label.append_text(ink.text(f" {short(exercise)} {exercise.id.partition('_')[2]}"))
    label.truncate(width - 2)
    label.align("center", width - 2)
    return _framed([label], ink.signs[status], status, ink)


def _line(state: dict[str, str], ink: Ink) -> Text:
    """The parts after each other, for a terminal too narrow for the picture."""
    words = [Text.assemble(ink.sign(state[part]), label) for part, label in LABELS.items()]
    return Text("  ").join(words)


def _box(part: str, state: dict[str, str], ink: Ink, width: int = 0) -> Tile:
    """A part's name in the border of its state, as wide as the name or as `width`."""
    status = state[part]
    label = LABELS[part].center(width - 2)
    return _framed([Text(label, LABEL_STYLES[status])], ink.signs[status], status, ink)


def _framed(inside: Tile, title: str, status: str, ink: Ink) -> Tile:
    """`inside` in the border of its status, the title in the middle of the upper side."""
    top_left, across, top_right, down, bottom_left, bottom_right = ink.border(status)
    width = len(inside[0])
    style = STYLES[status]
    side = Text(down, style)
    title = f" {title} " if len(title) > 1 else title
    return [
        Text(top_left + title.center(width, across) + top_right, style),
        *(Text.assemble(side, row, side) for row in inside),
        Text(bottom_left + across * width + bottom_right, style),
    ]


def _on_the_wire(tile: Tile, above: str = " ") -> Tile:
    """Three rows made the model's six: the frame and the residual line above, the frame below."""
    blank = Text(" " * len(tile[0]))
    return [blank, Text(above * len(blank)), *tile, blank]


def _row(*tiles: Tile) -> Tile:
    return [Text.assemble(*rows) for rows in zip(*tiles, strict=True)]
