"""Pictures of an assignment: what the CT showed beside what the photons meet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from dose.seeds import Seeds
from guidance.media.assignment import PatientMedia

# By name, so that a medium has one colour in all pictures.
COLOURS = {
    "air": "#000000",
    "lung": "#5b7fa6",
    "adipose": "#e8d27a",
    "muscle": "#b5543f",
    "spongiosa": "#c9a98c",
    "bone, one third cortical": "#d9c4b0",
    "bone, two thirds cortical": "#e9dfd5",
    "cortical bone": "#ffffff",
    "bone cement": "#52c7b8",
}
OTHER = "#9a6fd0"
WINDOW_HU = (-250.0, 1250.0)
SLICES = 3


def write_pictures(folder: Path, assigned: PatientMedia, seeds: Seeds) -> tuple[Path, ...]:
    """Write one PNG for each of three slices through the implant.

    Args:
        folder: made if it is not there.
        assigned: media of the patient.
        seeds: marked where they lie within half a slice.
    """
    folder.mkdir(parents=True, exist_ok=True)
    grid = assigned.media.geometry
    index = grid.patient_to_indices(seeds.position_mm)
    levels = np.unique(np.rint(np.quantile(index[:, 2], (0.1, 0.5, 0.9))).astype(int))
    return tuple(_slice(folder, assigned, index, int(k)) for k in levels[:SLICES])


def _slice(folder: Path, assigned: PatientMedia, index: np.ndarray, k: int) -> Path:
    media, cleaned = assigned.media, assigned.cleaned
    grid, ct = media.geometry, cleaned.geometry
    figure = Figure(figsize=(13.5, 5.2), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 3)
    j, i = np.indices(grid.shape[1:])
    patient = grid.indices_to_patient(np.stack((i, j, np.full(i.shape, k)), axis=-1))
    spot = np.rint(ct.patient_to_indices(patient)).astype(int)
    spot = np.clip(spot, 0, np.array(ct.shape[::-1]) - 1)
    shown = assigned.original_hu[spot[..., 2], spot[..., 1], spot[..., 0]]
    z = float(grid.indices_to_patient((0, 0, k))[2])
    axes[0].imshow(shown, cmap="gray", vmin=WINDOW_HU[0], vmax=WINDOW_HU[1])
    axes[0].set_title(f"CT, z = {z:.0f} mm")
    names = [m.name for m in media.materials]
    colours = ListedColormap([COLOURS.get(n, OTHER) for n in names])
    norm = BoundaryNorm(np.arange(len(names) + 1) - 0.5, len(names))
    axes[1].imshow(media.index[k], cmap=colours, norm=norm, interpolation="nearest")
    axes[1].set_title("media of the transport")
    there = np.unique(media.index[k])
    axes[1].legend(
        handles=[Patch(facecolor=COLOURS.get(names[n], OTHER), label=names[n]) for n in there],
        loc="lower right", fontsize=7, facecolor="#404040", labelcolor="white",
    )  # fmt: skip
    picture = axes[2].imshow(media.density_g_cm3[k], cmap="cividis", vmin=0.0, vmax=2.0)
    axes[2].set_title("density, g/cm³")
    figure.colorbar(picture, ax=axes[2], shrink=0.8)
    near = index[np.abs(index[:, 2] - k) <= max(0.5, 2.25 / grid.spacing_mm[2])]
    for axis in axes:
        axis.plot(near[:, 0], near[:, 1], "+", color="#00e0ff", markersize=7, linestyle="none")
        axis.set_xticks([])
        axis.set_yticks([])
    path = folder / f"media-{k:03d}.png"
    figure.savefig(path)
    return path
