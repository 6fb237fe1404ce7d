"""What a named case is made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """The ingredients of a case; sizes and places are drawn from the case's seed.

    Attributes:
        about: what is hard about it, one line.
        level: ``lumbar``, ``thoracic`` (with lungs and ribs), or a vertebra from T1 to L5.
        prone: patient position.
        seeds: in all.
        needles: left in while the scan is taken.
        in_bone: seeds that lie in vertebra, of ``seeds``.
        beside_bone: seeds that touch its cortex, of ``seeds``.
        side_pairs: pairs of seeds side by side, 0.85 to 2 mm between their axes.
        end_pairs: pairs of seeds end to end, 4.5 to 5.5 mm between their centres.
        cross_pairs: pairs of seeds crossing, at 30 to 90 degrees.
        beyond_tip: seeds just ahead of a needle's tip, at most one for each needle.
        bend_mm: (smallest, largest) radius of the needles' bend; none if straight.
        crossing: whether needles cross each other.
        oblique_deg: largest angle of needles to the plane of the slices.
        approach_deg: (smallest, largest) angle of the needles from straight through the back.
        stylets: whether needles hold their stylets.
        screws: pedicle screws, with a rod between them.
        cement: droplets of cement, the first of them large.
        skin: markers and wires on the skin of the back.
        calcium: calcifications in the aorta and in soft tissue.
        gold: gold markers in or near the target.
        clips: surgical clips.
        model: of the seeds.
        pixel_mm: of the images.
        tilt_deg: of the gantry.
        breathing_mm: amplitude along the body while the scan is taken.
        kernel: of the reconstruction.
        dose: relative to the usual.
        extended: whether HU go beyond 3071.
    """

    about: str
    level: str = "lumbar"
    prone: bool = True
    seeds: int = 60
    needles: int = 4
    in_bone: int = 0
    beside_bone: int = 0
    side_pairs: int = 0
    end_pairs: int = 0
    cross_pairs: int = 0
    beyond_tip: int = 0
    bend_mm: tuple[float, float] | None = None
    crossing: bool = False
    oblique_deg: float = 8.0
    approach_deg: tuple[float, float] = (8.0, 30.0)
    stylets: bool = True
    screws: int = 0
    cement: int = 0
    skin: int = 0
    calcium: int = 0
    gold: int = 0
    clips: int = 0
    model: str = "6711"
    pixel_mm: float = 0.75
    tilt_deg: float = 0.0
    breathing_mm: float = 0.0
    kernel: str = "soft"
    dose: float = 1.0
    extended: bool = False
