"""Speed as ratios within one run: against a peer, a reference or a limit of the hardware."""
