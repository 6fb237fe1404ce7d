"""A table that is read, and in which at most a row is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt5.QtGui import QResizeEvent
from PyQt5.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget

from guidance.screen.language import tr


class ReadingTable(QTableWidget):
    """Nothing is edited in it; its rows have no heads and one height, but for long words."""

    def __init__(self, columns: Sequence[str]) -> None:
        """Make it empty.

        Args:
            columns: heads, marked for translation.
        """
        super().__init__(0, len(columns))
        self.setHorizontalHeaderLabels([tr(column) for column in columns])
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        rows = self.verticalHeader()
        assert rows is not None
        rows.hide()

    def choose_rows(self, stretched: int) -> None:
        """Let one row be chosen at a time; a column takes the width that the others leave."""
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        heads = self.horizontalHeader()
        assert heads is not None
        heads.setHighlightSections(False)
        heads.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        heads.setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)

    def set_row_height(self, pixels: int) -> None:
        """Set the height of all rows."""
        rows = self.verticalHeader()
        assert rows is not None
        rows.setMinimumSectionSize(8)
        rows.setDefaultSectionSize(pixels)
        self.fit_rows()

    def fit_rows(self) -> None:
        """Make rows higher whose words need more than one line."""
        rows = self.verticalHeader()
        assert rows is not None
        for row in range(self.rowCount()):
            wanted = max(self.sizeHintForRow(row), rows.defaultSectionSize())
            if wanted != self.rowHeight(row):
                self.setRowHeight(row, wanted)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Part the words anew."""
        super().resizeEvent(event)
        self.fit_rows()
