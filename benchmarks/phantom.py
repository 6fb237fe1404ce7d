"""Heights of seeds in the phantom of ``SEEDGUIDE_DATA``, real and virtual, by two ways.

The real one's seeds are known from a planning system only, the virtual one's for certain: the
same seeds, moved along the patient at random, on the virtual scanner. Beside detection stands
the centre of what is brighter than a threshold, weighed by how much.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from benchmarks.detection import matched
from dose.geometry import GridGeometry
from guidance.detection import detect
from guidance.imaging import read_series
from guidance.imaging.volume import Provenance, Volume
from simulators.metal import seed_solids
from simulators.metal.solid import table
from simulators.scanner import Protocol, SeriesBody, scan_sinogram

FloatArray = NDArray[np.float64]

# From planning system to image, found by the phantom's authors (docs/validation.md).
OFFSET_MM = np.array((-0.157, -0.158, 0.940))
CLIP_HU, SLICE_MM = 2564, 2.0
# Seeds lean by some degrees, and lie anywhere in a slice.
LEAN, MOVED_MM = 0.1, 1.0
THRESHOLD_HU = 1500.0
SAME_MM = 2.5


@dataclass(frozen=True, eq=False)
class Phantom:
    """A scan of the phantom.

    Attributes:
        volume: the scan.
        seeds: (n, 3) where its seeds are said to be, LPS mm.
    """

    volume: Volume
    seeds: FloatArray

    @classmethod
    def read(cls, folder: Path) -> Phantom:
        """Read the scan of the real one."""
        known = json.loads((folder / "seeds.json").read_text())
        seeds = np.array(known["planning_system_position_mm"]) + OFFSET_MM
        return cls(read_series(folder / "CT"), seeds)

    @property
    def body(self) -> NDArray[np.float32]:
        """Its picture (nz, ny, nx), metal and streaks taken out."""
        clipped = np.clip(self.volume.hu.astype(np.float32), -1000, 120)
        return np.asarray(ndimage.median_filter(clipped, (5, 13, 13)))

    def scanned(self, axes: FloatArray, slices: slice) -> FloatArray:
        """Put some of its slices on the virtual scanner, with seeds along (n, 3) axes."""
        affine = self.volume.geometry.index_to_patient
        count, rows, columns = self.volume.hu.shape
        first, last, _ = slices.indices(count)
        middle = ((columns - 1) / 2, (rows - 1) / 2, (first + last - 1) / 2, 1)
        x, y, z, _ = affine @ middle
        solids = [s for c, a in zip(self.seeds, axes, strict=True) for s in seed_solids(c, a)]
        used = Protocol(SLICE_MM, float(affine[0, 0]), last - first, (x, y, z), False)
        noise = np.random.default_rng(1)
        hu = scan_sinogram(SeriesBody(self.body, affine), table(solids), used, noise)
        edge = (np.array(hu.shape[1:]) - (rows, columns)) // 2
        hu = hu[:, edge[0] : edge[0] + rows, edge[1] : edge[1] + columns]
        return np.minimum(hu.astype(np.float32), CLIP_HU)

    def virtual(self) -> Phantom:
        """Scan it with its seeds moved, on the virtual scanner."""
        rng = np.random.default_rng(3)
        seeds = self.seeds + (0.0, 0.0, 1.0) * rng.uniform(-MOVED_MM, MOVED_MM, self.seeds.shape)
        leaning = rng.normal((0.0, 0.0, 1.0), (LEAN, LEAN, 0.0), seeds.shape)
        axes = leaning / np.linalg.norm(leaning, axis=1, keepdims=True)
        hu = Phantom(self.volume, seeds).scanned(axes, slice(None)).round().astype(np.int16)
        geometry = GridGeometry(hu.shape, self.volume.geometry.index_to_patient)
        known = Provenance(slice_thickness_mm=SLICE_MM, clipped_at_hu=CLIP_HU)
        return Phantom(Volume(geometry, hu, known), seeds)


def main() -> None:
    """Print how far each way lies from what is known, and from the other."""
    real = Phantom.read(Path(os.environ["SEEDGUIDE_DATA"]) / "seed_phantom")
    for name, one in (("real", real), ("virtual", real.virtual())):
        found = np.array([s.position_mm for s in detect(one.volume).seeds])
        centres = bright_centres(one.volume)
        print(f"{name}: {len(one.seeds)} seeds")
        _print("detection from what is known", found, one.seeds)
        _print("bright centres from what is known", centres, one.seeds)
        _print(
            "detection from bright centres", found, centres[matched(one.seeds, centres, SAME_MM)[1]]
        )


def bright_centres(volume: Volume) -> FloatArray:
    """Return (n, 3) the centre of each connected piece above the threshold, LPS mm."""
    above = np.clip(volume.hu - THRESHOLD_HU, 0.0, None)
    labels, count = ndimage.label(above > 0, np.ones((3, 3, 3)))
    index = np.array(ndimage.center_of_mass(above, labels, np.arange(1, count + 1)))
    affine = volume.geometry.index_to_patient
    return np.asarray(index[:, ::-1] @ affine[:3, :3].T + affine[:3, 3])


def _print(what: str, found: FloatArray, known: FloatArray) -> None:
    rows, columns = matched(known, found, SAME_MM)
    off = found[columns] - known[rows]
    off -= off.mean(axis=0)
    x, y, z = off.std(axis=0)
    print(
        f"  {what:34s} {len(rows)} of {len(known)}: {x:.2f}, {y:.2f}, {z:.2f} mm (sd), "
        f"worst {np.linalg.norm(off, axis=1).max():.2f} mm"
    )


if __name__ == "__main__":
    main()
