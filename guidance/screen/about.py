"""Keys, versions and what this is: a page that takes the place of the tables."""

from __future__ import annotations

import html
import platform
import re
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version

from PyQt5.QtCore import QT_VERSION_STR, Qt
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from guidance.screen import theme
from guidance.screen.given import Given
from guidance.screen.keys import ACTIONS, Keys
from guidance.screen.language import tr
from guidance.screen.panels import label
from guidance.screen.words import coloured

# Parts of the distribution that the room runs on; the others are for building and testing it.
PARTS = {"", "transport", "assistant", "screen"}
COLUMNS = 3


class AboutPage(Given, QFrame):
    """The keys in columns; the notice, the versions and the seed models."""

    def __init__(self, keys: Keys, models: Sequence[tuple[str, bool]] = ()) -> None:
        """Make the page.

        Args:
            keys: in use.
            models: of seeds that may be used here, and whether the site commissioned them.
        """
        super().__init__()
        self.setProperty("role", "panel")
        whole = QVBoxLayout(self)
        whole.setContentsMargins(8, 4, 8, 4)
        whole.setSpacing(4)
        row = QHBoxLayout()
        whole.addLayout(row)
        self._keys = label("quiet")
        self._keys.setText(_keys(keys))
        self._keys.setAlignment(Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._keys, 5)
        self.setMinimumSize(1, 1)
        side = QVBoxLayout()
        side.setSpacing(4)
        row.addLayout(side, 3)
        notice = label("action", wrap=True)
        notice.setText(coloured(tr(theme.NOTICE), theme.WARN))
        side.addWidget(notice)
        for text in seed_models(models):
            side.addWidget(_said(text))
        side.addStretch(1)
        # As long as there is to say: across the whole page.
        whole.addWidget(_said(versions()))
        whole.addStretch(1)

    @property
    def text(self) -> str:
        """All that is said, as rich text."""
        return " ".join(part.text() for part in self.findChildren(QLabel))


def _said(text: str) -> QLabel:
    """Return a small line that may break."""
    line = label("quiet", wrap=True)
    line.setText(html.escape(text))
    return line


@cache
def versions() -> str:
    """Return the versions of the program and of everything that it runs on, in one line."""
    names = ["seedguide"]
    with suppress(PackageNotFoundError):
        names += sorted({_name(line) for line in requires("seedguide") or () if _needed(line)})
    found = []
    for name in names:
        with suppress(PackageNotFoundError):
            found.append(f"{name} {version(name)}")
    found[1:1] = [f"Python {platform.python_version()}", f"Qt {QT_VERSION_STR}"]
    found.append(f"SQLite {sqlite3.sqlite_version}")
    return ", ".join(found)


def _name(requirement: str) -> str:
    """Return the name of a requirement (PEP 508)."""
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]


def _needed(requirement: str) -> bool:
    part = re.search(r"extra\s*==\s*['\"]([^'\"]+)", requirement)
    return (part.group(1) if part else "") in PARTS


def seed_models(models: Sequence[tuple[str, bool]]) -> tuple[str, ...]:
    """Return which seed models may be used here, in a line each for why."""
    enabled = ", ".join(model for model, own in models if not own)
    own = ", ".join(model for model, own in models if own)
    lines = [tr("seed models enabled: {models}", models=enabled)] if enabled else []
    if own:
        lines.append(tr("commissioned by this site: {models}", models=own))
    return tuple(lines)


def _keys(keys: Keys) -> str:
    lines = [(keys.of(action), tr(words)) for action, (_, words) in ACTIONS.items()]
    lines += [
        ("1-9", tr("grey scales")),
        (tr("wheel"), tr("slices; with Ctrl, zoom")),
        (tr("left"), tr("move the crosshair")),
        (tr("right"), tr("grey scale")),
        (tr("middle"), tr("move the picture")),
        (tr("double click"), tr("one view alone, or all")),
    ]
    height = -(-len(lines) // COLUMNS)
    rows = []
    for row in range(height):
        cells = "".join(
            f"<td><b>{html.escape(key)}</b>&nbsp;</td><td>{html.escape(words)}&nbsp;&nbsp;</td>"
            for key, words in lines[row::height]
        )
        rows.append(f"<tr>{cells}</tr>")
    return f"<table>{''.join(rows)}</table>"
