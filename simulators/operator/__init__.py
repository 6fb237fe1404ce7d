"""The scripted operator, and the suite that ties all together."""
