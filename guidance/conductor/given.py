"""Seeds that a person gives in a file, with the strength they had when they were implanted."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from dose.seeds import Seeds
from dose.sources import SourceModel
from dose.strength import air_kerma_strength_u, decayed_u
from guidance.errors import CommandError

Point = tuple[float, float, float]
AT_IMPLANT = "implant"


@dataclass(frozen=True)
class GivenSeed:
    """A seed of a seeds file; its strength is that at the time of implant."""

    position_mm: Point
    axis: Point | None
    strength_u: float


@dataclass(frozen=True)
class GivenSeeds:
    """What a seeds file holds.

    Attributes:
        seeds: in the order of the file.
        frame_of_reference_uid: of their positions; empty if the file does not say.
    """

    seeds: tuple[GivenSeed, ...]
    frame_of_reference_uid: str = ""

    def as_points(self) -> GivenSeeds:
        """Return the same seeds with their axes taken as unknown."""
        return replace(self, seeds=tuple(replace(s, axis=None) for s in self.seeds))

    def as_seeds(self) -> Seeds:
        """Return what a dose is computed of; axes that are not known are not numbers."""
        unknown = (np.nan,) * 3
        return Seeds(
            np.array([s.position_mm for s in self.seeds]).reshape(-1, 3),
            np.array([unknown if s.axis is None else s.axis for s in self.seeds]).reshape(-1, 3),
            np.array([s.strength_u for s in self.seeds]),
        )


@dataclass(frozen=True)
class Strength:
    """What was said of a strength, of one seed or of all.

    Attributes:
        strength_u: air-kerma strength, U.
        activity_mci: apparent activity, mCi, in its place.
        strength_at: the date it holds for, ISO 8601 (UTC where it has no zone), or ``implant``.
        implanted_at: when the seeds were implanted, ISO 8601.
    """

    strength_u: float | None = None
    activity_mci: float | None = None
    strength_at: str = ""
    implanted_at: str = ""

    def within(self, outer: Strength) -> Strength:
        """Return this with what it leaves open taken from what holds for all seeds."""
        own = self.strength_u is not None or self.activity_mci is not None
        amount = self if own else outer
        return Strength(
            amount.strength_u,
            amount.activity_mci,
            self.strength_at or outer.strength_at,
            self.implanted_at or outer.implanted_at,
        )

    def at_implant_u(self, source: SourceModel, where: str) -> float:
        """Return the air-kerma strength at the time of implant, U.

        Raises:
            CommandError: there is no strength, or no date that it holds for.
        """
        if self.strength_u is not None:
            strength = self.strength_u
        elif self.activity_mci is not None:
            strength = air_kerma_strength_u(self.activity_mci, source.nuclide)
        else:
            raise CommandError(
                f"{where} has no strength_u (1 U = 1 cGy cm2/h) and no apparent_activity_mci; "
                "give it there or with --strength-u or --activity-mci"
            )
        if not self.strength_at:
            raise CommandError(
                f"{where} has a strength without a date; give strength_at (the date of "
                f'calibration, or "{AT_IMPLANT}") there or with --strength-at'
            )
        if self.strength_at == AT_IMPLANT:
            return strength
        if not self.implanted_at:
            raise CommandError(
                f"{where}: to decay the strength, the time of implant is needed; give "
                "implanted_at there or with --implanted-at"
            )
        calibrated = _time(self.strength_at, f"{where}: strength_at")
        implanted = _time(self.implanted_at, f"{where}: implanted_at")
        days = (implanted - calibrated).total_seconds() / 86400.0
        return decayed_u(strength, days, source.half_life_days)


def read_seeds(path: Path, source: SourceModel, common: Strength | None = None) -> GivenSeeds:
    """Read a seeds file: ``{"seeds": [{"position_mm", "axis", "strength_u"}]}`` or the bare list.

    ``strength_u`` or ``apparent_activity_mci``, ``strength_at`` and ``implanted_at`` stand in a
    seed, beside the list, or are given here; what is nearer to the seed holds. A strength
    without a unit in its name or without a date is not taken.

    Args:
        path: JSON file, such as ``seedguide detect --json`` prints.
        source: seed model; its nuclide turns an activity into a strength, its half-life decays.
        common: what was said on the command line.

    Raises:
        CommandError: the file is no such file, or a seed has no strength.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(f"{path} is not JSON: {error}") from error
    beside: dict[str, Any] = content if isinstance(content, dict) else {}
    listed = beside.get("seeds") if isinstance(content, dict) else content
    if not isinstance(listed, list) or not listed:
        raise CommandError(f"{path}: there are no seeds in it")
    for_all = _strength(beside, str(path)).within(common or Strength())
    seeds = (_seed(s, f"{path}: seed {i}", source, for_all) for i, s in enumerate(listed, 1))
    return GivenSeeds(tuple(seeds), str(beside.get("frame_of_reference_uid") or ""))


def _seed(value: Any, where: str, source: SourceModel, for_all: Strength) -> GivenSeed:
    if not isinstance(value, dict) or "position_mm" not in value:
        raise CommandError(f"{where} has no position_mm")
    position = _point(value["position_mm"], f"{where}: position_mm")
    axis = value.get("axis")
    strength_u = _strength(value, where).within(for_all).at_implant_u(source, where)
    return GivenSeed(position, None if axis is None else _point(axis, f"{where}: axis"), strength_u)


def _strength(value: dict[str, Any], where: str) -> Strength:
    for key in value:
        if key in {"strength", "activity"}:
            raise CommandError(f"{where}: {key} has no unit; write strength_u")
    return Strength(
        _number(value.get("strength_u"), where),
        _number(value.get("apparent_activity_mci"), where),
        str(value.get("strength_at") or ""),
        str(value.get("implanted_at") or ""),
    )


def _number(value: Any, where: str) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError) as error:
        raise CommandError(f"{where}: the strength is not a number") from error


def _time(text: str, where: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{where} is not a date such as 2026-03-01, but {text!r}") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _point(value: Any, where: str) -> Point:
    try:
        x, y, z = (float(v) for v in value)
    except (TypeError, ValueError) as error:
        raise CommandError(f"{where} must be three numbers, not {value!r}") from error
    if not all(math.isfinite(v) for v in (x, y, z)):
        raise CommandError(f"{where} must be three finite numbers, not {value!r}")
    return (x, y, z)
