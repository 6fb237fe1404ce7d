"""The heart: advance(state, event) -> state, effects. Pure."""
