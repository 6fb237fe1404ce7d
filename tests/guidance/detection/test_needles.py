"""Needles drawn one by one: each is found, ends where it ends, and nothing else is a needle."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from dose.geometry import GridGeometry
from guidance.detection import Detections, detect
from guidance.detection.frame import ScanFrame
from guidance.detection.heights import Shares, heights, own_end
from guidance.detection.needles import _nearness, _not_on, _once, _own, _Shaft
from guidance.detection.profiles import before_seeds
from guidance.detection.shafts import _rows, levelled
from guidance.detection.tips import Edge, edge_of, offsets
from guidance.imaging.volume import Provenance, Volume
from simulators.scanner.image import CLIP_HU, NEEDLE_HU_MM2, SEED_HU_MM2, add_rod

FloatArray = NDArray[np.float64]

PIXEL_MM, SIDE, SLICES_MM = 0.8, 144, 44.0
# Rows from the skin on are air; the needles come from there.
SKIN_MM, TISSUE_HU, AIR_HU = 80.0, 40.0, -1000.0
OUT = np.array((0.0, 1.0, 0.0))


class Room:
    """A block of tissue in air, with metal in it."""

    def __init__(self, slice_mm: float = 2.0) -> None:
        self.slice_mm = slice_mm
        self.affine = np.diag((PIXEL_MM, PIXEL_MM, slice_mm, 1.0))
        self.hu = np.full((round(SLICES_MM / slice_mm), SIDE, SIDE), TISSUE_HU, np.float32)
        self.hu[:, round(SKIN_MM / PIXEL_MM) :] = AIR_HU
        for edge in (slice(0, 6), slice(-6, None)):
            self.hu[:, edge] = AIR_HU
            self.hu[:, :, edge] = AIR_HU

    def rod(self, start: Sequence[float], end: Sequence[float], metal: float) -> None:
        add_rod(self.hu, self.affine, np.array(start), np.array(end), metal, self.slice_mm)

    def needle(
        self, tip: Sequence[float], direction: Sequence[float], length: float = 75.0,
        *, metal: float = NEEDLE_HU_MM2, radius: float = 0.0,
    ) -> FloatArray:  # fmt: skip
        """Draw a needle from its tip outwards, bent in the slice if a radius is given."""
        along = np.array(direction) / np.linalg.norm(direction)
        aside = np.array((along[1], -along[0], 0.0))
        t = np.linspace(0.0, length, 31 if radius else 2)
        bow = 0.5 * t**2 / radius if radius else np.zeros_like(t)
        points = np.array(tip) + t[:, None] * along + bow[:, None] * aside
        for a, b in pairwise(points):
            self.rod(b, a, metal)
        return np.asarray(points)

    def scanned(self) -> Volume:
        rng = np.random.default_rng(1)
        hu = self.hu + rng.normal(0.0, 15.0, self.hu.shape)
        hu = np.clip(np.rint(hu), -1024, CLIP_HU).astype(np.int16)
        made = Provenance(slice_thickness_mm=self.slice_mm, clipped_at_hu=CLIP_HU)
        return Volume(GridGeometry(hu.shape, self.affine), hu, made)

    def seen(self) -> Detections:
        return detect(self.scanned())


def thick(values: NDArray[np.int16]) -> ScanFrame:
    """Return the frame of voxels of 1 x 1 x 5 mm."""
    affine = np.diag((1.0, 1.0, 5.0, 1.0))
    return ScanFrame.of(Volume(GridGeometry(values.shape, affine), values))


def tips(found: Detections) -> FloatArray:
    return np.array(sorted(n.tip_mm for n in found.needles)).reshape(-1, 3)


def test_needles_that_cross_are_told_apart() -> None:
    room = Room()
    true = [(45.0, 30.0, 20.0), (68.0, 28.0, 20.5), (57.0, 35.0, 22.0)]
    for tip, lean in zip(true, (0.3, -0.3, 0.02), strict=True):
        room.needle(tip, (lean, 1.0, 0.0))
    found = tips(room.seen())
    assert found.shape == (3, 3)
    assert np.abs(found - np.array(sorted(true))).max() < 0.6


def test_a_bent_needle_is_followed() -> None:
    room = Room()
    points = room.needle((50.0, 25.0, 20.0), (0.1, 1.0, 0.1), radius=280.0)
    found = room.seen()
    assert len(found.needles) == 1
    needle = found.needles[0]
    assert np.linalg.norm(np.subtract(needle.tip_mm, points[0])) < 0.6
    path = np.array(needle.path_mm)
    near = np.linalg.norm(path[:, None] - points[None], axis=2).min(axis=1)
    assert len(path) > 5
    assert near.max() < 1.5
    # The first two points tell the direction at the tip, so they are well apart.
    assert np.linalg.norm(path[0] - path[1]) > 1.0


def test_a_needle_that_leaves_the_scan_ends_there() -> None:
    """The scan ends before the skin: the entry is where the needle leaves it."""
    room = Room()
    room.needle((55.0, 25.0, 18.0), (0.1, 0.8, 0.6), 70.0)
    found = room.seen()
    assert len(found.needles) == 1
    assert np.linalg.norm(np.subtract(found.needles[0].tip_mm, (55.0, 25.0, 18.0))) < 0.8
    assert found.needles[0].entry_mm[2] == pytest.approx(SLICES_MM, abs=4.0)


def test_a_needle_that_passes_through_the_scan_is_none() -> None:
    """Its tip is not in the scan."""
    room = Room(1.0)
    room.needle((55.0, 20.0, -10.0), (0.0, 0.7, 0.7), 90.0)
    assert room.seen().needles == ()


@pytest.mark.parametrize("gap", [2.5, 4.0])
def test_a_seed_ahead_of_the_tip_is_not_its_end(gap: float) -> None:
    room = Room(1.0)
    room.needle((55.0, 30.0, 20.0), (0.0, 1.0, 0.0))
    room.rod((55.0, 30.0 - gap, 20.0), (55.0, 25.5 - gap, 20.0), SEED_HU_MM2)
    found = room.seen()
    assert len(found.needles) == 1
    assert np.linalg.norm(np.subtract(found.needles[0].tip_mm, (55.0, 30.0, 20.0))) < 1.0


def test_needles_above_each_other_in_thick_slices_stay_apart() -> None:
    room = Room(4.0)
    true = [(55.0, 30.0, 12.0), (55.5, 32.0, 21.0), (55.0, 28.0, 30.0)]
    for tip in true:
        room.needle(tip, (0.1, 1.0, 0.02))
    found = np.array(sorted((n.tip_mm for n in room.seen().needles), key=lambda p: p[2]))
    assert found.shape == (3, 3)
    assert np.abs(found - true)[:, :2].max() < 0.6
    assert np.abs(found - true)[:, 2].max() < 2.6


def test_a_needle_dark_over_most_of_its_length_is_found() -> None:
    """Beams along a plane full of needles lose the middle of each."""
    room = Room()
    room.needle((55.0, 25.0, 20.0), (0.0, 1.0, 0.0), 20.0)
    room.needle((55.0, 45.0, 20.0), (0.0, 1.0, 0.0), 30.0, metal=0.25 * NEEDLE_HU_MM2)
    room.needle((55.0, 75.0, 20.0), (0.0, 1.0, 0.0), 25.0)
    found = room.seen()
    assert len(found.needles) == 1
    assert np.linalg.norm(np.subtract(found.needles[0].tip_mm, (55.0, 25.0, 20.0))) < 0.6


def test_a_thick_rod_and_a_wire_on_the_skin_are_no_needles() -> None:
    room = Room(1.0)
    # A rod of 5.5 mm, as thin rods side by side.
    for x in np.arange(-2.0, 2.1, 1.0):
        for z in np.arange(-2.0, 2.1, 1.0):
            room.needle((55.0 + x, 30.0, 20.0 + z), (0.0, 1.0, 0.0), metal=8000.0)
    room.rod((30.0, SKIN_MM + 1.0, 4.0), (30.0, SKIN_MM + 1.0, 40.0), 12000.0)
    found = room.seen()
    assert found.needles == ()
    (named,) = (r for r in found.remarks if "hardware" in r)
    places = np.array(re.findall(r"\((-?\d+), (-?\d+), (-?\d+)\)", named), float)
    # One line or two are seen in it, each well inside: places are told in whole millimetres.
    off = np.linalg.norm(places[:, ::2] - (55.0, 20.0), axis=1)
    assert off.max() < 5.5 / 2 - 0.5


def test_a_tip_before_a_dark_band_is_named() -> None:
    """Rays along a needle are lost: what lies ahead of it cannot be seen."""
    for dark in (False, True):
        room = Room()
        room.needle((55.0, 35.0, 20.0), (0.0, 1.0, 0.0))
        if dark:
            room.hu[9:12, 33:42, 66:72] -= 600.0
        said = [r for r in room.seen().remarks if "dark ahead" in r]
        assert bool(said) == dark
        if dark:
            assert "(55, 35, 20) mm" in said[0]


def test_where_rays_were_lost_a_needle_ends_further_ahead_of_its_image() -> None:
    """Bevels fade in the dark; virtual needles that are level lay 0.4 mm further at 1 mm."""
    further = []
    for dark_hu in (0.0, 500.0, 1000.0):
        room = Room(1.0)
        room.needle((55.0, 35.0, 20.0), (0.0, 1.0, 0.0))
        room.rod((55.0, 29.0, 20.0), (55.0, 24.5, 20.0), SEED_HU_MM2)
        room.hu[18:23, 34:42, 66:72] -= dark_hu
        volume = room.scanned()
        t = np.arange(-45.0, 15.0, 0.25)
        points = np.array((55.0, 35.0, 20.0)) - t[:, None] * OUT
        edge = edge_of(
            volume.hu,
            ScanFrame.of(volume),
            t,
            points,
            np.full(len(t), TISSUE_HU),
            180,
            np.empty((0, 3)),
        )
        further.append(edge.bevelled_mm)
    assert further[0] < further[1] < further[2]
    assert 0.25 < further[2] - further[0] < 0.8


def test_a_needle_runs_straight_through_its_bevel() -> None:
    """What is left of the metal there lies to one side, and is not the needle's axis."""
    room = Room(1.0)
    room.needle((55.0, 37.0, 20.0), (0.0, 1.0, 0.0))
    room.rod((55.45, 34.5, 20.0), (55.3, 37.0, 20.0), 0.6 * NEEDLE_HU_MM2)
    (tip,) = tips(room.seen())
    assert abs(tip[0] - 55.0) < 0.12


def test_metal_ahead_of_a_tip_that_is_no_seed_is_named() -> None:
    room = Room()
    room.needle((55.0, 35.0, 20.0), (0.0, 1.0, 0.0))
    room.rod((55.0, 30.0, 20.0), (55.0, 29.0, 20.0), NEEDLE_HU_MM2)
    found = room.seen()
    assert found.seeds == ()
    assert any("just ahead" in r for r in found.remarks)


@pytest.mark.parametrize("slice_mm", [1.0, 2.0, 3.0])
def test_square_ends_are_told_to_a_third_of_a_pixel(slice_mm: float) -> None:
    room = Room(slice_mm)
    true = [(30.1, 30.0, 21.0), (50.3, 32.3, 21.5), (70.2, 27.6, 20.2), (88.4, 34.9, 19.4)]
    for tip in true:
        room.needle(tip, (0.05, 1.0, 0.08))
    found = tips(room.seen())
    assert found.shape == (4, 3)
    assert np.abs(found - np.array(true))[:, 1].mean() < 0.25


def test_steep_needles_brighten_little_beside_them_and_are_bevelled_all_the_same() -> None:
    """How bright it is beside eight needles at 10 to 47 degrees to slices of 5 mm; and beside rods.

    Rods drawn in proportion, as above, show up to 0.0055 of themselves there.
    """
    steep = (0.011, 0.004, 0.006, 0.020, 0.035, 0.020, 0.005, 0.000)
    rods = (0.0055, 0.0029, 0.0026, 0.0047)
    for wings, meant in ((steep, 0.8), (rods, -0.5)):
        edges = [Edge(60.0, 0.8, -0.5, wing) for wing in wings]
        assert offsets(edges) == [meant] * len(wings)


@pytest.mark.parametrize(("slice_mm", "share"), [(1.0, 0.2), (3.0, 0.2)])
def test_a_hollow_needle_is_followed_from_the_air(slice_mm: float, share: float) -> None:
    """Its stylet drawn, it is dimmer than bone; but in air nothing else is so thin and straight."""
    room = Room(slice_mm)
    room.needle((55.0, 30.0, 20.0), (0.1, 1.0, 0.02), 95.0, metal=share * NEEDLE_HU_MM2)
    found = room.seen()
    assert len(found.needles) == 1
    off = np.subtract(found.needles[0].tip_mm, (55.0, 30.0, 20.0))
    assert np.linalg.norm(off[:2]) < 0.8
    assert found.seeds == ()


def test_what_is_as_dim_and_does_not_come_from_outside_is_no_needle() -> None:
    room = Room()
    room.needle((55.0, 20.0, 20.0), (0.1, 1.0, 0.02), 40.0, metal=0.2 * NEEDLE_HU_MM2)
    assert room.seen().needles == ()


def test_a_cable_on_the_skin_is_no_needle() -> None:
    room = Room()
    room.rod((30.0, 110.0, 20.0), (60.0, SKIN_MM + 2.0, 20.0), 0.3 * NEEDLE_HU_MM2)
    assert room.seen().needles == ()


def test_seeds_beside_needles_are_found_and_none_in_needles() -> None:
    """Lone seeds show how seeds look; two lie 2.7 and 3 mm from the middle of a needle."""
    room = Room()
    for x, height, lean in ((30.0, 18.0, 0.0), (55.0, 24.5, 0.1), (80.0, 21.0, -0.06)):
        room.needle((x, 22.0, height), (0.1, 1.0, lean))
    lone = [(20.0 + 14.0 * i, 12.0, 12.0 + 3.0 * i) for i in range(6)]
    beside = [(56.2, 34.0, 28.4), (79.8, 49.0, 18.7)]
    for x, y, z in lone + beside:
        room.rod((x - 0.2, y - 2.0, z), (x + 0.2, y + 2.0, z), SEED_HU_MM2)
    found = room.seen()
    assert len(found.needles) == 3
    said = np.array([s.position_mm for s in found.seeds])
    assert len(said) == len(lone + beside)
    true = np.array(lone + beside)
    assert np.linalg.norm(true[:, None] - said[None], axis=2).min(axis=1).max() < 1.2


def test_metal_darker_than_water_says_nothing_of_height() -> None:
    """In air a hollow needle in thick slices is: its height is that of its inner part."""
    room = Room(4.0)
    room.needle((55.0, 30.0, 20.0), (0.1, 1.0, 0.02), 95.0, metal=0.12 * NEEDLE_HU_MM2)
    found = room.seen()
    assert len(found.needles) == 1
    assert abs(found.needles[0].tip_mm[2] - 20.0) < 2.0


def test_a_needle_along_the_coarse_grid_of_the_air_comes_in_at_the_skin() -> None:
    """All its length in the air it may hide the air from a look at every few pixels."""
    room = Room(1.0)
    cell = round(5.0 / PIXEL_MM) * PIXEL_MM
    room.needle((12 * cell, 6 * cell, 20.0), (0.0, 1.0, 0.0), 63.0)
    found = room.seen()
    assert len(found.needles) == 1
    assert found.needles[0].entry_mm[1] == pytest.approx(SKIN_MM, abs=3.0)


def test_a_needle_dim_over_its_inner_third_ends_at_its_tip() -> None:
    room = Room(1.0)
    room.needle((55.0, 25.0, 20.0), (0.0, 1.0, 0.0), 30.0, metal=0.07 * NEEDLE_HU_MM2)
    room.needle((55.0, 55.0, 20.0), (0.0, 1.0, 0.0), 50.0, metal=0.16 * NEEDLE_HU_MM2)
    found = room.seen()
    assert len(found.needles) == 1
    assert np.linalg.norm(np.subtract(found.needles[0].tip_mm, (55.0, 25.0, 20.0))) < 1.0


@pytest.mark.parametrize("slice_mm", [3.0, 5.0])
def test_a_dim_needle_is_followed_from_behind_its_hub(slice_mm: float) -> None:
    """A line along a wall of the hub and the needle leans, and misses the needle inside."""
    room = Room(slice_mm)
    for aside in (-2.0, 2.0):
        room.rod((55.0 + aside, 105.0, 20.4), (55.0 + aside, 88.0, 20.4), SEED_HU_MM2)
    room.needle((55.0, 25.0, 20.4), (0.0, 1.0, 0.0), 62.0, metal=0.1 * NEEDLE_HU_MM2)
    found = tips(room.seen())
    assert found.shape == (1, 3)
    assert np.abs(found - (55.0, 25.0, 20.4))[:, :2].max() < 1.0
    assert np.abs(found - (55.0, 25.0, 20.4))[:, 2].max() < 0.6 * slice_mm


def test_a_needle_that_crosses_ahead_of_a_tip_is_not_its_end() -> None:
    """The image of one that crosses at a small angle is longer than a seed's."""
    core = np.concatenate((np.full(240, 2000.0), np.full(18, 100.0), np.full(34, 2000.0)))
    assert before_seeds(core, 0, len(core) - 1) == 239
    # Where it is dark no longer than between rays that find no way through, metal goes on.
    core[244:258] = 2000.0
    assert before_seeds(core, 0, len(core) - 1) == len(core) - 1


def test_a_line_that_begins_as_one_needle_and_ends_as_another_is_left_out() -> None:
    """In thick slices two that cross nearly above each other make four lines."""
    frame = ScanFrame.of(Volume(GridGeometry((20, 8, 8), np.diag((1.0, 1.0, 5.0, 1.0))), HU))
    t = np.linspace(-40.0, 40.0, 161)
    one = np.column_stack((0.1 * t, t, np.full_like(t, 20.0)))
    other = np.column_stack((-0.1 * t, t, np.full_like(t, 24.0)))
    mixed = np.where(t[:, None] < 0.0, one, other)
    shafts = [_shaft(t, points) for points in (one, other, mixed)]
    assert _once(shafts, frame) == shafts[:2]


HU = np.zeros((20, 8, 8), np.int16)


def _shaft(t: FloatArray, points: FloatArray) -> _Shaft:
    ends = Edge(float(t[-1]), 0.0, 0.0, 0.0)
    return _Shaft(t, points, 0, 0, len(t) - 1, np.zeros(len(t)), 1.0, ends, False, None)


def test_a_needle_behind_a_lung_ends_where_its_metal_does() -> None:
    """Its brightness in the lung is no measure of that in tissue: a faint streak goes on."""
    room = Room(1.0)
    room.hu[:, 44:94, 20:-20] = -750.0
    room.needle((55.0, 30.0, 20.0), (0.0, 1.0, 0.0), metal=0.4 * NEEDLE_HU_MM2)
    room.rod((55.0, 29.5, 20.0), (55.0, 22.0, 20.0), 0.1 * NEEDLE_HU_MM2)
    found = tips(room.seen())
    assert found.shape == (1, 3)
    assert np.abs(found - (55.0, 30.0, 20.0)).max() < 1.2


def test_of_all_heights_that_fit_thick_slices_the_mean_is_taken() -> None:
    """Looked for near the likeliest only, a faint streak in the next slice drew a tip to it."""
    s = np.arange(140) / 50.0
    inside = np.maximum(s - 1.4, 0.0)
    rows = np.column_stack((np.ones_like(s), s, inside**2, inside**3))
    share = np.tile((0.0, 1.0, 0.0, 0.0), (140, 1))
    share[-12:] = (0.2, 0.8, 0.0, 0.0)
    middle = np.tile((40.0, 45.0, 50.0, 55.0), (140, 1))
    every = np.ones(140, bool)
    shares = Shares(share, np.ones(share.shape, bool), middle, np.full((140, 1), 0.5), 5.0, every)
    level = np.array((45.0, 0.0, 0.0, 0.0))
    found = heights(shares, rows, level, level, np.array((10.0, 10.0, 3.0, 0.5)))
    assert abs(rows[-1] @ found - 45.0) < 0.6


def test_in_the_air_a_needle_tells_its_height_by_what_is_brighter_than_air() -> None:
    """Darker than water it told nothing, and its slope was that of a rough line."""
    values = np.full((9, 64, 128), -1000, np.int16)
    values[:, :, 64:] = 0
    # It passes from one slice to the next in the air, where it is dim.
    values[5, 32, 4:34] = -500
    values[4, 32, 34:64] = -500
    values[4, 32, 64:120] = 900
    frame = thick(values)
    t = np.arange(0.0, 110.0, 0.25)
    points = np.column_stack((6.0 + t, np.full_like(t, 32.0), np.full_like(t, 20.0)))
    found = levelled(values, frame, t, points, (0, 232, len(t) - 1), np.empty((0, 3)))
    assert abs(np.interp(28.0, t, found[:, 2]) - 22.5) < 0.5
    assert 17.5 < found[-1, 2] < 21.0


def test_a_needle_ends_where_only_other_metal_goes_on_in_the_next_slice() -> None:
    """It was followed 10 mm along another needle, which came to lie above its line."""
    values = np.zeros((9, 64, 64), np.int16)
    values[4, 4:40, 32] = 900
    values[5, 36:52, 32] = 900
    frame = thick(values)
    t = np.arange(0.0, 50.0, 0.25)
    points = np.column_stack((np.full_like(t, 32.0), 5.0 + t, 20.5 + 0.03 * t))
    other = points[(t > 30.0) & (t < 47.0)] + np.array((0.0, 0.0, 3.5))
    shares = Shares.of(values, frame, points, other)
    assert abs(t[own_end(shares, points[:, 2])] - 34.5) < 1.0
    alone = Shares.of(values, frame, points, np.empty((0, 3)))
    assert t[own_end(alone, points[:, 2])] > 45.0
    around, last = np.zeros(len(t)), int(np.flatnonzero(t <= 34.5)[-1])
    edges = [
        edge_of(values, frame, t, points, around, last, o).at for o in (np.empty((0, 3)), other)
    ]
    assert edges[0] > 45.0
    assert abs(edges[1] - 34.5) < 1.0


def test_another_needle_in_the_next_slice_does_not_draw_one_to_it() -> None:
    """Its metal counted as the first one's share: it was said to lie between the two."""
    values = np.zeros((9, 64, 64), np.int16)
    # One needle in a slice; in the next, another comes to lie above its inner half.
    values[4, 4:60, 32] = 2000
    values[5, 30:60, 32] = 2000
    frame = thick(values)
    t = np.arange(0.0, 55.0, 0.25)
    points = np.column_stack((np.full_like(t, 32.0), 4.0 + t, np.full_like(t, 20.0)))
    other = points[t > 26.0] + np.array((0.0, 0.0, 5.0))
    seen = (0, 40, len(t) - 1)
    drawn, apart = (
        levelled(values, frame, t, points, seen, o)[-1, 2] for o in (np.empty((0, 3)), other)
    )
    assert drawn > 21.5
    assert abs(apart - 20.0) < 0.8


def test_bone_in_the_next_slice_does_not_draw_a_needle_to_it() -> None:
    """Its brightness counted as a share of the needle's, which was said to rise towards it."""
    values = np.zeros((9, 64, 64), np.int16)
    values[4, 4:60, 32] = 2000
    values[5, 30:60] = 700
    frame = thick(values)
    t = np.arange(0.0, 55.0, 0.25)
    points = np.column_stack((np.full_like(t, 32.0), 4.0 + t, np.full_like(t, 20.0)))
    level = levelled(values, frame, t, points, (0, 40, len(t) - 1), np.empty((0, 3)))
    assert abs(level[-1, 2] - 20.0) < 0.3


def test_metal_of_another_needle_ahead_of_a_tip_is_not_its_own() -> None:
    """The other ran along its line a slice above: the tip was said 12 mm too far."""
    frame = thick(HU)
    t = np.arange(-20.0, 40.0, 0.25)
    points = np.column_stack((np.zeros_like(t), t, np.full_like(t, 20.0)))
    ends = np.flatnonzero(t <= 26.0)[-1]
    shaft = replace(_shaft(t, points), last=int(ends))
    above, aside = points + np.array((0.0, 0.0, 3.0)), points + np.array((4.0, 0.0, 0.0))
    near = _nearness(frame)
    assert _not_on(shaft, [above], near).edge.at == 26.0
    assert _not_on(shaft, [aside], near).edge.at == t[-1]


def test_a_needle_followed_on_to_another_is_left_as_it_was() -> None:
    """Where two meet in thick slices, one went on along the other, 17 mm beyond its tip."""
    frame = thick(HU)
    t = np.arange(-20.0, 40.0, 0.25)
    points = np.column_stack((np.zeros_like(t), t, np.full_like(t, 20.0)))
    short = _shaft(t[t < 23.0], points[t < 23.0])
    further = replace(_shaft(t, points), shorter=short)
    joined = points + np.maximum(20.0 - t, 0.0)[:, None] * np.array((0.5, 0.0, 0.0))
    near = _nearness(frame)
    assert _own(further, [joined], near) is short
    assert _own(further, [points + np.array((6.0, 0.0, 0.0))], near) is further


def test_a_bent_needle_goes_straight_on_ahead_of_where_it_is_seen() -> None:
    """Bent on as before, the course drifted onto other metal, and the end was looked for there."""
    t = np.arange(0.0, 100.0, 0.25)
    rows = _rows(t, (0, 80, 240))
    assert np.abs(np.diff(rows[240:], n=2, axis=0)).max() < 1e-12
    assert np.abs(np.diff(rows[81:240, 2], n=2)).min() > 1e-6
