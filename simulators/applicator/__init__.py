"""The applicator on its serial line, and the hands that work it."""

from simulators.applicator.station import ApplicatorStation, Cut, Outcome

__all__ = ["ApplicatorStation", "Cut", "Outcome"]
