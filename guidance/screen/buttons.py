"""Buttons of the room: some act at once, some only when pressed twice."""

from __future__ import annotations

from PyQt5.QtCore import Qt, QTimer, pyqtSignal
from PyQt5.QtWidgets import QAbstractSpinBox, QHBoxLayout, QPushButton, QSpinBox, QWidget

SURE_WITHIN_MS = 3000


def set_role(widget: QWidget, role: str) -> None:
    """Change how a widget looks; roles are named in the style sheet."""
    if widget.property("role") == role:
        return
    widget.setProperty("role", role)
    style = widget.style()
    if style is not None:
        style.polish(widget)


def push(text: str, role: str = "") -> QPushButton:
    """Return a button that leaves the keyboard to the window."""
    button = QPushButton(text)
    button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    set_role(button, role)
    return button


class TwoStepButton(QPushButton):
    """The first press readies it for three seconds; a second one within them acts."""

    confirmed = pyqtSignal()

    def __init__(self) -> None:
        """Make it without words."""
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._words, self._sure = "", ""
        set_role(self, "primary")
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SURE_WITHIN_MS)
        self._timer.timeout.connect(self.stand_down)
        self.clicked.connect(self.press)

    @property
    def ready(self) -> bool:
        """Whether the next press acts."""
        return self._timer.isActive()

    def say(self, text: str, sure: str) -> None:
        """Set what it says before and after the first press; new words stand it down."""
        if (text, sure) != (self._words, self._sure):
            self._words, self._sure = text, sure
            self.stand_down()

    def press(self) -> None:
        """Ready the button, or act if it is ready."""
        if self.ready:
            self.stand_down()
            self.confirmed.emit()
            return
        self._timer.start()
        self.setText(self._sure)
        set_role(self, "sure")

    def stand_down(self) -> None:
        """Be as before the first press."""
        self._timer.stop()
        self.setText(self._words)
        set_role(self, "primary")


class CountField(QWidget):
    """A number between two buttons as large as the others: less, more."""

    changed = pyqtSignal()

    def __init__(self, prefix: str, least: int, most: int) -> None:
        """Begin with the least.

        Args:
            prefix: written before the number.
            least: number.
            most: number.
        """
        super().__init__()
        self.box = QSpinBox()
        self.box.setRange(least, most)
        self.box.setPrefix(prefix)
        # The buttons of a spin box are too small for a hand in a glove.
        self.box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.box.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.box.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.less, self.more = push("−"), push("+")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for part in (self.less, self.box, self.more):
            row.addWidget(part)
        self.less.clicked.connect(lambda _checked: self.box.stepDown())
        self.more.clicked.connect(lambda _checked: self.box.stepUp())
        self.box.valueChanged.connect(lambda _value: self.changed.emit())

    @property
    def value(self) -> int:
        """The number."""
        return self.box.value()

    def set_value(self, number: int) -> None:
        """Set the number."""
        self.box.setValue(number)
