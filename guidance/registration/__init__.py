"""Bringing the planning CT's frame over to the room's."""

from guidance.registration.register import Registration, register, residual_mm

__all__ = ["Registration", "register", "residual_mm"]
