"""DICOM RT objects in and out, masks in, volumes out."""

from guidance.exchange.dose import DoseVolume, read_dose
from guidance.exchange.images import write_volume
from guidance.exchange.masks import Mask, is_mask_file, read_masks
from guidance.exchange.plan import read_plan
from guidance.exchange.reference import ExportReference
from guidance.exchange.structures import StructureSet, read_structures
from guidance.exchange.writing import write_dose, write_plan, write_structures

__all__ = [
    "DoseVolume",
    "ExportReference",
    "Mask",
    "StructureSet",
    "is_mask_file",
    "read_dose",
    "read_masks",
    "read_plan",
    "read_structures",
    "write_dose",
    "write_plan",
    "write_structures",
    "write_volume",
]
