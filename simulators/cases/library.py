"""The library: cases by name, from easy to cruel."""

from __future__ import annotations

from simulators.cases.recipe import Recipe

# Through the flank: a patient who lies on the back offers nothing else.
_FLANK = (62.0, 85.0)

LIBRARY: dict[str, Recipe] = {
    "empty": Recipe("no metal at all", seeds=0, needles=0),
    "dozen": Recipe("twelve seeds well apart", seeds=12, needles=0),
    "straight": Recipe("four straight needles, no seed", seeds=0, needles=4),
    "implant": Recipe("an ordinary implant, needles out", seeds=40, needles=0, beside_bone=4),
    "dense": Recipe(
        "80 seeds close together", seeds=80, needles=4, in_bone=4, beside_bone=6, side_pairs=2
    ),
    "bone": Recipe(
        "most seeds in and beside bone", needles=5, in_bone=24, beside_bone=14, end_pairs=1
    ),
    "side": Recipe("twelve pairs side by side", side_pairs=12, in_bone=4),
    "end": Recipe("twelve pairs end to end", prone=False, approach_deg=_FLANK, end_pairs=12),
    "cross": Recipe("twelve pairs that cross", cross_pairs=12, beside_bone=6),
    "beyond": Recipe(
        "seeds ahead of needle tips", seeds=50, needles=8, beyond_tip=8, in_bone=4, oblique_deg=20
    ),
    "bent": Recipe(
        "eight bent needles", seeds=55, needles=8, bend_mm=(250, 900), beyond_tip=3, beside_bone=4
    ),
    "crossing": Recipe(
        "needles that cross", seeds=50, needles=8, crossing=True, oblique_deg=25, in_bone=6
    ),
    "oblique": Recipe(
        "needles steeply out of plane", seeds=50, needles=8, oblique_deg=50, bend_mm=(600, 1500)
    ),
    "screws": Recipe(
        "screws and a rod beside the target", needles=5, screws=4, in_bone=6, side_pairs=2
    ),
    "cement": Recipe(
        "cement droplets the size of seeds",
        prone=False, approach_deg=_FLANK, cement=14, in_bone=8, end_pairs=2,
    ),
    "skin": Recipe(
        "markers and wires on the skin, clips", seeds=55, needles=6, skin=10, clips=6,
        cross_pairs=2, stylets=False,
    ),
    "calcium": Recipe(
        "calcifications and gold markers", seeds=70, calcium=18, gold=4, beside_bone=6,
        level="thoracic",
    ),
    "thorax": Recipe(
        "beside the lung, with bent oblique needles", level="thoracic", needles=7,
        bend_mm=(300, 900), oblique_deg=30, beyond_tip=3, in_bone=5, side_pairs=3,
    ),
    "hundred": Recipe(
        "100 seeds, ten needles, a bit of everything", seeds=100, needles=10, in_bone=8,
        side_pairs=3, end_pairs=3, cross_pairs=3, beyond_tip=4, oblique_deg=20,
        bend_mm=(400, 1500),
    ),
    "cruel": Recipe(
        "everything at once, less dose", prone=False, approach_deg=_FLANK, seeds=90, needles=8,
        in_bone=10, side_pairs=5, end_pairs=4, cross_pairs=4, beyond_tip=4, bend_mm=(250, 900),
        crossing=True, oblique_deg=35, screws=2, cement=8, skin=5, calcium=8, gold=2, clips=3,
        dose=0.5,
    ),
    "cruel-prone": Recipe(
        "everything at once, less dose", level="thoracic", seeds=85, needles=9, in_bone=10,
        side_pairs=5, end_pairs=4, cross_pairs=4, beyond_tip=4, bend_mm=(250, 900),
        crossing=True, oblique_deg=35, screws=4, skin=6, calcium=8, clips=3, dose=0.5,
    ),
    "tilted": Recipe("gantry tilted by 15 degrees", seeds=50, needles=5, tilt_deg=15.0),
    "breathing": Recipe("the patient breathes", seeds=50, needles=4, breathing_mm=2.0),
    "sharp": Recipe("bone kernel, small pixels", seeds=50, kernel="bone", pixel_mm=0.5, in_bone=8),
    "extended": Recipe("HU beyond 3071, large pixels", seeds=50, extended=True, pixel_mm=0.977),
    "models": Recipe("seeds with gold wires", seeds=50, needles=4, model="CS-1"),
}  # fmt: skip

# What detection is measured on.
HARD = (
    "dense", "bone", "side", "end", "cross", "beyond", "bent", "crossing", "oblique", "screws",
    "cement", "skin", "calcium", "thorax", "hundred", "cruel", "cruel-prone",
)  # fmt: skip
