"""The report of an implant as PDF."""
