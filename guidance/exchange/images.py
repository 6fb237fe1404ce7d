"""Volumes out to other programs: NRRD, NIfTI, MetaImage."""

from __future__ import annotations

from pathlib import Path

import SimpleITK as sitk

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
    image = sitk.GetImageFromArray(straight.hu)
    image.SetOrigin([float(v) for v in straight.geometry.origin_mm])
    image.SetSpacing([float(v) for v in straight.geometry.spacing_mm])
    image.SetDirection([float(v) for v in straight.geometry.axes.ravel()])
    try:
        sitk.WriteImage(image, str(path), useCompression=True)
    except RuntimeError as error:
        raise CommandError(f"{path} cannot be written") from error
    return straight
