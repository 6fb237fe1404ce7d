"""The durable, ordered, hash-chained record of a procedure."""
