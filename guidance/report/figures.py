"""Pictures of the report: isodoses on CT slices, and the dose-volume histogram."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray
from scipy import ndimage

from dose.structures import Structure
from guidance.advice import TG43
from guidance.imaging.volume import Volume
from guidance.procedure.snapshot import DoseView, ModelledView, Snapshot

FloatArray = NDArray[np.float64]

# Percent of the prescription and colours that differ in lightness too (Okabe and Ito's palette).
ISODOSES = ((50, "#56b4e9"), (100, "#f0e442"), (150, "#e69f00"), (200, "#d55e00"))
WINDOW_HU = (-350.0, 850.0)
STYLES = ("-", ":", "--", "-.")
HALF_WIDTH_MM = 55.0
MOST_SLICES = 6
PIXEL_MM = 0.75
SEED_HALF_MM = 2.25
_LETTERS = (("L", "R"), ("P", "A"), ("H", "F"))


@dataclass(frozen=True, eq=False)
class Curve:
    """A cumulative histogram.

    Attributes:
        structure: its name.
        dose: what the dose says it is.
        dose_gy: (n,) ascending.
        volume_percent: (n,) of the structure that receives at least that.
    """

    structure: str
    dose: str
    dose_gy: FloatArray
    volume_percent: FloatArray


def slices_png(snapshot: Snapshot, target: Structure) -> bytes:
    """Return axial slices through the target with contours, isodoses and seeds, as PNG."""
    volume = snapshot.volume
    assert volume is not None
    points = np.concatenate(target.contours)
    heights = volume.geometry.patient_to_indices(points)[:, 2]
    first, last = round(float(heights.min())), round(float(heights.max()))
    last = min(max(last, 0), volume.geometry.shape[0] - 1)
    first = min(max(first, 0), last)
    chosen = np.unique(np.linspace(first, last, MOST_SLICES + 2).round().astype(int))
    chosen = chosen[1:-1] if len(chosen) > 3 else chosen
    columns = min(3, len(chosen))
    rows = -(-len(chosen) // columns)
    figure = Figure(figsize=(7.2, 2.55 * rows + 0.25), dpi=170)
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for place, k in zip(axes, chosen, strict=False):
        _slice(place, snapshot, volume, int(k), points.mean(axis=0))
    for place in axes[len(chosen) :]:
        place.set_axis_off()
    lines = [
        Line2D([], [], color=colour, label=f"{percent} % = {_gy(snapshot.dose, percent)}")
        for percent, colour in ISODOSES
        if snapshot.dose is not None
    ]
    lines += [
        Line2D([], [], color=_hex(s), lw=2, ls=":", label=s.name) for s in snapshot.structures
    ]
    figure.legend(handles=lines, loc="lower center", ncols=4, fontsize=6, frameon=False)
    figure.subplots_adjust(0.01, 0.5 / (2.55 * rows + 0.25), 0.99, 0.96, 0.03, 0.12)
    return _png(figure)


def dvh_png(
    dose: DoseView,
    planned: DoseView | None,
    modelled: ModelledView | None = None,
    engine: str = TG43,
) -> bytes:
    """Return the histograms as PNG: by the dose that leads solid, by the other dotted.

    Args:
        dose: of the implant, by TG-43.
        planned: of the plan, by TG-43; dashed.
        modelled: of the implant, model-based, to medium.
        engine: the dose that leads.
    """
    water, medium = ("-", ":") if engine == TG43 else (":", "-")
    figure = Figure(figsize=(7.0, 3.1), dpi=170)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for number, dvh in enumerate(dose.dvh):
        axes.plot(dvh.dose_gy, dvh.volume_percent, color=f"C{number}", ls=water, lw=1.4)
    for number, dvh in enumerate(planned.dvh if planned else ()):
        axes.plot(dvh.dose_gy, dvh.volume_percent, color=f"C{number}", ls="--", lw=1)
    for number, dvh in enumerate(dose.dvh if modelled else ()):
        found = modelled.of(dvh.structure) if modelled else None
        if found is not None:
            axes.plot(found.dose_gy, found.volume_percent, color=f"C{number}", ls=medium, lw=1.4)
    axes.axvline(dose.prescription_gy, color="0.5", lw=0.8)
    axes.set_xlim(0, 3.5 * dose.prescription_gy)
    axes.set_ylim(0, 101)
    axes.set_xlabel("dose / Gy")
    axes.set_ylabel("volume / %")
    axes.grid(color="0.9")
    lines = [Line2D([], [], color=f"C{k}", label=dvh.structure) for k, dvh in enumerate(dose.dvh)]
    styles = [("implant, TG-43", water)]
    if modelled is not None:
        styles.insert(engine == TG43, ("implant, Monte Carlo (research), to medium", medium))
    if planned is not None:
        styles.append(("plan, TG-43", "--"))
    lines += [Line2D([], [], color="0.2", ls=style, lw=1.4, label=said) for said, style in styles]
    axes.legend(handles=lines, fontsize=7)
    figure.tight_layout()
    return _png(figure)


def curves_png(curves: Sequence[Curve]) -> bytes:
    """Return histograms of one dose or more as PNG: a colour a structure, a line style a dose."""
    structures = list(dict.fromkeys(c.structure for c in curves))
    doses = list(dict.fromkeys(c.dose for c in curves))
    figure = Figure(figsize=(7.0, 4.4), dpi=170)
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for curve in curves:
        style = STYLES[doses.index(curve.dose) % len(STYLES)]
        colour = f"C{structures.index(curve.structure)}"
        axes.plot(curve.dose_gy, curve.volume_percent, color=colour, ls=style)
    lines = [Line2D([], [], color=f"C{k}", label=name) for k, name in enumerate(structures)]
    lines += [
        Line2D([], [], color="0.2", ls=s, label=d) for d, s in zip(doses, STYLES, strict=False)
    ]
    axes.set_xlim(0, None)
    axes.set_ylim(0, 101)
    axes.set_xlabel("dose / Gy")
    axes.set_ylabel("volume / %")
    axes.grid(color="0.9")
    axes.legend(handles=lines, fontsize=7)
    figure.tight_layout()
    return _png(figure)


def _slice(axes: Axes, snapshot: Snapshot, volume: Volume, k: int, about: FloatArray) -> None:
    geometry = volume.geometry
    centre = geometry.patient_to_indices(about[None])[0, :2]
    column_mm, row_mm = (float(v) for v in geometry.spacing_mm[:2])
    half = np.array((HALF_WIDTH_MM / column_mm, HALF_WIDTH_MM / row_mm))
    low = np.maximum(np.floor(centre - half).astype(int), 0)
    high = np.minimum(np.ceil(centre + half).astype(int), np.array(geometry.shape[:0:-1]))
    image = volume.hu[k, low[1] : high[1], low[0] : high[0]]
    axes.imshow(
        image,
        cmap="gray",
        vmin=WINDOW_HU[0],
        vmax=WINDOW_HU[1],
        extent=(low[0] - 0.5, high[0] - 0.5, high[1] - 0.5, low[1] - 0.5),
        aspect=row_mm / column_mm,
        interpolation="bilinear",
    )
    for structure in snapshot.structures:
        for contour in structure.contours:
            index = geometry.patient_to_indices(contour)
            if abs(float(index[:, 2].mean()) - k) <= 0.5:
                ring = np.vstack((index, index[:1]))
                axes.plot(ring[:, 0], ring[:, 1], ":", color=_hex(structure), lw=1.2)
    if snapshot.dose is not None:
        _isodoses(axes, snapshot.dose, volume, k, low, high)
    _seeds(axes, snapshot, volume, k)
    axes.set_xlim(low[0] - 0.5, high[0] - 0.5)
    axes.set_ylim(high[1] - 0.5, low[1] - 0.5)
    axes.set_xticks([])
    axes.set_yticks([])
    height = float(geometry.indices_to_patient(np.array([[centre[0], centre[1], k]]))[0, 2])
    axes.set_title(f"slice {k + 1}, z = {height:.1f} mm", fontsize=6, pad=2)
    for letter, x, y in _letters(geometry.index_to_patient):
        axes.text(
            x, y, letter, transform=axes.transAxes, color="yellow", fontsize=7, ha="center",
            va="center",
        )  # fmt: skip


def _isodoses(
    axes: Axes,
    dose: DoseView,
    volume: Volume,
    k: int,
    low: NDArray[np.int64],
    high: NDArray[np.int64],
) -> None:
    step = PIXEL_MM / float(volume.geometry.spacing_mm[0])
    i, j = np.meshgrid(np.arange(low[0], high[0], step), np.arange(low[1], high[1], step))
    index = np.column_stack((i.ravel(), j.ravel(), np.full(i.size, float(k))))
    points = volume.geometry.indices_to_patient(index)
    there = dose.geometry.patient_to_indices(points)[:, ::-1].T
    values = ndimage.map_coordinates(dose.dose_gy, there, np.float64, order=1, cval=0.0)
    values = values.reshape(i.shape)
    for percent, colour in ISODOSES:
        level = dose.prescription_gy * percent / 100.0
        if values.min() < level < values.max():
            axes.contour(i, j, values, levels=[level], colors=[colour], linewidths=0.9)


def _seeds(axes: Axes, snapshot: Snapshot, volume: Volume, k: int) -> None:
    for seed in snapshot.seeds:
        axis = np.array(seed.axis or (0.0, 0.0, 0.0))
        ends = np.array(seed.position_mm) + SEED_HALF_MM * np.array((-1.0, 1.0))[:, None] * axis
        index = volume.geometry.patient_to_indices(ends)
        if abs(float(index[:, 2].mean()) - k) > 0.5:
            continue
        colour = "#009e73" if seed.status == "seen" else "#cc79a7"
        axes.plot(index[:, 0], index[:, 1], "-", color=colour, lw=2.2, solid_capstyle="round")


def _letters(affine: FloatArray) -> tuple[tuple[str, float, float], ...]:
    """Return the patient's sides at the right, left, lower and upper edge."""
    right, down = affine[:3, 0], affine[:3, 1]
    return (
        (_side(right), 0.96, 0.5),
        (_side(-right), 0.04, 0.5),
        (_side(down), 0.5, 0.05),
        (_side(-down), 0.5, 0.95),
    )


def _side(direction: FloatArray) -> str:
    axis = int(np.argmax(np.abs(direction)))
    return _LETTERS[axis][0 if direction[axis] > 0 else 1]


def _gy(dose: DoseView | None, percent: int) -> str:
    return f"{dose.prescription_gy * percent / 100:.0f} Gy" if dose else ""


def _hex(structure: Structure) -> str:
    return "#{:02x}{:02x}{:02x}".format(*structure.color)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
