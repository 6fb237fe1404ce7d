"""HU to density: the curve that a site measured for its scanner, or a stated default."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from dose.errors import DoseError
from dose.transport.tissues import SCHNEIDER_CURVE, Curve, checked_curve
from guidance.configuration import CtSettings
from guidance.errors import RefusedError
from guidance.imaging import Volume


@dataclass(frozen=True)
class Calibration:
    """A curve and where it comes from.

    Attributes:
        curve: (HU, g/cm^3) pairs, ascending.
        said: one sentence for the remarks.
    """

    curve: Curve
    said: str


def calibration_of(volume: Volume, settings: CtSettings) -> Calibration:
    """Return the curve for the scanner that a volume comes from.

    Args:
        volume: its provenance names maker and model.
        settings: ``[ct]`` of the configuration.

    Raises:
        RefusedError: there is none and the site wants one, or its file is no curve.
    """
    scanner = volume.provenance.manufacturer.strip()
    for entry in settings.calibrations:
        name, _, path = entry.partition("=")
        if not path.strip():
            raise RefusedError(
                f"configuration: ct.calibrations: {entry!r} is not written as 'SCANNER = FILE.csv'"
            )
        if scanner and scanner.lower().startswith(name.strip().lower()):
            curve = _read(Path(path.strip()))
            return Calibration(curve, f"HU to density by the site's curve for {name.strip()}.")
    called = scanner or "a scanner that the CT does not name"
    if settings.uncalibrated == "refuse":
        raise RefusedError(
            f"there is no calibration curve for {called}; add one to ct.calibrations in the "
            "configuration, or set ct.uncalibrated to 'schneider'"
        )
    return Calibration(
        SCHNEIDER_CURVE,
        f"No calibration curve is configured for {called}; HU to density by the general curve of "
        "Schneider et al. 2000.",
    )


def _read(path: Path) -> Curve:
    """Read a CSV file of HU and g/cm3; lines that begin with # are comments."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise RefusedError(f"calibration curve {path}: {error.strerror}") from error
    rows = [r for r in csv.reader(lines) if r and not r[0].lstrip().startswith("#")]
    try:
        return checked_curve([(float(hu), float(density)) for hu, density in rows])
    except ValueError as error:
        raise RefusedError(
            f"calibration curve {path}: every line holds HU and g/cm3, such as 0, 1.0"
        ) from error
    except DoseError as error:
        raise RefusedError(f"calibration curve {path}: {error}") from error
