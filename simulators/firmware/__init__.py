"""The controller: its own codec, memory and rules."""
