"""Needles and seeds: planned, counted and seen, matched to each other."""
