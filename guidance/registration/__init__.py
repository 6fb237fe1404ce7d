"""Bringing the plan into the frame of the scans in the room."""
