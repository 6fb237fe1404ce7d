"""Every seed has a place at every moment."""
