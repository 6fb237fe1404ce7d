"""The serial cable and its faults."""

from simulators.line.cable import CableFaults, FaultyCable, Lane

__all__ = ["CableFaults", "FaultyCable", "Lane"]
