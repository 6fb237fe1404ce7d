"""Needles and seeds found in CT."""

from guidance.detection.detect import detect
from guidance.detection.detections import DetectedNeedle, DetectedSeed, Detections
from guidance.detection.warming import warm_up

__all__ = ["DetectedNeedle", "DetectedSeed", "Detections", "detect", "warm_up"]
