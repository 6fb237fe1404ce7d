"""One seed model: its TG-43 tables, checked when they are read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dose.errors import SourceError

FloatArray = NDArray[np.float64]
TIERS = ("A", "B", "C", "off")


@dataclass(frozen=True, eq=False)
class SourceModel:
    """TG-43 data of one seed model; lengths in cm, as in the report.

    Attributes:
        model: the maker's model name, such as ``6711``.
        name: trade name and maker.
        nuclide: such as ``I-125``.
        half_life_days: of the nuclide.
        tier: ``A`` enabled; ``B`` and ``C`` need commissioning by the site; ``off`` not usable.
        tier_reason: why.
        citation: the publication of the tables.
        dose_rate_constant_cgy_per_h_u: Lambda, cGy/h/U.
        active_length_cm: L of the line source.
        capsule_length_cm: outer length.
        capsule_diameter_cm: outer diameter.
        capsule_known: whether both are the maker's; else those of the common seed, 4.5 x 0.8 mm.
        half_life_source: where the half-life comes from; empty where the file does not say.
        g_r_cm: (n,) radii of the radial dose function, ascending.
        g_l: (n,) radial dose function for the line source.
        f_r_cm: (m,) radii of the anisotropy function, ascending.
        f_theta_deg: (k,) angles, 0 to 90, ascending.
        f: (m, k) 2D anisotropy function.
        phi_r_cm: (p,) radii of the 1D anisotropy function.
        phi_an: (p,) 1D anisotropy function: published, else integrated from F.
        phi_published: whether phi_an is the published one.
        g_p: published point-source radial function as (r_cm, value), None if none is known.
    """

    model: str
    name: str
    nuclide: str
    half_life_days: float
    tier: str
    tier_reason: str
    citation: str
    dose_rate_constant_cgy_per_h_u: float
    active_length_cm: float
    capsule_length_cm: float
    capsule_diameter_cm: float
    g_r_cm: FloatArray
    g_l: FloatArray
    f_r_cm: FloatArray
    f_theta_deg: FloatArray
    f: FloatArray
    phi_r_cm: FloatArray
    phi_an: FloatArray
    phi_published: bool
    capsule_known: bool = True
    half_life_source: str = ""
    g_p: tuple[FloatArray, FloatArray] | None = None


def source_model(data: Mapping[str, Any], where: str) -> SourceModel:
    """Build a seed model from its file's contents.

    Args:
        data: the parsed JSON.
        where: the file's name, for the errors.

    Raises:
        SourceError: names the field and what is wrong with it.
    """
    reader = _Reader(data, where)
    g_r_cm, g_l = reader.table("g_l")
    f_r_cm, f_theta_deg, f = reader.anisotropy()
    published = data.get("phi_an") is not None
    phi_r_cm, phi_an = reader.table("phi_an") if published else (f_r_cm, _phi_an(f_theta_deg, f))
    length = reader.number("active_length_cm", 0.01, 1.0)
    model = SourceModel(
        model=reader.text("model"),
        name=reader.text("name"),
        nuclide=reader.text("nuclide"),
        half_life_days=reader.number("half_life_days", 0.1, 1e5),
        tier=reader.text("tier"),
        tier_reason=reader.text("tier_reason"),
        citation=reader.text("citation"),
        dose_rate_constant_cgy_per_h_u=reader.number("dose_rate_constant_cgy_per_h_u", 0.1, 2.0),
        active_length_cm=length,
        # Where the maker's figures are not in the file, every seed of these nuclides is
        # close to 4.5 mm by 0.8 mm.
        capsule_length_cm=reader.number("capsule_length_cm", length, 1.0, default=0.45),
        capsule_diameter_cm=reader.number("capsule_diameter_cm", 0.01, 0.2, default=0.08),
        g_r_cm=g_r_cm,
        g_l=g_l,
        f_r_cm=f_r_cm,
        f_theta_deg=f_theta_deg,
        f=f,
        phi_r_cm=phi_r_cm,
        phi_an=phi_an,
        phi_published=published,
        capsule_known=None not in (data.get("capsule_length_cm"), data.get("capsule_diameter_cm")),
        half_life_source=str(data.get("half_life_source") or ""),
        g_p=reader.table("g_p") if data.get("g_p") is not None else None,
    )
    reader.require(model.tier in TIERS, "tier", f"must be one of {', '.join(TIERS)}")
    at_1_cm = np.interp(1.0, g_r_cm, g_l)
    reader.require(bool(abs(at_1_cm - 1.0) < 5e-3), "g_l", f"must be 1 at 1 cm, not {at_1_cm:.4f}")
    return model


def _phi_an(theta_deg: FloatArray, f: FloatArray) -> FloatArray:
    """Integrate F over the sphere at each radius.

    The geometry factor is left out: beyond a few active lengths it is close to 1/r^2. Published
    values for 6711 are reproduced to 0.2 % from 1 cm on (docs/validation.md).
    """
    theta = np.linspace(0.0, np.pi / 2, 2001)
    rows = np.array([np.interp(np.degrees(theta), theta_deg, row) for row in f])
    return np.asarray(np.trapezoid(rows * np.sin(theta), theta, axis=1))


class _Reader:
    def __init__(self, data: Mapping[str, Any], where: str) -> None:
        self._data, self._where = data, where

    def require(self, holds: bool, field: str, what: str) -> None:
        if not holds:
            raise SourceError(f"source file {self._where}: {field} {what}")

    def text(self, field: str) -> str:
        value = self._data.get(field)
        self.require(isinstance(value, str) and bool(value), field, "must be a text")
        return str(value)

    def number(self, field: str, low: float, high: float, *, default: float | None = None) -> float:
        value = self._data.get(field)
        if value is None and default is not None:
            return default
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        self.require(number, field, "must be a number")
        self.require(low <= float(value) <= high, field, f"must be {low} to {high}, not {value}")  # type: ignore[arg-type]
        return float(value)  # type: ignore[arg-type]

    def table(self, field: str) -> tuple[FloatArray, FloatArray]:
        table = self._data.get(field)
        self.require(isinstance(table, Mapping), field, "must hold r_cm and value")
        assert isinstance(table, Mapping)
        r_cm = self._axis(f"{field}.r_cm", table.get("r_cm"))
        value = self._numbers(f"{field}.value", table.get("value"))
        self.require(value.shape == r_cm.shape, f"{field}.value", "must be as long as r_cm")
        self.require(bool((value > 0).all()), f"{field}.value", "must be positive")
        return r_cm, value

    def anisotropy(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        table = self._data.get("f")
        self.require(isinstance(table, Mapping), "f", "must hold r_cm, theta_deg and value")
        assert isinstance(table, Mapping)
        r_cm = self._axis("f.r_cm", table.get("r_cm"))
        theta = self._axis("f.theta_deg", table.get("theta_deg"))
        value = self._numbers("f.value", table.get("value"))
        self.require(
            value.shape == (len(r_cm), len(theta)), "f.value", "must have a row for each r_cm"
        )
        self.require(theta[0] == 0 and theta[-1] == 90, "f.theta_deg", "must go from 0 to 90")
        self.require(bool(((value > 0) & (value < 5)).all()), "f.value", "must be 0 to 5")
        self.require(
            bool(np.abs(value[:, -1] - 1).max() < 1e-3), "f.value", "must be 1 at 90 degrees"
        )
        return r_cm, theta, value

    def _axis(self, field: str, values: ArrayLike | None) -> FloatArray:
        axis = self._numbers(field, values)
        self.require(axis.ndim == 1 and len(axis) > 1, field, "must be a list of numbers")
        self.require(bool((np.diff(axis) > 0).all()), field, "must ascend")
        return axis

    def _numbers(self, field: str, values: ArrayLike | None) -> FloatArray:
        try:
            array = np.array(values, dtype=np.float64)
        except (TypeError, ValueError):
            array = np.array(np.nan)
        self.require(bool(np.isfinite(array).all()), field, "must be numbers")
        array.setflags(write=False)
        return array
