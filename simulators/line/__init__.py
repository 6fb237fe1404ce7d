"""The serial cable: a pty, and its faults."""
