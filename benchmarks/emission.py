"""Fit effective sources to the TG-43 data of seed models, and say what they reach.

``python -m benchmarks.emission [MODEL ...]`` fits the models named, all without a name, and writes
``dose/transport/data/emission.json`` and the tables of docs/validation.md; ``--show`` writes only
the tables again. The fit is a least-squares one with no negative photons: what every node of every
law leaves at the places of the published tables is known from ``benchmarks/water.py``.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from benchmarks.water import Basis
from dose import sources
from dose.sources import SourceModel
from dose.tg43 import anisotropy_function, geometry_function, radial_dose_function
from dose.transport.emission import (
    LINES,
    MOST_LAMBDA_PERCENT,
    MOST_PERCENT,
    SOFT_LINES,
    Stretch,
    seed,
)

FloatArray = NDArray[np.float64]

DATA = Path(str(resources.files("dose.transport").joinpath("data/emission.json")))
DOCS = Path(__file__).parent.parent / "docs" / "validation.md"
BEGIN, END = "<!-- sources: written by benchmarks.emission -->\n", "<!-- sources end -->\n"

# What is asked: g_L and F from here to there, F over this angle.
NEAREST_CM, FARTHEST_CM, FROM_DEG = 0.5, 5.0, 12.0
# Nodes of the laws: half a seed shines to all sides, an end outwards.
AROUND_DEG = (
    *(0, 4, 8, 12, 16, 20, 25, 30, 40, 50, 60, 70, 80),
    *(90, 100, 110, 120, 130, 140, 150, 160, 170, 180),
)
OUTWARD_DEG = (0, 5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90)
# What a datum counts: standard deviations of g_L, of F over 12 degrees, to 6 degrees, nearer
# to the axis, and of Lambda; and of a bend of a law, over the even law of the same strength.
SIGMA_G, SIGMA_F, SIGMA_LAMBDA, SIGMA_BEND = 0.003, (0.005, 0.02, 0.06), 0.05, 0.5
# The ends shine by themselves where the halves alone miss F by more, and only if that helps.
ENDS_FROM_PERCENT = 1.8


@dataclass(frozen=True, eq=False)
class Wanted:
    """Places of the published tables and the rates there, cGy/h for 1 U."""

    r_cm: FloatArray
    theta_deg: FloatArray
    rate: FloatArray
    of_g: NDArray[np.bool_]

    @classmethod
    def of(cls, source: SourceModel) -> Wanted:
        def within(radii: FloatArray) -> FloatArray:
            return radii[(radii >= NEAREST_CM) & (radii <= FARTHEST_CM)]

        g_r = within(source.g_r_cm)
        r, theta = (
            a.ravel() for a in np.meshgrid(within(source.f_r_cm), source.f_theta_deg, indexing="ij")
        )
        r, theta = np.concatenate((r, g_r)), np.concatenate((theta, np.full(len(g_r), 90.0)))
        rate = (
            source.dose_rate_constant_cgy_per_h_u
            * _geometry(source, r, theta)
            / _geometry(source, 1.0, 90.0)
            * radial_dose_function(r, source)
            * anisotropy_function(r, np.radians(theta), source)
        )
        return cls(r, theta, rate, np.arange(len(r)) >= len(r) - len(g_r))

    def sigma(self) -> FloatArray:
        over, upto, near = SIGMA_F
        sigma = np.where(
            self.theta_deg > FROM_DEG, over, np.where(self.theta_deg >= 6.0, upto, near)
        )
        return np.where(self.of_g, SIGMA_G, sigma)


def _geometry(source: SourceModel, r_cm: FloatArray | float, theta_deg: FloatArray | float) -> Any:
    return geometry_function(r_cm, np.radians(theta_deg), source.active_length_cm)


@dataclass(frozen=True, eq=False)
class Fit:
    """What was found: laws, and how they do; the percentages are ours over TG-43's less one."""

    source: SourceModel
    wanted: Wanted
    stretches: tuple[Stretch, ...]
    rate: FloatArray
    own_lambda_percent: float

    def g_percent(self) -> dict[float, float]:
        w, source = self.wanted, self.source
        over_g = self.rate / _geometry(source, w.r_cm, w.theta_deg)
        at_1 = np.interp(1.0, w.r_cm[w.of_g], over_g[w.of_g])
        known = radial_dose_function(w.r_cm, source)
        found = 100.0 * (over_g / at_1 / known - 1.0)
        return {float(r): float(v) for r, v in zip(w.r_cm[w.of_g], found[w.of_g], strict=True)}

    def f_percent(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Radii, angles and differences, of F alone."""
        w, source = self.wanted, self.source
        over_g = self.rate / _geometry(source, w.r_cm, w.theta_deg)
        across = {r: v for r, v, t in zip(w.r_cm, over_g, w.theta_deg, strict=True) if t == 90.0}
        found = over_g / np.array([across[r] for r in w.r_cm])
        known = anisotropy_function(w.r_cm, np.radians(w.theta_deg), source)
        of_f = ~w.of_g
        return w.r_cm[of_f], w.theta_deg[of_f], 100.0 * (found / known - 1.0)[of_f]

    def largest_g(self) -> float:
        return max(abs(v) for v in self.g_percent().values())

    def largest_f(self, *, near_axis: bool = False) -> float:
        _, theta, found = self.f_percent()
        return float(np.abs(found[(theta <= FROM_DEG) if near_axis else (theta > FROM_DEG)]).max())

    def mean_kev(self) -> float:
        emission = seed(self.source.model, self.source.nuclide, self.stretches)
        shares = sum(p.photons * p.line_share for p in emission.parts)
        return float(shares @ emission.line_kev / emission.photons)


def fitted(source: SourceModel) -> Fit:
    """Fit the two halves, and the ends where they are wanted."""
    half = source.active_length_cm / 2.0
    halves = _solved(source, (Basis(0.0, half, AROUND_DEG),))
    if halves.largest_f() <= ENDS_FROM_PERCENT:
        return halves
    both = _solved(source, (Basis(0.0, half, AROUND_DEG), Basis(half, half, OUTWARD_DEG)))
    return both if _worst(both) < _worst(halves) else halves


def _worst(fit: Fit) -> float:
    return max(fit.largest_g(), fit.largest_f())


def _solved(source: SourceModel, bases: tuple[Basis, ...]) -> Fit:
    wanted = Wanted.of(source)
    theta = np.radians(wanted.theta_deg)
    kinds = [(b, name) for b in bases for name in ("own", "soft")]
    rates, kermas = [], []
    for basis, name in kinds:
        lines = {"own": LINES, "soft": SOFT_LINES}[name][source.nuclide]
        energies, photons = np.array(lines).T
        share = photons / photons.sum()
        rates.append(np.einsum("pkn,k->pn", basis.rate(wanted.r_cm, theta, energies), share))
        kermas.append(sum(s * basis.kerma_u(e) for e, s in zip(energies, share, strict=True)))
    rate, kerma = np.concatenate(rates, axis=1), np.concatenate(kermas)
    sigma = wanted.sigma()
    rows = [
        rate / (wanted.rate * sigma)[:, None],
        kerma[None] / SIGMA_LAMBDA,
        _bends([len(b.angle_deg) for b, _ in kinds]) * kerma.sum() / SIGMA_BEND,
    ]
    aims = np.concatenate((1.0 / sigma, [1.0 / SIGMA_LAMBDA], np.zeros(len(rows[2]))))
    photons, _ = nnls(np.concatenate(rows), aims, maxiter=50_000)
    law = iter(np.split(photons, np.cumsum([r.shape[1] for r in rates])[:-1]))
    stretches = tuple(
        Stretch(name, b.from_cm, b.to_cm, b.angle_deg, tuple(float(v) for v in next(law)))
        for b, name in kinds
    )
    found = rate @ photons
    at_1 = (wanted.r_cm == 1.0) & (wanted.theta_deg == 90.0)
    own_lambda = found[at_1][0] / (kerma @ photons)
    percent = 100.0 * (own_lambda / source.dose_rate_constant_cgy_per_h_u - 1.0)
    return Fit(source, wanted, tuple(s for s in stretches if any(s.law)), found, float(percent))


def _bends(nodes: list[int]) -> FloatArray:
    """Second differences of each law."""
    rows = []
    for first, n in zip(np.cumsum([0, *nodes[:-1]]), nodes, strict=True):
        for k in range(n - 2):
            row = np.zeros(sum(nodes))
            row[first + k : first + k + 3] = (1.0, -2.0, 1.0)
            rows.append(row)
    return np.array(rows)


def saved(fit: Fit) -> dict[str, Any]:
    """What the file keeps of a fit: laws to four digits, and what these make."""
    most = max(max(s.law) for s in fit.stretches)
    stretches = [
        vars(s) | {"law": [float(f"{v / most:.4g}") for v in s.law]} for s in fit.stretches
    ]
    again = restored(fit.source, stretches)
    return {
        "lambda_percent": round(again.own_lambda_percent, 2),
        "g_l_percent": round(again.largest_g(), 2),
        "f_percent": round(again.largest_f(), 2),
        "stretches": stretches,
    }


def restored(source: SourceModel, kept: list[dict[str, Any]]) -> Fit:
    """A fit as the file has it, worked out again."""
    wanted, rate, kerma = Wanted.of(source), 0.0, 0.0
    stretches = tuple(Stretch(**s) for s in kept)
    for stretch in stretches:
        basis = Basis(stretch.from_cm, stretch.to_cm, tuple(stretch.angle_deg))
        lines = {"own": LINES, "soft": SOFT_LINES}[stretch.lines][source.nuclide]
        energies, photons = np.array(lines).T
        share, law = photons / photons.sum(), np.array(stretch.law)
        rate = rate + np.einsum(
            "pkn,k,n->p",
            basis.rate(wanted.r_cm, np.radians(wanted.theta_deg), energies),
            share,
            law,
        )
        kerma += sum(
            s * float(basis.kerma_u(e) @ law) for e, s in zip(energies, share, strict=True)
        )
    at_1 = (wanted.r_cm == 1.0) & (wanted.theta_deg == 90.0)
    known = source.dose_rate_constant_cgy_per_h_u
    return Fit(source, wanted, stretches, rate, float(100 * (rate[at_1][0] / kerma / known - 1)))


def tables(fits: list[Fit]) -> str:
    """The tables of docs/validation.md."""
    lines = [
        "| model | nuclide | mean energy | own Lambda | g_L, 0.5 to 5 cm | F over 12 degrees, "
        "0.5 to 5 cm | F nearer to the axis | ends by themselves | enabled |",
        "|---" * 9 + "|",
    ]
    for fit in fits:
        enabled = _worst(fit) <= MOST_PERCENT and abs(fit.own_lambda_percent) <= MOST_LAMBDA_PERCENT
        ends = any(s.from_cm == s.to_cm for s in fit.stretches)
        lines.append(
            f"| {fit.source.model} | {fit.source.nuclide} | {fit.mean_kev():.2f} keV "
            f"| {fit.own_lambda_percent:+.1f} % | {fit.largest_g():.1f} % "
            f"| {fit.largest_f():.1f} % | {fit.largest_f(near_axis=True):.1f} % "
            f"| {'yes' if ends else 'no'} | {'yes' if enabled else 'no'} |"
        )
    for fit in fits:
        if fit.source.model == "6711":
            lines += [
                "",
                f"#### {fit.source.model} at the places of its tables, %",
                "",
                *_detail(fit),
            ]
    return "\n".join(lines) + "\n"


def _detail(fit: Fit) -> list[str]:
    g, (r, theta, f) = fit.g_percent(), fit.f_percent()
    radii = sorted(set(r) | set(g))
    lines = ["| r / cm | " + " | ".join(f"{v:g}" for v in radii) + " |"]
    lines.append("|---" * (len(radii) + 1) + "|")
    lines.append("| g_L | " + " | ".join(f"{g[v]:+.1f}" if v in g else "-" for v in radii) + " |")
    for angle in sorted(set(theta) - {90.0}):
        row = {a: b for a, b, t in zip(r, f, theta, strict=True) if t == angle}
        cells = (f"{row[v]:+.1f}" if v in row else "-" for v in radii)
        lines.append(f"| F {angle:g} deg | " + " | ".join(cells) + " |")
    return lines


def _written(kept: dict[str, Any]) -> str:
    """JSON with a stretch on a line."""
    entries = []
    for name, entry in kept.items():
        head = {k: v for k, v in entry.items() if k != "stretches"}
        stretches = ",\n   ".join(json.dumps(s) for s in entry["stretches"])
        entries.append(f' "{name}": {json.dumps(head)[:-1]}, "stretches": [\n   {stretches}\n ]}}')
    return "{\n" + ",\n".join(entries) + "\n}\n"


def main() -> None:
    names = [a for a in sys.argv[1:] if a != "--show"]
    known = {m.model: m for m in sources.available()}
    kept = json.loads(DATA.read_text(encoding="utf-8")) if DATA.exists() else {}
    if "--show" not in sys.argv:
        for name in names or [n for n, m in known.items() if m.tier != "off"]:
            kept[name] = saved(fitted(known[name]))
            print(name, {k: v for k, v in kept[name].items() if k != "stretches"}, flush=True)
        kept = {name: kept[name] for name in known if name in kept}
        DATA.write_text(_written(kept), encoding="utf-8")
    text = tables([restored(known[name], entry["stretches"]) for name, entry in kept.items()])
    print(text)
    docs = DOCS.read_text(encoding="utf-8")
    before, rest = docs.split(BEGIN)
    DOCS.write_text(before + BEGIN + text + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
