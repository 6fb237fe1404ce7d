"""The settings: every value with where it comes from; what may be changed is changed here."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QColor, QKeyEvent, QKeySequence
from PyQt5.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLineEdit,
    QTableWidgetItem,
    QVBoxLayout,
)

from guidance.errors import RefusedError
from guidance.procedure.snapshot import Snapshot
from guidance.screen import theme
from guidance.screen.buttons import push, set_role
from guidance.screen.given import Given
from guidance.screen.house import House, Office
from guidance.screen.keys import ACTIONS
from guidance.screen.language import LANGUAGES, language, marked, said, tr
from guidance.screen.panels import label
from guidance.screen.readingtable import ReadingTable
from guidance.screen.settingwords import (
    EFFECTS,
    HEADING_OF_TABLE,
    HEADINGS,
    KEYS,
    ORIGINS,
    WORDS,
    YES_NO,
)
from guidance.screen.words import DASH, coloured
from guidance.settings import CHANGEABLE, Effect, Origin, Setting

COLUMNS = (marked("setting"), marked("value"), marked("from"), marked("a change holds"))
VALUE = 1


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        key: of the setting; of a key of the screen its action.
        cells: words.
        typed: the value as it is typed; None where it is not changed here.
        warns: whether the value is not the one in force.
    """

    key: str
    cells: tuple[str, ...]
    typed: str | None
    warns: bool = False


class KeyField(QLineEdit):
    """Takes texts; while it takes a key, the next key or pedal pressed is its text."""

    takes_key = False

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Write the key's name, or what was typed."""
        if event is None or not self.takes_key:
            super().keyPressEvent(event)
            return
        if event.key() not in {Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt}:
            self.setText(QKeySequence(event.key()).toString())


class SettingsPage(Given, QFrame):
    """Headings, the table of one heading, and the field for the chosen setting."""

    answered = pyqtSignal(object, object)

    def __init__(self, office: Office | None, house: House, sound: Callable[[], None]) -> None:
        """Make the page.

        Args:
            office: keeps the settings; None where only keys and language are known.
            house: is changed at once by some.
            sound: makes the sound of an alarm once, to be heard.
        """
        super().__init__()
        self.setProperty("role", "panel")
        self._office, self._house = office, house
        self._snapshot: Snapshot | None = None
        self._rows: tuple[Row, ...] = ()
        self._heading = HEADINGS[0] if office is not None else KEYS
        self.table, self.field = ReadingTable(COLUMNS), KeyField()
        self.keep_button, self.state = push(tr("Keep")), label("quiet", wrap=True)
        self.named, self.where = label("title", wrap=True), label("quiet", wrap=True)
        self.headings = {heading: push(tr(heading), "small") for heading in HEADINGS}
        self.languages = {code: push(name) for code, name in LANGUAGES.items()}
        self.sound_button = push(tr("Hear an alarm"))
        self.table.choose_rows(stretched=VALUE)
        self.table.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._arrange()
        for heading, button in self.headings.items():
            button.clicked.connect(lambda _checked, heading=heading: self.show_heading(heading))
        for code, button in self.languages.items():
            set_role(button, "primary" if code == language() else "")
            button.clicked.connect(lambda _checked, code=code: self.speak(code))
        self.sound_button.clicked.connect(lambda _checked: sound())
        self.keep_button.clicked.connect(self.keep)
        self.field.returnPressed.connect(self.keep)
        self.table.itemSelectionChanged.connect(self._show_chosen)
        self.answered.connect(self._take)
        self.show_heading(self._heading)

    def _arrange(self) -> None:
        row, left, side = QHBoxLayout(self), QVBoxLayout(), QVBoxLayout()
        row.setContentsMargins(8, 4, 8, 4)
        row.addLayout(left, 68)
        row.addLayout(side, 32)
        above, below, field = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for button in self.headings.values():
            above.addWidget(button)
        above.addStretch(1)
        left.setSpacing(4)
        left.addLayout(above)
        left.addWidget(self.table, 1)
        field.addWidget(self.field, 1)
        field.addWidget(self.keep_button)
        for button in (*self.languages.values(), self.sound_button):
            below.addWidget(button)
        below.addStretch(1)
        side.setSpacing(4)
        side.addWidget(self.named)
        side.addLayout(field)
        side.addWidget(self.state)
        side.addStretch(1)
        side.addWidget(self.where)
        side.addLayout(below)
        self.setMinimumSize(1, 1)

    # --- what is shown -----------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Hold the limits of the file against those that the case was opened with."""
        before, self._snapshot = self._snapshot, snapshot
        if before is None or (before.protocol, before.opened_by) != (
            snapshot.protocol, snapshot.opened_by
        ):  # fmt: skip
            self._fill()

    def show_heading(self, heading: str) -> None:
        """Show the settings of one heading."""
        self._heading = heading
        for other, button in self.headings.items():
            set_role(button, "small-primary" if other == heading else "small")
        self.table.clearSelection()
        self._fill()
        self._show_chosen()

    def _fill(self) -> None:
        self._rows = tuple(self._key_rows() if self._heading == KEYS else self._setting_rows())
        self.table.setRowCount(len(self._rows))
        for i, row in enumerate(self._rows):
            for j, text in enumerate(row.cells):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                colour = theme.TEXT if row.typed is not None else theme.QUIET
                item.setForeground(QColor(theme.WARN if row.warns and j == 1 else colour))
                self.table.setItem(i, j, item)
        self.table.fit_rows()
        where = self._office.where if self._office is not None else ""
        kept = tr("kept in {file}", file=where) if where else tr("no configuration file (--config)")
        self.where.setText(coloured(kept, theme.QUIET if where else theme.WARN))

    def _key_rows(self) -> list[Row]:
        at_once, rows = tr(EFFECTS[Effect.AT_ONCE.value]), []
        for action, (usual, words) in ACTIONS.items():
            key = self._house.keys.of(action)
            origin = Origin.DEFAULT if key == usual else Origin.FILE
            cells = (tr(words), key, tr(ORIGINS[origin.value]), at_once)
            rows.append(Row(action, cells, key))
        return rows

    def _setting_rows(self) -> list[Row]:
        rows = []
        for setting in self._office.rows if self._office is not None else ():
            table, _, name = setting.key.partition(".")
            if setting.key == "screen.keys" or HEADING_OF_TABLE[table] != self._heading:
                continue
            words, unit = WORDS.get(setting.key, (setting.key, ""))
            value, warns = _listed(setting) or _said(setting.text, unit), setting.waits
            if setting.waits:
                value = tr("{value} (after a restart)", value=value)
            if table == "protocol" and (of_case := self._of_case(name)) not in {"", setting.text}:
                value = tr("{value}; THIS CASE: {case}", value=value, case=_said(of_case, unit))
                warns = True
            cells = (
                tr(words), value, tr(ORIGINS[setting.origin.value]),
                tr(EFFECTS[setting.effect.value]),
            )  # fmt: skip
            changes = setting.key in CHANGEABLE and setting.key != "screen.language"
            rows.append(Row(setting.key, cells, setting.text if changes else None, warns))
        return rows

    def _of_case(self, name: str) -> str:
        """Return a limit as the case that is open has it; empty while none is."""
        if self._snapshot is None or not self._snapshot.opened_by:
            return ""
        value = getattr(self._snapshot.protocol, name)
        return Setting("", value, Origin.DEFAULT, Effect.BY_HAND).text

    @property
    def heading(self) -> str:
        """The heading shown."""
        return self._heading

    @property
    def chosen(self) -> Row | None:
        """The chosen row."""
        selection = self.table.selectionModel()
        rows = selection.selectedRows() if selection is not None else []
        return self._rows[rows[0].row()] if rows else None

    def _show_chosen(self) -> None:
        row = self.chosen
        able = row is not None and row.typed is not None
        self.named.setText(row.cells[0] if row else tr("Choose a setting"))
        self.field.setText((row.typed or "") if row else "")
        self.field.takes_key = self._heading == KEYS
        self.field.setPlaceholderText(tr("press the key or pedal") if self.field.takes_key else "")
        self.field.setEnabled(able)
        self.keep_button.setEnabled(able)
        text = ""
        if row is not None and not able:
            text = tr("Not changed beside a patient: change the file, then start again.")
            if row.key == "screen.language":
                text = tr("Choose a language below.")
        self._say(text, theme.QUIET)

    # --- changing ----------------------------------------------------------

    def keep(self) -> None:
        """Check the value, use it where it holds at once, and keep it in the file."""
        row, typed = self.chosen, self.field.text().strip()
        if row is None or row.typed is None:
            return
        if self._heading != KEYS:
            self._change(row.key, typed)
            return
        try:
            keys = self._house.keys.with_key(row.key, typed)
        except RefusedError as error:
            self._say(tr("NOT CHANGED: {why}", why=said(str(error))), theme.BAD)
            return
        self._change("screen.keys", keys.given, lambda: self._house.change_keys(keys))

    def speak(self, code: str) -> None:
        """Use a language and keep it."""
        self._change("screen.language", code, lambda: self._house.change_language(code))

    def _change(
        self, key: str, typed: str | tuple[str, ...], at_once: Callable[[], None] | None = None
    ) -> None:
        """Keep a setting; what holds at once holds whether or not it could be kept."""
        if self._office is None:
            if at_once is not None:
                at_once()
            return

        def tell(answer: Future[Setting]) -> None:
            # The window may be closed by then.
            with suppress(RuntimeError):
                self.answered.emit(answer, at_once)

        self._office.change(key, typed).add_done_callback(tell)

    def _take(self, answer: Future[Setting], at_once: Callable[[], None] | None) -> None:
        error = answer.exception()
        if at_once is not None:
            # This makes the page anew, so what came of it is said in the status line.
            at_once()
            kept = tr("Kept.") if error is None else _not_kept(error)
            self._house.say(kept, error is None)
        elif error is not None:
            self._say(_not_kept(error), theme.BAD)
        else:
            self._fill()
            self._say(tr("Kept; holds after a restart."), theme.WARN)

    def _say(self, text: str, colour: str) -> None:
        self.state.setText(coloured(text, colour) if text else "")


def _not_kept(error: BaseException) -> str:
    return tr("NOT KEPT: {why}", why=said(str(error)))


def _listed(setting: Setting) -> str:
    """Return a list of words in the language in use; empty for what is no list."""
    value = setting.value
    return tr(", ").join(map(tr, value)) if isinstance(value, tuple) else ""


def _said(text: str, unit: str) -> str:
    if text in YES_NO:
        return tr(YES_NO[text])
    return f"{text} {tr(unit)}" if text and unit else text or DASH
