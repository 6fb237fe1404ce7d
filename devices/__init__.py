"""The cables: DICOM, the applicator's serial link. No clinical meaning lives here."""
