"""Masks of structures: NRRD (3D Slicer's segmentations as well), NIfTI, MetaImage."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from dose.errors import GeometryError
from dose.geometry import GridGeometry
from guidance.errors import ImportRefused

SUFFIXES = (".nrrd", ".nii", ".nii.gz", ".mha", ".mhd")


@dataclass(frozen=True, eq=False)
class Mask:
    """One structure as voxels.

    Attributes:
        name: the segment's, else ``label 1`` and so on.
        inside: (nz, ny, nx) bool.
        geometry: where it lies (LPS mm); masks name no frame of reference.
    """

    name: str
    inside: NDArray[np.bool_]
    geometry: GridGeometry


def is_mask_file(path: Path) -> bool:
    """Tell by its name whether a file holds masks."""
    return path.name.lower().endswith(SUFFIXES)


def read_masks(path: Path) -> tuple[Mask, ...]:
    """Read every label of a mask file but 0.

    Raises:
        ImportRefused: it is no image of whole numbers in one layer, or nothing is marked.
    """
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise ImportRefused(f"{path} cannot be read as an image") from error
    voxels = sitk.GetArrayFromImage(image)
    if voxels.ndim != 3:
        raise ImportRefused(f"{path}: one layer in three dimensions is wanted")
    if not np.array_equal(voxels, np.rint(voxels)):
        raise ImportRefused(f"{path} is no mask: it holds values that are not whole numbers")
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    try:
        geometry = GridGeometry(voxels.shape, affine)
    except GeometryError as error:
        raise ImportRefused(f"{path}: {error}") from error
    names = _segment_names(image)
    labels = [int(v) for v in np.unique(voxels) if v]
    if not labels:
        raise ImportRefused(f"{path}: no voxel is marked")
    return tuple(Mask(names.get(n, f"label {n}"), voxels == n, geometry) for n in labels)


def _segment_names(image: sitk.Image) -> dict[int, str]:
    """Return the names that 3D Slicer writes beside the labels."""
    keys = [k for k in image.GetMetaDataKeys() if k.endswith("_LabelValue")]
    names = {}
    for key in keys:
        name_key = key.replace("_LabelValue", "_Name")
        if image.HasMetaDataKey(name_key):
            names[int(image.GetMetaData(key))] = str(image.GetMetaData(name_key))
    return names
