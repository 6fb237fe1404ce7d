"""Seeds as the dose library sees them: where, which way, how strong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dose.errors import SeedError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Seeds:
    """Seeds of one model.

    Attributes:
        position_mm: (n, 3) centres in the patient frame (LPS, mm).
        axis: (n, 3) unit direction of each seed's long axis; a row of NaN where the axis is
            unknown, which asks for the point-source (1D) formalism.
        strength_u: (n,) air-kerma strength in U (1 U = 1 cGy cm^2/h) at the moment of implant.
    """

    position_mm: FloatArray
    axis: FloatArray
    strength_u: FloatArray

    def __post_init__(self) -> None:
        """Validate shapes and values, normalise the axes, and freeze the arrays."""
        position = np.array(self.position_mm, dtype=np.float64).reshape(-1, 3)
        axis = np.array(self.axis, dtype=np.float64).reshape(-1, 3)
        strength = np.array(self.strength_u, dtype=np.float64).reshape(-1)
        if not len(position) == len(axis) == len(strength):
            raise SeedError(
                f"{len(position)} positions, {len(axis)} axes and {len(strength)} strengths "
                "do not belong together"
            )
        for i in range(len(position)):
            which = f"seed {i}: " if len(position) > 1 else ""
            _check_seed(which, position[i], axis[i], strength[i])
        length = np.linalg.norm(axis, axis=1, keepdims=True)
        axis = np.where(np.isnan(length), np.nan, axis / np.where(length > 0, length, 1.0))
        for name, array in (("position_mm", position), ("axis", axis), ("strength_u", strength)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def __len__(self) -> int:
        """Count the seeds."""
        return len(self.strength_u)

    def __eq__(self, other: object) -> bool:
        """Tell whether these are the same seeds, in the same order."""
        return (
            isinstance(other, Seeds)
            and np.array_equal(self.position_mm, other.position_mm)
            and np.array_equal(self.axis, other.axis, equal_nan=True)
            and np.array_equal(self.strength_u, other.strength_u)
        )

    __hash__ = None  # type: ignore[assignment]

    def __getitem__(self, which: ArrayLike) -> Self:
        """Return those of some indices (m,)."""
        at = np.asarray(which, dtype=np.intp)
        return type(self)(self.position_mm[at], self.axis[at], self.strength_u[at])

    def __iter__(self) -> Iterator[Self]:
        """Go through the seeds one by one."""
        return (self[[i]] for i in range(len(self)))

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        """Join seeds into one."""
        return cls(
            np.concatenate([p.position_mm for p in parts]),
            np.concatenate([p.axis for p in parts]),
            np.concatenate([p.strength_u for p in parts]),
        )


def _check_seed(which: str, position: FloatArray, axis: FloatArray, strength: float) -> None:
    if not np.isfinite(position).all():
        raise SeedError(f"{which}position {position} is not a point")
    if not (np.isfinite(strength) and strength > 0):
        raise SeedError(f"{which}air-kerma strength must be positive, not {strength} U")
    known = np.isfinite(axis)
    if known.any() and not (known.all() and np.linalg.norm(axis) > 1e-6):
        raise SeedError(f"{which}axis {axis} is not a direction")
