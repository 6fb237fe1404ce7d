"""A CT scan through its sinogram.

Every slice is projected, read out by the detector with its noise and reconstructed on its own,
so that nothing but the physics tells metal from tissue. Deterministic: the noise of a ray
depends on the seed, the slice and the ray alone, however many threads work.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulators.metal.solid import moved
from simulators.scanner.body import Body, densities
from simulators.scanner.detector import (
    Detector,
    energy_weight,
    metal_deficit,
    read_out,
    tissue_signal,
    water_correction,
)
from simulators.scanner.geometry import Geometry, Rows, rows_of
from simulators.scanner.image import PIXELS, Protocol
from simulators.scanner.projection import project
from simulators.scanner.reconstruction import FINER, backproject, filtered
from simulators.scanner.spectrum import Spectrum, spectrum

FloatArray = NDArray[np.float64]

# Pixel of the patient's picture that is projected, mm.
BODY_MM = 0.8


@dataclass(frozen=True)
class Scanner:
    """The virtual scanner.

    Attributes:
        geometry: rays, channels, rows.
        detector: quanta and noise.
        beam: the spectrum.
    """

    geometry: Geometry = field(default_factory=Geometry)
    detector: Detector = field(default_factory=Detector)
    beam: Spectrum = field(default_factory=spectrum)


@dataclass(frozen=True)
class _Job:
    """What all slices share; ``solids`` is a table in the frame of the first slice's plane."""

    scanner: Scanner
    protocol: Protocol
    body: Body
    solids: FloatArray
    rows: Rows
    motion: FloatArray
    seeds: NDArray[np.uint64]
    correction: FloatArray


def scan_sinogram(
    body: Body,
    solids: FloatArray,
    protocol: Protocol,
    rng: np.random.Generator,
    *,
    motion_mm: FloatArray | None = None,
    scanner: Scanner | None = None,
    workers: int | None = None,
) -> NDArray[np.int16]:
    """Return a scan in HU, (slices, 512, 512) int16.

    Args:
        body: the patient, scan's frame.
        solids: metal and the like: a ``simulators.metal.solid.table`` of the scan's frame.
        protocol: of the scan.
        rng: noise.
        motion_mm: (slices, 3) where the patient has moved to when each slice is taken.
        scanner: the usual one if not given.
        workers: threads; all cores if not given.
    """
    used = scanner or Scanner()
    axes, origins = _planes(protocol)
    to_plane = np.eye(4)
    to_plane[:3, :3], to_plane[:3, 3] = axes, -axes @ origins[0]
    job = _Job(
        scanner=used,
        protocol=protocol,
        body=body,
        solids=moved(solids, to_plane),
        rows=rows_of(protocol.slice_mm, used.geometry),
        motion=np.zeros((protocol.slices, 3)) if motion_mm is None else np.asarray(motion_mm),
        seeds=rng.integers(0, 2**63, protocol.slices, dtype=np.uint64),
        correction=water_correction(used.beam),
    )
    out = np.empty((protocol.slices, PIXELS, PIXELS), np.int16)

    def take(k: int) -> None:
        hu = _reconstructed(job, _sinogram(job, k))
        out[k] = np.clip(np.rint(hu), -1024, protocol.highest_hu)

    with ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
        list(pool.map(take, range(protocol.slices)))
    return out


def _planes(protocol: Protocol) -> tuple[FloatArray, FloatArray]:
    """Return the axes (rows) of the slices' planes, and where each meets the isocentre."""
    affine = protocol.affine
    first, second = (affine[:3, i] / np.linalg.norm(affine[:3, i]) for i in (0, 1))
    middle = (PIXELS - 1) / 2.0
    indices = np.array([(middle, middle, k, 1.0) for k in range(protocol.slices)])
    return np.array((first, second, np.cross(first, second))), (indices @ affine.T)[:, :3]


def _sinogram(job: _Job, k: int) -> NDArray[np.float32]:
    """Return the corrected projections of a slice, mm of water."""
    geometry, detector, beam = job.scanner.geometry, job.scanner.detector, job.scanner.beam
    paths = _tissue_paths(job, k)
    weight = energy_weight(beam)
    signal = np.empty(paths.shape[:2], np.float32)
    tissue_signal(
        paths, beam.mass_attenuation.astype(np.float32), weight.astype(np.float32), signal
    )
    rows = job.rows
    deficits = np.zeros((len(rows.shares), *signal.shape), np.float32)
    near = _near(_solids(job, k), rows.heights_mm)
    if len(near):
        metal_deficit(
            near, paths, rows.heights_mm, rows.shares, geometry.angles, geometry.first_mm,
            geometry.channel_mm, geometry.fine, geometry.response, beam.mass_attenuation, weight,
            deficits,
        )  # fmt: skip
    pitch = job.protocol.slice_mm / len(rows.shares)
    quanta = detector.quanta * job.protocol.dose * pitch / geometry.row_mm
    out = np.empty_like(signal)
    read_out(
        signal, deficits, quanta, detector.electronic, detector.scatter, detector.floor,
        job.correction, job.seeds[k], out,
    )  # fmt: skip
    return out


def _tissue_paths(job: _Job, k: int) -> NDArray[np.float32]:
    """Return (views, channels, 2) paths through water and bone, g/cm2."""
    geometry = job.scanner.geometry
    axes, origins = _planes(job.protocol)
    pixels = int(np.ceil(geometry.channels * geometry.channel_mm / BODY_MM))
    middle = (pixels - 1) / 2.0
    to_scan = np.eye(4)
    to_scan[:3, :3] = axes.T * (BODY_MM, BODY_MM, 1.0)
    corner = to_scan[:3, :3] @ (middle, middle, 0.0)
    to_scan[:3, 3] = origins[k] - corner - job.motion[k]
    picture = densities(job.body(to_scan, pixels, job.protocol.slice_mm))
    picture *= 0.1  # g/cm3 times mm, as g/cm2
    paths = np.zeros((geometry.views, geometry.channels, 2), np.float32)
    project(
        _cropped(picture), BODY_MM, geometry.angles, geometry.first_mm, geometry.channel_mm, paths
    )
    return paths


def _cropped(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the picture without the air around it, the isocentre still in its middle."""
    inside = picture.sum(axis=2) > 0.01 * 0.1
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        return picture[:2, :2]
    top = max(0, min(rows[0], len(picture) - 1 - rows[-1]) - 1)
    left = max(0, min(columns[0], len(picture) - 1 - columns[-1]) - 1)
    return np.ascontiguousarray(picture[top : len(picture) - top, left : picture.shape[1] - left])


def _solids(job: _Job, k: int) -> FloatArray:
    """Return the table of solids in the frame of a slice's plane."""
    axes, origins = _planes(job.protocol)
    shift = np.eye(4)
    shift[:3, 3] = -axes @ (origins[k] - origins[0] - job.motion[k])
    return moved(job.solids, shift)


def _near(solids: FloatArray, heights: FloatArray) -> FloatArray:
    """Return the solids that reach into the slice."""
    low = np.minimum(solids[:, 22], solids[:, 25]) - solids[:, 26]
    high = np.maximum(solids[:, 22], solids[:, 25]) + solids[:, 26]
    return np.asarray(solids[(high >= heights.min()) & (low <= heights.max())])


def _reconstructed(job: _Job, sinogram: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the slice in HU."""
    geometry, pixel = job.scanner.geometry, job.protocol.pixel_mm
    projections = filtered(sinogram, geometry, job.protocol.kernel)
    corner = -(PIXELS - 1) / 2.0 * pixel
    density = np.zeros((PIXELS, PIXELS), np.float32)
    backproject(
        projections, geometry.angles, geometry.first_mm, geometry.channel_mm / FINER,
        corner, corner, pixel, density,
    )  # fmt: skip
    return (density - 1.0) * 1000.0
