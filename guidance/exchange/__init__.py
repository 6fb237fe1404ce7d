"""DICOM RT objects in and out."""
