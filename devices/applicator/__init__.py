"""The serial link to the applicator controller (seedline 1)."""
