"""train, sample, assemble: what the finished model does."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .. import course as courses
from .. import writing
from ..course import Course
from ..language import _
from .given import UsageError, target_of
from .screen import console

if TYPE_CHECKING:
    from rich.console import Console

    from .. import assembly, finale
    from ..assembly import Target
    from ..results import Finale


def add(commands: argparse._SubParsersAction) -> None:
    train = commands.add_parser("train", help=_("train your model, live"))
    train.add_argument("--preset", default="microgpt", help=_("microgpt or gpt2"))
    train.add_argument(
        "--scalar", action="store_true", help=_("the model on a page, on your Value")
    )
    train.add_argument(
        "--data", help=_("a text file of your own; one document a line, or running text")
    )
    train.add_argument(
        "--steps", type=int, help=_("how many; without it, what fits into 30 seconds")
    )
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--resume", action="store_true", help=_("go on from the last checkpoint"))
    train.add_argument(
        "--record", action="store_true", help=_("keep snapshots of it, for the command xray")
    )
    train.add_argument("--target", default="exercises", help=_("exercises, solutions or a folder"))
    train.set_defaults(run=run_train)

    sample = commands.add_parser("sample", help=_("let your trained model speak"))
    sample.add_argument("prompt", nargs="?", default="", help=_("how each sample begins"))
    sample.add_argument("-n", type=int, default=20, help=_("how many samples"))
    sample.add_argument("-t", "--temperature", type=float, default=0.7)
    sample.add_argument("-k", "--top-k", type=int)
    sample.add_argument("-p", "--top-p", type=float)
    sample.add_argument("--seed", type=int, default=0)
    sample.add_argument("--checkpoint", help=_("a file of weights; without it, the newest"))
    sample.add_argument("--target", default="exercises", help=_("exercises, solutions or a folder"))
    sample.set_defaults(run=run_sample)

    assemble = commands.add_parser("assemble", help=_("write your whole model as one file"))
    assemble.add_argument("out", nargs="?", type=Path, help=_("the file; without it, the screen"))
    assemble.add_argument("--scalar", action="store_true", help=_("the model on your Value"))
    assemble.add_argument(
        "--target", default="exercises", help=_("exercises, solutions or a folder")
    )
    assemble.set_defaults(run=run_assemble)


def run_train(options: argparse.Namespace) -> int:
    from .. import finale

    course = courses.load()
    target = target_of(options.target, course)
    try:
        plan = finale.Plan(
            data=Path(options.data).resolve() if options.data else finale.NAMES,
            preset=options.preset,
            scalar=options.scalar,
            steps=options.steps,
            seed=options.seed,
            resume=options.resume,
            record=options.record,
            target=target.name,
        )
    except finale.PlanError as error:
        raise UsageError(str(error)) from error
    played = play(plan, target, course, console(None))
    return {"passed": 0, "interrupted": 1, "failed": 1}[played.status]


def play(
    plan: finale.Plan,
    target: Target,
    course: Course,
    console: Console,
    lent: assembly.Plan | None = None,
) -> Finale:
    """Train the target's model as planned, live on the console."""
    from .. import corpus, finale, run

    try:
        data = corpus.read(plan.data)
        message = plan.message(data)
    except (corpus.CorpusError, finale.PlanError) as error:
        raise UsageError(str(error)) from error
    played = finale.show(run.WorkerRun(course, target, "train", message, lent), plan, data, console)
    if (
        played.status == "failed"
        and not plan.scalar
        and (found := first_difference(target, course))
    ):
        console.print(found)
    return played


def first_difference(target: Target, course: Course) -> str:
    """Where a model that is written, and has failed its finale, first leaves the reference."""
    from .. import divergence
    from ..xray import whole

    try:
        return "" if whole.to_do(course, target) else divergence.of_whole(target, course)
    except whole.NotWhole:  # the finale has said what is wrong with the file
        return ""


def run_sample(options: argparse.Namespace) -> int:
    from .. import finale, run

    course = courses.load()
    target = target_of(options.target, course)
    folder = finale.checkpoints(target.name)
    try:
        plan = finale.SamplePlan(
            checkpoint=Path(options.checkpoint or finale.latest_checkpoint(folder)).resolve(),
            n=options.n,
            seed=options.seed,
            t=options.temperature,
            k=options.top_k,
            p=options.top_p,
            prompt=options.prompt,
        )
    except finale.PlanError as error:
        raise UsageError(str(error)) from error
    message = plan.message()
    finished = finale.show_samples(run.WorkerRun(course, target, "sample", message), console(None))
    return 0 if finished else 1


def run_assemble(options: argparse.Namespace) -> int:
    from .. import assemble

    course = courses.load()
    target = target_of(options.target, course)
    name = options.out.name if options.out else "gpt.py"
    try:
        text = assemble.assemble(target, course, name, options.scalar)
    except assemble.AssembleError as error:
        raise UsageError(str(error)) from error
    if options.out is None:
        print(text, end="")
    else:
        writing.write(options.out, text)
        print(
            _("{out}: {n} lines; python {out} FILE").format(
                out=options.out, n=len(text.splitlines())
            )
        )
    return 0
