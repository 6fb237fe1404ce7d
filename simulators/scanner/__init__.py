"""The virtual CT scanner: images, and DICOM over the wire."""
