"""Conditions that a person must know of: raised, latched, acknowledged by name."""
