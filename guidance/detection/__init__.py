"""Needles and seeds found in CT."""

from guidance.detection.detect import detect
from guidance.detection.detections import DetectedNeedle, DetectedSeed, Detections

__all__ = ["DetectedNeedle", "DetectedSeed", "Detections", "detect"]
