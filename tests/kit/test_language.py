"""What the grader says can be said in another language: all of it, and only what people read."""

import ast
import gettext
import io
import json
import os
import re
import string
import subprocess
import sys

import polib
import pytest
from conftest import ROOT
from rich.cells import cell_len
from rich.console import Console

from grader import cli, diagnosis, hints, language, snapshots
from grader import course as courses
from grader.reports import board, text
from grader.results import ExerciseResult, PieceResult, Result, TestResult

COURSE = courses.load()
GRADER = ROOT / "grader"
SOURCES = {
    path.relative_to(GRADER).as_posix(): ast.parse(path.read_text("utf-8"))
    for path in sorted(GRADER.rglob("*.py"))
}
CATALOGUES = {path.stem: polib.pofile(str(path)) for path in language.LOCALE.glob("*.po")}
SPEAKING = {"_": 1, "later": 1, "counted": 2}  # and how many of their arguments are sentences

# Rooms without a sentence of ours for a reader, and why.
SILENT = {
    "__main__.py": "speaks before the packages are there",
    "answers.py": "errors of the protocol: the worker was tampered with",
    "arena.py": "code and commands of attacks",
    "assemble.py": "code that it writes; its errors are wrapped",
    "attacks.py": "names of designs, for the published table",
    "automatic.py": "code, and what was changed in it",
    "bench.py": "rows of the published table of speed",
    "curves.py": "SVG",
    "growth.py": "rows of the published table of speed",
    "latency.py": "rows of the published table of speed",
    "learner.py": "speaks in the worker, which knows no language",
    "nursery.py": "the worker's side",
    "race.py": "rows of the published table of speed",
    "recording.py": "the worker's side: names in a recording",
    "reports/bench.py": "the published table of speed",
    "rehearsal.py": "names of what it waits for on a screen",
    "reports/growth.py": "SVG, for the published figures",
    "reports/notebook.py": "HTML",
    "sandbox.py": "the worker's side",
    "scenarios.py": "the worker's side",
    "services/nbgrader/glassbox.py": "runs in a notebook, beside the grader",
    "training.py": "speaks in the worker, which knows no language",
    "trials.py": "rows of the published matrix",
    "tries.py": "runs inside the sandbox that it tries",
    "trivial.py": "code of answers that must earn nothing",
    "wire.py": "errors of the protocol: the worker was tampered with",
    "worker.py": "the worker's side",
    "workbook.py": "code of a notebook's cells; its texts are wrapped",
    "zygote.py": "the worker's side",
}
# Elsewhere: literals of several words that are no sentences for a reader, or not ours to translate.
KEPT = {
    "__init__.py": ("module ",),
    "assembly.py": ("raise ImportError(",),
    "bundle.py": (
        *("> This copy is for students", "arena attacks", "^.*make test"),
        *("Teaching with it", "Studying alone", "How it works", "Changing an exercise"),  # README's
    ),
    "chance.py": ("seed and test",),
    "compare.py": ("whom the running test",),
    "divergence.py": ("embedding linear", "the worker answered"),
    "exporter.py": (
        *("SIS ", "First name", "Last name", "Email address", "    Points Possible"),  # columns
        *("assignment duedate", "which platform"),
    ),
    "halfright.py": ("\n\n_home",),
    "hints.py": ("### ", "and are but for"),
    "isolation.py": ("\n    ", "  bubblewrap", "chmod "),
    "marker.py": ("import sys", "none, trusted"),  # code; data in a record
    "marking.py": ("nothing was run",),  # data in a record
    "remedies.py": (  # numpy's and Python's
        *("does not support", "'Tensor' object", "'Value' object", "from dtype"),
        *("not supported between", "object is not an iterator", "positional argument"),
        *("real number, not Value", "truth value of an array"),
    ),
    "reports/matrix.py": ("named mutants",),  # names of columns in a published table
    "reports/stats.py": ("possible of", "lower center"),
    "results.py": ("a result of schema",),  # a record of another kit
    "run.py": ("the code ",),  # data in a record
    "stubs.py": ("# kit: ", "(nothing: ", "### ", "BEGIN ", "END ", "{}raise "),  # in the files
    # Python's own kind of error, for a test's author; and as in answers.py
    "student.py": ("a handle ", "len() of a", "the worker does not say"),
    "suite.py": ("cacheprovider", "piece(name", "at the first", "\n  Use -v"),  # pytest's
    "validate.py": ("ex01_tokenizer ex02_value",),  # names of files
    "watch.py": ("page up", "page down"),  # names of keys
    "xray/notebook.py": ("<iframe",),
    "xray/observe.py": ("add radd",),
    "xray/page.py": ("dom colour",),
}
COMMAND = re.compile(r"(python -m grader|make|bold|\\s|PRAGMA| --target) ?")
PHRASE = re.compile(r"[A-Za-z]{2,},? [A-Za-z]{2,}")


@pytest.fixture(autouse=True)
def english():
    """Each test begins and ends in English."""
    language.speak("en")
    yield
    language.speak("en")


# the catalogue


def spoken_in(tree: ast.AST):
    """The calls through which sentences pass."""
    for node in ast.walk(tree):
        call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if call and node.args and node.func.id in SPEAKING:
            yield node


def sentences() -> dict[tuple[str, ...], str]:
    """Each sentence in the code, as (one,) or (one, many), and a room that says it."""
    found = {}
    for room, tree in SOURCES.items():
        for call in spoken_in(tree):
            said = call.args[: SPEAKING[call.func.id]]
            if all(isinstance(part, ast.Constant) for part in said):
                found[tuple(part.value for part in said)] = room
    return found


def fields(sentence: str) -> set[str]:
    """The places in a sentence that are filled in, with their formats: of .format and of %."""
    brace = [
        (name, conversion, form)
        for _text, name, form, conversion in string.Formatter().parse(sentence)
        if name is not None
    ]
    return {*map(str, brace), *re.findall(r"%\(\w+\)[sr]|%[sr]", sentence)}


@pytest.mark.parametrize("name", CATALOGUES)
def test_every_sentence_of_the_code_is_in_the_catalogue(name):
    known = {
        (entry.msgid, entry.msgid_plural) if entry.msgid_plural else (entry.msgid,)
        for entry in CATALOGUES[name]
    }
    missing = {said: room for said, room in sentences().items() if said not in known}
    assert not missing, f"add them to grader/locale/{name}.po"


@pytest.mark.parametrize("name", CATALOGUES)
def test_no_sentence_of_the_catalogue_is_one_that_nobody_says(name):
    said = {sentence[0] for sentence in sentences()}
    assert [entry.msgid for entry in CATALOGUES[name] if entry.msgid not in said] == []


@pytest.mark.parametrize("name", CATALOGUES)
def test_every_sentence_is_translated_and_fills_in_the_same(name):
    for entry in CATALOGUES[name]:
        pairs = [(entry.msgid, entry.msgstr)]
        if entry.msgid_plural:
            forms = entry.msgstr_plural
            pairs = [(entry.msgid, forms[0]), (entry.msgid_plural, forms[1])]
        for ours, theirs in pairs:
            assert theirs.strip() and not entry.fuzzy, ours
            assert fields(ours) == fields(theirs), ours
            edges = [(s[: len(s) - len(s.lstrip())], s[len(s.rstrip()) :]) for s in (ours, theirs)]
            assert edges[0] == edges[1], f"{ours!r}: other blanks at its ends"


def test_a_translator_s_program_finds_the_language_and_its_plurals():
    for name, file in CATALOGUES.items():
        assert file.metadata["Language"] == name
        assert "nplurals=2" in file.metadata["Plural-Forms"]
        assert isinstance(
            language.catalogue(language.LOCALE / f"{name}.po"), gettext.GNUTranslations
        )


@pytest.mark.parametrize("name", CATALOGUES)
def test_titles_goals_hints_in_prose_and_misconceptions_are_translated(name):
    """The last hint of a ladder is nearly code, and stays; so do the lessons."""
    file = polib.pofile(str(language.LOCALE / language.COURSE / f"{name}.po"))
    translated = {entry.msgid for entry in file if entry.msgstr.strip()}
    said = {words for exercise in COURSE.exercises for words in (exercise.title, exercise.goal)}
    said |= {hint for piece in COURSE.pieces.values() for hint in piece.hints[:-1]}
    said |= {mutant.says for mutant in diagnosis.known(ROOT / "tests" / "mutants")}
    assert translated == said, translated ^ said


# the code


def test_a_sentence_is_a_literal_or_a_constant_that_is_translated_later():
    for room, tree in SOURCES.items():
        for call in spoken_in(tree):
            said = call.args[0]
            allowed = (ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.IfExp, ast.Call)
            allowed = allowed if call.func.id == "_" else (ast.Constant,)
            assert isinstance(said, allowed), f"{room}:{said.lineno}: {ast.unparse(call)}"


def phrases(tree: ast.AST):
    """(line, text) of each literal of several words that passes through no catalogue."""
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            said = "".join(p.value if isinstance(p, ast.Constant) else "{}" for p in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if isinstance(above[node], (ast.JoinedStr, ast.Expr)):  # a docstring stands alone
                continue
            said = node.value
        else:
            continue
        around, spoken = node, False
        while around in above and not spoken:
            around = above[around]
            call = isinstance(around, ast.Call) and isinstance(around.func, ast.Name)
            spoken = call and around.func.id in SPEAKING
        if PHRASE.search(said) and not spoken and not COMMAND.match(said):
            yield node.lineno, said


def test_no_sentence_goes_past_the_catalogue():
    past = [
        f"grader/{room}:{line}: {said}"
        for room, tree in SOURCES.items()
        if room not in SILENT
        for line, said in phrases(tree)
        if not said.startswith(KEPT.get(room, ("\0",)))
    ]
    assert past == [], 'say it as _("..."), or name it in KEPT with its reason'


def test_the_list_of_what_is_kept_is_not_out_of_date():
    assert [room for room in KEPT if room not in SOURCES] == []
    for room, starts in KEPT.items():
        said = [said for _line, said in phrases(SOURCES[room])]
        for start in starts:
            assert any(each.startswith(start) for each in said), f"{room}: {start!r}"


# which language


@pytest.mark.parametrize(
    "settings",
    [
        {"GLASSBOX_LANG": "de"},
        {"LC_ALL": "de_AT.UTF-8"},
        {"LC_MESSAGES": "de_DE.UTF-8", "LANG": "en_GB.UTF-8"},
        {"LANG": "de_CH.UTF-8"},
        {"GLASSBOX_LANG": "de", "LC_ALL": "en_US.UTF-8", "LANG": "C"},
    ],
)
def test_the_reader_s_settings_choose_the_language(settings):
    assert language.preferred(settings) == "de"


@pytest.mark.parametrize("said", ["C.UTF-8", "POSIX", "fr_FR.UTF-8", "en_GB", "delta"])
def test_english_is_spoken_where_there_is_no_such_language(said):
    assert language.preferred({"LANG": said}) == "en"


@pytest.mark.parametrize("line", [["--lang", "de", "check", "-h"], ["check", "-h", "--lang=de"]])
def test_lang_may_stand_before_or_after_the_command(line, capsys):
    with pytest.raises(SystemExit):
        cli.main(line)
    said = capsys.readouterr().out
    assert "Nutze: python -m grader check" in said
    assert "diese Hilfe zeigen" in said
    assert "auch die verdeckte Testreihe, wo es sie gibt" in said


def test_windows_names_its_language_in_words(monkeypatch):
    monkeypatch.setattr(language.locale, "getlocale", lambda: ("German_Austria", "1252"))
    assert language.preferred({}) == "de"
    monkeypatch.setattr(language.locale, "getlocale", lambda: (None, None))
    assert language.preferred({}) == "en"


def test_an_unknown_language_is_an_error_that_lists_what_there_is(capsys):
    assert cli.main(["--lang", "xx", "status"]) == 2
    assert capsys.readouterr().err == "grader: there is no language 'xx'; there are en, de\n"


def test_english_reads_no_catalogue():
    code = "import sys; from grader.cli import main; main(['hint', 'nope']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"GLASSBOX_LANG": "en"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0 and "grader.language" in done.stdout
    assert "polib" not in done.stdout.split()


def test_in_english_each_sentence_is_what_stands_in_the_code():
    for said in sentences():
        assert language._(said[0]) == said[0]
    assert language.counted("{n} piece", "{n} pieces", 1) == "1 piece"
    assert language.counted("{n} piece", "{n} pieces", 2) == "2 pieces"


def test_german_counts():
    language.speak("de")
    assert language.counted("{n} line", "{n} lines", 1) == "1 Zeile"
    assert language.counted("{n} line", "{n} lines", 0) == "0 Zeilen"


# whole screens, in German


WRONG = TestResult(
    "test_normalises_each_row",
    "visible",
    "failed",
    "layernorm(x of shape (2, 3)): 6 of 6 values differ",
    "you divided by C - 1",
    where="exercises/ex05_norm.py:41",
)


def a_result(*ids: str, test: TestResult = WRONG) -> Result:
    """A record: `test` for these pieces, or for every one, and nothing for the others."""
    exercises = []
    for exercise in COURSE.exercises:
        pieces = tuple(
            PieceResult.score(piece.name, piece.points, [test])
            for piece in exercise.pieces
            if not ids or piece.id in ids
        )
        if pieces:
            exercises.append(ExerciseResult(exercise.id, exercise.title, pieces))
    return Result("exercises", ("visible",), tuple(exercises))


def drawn(result: Result, width: int) -> list[str]:
    console = Console(width=width, record=True, file=io.StringIO(), force_terminal=True)
    board.show(result, COURSE, console)
    return [line.rstrip() for line in console.export_text().splitlines()]


def test_the_board():
    language.speak("de")
    assert drawn(a_result("ex05.layernorm"), 80) == BOARD.splitlines()


BOARD = """\
Glass Box                                                        0 von 8 Punkten
╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌
0 von 1 Übung bestanden; 0 von 1 Baustein bestanden; noch etwa 45 min

✗  ex05  Normierung  0/8  ✗layernorm

✗ gescheitert

ex05.layernorm  test_normalises_each_row               exercises/ex05_norm.py:41
  layernorm(x of shape (2, 3)): 6 of 6 values differ
  wahrscheinlich: you divided by C - 1

╭──────────────────────────────────────────────────────────────────────────────╮
│ weiter  ex05.layernorm, noch nicht richtig                                   │
│ Ziel    Halte jeden Vektor auf gesunder Größe, damit tiefe Modelle lernen.   │
│ ändere  layernorm                                                            │
│ öffne   exercises/ex05_norm.py:41                                            │
│ Hilfe   python -m grader hint ex05.layernorm                                 │
╰──────────────────────────────────────────────────────────────────────────────╯"""


@pytest.mark.parametrize("status", text.WORDS)
def test_the_board_fits_eighty_columns(status):
    language.speak("de")
    if status == "interrupted":  # a finale's, and no test's
        assert text.word(status) == "unterbrochen"
        return
    lines = drawn(a_result(test=TestResult("test_it", "visible", status, "…")), 80)
    assert max(map(cell_len, lines)) <= 80
    assert any(text.word(status) in line for line in lines)


def test_a_failing_check(copy):
    copy.solve("ex05_norm", "x.data - x.data.mean(-1, keepdims=True)", "x.data * 2.0")
    done = copy.grader("check", "ex05.layernorm", "--no-finale", "--lang", "de")
    assert done.returncode == 1 and done.stderr == ""
    for line in FAILING:
        assert line in done.stdout.splitlines(), done.stdout


FAILING = (
    "0 von 8 Punkten",
    "0 von 1 Übung bestanden",
    "ex05 Normierung: gescheitert, 0 von 8 Punkten",
    "  layernorm: gescheitert",
    "  von der Referenz geliehen: ex03_tensor",
    "ex05.layernorm test_one_and_three",
    "  bei exercises/ex05_norm.py:113",
    "  layernorm(x der Form (1, 2), eps=0.0): 2 von 2 Werten weichen ab",
    "  am meisten bei [0, 0]: bekommen 0.447214, erwartet -1",
    "  layernorm(x der Form (1, 3), eps=2.0), der Gradient von x: 3 von 3 Werten weichen ab",
    "weiter: ex05.layernorm, noch nicht richtig",
)


def test_status_and_a_hint(copy):
    copy.solve("ex01_tokenizer")
    assert copy.grader("--lang", "de", "check", "ex01").returncode == 0
    said = copy.grader("--lang", "de", "status").stdout.splitlines()
    assert said[0] == "Glass Box: 10 von 200 Punkten"
    assert said[1].startswith(
        "1 von 10 Übungen bestanden; 3 von 41 Bausteinen bestanden; noch etwa "
    )
    assert re.fullmatch(r"nach der letzten Prüfung, [\d-]+ [\d:]+; jetzt lief nichts", said[2])
    assert said[4].endswith("bestanden") and said[5].endswith("noch nicht geprüft")
    assert said[-5:] == [
        "weiter: ex02.arithmetic, zu schreiben",
        "Ziel: Zeichne jede Rechnung mit einer Zahl auf, dann geh zurück und finde jede Ableitung.",
        said[-3],
        "öffne: exercises/ex02_value.py",
        "Hilfe: python -m grader hint ex02.arithmetic",
    ]
    said = copy.grader("--lang", "de", "hint").stdout.splitlines()
    assert said[0] == "ex02.arithmetic, Hinweis 1 von 3"
    assert said[-1] == "noch einer: python -m grader hint ex02.arithmetic --more"


def test_reset_and_undo(copy):
    copy.solve("ex01_tokenizer")
    done = copy.grader("--lang", "de", "reset", "ex01", "--yes").stdout.splitlines()
    assert done[0] == "--- exercises/ex01_tokenizer.py jetzt"
    assert re.fullmatch(r"es fällt weg: \d+ Zeilen; es kommt dazu: \d+ Zeilen", done[-3])
    back = "zurück geht es mit: python -m grader undo ex01"
    assert done[-1] == f"exercises/ex01_tokenizer.py ist jetzt: die Vorlage, wie am Anfang; {back}"
    done = copy.grader("--lang", "de", "undo", "ex01", "--list").stdout.splitlines()
    assert done[0] == "exercises/ex01_tokenizer.py, die neueste Fassung zuerst"
    assert done[1].endswith("  wie jetzt")
    done = copy.grader("--lang", "de", "undo", "ex01").stderr
    assert done == "grader: nichts wurde geändert: kein Terminal da, um zu fragen; sag --yes\n"


def test_doctor(monkeypatch):
    from grader import doctor

    language.speak("de")
    setup = doctor.Setup(ROOT)
    found = [*doctor.course(setup), *doctor.make(setup), *doctor.clock(setup)]
    assert doctor.render(found, "utf-8").splitlines() == [
        f"ok      Kurs      {COURSE.title} {COURSE.version}, 10 Übungen",
        *doctor.render(found, "utf-8").splitlines()[1:-2],
        "",
        "alles in Ordnung",
    ]
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    said = doctor.render(list(doctor.make(setup)), "utf-8").splitlines()
    assert said[0] == "prüfen  make      ist nicht installiert"
    assert said[1] == f"                  es geht ohne: {setup.run} check"
    assert said[-1] == "0 kaputt, 1 zu prüfen"


def test_what_changes_is_told_before_it_does():
    language.speak("de")
    said = snapshots.changes(b"a\nb\n", b"a\nc\nd\n", "x.py")
    assert said[:2] == ["--- x.py jetzt", "+++ x.py dann"]
    assert said[-1] == "es fällt weg: 1 Zeile; es kommt dazu: 2 Zeilen"


def test_the_last_hint():
    language.speak("de")
    piece = COURSE.pieces["ex05.layernorm"]
    hint = hints.Hint(piece, 3, "du hast durch C - 1 geteilt")
    assert hint.lines()[:2] == [
        "ex05.layernorm, Hinweis 3 von 3",
        "wahrscheinlich: du hast durch C - 1 geteilt",
    ]
    show = "python -m grader show ex05.layernorm --give-up"
    assert hint.lines()[-1] == f"das ist der letzte Hinweis; die Lösung: {show}"


def test_where_an_umlaut_cannot_be_written_it_is_escaped(copy):
    done = subprocess.run(
        [sys.executable, "-m", "grader", "--lang", "de", "status"],
        cwd=copy.root,
        env=copy.environment | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
    )
    assert done.returncode == 0
    assert b"noch wurde nichts gepr\\xfcft" in done.stdout


# what machines read


def without_words(record):
    """The record without what people read in it, and without what differs from run to run."""
    if isinstance(record, dict):
        words = ("message", "diagnosis", "seconds")
        return {key: without_words(v) for key, v in record.items() if key not in words}
    return [without_words(item) for item in record] if isinstance(record, list) else record


def test_the_json_record_is_the_same_in_both_languages_but_for_messages(copy):
    copy.solve("ex05_norm", "x.data - x.data.mean(-1, keepdims=True)", "x.data * 2.0")
    english, german = (
        json.loads(copy.grader("check", "ex05", "--format", "json", "--lang", name).stdout)
        for name in ("en", "de")
    )
    assert without_words(english) == without_words(german)
    assert english != german
