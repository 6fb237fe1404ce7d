"""What every exported object takes over from the CT it belongs to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Self

import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, UID, ExplicitVRLittleEndian

from guidance.imaging.volume import Provenance

NOTICE = "Research software, not a medical device"


@dataclass(frozen=True)
class ExportReference:
    """Patient, study and frame of an export, and the images it refers to.

    Attributes:
        patient_id: PatientID.
        patient_name: PatientName.
        study_instance_uid: StudyInstanceUID.
        series_instance_uid: series of the images.
        frame_of_reference_uid: FrameOfReferenceUID.
        image_uids: SOP Instance UIDs of the images, in order of the slices.
        made_at: UTC time the export stands for.
    """

    patient_id: str
    patient_name: str
    study_instance_uid: str
    series_instance_uid: str
    frame_of_reference_uid: str
    image_uids: tuple[str, ...]
    made_at: datetime

    @classmethod
    def from_provenance(cls, provenance: Provenance, frame_of_reference_uid: str) -> Self:
        """Take everything over from the scan that the export belongs to."""
        return cls(
            patient_id=provenance.patient_id,
            patient_name=provenance.patient_name,
            study_instance_uid=provenance.study_instance_uid,
            series_instance_uid=provenance.series_instance_uid,
            frame_of_reference_uid=frame_of_reference_uid,
            image_uids=provenance.sop_instance_uids,
            made_at=provenance.acquired_at or datetime.now(UTC),
        )

    def uid(self, *names: object) -> str:
        """Return the UID of an exported object: the same export again is the same object.

        UUID-derived as DICOM PS3.5 B.2 has it.
        """
        parts = ("seedguide export", self.study_instance_uid, self.series_instance_uid, *names)
        digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
        return f"2.25.{int.from_bytes(digest[:16], 'big')}"

    def dataset(self, sop_class: str, kind: str) -> FileDataset:
        """Return a data set of one kind (RTDOSE ...) with everything common filled in."""
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = UID(sop_class)
        meta.MediaStorageSOPInstanceUID = UID(self.uid(kind))
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
        data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        data.SpecificCharacterSet = "ISO_IR 192"
        data.SOPClassUID, data.SOPInstanceUID = sop_class, self.uid(kind)
        data.Modality = kind
        data.PatientID, data.PatientName = self.patient_id, self.patient_name
        data.PatientBirthDate, data.PatientSex = "", ""
        data.StudyInstanceUID = self.study_instance_uid
        data.SeriesInstanceUID = self.uid(kind, "series")
        data.FrameOfReferenceUID = self.frame_of_reference_uid
        data.PositionReferenceIndicator = ""
        data.StudyID, data.AccessionNumber, data.ReferringPhysicianName = "", "", ""
        data.SeriesNumber, data.InstanceNumber = 1, 1
        data.OperatorsName = ""
        data.Manufacturer = "seedguide"
        data.ManufacturerModelName = NOTICE
        data.SoftwareVersions = metadata.version("seedguide")
        for name in ("Study", "Series", "InstanceCreation"):
            setattr(data, f"{name}Date", self.made_at.strftime("%Y%m%d"))
            setattr(data, f"{name}Time", self.made_at.strftime("%H%M%S"))
        return data


def save(data: FileDataset, path: Path) -> Path:
    """Write an object, all or nothing, and return its path."""
    temporary = path.with_name(path.name + ".part")
    pydicom.dcmwrite(temporary, data, enforce_file_format=True)
    temporary.replace(path)
    return path
