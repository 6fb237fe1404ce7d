"""The lines that speak: alarms, and what came of an act."""

from __future__ import annotations

from collections.abc import Callable

from PyQt5.QtCore import QObject, pyqtSignal
from PyQt5.QtWidgets import QFrame, QHBoxLayout

from guidance.alarms import Alarm
from guidance.procedure.snapshot import Snapshot
from guidance.screen import theme, words
from guidance.screen.acts import Acts, Answer
from guidance.screen.buttons import push, set_role
from guidance.screen.flashing import Flash
from guidance.screen.language import said, tr
from guidance.screen.panels import label
from guidance.screen.words import coloured


class Clerk(QObject):
    """Asks for acts, and brings the answers back into the thread of the window."""

    answered = pyqtSignal(str, bool)

    def __init__(self, acts: Acts, operator: Callable[[], str]) -> None:
        """Ask in the name that stands in the operator's field.

        Args:
            acts: who is asked.
            operator: returns the name.
        """
        super().__init__()
        self._acts, self._operator = acts, operator

    def perform(self, what: str, act: Callable[[Acts, str], Answer]) -> None:
        """Ask for an act; ``answered`` tells in words what came of it, and if it was done."""

        def tell(answer: Answer) -> None:
            error = answer.exception()
            if error is None:
                self.answered.emit(tr("Done: {what}.", what=what), True)
            else:
                self.answered.emit(
                    tr("Not done: {what}: {why}.", what=what, why=said(str(error))), False
                )

        # The callback runs in the thread that answers; the signal is queued to ours.
        act(self._acts, self._operator().strip()).add_done_callback(tell)


class AlarmLine(QFrame):
    """The foremost alarm with its priority in word, symbol and colour."""

    def __init__(self, acknowledge: Callable[[Alarm], None], key: str, silence: str) -> None:
        """Make an empty line.

        Args:
            acknowledge: called with the alarm that a person has seen.
            key: acknowledges.
            silence: pauses the sound.
        """
        super().__init__()
        set_role(self, "panel")
        self._acknowledge = acknowledge
        self.alarm: Alarm | None = None
        self._words, self._colour = "", theme.QUIET
        self.flash = Flash(self)
        self.flash.changed.connect(self._show_phase)
        self._text = label("alarm", wrap=True)
        self.button = push(f"{tr('Seen')}  {key}")
        self._silence = silence
        self.sound_button = push("")
        self.show_sound(paused=False)
        self.button.clicked.connect(self.acknowledge)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 2, 6, 2)
        layout.addWidget(self._text, 1)
        layout.addWidget(self.button)
        layout.addWidget(self.sound_button)

    @property
    def text(self) -> str:
        """What it says, as rich text."""
        return self._text.text()

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Show the alarm that matters most; it flashes until somebody has seen it."""
        self.alarm = words.foremost(snapshot.alarms)
        unseen = self.alarm is not None and not self.alarm.acknowledged_by
        if self.alarm is None:
            self._words, self._colour = tr("no alarm"), theme.QUIET
        else:
            others = len(snapshot.alarms) - 1
            self._words, self._colour = words.alarm_line(self.alarm, others)
            self._text.setToolTip(said(self.alarm.text))
        self.button.setVisible(unseen)
        self.flash.show(self.alarm.priority if self.alarm is not None and unseen else None)
        self._show_phase()

    def _show_phase(self) -> None:
        """Show the words in their colour, or dark on a ground of that colour."""
        lit = self.flash.lit and self.alarm is not None
        role = f"lit-{self.alarm.priority.value}" if lit and self.alarm is not None else "panel"
        set_role(self, role)
        self._text.setText(coloured(self._words, theme.GROUND if lit else self._colour))

    def show_sound(self, *, paused: bool) -> None:
        """Say whether alarms can be heard."""
        text = tr("SOUND PAUSED") if paused else tr("Sound on")
        self.sound_button.setText(f"{text}  {self._silence}")
        set_role(self.sound_button, "sure" if paused else "")

    def acknowledge(self) -> None:
        """Say that a person has seen it."""
        if self.alarm is not None and not self.alarm.acknowledged_by:
            self._acknowledge(self.alarm)
