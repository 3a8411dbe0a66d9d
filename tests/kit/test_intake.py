"""Intake: what instructors have becomes submissions, whatever stands in it, and none gets lost."""

import io
import os
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import course as courses
from grader import intake, unpack
from grader.course import ROOT
from grader.intake import IntakeError

COURSE = courses.load()
NORM = (ROOT / "solutions" / "ex05_norm.py").read_bytes()
OLDER = b"# an older one\n"
PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)


def put(top: Path, *names: str, data: bytes = NORM) -> Path:
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(data)
    return top


def zipped(path: Path, **files: bytes) -> Path:
    """A zip; "__" in a name stands for "/"."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        packed({name.replace("__", "/") + ".py": data for name, data in files.items()})
    )
    return path


def packed(files: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def taken(path: Path, **settings) -> dict[str, intake.Submission]:
    parcels, _notes = intake.parcels(path, settings.pop("one", False))
    found = [intake.open_parcel(parcel, COURSE, **settings) for parcel in parcels]
    return {submission.id: submission for submission in found}


def read(submission: intake.Submission) -> dict[str, str]:
    """Which files it has; of an unreadable one, why."""
    return {id: file.problem or "read" for id, file in submission.files.items()}


# what instructors have


def test_a_folder_of_folders_and_zips_is_a_submission_each(tmp_path):
    put(tmp_path, "jane/ex05_norm.py", "max/course/exercises/ex05_norm.py")
    zipped(tmp_path / "zoe.zip", course__exercises__ex05_norm=NORM)
    found = taken(tmp_path)
    assert {id: read(s) for id, s in found.items()} == {
        id: {"ex05_norm": "read"} for id in ("jane", "max", "zoe")
    }
    assert not any(s.problem for s in found.values())


def test_one_zip_may_hold_all(tmp_path):
    names = [f"all/{id}/ex05_norm.py" for id in ("jane", "max")]
    (tmp_path / "all.zip").write_bytes(packed(dict.fromkeys(names, NORM)))
    assert list(taken(tmp_path / "all.zip")) == ["jane", "max"]
    assert list(taken(tmp_path)) == ["jane", "max"]  # and stand in a folder by itself


def test_one_zip_may_hold_the_zips_of_all(tmp_path):
    inner = packed({"exercises/ex05_norm.py": NORM})
    (tmp_path / "all.zip").write_bytes(packed({"jane.zip": inner, "max.zip": inner}))
    found = taken(tmp_path / "all.zip")
    assert {id: read(s) for id, s in found.items()} == {
        id: {"ex05_norm": "read"} for id in ("jane", "max")
    }


def test_canvas_names_files_after_their_students(tmp_path):
    put(
        tmp_path,
        "doejane_12_345_ex05_norm.py",
        "doejane_12_346_ex04_ops.py",
        "roemax_LATE_13_347_ex05_norm-2.py",
        "LATE_anon_Ab1x2_348_ex05_norm.py",
        "poe_14_text.html",
    )
    (tmp_path / "lee_15_349_work.zip").write_bytes(packed({"w/ex05_norm.py": NORM}))
    found = taken(tmp_path)
    assert list(found) == ["12", "13", "14", "15", "anon_Ab1x2"]
    assert [s.late for s in found.values()] == [False, True, False, False, True]
    assert found["12"].name == "doejane" and list(found["12"].files) == ["ex04_ops", "ex05_norm"]
    assert found["15"].files
    assert "text.html" in found["14"].problem


def test_moodle_names_folders_or_files_after_their_students(tmp_path):
    put(
        tmp_path,
        "Jane Doe_12_assignsubmission_file_/ex05_norm.py",
        "Max_Roe_13_assignsubmission_file/ex05_norm.py",
        "Zoë Poe_14_assignsubmission_file_ex05_norm.py",
        "Ann Lee_15_assignsubmission_onlinetext_/onlinetext.html",
    )
    found = taken(tmp_path)
    assert [s.name for s in found.values()] == ["Jane Doe", "Max_Roe", "Zoë Poe", "Ann Lee"]
    assert [bool(s.files) for s in found.values()] == [True, True, True, False]


METADATA = """\
submission_1:
  :submitters:
  - :name: Jane Doe
    :sid: 0123
    :email: jane@example.org
  - :name: Max Roe
    :sid:
    :email: max+uni@example.org
  :created_at: 2026-02-01 10:00:00.000000000 Z
  :results: !ruby/hash:ActiveSupport::HashWithIndifferentAccess
    tests: []
submission_2:
  :submitters:
  - :name: Max Roe
    :sid:
    :email: max+uni@example.org
  :created_at: 2026-02-02 10:00:00.000000000 Z
submission_3:
  :submitters:
  - :name: Gone
    :sid: "9"
"""


def test_gradescope_says_in_its_metadata_whose_each_is(tmp_path):
    pytest.importorskip("yaml", reason="PyYAML is not installed: requirements/marking.txt")
    put(tmp_path, "assignment_7_export/submission_1/ex05_norm.py")
    put(tmp_path, "assignment_7_export/submission_2/ex05_norm.py", data=OLDER)
    put(tmp_path, "assignment_7_export/submission_metadata.yml", data=METADATA.encode())
    found = taken(tmp_path)
    assert list(found) == ["0123", "9", "max+uni@example.org"]  # no number of eight digits
    assert found["0123"].files["ex05_norm"].text == NORM.decode()
    assert found["max+uni@example.org"].files["ex05_norm"].text == OLDER.decode()  # the last counts
    assert "2 times" in found["max+uni@example.org"].notes[-1]
    assert found["9"].empty and "submission_3" in found["9"].notes[0]


def test_github_classroom_begins_repositories_with_the_assignment(tmp_path):
    put(
        tmp_path,
        "gpt-submissions/gpt-jane/exercises/ex05_norm.py",
        "gpt-submissions/gpt-max-roe/exercises/ex05_norm.py",
        "gpt-submissions/gpt-max-roe/.git/ex05_norm.py",
    )
    assert list(taken(tmp_path / "gpt-submissions")) == ["jane", "max-roe"]


def test_the_assignments_of_nbgrader_are_one_submission(tmp_path):
    put(tmp_path, "submitted/jane/ex05/ex05_norm.py", "submitted/jane/ex06/ex06_attention.py")
    put(tmp_path, "submitted/jane/ex06/ex05_norm.py", data=OLDER)
    put(tmp_path, "submitted/jane/ex05/timestamp.txt", data=b"2026-01-30 15:30:10.000000 UTC")
    found = taken(tmp_path / "submitted")
    assert list(found) == ["jane"]
    assert list(found["jane"].files) == ["ex05_norm", "ex06_attention"]
    assert found["jane"].files["ex05_norm"].text == NORM.decode()


def test_one_submission_alone_may_be_given(tmp_path):
    put(tmp_path, "jane/exercises/ex05_norm.py")
    assert list(taken(tmp_path / "jane")) == ["jane"]
    put(tmp_path, "max/a/ex05_norm.py", "max/b/ex04_ops.py")
    assert list(taken(tmp_path / "max", one=True)["max"].files) == ["ex04_ops", "ex05_norm"]


# which copy counts


@pytest.mark.parametrize(
    ("counts", "other"),
    [
        ("ex05/ex05_norm.py", "exercises/ex05_norm.py"),
        ("a/exercises/ex05_norm.py", "ex05_norm.py"),
        ("ex05_norm.py", "old/ex05_norm.py"),
        ("ex05_norm-2.py", "ex05_norm-1.py"),
        ("ex05_norm (10).py", "ex05_norm (9).py"),
        ("b/ex05_norm.py", "a/ex05_norm.py"),
        ("mine/ex05_norm.py", "solutions/ex05_norm.py"),
        ("mine/ex05_norm.py", "tests/mutants/ex05_norm.py"),
        ("mine/deep/ex05_norm.py", ".glassbox/stubs/ex05_norm.py"),
    ],
)
def test_of_two_copies_the_rule_says_which_counts(tmp_path, counts, other):
    put(tmp_path, f"jane/{counts}")
    put(tmp_path, f"jane/{other}", data=OLDER)
    found = taken(tmp_path)["jane"]
    assert found.files["ex05_norm"].text == NORM.decode()


def test_a_choice_between_copies_is_noted(tmp_path):
    put(tmp_path, "jane/ex05_norm.py", "jane/ex05_norm-1.py")
    assert "of 2 copies of ex05_norm.py, ex05_norm-1.py counts" in taken(tmp_path)["jane"].notes


def test_two_submissions_of_one_id_are_refused_unless_they_are_the_same(tmp_path):
    put(tmp_path, "jane/ex05_norm.py", "max/ex05_norm.py")
    zipped(tmp_path / "jane.zip", ex05_norm=NORM)
    zipped(tmp_path / "max.zip", ex05_norm=OLDER)
    found = taken(tmp_path)
    assert list(found) == ["jane", "max"]
    assert not found["jane"].problem and "every time the same" in found["jane"].notes[-1]
    assert found["max"].problem.startswith("2 submissions have the id max: max, max.zip")


# what is wrong is said in words, and is in the list


def test_whatever_is_broken_is_a_submission_all_the_same(tmp_path):
    (tmp_path / "empty").mkdir()
    put(tmp_path, "text.zip", data=b"not a zip")
    put(tmp_path, "rar.rar", "other/main.py")
    put(tmp_path, "blank/ex05_norm.py", data=b" \n")
    (tmp_path / "nothing.zip").write_bytes(packed({}))
    found = taken(tmp_path)
    says = {id: s.problem or s.files["ex05_norm"].problem for id, s in found.items()}
    assert says["empty"] == "an empty folder" and says["nothing"] == "an empty zip"
    assert says["text"].startswith("text.zip is not a zip that can be read")
    assert says["rar"] == "rar.rar is no zip; only folders and zips are looked into"
    assert says["other"].startswith("none of its files is named for an exercise")
    assert says["other"].endswith("main.py")
    assert says["blank"] == "exercises/ex05_norm.py is empty"
    assert found["empty"].empty and not found["text"].empty


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("x = 1\n".encode("utf-16"), "UTF-16"),
        (b"x = 1\n\0", "NUL byte"),
        ("x = 'é'\n".encode("latin-1"), "is not UTF-8"),
        (b"#" * (256 * 1024 + 1), "larger than 256 KiB"),
    ],
)
def test_what_is_no_text_is_refused_in_words(tmp_path, data, says):
    put(tmp_path, "jane/ex05_norm.py", data=data)
    assert says in taken(tmp_path)["jane"].files["ex05_norm"].problem


def test_a_mark_of_byte_order_and_line_ends_of_windows_are_accepted(tmp_path):
    put(tmp_path, "jane/ex05_norm.py", data=b"\xef\xbb\xbf" + NORM.replace(b"\n", b"\r\n"))
    assert taken(tmp_path)["jane"].files["ex05_norm"].text == NORM.decode()


def test_nothing_but_regular_files_is_opened(tmp_path):
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no FIFOs")
    secret = put(tmp_path / "secret", "ex05_norm.py")
    jane = put(tmp_path / "in", "jane/ex01_tokenizer.py") / "jane"
    os.symlink(secret / "ex05_norm.py", jane / "ex05_norm.py")
    os.symlink(secret, jane / "exercises")
    os.mkfifo(jane / "ex04_ops.py")
    (jane / "ex02_value.py").mkdir()
    os.symlink(secret, tmp_path / "in" / "max")
    found = taken(tmp_path / "in")
    assert read(found["jane"]) == {
        "ex01_tokenizer": "read",
        "ex04_ops": "ex04_ops.py is no regular file",
        "ex05_norm": "ex05_norm.py is a link; links are not followed",
    }
    assert found["max"].problem == "max is a link; links are not followed"


def test_a_hard_link_is_a_file_like_any_other(tmp_path):
    put(tmp_path, "jane/ex05_norm.py")
    (tmp_path / "max").mkdir()
    os.link(tmp_path / "jane/ex05_norm.py", tmp_path / "max/ex05_norm.py")
    assert read(taken(tmp_path)["jane"]) == {"ex05_norm": "read"}


def test_a_sparse_giant_is_not_read(tmp_path):
    put(tmp_path, "jane/ex05_norm.py")
    os.truncate(tmp_path / "jane/ex05_norm.py", 2**40)
    assert "larger than 256 KiB" in taken(tmp_path)["jane"].files["ex05_norm"].problem


# zips that want to do harm


def test_nothing_leaves_a_zip(tmp_path):
    outside = {"../../ex05_norm.py": NORM, "/tmp/ex04_ops.py": NORM, "C:\\ex03_tensor.py": NORM}
    put(tmp_path, "jane.zip", data=packed(outside))
    found = taken(tmp_path)["jane"]
    assert not found.files and "none of its files" in found.problem
    assert [p.name for p in tmp_path.iterdir()] == ["jane.zip"]


def test_a_bomb_is_not_unpacked(tmp_path):
    put(tmp_path, "jane.zip", data=packed({"ex05_norm.py": bytes(50 * 2**20)}))
    assert "a zip bomb" in taken(tmp_path)["jane"].problem


def test_a_zip_that_lies_about_a_size_is_read_no_further_than_the_limit(tmp_path):
    data = bytearray(packed({"ex05_norm.py": b"#" * 2**20}))
    at = data.index(b"PK\1\2")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    put(tmp_path, "jane.zip", data=bytes(data))
    assert taken(tmp_path)["jane"].files["ex05_norm"].text is None


def test_a_zip_in_a_zip_in_a_zip_in_a_zip_is_not_looked_into(tmp_path):
    data = packed({"ex05_norm.py": NORM})
    for _depth in range(4):
        data = packed({"inner.zip": data})
    put(tmp_path, "jane.zip", data=data)
    assert "zip in a zip" in taken(tmp_path)["jane"].problem


def test_a_link_in_a_zip_is_no_file(tmp_path):
    entry = zipfile.ZipInfo("ex05_norm.py")
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "jane.zip", "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    assert "is a link" in taken(tmp_path)["jane"].files["ex05_norm"].problem


def test_a_locked_zip_is_refused_in_words(tmp_path):
    data = bytearray(packed({"ex05_norm.py": NORM}))
    for at in (data.index(b"PK\3\4") + 6, data.index(b"PK\1\2") + 8):
        data[at] |= 1
    put(tmp_path, "jane.zip", data=bytes(data))
    assert "encrypted" in taken(tmp_path)["jane"].files["ex05_norm"].problem


def test_folders_of_windows_in_a_zip_are_folders(tmp_path):
    put(tmp_path, "jane.zip", data=packed({"work\\exercises\\ex05_norm.py": NORM}))
    assert read(taken(tmp_path)["jane"]) == {"ex05_norm": "read"}


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_a_damaged_zip_is_always_a_result_in_words(tmp_path_factory, data):
    files = {"exercises/ex05_norm.py": NORM, "exercises/ex04_ops.py": NORM}
    whole = packed(files, data.draw(st.sampled_from(PACKINGS)))
    bytes_ = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        bytes_[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    folder = tmp_path_factory.mktemp("damaged")
    put(folder, "jane.zip", data=bytes(bytes_[:cut] if cut % 2 else bytes_))
    put(folder, "zoe/ex05_norm.py")  # alone, with a damaged name, it may look like a class
    found = taken(folder)["jane"]
    assert found.problem or found.files


def test_each_way_of_packing_may_break_in_its_own_way(tmp_path):
    for how in PACKINGS:
        data = bytearray(packed({"ex05_norm.py": NORM}, how))
        data[200:264] = bytes(64)
        put(tmp_path, f"way-{how}.zip", data=bytes(data))
    put(tmp_path, "zoe/ex05_norm.py")
    found = taken(tmp_path)
    assert read(found.pop("zoe")) == {"ex05_norm": "read"}
    assert len(found) == 4
    assert all("cannot be unpacked" in s.files["ex05_norm"].problem for s in found.values())


def test_an_entry_without_a_name_is_passed_over(tmp_path):
    data = packed({"ex05_norm.py": NORM, "q": b""})
    at = data.rindex(b"PK\1\2")
    directory = data[at : at + 28] + bytes(2) + data[at + 30 : at + 46] + data[at + 47 :]
    size = int.from_bytes(data[-10:-6], "little") - 1
    whole = data[:at] + directory[:-10] + size.to_bytes(4, "little") + directory[-6:]
    put(tmp_path, "jane.zip", data=whole)
    assert "" in zipfile.ZipFile(tmp_path / "jane.zip").namelist()
    assert read(taken(tmp_path)["jane"]) == {"ex05_norm": "read"}


def test_no_second_end_hides_how_long_a_table_of_contents_is(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "DIRECTORY_BYTES", 100)
    files = {f"{n}.py": b"" for n in range(9)}
    data = bytearray(packed(files))
    assert "too many files" in taken(put(tmp_path / "a", "jane.zip", data=data))["jane"].problem
    data[-14:-10] = b"PK\5\6"  # where it says how many there are
    assert "too many files" in taken(put(tmp_path / "b", "jane.zip", data=data))["jane"].problem


def test_zips_of_the_same_name_again_and_again_are_not_all_read(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "ENTRIES", 25)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive, warnings.catch_warnings(action="ignore"):
        for _ in range(10):
            archive.writestr("a", "")
    zips = {f"{n}.zip": inner.getvalue() for n in range(9)}
    put(tmp_path, "jane.zip", data=packed({"ex05_norm.py": NORM} | zips))
    jane = taken(tmp_path)["jane"]
    assert read(jane) == {"ex05_norm": "read"}
    assert any("too many files" in note for note in jane.notes)


# ids


@pytest.mark.parametrize("name", ["exercises", "J_1_assignsubmission_file_", intake.METADATA])
def test_a_folder_that_is_called_like_another_layout_hides_nobody(tmp_path, name):
    put(tmp_path, f"{name}/ex05_norm.py", "jane/ex05_norm.py", "zoe/exercises/ex05_norm.py")
    found = taken(tmp_path)
    assert len(found) == 3 and {"jane", "zoe"} < found.keys()
    assert all(read(s) == {"ex05_norm": "read"} for s in found.values())


@pytest.mark.parametrize(
    "name", ["=cmd|x", "-rf", "@sum", "a\nb", "x" * 101, "con", "a\u202eb", "a  b", "nul.txt", "+1"]
)
def test_a_name_that_cannot_be_an_id_is_refused_and_listed(tmp_path, name):
    put(tmp_path, f"{name}/ex05_norm.py", "jane/ex05_norm.py")
    found = taken(tmp_path)
    assert len(found) == 2 and found["jane"].files
    (bad,) = (s for id, s in found.items() if id != "jane")
    assert bad.id.startswith("unnamed-") and "cannot be an id" in bad.problem
    assert "\n" not in bad.problem and "\u202e" not in bad.problem


@pytest.mark.parametrize("name", ["jane", "Zoë", "Jane Doe", "o'neil", "a.b-c_d@e.org", "0123"])
def test_a_usual_name_is_an_id(tmp_path, name):
    put(tmp_path, f"{name}/ex05_norm.py", "max/ex05_norm.py")
    assert not taken(tmp_path)[name].problem


# versions and accommodations


def test_a_submission_for_another_version_is_refused_unless_told_otherwise(tmp_path):
    put(tmp_path, "jane/exercises/ex05_norm.py")
    put(tmp_path, "jane/exercises/manifest.toml", data=b'title = "x"\nversion = "0.0.1"\n')
    refused = taken(tmp_path)["jane"]
    assert refused.problem.startswith("made for version 0.0.1 of the course; this is")
    assert taken(tmp_path, any_version=True)["jane"].files


def test_a_submission_of_this_version_is_accepted_and_one_of_none_with_a_note(tmp_path):
    put(tmp_path, "jane/exercises/ex05_norm.py", "max/ex05_norm.py")
    manifest = (ROOT / "exercises" / "manifest.toml").read_bytes()
    put(tmp_path, "jane/exercises/manifest.toml", data=manifest)
    found = taken(tmp_path)
    assert found["jane"].files and not found["jane"].notes
    assert found["max"].files and "version" in found["max"].notes[0]


def test_accommodations_are_factors_by_id(tmp_path):
    put(tmp_path, "more.csv", data="\ufeffid,factor\njane,1.5\n\nZoë, 2\n".encode())
    assert intake.accommodations(tmp_path / "more.csv") == {"jane": 1.5, "Zoë": 2.0}


@pytest.mark.parametrize(
    "row", ["jane", "jane,two", "jane,0.5", "jane,nan", "=x,2", "max,2", "a,2,3"]
)
def test_a_bad_accommodation_is_refused_with_its_line(tmp_path, row):
    put(tmp_path, "more.csv", data=f"max,2\n{row}\n".encode())
    with pytest.raises(IntakeError, match=r"more\.csv:2: "):
        intake.accommodations(tmp_path / "more.csv")


def test_what_is_not_there_or_holds_nothing_is_said(tmp_path):
    with pytest.raises(IntakeError, match="no such folder"):
        intake.parcels(tmp_path / "nowhere")
    with pytest.raises(IntakeError, match="no submissions"):
        intake.parcels(tmp_path)


def test_what_belongs_to_nobody_is_said(tmp_path):
    put(tmp_path, "jane/ex05_norm.py", "grades.csv", ".max/ex05_norm.py")
    notes = ["not a submission: grades.csv", "not a submission: .max"]
    assert intake.parcels(tmp_path)[1] == notes


def test_a_file_with_its_student_in_its_name_is_not_lost_without_a_word(tmp_path):
    put(tmp_path, "eva_ex05_norm.py")
    with pytest.raises(IntakeError, match=r"no submissions; .*: eva_ex05_norm.py; put it into a"):
        intake.parcels(tmp_path)
    put(tmp_path, "jane/ex05_norm.py")
    found, [note] = intake.parcels(tmp_path)
    assert [parcel.id for parcel in found] == ["jane"] and "eva_ex05_norm.py; put it into" in note


@pytest.mark.parametrize("others", [["jane"], ["jane", "zoe/exercises"]])
def test_an_exercise_beside_submissions_does_not_swallow_them(tmp_path, others):
    put(tmp_path, "ex05_norm.py", *(f"{other}/ex04_ops.py" for other in others))
    with pytest.raises(IntakeError, match=r"ex05_norm.py stands beside .*\(jane.*or say --one"):
        intake.parcels(tmp_path)
    assert set(taken(tmp_path, one=True)[tmp_path.name].files) == {"ex04_ops", "ex05_norm"}


def test_a_folder_of_very_many_files_is_looked_at_no_further(tmp_path, monkeypatch):
    monkeypatch.setattr(unpack, "FILES", 3)
    put(tmp_path, *(f"jane/a/{n}.py" for n in range(5)))
    assert "too many files" in taken(tmp_path)["jane"].problem
