"""The needles of the case in a table, and which scan its figures are of."""

from __future__ import annotations

from datetime import datetime

from PyQt5.QtCore import QPoint, Qt, pyqtSignal
from PyQt5.QtGui import QColor
from PyQt5.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from guidance.procedure.snapshot import Snapshot
from guidance.screen import standing, theme, words
from guidance.screen.language import marked, tr
from guidance.screen.panels import ignore_hint, label
from guidance.screen.readingtable import ReadingTable
from guidance.screen.words import coloured
from guidance.tracking.implant import NeedleTrack

COLUMNS = (
    marked("needle"),
    marked("tip mm"),
    marked("depth mm"),
    marked("angle °"),
    marked("clear mm"),
    marked("seeds"),
    marked("state"),
)


class NeedleTable(ReadingTable):
    """All needles; a click makes one the current needle."""

    chosen = pyqtSignal(int)

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        ignore_hint(self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        heads = self.horizontalHeader()
        assert heads is not None
        heads.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        last = len(COLUMNS) - 1
        heads.setSectionResizeMode(last, QHeaderView.ResizeMode.ResizeToContents)
        self._numbers: list[int] = []
        self._shown: list[tuple[bool, tuple[tuple[str, str], ...]]] = []
        self.cellClicked.connect(lambda row, _column: self.chosen.emit(self._numbers[row]))

    def number_at(self, at: QPoint) -> int | None:
        """Return the needle of the row at a place of the viewport."""
        row = self.rowAt(at.y())
        return self._numbers[row] if 0 <= row < len(self._numbers) else None

    def show_needles(self, snapshot: Snapshot, current: int | None) -> None:
        """Fill the table."""
        needles = words.tracks(snapshot)
        rows = [(needle.number == current, _cells(snapshot, needle)) for needle in needles]
        self._numbers = [needle.number for needle in needles]
        if rows == self._shown:
            return
        self._shown = rows
        self.setRowCount(len(rows))
        for i, (chosen, cells) in enumerate(rows):
            for j, (text, colour) in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setTextAlignment(int(Qt.AlignmentFlag.AlignCenter))
                item.setForeground(QColor(colour))
                item.setBackground(QColor(theme.CHOSEN if chosen else theme.PANEL))
                self.setItem(i, j, item)
            if chosen:
                self.scrollToItem(self.item(i, 0))


class NeedlePanel(QWidget):
    """The table, and below it the scan that its figures are of."""

    def __init__(self) -> None:
        super().__init__()
        ignore_hint(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self.table, self._standing = NeedleTable(), label("quiet")
        layout.addWidget(self.table, 1)
        layout.addWidget(self._standing)

    @property
    def text(self) -> str:
        """The line below the table, as rich text."""
        return self._standing.text()

    def show_age(self, snapshot: Snapshot, now: datetime) -> None:
        """Say which scan, and how old it is."""
        found = standing.of_needles(snapshot, now)
        said = tr("needles: {scan}", scan=found.brief) if found.brief else ""
        self._standing.setText(coloured(said, found.colour))
        self._standing.setVisible(bool(said))

    def told(self, at: QPoint, snapshot: Snapshot, now: datetime) -> str:
        """Return what is known of the needle under the pointer: its scan, and its seeds."""
        number = self.table.number_at(at)
        needle = next((n for n in snapshot.needles if n.number == number), None)
        if needle is None:
            return ""
        scan = words.sighting_line(snapshot, needle, now)[0] or tr("no scan shows it yet")
        name = tr("needle {number}", number=needle.number)
        return f"{name}: {scan}\n{standing.through(snapshot, needle.number, now)}".strip()


def _cells(snapshot: Snapshot, needle: NeedleTrack) -> tuple[tuple[str, str], ...]:
    rows = {title: (number, colour) for title, number, _, colour in words.needle_rows(needle)}
    planned = words.planned_through(snapshot, needle.number)
    dropped = words.dropped_through(snapshot, needle.number)
    compared = needle.tip_deviation_mm is not None
    near = min(needle.clearances, key=lambda c: c.distance_mm - c.limit_mm, default=None)
    clear = (words.DASH, theme.QUIET)
    if near is not None:
        clear = (f"{near.distance_mm:.1f}", theme.GOOD if near.kept else theme.BAD)
    if needle.tip_mm is None:
        state = (tr("not seen"), theme.QUIET)
    elif not compared:
        state = (tr("not planned"), theme.WARN)
    elif near is not None and not near.kept:
        state = (tr("too close"), theme.BAD)
    elif planned and dropped >= planned:
        state = (tr("done"), theme.GOOD)
    elif snapshot.scan and needle.scan_uid != snapshot.scan.series_instance_uid:
        state = (tr("earlier"), theme.WARN)
    else:
        state = (tr("seen"), theme.NOTE)

    def figure(title: str) -> tuple[str, str]:
        if not compared:
            return (words.DASH, theme.QUIET)
        number, colour = rows[title]
        return (number.removesuffix(" mm").removesuffix("°"), colour)

    return (
        (str(needle.number), theme.TEXT),
        figure("tip"),
        figure("depth"),
        figure("angle"),
        clear,
        (f"{dropped}/{planned}", theme.TEXT),
        state,
    )
