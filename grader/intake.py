"""What instructors have, as submissions: which files count as whose.

    a folder or zip of folders and zips       the name of each
    Canvas        doejane_LATE_123_456_ex05_norm-1.py      the user's number, 123
    Moodle        Jane Doe_123_assignsubmission_file_/     the participant's number, 123
    Gradescope    submission_9/ and submission_metadata.yml     the student's id (sid), or email
    GitHub Classroom    gpt-submissions/gpt-jane/          jane
    nbgrader      submitted/jane/ex05/                     jane; her assignments are one submission
    one submission alone                      the name of its folder

Of what was handed in only the files that the manifest names are read, as text; here nothing of a
student's is parsed, imported or run. Whatever is wrong with a submission is said in words, and it
stays in the list: each ends in a result.
"""

from __future__ import annotations

import csv
import hashlib
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import unpack
from .assembly import GIVEN, SOURCE_LIMIT, Source, Target, source
from .course import Course
from .language import _
from .reports.text import one_line
from .unpack import Item, Unreadable

SHOWN = "exercises"  # how messages name a student's folder, wherever it stands
METADATA = "submission_metadata.yml"
ID_LENGTH = 100
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # on Windows
NAMED = 5  # files that a sentence names

CANVAS = re.compile(
    r"(?P<name>\w+?)_(?P<late>LATE_)?(?P<id>\d+)_(?P<rest>\d+_.+|text\.html|link\.html)"
)
CANVAS_BLIND = re.compile(
    r"(?P<late>LATE_)?(?P<id>anon_[0-9A-Za-z]+)_(?P<rest>\d+_.+|text\.html|link\.html)"
)
MOODLE = re.compile(
    r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_[a-z]+(?:_(?P<rest>.*))?", re.DOTALL
)


class IntakeError(Exception):
    """There are no submissions to be found; the message says why, and what to do."""


@dataclass(frozen=True)
class Parcel:
    """All that came from one student, unopened."""

    id: str
    items: tuple[Item, ...]
    name: str = ""  # the student's, where the layout says more than the id
    late: bool = False
    at: str = ""  # when it was handed in, where the layout says so
    notes: tuple[str, ...] = ()
    problem: str = ""
    others: tuple[Parcel, ...] = ()  # that came under the same id


@dataclass(frozen=True)
class Submission:
    """What one student handed in: the files that count, or what is wrong with all of it."""

    id: str
    files: dict[str, Source] = field(default_factory=dict)  # by exercise, as far as they are there
    name: str = ""
    late: bool = False
    notes: tuple[str, ...] = ()
    problem: str = ""
    empty: bool = False  # nothing was handed in: to do, and no fault

    @property
    def digest(self) -> str:
        """Of all that its marks depend on."""
        content = hashlib.sha256(self.problem.encode("utf-8", "surrogatepass"))
        for id, file in sorted(self.files.items()):
            text = file.problem if file.text is None else file.text
            content.update(f"\0{id}\0{text}".encode("utf-8", "surrogatepass"))
        return content.hexdigest()[:32]

    def target(self, course: Course, given: Source) -> Target:
        """Its files as a check takes them; the given file is the course's, whatever they sent."""
        files = {e.id: self.files.get(e.id) or absent(e.file) for e in course.exercises}
        return Target(Path(SHOWN), SHOWN, files | {GIVEN: given})


def absent(file: str) -> Source:
    shown = f"{SHOWN}/{file}"
    return Source(
        Path(shown),
        shown,
        None,
        missing=True,
        problem=_("there is no file {file}").format(file=shown),
    )


def parcels(path: Path, one: bool = False) -> tuple[list[Parcel], list[str]]:
    """Who handed in at `path`, by id, and notes on what there belongs to nobody.

    one   all of it is one submission

    Raises IntakeError.
    """
    unpack.archive.cache_clear()
    unpack.contents.cache_clear()
    if not path.exists():
        raise IntakeError(_("{path}: there is no such folder or zip").format(path=path))
    top = unpack.item(path.resolve())
    if top.inside is None:
        raise IntakeError(_("{path} is neither a folder nor a zip").format(path=path))
    try:
        found, strays = ([Parcel(top.stem, (top,))], []) if one else sorted_out(unwrapped(top))
    except Unreadable as error:
        raise IntakeError(f"{path} {error}") from None
    if not found:
        lost = [stray(item.name) for item in strays[:NAMED]]
        raise IntakeError("; ".join([_("{path} holds no submissions").format(path=path), *lost]))
    by_id: dict[str, Parcel] = {}
    for parcel in sorted(map(checked, found), key=lambda parcel: parcel.at):
        first = by_id.get(parcel.id)
        by_id[parcel.id] = replace(parcel, others=(*first.others, first)) if first else parcel
    names = [*(item.name for item in strays), *([] if one else unpack.passed_over(path))]
    return sorted(by_id.values(), key=lambda parcel: parcel.id), [stray(name) for name in names]


def stray(name: str) -> str:
    """What is said of a file or folder that belongs to nobody."""
    words = _("not a submission: {name}")
    if re.search(r"(?i)ex\d\d_.*\.py$", name):
        words = _("not a submission: {name}; put it into a folder with its student's name")
    return words.format(name=one_line(name))


def sorted_out(top: Item) -> tuple[list[Parcel], list[Item]]:
    """The parcels by the first layout that fits, and what belongs to none.

    Raises Unreadable, and IntakeError where it may be one submission or many.
    """
    items = top.inside()
    names = {item.name: item for item in items}
    if METADATA in names and names[METADATA].read:
        return gradescope(names[METADATA], items)
    if any(MOODLE.fullmatch(item.name) for item in items):
        return numbered(items, (MOODLE,))
    if any(canvas(item) for item in items):
        return numbered(items, (CANVAS_BLIND, CANVAS))
    if alone(items):
        check_alone(items)
        return [Parcel(top.stem, (top,))], []
    holders = [item for item in items if item.inside or item.problem or item.stem != item.name]
    slug = classroom(top, holders)
    found = [Parcel(item.stem.removeprefix(slug), (item,)) for item in holders]
    return found, [item for item in items if item not in holders]


def unwrapped(top: Item, packed: bool = False) -> Item:
    """Without the one folder or zip that stands around everything. Raises Unreadable."""
    items = top.inside()
    if len(items) != 1 or not items[0].inside or alone(items):
        return top
    packed = packed or top.is_zip or items[0].is_zip
    try:
        inner = unwrapped(items[0], packed)
        return inner if holds_all(inner.inside(), packed) else top
    except Unreadable:  # then it is the only submission, and refused
        return top


def holds_all(items: list[Item], packed: bool) -> bool:
    """Whether these are the submissions of many: an export, or what somebody has packed up.

    A folder in a folder is what the user has made of it, and means just one.
    """
    if any(i.name == METADATA or MOODLE.fullmatch(i.name) or canvas(i) for i in items):
        return True
    holders = [item.stem for item in items if item.inside]
    several = len(holders) > 1 and not any(re.match(r"ex\d\d", name) for name in holders)
    return packed and several and not alone(items)


def alone(items: list[Item]) -> bool:
    """Whether these are the files of one submission, and not the submissions of many.

    A folder called exercises is a student's home, or a student who is called so: nothing but
    submissions stands beside that one.
    """
    if any(map(is_exercise, items)):
        return True
    others = [item for item in items if not at_home(item)]
    return len(others) < len(items) and not (others and all(map(is_submission, others)))


def check_alone(items: list[Item]) -> None:
    """Raise IntakeError where an exercise lies beside submissions: they would be lost in one."""
    beside = [one_line(item.name) for item in items if not at_home(item) and is_submission(item)]
    if beside:
        words = _(
            "{file} stands beside what may be submissions of others ({names}): put it into a folder"
            " with its student's name; or say --one, if all of it is one submission"
        )
        file = next(item.name for item in items if is_exercise(item) or at_home(item))
        names = ", ".join(beside[:NAMED]) + (", ..." if len(beside) > NAMED else "")
        raise IntakeError(words.format(file=one_line(file), names=names))


def is_exercise(item: Item) -> bool:
    """Whether it is a file that is named for an exercise."""
    return item.read is not None and bool(re.fullmatch(r"(?i)ex\d\d_.*\.py", item.name))


def at_home(item: Item) -> bool:
    return item.name == SHOWN and item.inside is not None


def is_submission(item: Item) -> bool:
    """Whether it holds exercises at once."""
    try:
        inner = item.inside() if item.inside and item.name != "solutions" else []
    except Unreadable:
        return False
    return any(at_home(i) or (i.read and re.match(r"(?i)ex\d\d_", i.name)) for i in inner)


def canvas(item: Item) -> bool:
    pattern = CANVAS_BLIND if item.name.removeprefix("LATE_").startswith("anon_") else CANVAS
    return item.read is not None and bool(pattern.fullmatch(item.name))


def classroom(top: Item, holders: list[Item]) -> str:
    """The assignment's name that begins each repository's: "gpt-" in gpt-submissions/gpt-jane."""
    slug = top.stem.removesuffix("-submissions") + "-"
    return slug if all(item.name.startswith(slug) for item in holders) else ""


def numbered(
    items: list[Item], patterns: tuple[re.Pattern, ...]
) -> tuple[list[Parcel], list[Item]]:
    """Canvas and Moodle: each name begins with whose it is. Another folder or zip is somebody's."""
    found: dict[str, Parcel] = {}
    others, strays = [], []
    for item in items:
        match = next((m for pattern in patterns if (m := pattern.fullmatch(item.name))), None)
        if match is None:
            (others if item.inside else strays).append(item)
            continue
        fields = match.groupdict()
        name = re.sub(r"^\d+_", "", fields["rest"] or "") or item.name
        parcel = found.get(fields["id"]) or Parcel(fields["id"], (), fields.get("name") or "")
        found[parcel.id] = replace(
            parcel,
            items=(*parcel.items, replace(item, name=name)),
            late=parcel.late or bool(fields.get("late")),
        )
    return [*found.values(), *(Parcel(item.stem, (item,)) for item in others)], strays


def gradescope(metadata: Item, items: list[Item]) -> tuple[list[Parcel], list[Item]]:
    """A parcel for each student of each submission, as submission_metadata.yml tells."""
    folders = {item.name: item for item in items if item is not metadata}
    found = []
    for name, entry in table(metadata).items():
        holder = folders.pop(name, None)
        entry = entry if isinstance(entry, dict) else {}
        people = entry.get(":submitters")
        for person in people if isinstance(people, list) and people else [{}]:
            known = [person.get(key) for key in (":sid", ":email", ":name")]
            found.append(
                Parcel(
                    id=next((text for text in known if isinstance(text, str) and text), name),
                    items=(holder,) if holder else (),
                    name=str(person.get(":name") or ""),
                    at=str(entry.get(":created_at") or ""),
                    notes=() if holder else (_("the export holds no {name}").format(name=name),),
                )
            )
    found += [
        Parcel(item.name, (item,), notes=(_("{file} does not name it").format(file=METADATA),))
        for item in folders.values()
        if item.inside
    ]
    return found, [item for item in folders.values() if not item.inside]


def table(metadata: Item) -> dict:
    """Gradescope's metadata; every value is text, whatever YAML might take it for."""
    try:
        import yaml
    except ImportError:
        words = _("a Gradescope export takes PyYAML to read: sh requirements/install.sh marking")
        raise IntakeError(words) from None
    try:
        loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
        found = yaml.load(metadata.read(unpack.ZIP_BYTES), Loader=loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise IntakeError(f"{METADATA}: {one_line(str(error))}") from None
    if not isinstance(found, dict):
        raise IntakeError(_("{file} is not one of Gradescope's").format(file=METADATA))
    return found


def checked(parcel: Parcel) -> Parcel:
    """The parcel under an id that may become a path, a row and a cell; or under a number.

    An id is letters, digits and . _ - @ + ' and single spaces, and begins with a letter or digit.
    """
    id = unicodedata.normalize("NFC", parcel.id)
    if is_id(id):
        return replace(parcel, id=id)
    number = hashlib.sha256(parcel.id.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    words = _("{name} cannot be an id: rename it to letters, digits and . _ - @ only")
    return replace(
        parcel, id=f"unnamed-{number}", problem=words.format(name=repr(one_line(parcel.id)))
    )


def is_id(text: str) -> bool:
    return (
        0 < len(text) <= ID_LENGTH
        and text[0].isalnum()
        and all(unicodedata.category(c)[0] in "LMN" or c in "._-@+' " for c in text)
        and "  " not in text
        and text[-1] not in ". "
        and not RESERVED.fullmatch(text)
    )


def open_parcel(parcel: Parcel, course: Course, any_version: bool = False) -> Submission:
    """The submission in the parcel: its files read, or in words why it cannot be marked."""
    own = unpacked(replace(parcel, others=()), course, any_version)
    if not parcel.others:
        return own
    others = [unpacked(other, course, any_version) for other in parcel.others]
    names = sorted(one_line(i.name) for p in (*parcel.others, parcel) for i in p.items)
    listed = ", ".join(names[:NAMED])
    if parcel.at and all(other.at for other in parcel.others):
        note = _("handed in {n} times ({names}); the last one counts")
    elif all(other.digest == own.digest for other in others):
        note = _("there {n} times, and every time the same: {names}")
    else:
        words = _("{n} submissions have the id {id}: {names}; rename or remove all but one")
        problem = words.format(n=len(names), id=parcel.id, names=listed)
        return Submission(parcel.id, name=own.name, problem=problem)
    return replace(own, notes=(*own.notes, note.format(n=len(names), names=listed)))


def unpacked(parcel: Parcel, course: Course, any_version: bool) -> Submission:
    """The same for a parcel whose id is its own."""
    blank = Submission(parcel.id, name=one_line(parcel.name), late=parcel.late, notes=parcel.notes)
    if parcel.problem:
        return replace(blank, problem=parcel.problem)
    parts = [part for item in parcel.items for part in contents(item, parcel)]
    broken = [(path, part) for path, part in parts if part.problem]
    files, notes = choose([part for part in parts if not part[1].problem], course)
    strange = {one_line(part.name): part.problem for _path, part in broken}
    for exercise in course.exercises:
        if exercise.id not in files and (problem := strange.pop(exercise.file, "")):
            files[exercise.id] = unreadable(exercise.file, f"{exercise.file} {problem}")
    if not files:
        return replace(blank, problem=nothing(parcel, parts, course), empty=not parts)
    notes += [f"{name} {problem}" for name, problem in list(strange.items())[:NAMED]]
    blank = replace(blank, notes=(*blank.notes, *map(one_line, notes)))
    version, notes = made_for(parts)
    if version and version != course.version and not any_version:
        words = _(
            "made for version {theirs} of the course; this is {ours} (--any-version marks it)"
        )
        return replace(blank, problem=words.format(theirs=version, ours=course.version))
    return replace(blank, files=files, notes=(*blank.notes, *notes))


def contents(item: Item, parcel: Parcel) -> Iterator[tuple[tuple[str, ...], Item]]:
    """The files of one item; a folder that is all of the parcel does not count as one."""
    if item.inside is None or len(parcel.items) == 1:
        yield from unpack.walk(item)
    else:
        for above, inner in unpack.walk(item):
            yield (item.name, *above), inner


def nothing(parcel: Parcel, parts: list, course: Course) -> str:
    """Why there is no file to mark, in words."""
    names = [one_line(part.name) for _path, part in parts]
    if not parcel.items:
        return _("nothing was handed in")
    if not names:
        return _("an empty zip") if parcel.items[0].is_zip else _("an empty folder")
    if len(parts) == 1 and parts[0][1].problem:
        return f"{names[0]} {parts[0][1].problem}"
    more = ", ..." if len(names) > NAMED else ""
    words = _("none of its files is named for an exercise, such as {file}: {names}")
    return words.format(file=course.exercises[0].file, names=", ".join(names[:NAMED]) + more)


def choose(
    parts: list[tuple[tuple[str, ...], Item]], course: Course
) -> tuple[dict[str, Source], list[str]]:
    """The file that counts for each exercise, read, and notes on the choice.

    Of several copies: that in a folder named for the exercise, then that in exercises/, then the
    one least deep, then the one with the highest number, then the last by name.
    """
    files: dict[str, Source] = {}
    notes: list[str] = []
    for exercise in course.exercises:
        pattern = re.compile(rf"{exercise.id}(?:[-_]| ?\()?(\d{{0,6}})\)?\.py", re.IGNORECASE)
        copies = []
        for above, part in parts:
            match = pattern.fullmatch(part.name)
            if match and "tests" not in above:
                named = any(name.lower() in (exercise.id, exercise.short) for name in above)
                at_home = bool(above) and above[-1] == SHOWN
                number = int(match[1] or 0)
                rank = (
                    "solutions" not in above,
                    named,
                    at_home,
                    -len(above),
                    number,
                    above,
                    part.name,
                )
                copies.append((rank, above, part))
        if copies:
            _rank, above, part = max(copies, key=lambda copy: copy[0])
            files[exercise.id] = read(part, exercise.file)
            if len(copies) > 1:
                words = _("of {n} copies of {file}, {path} counts")
                path = "/".join((*above, part.name))
                notes.append(words.format(n=len(copies), file=exercise.file, path=path))
    return files, notes


def read(item: Item, file: str) -> Source:
    """A student's file as it is named in the course."""
    shown = f"{SHOWN}/{file}"
    try:
        data = item.read(SOURCE_LIMIT + 1)
    except Unreadable as error:
        return unreadable(file, f"{shown} {error}")
    found = source(data, Path(shown), shown)
    if found.text is not None and not found.text.strip():
        return unreadable(file, _("{file} is empty").format(file=shown))
    return found


def unreadable(file: str, problem: str) -> Source:
    shown = f"{SHOWN}/{file}"
    return Source(Path(shown), shown, None, problem=one_line(problem))


def made_for(parts: list[tuple[tuple[str, ...], Item]]) -> tuple[str, list[str]]:
    """The version of the course that the submission's own manifest says it is for, and a note."""
    manifests = [
        (len(above), item)
        for above, item in parts
        if item.name == "manifest.toml" and not item.problem and "tests" not in above
    ]
    if manifests:
        _depth, nearest = min(manifests, key=lambda found: found[0])
        try:
            text = nearest.read(SOURCE_LIMIT).decode("utf-8", "replace")
        except Unreadable:
            text = ""
        if match := re.search(r'^version\s*=\s*"([^"\n]{1,40})"', text, re.MULTILINE):
            return one_line(match[1]), []
    return "", [_("it does not say for which version of the course it was made")]


def accommodations(path: Path) -> dict[str, float]:
    """The factor on time limits of each id in a CSV file: id,factor. Raises IntakeError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise IntakeError(_("cannot read {path}: {why}").format(path=path, why=error)) from None
    factors: dict[str, float] = {}
    for line, row in enumerate(rows, 1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (line == 1 and [cell.lower() for cell in cells] == ["id", "factor"]):
            continue
        problem = wrong(cells, factors)
        if problem:
            raise IntakeError(f"{path}:{line}: {problem}")
        factors[unicodedata.normalize("NFC", cells[0])] = float(cells[1])
    return factors


def wrong(cells: list[str], factors: dict[str, float]) -> str:
    """What is wrong with a row of accommodations; "" if nothing is."""
    if len(cells) != 2:
        return _("{n} columns; a row is id,factor").format(n=len(cells))
    id, factor = cells
    if not is_id(unicodedata.normalize("NFC", id)):
        return _("{id} is no id").format(id=repr(one_line(id)))
    if unicodedata.normalize("NFC", id) in factors:
        return _("{id} is there already").format(id=id)
    try:
        value = float(factor)
    except ValueError:
        value = math.nan
    if not 1 <= value <= 100:
        return _("{factor} is no factor from 1 to 100").format(factor=repr(one_line(factor)))
    return ""
