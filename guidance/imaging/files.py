"""From paths to CT frames: which files are images of the series, and what the others are."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    EnhancedCTImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    LegacyConvertedEnhancedCTImageStorage,
)

from guidance.errors import ImportRefused, refusing_damage
from guidance.imaging.frame import Frame, image_type, read_frame
from guidance.imaging.pixels import Plane, decode, to_hounsfield

CT_CLASSES = (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)


@dataclass(frozen=True)
class Aside:
    """Something that is no part of the volume.

    Attributes:
        file: its name.
        what: such as ``RTSTRUCT object`` or ``localizer``.
        series_instance_uid: its series, may be empty.
        modality: DICOM Modality; empty for what is not DICOM.
    """

    file: str
    what: str
    series_instance_uid: str = ""
    modality: str = ""


@dataclass(frozen=True, eq=False)
class Image:
    """One image plane with its pixels."""

    frame: Frame
    plane: Plane


def find_files(source: Path | Sequence[Path]) -> tuple[Path, ...]:
    """List the files of a folder (and of the folders in it), or check a list of files.

    Raises:
        ImportRefused: there are none.
    """
    if not isinstance(source, Path):
        files = tuple(Path(f) for f in source)
        if not files:
            raise ImportRefused("no files were given")
        return files
    if source.is_file():
        return (source,)
    if not source.is_dir():
        raise ImportRefused(f"{source}: there is no such file or folder")
    found = (f for f in source.rglob("*") if f.is_file() and not f.name.startswith("."))
    files = tuple(sorted(f for f in found if f.name.upper() != "DICOMDIR"))
    if not files:
        raise ImportRefused(f"{source}: the folder is empty")
    return files


def read_images(path: Path) -> tuple[Image, ...] | Aside:
    """Read one file: the planes of a CT object, or what else it is.

    Raises:
        ImportRefused: it is, or was meant to be, a CT image and cannot be used.
    """
    dataset = _open(path)
    if dataset is None:
        return Aside(path.name, "not a DICOM object")
    with refusing_damage(path.name):
        return _images_of(dataset, path.name)


def _images_of(dataset: Dataset, file: str) -> tuple[Image, ...] | Aside:
    modality = str(dataset.get("Modality") or "").strip()
    series = str(dataset.get("SeriesInstanceUID") or "")
    aside = _not_a_slice(dataset, modality)
    if aside:
        return Aside(file, aside, series, modality)
    if "PixelData" not in dataset:
        raise ImportRefused(f"{file}: a CT image without pixels; send it again")
    _check_format(dataset, file)
    count = int(dataset.get("NumberOfFrames") or 1)
    frames = [read_frame(dataset, i, file) for i in range(count)]
    stored = decode(dataset, file)
    bits, signed = int(dataset.BitsStored), bool(dataset.PixelRepresentation)
    return tuple(
        Image(frame, to_hounsfield(stored[i], frame, bits, signed=signed))
        for i, frame in enumerate(frames)
    )


def _open(path: Path) -> Dataset | None:
    """Read a file; None if it is nothing of DICOM's."""
    try:
        with path.open("rb") as file:
            head = file.read(132)
        meant = head[128:] == b"DICM" or path.suffix.lower() in (".dcm", ".dicom")
        if not head:
            raise EOFError("no bytes")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd values are judged one by one, where used
            dataset = dcmread(path, force=True)
    except OSError as error:
        raise ImportRefused(f"{path.name}: cannot be read: {error.strerror}") from error
    except Exception as error:
        if not meant and head:
            return None
        raise ImportRefused(
            f"{path.name}: cut short or damaged, it cannot be read to its end; send it again"
        ) from error
    if "SOPClassUID" not in dataset and "Modality" not in dataset:
        if meant:
            raise ImportRefused(f"{path.name}: cut short or damaged, nothing in it can be read")
        return None
    _name_syntax(dataset)
    return dataset


def _name_syntax(dataset: Dataset) -> None:
    """Fill in the transfer syntax of a file without file meta header, as it was parsed."""
    if getattr(dataset, "file_meta", None) is None:
        dataset.file_meta = FileMetaDataset()
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        if implicit:
            syntax = ImplicitVRLittleEndian
        else:
            syntax = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = syntax


def _not_a_slice(dataset: Dataset, modality: str) -> str:
    """Name what an object is if it is no CT slice; empty if it is one."""
    sop_class = dataset.get("SOPClassUID")
    types = [t.upper() for t in image_type(dataset)]
    if sop_class is not None and sop_class != "" and sop_class not in CT_CLASSES:
        name = getattr(sop_class, "name", str(sop_class))
        return f"{modality or 'unknown modality'} object ({name})"
    if modality != "CT":
        return f"{modality or 'unknown modality'} object"
    if "LOCALIZER" in types:
        return "localizer"
    if int(dataset.get("SamplesPerPixel") or 1) != 1:
        return "colour picture (screen capture or report)"
    single = not dataset.get("PerFrameFunctionalGroupsSequence")
    if single and not dataset.get("ImagePositionPatient") and "SECONDARY" in types:
        return "picture without a position (screen capture or report)"
    return ""


def _check_format(dataset: Dataset, file: str) -> None:
    needed = ("Rows", "Columns", "BitsAllocated", "BitsStored", "PixelRepresentation")
    missing = [k for k in needed if dataset.get(k) is None]
    if missing:
        raise ImportRefused(f"{file}: {', '.join(missing)} missing; the image cannot be read")
    if int(dataset.BitsAllocated) not in (8, 16, 32) or not (
        1 <= int(dataset.BitsStored) <= int(dataset.BitsAllocated)
    ):
        raise ImportRefused(
            f"{file}: {dataset.BitsStored} bits stored of {dataset.BitsAllocated} allocated "
            "is no CT image"
        )
    colours = str(dataset.get("PhotometricInterpretation") or "MONOCHROME2")
    if colours != "MONOCHROME2":
        raise ImportRefused(f"{file}: PhotometricInterpretation {colours} is no CT image")
