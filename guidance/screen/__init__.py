"""The room display: a function of the snapshot and of nothing else."""

from guidance.screen.acts import Acts
from guidance.screen.picture import render_png
from guidance.screen.stage import play
from guidance.screen.window import RoomWindow

__all__ = ["Acts", "RoomWindow", "play", "render_png"]
