"""The mechanics of a Mick-style applicator."""
