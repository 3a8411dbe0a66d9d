"""How far one is, by the last checks: what `status` prints, and the list in `watch`.

Plain lines for every terminal and for screen readers: states are words.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from ..course import Course
from ..language import _, later
from ..results import ExerciseResult
from . import text

if TYPE_CHECKING:
    from ..progress import Progress

UNCHECKED = later("not checked yet")


def lines(progress: Progress, course: Course) -> list[str]:
    """Points and time left, an exercise a line, and what to do next."""
    return [*head(progress, course), "", *table(progress), "", *foot(progress, course)]


def head(progress: Progress, course: Course) -> list[str]:
    if not progress.checked:
        return [course.title, _("nothing has been checked yet: make check")]
    last = datetime.fromtimestamp(max(progress.checked.values()))
    return [
        f"{course.title}: {text.score(progress.result)}",
        "; ".join(text.summary(progress.result, course)),
        _("as last checked, {time:%Y-%m-%d %H:%M}; nothing was run now").format(time=last),
    ]


def table(progress: Progress) -> list[str]:
    rows = [
        (
            text.short(exercise),
            _(exercise.title),
            f"{text.number(exercise.earned)}/{text.number(exercise.possible)}",
            "; ".join(state(exercise, progress)),
        )
        for exercise in progress.result.exercises
    ]
    widest = max(len(title) for _id, title, _points, _words in rows)
    return [f"{id}  {title:{widest}}  {points:>7}  {words}" for id, title, points, words in rows]


def state(exercise: ExerciseResult, progress: Progress) -> list[str]:
    """The state of an exercise in words, each state with its pieces where they differ."""
    ids = {text.piece_id(exercise, piece): piece for piece in exercise.pieces}
    if not ids.keys() & progress.checked.keys():
        return [_(UNCHECKED)]
    by_word: dict[str, list[str]] = {}
    for id, piece in ids.items():
        word = text.word(piece.status) if id in progress.checked else _(UNCHECKED)
        by_word.setdefault(word, []).append(piece.name)
    words = [f"{word}: {', '.join(names)}" for word, names in by_word.items()]
    stale = [piece.name for id, piece in ids.items() if id in progress.stale]
    if stale:
        some = _("its files have changed since for {pieces}, check again")
        all_ = _("its files have changed since, check again")
        changed = [all_ if len(stale) == len(ids) else some.format(pieces=", ".join(stale))]
    else:
        changed = []
    return (list(by_word) if len(by_word) == 1 else words) + changed


def foot(progress: Progress, course: Course) -> list[str]:
    """What to do next; and what was given up."""
    facts = text.ending(progress.result, course)
    step = text.next_step(progress.result, course)
    stale = [course.pieces[id] for id in course.pieces if id in progress.stale]
    if stale and (step is None or step[0] in stale):
        facts = [(_("check"), text.check_command(stale[0].exercise.split("_")[0])), *facts]
    if progress.given_up:
        names = ", ".join(id for id in course.pieces if id in progress.given_up)
        facts = [
            (_("shown"), _("the solution of {pieces}, before it passed").format(pieces=names)),
            *facts,
        ]
    return [f"{label}: {fact}" for label, fact in facts]
