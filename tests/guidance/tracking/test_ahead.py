"""The line ahead of a needle, and what lies outside the body."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dose.geometry import GridGeometry
from dose.structures import Structure
from guidance.imaging.volume import Volume
from guidance.tracking import Clearance, Surroundings, line_ahead, outside_body

TIP, ENTRY = (0.0, 0.0, 0.0), (0.0, 50.0, 0.0)


def block(name: str, near: float, far: float, role: str = "") -> Structure:
    """A slab across the line: from ``near`` to ``far`` mm ahead of the tip (towards -y)."""
    corners = np.array([(-30.0, -near), (30.0, -near), (30.0, -far), (-30.0, -far)])
    planes = np.arange(-20.0, 20.1, 2.0)
    contours = tuple(np.column_stack((corners, np.full(4, z))) for z in planes)
    return Structure(name, contours, role)


def body(*slabs: tuple[float, float, int]) -> Volume:
    """Water in air, with slabs of other values ahead of the tip."""
    hu = np.full((60, 150, 90), -1000, dtype=np.int16)
    hu[:, 10:140, 10:80] = 0
    geometry = GridGeometry.from_axes((-45.0, -100.0, -30.0), 1.0, hu.shape)
    for near, far, value in slabs:
        hu[:, round(100 - far) : round(100 - near), 10:80] = value
    return Volume(geometry, hu)


def test_what_is_met_stands_in_order_with_its_distance_and_kind() -> None:
    structures = (
        block("Spinal cord", 30.0, 40.0),
        block("Aorta", 45.0, 50.0),
        block("CTV", -5.0, 12.0, "CTV"),
        block("BODY", -50.0, 90.0, "EXTERNAL"),
    )
    around = Surroundings.of(body((16.0, 24.0, 700), (52.0, 58.0, -900)), structures)
    met = line_ahead(TIP, ENTRY, around)
    assert [(e.what, e.kind, e.seen_in) for e in met] == [
        ("CTV", "target", "structures"),
        ("bone", "bone", "scan"),
        ("Spinal cord", "cord", "structures"),
        ("Aorta", "vessel", "structures"),
        ("gas", "gas", "scan"),
    ]
    assert [e.distance_mm for e in met] == pytest.approx([0.0, 16.0, 30.0, 45.0, 52.0], abs=1.0)
    assert [e.length_mm for e in met] == pytest.approx([12.0, 8.0, 10.0, 5.0, 6.0], abs=1.0)


def test_the_metal_of_tip_and_seeds_is_no_bone() -> None:
    around = Surroundings.of(body((-1.0, 1.0, 3000), (20.0, 23.0, 3000)), ())
    assert [e for e in line_ahead(TIP, ENTRY, around) if e.length_mm > 2.0] == []


@settings(max_examples=30, deadline=None)
@given(st.floats(3.0, 50.0), st.floats(2.0, 8.0))
def test_a_structure_is_met_where_it_begins(near: float, thick: float) -> None:
    around = Surroundings.of(None, (block("Kidney", near, near + thick),))
    (met,) = line_ahead(TIP, ENTRY, around)
    assert met.distance_mm == pytest.approx(near, abs=0.51)
    assert met.length_mm == pytest.approx(min(thick, 60.5 - near), abs=1.01)


def test_only_what_lies_well_outside_the_tissue_is_outside() -> None:
    points = [(0.0, -20.0, 0.0), (0.0, 38.0, 0.0), (0.0, 49.0, 0.0), (44.0, -95.0, 0.0)]
    assert outside_body(body(), points).tolist() == [False, False, True, True]
    air = replace(body(), hu=np.full((60, 150, 90), -1000, dtype=np.int16))
    assert not outside_body(air, points).any()
    assert outside_body(body(), []).shape == (0,)


def test_a_lung_is_inside_the_body() -> None:
    hu = body().hu.copy()
    hu[10:50, 40:100, 20:70] = -850
    lung = replace(body(), hu=hu)
    assert outside_body(lung, [(0.0, -30.0, 0.0)]).tolist() == [False]


@pytest.mark.parametrize(
    ("distance", "word", "color"),
    [
        (20.0, "clear", "green"),
        (11.0, "close", "yellow"),
        (9.9, "near", "red"),
        (-1, "inside", "red"),
    ],
)
def test_a_clearance_has_a_word_and_a_colour(distance: float, word: str, color: str) -> None:
    clearance = Clearance("Spinal cord", distance, 10.0)
    assert (clearance.word, clearance.color) == (word, color)
