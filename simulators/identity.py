"""Who and when: identifiers and times that depend on the case's seed and on nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import PYDICOM_IMPLEMENTATION_UID, ExplicitVRLittleEndian

EPOCH = datetime(2026, 1, 12, 9, 0)


@dataclass(frozen=True)
class Identity:
    """The identity of one simulated case.

    Attributes:
        seed: of the case.
    """

    seed: int

    @property
    def patient_id(self) -> str:
        """DICOM PatientID."""
        return f"SIM{self.seed:05d}"

    @property
    def patient_name(self) -> str:
        """DICOM PatientName."""
        return f"Virtual^Patient{self.seed}"

    @property
    def implant_at(self) -> datetime:
        """When the implant begins."""
        return EPOCH + timedelta(days=self.seed % 280)

    def uid(self, *names: object) -> str:
        """Return the UID of something of this case, always the same for the same names.

        UUID-derived as DICOM PS3.5 B.2 has it (2.25 and a 128-bit integer).
        """
        text = "/".join(map(str, ("seedguide simulator", self.seed, *names)))
        value = int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")
        return f"2.25.{value}"

    def dataset(self, sop_class: str, sop_instance_uid: str, at: datetime) -> FileDataset:
        """Return a data set with patient, study date and identity filled in.

        Args:
            sop_class: SOP Class UID.
            sop_instance_uid: SOP Instance UID.
            at: when the object was made.
        """
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = pydicom.uid.UID(sop_class)
        meta.MediaStorageSOPInstanceUID = pydicom.uid.UID(sop_instance_uid)
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
        data = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128, is_implicit_VR=False)
        data.SpecificCharacterSet = "ISO_IR 192"
        data.SOPClassUID = sop_class
        data.SOPInstanceUID = sop_instance_uid
        data.PatientID = self.patient_id
        data.PatientName = self.patient_name
        data.PatientBirthDate = ""
        data.PatientSex = "O"
        data.StudyID = str(self.seed)
        data.AccessionNumber = ""
        data.ReferringPhysicianName = ""
        data.Manufacturer = "seedguide simulator"
        for name in ("Study", "Series", "Content", "InstanceCreation"):
            setattr(data, f"{name}Date", at.strftime("%Y%m%d"))
            setattr(data, f"{name}Time", at.strftime("%H%M%S"))
        return data
