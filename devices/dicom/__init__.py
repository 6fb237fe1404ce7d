"""The DICOM cable: receiving and sending, as bytes and files."""
