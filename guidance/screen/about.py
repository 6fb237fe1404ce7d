"""Keys, settings and what this is: a page that takes the place of the tables."""

from __future__ import annotations

import html
import platform
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from PyQt5.QtCore import PYQT_VERSION_STR, QT_VERSION_STR, Qt
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from guidance.screen import theme
from guidance.screen.buttons import push
from guidance.screen.given import Given
from guidance.screen.keys import ACTIONS, Keys
from guidance.screen.language import LANGUAGES, language, tr
from guidance.screen.panels import label
from guidance.screen.words import coloured

# What the figures on the screen depend on.
PACKAGES = ("seedguide", "numpy", "scipy", "pydicom", "pynetdicom", "SimpleITK", "pyqtgraph")


COLUMNS = 3


class AboutPage(Given, QFrame):
    """The keys in two columns, the settings, the versions and the notice."""

    def __init__(self, keys: Keys, speak: Callable[[str], None]) -> None:
        """Make the page.

        Args:
            keys: in use.
            speak: called with the language chosen.
        """
        super().__init__()
        self.setProperty("role", "panel")
        row = QHBoxLayout(self)
        self._keys = label("quiet")
        self._keys.setText(_keys(keys))
        self._keys.setAlignment(Qt.AlignmentFlag.AlignTop)
        row.addWidget(self._keys, 5)
        self.setMinimumSize(1, 1)
        side = QVBoxLayout()
        row.addLayout(side, 2)
        notice = label("action", wrap=True)
        notice.setText(coloured(tr(theme.NOTICE), theme.WARN))
        side.addWidget(notice)
        self._versions = label("quiet", wrap=True)
        self._versions.setText(html.escape(versions()))
        side.addWidget(self._versions)
        buttons = QHBoxLayout()
        for code, name in LANGUAGES.items():
            button = push(name, "primary" if code == language() else "")
            button.clicked.connect(lambda _checked, code=code: speak(code))
            buttons.addWidget(button)
        buttons.addStretch(1)
        side.addLayout(buttons)
        side.addStretch(1)


def versions() -> str:
    """Return the versions of what this runs on, in one line."""
    found = [f"Python {platform.python_version()}", f"Qt {QT_VERSION_STR}"]
    found.append(f"PyQt5 {PYQT_VERSION_STR}")
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)


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
