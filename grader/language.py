"""In which language the grader speaks: every sentence of it passes through here.

English stands in the code. Another language is a file grader/locale/LANGUAGE.po, the format of
gettext, which translators' programs open; it is read when it is asked for, and never in English.
Titles, goals, hints and known mistakes stand in grader/locale/course/LANGUAGE.po.
"""

from __future__ import annotations

import gettext
import locale
import os
import re
from collections.abc import Mapping
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
COURSE = "course"  # the folder of what the course says: titles, goals, hints, known mistakes
SOURCE = "en"  # the language in which the sentences stand in the code
VARIABLES = ("GLASSBOX_LANG", "LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set decides

_spoken: gettext.NullTranslations = gettext.NullTranslations()
_language = SOURCE
_letters: frozenset[str] = frozenset()


class UnknownLanguage(Exception):
    """There is no catalogue of that language; the message lists what there is."""


def _(text: str) -> str:
    """`text` in the reader's language; itself where the catalogue has no translation."""
    return _spoken.gettext(text)


def code(said: str) -> str:
    """ "de", of "de_AT.UTF-8", of "de-CH", and of "German_Germany", as Windows has it."""
    return locale.normalize(re.split("[-_.@]", said)[0]).partition("_")[0].lower()


def later(text: str) -> str:
    """`text` itself: a sentence for the catalogue, which `_` translates when it is shown."""
    return text


def counted(one: str, many: str, n: int) -> str:
    """`one` or `many`, as the reader's language has it for `n` things, with {n} put in."""
    return _spoken.ngettext(one, many, n).format(n=n)


def languages() -> list[str]:
    """Those that the grader speaks, English first."""
    return [SOURCE, *sorted(file.stem for file in LOCALE.glob("*.po"))]


def speak(language: str) -> None:
    """Use this language from here on: "de", "de_DE" or "de-AT". Raises UnknownLanguage."""
    global _spoken, _language, _letters
    short = code(language)
    if short not in languages():
        raise UnknownLanguage(
            _("there is no language {language!r}; there are {all}").format(
                language=language, all=", ".join(languages())
            )
        )
    _language, _letters, _spoken = short, frozenset(), gettext.NullTranslations()
    if short != SOURCE:
        file = Path(f"{short}.po")
        _spoken = catalogue(LOCALE / file)
        _spoken.add_fallback(catalogue(LOCALE / COURSE / file))
        written = (LOCALE / file).read_text("utf-8")
        _letters = frozenset(c for c in written if c.isalpha() and not c.isascii())


def spoken() -> str:
    """The language in use, for a process that is started from here: "de"."""
    return _language


def letters() -> frozenset[str]:
    """What the language in use writes beside ASCII: the letters of its catalogue."""
    return _letters


def catalogue(file: Path) -> gettext.NullTranslations:
    """The translations in a .po file."""
    import io

    import polib

    return gettext.GNUTranslations(io.BytesIO(polib.pofile(str(file)).to_binary()))


def preferred(environment: Mapping[str, str] = os.environ) -> str:
    """The reader's language by their settings; English where the grader does not speak it."""
    said = next((value for name in VARIABLES if (value := environment.get(name))), "")
    short = code(said or locale.getlocale()[0] or "")  # where Windows keeps it
    return short if short in languages() else SOURCE
