"""The TG-43 formalism, one function for each symbol: the float64 reference.

Sources: TG-43U1 (Rivard et al., Med Phys 31:633, 2004), U1S1 (Med Phys 34:2187, 2007) for
interpolation and extrapolation. Lengths are in cm, rates in cGy/h, as in the reports.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dose.sources import SourceModel
from dose.strength import mean_life_h

FloatArray = NDArray[np.float64]

R_0_CM = 1.0


def geometry_function(r_cm: ArrayLike, theta: ArrayLike, active_length_cm: float) -> FloatArray:
    """G_L(r, theta) of a line source in cm^-2 (TG-43U1 Eq. 4), theta in radians.

    On the axis the limit 1/(r^2 - L^2/4) is taken.
    """
    r, theta = np.asarray(r_cm, np.float64), np.asarray(theta, np.float64)
    half = active_length_cm / 2
    along, away = r * np.cos(theta), np.abs(r * np.sin(theta))
    on_axis = away < 1e-6
    safe_away = np.where(on_axis, 1.0, away)
    beta = np.arctan2(along + half, safe_away) - np.arctan2(along - half, safe_away)
    off_axis_value = beta / (active_length_cm * safe_away)
    beyond = np.maximum(r**2 - half**2, 1e-12)
    return np.asarray(np.where(on_axis, 1.0 / beyond, off_axis_value))


def radial_dose_function(r_cm: ArrayLike, source: SourceModel) -> FloatArray:
    """g_L(r) (TG-43U1 Eq. 6).

    Log-linear between nodes; the nearest value below the first; a single exponential through
    the last two beyond the last (U1S1, section on interpolation and extrapolation).
    """
    r = np.maximum(np.asarray(r_cm, np.float64), source.g_r_cm[0])
    nodes, log_g = source.g_r_cm, np.log(source.g_l)
    inside = np.interp(r, nodes, log_g)
    slope = (log_g[-1] - log_g[-2]) / (nodes[-1] - nodes[-2])
    outside = log_g[-1] + slope * (r - nodes[-1])
    return np.asarray(np.exp(np.where(r > nodes[-1], outside, inside)))


def anisotropy_function(r_cm: ArrayLike, theta: ArrayLike, source: SourceModel) -> FloatArray:
    """F(r, theta) (TG-43U1 Eq. 8), theta in radians; bilinear, nearest radius outside (U1S1)."""
    r, theta = np.asarray(r_cm, np.float64), np.asarray(theta, np.float64)
    degrees = np.degrees(np.arccos(np.clip(np.abs(np.cos(theta)), 0.0, 1.0)))
    i, u = _bracket(source.f_r_cm, r)
    j, v = _bracket(source.f_theta_deg, degrees)
    f = source.f
    near = (1 - v) * f[i, j] + v * f[i, j + 1]
    far = (1 - v) * f[i + 1, j] + v * f[i + 1, j + 1]
    return np.asarray((1 - u) * near + u * far)


def _bracket(nodes: FloatArray, x: FloatArray) -> tuple[NDArray[np.intp], FloatArray]:
    i = np.clip(np.searchsorted(nodes, x, side="right") - 1, 0, len(nodes) - 2)
    weight = np.clip((x - nodes[i]) / (nodes[i + 1] - nodes[i]), 0.0, 1.0)
    return i, weight


def anisotropy_factor(r_cm: ArrayLike, source: SourceModel) -> FloatArray:
    """phi_an(r) (TG-43U1 Eq. 9); linear between nodes, nearest outside (U1S1)."""
    return np.asarray(np.interp(np.asarray(r_cm, np.float64), source.phi_r_cm, source.phi_an))


def outside_capsule(
    r_cm: ArrayLike, theta: ArrayLike, source: SourceModel
) -> tuple[FloatArray, FloatArray]:
    """Move points inside the capsule to its side wall, straight away from the axis.

    TG-43 says nothing of the inside, and no patient is there; this keeps the dose finite and
    continuous.

    Returns:
        r in cm and theta in radians of the moved points.
    """
    r, theta = np.broadcast_arrays(np.asarray(r_cm, np.float64), np.asarray(theta, np.float64))
    along, away = r * np.cos(theta), r * np.sin(theta)
    inside = (np.abs(along) <= source.capsule_length_cm / 2) & (
        away < source.capsule_diameter_cm / 2
    )
    away = np.where(inside, source.capsule_diameter_cm / 2, away)
    return np.hypot(along, away), np.arctan2(away, along)


def dose_rate_2d(r_cm: ArrayLike, theta: ArrayLike, source: SourceModel) -> FloatArray:
    """Dose rate in cGy/h for 1 U, line source (TG-43U1 Eq. 1), theta in radians.

    Inside the capsule the rate is that of its side wall (``outside_capsule``).
    """
    return line_source_rate(*outside_capsule(r_cm, theta, source), source)


def dose_to_full_decay_2d(r_cm: ArrayLike, theta: ArrayLike, source: SourceModel) -> FloatArray:
    """Dose in Gy to full decay for 1 U: the initial rate times the mean life."""
    gy_per_rate = mean_life_h(source.half_life_days) / 100.0
    return np.asarray(dose_rate_2d(r_cm, theta, source) * gy_per_rate)


def line_source_rate(r_cm: ArrayLike, theta: ArrayLike, source: SourceModel) -> FloatArray:
    """Dose rate in cGy/h for 1 U by TG-43U1 Eq. 1 as it stands, theta in radians."""
    length = source.active_length_cm
    at_reference = geometry_function(R_0_CM, np.pi / 2, length)
    return np.asarray(
        source.dose_rate_constant_cgy_per_h_u
        * geometry_function(r_cm, theta, length)
        / at_reference
        * radial_dose_function(r_cm, source)
        * anisotropy_function(r_cm, theta, source)
    )


def dose_rate_1d(r_cm: ArrayLike, source: SourceModel) -> FloatArray:
    """Dose rate in cGy/h for 1 U where the axis is not known (TG-43U1 Eq. 11).

    The line-source geometry function on the transverse plane, g_L and phi_an.
    """
    r = np.maximum(np.asarray(r_cm, np.float64), source.capsule_diameter_cm / 2)
    length = source.active_length_cm
    across = np.pi / 2
    geometry = geometry_function(r, across, length) / geometry_function(R_0_CM, across, length)
    return np.asarray(
        source.dose_rate_constant_cgy_per_h_u
        * geometry
        * radial_dose_function(r, source)
        * anisotropy_factor(r, source)
    )
