"""Volumes out to other programs: NRRD, NIfTI, MetaImage."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from dose.geometry import GridGeometry
from guidance.errors import CommandError
from guidance.exchange.masks import SUFFIXES, is_mask_file
from guidance.imaging.straight import straightened
from guidance.imaging.volume import Volume


def write_volume(path: Path, volume: Volume) -> Volume:
    """Write a volume in Hounsfield units; gantry tilt is resampled, since no format holds it.

    Args:
        path: its ending says the format.
        volume: of any orientation.

    Returns:
        The volume as written.

    Raises:
        CommandError: the ending is not known, or the file cannot be written.
    """
    if not is_mask_file(path):
        raise CommandError(f"{path}: write one of {', '.join(SUFFIXES)}")
    straight = straightened(volume)
    write_map(path, straight.hu, straight.geometry)
    return straight


def write_map(
    path: Path, values: NDArray[np.int16] | NDArray[np.float32], geometry: GridGeometry
) -> Path:
    """Write values (nz, ny, nx) on a grid at right angles; the path's ending says the format.

    Raises:
        CommandError: the file cannot be written.
    """
    image = sitk.GetImageFromArray(values)
    image.SetOrigin([float(v) for v in geometry.origin_mm])
    image.SetSpacing([float(v) for v in geometry.spacing_mm])
    image.SetDirection([float(v) for v in geometry.axes.ravel()])
    try:
        sitk.WriteImage(image, str(path), useCompression=True)
    except RuntimeError as error:
        raise CommandError(f"{path} cannot be written") from error
    return path
