"""Where the target is cold and which seeds would mend it."""
