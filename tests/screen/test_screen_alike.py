"""Planning CT (supine) and room (prone) are turned by one rule: the table lies below.

It holds before a registration is accepted: in the planning CT alone, in the room's scan, and in
the blend by which the registration is judged.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt5.QtCore import Qt

from guidance.procedure.snapshot import RegistrationView, Step
from guidance.screen.fusion import matched
from guidance.screen.language import speak
from tests.screen.room_case import snapshot, volume

POSITIONS = [("HFS", "HFP"), ("HFP", "HFS"), ("HFS", "HFS"), ("FFS", "FFP")]


def turned(position: str):
    """The case's body as a scanner stores it in a position; feet first only in its name."""
    scan = volume("HFP" if position.endswith("P") else "HFS")
    return replace(scan, provenance=replace(scan.provenance, patient_position=position))


def planning_alone(position: str):
    return snapshot(
        volume=turned(position), step=Step.REGISTER, registration=None, needles=(), seeds=(),
        plan=None, structures=(), dose=None, planned_dose=None,
    )  # fmt: skip


def to_accept(planning: str, room: str):
    return snapshot(
        volume=turned(room),
        planning_volume=turned(planning),
        step=Step.REGISTER,
        registration=RegistrationView(np.eye(4), 0.8),
    )


def table_rows(hu: np.ndarray) -> float:
    """Mean row, from 0 at the top to 1 at the bottom, of what is a table: a long flat line."""
    bright = (hu > 200) & (hu < 450)
    rows = np.flatnonzero(bright.mean(axis=1) > 0.6)
    assert len(rows), "there is a table in every scan of the case"
    return float(rows.mean()) / hu.shape[0]


@pytest.mark.parametrize(("planning", "room"), POSITIONS)
def test_the_table_is_at_the_bottom_of_both_before_registration(window, planning, room):
    axial = window.scene.axial
    window.show_snapshot(planning_alone(planning))
    window.scene.axial.look_at((0.0, 0.0), 0.0)
    assert table_rows(axial.shown.hu) > 0.6
    below = axial.edge_letters[3]
    assert below == ("A" if planning.endswith("P") else "P")
    window.show_snapshot(to_accept(planning, room))
    assert table_rows(axial.shown.hu) > 0.6
    assert axial.edge_letters[3] == ("A" if room.endswith("P") else "P")
    # Never mirrored: seen from the feet, the patient's right is left of what is up.
    for right, down in ((axial.shown.plane.right, axial.shown.plane.down),):
        assert np.cross(right, down) == pytest.approx((0.0, 0.0, 1.0), abs=1e-9)


@pytest.mark.parametrize(("planning", "room"), POSITIONS)
def test_in_the_blend_the_plan_lies_as_the_room_does(window, planning, room):
    shown = to_accept(planning, room)
    window.show_snapshot(shown)
    axial = window.scene.axial
    assert window.scene.way == "blend"
    under = matched(shown.planning_volume, shown.registration.plan_to_room, axial.shown)
    # Spine on spine: both bright places are one; the wrong way up they would be far apart.
    here = np.argwhere(axial.shown.hu > 380).mean(axis=0)
    there = np.argwhere(under > 380).mean(axis=0)
    assert np.linalg.norm(here - there) < 2.0
    assert np.linalg.norm(here - (np.array(under.shape) - there)) > 20.0
    captions = " ".join(axial.captions)
    words = {"S": "supine", "P": "prone"}
    assert (
        f"plan taken {planning} {words[planning[2]]}, room {room} {words[room[2]]}: "
        "shown turned alike" in captions
    )


def test_anterior_up_holds_for_both_as_well(qtbot, window):
    window.show_snapshot(planning_alone("HFS"))
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert window.scene.axial.edge_letters == ("R", "L", "A", "P")
    window.show_snapshot(to_accept("HFS", "HFP"))
    assert window.scene.axial.edge_letters == ("R", "L", "A", "P")
    assert any("ANATOMICAL" in line for line in window.scene.axial.captions)


def test_it_is_said_in_chinese_too(window_of):
    speak("zh")
    window = window_of()
    window.show_snapshot(to_accept("HFS", "HFP"))
    assert any("HFS 仰卧" in line and "HFP 俯卧" in line for line in window.scene.axial.captions)
