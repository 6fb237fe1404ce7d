"""Needles and seeds found in CT."""
