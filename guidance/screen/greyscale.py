"""Grey scales: how Hounsfield units become light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guidance.screen.language import marked


@dataclass(frozen=True)
class GreyScale:
    """Width and level of the grey scale, HU, with its name."""

    name: str
    width_hu: float
    level_hu: float

    def table(self) -> NDArray[np.uint8]:
        """Return the grey of each of the 65536 values of a voxel, by its bit pattern."""
        hu = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.float32)
        grey = (hu - (self.level_hu - self.width_hu / 2)) * (255.0 / self.width_hu)
        return np.asarray(np.clip(grey, 0, 255).astype(np.uint8))


# Keys 1 to 9; width and level in HU.
PRESETS = (
    GreyScale(marked("bone"), 2500, 480),
    GreyScale(marked("soft tissue"), 400, 40),
    GreyScale(marked("lung"), 1500, -600),
    GreyScale(marked("liver"), 150, 90),
    GreyScale(marked("brain"), 80, 40),
    GreyScale(marked("metal"), 3000, 1500),
    GreyScale(marked("spine"), 1000, 250),
    GreyScale(marked("wide"), 4000, 700),
    GreyScale(marked("fat"), 300, -80),
)
