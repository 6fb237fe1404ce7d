"""The image of a rod: its derivatives, and what it says of lone seeds whose lie is known."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dose.geometry import GridGeometry
from guidance.detection import detect
from guidance.detection.candidates import Group, contrast, groups
from guidance.detection.counting import Run
from guidance.detection.detect import clip_of
from guidance.detection.frame import ScanFrame
from guidance.detection.look import look_of
from guidance.detection.patches import Scan
from guidance.detection.rods import Look, Patch, fit_rods
from guidance.detection.solving import FIRST_ROD, SPREAD, draw
from guidance.imaging import Volume
from guidance.imaging.volume import Provenance
from simulators.metal import seed_solids
from simulators.metal.solid import table
from simulators.scanner import Protocol, scan_sinogram
from simulators.scanner.geometry import Geometry

FloatArray = NDArray[np.float64]

PIXEL_MM, PIXELS = 0.75, 512


def _drawn(p: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (m,) image and (p, m) derivatives of rods in slices of 1 mm."""
    nodes, weights = np.polynomial.legendre.leggauss(6)
    nz, ny, nx = 7, 11, 12
    k, j = (part.ravel() for part in np.indices((nz, ny)))
    runs = np.column_stack((k, j, 0 * k, np.arange(len(k)) * nx, np.full(len(k), nx)))
    shift = 0.1 * np.arange(nz)[:, None] * np.array((1.0, -0.5))
    grid = (runs, np.arange(nx) * 0.7, np.arange(ny) * 0.7, shift, np.arange(nz) * 1.0)
    model, slopes = np.zeros(nz * ny * nx), np.zeros((len(p), nz * ny * nx))
    draw(p, grid, 1.0, nodes, weights, 1.2, model, slopes)
    return model, slopes


@pytest.mark.parametrize("rise", [0.0, 0.08, 0.35, -0.8])
def test_slopes_are_those_of_the_image(rise: float) -> None:
    axis = np.array((0.8, 0.5, rise))
    p = np.array((0, 0, 0, 0, 0.6, 0.25, 3.5, 4.0, 3.7, 3.2, *axis / np.linalg.norm(axis), 1000.0))
    slopes = _drawn(p)[1]
    for which in range(SPREAD, len(p)):
        step = np.zeros(len(p))
        step[which] = 1e-4 * max(1.0, abs(p[which]))
        numeric = (_drawn(p + step)[0] - _drawn(p - step)[0]) / (2.0 * step[which])
        wrong = np.abs(numeric - slopes[which]) > 1e-5 * np.abs(numeric).max()
        # A Gaussian ends somewhere: a voxel there jumps.
        assert wrong.mean() < 0.01


def test_a_fit_turns_a_rod_and_sets_its_length_at_once() -> None:
    """Steps that would lengthen a direction are undone after each: fits stopped half way."""
    axis = np.array((0.8, 0.5, 0.33))
    true = np.array((0, 0, 0, 0, 0.6, 0.3, 3.0, 4.0, 3.7, 3.2, *axis / np.linalg.norm(axis), 3e4))
    hu = _drawn(true)[0].reshape(7, 11, 12)
    x, y, z = np.arange(12) * 0.7, np.arange(11) * 0.7, np.arange(7) * 1.0
    shift = 0.1 * np.arange(7)[:, None] * np.array((1.0, -0.5))
    patch = Patch(hu, np.ones(hu.shape, bool), x, y, shift, z, 1.0, 1e9, tissue_hu=0.0)
    look = Look((3e4, 9e3), (0.6, 0.1), (0.3, 0.1), (4.0, 3.0), rise=2.0, turn=2.0, starved=1.2)
    start = np.array((0.5, 0.8, -0.2)) / np.linalg.norm((0.5, 0.8, -0.2))
    fit = fit_rods(patch, look, true[None, 7:10] + 0.3, start[None], steps=8)
    assert np.degrees(np.arccos(abs(float(fit.axes[0] @ true[10:13])))) < 0.6
    assert fit.length_mm == pytest.approx(3.0, abs=0.05)


def test_starved_rays_set_ends_apart_and_add_no_metal() -> None:
    p = np.array((0, 0, 0, 0, 0.6, 0.25, 3.5, 4.0, 3.7, 3.4, 0.98, 0.0, 0.17, 1000.0))
    image = _drawn(p)[0]
    assert _drawn(p)[1][FIRST_ROD + 6].sum() * 0.49 == pytest.approx(1.0, abs=2e-3)
    slices = image.reshape(7, 11, 12).sum(axis=1)
    # The fuller end is brighter than twice the other in a slice that holds half of it.
    assert slices[4].max() > 2.0 * slices[4][3]


@dataclass(frozen=True)
class _Water:
    """A disc of water, as the scanner takes bodies."""

    radius_mm: float = 90.0

    def __call__(
        self, to_scan: FloatArray, pixels: int, thickness_mm: float
    ) -> NDArray[np.float32]:
        at = np.arange(pixels)
        x, y = to_scan[0, 0] * at + to_scan[0, 3], to_scan[1, 1] * at[:, None] + to_scan[1, 3]
        hu = np.where(x**2 + y**2 < self.radius_mm**2, 40.0, -1000.0)
        return hu.astype(np.float32)


def _lone(
    slice_mm: float, slices: int, tilts_deg: FloatArray, heights: FloatArray
) -> tuple[Volume, FloatArray, FloatArray]:
    """Return a scan of lone seeds on a grid, (n, 3) their centres and (n, 3) axes.

    ``heights`` are parts of a slice, off the middle of the middle one.
    """
    rng = np.random.default_rng(2)
    along, tilts = rng.uniform(0.0, np.pi, len(tilts_deg)), np.radians(tilts_deg)
    flat = np.cos(tilts)[:, None] * np.column_stack((np.cos(along), np.sin(along)))
    axes = np.column_stack((flat, np.sin(tilts)))
    side = int(np.ceil(np.sqrt(len(tilts))))
    grid = 26.0 * (np.stack(np.divmod(np.arange(len(tilts)), side), axis=1) - (side - 1) / 2.0)
    aside = grid + rng.uniform(-0.4, 0.4, grid.shape)
    centres = np.column_stack((aside, slice_mm * heights))
    return _scanned(slice_mm, slices, centres, axes, rng), centres, axes


def _scanned(
    slice_mm: float, slices: int, centres: FloatArray, axes: FloatArray, rng: np.random.Generator
) -> Volume:
    """Return a scan of seeds with (n, 3) centres and axes."""
    used = Protocol(slice_mm, PIXEL_MM, slices, (0.0, 0.0, 0.0), False)
    solids = [s for c, a in zip(centres, axes, strict=True) for s in seed_solids(c, a)]
    hu = scan_sinogram(_Water(), table(solids), used, rng)
    known = Provenance(slice_thickness_mm=slice_mm, clipped_at_hu=used.highest_hu)
    return Volume(GridGeometry(hu.shape, used.affine), hu, known)


def _matched(volume: Volume, centres: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (n, 3) centres and axes of the seeds found nearest to those known."""
    found = detect(volume).seeds
    assert len(found) == len(centres)
    said = np.array([s.position_mm for s in found])
    nearest = np.linalg.norm(centres[:, None] - said[None], axis=2).argmin(axis=1)
    assert sorted(nearest) == list(range(len(centres)))
    return said[nearest], np.array([s.axis for s in found])[nearest]


def _look(volume: Volume, run: Run) -> tuple[Look, int]:
    """Return how seeds look in a scan, and how many groups there are."""
    frame = ScanFrame.of(volume)
    stands_out = contrast(volume, frame)
    found = groups(stands_out, frame, lambda index: np.zeros(len(index), bool))
    look = look_of(Scan(volume, frame, stands_out, clip_of(volume)), found, run)
    assert look is not None
    return look, len(found)


def test_a_slightly_tilted_seed_is_not_seen_steep() -> None:
    """Of thin slices the one that holds more of an end makes too much of it."""
    tilts = np.tile((4.0, 8.0, 14.0), 4)
    heights = np.random.default_rng(3).uniform(-0.5, 0.5, len(tilts))
    volume, centres, axes = _lone(1.0, 9, tilts, heights)
    said, lie = _matched(volume, centres)
    steep = np.degrees(np.arcsin(np.abs(lie[:, 2])))
    assert np.abs((steep - tilts).mean()) < 4.0
    off = np.degrees(np.arccos(np.abs((axes * lie).sum(axis=1))))
    assert off.mean() < 8.0
    assert np.linalg.norm(said - centres, axis=1).mean() < 0.08


@pytest.mark.parametrize("slice_mm", [2.0, 3.0])
def test_seeds_that_cross_and_touch_are_two(slice_mm: float) -> None:
    """Their fits lie within each other; only how thick they are keeps them apart."""
    rng = np.random.default_rng(8)
    places = 22.0 * (np.stack(np.divmod(np.arange(12), 4), axis=1) - (1.0, 1.5))
    heights = slice_mm * np.linspace(-0.48, 0.48, 12)
    flat = rng.uniform(0.0, np.pi, 12)
    axes = np.column_stack((np.cos(flat), np.sin(flat), np.zeros(12)))
    lone = np.column_stack((places, heights))
    turned = flat[::2] + rng.uniform(1.0, 2.1, 6)
    over = lone[::2] + np.column_stack((rng.uniform(-0.8, 0.8, (6, 2)), np.full(6, 0.9)))
    crossing = np.column_stack((np.cos(turned), np.sin(turned), np.zeros(6)))
    centres = np.concatenate((lone, over))
    volume = _scanned(slice_mm, 7, centres, np.concatenate((axes, crossing)), rng)
    said = _matched(volume, centres)[0]
    off = said - centres
    assert np.hypot(off[:, 0], off[:, 1]).max() < 0.5


def test_of_very_many_seeds_only_some_are_asked_how_seeds_look() -> None:
    tilts = np.full(12, 25.0)
    volume = _lone(1.0, 9, tilts, np.linspace(-0.4, 0.4, len(tilts)))[0]

    def looked(copies: int) -> tuple[Look, int]:
        """Return how seeds look in as many copies upon one another, of how many groups."""
        hu = np.concatenate([volume.hu] * copies)
        geometry = GridGeometry(hu.shape, volume.geometry.index_to_patient)
        asked: list[Any] = []

        def run(fit: Callable[[Any], Any], of: list[Any]) -> list[Any]:
            asked.extend(one for one in of if isinstance(one, Group))
            return [fit(one) for one in of]

        look, found = _look(Volume(geometry, hu, volume.provenance), run)
        assert found == copies * len(tilts)
        return look, len(asked)

    (few, of_few), (many, of_many) = looked(5), looked(12)
    assert of_few == 60 <= of_many < 100
    # Far nearer to each other than seeds are to either.
    for one, other in ((many.amplitude, few.amplitude), (many.length_mm, few.length_mm)):
        assert one[0] == pytest.approx(other[0], abs=0.25 * one[1])


@pytest.mark.parametrize(("slice_mm", "within_mm"), [(2.0, 0.1), (3.0, 0.15)])
def test_lone_seeds_tell_how_soft_slices_are(slice_mm: float, within_mm: float) -> None:
    """The spot's shadow, a triangle from row to row, and the seed's own width blur it.

    The thicker the slices are, the fewer seeds lie near an edge.
    """
    heights = np.linspace(-0.48, 0.48, 36)
    volume = _lone(slice_mm, 7, np.random.default_rng(5).uniform(-15.0, 15.0, 36), heights)[0]
    look = _look(volume, map)[0]
    scanner = Geometry()
    square = scanner.focus_along_mm**2 / 12.0 + scanner.between_mm(slice_mm) ** 2 / 6.0 + 0.4**2 / 4
    assert look.normal_mm[0] == pytest.approx(np.sqrt(square), abs=within_mm)


def test_the_next_slice_tells_that_a_seed_is_near_to_it() -> None:
    """It shows little of it, and nothing where the fit begins: in the middle of a thick slice."""
    heights = np.tile((-0.46, -0.43, 0.42, 0.45), 4)
    volume, centres, _ = _lone(5.0, 5, np.zeros(len(heights)), heights)
    said, _ = _matched(volume, centres)
    assert np.abs(said - centres)[:, 2].mean() < 0.3


def test_touching_seeds_in_slices_of_their_own_are_less_than_half_a_slice_off() -> None:
    """Fits begin at the edge between the two, and the first steps away from it suffice them."""
    rng = np.random.default_rng(4)
    grid = 26.0 * (np.stack(np.divmod(np.arange(16), 4), axis=1) - 1.5)
    centres = np.column_stack((grid + rng.uniform(-0.4, 0.4, grid.shape), np.zeros(16)))
    axes = np.tile((1.0, 0.0, 0.0), (16, 1))
    partners = centres[:8] + np.column_stack((np.zeros(8), np.full(8, 2.2), np.full(8, 6.0)))
    centres[:8, 2] -= 1.0
    centres[8:, 2] += rng.uniform(-2.0, 2.0, 8)
    centres = np.vstack((centres, partners))
    volume = _scanned(5.0, 5, centres, np.vstack((axes, axes[:8])), rng)
    said, _ = _matched(volume, centres)
    off = np.abs(said - centres)[:, 2]
    assert np.concatenate((off[:8], off[16:])).max() < 2.5


def test_a_seed_that_stands_beside_one_it_crosses_is_no_droplet() -> None:
    """Seen from above it is round, and all others lie flat; but those that cross need not."""
    rng = np.random.default_rng(4)
    places = 26.0 * (np.stack(np.divmod(np.arange(16), 4), axis=1) - 1.5)
    lone = np.column_stack((places + rng.uniform(-0.4, 0.4, places.shape), np.zeros(16)))
    flat = np.column_stack((np.ones(16), rng.uniform(-0.2, 0.2, (16, 2)) * (1.0, 0.5)))
    standing = np.column_stack((rng.uniform(-0.2, 0.2, (6, 2)), np.ones(6)))
    aside = np.column_stack((rng.uniform(-0.6, 0.6, 6), np.full(6, 0.95), rng.uniform(-1, 1, 6)))
    centres, axes = np.vstack((lone, lone[:6] + aside)), np.vstack((flat, standing))
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    said, _ = _matched(_scanned(5.0, 7, centres, axes, rng), centres)
    assert np.linalg.norm(said - centres, axis=1).max() < 2.5


def test_a_seed_in_part_in_the_slice_of_another_is_found_beside_it() -> None:
    """One rod explains all there is where it lies, and the clump's voxels hold little more."""
    rng = np.random.default_rng(4)
    places = 26.0 * (np.stack(np.divmod(np.arange(16), 4), axis=1) - 1.5)
    lone = np.column_stack((places, np.linspace(-2.4, 2.4, 16)))
    lone[:4, 2] = (2.18, 2.28, 2.38, 2.48)
    centres = np.vstack((lone, lone[:4] + np.array((2.63, 2.2, -4.95))))
    axes = np.tile((1.0, 0.05, 0.0), (20, 1)) / np.hypot(1.0, 0.05)
    said, _ = _matched(_scanned(5.0, 9, centres, axes, rng), centres)
    assert np.linalg.norm(said - centres, axis=1).max() < 2.5
