"""The physics of permanent seed brachytherapy: a library in its own right.

Patient frame: DICOM LPS in millimetres; arrays are ``[z, y, x]``, points ``(x, y, z)``.
Dose is in Gy to full decay unless a name says otherwise.
"""
