"""A newer kit over half-finished files: no line of the student's is lost, whatever happens."""

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile

import pytest

from grader import bundle, snapshots, stubs, update, writing
from grader import course as courses
from grader.course import ROOT

COURSE = courses.load()
KIT = bundle.Kit(COURSE)
NORM = "exercises/ex05_norm.py"
DONE = '    raise NotImplementedError("TODO rmsnorm")'
MINE = "    return x  # my own line"


@pytest.fixture(scope="module")
def handed_out() -> dict[str, bytes]:
    """A bundle as it was handed out; the mistakes are left out, which take minutes to find."""
    files = KIT.read(bundle.FOR_STUDENTS)
    files = {name: data for name, data in files.items() if name not in bundle.NOT_FOR_STUDENTS}
    new = KIT.stubs()
    files |= {f"exercises/{name}": text for name, text in new.items()}
    return files | {f"{bundle.STUBS}/{name}": text for name, text in new.items()}


def newer(files: dict[str, bytes]) -> dict[str, bytes]:
    """The next version: another lesson in ex05, another test, one file more, one less."""
    files = dict(files)
    manifest = files["exercises/manifest.toml"].decode()
    files["exercises/manifest.toml"] = manifest.replace(
        f'version = "{COURSE.version}"', 'version = "9.9.9"'
    ).encode()
    stub = files[NORM].decode().replace('"""Exercise 5', '"""Exercise 5, revised', 1).encode()
    assert stub != files[NORM]
    files |= {NORM: stub, f"{bundle.STUBS}/ex05_norm.py": stub}
    files["tests/visible/test_ex05_norm.py"] += b"\n# a new test\n"
    files["grader/brand_new.py"] = b"NEW = True\n"
    del files["tests/visible/test_ex01_tokenizer.py"]
    return files


def unpacked(folder, files):
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


@pytest.fixture
def copy(tmp_path, handed_out):
    """A student's copy, with work in two files."""
    root = unpacked(tmp_path / "course", handed_out)
    text = (root / NORM).read_text("utf-8")
    assert DONE in text
    (root / NORM).write_text(text.replace(DONE, MINE), "utf-8")
    return root


def state(root) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not {"__pycache__", "updates", "snapshots"} & {*path.parts}
    }


def run(root, *arguments):
    command = [sys.executable, "-m", "grader", "update", *map(str, arguments)]
    environment = os.environ | {"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        command, cwd=root, capture_output=True, text=True, encoding="utf-8", env=environment
    )


def test_the_students_lines_stay_and_the_kit_is_new(tmp_path, copy, handed_out):
    done = run(copy, zipped(tmp_path / "new.zip", newer(handed_out)), "--yes")
    assert done.returncode == 0, done.stderr
    assert "-> 9.9.9" in done.stdout
    assert f"{NORM}: what is new in the kit was added; your lines are as they were" in done.stdout
    text = (copy / NORM).read_text("utf-8")
    assert MINE in text and text.startswith('"""Exercise 5, revised')
    assert "# a new test" in (copy / "tests/visible/test_ex05_norm.py").read_text("utf-8")
    assert (copy / "grader/brand_new.py").exists()
    assert not (copy / "tests/visible/test_ex01_tokenizer.py").exists()
    assert courses.load(copy / "exercises/manifest.toml").version == "9.9.9"
    assert not (copy / update.OPEN).exists()


def test_what_both_changed_is_said_in_words_and_the_students_lines_count(copy, handed_out):
    files = newer(handed_out)
    files[NORM] = files[NORM].replace(DONE.encode(), b"    raise NotImplementedError('rms')")
    what = update.plan(copy, files)
    assert "in one place you and the kit changed the same lines" in "\n".join(what.told)
    merged = what.write[NORM].decode()
    assert MINE in merged and "# kit:     raise NotImplementedError('rms')" in merged


def test_it_can_be_taken_back_and_that_too(tmp_path, copy, handed_out):
    before = state(copy)
    run(copy, zipped(tmp_path / "new.zip", newer(handed_out)), "--yes")
    after = state(copy)
    done = run(copy, "--undo", "--yes")
    assert done.returncode == 0, done.stderr
    assert state(copy) == before
    run(copy, "--undo", "--yes")
    assert state(copy) == after


def test_what_was_written_since_is_not_taken_back(copy, handed_out):
    update.begin(copy, update.plan(copy, newer(handed_out)))
    update.finish(copy)
    (copy / NORM).write_text("# today's work\n", "utf-8")
    back = update.undoing(copy)
    assert NORM not in back.write
    assert f"{NORM} was changed since, and stays" in back.told[0]


def test_the_work_is_kept_as_a_snapshot_first(tmp_path, copy, handed_out):
    mine = (copy / NORM).read_bytes()
    run(copy, zipped(tmp_path / "new.zip", newer(handed_out)), "--yes")
    kept = snapshots.versions("ex05_norm.py", copy / ".glassbox" / "snapshots")
    assert mine in [version.data() for version in kept]


def test_the_same_bundle_again_changes_nothing(copy, handed_out):
    assert update.plan(copy, handed_out).empty


def test_without_a_yes_nothing_is_changed(tmp_path, copy, handed_out):
    before = state(copy)
    done = run(copy, zipped(tmp_path / "new.zip", newer(handed_out)))
    assert done.returncode == 2
    assert "say --yes" in done.stderr
    assert state(copy) == before


class Killed(BaseException):
    """As if the process had been killed there."""


def test_killed_anywhere_it_is_either_not_begun_or_finished_by_the_next_command(
    tmp_path, copy, handed_out, monkeypatch
):
    before, what = state(copy), update.plan(copy, newer(handed_out))
    whole = unpacked(tmp_path / "whole", before)
    update.begin(whole, what)
    update.finish(whole)
    wanted = state(whole)
    real, limit = (os.replace, os.rename, os.unlink), 0
    steps = {"n": 0}

    def counting(function):
        def step(*args, **kwargs):
            steps["n"] += 1
            if steps["n"] > limit:
                raise Killed
            return function(*args, **kwargs)

        return step

    for limit in range(0, 200, 7):
        root = unpacked(tmp_path / f"killed{limit}", before)
        steps["n"] = 0
        with monkeypatch.context() as patch:
            patch.setattr(os, "replace", counting(real[0]))
            patch.setattr(os, "rename", counting(real[1]))
            try:
                update.begin(root, what)
                update.finish(root)
            except Killed:
                pass
            else:
                break
        begun = (root / update.OPEN).exists()
        update.finish(root)
        found = {n: d for n, d in state(root).items() if not n.endswith(".part")}
        assert found == (wanted if begun else before), limit
        shutil.rmtree(root)
    else:
        pytest.fail("it never came to its end")


def test_the_next_command_finishes_what_was_broken_off(copy, handed_out):
    what = update.plan(copy, newer(handed_out))
    update.begin(copy, what)
    half = sorted(what.write)[: len(what.write) // 2]
    for name in half:
        writing.write(copy / name, what.write[name])
    done = subprocess.run(
        [sys.executable, "-m", "grader", "status"],
        cwd=copy,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert "an update was broken off, and is now finished" in done.stderr
    assert done.returncode == 0, done.stderr
    assert all((copy / name).read_bytes() == data for name, data in what.write.items())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is no whole zip file"),
        (b"PK\x03\x04 and then nothing", "is no whole zip file"),
        (None, "cannot be read"),
        ({"../evil.py": b""}, "which no bundle has"),
        ({"/etc/evil": b""}, "which no bundle has"),
        ({"README.md": b"hello"}, "is no bundle of this course"),
    ],
)
def test_what_is_no_bundle_is_refused_in_words(tmp_path, copy, content, says):
    path = tmp_path / "strange.zip"
    if isinstance(content, dict):
        zipped(path, content)
    elif content is not None:
        path.write_bytes(content)
    before = state(copy)
    with pytest.raises(update.UpdateError, match=says):
        update.plan(copy, update.read(path))
    assert state(copy) == before


def test_another_course_is_refused(copy, handed_out):
    other = newer(handed_out)
    other[update.MANIFEST] = other[update.MANIFEST].replace(b"Glass Box", b"Another", 1)
    with pytest.raises(update.UpdateError, match="a bundle of another course"):
        update.plan(copy, other)


def test_the_whole_course_is_not_updated_by_a_bundle(handed_out):
    with pytest.raises(update.UpdateError, match="this is the whole course"):
        update.plan(ROOT, handed_out)


def test_a_file_that_is_not_utf8_is_left_alone_and_the_stub_put_beside_it(copy, handed_out):
    (copy / NORM).write_bytes(b"# caf\xe9\n")
    what = update.plan(copy, newer(handed_out))
    assert NORM not in what.write
    assert f"{NORM}.new" in what.write
    assert "left alone, because it is not UTF-8 text" in "\n".join(what.told)


def test_line_ends_and_a_bom_stay_as_they_are(copy, handed_out):
    text = (copy / NORM).read_text("utf-8").replace("\n", "\r\n")
    (copy / NORM).write_bytes(stubs.BOM + text.encode())
    merged = update.plan(copy, newer(handed_out)).write[NORM]
    assert merged.startswith(stubs.BOM)
    assert merged.count(b"\r\n") == merged.count(b"\n")


def test_a_zip_is_read_whole(tmp_path, handed_out):
    assert update.read(zipped(tmp_path / "a.zip", handed_out)) == handed_out
    data = io.BytesIO((tmp_path / "a.zip").read_bytes()).getvalue()
    (tmp_path / "half.zip").write_bytes(data[: len(data) // 2])
    with pytest.raises(update.UpdateError, match="fetch it again"):
        update.read(tmp_path / "half.zip")


def test_the_plan_is_plain_json(copy, handed_out):
    what = update.plan(copy, newer(handed_out))
    update.begin(copy, what)
    names = json.loads((copy / update.OPEN / "plan.json").read_text("utf-8"))
    assert names["write"] == list(what.write)
    assert names["remove"] == ["tests/visible/test_ex01_tokenizer.py"]
