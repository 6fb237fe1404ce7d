"""The post-implant report that the physicist signs."""

from guidance.report.document import write_report
from guidance.report.figures import Curve, curves_png

__all__ = ["Curve", "curves_png", "write_report"]
