"""The board and the plain report: pure views of one record, on any terminal, whatever is in it."""

import io
import re
import subprocess
import sys
import time
import unicodedata
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from grader import course as courses
from grader.reports import board, clean, next_step, parts, picture, plain
from grader.results import ExerciseResult, Finale, PieceResult, Result, TestResult

COURSE = courses.load()
WIDTHS = (40, 59, 60, 75, 76, 80, 97, 98, 120, 200)

MESSAGE = """\
layernorm(x of shape (2, 3, 5)): 30 of 30 values differ
worst at [1, 0, 0]: got -1.65685, expected -1.84236"""
DIAGNOSIS = "you divided by C - 1; layer norm uses the biased variance (divide by C)"
BLOCK = """\
ex05.layernorm  test_normalises_each_row                        exercises/ex05_norm.py:41
  layernorm(x of shape (2, 3, 5)): 30 of 30 values differ
  worst at [1, 0, 0]: got -1.65685, expected -1.84236
  likely: you divided by C - 1; layer norm uses the biased variance (divide by C)"""

ESCAPES = (
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b]8;;http://evil\x1b\\link \x9b2J \x07\b\r\x7f\x85"
)
HOSTILE = (
    f"[red]{ESCAPES}[/red] [/] \u202eright-to-left\u2069 שלום 🤖🇩🇪 \ud800 \ufffe tab\t" + "w" * 3000
)


def a_test(status="failed", name="test_it", suite="visible", **fields):
    return TestResult(name, suite, status, **fields)


def a_result(tests=None, *, default="passed", ids=None, borrowed=None, finale=None):
    """A record of the course: `tests` for the pieces named, one test of `default` elsewhere."""
    tests, borrowed = tests or {}, borrowed or {}
    exercises = []
    for exercise in COURSE.exercises:
        pieces = tuple(
            PieceResult.score(piece.name, piece.points, tests.get(piece.id, [a_test(default)]))
            for piece in exercise.pieces
            if ids is None or piece.id in ids
        )
        if pieces:
            loans = borrowed.get(exercise.short, ())
            exercises.append(ExerciseResult(exercise.id, exercise.title, pieces, loans))
    return Result("exercises", ("visible",), tuple(exercises), finale=finale)


LAYERNORM = a_test(
    name="test_normalises_each_row",
    message=MESSAGE,
    diagnosis=DIAGNOSIS,
    where="exercises/ex05_norm.py:41",
)
FRESH = a_result(default="todo")
DONE = a_result()
HALF = a_result(
    {
        "ex03.matmul": [a_test("timeout", message="matmul took longer than 2 s"), a_test("passed")],
        "ex04.softmax": [a_test("crashed", where="exercises/ex04_ops.py:8"), a_test("passed")],
        "ex04.relu": [a_test("refused", message="a file outside the exercise was opened")],
        "ex05.layernorm": [LAYERNORM, a_test("passed"), a_test("passed")],
        "ex06.causal_attention": [a_test("waiting", message="waits for ex04.softmax")],
        "ex06.KVCache": [a_test("todo", where="exercises/ex06_attention.py:90")],
        "ex10.generate": [a_test(suite="hidden", message="the cache is not used")],
    },
    borrowed={"ex05": ("ex03.matmul",), "ex06": ("ex04.softmax", "ex03.matmul")},
)
TRAINED = replace(
    DONE, finale=Finale("passed", 1000, 2.34567, 27.31, ("kari", "annel"), "runs/first.npz")
)
NASTY = a_result(
    {
        "ex01.encode": [
            a_test(name=HOSTILE, message=HOSTILE, where=HOSTILE, output=HOSTILE, diagnosis=HOSTILE)
        ],
        "ex01.decode": [a_test("waiting", message=HOSTILE)],
        "ex02.backward": [a_test(message="\n".join([HOSTILE] * 50), output=(HOSTILE + "\n") * 50)],
        "ex03.matmul": [a_test("crashed", suite=HOSTILE)],
    },
    borrowed={"ex02": (HOSTILE,)},
)
NASTY = replace(NASTY, target=HOSTILE, submission=HOSTILE, suites=(HOSTILE, "hidden"))
NASTY_END = replace(DONE, finale=Finale("passed", 1, float("nan"), 0.0, (HOSTILE,) * 3, HOSTILE))
RESULTS = {
    "fresh": FRESH,
    "half": HALF,
    "done": DONE,
    "trained": TRAINED,
    "nasty": NASTY,
    "nasty_end": NASTY_END,
    "everything_fails": a_result(default="crashed"),
    "selected": a_result({"ex05.layernorm": [LAYERNORM]}, ids={"ex05.layernorm"}),
    "empty": Result("exercises", ("visible",), ()),
}
every_result = pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)


def on_board(result, width=120, colour=False):
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
    )
    board.show(result, COURSE, console)
    return console.file.getvalue()


def squeezed(text):
    """Without spaces, line ends and frames: what a text says, wherever it was folded."""
    return re.sub(r"[\s│╭╮╰╯─]", "", text)


def lines_of(text):
    return [line.rstrip() for line in text.splitlines()]


def test_a_failure_reads_exactly_as_designed():
    screen = "\n".join(lines_of(on_board(a_result({"ex05.layernorm": [LAYERNORM]}), width=89)))
    assert f"\n\n{BLOCK}\n\n" in screen


def test_where_a_line_is_too_short_the_place_has_its_own():
    screen = lines_of(on_board(a_result({"ex05.layernorm": [LAYERNORM]}), width=40))
    head = screen.index("ex05.layernorm  test_normalises_each_row")
    assert screen[head + 1] == "  exercises/ex05_norm.py:41"


def test_what_the_students_code_printed_follows_the_failure_and_is_called_that():
    test = replace(LAYERNORM, output="mean 2\nvariance 3\n")
    result = a_result({"ex05.layernorm": [test]})
    said = "  your code printed:\n    mean 2\n    variance 3\n"
    assert said in "\n".join(lines_of(on_board(result)))
    assert said in plain.render(result, COURSE)


def test_of_a_flood_of_output_the_last_lines_are_shown():
    flood = "\n".join(f"line {n}" for n in range(1, 58))
    text = plain.render(a_result({"ex05.layernorm": [replace(LAYERNORM, output=flood)]}), COURSE)
    assert "your code printed (last 10 of 57 lines):\n    line 48\n" in text
    assert "line 57\n" in text and "line 47\n" not in text


def test_a_timeout_a_crash_and_a_refusal_are_said_in_words():
    text = plain.render(HALF, COURSE)
    assert "ex03.matmul test_it\n  timed out: matmul took longer than 2 s\n" in text
    assert (
        "ex04.softmax test_it\n  at exercises/ex04_ops.py:8\n  crashed; the test gives no message\n"
        in text
    )
    assert "ex04.relu test_it\n  refused: a file outside the exercise was opened\n" in text


def test_a_message_that_says_it_timed_out_is_not_told_so_again():
    result = a_result({"ex01.encode": [a_test("timeout", message="encode timed out after 2 s")]})
    assert "\n  encode timed out after 2 s\n" in plain.render(result, COURSE)


def test_a_hidden_test_is_called_hidden():
    assert "ex10.generate test_it (hidden)\n" in plain.render(HALF, COURSE)
    assert "ex10.generate  test_it (hidden)" in on_board(HALF)


def test_what_many_tests_of_an_exercise_say_alike_is_said_once():
    broken = [
        a_test("crashed", name=f"test_{n}", message="SyntaxError: invalid syntax", where="x.py:3")
        for n in range(4)
    ]
    text = plain.render(a_result({"ex05.rmsnorm": broken, "ex05.layernorm": broken}), COURSE)
    assert text.count("SyntaxError") == 1
    assert "the same in 7 more tests of ex05.rmsnorm, ex05.layernorm\n" in text


def many_failures(*ids):
    return {id: [a_test(name=f"test_{n}", message=f"{id} {n}") for n in range(5)] for id in ids}


def test_of_very_many_failures_the_first_are_shown_and_a_command_for_each_rest():
    failing = many_failures(*list(COURSE.pieces)[:6])
    text = plain.render(a_result(failing), COURSE)
    assert re.findall(r"^(\S+) test_(\d)$", text, re.MULTILINE) == [
        *(("ex01.vocabulary", n) for n in "012"),
        *(("ex01.encode", n) for n in "012"),
        ("ex01.decode", "0"),
    ]
    assert '2 more of ex01.vocabulary: make check ARGS="ex01.vocabulary"\n' in text
    assert '4 more of ex01.decode: make check ARGS="ex01.decode"\n' in text
    assert (
        '15 more in 3 other pieces, first ex02.arithmetic: make check ARGS="ex02.arithmetic"\n'
        in text
    )


def test_a_check_of_one_exercise_shows_every_failure():
    text = plain.render(a_result(many_failures("ex01.encode"), ids={"ex01.encode"}), COURSE)
    assert text.count("\nex01.encode test_") == 5
    assert "more of" not in text


def test_the_next_step_is_the_first_piece_in_order_that_is_failed_or_else_to_do():
    todo, failed = a_test("todo"), a_test("failed")
    piece, test = next_step(a_result({"ex05.rmsnorm": [failed], "ex03.matmul": [todo]}), COURSE)
    assert (piece.id, test) == ("ex05.rmsnorm", failed)
    piece, test = next_step(a_result({"ex05.rmsnorm": [todo], "ex03.matmul": [todo]}), COURSE)
    assert (piece.id, test) == ("ex03.matmul", todo)
    piece, test = next_step(a_result({"ex03.matmul": [failed], "ex01.encode": [failed]}), COURSE)
    assert (piece.id, test) == ("ex01.encode", failed)


def test_the_next_step_passes_over_what_waits():
    waiting, failed = a_test("waiting"), a_test("failed")
    piece, _ = next_step(a_result({"ex04.relu": [waiting], "ex05.rmsnorm": [failed]}), COURSE)
    assert piece.id == "ex05.rmsnorm"


def test_the_next_step_points_at_the_first_test_that_does_not_pass():
    tests = [a_test("passed"), a_test(where="exercises/ex05_norm.py:7"), a_test(where="elsewhere")]
    result = a_result({"ex05.rmsnorm": tests})
    assert next_step(result, COURSE)[1] is tests[1]
    assert "open: exercises/ex05_norm.py:7\n" in plain.render(result, COURSE)


def test_there_is_no_next_step_when_all_pass_or_all_wait():
    assert next_step(DONE, COURSE) is None
    assert next_step(a_result(default="waiting"), COURSE) is None


def test_both_reports_end_on_the_next_thing_to_do():
    ending = [
        "next: ex01.vocabulary, to write",
        "goal: Turn a name into the list of ids that the model reads, and back.",
        "write: CharTokenizer.__init__",
        "open: exercises/ex01_tokenizer.py",
        "stuck: python -m grader hint ex01.vocabulary",
    ]
    assert lines_of(plain.render(FRESH, COURSE))[-5:] == ending
    panel = [re.sub(r"[│:]", "", line).split() for line in lines_of(on_board(FRESH))[-6:-1]]
    assert panel == [line.replace(":", "").split() for line in ending]


def test_what_a_written_piece_calls_is_to_be_written_first():
    calls = a_test("todo", message="TODO softmax", where="exercises/ex04_ops.py:144")
    text = plain.render(a_result({"ex04.cross_entropy": [calls]}), COURSE)
    assert "next: ex04.cross_entropy, to write\n" in text
    assert "write: first softmax, which it calls\nopen: exercises/ex04_ops.py:144\n" in text
    own = a_test("todo", message="TODO cross_entropy")
    text = plain.render(a_result({"ex04.cross_entropy": [own]}), COURSE)
    assert "write: cross_entropy\n" in text


def test_a_selection_that_only_waits_ends_on_what_it_waits_for():
    waiting = [a_test("waiting", message="waits for ex03.backward")]
    text = plain.render(a_result({"ex05.rmsnorm": waiting}, ids={"ex05.rmsnorm"}), COURSE)
    next_, _open, _stuck, waits = text.splitlines()[-4:]
    assert next_ == "next: ex03.backward, which this waits for"
    assert waits == "waiting: waits for ex03.backward"


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ("waits for ex03, ex04.softmax", "next: ex03.unbroadcast, which this waits for"),
        ("waits for ex03_tensor, which cannot be imported yet", "next: nothing to do here yet"),
    ],
)
def test_where_all_waits_the_first_piece_of_what_is_awaited_comes_next(message, says):
    waiting = [a_test("waiting", message=message)]
    text = plain.render(a_result({"ex06.split_heads": waiting}, ids={"ex06.split_heads"}), COURSE)
    assert says in text.splitlines()


def test_a_selection_that_passes_leads_back_to_the_whole_course():
    text = plain.render(a_result(ids={"ex05.rmsnorm"}), COURSE)
    assert text.endswith("done: all that was asked for passes: 8 of 8 points\nnext: make check\n")


def test_when_everything_passes_it_says_so_and_leads_to_the_finale():
    text = plain.render(DONE, COURSE)
    assert "done: every piece passes: 200 of 200 points\nnext: make train: " in text


def test_the_outcome_of_the_finale_is_told():
    facts = [
        "finale: passed, 1000 steps in 27.3 s",
        "loss: 2.3457",
        "samples: kari, annel",
        "saved: runs/first.npz",
        "next: python -m grader sample",
    ]
    assert lines_of(plain.render(TRAINED, COURSE))[-5:] == facts


def test_an_interrupted_finale_leads_to_another():
    finale = Finale("interrupted", 12, 3.1, 1.0, (), None)
    assert plain.render(replace(DONE, finale=finale), COURSE).endswith(
        "finale: interrupted, 12 steps in 1.0 s\nloss: 3.1000\nnext: make train\n"
    )


@every_result
def test_the_score_is_the_one_of_the_json(result):
    score = result.to_json()["score"]
    words = f"{score['earned']:.10g} of {score['possible']:.10g} points"
    assert words in on_board(result)
    assert words in plain.render(result, COURSE)


def test_a_share_of_points_is_shown_to_the_hundredth():
    result = a_result({"ex05.layernorm": [a_test(), a_test("passed"), a_test("passed")]})
    assert "197.33 of 200 points" in on_board(result)
    assert "13.33/16" in on_board(result)
    assert "ex05 Normalisation: failed, 13.33 of 16 points\n" in plain.render(result, COURSE)


@every_result
def test_every_piece_stands_in_its_row_with_its_sign_and_in_plain_with_its_word(result):
    screen, text = squeezed(on_board(result)), plain.render(result, COURSE)
    words = {"passed": "passed", "failed": "failed", "todo": "to do", "waiting": "waiting"}
    for exercise in result.exercises:
        signs = [picture.UNICODE.signs[piece.status] + piece.name for piece in exercise.pieces]
        lines = [f"  {piece.name}: {words[piece.status]}\n" for piece in exercise.pieces]
        assert "".join(signs) in screen
        assert "".join(lines) in text


@every_result
def test_plain_says_what_the_board_says(result):
    """Every line of plain that is not about a status stands on the board, whatever the folding."""
    screen = squeezed(on_board(result)).encode("ascii", "backslashreplace").decode()
    for line in plain.render(result, COURSE).splitlines():
        fact = re.sub(r"^  (waiting|borrowed from the reference): ?|^  at ", "", line)
        if not re.match(r"part |ex\d\d |  \w+: (passed|failed|to do|waiting)$", fact):
            assert fact_is_on(screen, fact), line


def fact_is_on(screen, fact):
    label, _, rest = fact.partition(": ")
    return squeezed(fact) in screen or squeezed(label) + squeezed(rest) in screen


def test_what_is_borrowed_and_waited_for_is_named_in_its_row():
    screen = on_board(HALF)
    assert "borrowed from the reference: ex03.matmul" in screen
    assert "borrowed from the reference: ex04.softmax, ex03.matmul" in screen
    assert "… waits for ex04.softmax" in screen


def test_something_to_do_is_not_a_failure_and_not_red():
    assert not re.search(r"\x1b\[[\d;]*31m", on_board(FRESH, colour=True))
    assert re.search(r"\x1b\[[\d;]*31m", on_board(HALF, colour=True))
    assert "fail" not in plain.render(FRESH, COURSE)


def test_only_the_terminals_own_colours_are_used_and_none_that_vanish_on_white_or_black():
    used = set(
        re.findall(r"\x1b\[([\d;]*)m", "".join(on_board(r, colour=True) for r in RESULTS.values()))
    )
    codes = {code for style in used for code in style.split(";")}
    bold, dim, reverse, red, green, magenta = "1", "2", "7", "31", "32", "35"
    assert codes == {"0", bold, dim, reverse, red, green, magenta}


def test_every_piece_of_the_course_makes_a_part_of_the_picture():
    assert {exercise.part for exercise in COURSE.exercises} <= parts.LABELS.keys()
    assert parts.ELSEWHERE.keys() <= COURSE.pieces.keys()
    assert set(parts.ELSEWHERE.values()) <= parts.LABELS.keys()


def test_a_part_is_lit_only_when_all_its_pieces_pass():
    assert set(parts.states(DONE, COURSE).values()) == {"passed"}
    unlit = [parts.states(a_result({id: [a_test("todo")]}), COURSE) for id in COURSE.pieces]
    assert all(list(state.values()).count("todo") == 1 for state in unlit)
    assert {part for state in unlit for part, s in state.items() if s == "todo"} == set(
        parts.LABELS
    )


@pytest.mark.parametrize("ink", [picture.UNICODE, picture.ASCII], ids=["unicode", "ascii"])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_picture_shows_every_state_without_colour(ink, width):
    drawn = {
        status: [row.plain for row in picture.draw(a_result(default=status), COURSE, ink, width)]
        for status in ("passed", "failed", "todo", "waiting")
    }
    for status, rows in drawn.items():
        assert ink.signs[status] in "".join(rows)
        assert all(rows != other for name, other in drawn.items() if name != status)
        assert all(label in "".join(rows) for label in parts.LABELS.values())


def test_the_picture_shows_one_lit_part_among_the_unlit():
    ids = {"ex01.vocabulary", "ex01.encode", "ex01.decode"}
    result = a_result({id: [a_test("passed")] for id in ids}, default="todo")
    rows = [row.plain for row in picture.draw(result, COURSE, picture.UNICODE, 80)]
    assert [row[:20] for row in rows[2:5]] == [
        "┏━━✓━━━┓ ╭╌╌╌╌○╌╌╌╌╮",
        "┃tokens┃─╎embedding╎",
        "┗━━━━━━┛ ╰╌╌╌╌╌╌╌╌╌╯",
    ]


def test_a_selection_has_no_picture_because_most_of_it_was_not_checked():
    selected = a_result(ids={"ex01.vocabulary", "ex01.encode", "ex01.decode"})
    assert "attention" in on_board(DONE) and "part attention" in plain.render(DONE, COURSE)
    assert "tokens" not in on_board(selected)
    assert "part" not in plain.render(selected, COURSE)


def test_the_time_left_is_the_share_of_the_minutes_still_open():
    hours = round(sum(exercise.minutes for exercise in COURSE.exercises) / 30) / 2
    assert f"about {hours:g} h to go" in plain.render(FRESH, COURSE)
    assert "about 20 min to go" in plain.render(
        a_result({"ex05.layernorm": [a_test("todo")]}), COURSE
    )
    assert "to go" not in plain.render(DONE, COURSE)


def test_target_submission_and_suites_are_named_where_they_are_not_the_usual():
    result = replace(HALF, target="solutions", submission="a-17", suites=("visible", "hidden"))
    for report in (on_board(result), plain.render(result, COURSE)):
        for fact in ("target solutions", "submission a-17", "suites visible, hidden"):
            assert squeezed(fact) in squeezed(report)
    assert "target" not in plain.render(HALF, COURSE)


@every_result
@pytest.mark.parametrize("width", WIDTHS)
def test_no_line_is_wider_than_the_console(result, width):
    assert max(map(cell_len, on_board(result, width).splitlines())) <= width


@every_result
@pytest.mark.parametrize("width", [40, 80])
@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_the_board_prints_in_any_encoding(result, width, encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors="strict")
    console = Console(file=stream, width=width, force_terminal=False, legacy_windows=False)
    board.show(result, COURSE, console)
    stream.flush()
    screen = stream.buffer.getvalue().decode(encoding)
    assert screen.isascii() == (encoding != "utf-8")
    assert max(map(cell_len, screen.splitlines())) <= width


@every_result
def test_plain_is_ascii_lines_without_boxes(result):
    text = plain.render(result, COURSE)
    assert text.isascii() and text.endswith("\n") and not text.endswith("\n\n")
    assert all(char.isprintable() or char in "\n\t" for char in text)


@pytest.mark.parametrize("result", [NASTY, NASTY_END])
def test_a_students_text_cannot_speak_to_the_terminal(result):
    screen = re.sub(r"\x1b\[[\d;]*m", "", on_board(result, colour=True))  # what rich itself colours
    assert {unicodedata.category(char) for char in screen if char != "\n"}.isdisjoint({"Cc", "Cs"})
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", screen)
    coloured = on_board(result, colour=True)
    assert "\x1b]" not in coloured and "http://evil" not in coloured


def test_markup_in_a_students_text_is_shown_as_it_stands():
    result = a_result(
        {"ex01.encode": [a_test(name="[bold]x[/bold]", message="got [red]5[/] [/x]")]}
    )
    assert "[bold]x[/bold]" in on_board(result)
    assert "  got [red]5[/] [/x]\n" in on_board(result).replace("  \n", "\n")


def test_clean_keeps_what_a_reader_reads():
    assert clean("a\tb\nשלום 🤖 [red] é") == "a\tb\nשלום 🤖 [red] é"
    assert clean(ESCAPES).split() == ["red", "link"]
    assert clean("step 1\rstep 2\r\nend") == "step 1\nstep 2\nend"
    assert clean("\ud800x") == "\N{REPLACEMENT CHARACTER}x"
    assert clean("a\u202eb\u2066c\u200fd") == "abcd"


@given(st.text(st.characters() | st.sampled_from("\x1b\x9b\x9d[]m0;\x07\\\r\n\t")))
def test_clean_leaves_nothing_that_a_terminal_obeys(text):
    cleaned = clean(text)
    assert not [c for c in cleaned if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]
    assert clean(cleaned) == cleaned
    assert cleaned.encode("utf-8").decode("utf-8") == cleaned


@given(st.text())
def test_any_message_gives_a_report_that_fits(text):
    test = a_test(name=text, message=text, where=text, output=text, diagnosis=text)
    result = a_result({"ex01.encode": [test]}, ids={"ex01.encode"})
    assert max(map(cell_len, on_board(result, 60).splitlines())) <= 60
    assert plain.render(result, COURSE).isascii()


@pytest.mark.parametrize("flood", ["\x1b]", "\x9d", "\x1b[", "\x1b", "\x1bP\x1b", "\x9b0"])
def test_cleaning_a_flood_of_broken_escapes_takes_no_time(flood):
    begun = time.perf_counter()
    clean(flood * 200_000)
    assert time.perf_counter() - begun < 5  # quadratic time would take minutes


def test_reports_need_little():
    """Plain needs no rich; the board none of rich's heavy parts."""
    script = (
        "import sys; from grader.reports import plain; print('rich' in sys.modules); "
        "from grader.reports import board; "
        "print([m for m in ('rich.progress', 'rich.markdown', 'pygments') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[:2] == ["False", "[]"]


def test_the_svg_is_one_picture_that_needs_no_network():
    drawn = board.svg(HALF, COURSE)
    assert ElementTree.fromstring(drawn).tag == "{http://www.w3.org/2000/svg}svg"
    assert "layernorm" in drawn
    assert "url(http" not in drawn and 'url("http' not in drawn
    assert board.svg(HALF, COURSE) == drawn


def test_the_svg_of_nasty_text_is_still_a_picture():
    assert ElementTree.fromstring(board.svg(NASTY, COURSE)).tag.endswith("svg")
