"""The commands. This file parses, calls and prints; it decides nothing."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from . import course as courses
from .course import ROOT, Course, CourseError, Exercise
from .results import PASSED

if TYPE_CHECKING:
    from rich.console import Console

    from . import finale, progress
    from .assembly import Target
    from .results import Finale, Result

MACHINE = ("json", "junit", "gradescope", "github")  # formats that others read, alone on stdout
STATE = ROOT / ".glassbox"
EXERCISES = ROOT / "exercises"


class UsageError(Exception):
    """What was asked for cannot be done; the message says why and what to do."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command. 0: all is well; 1: not all passes; 2: it could not run."""
    options = parser().parse_args(arguments)
    try:
        return options.run(options)
    except (UsageError, CourseError) as error:
        print(f"grader: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ngrader: stopped", file=sys.stderr)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 2


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="python -m grader", description="Build a GPT you can see through."
    )
    commands = top.add_subparsers(title="commands", required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="check your exercises and show the board")
    check.add_argument(
        "names", nargs="*", metavar="EXERCISE|PIECE", help="ex05, ex05.layernorm, softmax"
    )
    check.add_argument(
        "--target", default="exercises", help="exercises, solutions or a folder like them"
    )
    check.add_argument("--format", choices=("board", "plain", *MACHINE), help="how to report")
    check.add_argument(
        "--hidden", action="store_true", help="the hidden suite too, where it is present"
    )
    check.add_argument(
        "--tests", type=Path, action="append", default=[], help="a suite of your own"
    )
    check.add_argument("--no-finale", action="store_true", help="do not train the finished model")
    check.add_argument("--in-process", action="store_true", help="without a worker, for debugging")
    check.add_argument(
        "--pdb", action="store_true", help="stop in the debugger; implies --in-process"
    )
    check.set_defaults(run=run_check)

    add_progress(commands)

    train = commands.add_parser("train", help="train your model, live")
    train.add_argument("--preset", default="microgpt", help="microgpt or gpt2")
    train.add_argument("--scalar", action="store_true", help="the model on a page, on your Value")
    train.add_argument(
        "--data", help="a text file of your own; one document a line, or running text"
    )
    train.add_argument("--steps", type=int, help="how many; without it, what fits into 30 seconds")
    train.add_argument("--seed", type=int, default=0)
    train.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
    train.add_argument("--target", default="exercises", help="exercises, solutions or a folder")
    train.set_defaults(run=run_train)

    sample = commands.add_parser("sample", help="let your trained model speak")
    sample.add_argument("prompt", nargs="?", default="", help="how each sample begins")
    sample.add_argument("-n", type=int, default=20, help="how many samples")
    sample.add_argument("-t", "--temperature", type=float, default=0.7)
    sample.add_argument("-k", "--top-k", type=int)
    sample.add_argument("-p", "--top-p", type=float)
    sample.add_argument("--seed", type=int, default=0)
    sample.add_argument("--checkpoint", help="a file of weights; without it, the newest")
    sample.add_argument("--target", default="exercises", help="exercises, solutions or a folder")
    sample.set_defaults(run=run_sample)

    assemble = commands.add_parser("assemble", help="write your whole model as one file")
    assemble.add_argument("out", nargs="?", type=Path, help="the file; without it, the screen")
    assemble.add_argument("--scalar", action="store_true", help="the model on your Value")
    assemble.add_argument("--target", default="exercises", help="exercises, solutions or a folder")
    assemble.set_defaults(run=run_assemble)

    doctor = commands.add_parser("doctor", help="what is wrong with this set-up, and what to do")
    doctor.set_defaults(run=run_doctor)

    bundle = commands.add_parser("bundle", help="pack the course for students, without answers")
    bundle.add_argument("out", type=Path, metavar="OUT.zip", help="the file to write")
    bundle.add_argument(
        "--gradescope", action="store_true", help="an autograder for Gradescope instead"
    )
    bundle.set_defaults(run=run_bundle)

    stubs = commands.add_parser("stubs", help="make exercises/ from solutions/")
    stubs.add_argument("--check", action="store_true", help="only say which stubs have drifted")
    stubs.set_defaults(run=run_stubs)

    mutants = commands.add_parser("mutants", help="try the suites on wrong and right answers")
    mutants.add_argument("names", nargs="*", metavar="EXERCISE|PIECE", help="ex05, ex05.layernorm")
    mutants.add_argument("--ast", action="store_true", help="automatic mutants too")
    mutants.add_argument(
        "--format", choices=("board", "plain", "json", "markdown"), help="how to report"
    )
    mutants.set_defaults(run=run_mutants)

    lines = commands.add_parser("lines", help="count the lines of the reference model")
    lines.set_defaults(run=run_lines)

    bench = commands.add_parser("bench", help="time the reference, beside PyTorch and pytest")
    bench.add_argument("settings", nargs="*", metavar="SETTING", help="a b1 b2 c1 c2; all without")
    bench.add_argument("--threads", type=int, choices=(1, 2), help="without it, 1 and then 2")
    bench.add_argument("--rounds", type=int, default=5, metavar="N", help="turns of each; 5")
    bench.add_argument("--no-checks", action="store_true", help="the model alone")
    bench.add_argument(
        "--format", choices=("board", "markdown", "json"), default="board", help="how to report"
    )
    bench.set_defaults(run=run_bench)
    return top


def add_progress(commands: argparse._SubParsersAction) -> None:
    """The commands for the time between two checks."""
    piece = {"metavar": "PIECE", "help": "ex05.layernorm, softmax"}
    exercise = {"metavar": "EXERCISE", "help": "ex05, ex05_norm"}

    watch = commands.add_parser("watch", help="check again at every save")
    watch.add_argument("name", nargs="?", metavar="EXERCISE|PIECE", help="ex05, softmax")
    watch.set_defaults(run=run_watch)

    status = commands.add_parser("status", help="how far you are, at once; runs nothing")
    status.set_defaults(run=run_status)

    hint = commands.add_parser("hint", help="one hint; the next time, the next one")
    hint.add_argument("piece", nargs="?", **piece)
    hint.add_argument("--more", action="store_true", help="go on to the next hint")
    hint.set_defaults(run=run_hint)

    show = commands.add_parser("show", help="the solution of a piece that passes")
    show.add_argument("piece", **piece)
    show.add_argument("--give-up", action="store_true", help="before it passes; this is noted")
    show.set_defaults(run=run_show)

    reset = commands.add_parser("reset", help="start an exercise again; undo brings yours back")
    reset.add_argument("exercise", **exercise)
    reset.add_argument("--yes", action="store_true", help="do not ask")
    reset.set_defaults(run=run_reset)

    undo = commands.add_parser("undo", help="bring back what a file held before; again: undo that")
    undo.add_argument("exercise", nargs="?", **exercise)
    undo.add_argument("--list", action="store_true", help="only show which versions there are")
    undo.add_argument("--to", type=int, metavar="N", help="the version of that number in --list")
    undo.add_argument("--yes", action="store_true", help="do not ask")
    undo.set_defaults(run=run_undo)


def run_check(options: argparse.Namespace) -> int:
    from . import progress, snapshots, suite

    course = courses.load()
    wanted = course.select(options.names)
    target = target_of(options.target, course)
    own = target.folder.resolve() == EXERCISES.resolve()
    if own:
        with remembering():
            snapshots.take(target.folder)
    tests = suites_of(options)
    settings = suite.usual(
        tests=tests, in_process=options.in_process or options.pdb, pdb=options.pdb
    )
    try:
        with progress_shown(options.format, course) as notify:
            result = suite.check(course, target, wanted, replace(settings, notify=notify))
    except suite.SuiteError as error:
        raise UsageError(str(error)) from error
    if own and result.suites == ("visible",):
        with remembering():
            progress.record(result, target, course)
    due = result.passed and len(wanted) == len(course.pieces) and not options.no_finale
    if due:
        result = replace(result, finale=progress.recorded_finale(target))
    if options.format not in MACHINE:
        report(result, course, options.format)
    if due and not result.finale:
        from . import finale

        played = play(finale.Plan(), target, course, console(options.format))
        if played.status == PASSED:
            progress.record_finale(target, played)
        result = replace(result, finale=played)
    if options.format in MACHINE:
        report(result, course, options.format)
    return 0 if result.passed else 1


def play(plan: finale.Plan, target: Target, course: Course, console: Console) -> Finale:
    """Train the target's model as planned, live on the console."""
    from . import corpus, finale, run

    try:
        data = corpus.read(plan.data)
        message = plan.message(data)
    except (corpus.CorpusError, finale.PlanError) as error:
        raise UsageError(str(error)) from error
    return finale.show(run.WorkerRun(course, target, "train", message), plan, data, console)


def run_train(options: argparse.Namespace) -> int:
    from . import finale

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
        )
    except finale.PlanError as error:
        raise UsageError(str(error)) from error
    played = play(plan, target, course, console(None))
    return {"passed": 0, "interrupted": 1, "failed": 1}[played.status]


def run_sample(options: argparse.Namespace) -> int:
    from . import finale, run

    course = courses.load()
    target = target_of(options.target, course)
    try:
        plan = finale.SamplePlan(
            checkpoint=Path(options.checkpoint or finale.latest_checkpoint()).resolve(),
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


def console(form: str | None) -> Console:
    """Where live pictures go: stdout, but stderr where stdout is for a machine alone."""
    from rich.console import Console

    plain = form == "plain" or "NO_COLOR" in os.environ
    return Console(stderr=form in MACHINE, no_color=plain or None, highlight=False)


@contextmanager
def progress_shown(form: str | None, course: Course) -> Iterator[Callable[[Exercise], None]]:
    """Say which exercise is being checked, on one line that disappears in the end."""
    if form in (*MACHINE, "plain") or "NO_COLOR" in os.environ or not sys.stdout.isatty():
        yield lambda exercise: None
        return
    shown = ""

    def notify(exercise: Exercise) -> None:
        nonlocal shown
        if exercise.id != shown:
            shown = exercise.id
            print(f"\r\x1b[Kchecking {exercise.short} {exercise.title} ...", end="", flush=True)

    try:
        yield notify
    finally:
        print("\r\x1b[K", end="", flush=True)


def target_of(text: str, course: Course) -> Target:
    """The folder to check or train, read."""
    from .assembly import Target

    ours = text in ("exercises", "solutions")
    folder = ROOT / text if ours else Path(text)
    if not folder.is_dir():
        raise UsageError(f"--target {text}: there is no such folder")
    return Target.read(folder, course, text if ours else folder.resolve().name)


def whole_course() -> None:
    """UsageError in a student's copy, which has neither solutions nor the modules for them."""
    if not (ROOT / "solutions").is_dir():
        raise UsageError("this copy of the course has no solutions; take the whole course")


def suites_of(options: argparse.Namespace) -> tuple[Path, ...]:
    hidden = ROOT / "tests" / "hidden"
    if options.hidden and not hidden.is_dir():
        raise UsageError("--hidden: this copy of the course has no hidden suite")
    for folder in options.tests:
        if not folder.is_dir():
            raise UsageError(f"--tests {folder}: there is no such folder")
    return (ROOT / "tests" / "visible", *([hidden] if options.hidden else []), *options.tests)


def report(result: Result, course: Course, form: str | None) -> None:
    """Show the result: for a machine, as plain text, or as the board."""
    if form in MACHINE:
        print(for_machine(result, form), end="")
    elif is_plain(form):
        from .reports import plain as reporter

        print(reporter.render(result, course))
    else:
        from .reports import board

        board.show(result, course)


def for_machine(result: Result, form: str) -> str:
    """The result in one of the formats that others read; GitHub's files are written to."""
    if form == "json":
        return json.dumps(result.to_json(), indent=1) + "\n"
    from .reports import github, gradescope, junit

    if form == "github":
        return github.publish(result, os.environ)
    return {"junit": junit, "gradescope": gradescope}[form].render(result)


def run_assemble(options: argparse.Namespace) -> int:
    from . import assemble, progress

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
        progress.write(options.out, text)
        print(f"{options.out}: {len(text.splitlines())} lines; python {options.out} FILE")
    return 0


def run_doctor(options: argparse.Namespace) -> int:
    from . import doctor

    findings = doctor.examine(ROOT)
    print(doctor.render(findings, sys.stdout.encoding), end="")
    return 1 if any(finding.state == doctor.BROKEN for finding in findings) else 0


def run_bundle(options: argparse.Namespace) -> int:
    whole_course()
    from . import bundle

    course = courses.load()
    try:
        kit = bundle.Kit(course)
        if options.gradescope:
            files = bundle.for_gradescope(kit)
        else:
            print("trying every known mistake on the visible tests ...", file=sys.stderr)
            files = bundle.for_students(kit)
        data = bundle.pack(files)
        bundle.write(options.out, data)
    except bundle.BundleError as error:
        raise UsageError(str(error)) from error
    size = f"{len(files)} files, {len(data) / 1024:.0f} KiB"
    print(f"{options.out}: {course.title} {course.version}, {size}")
    return 0


def is_plain(form: str | None) -> bool:
    """Whether to report in plain text: asked for, or no terminal that could show more."""
    return form == "plain" or (
        form is None and ("NO_COLOR" in os.environ or not sys.stdout.isatty())
    )


@contextmanager
def remembering() -> Iterator[None]:
    """A full disk or a folder that cannot be written costs the memory of this, and no more."""
    try:
        yield
    except OSError as error:
        print(f"grader: not kept for later: {error}", file=sys.stderr)


def say(*lines: str) -> None:
    """Print lines; what the terminal cannot show as an escape, and nothing that it would obey."""
    from .reports.text import clean

    encoding = sys.stdout.encoding or "ascii"
    for line in lines:
        print(clean(line).encode(encoding, "backslashreplace").decode(encoding))


def run_watch(options: argparse.Namespace) -> int:
    from . import watch

    course = courses.load()
    wanted = course.select([options.name]) if options.name else ()
    return watch.run(course, EXERCISES, wanted, console(None))


def run_status(options: argparse.Namespace) -> int:
    from .reports import status

    say(*status.lines(progress_of(course := courses.load()), course))
    return 0


def progress_of(course: Course) -> progress.Progress:
    """What the last checks of exercises/ have said."""
    from . import progress
    from .assembly import Target

    return progress.read(Target.read(EXERCISES, course), course)


def run_hint(options: argparse.Namespace) -> int:
    from . import hints, progress

    course = courses.load()
    so_far = progress_of(course)
    piece = course.piece(options.piece) if options.piece else hints.piece_in_need(so_far, course)
    if piece is None:
        say("every piece passes, as last checked: there is nothing to hint at")
        return 0
    hint = hints.next_hint(piece, so_far, options.more)
    say(*hint.lines(width=min(hints.WIDTH, shutil.get_terminal_size().columns)))
    with remembering():
        progress.record_hint(piece.id, hint.rung)
    return 0


def run_show(options: argparse.Namespace) -> int:
    from . import hints, progress

    course = courses.load()
    piece = course.piece(options.piece)
    so_far = progress_of(course)
    try:
        solution = hints.solution(piece, so_far, options.give_up)
    except hints.NoSolution as error:
        raise UsageError(str(error)) from None
    if so_far.piece(piece.id).status != PASSED:
        progress.record_given_up(piece.id)
    say(*solution)
    return 0


def run_reset(options: argparse.Namespace) -> int:
    from . import snapshots, stubs

    path = exercise_file(options.exercise, courses.load())
    try:
        stub = snapshots.stub(path.name, ROOT / "solutions", STATE / "stubs")
    except FileNotFoundError:
        raise UsageError(f"this copy of the course has no stub of {path.name}") from None
    except stubs.StubError as error:
        raise UsageError(str(error)) from error
    return put_back(path, stub, "the stub, as at the beginning", options.yes)


def run_undo(options: argparse.Namespace) -> int:
    from . import snapshots

    course = courses.load()
    try:
        path = exercise_file(options.exercise, course) if options.exercise else last_saved(course)
        snapshots.keep(path)
    except OSError as error:
        raise UsageError(f"nothing was changed: {error}") from None
    if options.list:
        say(*snapshots.listed(path))
        return 0
    version = snapshots.chosen(path, options.to)
    if version is None:
        missing = f"no version {options.to}" if options.to else "no version but this one"
        raise UsageError(f"{shown(path)}: there is {missing}; see undo --list")
    return put_back(path, version.data(), f"as it was {version.words}", options.yes)


def exercise_file(name: str, course: Course) -> Path:
    """The file of "ex05" or "ex05_norm", and microgpt.py."""
    given = name.removesuffix(".py") == "microgpt"
    return EXERCISES / ("microgpt.py" if given else course.exercise(name).file)


def last_saved(course: Course) -> Path:
    """The exercise file that was saved last."""
    files = [path for e in course.exercises if (path := EXERCISES / e.file).exists()]
    if not files:
        raise UsageError("there is no exercise file; say which one you want back: undo ex05")
    return max(files, key=lambda path: path.stat().st_mtime_ns)


def put_back(path: Path, data: bytes, what: str, yes: bool) -> int:
    """Show what would change, ask, and do it."""
    from . import snapshots

    now = path.read_bytes() if path.exists() else None
    if now == data:
        say(f"{shown(path)} is {what} already")
        return 0
    say(*snapshots.changes(now, data, shown(path)), "")
    if not confirmed(f"Make {shown(path)} {what}?", yes):
        say("nothing was changed")
        return 1
    try:
        snapshots.put_back(path, data)
    except OSError as error:
        raise UsageError(f"{shown(path)} stays as it is: {error}") from None
    say(f"{shown(path)} is {what}; to go back: python -m grader undo {path.stem.split('_')[0]}")
    return 0


def confirmed(question: str, yes: bool) -> bool:
    """Whether the user wants it. UsageError where there is nobody to ask."""
    if yes:
        return True
    if not sys.stdin.isatty():
        raise UsageError("nothing was changed: there is no terminal to ask in; say --yes")
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def shown(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def run_stubs(options: argparse.Namespace) -> int:
    from . import snapshots, stubs

    try:
        if options.check:
            drift = stubs.check(ROOT / "solutions", ROOT / "exercises")
            print("\n".join(drift) or "exercises/ is what solutions/ makes")
            return 1 if drift else 0
        with remembering():
            snapshots.take(EXERCISES)
        for change in stubs.update(ROOT / "solutions", ROOT / "exercises", STATE / "stubs"):
            print(change.message)
    except stubs.StubError as error:
        raise UsageError(str(error)) from error
    return 0


def run_mutants(options: argparse.Namespace) -> int:
    whole_course()
    from . import mutation
    from .reports import matrix as reporter

    course = courses.load()
    wanted = course.select(options.names)
    try:
        with progress_shown(options.format, course) as notify:
            matrix = mutation.measure(
                mutation.Setting(course),
                wanted,
                with_automatic=options.ast,
                notify=lambda variant: notify(course.by_id[variant.exercise]),
            )
    except mutation.MutationError as error:
        raise UsageError(str(error)) from error
    if options.format == "json":
        print(json.dumps(reporter.to_json(matrix), indent=1))
    elif options.format == "markdown":
        print(reporter.markdown(matrix, course), end="")
    elif is_plain(options.format):
        print(reporter.render(matrix, course), end="")
    else:
        reporter.show(matrix, course)
    return 0 if matrix.holds else 1


def run_lines(options: argparse.Namespace) -> int:
    whole_course()
    from . import lines

    counted = lines.count(ROOT / "solutions")
    for file, number in counted.files.items():
        print(f"{number:5d}  {file}")
    print(f"{counted.total:5d}  in all: goal {lines.GOAL}, limit {lines.LIMIT}")
    print(f"{counted.median_function:5g}  median function: goal {lines.FUNCTION_GOAL}")
    print(f"{counted.microgpt:5d}  microgpt.py: limit {lines.MICROGPT_LIMIT}")
    return 0 if counted.within_limits else 1


def run_bench(options: argparse.Namespace) -> int:
    whole_course()
    from . import bench
    from .reports import bench as reporter

    course = courses.load()
    try:
        rows = bench.measure(
            course,
            options.settings,
            threads=(options.threads,) if options.threads else (1, 2),
            rounds=options.rounds,
            with_checks=not options.no_checks,
            notify=lambda what: print(f"bench: {what}", file=sys.stderr, flush=True),
        )
    except bench.BenchError as error:
        raise UsageError(str(error)) from error
    if options.format == "json":
        print(reporter.to_json(rows), end="")
    elif options.format == "markdown":
        print(reporter.markdown(rows), end="")
    else:
        reporter.show(rows)
    return 0
