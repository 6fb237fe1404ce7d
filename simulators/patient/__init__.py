"""The virtual patient: anatomy, needles, seeds."""
