"""The language of the screen: texts pass through Qt's translators on their way to a widget."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from functools import cache
from pathlib import Path

from PyQt5.QtCore import QCoreApplication, QTranslator

FOLDER = Path(__file__).parent / "languages"
LANGUAGES = {"en": "English", "zh": "中文"}
# Context of the screen's own texts, and of the sentences that come from the core.
SCREEN, CORE = "screen", "core"
_PLACE = re.compile(r"\\{[^{}]*\\}")


def marked(text: str) -> str:
    """Return a text as it is, marked for translation; ``tr`` says it later."""
    return text


def tr(text: str, /, **values: object) -> str:
    """Return a text of the screen in the language in use, its ``{names}`` filled in."""
    said = QCoreApplication.translate(SCREEN, text)
    return said.format(**values) if values else said


def said(sentence: str) -> str:
    """Return a sentence of the core in the language in use.

    The core speaks English and fills its numbers in itself, so the sentence is recognised by
    its template; one that is not known stays as it is.
    """
    translated = QCoreApplication.translate(CORE, sentence)
    if translated != sentence or not _translators:
        return translated
    for pattern, template in _templates():
        if found := pattern.fullmatch(sentence):
            parts = {name: _part(part) for name, part in found.groupdict().items()}
            return QCoreApplication.translate(CORE, template).format(**parts)
    return sentence


def _part(text: str) -> str:
    """Return what stands in a sentence: a text, or a list of texts."""
    whole = said(text)
    pieces = text.split(", ")
    each = [said(piece) for piece in pieces]
    return whole if whole != text or each == pieces else tr(", ").join(each)


_translators: list[QTranslator] = []


def language() -> str:
    """Return the language in use."""
    return str(_translators[0].property("language")) if _translators else "en"


def speak(wanted: str) -> None:
    """Use a language from now on; texts already on widgets stay until they are said anew.

    Raises:
        KeyError: there is no such language.
    """
    LANGUAGES[wanted]
    while _translators:
        QCoreApplication.removeTranslator(_translators.pop())
    if wanted == "en":
        return
    translator = QTranslator()
    translator.load(str(FOLDER / f"{wanted}.qm"))
    translator.setProperty("language", wanted)
    QCoreApplication.installTranslator(translator)
    _translators.append(translator)


@cache
def _templates() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the core's templates with places, as patterns, the most particular first."""
    sources = [source for context, source in texts("zh") if context == CORE and "{" in source]
    sources.sort(key=lambda s: -len(_PLACE.sub("", re.escape(s))))
    return tuple((re.compile(_pattern(s)), s) for s in sources)


def _pattern(template: str) -> str:
    parts = re.split(r"\{(\w+)\}", template)
    return "".join(
        re.escape(part) if i % 2 == 0 else f"(?P<{part}>.*?)" for i, part in enumerate(parts)
    )


@cache
def texts(wanted: str) -> dict[tuple[str, str], str]:
    """Return what a language's .ts file has: (context, English) to the translation."""
    found = {}
    for context in ET.parse(FOLDER / f"{wanted}.ts").getroot().iter("context"):
        name = context.findtext("name") or ""
        for message in context.iter("message"):
            source, translation = message.findtext("source"), message.findtext("translation")
            found[(name, source or "")] = translation or ""
    return found
