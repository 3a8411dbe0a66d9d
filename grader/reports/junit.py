"""JUnit XML, for any CI: one <testcase> for each test, one <testsuite> for each exercise.

    failed, todo, waiting        <failure type="...">    the answer is wrong, or not there yet
    timeout, crashed, refused    <error type="...">      the code could not be asked

Nothing is <skipped>: some readers leave skipped tests out of the sum, and would call an exercise
that nobody has begun a perfect one. The points stand in <properties>, as in the JSON.
"""

from __future__ import annotations

from xml.etree import ElementTree as xml

from ..results import FAILED, PASSED, TODO, WAITING, ExerciseResult, PieceResult, Result, TestResult
from . import text
from .account import account, name

FAILURES = (FAILED, TODO, WAITING)


def render(result: Result) -> str:
    """The whole document, in ASCII. The sums over its testsuites are the result's."""
    suites = [_suite(exercise) for exercise in result.exercises]
    root = xml.Element("testsuites", name=text.one_line(result.target))
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count)) for suite in suites)))
    root.extend(suites)
    xml.indent(root)
    document = xml.tostring(root, encoding="us-ascii", xml_declaration=True)
    return document.decode("ascii") + "\n"


def _suite(exercise: ExerciseResult) -> xml.Element:
    tests = [test for piece in exercise.pieces for test in piece.tests]
    suite = xml.Element(
        "testsuite",
        name=text.one_line(exercise.id),
        tests=str(len(tests)),
        failures=str(sum(test.status in FAILURES for test in tests)),
        errors=str(sum(test.status not in (PASSED, *FAILURES) for test in tests)),
        skipped="0",
        time=f"{sum(test.seconds for test in tests):.4f}",
    )
    suite.append(_points(exercise))
    for piece in exercise.pieces:
        suite.extend(_case(exercise, piece, test) for test in piece.tests)
    return suite


def _points(exercise: ExerciseResult) -> xml.Element:
    """earned and possible, of the exercise and of each of its pieces."""
    properties = xml.Element("properties")
    named = [("", exercise), *((f"{piece.name}.", piece) for piece in exercise.pieces)]
    for prefix, scored in named:
        for label, points in (("earned", scored.earned), ("possible", scored.possible)):
            attributes = {"name": text.one_line(prefix + label), "value": text.number(points)}
            xml.SubElement(properties, "property", attributes)
    return properties


def _case(exercise: ExerciseResult, piece: PieceResult, test: TestResult) -> xml.Element:
    case = xml.Element(
        "testcase",
        classname=text.one_line(text.piece_id(exercise, piece)),
        name=name(test),
        time=f"{test.seconds:.4f}",
    )
    if test.status == PASSED:
        return case
    kind = "failure" if test.status in FAILURES else "error"
    said = text.said(text.Block("", test))[0]
    outcome = xml.SubElement(case, kind, type=text.one_line(test.status), message=said)
    outcome.text = account(test)
    return case
