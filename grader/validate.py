"""Whether a changed or a new exercise is whole: one entry in the manifest, one solution, its tests.

What can be read is looked at first, the cheapest first; what is found there is said before any test
runs, since nothing that runs can be trusted until it is mended.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from . import bundle, course, stubs, suite, trials, trivial, variants
from .assembly import Target, read
from .course import MANIFEST, ROOT, Course, CourseError, Exercise, Piece
from .language import _
from .manifest import SHOWN, Finding, entries
from .results import PASSED, TODO, WAITING, ExerciseResult

RUNGS = 3  # of each ladder of hints
MODEL = (
    "ex01_tokenizer ex02_value ex03_tensor ex04_ops ex05_norm ex06_attention ex07_gpt ex08_optim"
    " ex09_train ex10_sampling".split()
)


def findings(names: list[str], tell: Callable[[str], None] = lambda step: None) -> list[Finding]:
    """All that is wrong with the exercises or pieces named, or with all of them.

    `tell` hears what is looked at next. Raises CourseError for a name that is not in the course.
    """
    tell(SHOWN)
    if found := list(manifest(MANIFEST)):
        return found
    plan = course.load()
    wanted = plan.select(names)
    exercises = [e for e in plan.exercises if set(e.pieces) & set(wanted)]
    tell(_("solutions, stubs and hints"))
    if found := [finding for exercise in exercises for finding in files(exercise)]:
        return found
    found = list(given_away(plan))
    for exercise in exercises:
        pieces = tuple(piece for piece in exercise.pieces if piece in wanted)
        try:
            tell(_("the tests of {exercise}").format(exercise=exercise.id))
            failing = list(solution(plan, exercise, pieces))
            found += [*failing, *stub(plan, exercise, pieces)]
            if not failing:
                found += trivial_answers(plan, exercise, pieces)
                tell(_("wrong answers and other right ones"))
                found += judged(plan, exercise, pieces)
        except suite.SuiteError as error:
            advice = _("mend its tests in tests/visible and tests/hidden")
            found.append(Finding(exercise.id, str(error), advice))
    return found


# the manifest


def manifest(path: Path) -> Iterator[Finding]:
    """What is wrong with the table of contents: all of it, not only what `course.load` says."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        yield Finding(SHOWN, str(error), _("mend this line"))
        return
    found = list(entries(table))
    yield from found
    if not found:
        try:
            plan = course.load(path)
            yield from model(plan)
            yield from ladders(plan)
            yield from order(plan)
        except CourseError as error:
            words = str(error).removeprefix(f"{path}: ")
            yield Finding(SHOWN, words, _("mend this entry, or leave the need out"))


def model(plan: Course) -> Iterator[Finding]:
    """Exercises that are left out, though the model that is trained and looked into needs them."""
    for id in MODEL:
        if id not in plan.by_id:
            words = _("{id} is missing; it is a part of the model that is trained in the end")
            advice = _("leave it in; `check` and `mark` take the names of those that you teach")
            yield Finding(SHOWN, words.format(id=id), advice)


def ladders(plan: Course) -> Iterator[Finding]:
    """Pieces with more or fewer hints than there are rungs: whoever is stuck can do with either."""
    for piece in plan.pieces.values():
        if len(piece.hints) != RUNGS:
            words = _("{piece} has {n} hints").format(piece=piece.id, n=len(piece.hints))
            advice = _("write three: a nudge, the approach, nearly the code")
            yield Finding(SHOWN, words, advice)


def order(plan: Course) -> Iterator[Finding]:
    """Needs that stand behind what needs them: nobody who goes in order could do it."""
    places = list(plan.pieces)
    for piece in plan.pieces.values():
        for need in piece.needs:
            if places.index(need) > places.index(piece.id):
                words = _("{piece} needs {need}, which comes later")
                yield Finding(
                    SHOWN,
                    words.format(piece=piece.id, need=need),
                    _("move one of them, or leave the need out"),
                )


# files


def files(exercise: Exercise) -> Iterator[Finding]:
    """What an exercise lacks: a solution with all its definitions, a stub, visible tests."""
    where = f"solutions/{exercise.file}"
    file = read(ROOT / where, where)
    markers = {"begin": stubs.BEGIN, "end": stubs.END}
    if file.text is None:
        advice = _("write it: the stub, and each answer between {begin} and {end}")
        yield Finding(where, file.problem, advice.format(**markers))
        return
    try:
        made = stubs.generate(file.text, where)
    except stubs.StubError as error:
        place, _colon, what = str(error).partition(": ")
        yield Finding(place, what, _("mend the file"))
        return
    there = {name for name, _node in trivial.definitions(ast.parse(file.text))}
    for piece in exercise.pieces:
        for name in (name for name in piece.defines if name not in there):
            words = _("{piece} defines {name}, which is not there")
            advice = _("write it, or mend `defines` in the manifest")
            yield Finding(where, words.format(piece=piece.id, name=name), advice)
        if not re.search(f'"TODO ({"|".join(map(re.escape, piece.defines))})["\\.]', made):
            advice = _("put its answers between {begin} and {end}").format(**markers)
            words = _("{piece} leaves nothing to do").format(piece=piece.id)
            yield Finding(where, words, advice)
    if not (ROOT / "exercises" / exercise.file).is_file():
        advice = _("make it: python -m grader stubs")
        yield Finding(f"exercises/{exercise.file}", _("there is no such file"), advice)
    yield from visible_tests(exercise)


def visible_tests(exercise: Exercise) -> Iterator[Finding]:
    """Pieces without a visible test, or without one that a trivial answer cannot pass."""
    where = f"tests/visible/test_{exercise.file}"
    path = ROOT / where
    text = path.read_text("utf-8") if path.is_file() else ""
    for piece in exercise.pieces:
        if not has_core(text, piece):
            words = _("{piece} has no test that is its core").format(piece=piece.id)
            advice = _('write one under @pytest.mark.piece("{name}", core=True)')
            yield Finding(where, words, advice.format(name=piece.name))


def has_core(text: str, piece: Piece) -> bool:
    """Whether a file of tests has one without which the piece earns nothing."""
    return re.search(rf'piece\(\s*"{piece.name}",[^)]*core=True', text) is not None


def given_away(plan: Course) -> Iterator[Finding]:
    """Lines of answers and of hidden tests in the manifest, where students read its hints."""
    secret = bundle.secrets(bundle.Kit(plan))
    for words in bundle.given_away({SHOWN: MANIFEST.read_bytes()}, secret):
        where, _space, what = words.partition(" ")
        yield Finding(where, what, _("leave a part of the line open: ..."))


# what runs


def suites(exercise: Exercise) -> tuple[Path, ...]:
    """Where the exercise has tests; a hidden suite is not a must."""
    folders = (ROOT / "tests" / "visible", ROOT / "tests" / "hidden")
    return tuple(folder for folder in folders if any(folder.glob(f"test_{exercise.id}*.py")))


def checked(
    plan: Course, exercise: Exercise, pieces: tuple[Piece, ...], target: Target
) -> ExerciseResult:
    """What its tests say, as students' code is checked. Raises SuiteError."""
    options = suite.Options(tests=suites(exercise), alone=True, mutants=None)
    [result] = suite.check(plan, target, pieces, options).exercises
    return result


def solution(plan: Course, exercise: Exercise, pieces: tuple[Piece, ...]) -> Iterator[Finding]:
    """Tests that the solution does not pass."""
    target = Target.read(ROOT / "solutions", plan)
    for piece in checked(plan, exercise, pieces, target).pieces:
        for test in piece.tests:
            if test.status != PASSED:
                first = test.message.partition("\n")[0]
                yield Finding(
                    f"tests/{test.suite}/test_{exercise.file}, {test.name}",
                    _("the solution does not pass: {why}").format(why=first),
                    _("mend the test or solutions/{file}; or give it more time in [limits]").format(
                        file=exercise.file
                    ),
                )


def stub(plan: Course, exercise: Exercise, pieces: tuple[Piece, ...]) -> Iterator[Finding]:
    """Tests that see something else in the stub than work to do."""
    target = Target.read(ROOT / "solutions", plan)
    file = target.files[exercise.id]
    text = stubs.generate(file.text, exercise.file)
    target = replace(target, files=target.files | {exercise.id: replace(file, text=text)})
    for piece in checked(plan, exercise, pieces, target).pieces:
        for test in piece.tests:
            if test.status not in (TODO, WAITING):
                yield Finding(
                    f"tests/{test.suite}/test_{exercise.file}, {test.name}",
                    _("of the stub it says {status}, and not that it is to do").format(
                        status=test.status
                    ),
                    _("test what is between the markers, or mend `needs` in the manifest"),
                )


def trivial_answers(
    plan: Course, exercise: Exercise, pieces: tuple[Piece, ...]
) -> Iterator[Finding]:
    """Answers that take no thought and earn points all the same."""
    for piece in pieces:
        for name, answer in trivial.ANSWERS.items():
            result = trivial.result(plan, piece, answer, suites(exercise))
            if result.earned:
                passed = [test.name for test in result.tests if test.status == PASSED]
                yield Finding(
                    piece.id,
                    _("giving {name} earns {points:g} points, by {tests}").format(
                        name=name, points=result.earned, tests=", ".join(passed)
                    ),
                    _("mark a test as its core that this fails: core=True"),
                )


def judged(plan: Course, exercise: Exercise, wanted: tuple[Piece, ...]) -> Iterator[Finding]:
    """Known mistakes that no test fails, and right answers that one does, where there are any."""
    setting = variants.Setting(plan)
    try:
        known = [
            *variants.registered(setting, wanted, setting.mutants),
            *variants.registered(setting, wanted, setting.alternatives, right=True),
        ]
    except variants.MutationError as error:
        where, _colon, what = str(error).partition(": ")
        yield Finding(where, what, _("mend the file"))
        return
    for verdict in trials.judge(setting, known) if known else ():
        yield from verdict_on(verdict)


def verdict_on(verdict: trials.Verdict) -> Iterator[Finding]:
    variant = verdict.variant
    failing = [name for row in verdict.rows.values() for name in row.failing]
    folder = "tests/alternatives" if variant.right else "tests/mutants"
    where = f"{folder}/{variant.exercise}.py, {variant.id}"
    for row in verdict.rows.values():
        if row.broken:
            yield Finding(where, row.broken, _("mend the test, or this variant"))
    if variant.right and failing:
        words = _("it is right, and fails {tests}").format(tests=", ".join(failing))
        yield Finding(where, words, _("let the tests take every right answer"))
    elif not variant.right and not failing:
        words = _("no test fails it: {says}").format(says=variant.says)
        yield Finding(where, words, _("write a test that does"))
