"""Shapes over a slice lie where their millimetres say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from guidance.screen import theme
from guidance.screen.outlines import structure_lines
from guidance.screen.overlays import Line, isodose_lines, needle_lines, seed_capsules
from guidance.screen.reslice import Plane, across_needle, needle_plane, screen_axes
from tests.screen.room_case import (
    PRESCRIPTION_GY,
    TARGET_MM,
    dose,
    needles,
    seeds,
    structures,
    vector,
)


def axial_at(point, position="HFS") -> Plane:
    return Plane(np.asarray(point, float), *screen_axes(position))


def test_a_sphere_is_cut_in_a_circle_by_every_plane():
    gtv = structures()[0]
    tilted = np.array((0.1, -0.8, 0.5)) / np.linalg.norm((0.1, -0.8, 0.5))
    for plane in (axial_at(TARGET_MM), across_needle(TARGET_MM, tilted, "HFP")):
        (line,) = structure_lines([gtv], plane)
        radii = np.linalg.norm(line.points, axis=1)
        assert radii.max() == pytest.approx(16.0, abs=1.2)
        assert np.median(radii) == pytest.approx(16.0, abs=1.5)
        assert line.closed


def test_a_structure_beside_the_plane_is_not_drawn():
    assert not list(structure_lines([structures()[0]], axial_at(TARGET_MM + vector(0, 0, 40))))


def test_planned_needles_are_dashed_and_seen_ones_solid():
    needle = needles()[3]
    along = np.subtract(needle.tip_mm, needle.entry_mm)
    plane = needle_plane(needle.tip_mm, along / np.linalg.norm(along), "HFP")
    drawn = needle_lines([needle], plane, None, needle.scan_uid)
    strong = [line for line in drawn if len(line.points) == 2]
    assert {line.dash for line in strong} == {"dash", "solid"}
    seen = next(line for line in strong if line.dash == "solid")
    np.testing.assert_allclose(seen.points[1], (0, 0), atol=1e-9)
    assert np.linalg.norm(seen.points[0]) == pytest.approx(np.linalg.norm(along))


def test_a_needle_of_an_earlier_scan_is_not_drawn_as_if_it_were_there():
    needle = needles()[3]
    drawn = needle_lines([needle], axial_at(needle.tip_mm, "HFP"), None, "a later scan")
    shafts = {line.dash for line in drawn if len(line.points) == 2}
    assert shafts == {"dash", "dot"}


def test_a_seed_keeps_its_length_in_its_plane_and_its_status_in_its_look():
    plane = axial_at(TARGET_MM)
    seed = replace(seeds()[0], seen_mm=tuple(TARGET_MM), seen_axis=(1.0, 0.0, 0.0))
    (capsule,) = seed_capsules([seed], (), plane)
    assert np.linalg.norm(capsule.end - capsule.start) == pytest.approx(4.5 - 0.8)
    assert capsule.colour == theme.SEED_COLOURS["seen"]
    assert capsule.filled
    lost = replace(seed, seen_mm=None, counted_mm=tuple(TARGET_MM))
    (capsule,) = seed_capsules([lost], (), plane)
    assert capsule.crossed
    assert not capsule.filled
    far = replace(seed, seen_mm=tuple(TARGET_MM + vector(0, 0, 9)))
    assert not list(seed_capsules([far], (), plane))


def test_isodose_lines_lie_where_the_dose_has_their_percentage():
    lines = isodose_lines(dose(), axial_at(TARGET_MM))
    assert {line.colour for line in lines} == {look[0] for look in theme.ISODOSES.values()}
    (hundred,) = (line for line in lines if line.colour == theme.ISODOSES[100][0])
    radius = 14.0 * np.log(420.0 / PRESCRIPTION_GY)
    np.testing.assert_allclose(np.linalg.norm(hundred.points, axis=1), radius, atol=0.3)
    assert all(isinstance(line, Line) for line in lines)


def test_a_structure_cut_twice_in_a_contour_plane_is_drawn_in_chords():
    side = np.array([(-9.0, -9, 0), (9, -9, 0), (9, 9, 0), (-9, 9, 0)])
    notched = np.insert(side, 2, [(9.0, -3, 0), (-3, 0, 0), (9, 3, 0)], axis=0)
    forked = replace(structures()[0], contours=(notched, notched + vector(0, 0, 3)))
    plane = Plane(np.array((3.0, 0, 0)), np.array((0.0, 1, 0)), np.array((0.0, 0, -1)))
    lines = list(structure_lines([forked], plane))
    assert [len(line.points) for line in lines] == [2, 2, 2, 2]
    ends = sorted(sorted(map(tuple, np.round(line.points, 6).tolist())) for line in lines)
    assert ends[0] == [(-9.0, -3.0), (-1.5, -3.0)]
    assert ends[2] == [(1.5, -3.0), (9.0, -3.0)]
