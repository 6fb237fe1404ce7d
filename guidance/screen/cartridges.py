"""The form for checking a cartridge in and for closing it."""

from __future__ import annotations

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
)

from guidance.ledger import Disposition
from guidance.procedure.snapshot import Snapshot
from guidance.screen.acts import Perform
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
        self.serial, self.seeds, self.strength_u = QLineEdit(), QSpinBox(), QDoubleSpinBox()
        self.lot, self.assay_u = QLineEdit(), QDoubleSpinBox()
        self.serial.setPlaceholderText(tr("serial number"))
        self.lot.setPlaceholderText(tr("on the label"))
        self.seeds.setRange(0, 999)
        for strength in (self.strength_u, self.assay_u):
            strength.setRange(0.0, 9.999)
            strength.setDecimals(3)
            strength.setSingleStep(0.001)
        # No assay is not an assay of nothing.
        self.assay_u.setSpecialValueText(tr("none"))
        for field in (self.seeds, self.strength_u, self.assay_u):
            field.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
            field.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
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
            (tr("U a seed"), self.strength_u),
            (tr("lot"), self.lot),
            (tr("assay, U"), self.assay_u),
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
        self.strength_u.setValue(0.0)
        self.lot.clear()
        self.assay_u.setValue(0.0)
        self._model = ""

    def show_snapshot(self, snapshot: Snapshot) -> None:
        """Offer the plan's strength where nobody has typed one; never change what was typed."""
        if snapshot.plan is not None:
            self._model = snapshot.plan.source_model
            if self.strength_u.value() == 0.0:
                self.strength_u.setValue(snapshot.plan.strength_u)

    def check_in(self) -> None:
        """Check the cartridge in as typed."""
        serial, model = self.serial.text().strip(), self._model
        seeds, strength_u = self.seeds.value(), self.strength_u.value()
        lot, assay_u = self.lot.text().strip(), self.assay_u.value() or None
        self._perform(
            tr("check in cartridge {serial}", serial=serial),
            lambda acts, by: acts.receive_cartridge(
                serial, model, strength_u, seeds, by, lot, assay_u
            ),
        )

    def close_cartridge(self) -> None:
        """Close the cartridge with the count as typed."""
        serial, seeds = self.serial.text().strip(), self.seeds.value()
        disposition = Disposition(self.disposition.currentData())
        self._perform(
            tr("close cartridge {serial}", serial=serial),
            lambda acts, by: acts.close_cartridge(serial, seeds, disposition, by),
        )
