"""Scans that are not as they should be: a right answer or a modest one, nothing invented."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage
from virtual import scans

from dose.geometry import GridGeometry
from guidance.detection import Detections, detect
from guidance.imaging import Volume

PIXEL_MM, SLICE_MM, SLICES, SIDE = 0.7, 2.0, 20, 128
# Drawn finer than the scan: along the normal, rows and columns.
FINER = (10, 6, 6)
VOXEL_MM = np.array((SLICE_MM, PIXEL_MM, PIXEL_MM))
TISSUE_HU = 40.0
CLIP_HU = 3071.0


@dataclass(frozen=True)
class Tube:
    """A capped cylinder from one point (x, y, z) to another, mm, of one value."""

    start: tuple[float, float, float]
    end: tuple[float, float, float]
    diameter: float
    hu: float

    def draw(self, hu: NDArray[np.float64]) -> None:
        """Add the tube to a scan of tissue, averaged over each voxel."""
        ends = np.array((self.start, self.end))[:, ::-1]
        low = np.floor((ends.min(axis=0) - self.diameter) / VOXEL_MM).astype(int).clip(0)
        high = np.ceil((ends.max(axis=0) + self.diameter) / VOXEL_MM).astype(int)
        high = np.minimum(high, hu.shape)
        fine = [
            (np.arange((b - a) * f) + 0.5) / f * v + a * v
            for a, b, f, v in zip(low, high, FINER, VOXEL_MM, strict=True)
        ]
        off = np.stack(np.meshgrid(*fine, indexing="ij"), axis=-1) - ends[0]
        along = ends[1] - ends[0]
        t = np.clip(off @ along / (along @ along), 0.0, 1.0)
        off -= t[..., None] * along
        inside = np.einsum("...i,...i", off, off) <= (self.diameter / 2) ** 2
        nz, ny, nx = high - low
        parts = inside.reshape(nz, FINER[0], ny, FINER[1], nx, FINER[2]).mean(axis=(1, 3, 5))
        box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        hu[box] += parts * (self.hu - TISSUE_HU)


def drawn(parts: list[Tube], *, streaks: bool = False, skin_mm: float = 0.0) -> Volume:
    """Scan parts in soft tissue: averaged over voxels, blurred, noisy, clipped.

    Above ``skin_mm`` of the rows there is air.
    """
    rng = np.random.default_rng(1)
    hu = np.full((SLICES, SIDE, SIDE), TISSUE_HU)
    hu[:, : round(skin_mm / PIXEL_MM)] = -1000.0
    for part in parts:
        part.draw(hu)
    if streaks:
        hu += _streaks(hu, rng)
    hu = ndimage.gaussian_filter(hu, (0.0, 0.6, 0.6)) + rng.normal(0, 15, hu.shape)
    hu = np.clip(np.rint(hu), -1024, CLIP_HU).astype(np.int16)
    # A voxel's place is its middle; the tubes are measured from the corner of the first.
    affine = np.diag((PIXEL_MM, PIXEL_MM, SLICE_MM, 1.0))
    affine[:3, 3] = (PIXEL_MM / 2, PIXEL_MM / 2, SLICE_MM / 2)
    return Volume(GridGeometry(hu.shape, affine, "1.2.3"), hu)


def _streaks(hu: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Return what metal throws: fine bright and dark rays from its middle in each slice."""
    rays = np.zeros_like(hu)
    row, column = np.indices(hu.shape[1:])
    for k, plane in enumerate(hu):
        labels, count = ndimage.label(plane > 2500)
        for j, i in ndimage.center_of_mass(plane > 2500, labels, range(1, count + 1)):
            angle = np.arctan2(row - j, column - i)
            away = np.hypot(row - j, column - i) * PIXEL_MM
            profile = ndimage.gaussian_filter1d(rng.normal(0, 1, 360), 1.5, mode="wrap")
            at = profile[((angle + np.pi) / (2 * np.pi) * 359).astype(int)]
            rays[k] += 1500.0 * at / (1.0 + away / 10.0)
    return rays


# Away from the six seeds, mm.
BESIDE = np.array((SIDE * PIXEL_MM / 2 + 10.0, SIDE * PIXEL_MM / 2 + 22.0, 21.0))


def six_seeds() -> tuple[NDArray[np.float64], list[Tube]]:
    """Return (6, 3) centres, mm, and the tubes."""
    m = SIDE * PIXEL_MM / 2
    places = np.array([(m - 24 + 8 * i, m - 10 + 9 * (i % 3), 10 + 6 * (i % 4)) for i in range(6)])
    axis = np.array((0.8, 0.52, 0.3))
    half = 1.6 * axis / np.linalg.norm(axis)
    return places, [Tube(tuple(p - half), tuple(p + half), 0.8, 17000.0) for p in places]


def near(found: Detections, true: NDArray[np.float64]) -> NDArray[np.float64]:
    said = np.array([s.position_mm for s in found.seeds]).reshape(-1, 3)
    return np.asarray(np.linalg.norm(said[:, None] - true[None], axis=2))


@pytest.mark.parametrize("offset", [1024, -300])
def test_a_wrong_offset_of_all_values_moves_no_seed(offset: int) -> None:
    """Seeds are told by how much they rise above what is around them."""
    volume = scans(2).verification
    hu = np.clip(volume.hu.astype(np.int32) + offset, -32768, 32767).astype(np.int16)
    clip = volume.provenance.clipped_at_hu
    shifted = replace(
        volume,
        hu=hu,
        provenance=replace(
            volume.provenance, clipped_at_hu=None if clip is None else clip + offset
        ),
    )
    right, wrong = detect(volume), detect(shifted)
    assert wrong.needles == ()
    apart = near(wrong, np.array([s.position_mm for s in right.seeds]))
    assert apart.shape == (len(right.seeds), len(right.seeds))
    assert apart.min(axis=1).max() < 0.02


def test_needles_in_values_without_air_are_not_made_up() -> None:
    """A needle comes in from air: where nothing is as thin as air there is none to tell."""
    volume = scans(2).needles
    found = detect(replace(volume, hu=(volume.hu.astype(np.int32) + 1024).astype(np.int16)))
    assert found.needles == ()


def test_a_scan_that_ends_among_the_seeds_shows_those_it_holds() -> None:
    case = scans(2)
    volume = case.verification
    true = np.array([s.centre for s in case.operator.seeds])
    index = (
        np.linalg.inv(volume.geometry.index_to_patient)
        @ np.column_stack((true, np.ones(len(true)))).T
    )
    last = int(np.median(index[2]))
    geometry = replace(volume.geometry, shape=(last, *volume.hu.shape[1:]))
    found = detect(replace(volume, geometry=geometry, hu=volume.hu[:last].copy()))
    whole = true[index[2] < last - 1 - 4.5 / 2]
    assert len(whole) >= 3
    assert near(found, true).min(axis=1).max() < 3.0
    assert near(found, whole).min(axis=0).max() < 1.0


def test_streaks_of_screws_are_no_seeds() -> None:
    m = SIDE * PIXEL_MM / 2
    screws = [
        Tube((m + s * 12, m - 18, 18.0), (m + s * 6, m + 18, 24.0), 5.5, 9000.0) for s in (-1, 1)
    ]
    found = detect(drawn(screws, streaks=True))
    assert (found.seeds, found.needles) == ((), ())


def test_bright_vessels_and_calcium_are_no_seeds() -> None:
    m = SIDE * PIXEL_MM / 2
    parts = [
        Tube((m - 20, m, 0.0), (m - 12, m + 6, 40.0), 9.0, 450.0),
        Tube((m - 12, m + 6, 20.0), (m + 25, m + 20, 26.0), 3.0, 500.0),
        Tube((m + 10, m - 20, 4.0), (m + 14, m - 12, 9.0), 2.0, 600.0),
        Tube((m + 20, m, 12.0), (m + 24, m, 12.0), 3.0, 1300.0),
        Tube((m - 25, m - 22, 30.0), (m - 25, m - 21, 33.0), 4.0, 1500.0),
        Tube((m, m - 10, 30.0), (m + 1, m - 10, 31.0), 2.5, 1200.0),
    ]
    found = detect(drawn(parts))
    assert (found.seeds, found.needles) == ((), ())


def test_metal_on_the_skin_is_named_and_not_counted() -> None:
    m = SIDE * PIXEL_MM / 2
    places = np.array([(m - 20, m, 10.0), (m, m + 15, 20.3), (m + 18, m - 9, 30.7)])
    on_skin = np.array([(m, 14.6, 18.0), (m + 22, 15.5, 26.0)])
    axis = np.array((0.8, 0.1, 0.6))
    half = 1.6 * axis / np.linalg.norm(axis)
    parts = [
        Tube(tuple(p - half), tuple(p + half), 0.8, 17000.0) for p in np.vstack((places, on_skin))
    ]
    found = detect(drawn(parts, skin_mm=15.0))
    assert near(found, places).shape == (3, 3)
    assert near(found, places).min(axis=0).max() < 0.5
    assert sum("lies on the skin" in r for r in found.remarks) == len(on_skin)


@pytest.mark.parametrize(
    ("length", "diameter", "hu", "word"),
    [(0.1, 1.6, 13000.0, "rounder"), (3.0, 1.0, 40000.0, "more metal")],
)
def test_metal_that_is_no_seed_is_named_and_not_counted(
    length: float, diameter: float, hu: float, word: str
) -> None:
    """A dense droplet and a gold marker among seeds."""
    places, seeds = six_seeds()
    along = np.array((0.5 * length, 0.0, 0.0))
    other = Tube(tuple(BESIDE - along), tuple(BESIDE + along), diameter, hu)
    found = detect(drawn([*seeds, other]))
    assert near(found, places).shape == (6, 6)
    assert near(found, places).min(axis=0).max() < 0.5
    assert [word in r for r in found.remarks if "not counted" in r] == [True]


@pytest.mark.parametrize(("length", "diameter", "hu"), [(2.4, 3.0, 4300.0), (2.2, 2.8, 5000.0)])
def test_a_drop_of_cement_higher_than_wide_is_no_heap_of_seeds(
    length: float, diameter: float, hu: float
) -> None:
    """A drop that holds as much metal as three seeds, in a place that three could share."""
    places, seeds = six_seeds()
    up = np.array((0.0, 0.0, 0.5 * length))
    drop = Tube(tuple(BESIDE - up), tuple(BESIDE + up), diameter, hu)
    found = detect(drawn([*seeds, drop]))
    assert near(found, places).shape == (6, 6)
    assert near(found, places).min(axis=0).max() < 0.5
    assert sum("not counted" in r for r in found.remarks) == 1


def test_rods_of_metal_are_seen_in_such_a_drawing() -> None:
    """The drawings above show no seeds because they hold none."""
    m = SIDE * PIXEL_MM / 2
    places = np.array([(m - 20, m, 10.0), (m, m + 15, 20.3), (m + 18, m - 9, 30.7)])
    axis = np.array((0.8, 0.52, 0.3))
    half = 1.6 * axis / np.linalg.norm(axis)
    parts = [Tube(tuple(p - half), tuple(p + half), 0.8, 17000.0) for p in places]
    found = detect(drawn(parts))
    assert len(found.seeds) == len(places)
    assert near(found, places).min(axis=0).max() < 0.5
