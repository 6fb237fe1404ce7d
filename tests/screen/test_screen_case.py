"""The whole demonstration on the real window, by mouse and keyboard alone.

Listener and virtual suite run as processes of their own; the test presses what a person would
press and looks at nothing but the snapshots that the window was shown. Pictures of every step,
in three sizes and two languages, go to the folder SEEDGUIDE_PICTURES, if it is set.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from PyQt5.QtCore import Qt

from guidance.console.session import Session, SessionOptions
from guidance.errors import BrokenError
from guidance.procedure.snapshot import Snapshot, Step
from guidance.screen import RoomWindow, render_png
from guidance.screen.language import speak
from guidance.training.story import Story, rehearsal

SEEDS = 6
# What was refused is tried again, as a person would.
PATIENCE_S = 2.0
SIZES = ((1280, 720), (1920, 1080), (3840, 2160))


class Hand:
    """Presses keys and buttons as the window calls for."""

    def __init__(self, qtbot, window: RoomWindow, delivery: list[tuple[str, int]]) -> None:
        self._qtbot, self._window = qtbot, window
        self._delivery, self._checked_in, self._counted = delivery, 0, 0
        self._acted_at, self._pressed_at = -1, 0.0
        self.pressed: list[str] = []

    def act(self, session: Session, shown: Snapshot) -> None:
        """Do the next thing, once after each event."""
        again = time.monotonic() - self._pressed_at > PATIENCE_S
        if shown.closed or shown.busy or (shown.event_number == self._acted_at and not again):
            return
        if any(not alarm.acknowledged_by for alarm in shown.alarms):
            self._key(Qt.Key.Key_F8, shown)
        elif shown.plan is not None and shown.ledger.received < sum(n for _, n in self._delivery):
            # The next on the note; the form knows model and strength from the plan.
            self._check_in(*self._delivery[self._checked_in % len(self._delivery)], shown)
            self._checked_in += 1
        else:
            self._step(session, shown)

    def _step(self, session: Session, shown: Snapshot) -> None:
        match shown.step:
            case Step.CASE:
                self._key(Qt.Key.Key_F2, shown)
            case Step.REGISTER if shown.registration is not None:
                self._key(Qt.Key.Key_F2, shown)
            case Step.NEEDLES if shown.needles and all(n.tip_mm for n in shown.needles):
                self._click(self._window.act_bar.step_button, shown)
            case Step.IMPLANT if self._may_permit(shown):
                self._click(self._window.act_bar.permit_button, shown)
                assert self._window.act_bar.permit_button.ready
                self._key(Qt.Key.Key_F2, shown)
            case Step.VERIFY if shown.dose is not None and not shown.dose_is_stale:
                self._key(Qt.Key.Key_F2, shown)
            case Step.CLOSE:
                self._close(session, shown)
            case _:
                pass

    @staticmethod
    def _may_permit(shown: Snapshot) -> bool:
        applicator = shown.applicator
        if applicator.needle is None or applicator.armed or shown.plan is None:
            return False
        planned = sum(1 for s in shown.plan.seeds if s.needle == applicator.needle)
        dropped = sum(1 for s in shown.seeds if s.needle == applicator.needle)
        return dropped < planned and bool(applicator.remaining)

    def _check_in(self, serial: str, seeds: int, shown: Snapshot) -> None:
        if self._window.cartridges.isHidden():
            self._key(Qt.Key.Key_F6, shown)
        self._type(serial, seeds)
        self._click(self._window.cartridges.check_in_button, shown)

    def _close(self, session: Session, shown: Snapshot) -> None:
        left = [c for c in session.conductor.state.account.cartridges if c.closed_with is None]
        if not left:
            self._key(Qt.Key.Key_F2, shown)
            self._key(Qt.Key.Key_F2, shown)
        elif not left[0].in_place:
            # What is counted in the cartridge by hand: the suite's hands are honest.
            count = left[0].device_count
            self._type(left[0].serial, left[0].received if count is None else count)
            self._click(self._window.cartridges.close_button, shown)

    def _type(self, serial: str, seeds: int) -> None:
        form = self._window.cartridges
        form.serial.clear()
        self._qtbot.keyClicks(form.serial, serial)
        form.seeds.selectAll()
        self._qtbot.keyClicks(form.seeds, str(seeds))

    def _key(self, key: Qt.Key, shown: Snapshot) -> None:
        self.pressed.append(f"key {key}")
        self._acted_at, self._pressed_at = shown.event_number, time.monotonic()
        self._qtbot.keyClick(self._window, key)

    def _click(self, button, shown: Snapshot) -> None:
        self.pressed.append(button.text())
        self._acted_at, self._pressed_at = shown.event_number, time.monotonic()
        assert button.isVisible()
        self._qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def pictures(step: Step, shown: Snapshot) -> None:
    """Keep pictures of a step where they are asked for."""
    folder = os.environ.get("SEEDGUIDE_PICTURES")
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    number = list(Step).index(step) + 1
    for code in ("en", "zh"):
        speak(code)
        for size in SIZES:
            name = f"{number}-{step.value}-{code}-{size[0]}x{size[1]}.png"
            render_png(shown, Path(folder) / name, size=size)
    speak("en")


@pytest.mark.nightly
@pytest.mark.timeout(400)
def test_a_case_is_done_on_the_window_from_opening_to_closing(qtbot, tmp_path):
    story = Story(tmp_path / "out", 3, SEEDS, 2.0, "lumbar", headless=True)
    with rehearsal(story, lambda _text: None) as ready:
        command = list(ready.console)
        given = {a: command[i + 1] for i, a in enumerate(command[:-1]) if a.startswith("--")}
        delivery = [
            (command[i + 1].rpartition(":")[0], int(command[i + 1].rpartition(":")[2]))
            for i, argument in enumerate(command)
            if argument == "--cartridge"
        ]
        options = SessionOptions(
            store=Path(given["--store"]),
            journal=given["--journal"],
            applicator=given["--applicator"],
            case_id=given["--case"],
        )
        with Session(options) as session:
            window = RoomWindow(session.desk, "Dr Example", pulse=lambda: None)
            qtbot.addWidget(window)
            window.resize(1280, 720)
            window.show()
            hand, steps = Hand(qtbot, window, delivery), {}

            def closed() -> bool:
                shown = session.mailbox.take(0.0)
                if shown is not None:
                    window.show_snapshot(shown)
                    if (
                        not shown.busy
                        and shown.step not in steps
                        and (shown.volume is not None or shown.step in {Step.CASE, Step.PLAN})
                    ):
                        steps[shown.step] = shown
                        pictures(shown.step, shown)
                    hand.act(session, shown)
                # Not an assertion: waitUntil would take one as a reason to go on waiting.
                if ready.suite.poll() not in {None, 0}:
                    raise BrokenError("the suite gave up; see its log")
                return shown is not None and shown.closed

            qtbot.waitUntil(closed, timeout=380_000)
            shown = window._snapshot
    assert {Step.CASE, Step.PLAN, Step.NEEDLES, Step.IMPLANT, Step.VERIFY, Step.CLOSE} <= set(steps)
    assert shown.ledger.balanced
    assert shown.ledger.implanted == SEEDS
    assert sum(1 for seed in shown.seeds if seed.seen_mm is not None) >= SEEDS - 1
    assert "Closed by Dr Example" in window.next_action._action.text()
