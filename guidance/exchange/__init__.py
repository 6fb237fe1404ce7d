"""DICOM RT objects in and out."""

from guidance.exchange.dose import DoseVolume, read_dose
from guidance.exchange.plan import read_plan
from guidance.exchange.reference import ExportReference
from guidance.exchange.structures import StructureSet, read_structures
from guidance.exchange.writing import write_dose, write_plan, write_structures

__all__ = [
    "DoseVolume",
    "ExportReference",
    "StructureSet",
    "read_dose",
    "read_plan",
    "read_structures",
    "write_dose",
    "write_plan",
    "write_structures",
]
