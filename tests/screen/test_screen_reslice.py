"""Slices as the scanner shows them: table below, never mirrored."""

from __future__ import annotations

import numpy as np
import pytest

from dose.geometry import GridGeometry
from guidance.imaging.volume import Provenance, Volume
from guidance.screen.reslice import (
    across_needle,
    axial,
    dose_on,
    letters,
    nearest_slice,
    needle_plane,
    reslice,
    screen_axes,
)
from tests.screen.room_case import TARGET_MM, dose, vector, volume


def marked(position: str, axes: np.ndarray) -> tuple[Volume, np.ndarray]:
    """One bright voxel left, anterior and headward of the middle, however it is stored."""
    geometry = GridGeometry.from_axes((5.0, -7.0, 11.0), (0.8, 0.8, 2.0), (9, 20, 20), axes=axes)
    hu = np.zeros(geometry.shape, np.int16)
    middle = geometry.indices_to_patient((9.5, 9.5, 4))
    point = middle + vector(4.0, -2.4, 4.0)
    x, y, z = np.rint(geometry.patient_to_indices(point)).astype(int)
    hu[z, y, x] = 1000
    return Volume(geometry, hu, Provenance(patient_position=position)), geometry.indices_to_patient(
        (x, y, z)
    )


@pytest.mark.parametrize(
    ("position", "left", "right", "top", "bottom"),
    [
        ("HFS", "R", "L", "A", "P"),
        ("HFP", "L", "R", "P", "A"),
        ("FFS", "R", "L", "A", "P"),
        ("HFDR", "A", "P", "L", "R"),
        ("HFDL", "P", "A", "R", "L"),
        ("", "R", "L", "A", "P"),
    ],
)
def test_the_table_lies_below_and_nothing_is_mirrored(position, left, right, top, bottom):
    across, down = screen_axes(position)
    found = (letters(-across), letters(across), letters(-down), letters(down))
    assert found == (left, right, top, bottom)
    np.testing.assert_allclose(np.cross(across, down), (0, 0, 1))


@pytest.mark.parametrize("position", ["HFS", "HFP"])
@pytest.mark.parametrize(
    "axes", [np.eye(3), np.diag((-1.0, -1.0, 1.0)), np.array(((0.0, 1, 0), (1, 0, 0), (0, 0, -1)))]
)
def test_a_voxel_is_drawn_where_its_position_says(position, axes):
    stored, point = marked(position, axes)
    shown = axial(stored, nearest_slice(stored, point))
    row, column = np.argwhere(shown.hu == 1000)[0]
    left, top, width, height = shown.box_mm
    drawn = (
        left + (column + 0.5) * width / shown.hu.shape[1],
        top + (row + 0.5) * height / shown.hu.shape[0],
    )
    at = shown.plane.project(point)
    np.testing.assert_allclose((*drawn, 0.0), at, atol=1e-9)
    # Left of the patient is on the right of the screen when supine, anterior is up.
    sign = 1 if position == "HFS" else -1
    assert np.sign(at[0]) == sign
    assert np.sign(at[1]) == -sign


def test_an_axial_slice_shares_its_voxels_with_the_volume():
    stored = volume("HFP", side=32, slices=4)
    assert np.shares_memory(axial(stored, 2).hu, stored.hu)


@pytest.mark.parametrize("position", ["HFS", "HFP"])
@pytest.mark.parametrize("direction", [(0.2, -0.97, 0.1), (0.9, 0.4, -0.1), (0.0, 0.1, 1.0)])
def test_needle_planes_hold_the_needle_and_are_never_mirrored(position, direction):
    direction = np.array(direction) / np.linalg.norm(direction)
    along = needle_plane((1.0, 2.0, 3.0), direction, position)
    across = across_needle((1.0, 2.0, 3.0), direction, position)
    for plane in (along, across):
        np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(np.linalg.det(plane.axes), 1.0)
    assert abs(along.axes[2] @ direction) < 1e-9
    assert along.axes[2] @ (0, 0, 1) >= 0
    np.testing.assert_allclose(across.axes[2], direction, atol=1e-9)


def test_the_needle_plane_of_an_axial_needle_is_the_axial_picture():
    plane = needle_plane((0, 0, 0), np.array((0.0, -1.0, 0.0)), "HFP")
    assert (letters(plane.right), letters(plane.down)) == ("R", "A")


def test_reslicing_finds_the_marked_voxel():
    stored, point = marked("HFS", np.eye(3))
    plane = across_needle(point, np.array((0.0, 1.0, 0.0)), "HFS")
    shown = reslice(stored, plane, half_mm=6.0, step_mm=0.5)
    middle = shown.hu.shape[0] // 2
    assert shown.hu[middle, middle] == 1000
    assert shown.hu.dtype == np.int16


def test_dose_on_a_plane_peaks_at_the_target_and_is_none_beside_the_grid():
    made = dose()
    plane = across_needle(TARGET_MM, np.array((0.0, 1.0, 0.0)), "HFS")
    gray, right, down = dose_on(made.geometry, made.dose_gy, plane)
    row, column = np.unravel_index(gray.argmax(), gray.shape)
    assert np.hypot(right[column], down[row]) < 1.0
    beside = across_needle(TARGET_MM + vector(0, 300, 0), np.array((0.0, 1.0, 0.0)), "HFS")
    assert dose_on(made.geometry, made.dose_gy, beside) is None
