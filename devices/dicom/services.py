"""UIDs of the services that we use or offer beside storage (PS3.6 annex A)."""

STORAGE_COMMITMENT = "1.2.840.10008.1.20.1"
WORKLIST_FIND = "1.2.840.10008.5.1.4.31"
STUDY_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
STUDY_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_GET = "1.2.840.10008.5.1.4.1.2.2.3"
