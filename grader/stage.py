"""The finale on the screen: a live picture in a terminal, plain lines everywhere else.

What a model says and what errors say may hold anything: it is shown only through `clean`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import pairwise
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any

from plotille import Canvas
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from .corpus import DOCUMENTS
from .language import _, later
from .reports.text import ascii_only, clean, one_line, word

if TYPE_CHECKING:
    from .finale import Story
    from .results import Finale

WIDEST = 100
CURVE_ROWS = 8
LEFT, RIGHT = 6, 14  # columns beside the curve: the loss, and the names of what it is compared with
SAMPLE_ROWS = 6
FRAMES = 8  # a second
LINE_EVERY = 3.0  # seconds between two plain lines
SPOKEN = 200  # characters of a plain line with samples
YOURS = later("your GPT")
OPTIONS = {"exercises": "", "solutions": " --target solutions"}
UNWRITTEN = later("The model is not written to its end yet.")
STOPPED = later("The model could not go on.")
STOPPING = later("stopping: it finishes this step and saves; Ctrl-C again ends it at once")


def drawable(console: Console) -> bool:
    """Whether a picture can be drawn: a terminal with colours that knows more than ASCII."""
    able = console.is_terminal and not console.is_dumb_terminal and not console.no_color
    return able and "utf" in console.encoding.lower()


def choose(console: Console) -> Stage | Lines:
    """The live picture where it can be drawn, else plain lines."""
    return Stage(console) if drawable(console) else Lines(console)


def say(console: Console, line: str = "", style: str = "") -> None:
    """One line, or what wraps to a few; ASCII where no picture can be drawn."""
    line = clean(line)
    able = drawable(console)
    console.print(Text(line if able else ascii_only(line), style), soft_wrap=not able)


class Stage:
    """The run as one picture, drawn again and again: progress, loss curve, samples."""

    def __init__(self, console: Console) -> None:
        self.live = Live(console=console, auto_refresh=False)
        self.drawn = -math.inf
        self.story: Story | None = None

    def __enter__(self) -> Stage:
        self.live.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, tb: TracebackType | None):
        begun = self.story and self.story.start
        last = picture(self.story, self.live.console.width) if begun else Text(end="")
        self.live.update(last, refresh=True)
        self.live.stop()

    def draw(self, story: Story) -> None:
        self.story = story
        if monotonic() - self.drawn >= 1 / FRAMES:
            self.drawn = monotonic()
            self.live.update(picture(story, self.live.console.width), refresh=True)


class Lines:
    """The run as lines of ASCII, one every few seconds; for logs, pipes and screen readers."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.said = monotonic()
        self.samples = 0
        self.opened = self.warned = False

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, tb: TracebackType | None):
        pass

    def draw(self, story: Story) -> None:
        """Say what is new."""
        if story.start and not self.opened:
            self.opened = True
            for line in opening(story):
                say(self.console, line)
        if story.stopping and not self.warned:
            self.warned = True
            say(self.console, _(STOPPING))
        if story.steps and monotonic() - self.said >= LINE_EVERY:
            self.said = monotonic()
            say(self.console, progress(story))
            say(self.console, f"  {gauges(story)}")
        for look in story.samples[self.samples :]:
            said = ", ".join(lines_of(look["samples"]))[:SPOKEN]
            say(
                self.console,
                _("at step {step:,} it says: {said}").format(step=look["step"], said=said),
            )
        self.samples = len(story.samples)


def opening(story: Story) -> list[str]:
    """What trains, and on what."""
    plan, corpus, start = story.plan, story.corpus, story.start
    model = _("scalar microgpt") if plan.scalar else plan.preset
    begun = _(", going on at step {step:,}").format(step=start["step"]) if start["step"] else ""
    if corpus.kind == DOCUMENTS:
        read, held_out = len(corpus.train), len(corpus.held_out)
        split = _("{file}: {read:,} lines to learn from, {held_out:,} held out")
    else:
        read, held_out = len(corpus.train[0]), len(corpus.held_out[0])
        split = _("{file}: {read:,} characters to learn from, {held_out:,} held out")
    lines = [
        _("{model}, {parameters:,} parameters{begun}").format(
            model=model, parameters=start["parameters"], begun=begun
        ),
        split.format(file=corpus.path.name, read=read, held_out=held_out),
    ]
    block_size = plan.block_size(corpus)
    if cut := corpus.cut(block_size):
        lines.append(
            _("{cut:,} lines are cut: a block of the model holds {block_size} characters").format(
                cut=cut, block_size=block_size - 1
            )
        )
    return lines


def progress(story: Story) -> str:
    """Where the run stands: "step 4,210 of about 9,000, 11 s, 13 s left, loss 2.123"."""
    last = story.steps[-1]
    about = "{total:,}" if story.plan.steps else _("about {total:,}")
    total = about.format(total=last["total"])
    left = _(", {time} left").format(time=waiting(story.seconds_left))
    left = left if story.seconds_left > 0.5 else ""
    where = _("step {step:,} of {total}, {seconds:.0f} s{left}").format(
        step=last["step"], total=total, seconds=last["seconds"], left=left
    )
    return _("{where}, loss {loss:.3f}").format(where=where, loss=last["loss"])


def waiting(seconds: float) -> str:
    """A time in words, no finer than it is known: "13 s", "4 min", "2.5 h"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def gauges(story: Story) -> str:
    """What is measured besides: "held out 2.119, learning rate 0.0053, gradient 0.41, ..."."""
    last = story.steps[-1]
    known = [
        (_("held out {:.3f}"), story.evaluations[-1]["loss"] if story.evaluations else None),
        (_("learning rate {:.4f}"), last.get("learning_rate")),
        (_("gradient {:.2f}"), last.get("gradient_norm")),
        (_("{:,.0f} tokens a second"), last.get("tokens_a_second")),
    ]
    return ", ".join(words.format(value) for words, value in known if value is not None)


def picture(story: Story, width: int) -> RenderableType:
    """All of it at this moment."""
    width = min(width, WIDEST)
    if not story.start:
        return Text(_("waking the model up ..."), "dim")
    parts: list[RenderableType] = [Text(_("Your GPT learns"), "bold")]
    parts += [Text(clean(line), "dim") for line in opening(story)]
    parts += [Text(), bar(story, width), Text(gauges(story) if story.steps else "", "dim")]
    parts += [Text(), curve(story, width), spoken(story)]
    if story.stopping and not story.end:
        parts.append(Text(_(STOPPING), "yellow"))
    parts.append(Text())  # a "^C" that the terminal writes stands here, and is drawn over
    return Group(*parts)


def bar(story: Story, width: int) -> RenderableType:
    """The share of the steps that is done, and the numbers."""
    if not story.steps:
        return Text(_("taking the first step ..."), "dim")
    last = story.steps[-1]
    done = progress(story)
    room = max(10, width - len(done) - 2)
    row = Table.grid(padding=(0, 2))
    row.add_row(ProgressBar(last["total"], last["step"], width=room), done)
    return row


def curve(story: Story, width: int) -> Text:
    """The loss so far; the models that count are dotted lines."""
    columns = max(10, width - LEFT - RIGHT)
    every = 1 + len(story.steps) // (4 * columns)  # more points than that cannot be seen
    points = [(event["step"], event["loss"]) for event in story.steps[::every]]
    total = story.steps[-1]["total"] if story.steps else 1
    losses = [loss for _name, loss in (*points, *story.rivals)] + [story.uniform]
    low, high = min(losses) - 0.1, max(losses) + 0.05
    height = (high - low) / CURVE_ROWS  # of one row
    canvas = Canvas(columns, CURVE_ROWS, xmax=total, ymin=low, ymax=high)
    for _name, loss in story.rivals:
        for column in range(0, columns, 2):
            canvas.point(total * column / columns, loss)
    for before, after in pairwise(points):
        canvas.line(*before, *after)
    names = {int((high - loss) / height): name for name, loss in story.rivals}
    text = Text(no_wrap=True)
    for i, row in enumerate(canvas.plot(linesep="\n").split("\n")):
        name = re.split("[:,]", names.get(i, ""))[0]
        text.append(f"{high - (i + 0.5) * height:5.2f} ", "dim")
        text.append(row, "green")
        text.append(f" {name}\n", "dim")
    return text


def spoken(story: Story) -> RenderableType:
    """What it said at each look, the newest last."""
    rows = Table.grid(padding=(0, 2))
    rows.add_column(justify="right", style="dim", no_wrap=True, min_width=len(_("step 10,000")))
    rows.add_column(no_wrap=True, overflow="ellipsis")
    for look in story.samples[-SAMPLE_ROWS:]:
        rows.add_row(
            _("step {step:,}").format(step=look["step"]), Text("  ".join(lines_of(look["samples"])))
        )
    return rows


def lines_of(samples: Sequence[str]) -> list[str]:
    """Each sample on one line, without those that are empty."""
    return [line for line in map(one_line, samples) if line]


def curtain(story: Story, finale: Finale, console: Console) -> None:
    """How it ended: what went wrong, or the comparison, what it made up, and how to go on."""
    if story.error:
        print_error(story.error, console)
    if story.evaluations:
        compare(story, console)
    if finale.samples:
        made_up(story, finale.samples, console)
    say(console)
    for line in farewell(story, finale):
        say(console, line)


def compare(story: Story, console: Console) -> None:
    """The loss on what was held out, beside the models that count."""
    mine = story.evaluations[-1]
    part = (
        ""
        if mine["share"] > 0.999
        else _(", {percent} % of it read").format(percent=math.ceil(100 * mine["share"]))
    )
    say(console)
    say(console, _("Nats per character on what was held out{part}").format(part=part), "bold")
    yours = _(YOURS)
    for name, loss in sorted([*story.rivals, (yours, mine["loss"])], key=lambda row: -row[1]):
        style = "bold green" if name == yours else ""
        say(console, f"  {name:<28} {loss:.3f}   {likeness(loss)}", style)
    if any(name.startswith("MicroGPT") for name, _loss in story.rivals):
        say(console, _("  (MicroGPT's is the mean of its last 100 losses in training)"), "dim")


def likeness(loss: float) -> str:
    """What a loss is like: a free choice among e^loss characters costs as much."""
    return (
        _("as if choosing among {n:5.1f} characters").format(n=math.exp(loss))
        if loss < 9
        else _("lost entirely")
    )


def made_up(story: Story, samples: Sequence[str], console: Console) -> None:
    """What the model says at the end; of documents, which are not in the data."""
    say(console)
    if story.corpus.kind != DOCUMENTS:
        say(console, _("What it writes"), "bold")
        say(console, samples[0].strip("\n"))
        return
    known = set(story.corpus.documents)
    spoken = [sample for sample in samples if sample.strip()]
    new = lines_of([sample for sample in dict.fromkeys(spoken) if sample not in known])
    say(
        console,
        _("What it made up: {n} of {all} are not in the data").format(n=len(new), all=len(spoken)),
        "bold",
    )
    if drawable(console):
        console.print(Columns([Text(f"  {name}", "green") for name in new], padding=(0, 1)))
    else:
        say(console, "  " + ", ".join(new))


def farewell(story: Story, finale: Finale) -> list[str]:
    """What was reached, and how to go on."""
    took = _("{steps:,} steps in {seconds:.0f} s").format(
        steps=finale.steps, seconds=finale.seconds
    )
    saved = (
        _("; saved as {checkpoint}").format(checkpoint=finale.checkpoint)
        if finale.checkpoint
        else ""
    )
    lines = [f"{took}, {word(finale.status)}{saved}"]
    if finale.status == "interrupted" and finale.checkpoint and not story.plan.scalar:
        lines.append(_("go on:  python -m grader train --resume, with the same options"))
    if story.curves:
        lines.append(_("curves: {files}").format(files=", ".join(story.curves)))
    if finale.checkpoint and story.end:
        options = OPTIONS.get(story.plan.target, _(" --target FOLDER"))
        lines.append(_("more:   python -m grader sample{options}").format(options=options))
        if not story.plan.scalar:
            lines.append(_("inside: python -m grader xray emma{options}").format(options=options))
    return lines


def print_error(error: dict[str, Any], console: Console) -> None:
    """What went wrong in the worker, and where."""
    own = error["type"] in (None, "TrainingError")  # the message says it all
    unwritten = error["type"] == "NotImplementedError"
    said = _(UNWRITTEN if unwritten else STOPPED)
    facts = [said, "" if own or unwritten else error["type"], error["where"] or ""]
    say(console)
    say(console, "  ".join(one_line(fact) for fact in facts if fact), "bold red")
    for line in clean(error["message"]).splitlines():
        say(console, f"  {line}")
    if unwritten:
        say(console, _("  what is left to do:  make check"))


def print_samples(samples: Sequence[str], console: Console) -> None:
    """One document a line; pieces of a text with an empty line between."""
    for sample in samples:
        text = clean(sample)
        console.print(Text(text if drawable(console) else ascii_only(text)), soft_wrap=True)
        if "\n" in text:
            console.print()
