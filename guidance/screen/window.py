"""The room's window: everything on it is a function of the snapshot."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from PyQt5.QtCore import Qt, QTimer
from PyQt5.QtGui import QKeyEvent, QResizeEvent
from PyQt5.QtWidgets import QHBoxLayout, QLineEdit, QMainWindow, QVBoxLayout, QWidget

from guidance.alarms import Alarm
from guidance.procedure.snapshot import Snapshot
from guidance.screen import theme
from guidance.screen.actbar import ActBar
from guidance.screen.acts import Acts
from guidance.screen.cartridges import CartridgeForm
from guidance.screen.figures import DoseFigures, DvhPlot, NeedleTable
from guidance.screen.panels import ImplantPanel, NeedleCard, NextAction, StepRail, TopBar, label
from guidance.screen.scene import Scene
from guidance.screen.status import AlarmLine, Clerk
from guidance.screen.words import coloured, tracks

LOWER_ROW = 4
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time of day in UTC."""
    return datetime.now(UTC)


class RoomWindow(QMainWindow):
    """Shows snapshots and passes on what people do.

    Keys: 1 to 9 grey scales, PgUp and PgDn slices, Home the current needle, F2 the act of the
    step, F4 permit, Esc end permit, F6 cartridges, F8 alarm seen. The function keys can be
    given to pedals.
    """

    def __init__(self, acts: Acts, operator: str = "", *, clock: Clock = utc_now) -> None:
        """Make an empty window.

        Args:
            acts: what it may ask of the core.
            operator: name to begin with.
            clock: the time now, for ages.
        """
        super().__init__()
        self.setWindowTitle(f"seedguide: {theme.NOTICE}")
        self._clock = clock
        self._snapshot: Snapshot | None = None
        self._scale = 0.0
        self.top_bar, self.rail, self.scene = TopBar(), StepRail(), Scene()
        self.card, self.implant, self.next_action = NeedleCard(), ImplantPanel(), NextAction()
        self.table, self.dvh, self.figures = NeedleTable(), DvhPlot(), DoseFigures()
        self.alarm_line = AlarmLine(self._acknowledge)
        self._operator = QLineEdit(operator)
        self._clerk = Clerk(acts, self._operator.text)
        self._clerk.answered.connect(self.say)
        self.act_bar = ActBar(self._clerk.perform, self._operator)
        self.cartridges = CartridgeForm(self._clerk.perform)
        self.cartridges.hide()
        self.status = label()
        self.scene.needle_changed.connect(self._show_needle)
        self.table.chosen.connect(self.scene.choose_needle)
        self.act_bar.cartridge_button.clicked.connect(self._toggle_cartridges)
        self._arrange()
        self._second = QTimer(self)
        self._second.timeout.connect(self._grow_older)
        self._second.start(1000)

    def _arrange(self) -> None:
        ground = QWidget()
        ground.setObjectName("ground")
        ground.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        rows = QVBoxLayout(ground)
        rows.setContentsMargins(8, 4, 8, 4)
        rows.setSpacing(5)
        self._rows = rows
        side = QVBoxLayout()
        side.setSpacing(4)
        side.addWidget(self.card, 1)
        side.addWidget(self.implant)
        middle, lower = QHBoxLayout(), QHBoxLayout()
        middle.addWidget(self.scene, 71)
        middle.addLayout(side, 29)
        lower.addWidget(self.table, 36)
        lower.addWidget(self.dvh, 30)
        lower.addWidget(self.figures, 34)
        rows.addWidget(self.top_bar)
        rows.addWidget(self.rail)
        rows.addWidget(self.next_action)
        rows.addLayout(middle, 68)
        rows.addLayout(lower, 32)
        assert rows.itemAt(LOWER_ROW) is lower
        rows.addWidget(self.alarm_line)
        rows.addWidget(self.cartridges)
        rows.addWidget(self.act_bar)
        rows.addWidget(self.status)
        # The window is as large as the screen, not as its longest sentence.
        ground.setMinimumSize(1, 1)
        self.setMinimumSize(640, 360)
        self.setCentralWidget(ground)
        # Keys belong to the window; a field has them only from a click until Return.
        for field in ground.findChildren(QLineEdit):
            field.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
            field.returnPressed.connect(ground.setFocus)
        ground.setFocus()

    # --- what is shown -----------------------------------------------------

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show a snapshot; one of another case first clears everything of the last."""
        if self._snapshot is not None and self._snapshot.case_id != snapshot.case_id:
            self.scene.clear()
            self.act_bar.clear()
            self.cartridges.clear()
            self.status.setText("")
        self._snapshot = snapshot
        self.scene.show_snapshot(snapshot)
        self.rail.show_snapshot(snapshot)
        self.next_action.show_snapshot(snapshot)
        self.dvh.show_dose(snapshot)
        self.figures.show_dose(snapshot)
        self.alarm_line.show_snapshot(snapshot)
        self.act_bar.show_snapshot(snapshot)
        self.cartridges.show_snapshot(snapshot)
        self._show_needle()
        self._grow_older()

    def _show_needle(self) -> None:
        if self._snapshot is None:
            return
        needle = self.scene.needle
        self.card.show_needle(needle, len(tracks(self._snapshot)))
        self.table.show_needles(self._snapshot, needle.number if needle else None)

    def _grow_older(self) -> None:
        """Say anew what changes with time alone."""
        if self._snapshot is not None:
            now = self._clock()
            self.top_bar.show_snapshot(self._snapshot, now)
            self.implant.show_snapshot(self._snapshot, now)

    def say(self, text: str, done: bool) -> None:
        """Say in the status line what came of something."""
        self.status.setText(coloured(text, theme.GOOD if done else theme.WARN))

    def _acknowledge(self, alarm: Alarm) -> None:
        self._clerk.perform(
            "acknowledge the alarm", lambda acts, by: acts.acknowledge(alarm.key, by)
        )

    def _toggle_cartridges(self) -> None:
        shown = self.cartridges.isHidden()
        self.cartridges.setVisible(shown)
        # The form takes its room from the tables, not from the pictures and their numbers.
        self._rows.setStretch(LOWER_ROW, 24 if shown else 32)

    # --- events ------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Scale all words with the window."""
        super().resizeEvent(event)
        scale = theme.scale_of(self.width(), self.height())
        if abs(scale - self._scale) < 0.01:
            return
        self._scale = scale
        self.setStyleSheet(theme.style_sheet(scale))
        for view in (self.scene.axial, self.scene.along, self.scene.across):
            view.text_scale = scale
        self.table.set_row_height(round(30 * scale))
        self.dvh.set_scale(scale)
        self.act_bar.operator.setFixedWidth(round(230 * scale))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Do what a key is for; what fields do not use comes here."""
        if event is None:
            return
        key = event.key()
        acts: dict[int, Callable[[], None]] = {
            Qt.Key.Key_Escape: self.act_bar.stop,
            Qt.Key.Key_F2: self.act_bar.act_of_step,
            Qt.Key.Key_F4: self.act_bar.permit_button.click,
            Qt.Key.Key_F6: self._toggle_cartridges,
            Qt.Key.Key_F8: self.alarm_line.acknowledge,
            Qt.Key.Key_PageUp: lambda: self.scene.step(1),
            Qt.Key.Key_PageDown: lambda: self.scene.step(-1),
            Qt.Key.Key_Home: self.scene.home,
        }
        if key in acts and not event.isAutoRepeat():
            acts[key]()
        elif Qt.Key.Key_1 <= key <= Qt.Key.Key_9:
            self.scene.preset(key - Qt.Key.Key_0)
        else:
            super().keyPressEvent(event)
