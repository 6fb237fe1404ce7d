"""Comparison with the truth of a simulated case."""
