"""The scripted operator: draws a case, places needles, drops seeds, knows the truth."""

from simulators.operator.case import LEVELS, Case, draw_case
from simulators.operator.gantry import Gantry, Peer
from simulators.operator.suite import GaveUpError, Operator, serve

__all__ = ["LEVELS", "Case", "Gantry", "GaveUpError", "Operator", "Peer", "draw_case", "serve"]
