"""The plan of the implant: prescription, needles, seeds, limits."""
