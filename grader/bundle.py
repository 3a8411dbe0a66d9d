"""The zips that an instructor hands out: the course without its answers, or an autograder.

    course.zip       for students: stubs, visible tests, grader, data
    autograder.zip   for Gradescope: the solutions, both suites, and the two scripts that it runs

A zip is made of (path -> bytes) in memory, and searched for answers before anything is written.
The same course gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from . import divergence, precompute, stubs, writing
from .course import ROOT, Course, Exercise
from .diagnosis import MutationError
from .language import _
from .suite import SuiteError

Files = dict[str, bytes]

SERVICES = "grader/services"
EVERYWHERE = (
    "LICENSE",
    "CHANGELOG.md",
    "pyproject.toml",
    "requirements/*",
    "grader/**/*.py",
    "grader/xray/page/**/*",
    "grader/locale/**/*.po",
)
FOR_STUDENTS = (
    *EVERYWHERE,
    "Makefile",
    ".gitattributes",
    "docs/*.svg",
    "docs/*.png",
    "data/README.md",
    "data/SHA256SUMS",
    "data/first_names.txt",
    "data/microgpt_reference.json",
    "data/*.py",
    "exercises/README.md",
    "exercises/manifest.toml",
    "tests/visible/*.py",
)
FOR_GRADESCOPE = (
    *EVERYWHERE,
    "exercises/manifest.toml",
    "solutions/*.py",
    "tests/visible/*.py",
    "tests/hidden/*.py",
    "tests/mutants/*.py",
)
MAINTAINERS = (
    "arena attacks autograde automatic bench bundle explanation exporter footprint gradebook"
    " growth halfright intake latency ledger limits lines marker marking marks mutation"
    " nbcourse peers pool precompute race rehearsal scalars similar stability stats trials trivial"
    " unpack validate variants".split()
)
NOT_FOR_STUDENTS = {
    *(f"grader/{name}.py" for name in MAINTAINERS),
    "grader/reports/bench.py",
    "grader/reports/growth.py",
    "grader/reports/marking.py",
    "grader/reports/matrix.py",
    "grader/reports/stats.py",
    "grader/reports/table.py",
    "grader/services/nbgrader/glassbox.py",
}
STUBS = ".glassbox/stubs"
ABSENT = ("Teaching with it", "Studying alone", "How it works", "Changing an exercise")
NOTE = (
    "> This copy is for students: it holds no solutions and no hidden tests. Where these pages say"
    " that a piece\n> is borrowed, an exercise that needs it waits here until you have written it."
)
TELLING = 20  # characters; a shorter line may be the same by chance
EXECUTABLE = ("setup.sh", "run_autograder")


class BundleError(Exception):
    """There is no bundle; the message says why, and what to do."""


@dataclass(frozen=True)
class Kit:
    """A copy of the course to make bundles of. `notify` hears which mistakes are being tried."""

    course: Course
    root: Path = ROOT
    notify: Callable[[Exercise], None] = lambda exercise: None

    def __post_init__(self) -> None:
        for folder in ("solutions", "tests/visible", "tests/hidden", "tests/mutants"):
            if not (self.root / folder).is_dir():
                raise BundleError(
                    _("there is no {folder}/ here; make bundles of the whole course").format(
                        folder=folder
                    )
                )

    def read(self, patterns: tuple[str, ...]) -> Files:
        """The files that match, without what Python and editors leave about."""
        return {
            path.relative_to(self.root).as_posix(): path.read_bytes()
            for pattern in patterns
            for path in self.root.glob(pattern)
            if path.is_file() and "__pycache__" not in path.parts
        }

    def stubs(self) -> Files:
        """The stub of every solution; never what stands in exercises/, which may be begun."""
        try:
            return {
                path.name: stubs.generate(path.read_text("utf-8"), path.name).encode()
                for path in sorted((self.root / "solutions").glob("*.py"))
            }
        except stubs.StubError as error:
            raise BundleError(str(error)) from None

    def calls(self) -> Files:
        """What the reference's functions are handed and give, on weights that stand for nothing."""
        recorded = divergence.recorded(self.course, self.root / "solutions")
        return {divergence.FILE: divergence.write(recorded)}

    def wrong_answers(self, exercises: tuple[str, ...] | None) -> Files:
        """What the mutants answer wrongly, of these exercises or of all."""
        tests = self.root / "tests"
        setting = precompute.Setting(
            self.course, self.root / "solutions", tests / "visible", tests / "mutants"
        )
        ids = [exercise.id for exercise in self.course.exercises]
        kept = self.root / ".glassbox" / "answers"
        try:
            wanted = ids if exercises is None else exercises
            return precompute.files(setting, wanted, kept, self.notify)
        except (SuiteError, MutationError) as error:
            raise BundleError(str(error)) from None


def for_students(kit: Kit, diagnosed: tuple[str, ...] | None = None) -> Files:
    """The course without its answers.

    diagnosed   the exercises whose mistakes are recognised; without it all, which takes a minute

    Raises BundleError where a line of an answer or of a hidden test would be handed out.
    """
    new = kit.stubs()
    found = kit.read(FOR_STUDENTS)
    files = {name: data for name, data in found.items() if name not in NOT_FOR_STUDENTS}
    files |= {f"exercises/{name}": text for name, text in new.items()}
    files |= {f"{STUBS}/{name}": text for name, text in new.items()}
    files |= {name: uncommented(data) for name, data in files.items() if name.endswith(".po")}
    files["README.md"] = readme((kit.root / "README.md").read_text("utf-8")).encode()
    files[".gitignore"] = ignored((kit.root / ".gitignore").read_text("utf-8")).encode()
    workflow = kit.root / SERVICES / "classroom.yml"
    files[".github/workflows/classroom.yml"] = workflow.read_bytes()
    if leaks := [*given_away(files, secrets(kit))]:
        raise BundleError("\n".join([_("the bundle would give answers away:"), *leaks]))
    known = kit.wrong_answers(diagnosed) | kit.calls()
    return files | {f"tests/visible/{name}": data for name, data in known.items()}


def for_gradescope(kit: Kit) -> Files:
    """What Gradescope unpacks into /autograder/source."""
    scripts = {name: (kit.root / SERVICES / name).read_bytes() for name in EXECUTABLE}
    return kit.read(FOR_GRADESCOPE) | scripts


def uncommented(catalogue: bytes) -> bytes:
    """A catalogue without its comments, which are for translators."""
    return re.sub(rb"^#.*\n", b"", catalogue, flags=re.MULTILINE)


def readme(text: str) -> str:
    """The student's part of the README: what it says of solutions and of teaching is left out."""
    title, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    title = re.sub(r"^.*make test\b.*\n", "", title, flags=re.MULTILINE)
    title = title.replace("\n\n", f"\n\n{NOTE}\n\n", 1)
    kept = [section for section in sections if section.partition("\n")[0] not in ABSENT]
    return "## ".join([title, *kept]).rstrip() + "\n"


def ignored(text: str) -> str:
    """The .gitignore, but the stubs handed out are kept: `reset` and an update need them."""
    return text.replace(".glassbox/\n", f".glassbox/*\n!{STUBS}/\n")


def secrets(kit: Kit) -> dict[str, str]:
    """The lines that no student is to be handed, and where each stands.

    Not among them are short ones, and what every student is given elsewhere.
    """
    grader, visible = kit.read(("grader/**/*.py",)), kit.read(("tests/visible/*.py",))
    given = joined({**kit.stubs(), **visible})
    known = given + joined(grader)  # a hidden test may have a line of everyday code
    telling = {line: at for line, at in answers(kit).items() if line not in given}
    telling |= {line: at for line, at in hidden_lines(kit).items() if line not in known}
    return {line: at for line, at in telling.items() if len(line) > TELLING}


def joined(files: Files) -> str:
    return "\n".join(data.decode() for data in files.values())


def answers(kit: Kit) -> dict[str, str]:
    """Every line between the markers of a solution, and where it stands."""
    found = {}
    for path in sorted((kit.root / "solutions").glob("*.py")):
        inside = False
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            line = line.strip()
            inside = (inside or line == stubs.BEGIN) and line != stubs.END
            if inside:
                found[line] = f"solutions/{path.name}:{number}"
    return found


def hidden_lines(kit: Kit) -> dict[str, str]:
    """Every line of the hidden tests, and where it stands."""
    return {
        line.strip(): f"tests/hidden/{path.name}:{number}"
        for path in sorted((kit.root / "tests" / "hidden").glob("*.py"))
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
    }


def given_away(files: Files, secret: dict[str, str]) -> Iterator[str]:
    """Each secret line that stands in the files, in words."""
    for name, data in files.items():
        text = data.decode("utf-8", "replace")
        for line, place in secret.items():
            if line in text:
                number = text[: text.index(line)].count("\n") + 1
                yield _("{name}:{number} holds the line of {place}: {line}").format(
                    name=name, number=number, place=place, line=line
                )


def pack(files: Files) -> bytes:
    """The zip: sorted, and dated by its content.

    All files have one date, another one for another content: so Python compiles anew what is
    unpacked over an older bundle.
    """
    content = hashlib.sha256()
    for name in sorted(files):
        content.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    seconds = int.from_bytes(content.digest()[:3]) * 2  # a zip's dates are even
    date = datetime(2000, 1, 1) + timedelta(days=1, seconds=seconds)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date.timetuple()[:6])
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = (0o100755 if name in EXECUTABLE else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def write(path: Path, data: bytes) -> None:
    """Write the file whole or not at all. Raises BundleError where it cannot be written."""
    try:
        writing.write(path, data)
    except OSError as error:
        raise BundleError(
            _("cannot write {path}: {strerror}").format(path=path, strerror=error.strerror)
        ) from None
