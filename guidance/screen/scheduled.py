"""Patients on a worklist, and the table that shows them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass

from PyQt5.QtCore import Qt, pyqtSignal
from PyQt5.QtGui import QKeyEvent
from PyQt5.QtWidgets import QTableWidgetItem

from guidance.procedure.acts import Patient
from guidance.screen.language import marked
from guidance.screen.readingtable import ReadingTable
from guidance.screen.words import person_name

COLUMNS = (
    marked("time"),
    marked("patient"),
    marked("ID"),
    marked("born"),
    marked("procedure"),
    marked("accession"),
)
PROCEDURE = 4


@dataclass(frozen=True)
class Scheduled:
    """A patient on the worklist, in the words of DICOM.

    Attributes:
        patient_id: PatientID.
        patient_name: PatientName.
        birth_date: YYYYMMDD, may be empty.
        procedure: what is to be done.
        starts: ``YYYYMMDD HHMMSS``, or less of it.
        accession: AccessionNumber.
        step: ScheduledProcedureStepID.
    """

    patient_id: str
    patient_name: str
    birth_date: str = ""
    procedure: str = ""
    starts: str = ""
    accession: str = ""
    step: str = ""

    @property
    def patient(self) -> Patient:
        """Whom a case is opened for."""
        return Patient(self.patient_id, self.patient_name, self.accession, self.step)

    @property
    def cells(self) -> tuple[str, ...]:
        """What the table says, by column."""
        born = self.birth_date
        if len(born) == 8 and born.isdigit():
            born = f"{born[:4]}-{born[4:6]}-{born[6:]}"
        clock = self.starts.partition(" ")[2]
        return (
            f"{clock[:2]}:{clock[2:4]}" if len(clock) >= 4 else clock,
            person_name(self.patient_name),
            self.patient_id,
            born,
            self.procedure,
            self.accession,
        )


@dataclass(frozen=True)
class Worklist:
    """Who can be asked.

    Attributes:
        name: of the peer, for people.
        ask: asks for a day (YYYYMMDD); returns at once, the answer comes later.
    """

    name: str
    ask: Callable[[str], Future[tuple[Scheduled, ...]]]


class ScheduledTable(ReadingTable):
    """The patients; arrows choose, Return opens, every other key is the window's."""

    opened = pyqtSignal()

    def __init__(self) -> None:
        super().__init__(COLUMNS)
        self.choose_rows(stretched=PROCEDURE)
        self._items: tuple[Scheduled, ...] = ()

    @property
    def chosen(self) -> Scheduled | None:
        """The patient of the chosen row."""
        selection = self.selectionModel()
        rows = selection.selectedRows() if selection is not None else []
        return self._items[rows[0].row()] if rows else None

    def show_items(self, items: Iterable[Scheduled]) -> None:
        """Show these patients; one that was chosen stays chosen while shown."""
        before, self._items = self.chosen, tuple(items)
        self.clearSelection()
        self.setRowCount(len(self._items))
        for i, item in enumerate(self._items):
            for j, text in enumerate(item.cells):
                self.setItem(i, j, QTableWidgetItem(text))
        if before in self._items:
            self.selectRow(self._items.index(before))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Take what moves in the table, and Return."""
        if event is None:
            return
        moves = {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End}
        if event.key() in moves:
            super().keyPressEvent(event)
        elif event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.opened.emit()
        else:
            event.ignore()
