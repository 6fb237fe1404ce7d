"""``seedguide sources``: the seed models and the data behind them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

SUMMARY = "Print the seed models with their TG-43 data and citations."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("model", nargs="?", help="print one model in full")
    parser.add_argument("--config", type=Path, help="the site's TOML configuration")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the list, or one model."""
    from dose import sources
    from guidance.configuration import load_configuration

    settings = load_configuration(arguments.config).sources
    models = sources.available(folders=[Path(f) for f in settings.folders])
    if arguments.model is None:
        if arguments.json:
            print(json.dumps([_short(m) for m in models]))
            return 0
        for m in models:
            print(f"{m.model:12s} {m.nuclide:6s} tier {m.tier:3s} {m.name}")
            print(f"{'':12s} {m.citation}")
        return 0
    named = arguments.model.casefold()
    chosen = next((m for m in models if m.model.casefold() == named), None)
    # A model that is not there is refused by the library, which names those that are.
    model = chosen or sources.load(arguments.model)
    full = {
        **_short(model),
        "g_l": {"r_cm": model.g_r_cm.tolist(), "value": model.g_l.tolist()},
        "f": {
            "r_cm": model.f_r_cm.tolist(),
            "theta_deg": model.f_theta_deg.tolist(),
            "value": model.f.tolist(),
        },
        "phi_an": {"r_cm": model.phi_r_cm.tolist(), "value": model.phi_an.tolist()},
        "qa_rates_cgy_per_h_u": _qa_rates(model),
    }
    if arguments.json:
        print(json.dumps(full))
        return 0
    for key, value in _short(model).items():
        print(f"{key:32s} {value}")
    print(f"\n{'r/cm':>8s} {'g_L(r)':>8s}")
    for r, g in zip(model.g_r_cm, model.g_l, strict=True):
        print(f"{r:8.2f} {g:8.4f}")
    print("\nF(r, theta): theta in degrees down, r in cm across")
    print(f"{'':6s}" + "".join(f"{r:8.2f}" for r in model.f_r_cm))
    for i, theta in enumerate(model.f_theta_deg):
        print(f"{theta:6.1f}" + "".join(f"{v:8.3f}" for v in model.f[:, i]))
    print("\nDose rate of 1 U, cGy/h (what another system should print as well)")
    print(f"{'r/cm':>8s} {'2D, across':>12s} {'2D, along':>12s} {'1D':>12s}")
    for rates in full["qa_rates_cgy_per_h_u"]:
        print(
            f"{rates['r_cm']:8.1f} {rates['transverse_2d']:12.4e} "
            f"{rates['axis_2d']:12.4e} {rates['point_1d']:12.4e}"
        )
    return 0


def _qa_rates(model: Any) -> list[dict[str, float]]:
    """Return rates at the radii that AAPM TG-43U1 tabulates for quality assurance."""
    from math import pi

    from dose.tg43 import dose_rate_1d, dose_rate_2d

    return [
        {
            "r_cm": r,
            "transverse_2d": float(dose_rate_2d(r, pi / 2, model)),
            "axis_2d": float(dose_rate_2d(r, 0.0, model)),
            "point_1d": float(dose_rate_1d(r, model)),
        }
        for r in (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 10.0)
    ]


def _short(model: Any) -> dict[str, Any]:
    return {
        "model": model.model,
        "name": model.name,
        "nuclide": model.nuclide,
        "tier": model.tier,
        "tier_reason": model.tier_reason,
        "citation": model.citation,
        "half_life_days": model.half_life_days,
        "half_life_source": model.half_life_source,
        "dose_rate_constant_cgy_per_h_u": model.dose_rate_constant_cgy_per_h_u,
        "active_length_cm": model.active_length_cm,
        "capsule_length_cm": model.capsule_length_cm,
        "capsule_diameter_cm": model.capsule_diameter_cm,
        "capsule": "the maker's" if model.capsule_known else "assumed: the file names none",
        "phi_an_published": model.phi_published,
    }
