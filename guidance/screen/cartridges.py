"""The form for checking a cartridge in and for closing it."""

from __future__ import annotations

from concurrent.futures import Future
from functools import cache

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
)

from dose import sources
from dose.errors import SeedError
from dose.strength import strength_u
from guidance.ledger import Disposition
from guidance.procedure.snapshot import Snapshot
from guidance.screen.acts import Answer, Perform
from guidance.screen.buttons import push
from guidance.screen.language import marked, tr

DISPOSITIONS = {
    Disposition.RETURNED: marked("returned"),
    Disposition.ASSAYED: marked("assayed"),
    Disposition.WASTE: marked("waste"),
}


class CartridgeForm(QFrame):
    """What stands on the cartridge, and the assay, are typed by the person who reads them."""

    def __init__(self, perform: Perform) -> None:
        """Make an empty form.

        Args:
            perform: carries an act out.
        """
        super().__init__()
        self.setProperty("role", "panel")
        self._perform = perform
        self._model = ""
        self.serial, self.seeds, self.strength = QLineEdit(), QSpinBox(), QLineEdit()
        self.lot, self.assay = QLineEdit(), QLineEdit()
        self.serial.setPlaceholderText(tr("serial number"))
        self.lot.setPlaceholderText(tr("on the label"))
        self.seeds.setRange(0, 999)
        self.strength.setPlaceholderText(tr("with U or mCi"))
        self.assay.setPlaceholderText(tr("none"))
        self.seeds.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.seeds.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.disposition = QComboBox()
        self.disposition.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        for disposition in Disposition:
            self.disposition.addItem(tr(DISPOSITIONS[disposition]), disposition)
        self.check_in_button = push(tr("Check in"))
        self.close_button = push(tr("Close with this count"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 2)
        for text, entry in (
            (tr("cartridge"), self.serial),
            (tr("seeds in it"), self.seeds),
            (tr("strength a seed"), self.strength),
            (tr("lot"), self.lot),
            (tr("assay"), self.assay),
        ):
            layout.addWidget(QLabel(text))
            layout.addWidget(entry)
        layout.addWidget(self.check_in_button)
        layout.addStretch(1)
        layout.addWidget(QLabel(tr("the rest is")))
        layout.addWidget(self.disposition)
        layout.addWidget(self.close_button)
        self.check_in_button.clicked.connect(self.check_in)
        self.close_button.clicked.connect(self.close_cartridge)

    def clear(self) -> None:
        """Forget what was typed."""
        self.serial.clear()
        self.seeds.setValue(0)
        self.strength.clear()
        self.lot.clear()
        self.assay.clear()
        self._model = ""

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Take note of the plan's seed model; what is delivered is read from the label."""
        if snapshot.plan is not None:
            self._model = snapshot.plan.source_model

    def check_in(self) -> None:
        """Check the cartridge in as typed; a strength without its unit is refused."""
        serial, model = self.serial.text().strip(), self._model
        seeds, lot, assayed = self.seeds.value(), self.lot.text().strip(), self.assay.text()
        what, nuclide = tr("check in cartridge {serial}", serial=serial), _nuclide(model)
        try:
            strength = strength_u(self.strength.text(), nuclide)
            assay = strength_u(assayed, nuclide) if assayed.strip() else None
        except SeedError as error:
            refused: Answer = Future()
            refused.set_exception(error)
            self._perform(what, lambda _acts, _by: refused)
            return
        self._perform(
            tr("{what}: {n} seeds of {u} U", what=what, n=seeds, u=f"{strength:.3f}"),
            lambda acts, by: acts.receive_cartridge(serial, model, strength, seeds, by, lot, assay),
        )

    def close_cartridge(self) -> None:
        """Close the cartridge with the count as typed."""
        serial, seeds = self.serial.text().strip(), self.seeds.value()
        disposition = Disposition(self.disposition.currentData())
        self._perform(
            tr("close cartridge {serial}", serial=serial),
            lambda acts, by: acts.close_cartridge(serial, seeds, disposition, by),
        )


@cache
def _nuclide(model: str) -> str:
    """Return the nuclide of a seed model; empty where the model is not known here."""
    return next((m.nuclide for m in sources.available() if m.model == model), "")
