"""Bringing the planning CT's frame over to the room's."""

from guidance.registration.register import Registration, register

__all__ = ["Registration", "register"]
