"""A CT volume: geometry, Hounsfield units, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from dose.geometry import GridGeometry
from guidance.errors import ImportRefused


@dataclass(frozen=True)
class Provenance:
    """Where a volume came from; every number shown names this.

    Attributes:
        patient_id: DICOM PatientID.
        patient_name: DICOM PatientName, as text.
        study_instance_uid: DICOM StudyInstanceUID.
        series_instance_uid: DICOM SeriesInstanceUID.
        series_description: DICOM SeriesDescription.
        patient_position: DICOM PatientPosition (HFS, HFP, ...), empty if not given.
        acquired_at: acquisition time of the first slice, None if the scanner gave none.
        manufacturer: DICOM Manufacturer and model.
        slice_thickness_mm: DICOM SliceThickness, None if not given.
        sop_instance_uids: one for each acquired slice, in the order of the volume's z index.
        slice_positions_mm: of the acquired slices along the normal of their planes, from the
            first one; where a volume was resampled, these are the planes that were imaged.
        clipped_at_hu: the highest value the scanner could store, if voxels reached it: denser
            matter was cut off there. None if nothing was.
        set_aside: what else lay in the series and why it is not in the volume, one sentence
            each.
        remarks: what a reader must know (resampled, set aside, clipped...), full sentences.
    """

    patient_id: str = ""
    patient_name: str = ""
    study_instance_uid: str = ""
    series_instance_uid: str = ""
    series_description: str = ""
    patient_position: str = ""
    acquired_at: datetime | None = None
    manufacturer: str = ""
    slice_thickness_mm: float | None = None
    sop_instance_uids: tuple[str, ...] = ()
    slice_positions_mm: tuple[float, ...] = ()
    clipped_at_hu: int | None = None
    set_aside: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Volume:
    """A CT volume.

    Attributes:
        geometry: where the voxels lie (LPS mm); may be sheared by gantry tilt.
        hu: (nz, ny, nx) int16 Hounsfield units, read-only.
        provenance: where it came from.
    """

    geometry: GridGeometry
    hu: NDArray[np.int16]
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        """Check that voxels and geometry belong together, and freeze the voxels."""
        if self.hu.dtype != np.int16 or self.hu.shape != self.geometry.shape:
            raise ImportRefused(
                f"voxels of type {self.hu.dtype} and shape {self.hu.shape} do not fit "
                f"a grid of {self.geometry.shape}"
            )
        self.hu.setflags(write=False)
