"""Whether a changed or a new exercise is whole: one entry in the manifest, one solution, its tests.

What can be read is looked at first, the cheapest first; what is found there is said before any test
runs, since nothing that runs can be trusted until it is mended.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import bundle, course, stubs, suite, trials, trivial, variants
from .assembly import Target, read
from .course import MANIFEST, ROOT, Course, CourseError, Exercise, Piece
from .language import _, later
from .results import PASSED, TODO, WAITING, ExerciseResult

RUNGS = 3  # of each ladder of hints
SHOWN = "exercises/manifest.toml"


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, where it stands, and what to do about it."""

    where: str
    what: str
    advice: str


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


@dataclass(frozen=True)
class Rule:
    """What an entry of the manifest must hold under a key."""

    key: str
    holds: Callable[[Any], bool]
    says: str


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_positive(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1e6


def are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(is_text, value))


def matches(pattern: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value) is not None


def are_entries(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


OF_COURSE = (
    Rule("title", is_text, later("a text")),
    Rule("version", is_text, later("a text")),
    Rule("exercise", are_entries, later("[[exercise]]")),
)
OF_LIMITS = tuple(
    Rule(key, is_positive, later("a number of seconds")) for key in ("import", "call", "exercise")
)
OF_EXERCISES = (
    Rule("id", matches(r"ex\d\d_[a-z0-9_]+"), later('like "ex05_norm", the name of its files')),
    Rule("title", is_text, later("a text")),
    Rule("goal", is_text, later("a text of one sentence")),
    Rule("part", is_text, later("a text: the part of the model that it makes")),
    Rule("minutes", is_positive, later("a number above 0")),
    Rule("difficulty", lambda value: value in range(1, 6), later("a number from 1 to 5")),
    Rule("piece", are_entries, later("[[exercise.piece]]")),
)
OF_PIECES = (
    Rule("name", matches(r"[A-Za-z]\w*"), later("a word")),
    Rule("points", is_positive, later("a number above 0")),
    Rule(
        "defines",
        lambda value: are_texts(value) and bool(value),
        later('the names that make it up: ["layernorm"], ["Tensor.__add__"]'),
    ),
    Rule("needs", are_texts, later("a list of pieces, or []")),
    Rule(
        "hints",
        lambda value: are_texts(value) and len(value) == RUNGS,
        later("a list of three texts: a nudge, the approach, nearly the code"),
    ),
)


def manifest(path: Path) -> Iterator[Finding]:
    """What is wrong with the table of contents, entry by entry."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        yield Finding(SHOWN, str(error), _("mend this line"))
        return
    found = list(entries(table))
    yield from found
    if not found:
        try:
            yield from order(course.load(path))
        except CourseError as error:
            words = str(error).removeprefix(f"{path}: ")
            yield Finding(SHOWN, words, _("mend this entry, or leave the need out"))


def entries(table: dict[str, Any]) -> Iterator[Finding]:
    """What entries lack, or hold that they must not."""
    yield from broken(table, OF_COURSE, SHOWN)
    limits = as_table(table.get("limits"))
    yield from broken(limits, OF_LIMITS, f"{SHOWN}: [limits]")
    exercises = as_tables(table.get("exercise"))
    yield from twice([str(entry.get("id")).split("_")[0] for entry in exercises], SHOWN)
    for number, entry in enumerate(exercises, 1):
        where = f"{SHOWN}: {entry.get('id') or _('exercise {n}').format(n=number)}"
        yield from broken(entry, OF_EXERCISES, where)
        yield from broken(limits | as_table(entry.get("limits")), OF_LIMITS, where)
        pieces = as_tables(entry.get("piece"))
        yield from twice([piece.get("name") for piece in pieces], where)
        for place, piece in enumerate(pieces, 1):
            name = piece.get("name") or _("piece {n}").format(n=place)
            yield from broken(piece, OF_PIECES, f"{where}, {name}")


def as_table(value: Any) -> dict[str, Any]:
    """A table; an empty one, which lacks everything, where something else stands."""
    return value if isinstance(value, dict) else {}


def as_tables(value: Any) -> list[dict[str, Any]]:
    return list(map(as_table, value)) if isinstance(value, list) else []


def broken(entry: dict[str, Any], rules: Sequence[Rule], where: str) -> Iterator[Finding]:
    """A finding for each rule that the entry breaks."""
    for rule in rules:
        if rule.key not in entry:
            words = _("{key} is missing").format(key=rule.key)
        elif not rule.holds(entry[rule.key]):
            value = repr(entry[rule.key])
            value = value if len(value) < 60 else value[:57] + "..."
            words = _("{key} is {value}").format(key=rule.key, value=value)
        else:
            continue
        yield Finding(where, words, _("{key} is {rule}").format(key=rule.key, rule=_(rule.says)))


def twice(names: list, where: str) -> Iterator[Finding]:
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        words = _("{name} is there twice").format(name=name)
        yield Finding(where, words, _("give each a name of its own"))


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
    except Exception as error:  # whatever a file of an instructor's raises when it is imported
        where = "tests/mutants, tests/alternatives"
        yield Finding(where, f"{type(error).__name__}: {error}", _("mend the file"))
        return
    names = tuple(folder.name for folder in suites(exercise))
    for verdict in trials.judge(setting, known, names) if known else ():
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
