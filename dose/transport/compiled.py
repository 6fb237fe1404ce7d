"""How the innermost parts of the transport are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def within(function: Callable[..., Any]) -> Any:
    """Compile a function that compiled ones alone call, and that makes no arrays.

    It becomes part of its caller: to hand over the arrays of a ``World`` takes as long as
    several steps from voxel to voxel. References to arrays are not counted (``_nrt``), over
    which the threads would fight; the caller holds them.
    """
    return njit(cache=True, nogil=True, forceinline=True, _nrt=False)(function)  # type: ignore[call-overload]
