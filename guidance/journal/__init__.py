"""The durable, ordered, hash-chained record of a procedure."""

from guidance.journal.journal import Journal, Record, Verification

__all__ = ["Journal", "Record", "Verification"]
