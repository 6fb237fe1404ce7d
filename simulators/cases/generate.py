"""A case as a scan: HU, geometry, truth; in memory or as a DICOM series."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset

from simulators.cases.background import laid_into
from simulators.cases.case import Case
from simulators.cases.draw import draw_named
from simulators.cases.truth import truth_of
from simulators.identity import Identity
from simulators.metal.solid import moved, table
from simulators.scanner import (
    PHYSICS,
    Protocol,
    SeriesBody,
    SeriesLabel,
    anatomy_body,
    ct_images,
    scan,
    scan_sinogram,
)

FloatArray = NDArray[np.float64]

# The scan reaches so far beyond the metal inside, mm, and is no longer than this.
MARGIN_MM, LONGEST_MM = 14.0, 130.0
# A slice takes so long, and a breath.
SLICE_S, BREATH_S = 0.4, 4.0


@dataclass(frozen=True)
class Background:
    """A real patient.

    Attributes:
        body: the series, in its own frame.
        target_mm: (3,) where the target is to lie, LPS mm.
    """

    body: SeriesBody
    target_mm: FloatArray

    @property
    def middle(self) -> tuple[float, float]:
        """(x, y) of the middle of the series."""
        columns, rows = self.body.hu.shape[2], self.body.hu.shape[1]
        x, y, *_ = self.body.to_scan @ ((columns - 1) / 2.0, (rows - 1) / 2.0, 0.0, 1.0)
        return float(x), float(y)


@dataclass(frozen=True)
class Scan:
    """A scanned case.

    Attributes:
        case: what was scanned.
        protocol: how.
        hu: (slices, 512, 512) int16.
        truth: see ``truth_of``; positions in the scan's frame, LPS mm.
    """

    case: Case
    protocol: Protocol
    hu: NDArray[np.int16]
    truth: dict[str, Any]

    @property
    def affine(self) -> FloatArray:
        """4x4 from (column, row, slice) to the scan's frame, LPS mm."""
        return self.protocol.affine

    def images(self) -> Iterator[FileDataset]:
        """Yield the DICOM images."""
        identity = Identity(zlib.crc32(f"{self.case.name}/{self.case.seed}".encode()) % 100000)
        name = f"{self.case.name}-{self.protocol.slice_mm:g}mm"
        label = SeriesLabel(name, 1, f"Simulated {name}", "implant", identity.implant_at)
        return ct_images(self.hu, self.protocol, label, identity)

    def write(self, folder: Path) -> None:
        """Write the series into ``folder/series`` and the truth beside it, as truth.json."""
        series = folder / "series"
        series.mkdir(parents=True, exist_ok=True)
        for k, image in enumerate(self.images()):
            image.save_as(series / f"{k + 1:04d}.dcm", enforce_file_format=True)
        text = json.dumps(self.truth, indent=1) + "\n"
        (folder / "truth.json").write_text(text, encoding="utf-8")


def generate(
    name: str,
    slice_mm: float,
    seed: int = 1,
    *,
    level: str | None = None,
    physics: str = "sinogram",
    background: Background | None = None,
    workers: int | None = None,
) -> Scan:
    """Return a case of the library, scanned; the same arguments give the same scan.

    Args:
        name: one of ``LIBRARY``.
        slice_mm: thickness and spacing of the slices, 0.5 to 5 mm.
        seed: of all randomness.
        level: of the spine, such as ``T7``, if not the recipe's own.
        physics: ``sinogram``, or ``plain`` for a quick look (seeds and straight needles only).
        background: a real patient instead of the analytic one; needs ``sinogram``.
        workers: threads; all cores if not given.

    Raises:
        ValueError: an argument is out of range.
    """
    if not 0.5 <= slice_mm <= 5.0:
        raise ValueError(f"slices of {slice_mm} mm: choose 0.5 to 5 mm")
    if physics not in PHYSICS:
        raise ValueError(f"physics {physics!r}: choose one of {', '.join(PHYSICS)}")
    case = draw_named(name, seed, level)
    if background is not None:
        if physics == "plain":
            raise ValueError("a real patient is scanned through the sinogram only")
        case = laid_into(case, background.body, background.target_mm)
    protocol = protocol_of(case, slice_mm)
    if background is not None:
        x, y = background.middle
        protocol = replace(protocol, centre_mm=(x, y, protocol.centre_mm[2]))
    rng = np.random.default_rng((seed, zlib.crc32(name.encode()), round(slice_mm * 1000)))
    if physics == "plain":
        hu = _plain(case, protocol, rng)
    else:
        hu = scan_sinogram(
            background.body if background else anatomy_body(case.anatomy, case.patient_to_scan),
            moved(table(case.solids()), case.patient_to_scan),
            protocol,
            rng,
            motion_mm=breathing(case, protocol),
            workers=workers,
        )
    return Scan(case, protocol, hu, truth_of(case, protocol))


def protocol_of(case: Case, slice_mm: float) -> Protocol:
    """Return the protocol that holds all metal inside the patient."""
    recipe, anatomy = case.recipe, case.anatomy
    reach = np.array((0.0, 0.0, anatomy.lesion_radii[2]))
    points = [anatomy.lesion_centre + side * reach for side in (-1.0, 1.0)]
    points += [s.centre for s in case.seeds] + [n.tip for n in case.needles]
    heights = np.array([case.to_scan(p)[2] for p in points])
    low, high = float(heights.min()) - MARGIN_MM, float(heights.max()) + MARGIN_MM
    length = min(LONGEST_MM, high - low)
    # Where slices fall is chance, as it is with a patient on a table.
    phase = (case.seed * 0.37 + zlib.crc32(case.name.encode()) % 97 / 97.0) % 1.0 * slice_mm
    x, y, _ = case.to_scan(np.array((0.0, -35.0, 0.0)))
    return Protocol(
        slice_mm=slice_mm,
        pixel_mm=recipe.pixel_mm,
        slices=int(np.ceil(length / slice_mm)),
        centre_mm=(float(x), float(y), (low + high) / 2.0 + phase),
        prone=recipe.prone,
        tilt_deg=recipe.tilt_deg,
        kernel=recipe.kernel,
        dose=recipe.dose,
        extended=recipe.extended,
    )


def breathing(case: Case, protocol: Protocol) -> FloatArray:
    """Return (slices, 3) where breath has moved the patient at each slice, mm.

    Along the body by the recipe's amplitude, and a third of that to the back and forth; nothing
    at the middle of the scan, where the truth holds.
    """
    at = (np.arange(protocol.slices) - (protocol.slices - 1) / 2.0) * SLICE_S
    wave = case.recipe.breathing_mm * np.sin(2.0 * np.pi * at / BREATH_S)
    return np.asarray(wave[:, None] * np.array((0.0, 1.0 / 3.0, 1.0)))


def _plain(case: Case, protocol: Protocol, rng: np.random.Generator) -> NDArray[np.int16]:
    return scan(
        case.anatomy,
        case.patient_to_scan,
        protocol,
        rng,
        needles=tuple((case.to_scan(n.tip), case.to_scan(n.entry)) for n in case.needles),
        seeds=tuple((case.to_scan(s.centre), case.turned(s.axis)) for s in case.seeds),
    )
