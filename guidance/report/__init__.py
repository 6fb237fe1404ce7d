"""The post-implant report that the physicist signs."""

from guidance.report.document import write_report

__all__ = ["write_report"]
