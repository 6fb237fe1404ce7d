"""The one writer of state and journal; runs the effects of the procedure."""
