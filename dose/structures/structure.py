"""A structure as a stack of closed planar contours."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Structure:
    """A region of the patient drawn as closed planar contours.

    Attributes:
        name: ROIName.
        contours: each (n, 3) vertices in LPS mm, closed implicitly; all planes parallel to
            one another, in any orientation. Several loops in one plane combine by XOR (holes).
        role: RTROIInterpretedType (GTV, CTV, ORGAN, ...), may be empty.
        frame_of_reference_uid: frame of the vertices.
        color: display colour (r, g, b), 0 to 255.
    """

    name: str
    contours: tuple[NDArray[np.float64], ...]
    role: str = ""
    frame_of_reference_uid: str = ""
    color: tuple[int, int, int] = (255, 255, 0)
