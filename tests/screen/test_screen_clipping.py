"""What cannot be read is found: each way in which words are lost, made on purpose."""

from __future__ import annotations

from collections.abc import Callable

import pyqtgraph
import pytest
from PyQt5.QtWidgets import QLabel

from guidance.screen import RoomWindow
from tests.screen.clipping import clipped
from tests.screen.room_case import snapshot


def _wide_table(window: RoomWindow) -> None:
    cells = "".join(f"<td>{number} figures</td>" for number in range(40))
    window.next_action._said.setText(f"<table><tr>{cells}</tr></table>")
    window.next_action._said.show()


def _narrow_number(window: RoomWindow) -> None:
    window.card._rows[0][1].setText("3.7 mm and more than there is room for in this row")


def _outside(window: RoomWindow) -> None:
    aside = QLabel("leaves the panel", window.figures)
    aside.show()
    aside.move(window.figures.width() - 20, 0)
    aside.adjustSize()


def _over_words(window: RoomWindow) -> None:
    over = QLabel("over the name", window.top_bar)
    over.show()
    over.move(window.top_bar._patient.pos())
    over.adjustSize()


def _over_curve(window: RoomWindow) -> None:
    over = QLabel("over all curves", window.dvh._plot)
    over.show()
    over.resize(window.dvh._plot.size())
    over.setText("<br>".join(["over all the curves that are drawn"] * 12))


def _words_in_plot(window: RoomWindow) -> None:
    text = pyqtgraph.TextItem("among the curves", anchor=(0.5, 0.5))
    window.dvh._plot.addItem(text)
    text.setPos(190, 50)


def _elided(window: RoomWindow) -> None:
    window.progress.show()
    window.progress.words.say("much to say " * 30)


def _narrow_column(window: RoomWindow) -> None:
    window.table.item(0, 1).setText("-123456789.0")


def _narrow_head(window: RoomWindow) -> None:
    window.table.horizontalHeaderItem(2).setText("depth below the skin, mm")


def _long_hint(window: RoomWindow) -> None:
    window.act_bar.operator.clear()
    window.act_bar.operator.setPlaceholderText("name and function of the operator")


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (_wide_table, "wide, has"),
        (_narrow_number, "3.7 mm and more"),
        (_outside, "leaves DoseFigures"),
        (_over_words, "'over the name' overlap"),
        (_over_curve, "a curve runs through"),
        (_words_in_plot, "a curve runs through 'among the curves'"),
        (_elided, "is cut to"),
        (_narrow_column, "cell '-123456789.0'"),
        (_narrow_head, "head 'depth below"),
        (_long_hint, "hint 'name and function"),
    ],
)
def test_words_that_cannot_be_read_are_found(
    qtbot, window: RoomWindow, spoil: Callable[[RoomWindow], None], found: str
):
    window.show_snapshot(snapshot())
    # Each picture is drawn in a turn of its own.
    qtbot.waitUntil(lambda: clipped(window) == [])
    spoil(window)
    qtbot.waitUntil(lambda: any(found in words for words in clipped(window)))
