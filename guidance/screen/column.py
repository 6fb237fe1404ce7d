"""A column of sentences with buttons: as large as it fits, and scrolled where it does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt5.QtCore import QEvent, Qt
from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from guidance.screen.acts import Acts, Answer, Perform
from guidance.screen.buttons import push, set_role
from guidance.screen.panels import ignore_hint, label

# What it says, what is asked for in words, and the asking.
Button = tuple[str, str, Callable[[Acts, str], Answer]]
Line = tuple[str, Sequence[Button]]
# Roles of its letters, the largest first.
LETTERS = ("", "fine")


class Column(QScrollArea):
    """A title over lines; nothing is left out, whatever the room."""

    def __init__(self, perform: Perform) -> None:
        """Make it empty.

        Args:
            perform: carries an act out.
        """
        super().__init__()
        ignore_hint(self)
        self._perform, self._sentences = perform, list[QLabel]()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.show_lines("", ())

    def show_lines(self, title: str, lines: Sequence[Line]) -> None:
        """Show other lines, from the first.

        Args:
            title: above them.
            lines: rich text of each, with its buttons.
        """
        body, self._sentences = QWidget(), []
        layout = QVBoxLayout(body)
        layout.setContentsMargins(2, 0, 4, 0)
        layout.setSpacing(2)
        head = label("title")
        head.setText(title)
        layout.addWidget(head)
        for text, buttons in lines:
            layout.addLayout(self._line(text, buttons))
        layout.addStretch(1)
        self.setWidget(body)
        self._fit()

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Choose the letters anew."""
        super().resizeEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent | None) -> None:
        """Choose the letters anew where all of them have another size."""
        super().changeEvent(event)
        if event is not None and event.type() == QEvent.Type.StyleChange:
            self._fit()

    def _line(self, text: str, buttons: Sequence[Button]) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        sentence = label(wrap=True)
        sentence.setText(text)
        self._sentences.append(sentence)
        row.addWidget(sentence, 1)
        for words, what, act in buttons:
            button = push(words, "small")
            button.clicked.connect(lambda _checked, what=what, act=act: self._perform(what, act))
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _fit(self) -> None:
        """Use the largest letters with which all lines are seen at once."""
        body, port = self.widget(), self.viewport()
        layout = body.layout() if body is not None else None
        if layout is None or port is None:
            return
        for role in LETTERS:
            for sentence in self._sentences:
                set_role(sentence, role)
            layout.invalidate()
            if layout.heightForWidth(port.width()) <= port.height():
                break
