"""A series of CT slices becomes a volume, slice by slice or all at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guidance.errors import ImportRefused
from guidance.imaging.block import Ground, SliceBlock, stacked
from guidance.imaging.files import Aside, Image, find_files, read_images
from guidance.imaging.grouping import (
    Images,
    bursts,
    check_one_series,
    describe,
    frame_of_reference,
    reconstructions,
    without_copies,
)
from guidance.imaging.stack import Stack, arrange, check_gaps, grid, resample, tilt_deg
from guidance.imaging.volume import Provenance, Volume

FloatArray = NDArray[np.float64]

# A single slice that names no thickness: the usual one of a needle check.
DEFAULT_THICKNESS_MM = 3.0
# Less tilt than this is rounding.
TILT_DEG = 0.05


def read_series(source: Path | Sequence[Path]) -> Volume:
    """Read one CT series.

    Args:
        source: a folder (with the folders in it), one file, or a list of files.

    Raises:
        ImportRefused: there is no CT series, there are several, or it is no whole volume; the
            message names what is wrong.
    """
    assembler = SeriesAssembler()
    for path in find_files(source):
        assembler.add(path)
    return assembler.volume()


def read_bursts(source: Path | Sequence[Path]) -> tuple[Volume, ...]:
    """Read a series whose place was imaged several times: one volume each time, in order.

    Raises:
        ImportRefused: as for ``read_series``.
    """
    assembler = SeriesAssembler()
    for path in find_files(source):
        assembler.add(path)
    return assembler.bursts()


def read_latest(source: Path | Sequence[Path]) -> Volume:
    """Read one CT series; of a place that was imaged several times, the last time.

    Raises:
        ImportRefused: as for ``read_series``.
    """
    assembler = SeriesAssembler()
    assembler.add(*find_files(source))
    return assembler.latest()


class SeriesAssembler:
    """Decodes slices as their files arrive, so that the volume is ready at the last one.

    Not for several threads at once.
    """

    def __init__(self, ground: Ground | None = None) -> None:
        """Start without slices; those to come are laid on ``ground``."""
        self._images: list[Image] = []
        self._asides: list[Aside] = []
        self._block = SliceBlock(ground)

    def add(self, *paths: Path) -> None:
        """Read and decode files.

        Raises:
            ImportRefused: one is, or was meant to be, a CT image and cannot be used.
        """
        images: list[Image] = []
        for path in paths:
            found = read_images(path)
            if isinstance(found, Aside):
                self._asides.append(found)
            else:
                images.extend(found)
        self._images.extend(self._block.laid_down(images))

    def trim(self) -> None:
        """Give back memory that no slice lies on."""
        self._block.trim()

    def volume(self) -> Volume:
        """Return the volume of all slices so far.

        Raises:
            ImportRefused: they are no one volume.
        """
        found = self._parts()
        if len(found[0]) > 1:
            sizes = sorted({len(b) for b in found[0]})
            raise ImportRefused(
                f"one table position was imaged {len(found[0])} times "
                f"({' or '.join(map(str, sizes))} image(s) each): these are volumes of their own, "
                "choose one of them"
            )
        return _assemble(found[0][0], *found[1:])

    def bursts(self) -> tuple[Volume, ...]:
        """Return a volume for each time the place was imaged, in order of time.

        Raises:
            ImportRefused: the images of a time are no one volume.
        """
        parts, uid, asides, remarks = self._parts()
        return tuple(_assemble(burst, uid, asides, remarks) for burst in parts)

    def latest(self) -> Volume:
        """Return the volume; of a place that was imaged several times, that of the last time.

        Raises:
            ImportRefused: the images of a time are no one volume.
        """
        found = self.bursts()
        if len(found) == 1:
            return found[0]
        remark = f"This place was imaged {len(found)} times; this is the last."
        provenance = found[-1].provenance
        return replace(
            found[-1], provenance=replace(provenance, remarks=(*provenance.remarks, remark))
        )

    def _parts(self) -> tuple[tuple[Images, ...], str, tuple[str, ...], tuple[str, ...]]:
        """Return bursts, frame of reference, what was set aside, and remarks."""
        check_one_series(self._images, self._asides)
        asides = tuple(f"{a.file}: {a.what}" for a in self._asides)
        images, copies = without_copies(self._images)
        uid, remarks = frame_of_reference(images)
        if copies:
            remarks += (f"{copies} image(s) came twice; one of each is used.",)
        remarks += _shortfall(images)
        chosen, *others = reconstructions(images)
        if others:
            asides += tuple(f"another reconstruction: {describe(o)}" for o in others)
            remarks += (
                f"The series holds {1 + len(others)} reconstructions; used is {describe(chosen)}.",
            )
        return bursts(chosen), uid, asides, remarks


def _shortfall(images: Images) -> tuple[str, ...]:
    """Say so if the scanner counts more images than are here (PS3.3 C.7.6.1, C.8.2.1)."""
    told = {i.frame.acquisition: i.frame.images for i in images}
    missing = sum(told.values()) - len(images)
    if missing <= 0:
        return ()
    return (
        f"The scanner says it took {sum(told.values())} images, and {missing} of them are not in "
        "this series: it may have been cut off; send it again.",
    )


def _assemble(
    images: Images, uid: str, asides: tuple[str, ...], remarks: tuple[str, ...]
) -> Volume:
    normal = images[0].frame.normal
    stack = arrange(np.array([i.frame.position_mm for i in images]), normal)
    ordered = tuple(images[i] for i in stack.order)
    check_gaps(stack, [i.frame.thickness_mm for i in ordered])
    first = ordered[0].frame
    hu = stacked([i.plane.hu for i in ordered])
    remarks += _geometry_remarks(stack, ordered, normal)
    remarks += _value_remarks(ordered)
    if not stack.even:
        hu, step = resample(hu, stack)
        stack = Stack(np.arange(len(hu)), stack.along_mm, step, even=True)
    in_plane = np.column_stack(
        [first.row * first.spacing_mm[0], first.column * first.spacing_mm[1]]
    )
    slab = normal * (first.thickness_mm or DEFAULT_THICKNESS_MM)
    geometry = grid(stack, first.position_mm, in_plane, first.shape, slab, uid)
    ceiling = ordered[0].plane.ceiling_hu
    clipped = any(i.plane.at_ceiling for i in ordered)
    provenance = _provenance(ordered, stack.along_mm, ceiling if clipped else None, asides, remarks)
    return Volume(geometry, hu, provenance)


def _geometry_remarks(stack: Stack, ordered: Images, normal: FloatArray) -> tuple[str, ...]:
    said = []
    if len(ordered) == 1:
        thickness = ordered[0].frame.thickness_mm
        extent = (
            f"{thickness:g} mm" if thickness else f"unknown, taken as {DEFAULT_THICKNESS_MM} mm"
        )
        said.append(f"The series is a single slice; its thickness is {extent}.")
    tilt = tilt_deg(stack.step_mm, normal)
    if tilt > TILT_DEG:
        said.append(f"The gantry was tilted by {tilt:.1f} degrees; the grid is sheared as scanned.")
    gaps = stack.gaps_mm
    if not stack.even:
        said.append(
            f"The slices are spaced unevenly ({gaps.min():.2f} to {gaps.max():.2f} mm); between "
            "them the volume is interpolated linearly."
        )
    thickness = ordered[0].frame.thickness_mm
    if stack.even and thickness and len(gaps) and gaps[0] - thickness > 0.5:
        said.append(
            f"Between the slices {gaps[0] - thickness:.1f} mm were not imaged ({thickness:g} mm "
            f"slices every {gaps[0]:.1f} mm); a seed can lie there unseen."
        )
    if any(not i.frame.identity.sop_instance_uid for i in ordered):
        said.append("Slices have blank SOP Instance UIDs; no object can refer to them.")
    return tuple(said)


def _value_remarks(ordered: Images) -> tuple[str, ...]:
    said = []
    clipped = sum(i.plane.at_ceiling for i in ordered)
    if clipped:
        said.append(
            f"{clipped} voxels are at the upper end of the scale ({ordered[0].plane.ceiling_hu} "
            "HU): denser matter, such as metal, is cut off there."
        )
    padded = sum(i.plane.padded for i in ordered)
    if padded:
        said.append(f"{padded} voxels outside the scanned field are set to air.")
    return tuple(said)


def _provenance(
    ordered: Images,
    along_mm: FloatArray,
    clipped_at_hu: int | None,
    asides: tuple[str, ...],
    remarks: tuple[str, ...],
) -> Provenance:
    first = ordered[0].frame
    times = [i.frame.acquired_at for i in ordered if i.frame.acquired_at is not None]
    return Provenance(
        patient_id=first.identity.patient_id,
        patient_name=first.identity.patient_name,
        study_instance_uid=first.identity.study_instance_uid,
        series_instance_uid=first.identity.series_instance_uid,
        series_description=first.identity.series_description,
        patient_position=first.identity.patient_position,
        acquired_at=min(times, default=None),
        manufacturer=first.identity.manufacturer,
        slice_thickness_mm=first.thickness_mm,
        sop_instance_uids=tuple(i.frame.identity.sop_instance_uid for i in ordered),
        slice_positions_mm=tuple(float(a) for a in along_mm),
        clipped_at_hu=clipped_at_hu,
        set_aside=asides,
        remarks=remarks,
    )
