"""A person at the window: eyes on the snapshot shown, hands on mouse and keyboard alone."""

from __future__ import annotations

import time
from collections.abc import Callable

from PyQt5.QtCore import Qt
from PyQt5.QtWidgets import QAbstractButton, QLineEdit, QWidget

from guidance.ledger.account import Cartridge
from guidance.procedure.snapshot import Snapshot, Step
from guidance.screen import RoomWindow

# What was refused is tried again, as a person would.
PATIENCE_S = 2.0
Delivery = list[tuple[str, int]]


class Hand:
    """Presses keys and buttons as the window calls for."""

    def __init__(self, qtbot, window: RoomWindow, delivery: Delivery) -> None:
        self._qtbot, self._window, self._delivery = qtbot, window, delivery
        self._checked_in, self._permitted_at = 0, 0.0
        self._acted_at, self._pressed_at = -1, 0.0
        self.looked: Callable[[str], None] = lambda _what: None

    def act(self, shown: Snapshot, cartridges: tuple[Cartridge, ...]) -> None:
        """Do the next thing, once after each event.

        Args:
            shown: what the window shows.
            cartridges: as they lie in the room, where a person counts what is left in them.
        """
        again = time.monotonic() - self._pressed_at > PATIENCE_S
        if shown.closed or shown.busy or (shown.event_number == self._acted_at and not again):
            return
        if any(not alarm.acknowledged_by for alarm in shown.alarms):
            self._key(Qt.Key.Key_F8, shown)
        elif shown.plan is not None and shown.ledger.received < sum(n for _, n in self._delivery):
            # The next on the note; the form knows the model from the plan.
            self._check_in(*self._delivery[self._checked_in % len(self._delivery)], shown)
            self._checked_in += 1
        else:
            self._step(shown, cartridges)

    def look_through_pages(self) -> None:
        """Open and close the pages that take the place of the tables."""
        for key, page in ((Qt.Key.Key_F1, "keys"), (Qt.Key.Key_F5, "decisions")):
            self._qtbot.keyClick(self._window, key)
            self.looked(page)
            self._qtbot.keyClick(self._window, key)

    def _step(self, shown: Snapshot, cartridges: tuple[Cartridge, ...]) -> None:
        match shown.step:
            case Step.CASE:
                self._key(Qt.Key.Key_F2, shown)
            case Step.REGISTER if shown.registration is not None:
                self._key(Qt.Key.Key_F2, shown)
            case Step.NEEDLES if shown.needles and all(n.tip_mm for n in shown.needles):
                self._click(self._window.act_bar.step_button, shown)
            case Step.IMPLANT if self._may_permit(shown):
                self._permitted_at = time.monotonic()
                self._click(self._window.act_bar.permit_button, shown)
                assert self._window.act_bar.permit_button.ready
                self._key(Qt.Key.Key_F2, shown)
            case Step.VERIFY if shown.dose is not None and not shown.dose_is_stale:
                self._key(Qt.Key.Key_F2, shown)
            case Step.CLOSE:
                self._close(shown, cartridges)
            case _:
                pass

    def _may_permit(self, shown: Snapshot) -> bool:
        applicator = shown.applicator
        if applicator.needle is None or applicator.armed or shown.plan is None:
            return False
        if time.monotonic() - self._permitted_at < PATIENCE_S:
            # The applicator has not answered the last one yet.
            return False
        planned = sum(1 for s in shown.plan.seeds if s.needle == applicator.needle)
        dropped = sum(1 for s in shown.seeds if s.needle == applicator.needle)
        return dropped < planned and bool(applicator.remaining)

    def _check_in(self, serial: str, seeds: int, shown: Snapshot) -> None:
        if self._window.cartridges.isHidden():
            self._key(Qt.Key.Key_F6, shown)
        self._type(serial, seeds)
        assert shown.plan is not None
        strength = self._window.cartridges.strength
        strength.clear()
        self._qtbot.keyClicks(strength, f"{shown.plan.strength_u} U")
        self.looked("cartridge")
        self._click(self._window.cartridges.check_in_button, shown)
        if self._checked_in == len(self._delivery) - 1:
            self._key(Qt.Key.Key_F6, shown)

    def _close(self, shown: Snapshot, cartridges: tuple[Cartridge, ...]) -> None:
        left = [c for c in cartridges if c.closed_with is None]
        if not left:
            self._key(Qt.Key.Key_F2, shown)
            self._key(Qt.Key.Key_F2, shown)
        elif not left[0].in_place:
            if self._window.cartridges.isHidden():
                self._key(Qt.Key.Key_F6, shown)
            # What is counted in the cartridge by hand: the suite's hands are honest.
            count = left[0].device_count
            self._type(left[0].serial, left[0].received if count is None else count)
            self._click(self._window.cartridges.close_button, shown)

    def _type(self, serial: str, seeds: int) -> None:
        form = self._window.cartridges
        self._write(form.serial, form.serial, serial)
        self._write(form.seeds, form.seeds.lineEdit(), str(seeds))

    def _write(self, field: QWidget, line: QLineEdit, text: str) -> None:
        self._qtbot.mouseClick(line, Qt.MouseButton.LeftButton)
        self._qtbot.keyClick(line, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
        self._qtbot.keyClicks(field, text)
        assert line.text() == text
        self._qtbot.keyClick(line, Qt.Key.Key_Return)

    def _key(self, key: Qt.Key, shown: Snapshot) -> None:
        self._acted_at, self._pressed_at = shown.event_number, time.monotonic()
        self._qtbot.keyClick(self._window, key)

    def _click(self, button: QAbstractButton, shown: Snapshot) -> None:
        self._acted_at, self._pressed_at = shown.event_number, time.monotonic()
        assert button.isVisible()
        self._qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
