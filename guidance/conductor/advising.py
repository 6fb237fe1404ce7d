"""Advice on files, outside any case."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import dist
from pathlib import Path
from typing import Any

from dose.radiobiology import Course
from dose.sources import SourceModel
from guidance.advice import (
    Advice,
    MediumFactor,
    ModelledUse,
    Reach,
    Situation,
    Source,
    advise,
    medium_factor,
)
from guidance.conductor.given import AT_IMPLANT, GivenSeeds, Strength, read_seeds
from guidance.conductor.room import organs_at_risk, target_of
from guidance.configuration import SourceSettings
from guidance.errors import CommandError, RefusedError
from guidance.exchange import StructureSet, read_dose, read_plan, read_structures
from guidance.planning.cord import cord_of
from guidance.planning.plan import ImplantPlan
from guidance.planning.protocol import Protocol

Point = tuple[float, float, float]

# A planned seed with a given one this near has been dropped.
SAME_SEAT_MM = 5.0


@dataclass(frozen=True)
class Request:
    """What is asked, and from which files.

    Attributes:
        structures: RTSTRUCT.
        plan: RTPLAN in the same frame, None without one.
        seeds: seeds file in the same frame, None for none.
        needles: needles file in the same frame; None takes those of the plan.
        to_come: whether planned seeds that are not among the given ones are still to come.
        source: seed model; empty takes the plan's.
        target: ROI name; empty takes the plan's, else by role.
        prescription_gy: None takes the plan's, else 100.
        strength_u: of a further seed at implant; None takes the plan's.
        courses: earlier external courses to the cord.
        dose: RTDOSE of the given seeds, model-based, to weigh by instead of TG-43.
    """

    structures: Path
    plan: Path | None = None
    seeds: Path | None = None
    needles: Path | None = None
    to_come: bool = False
    source: str = ""
    target: str = ""
    prescription_gy: float | None = None
    strength_u: float | None = None
    courses: tuple[str, ...] = ()
    dose: Path | None = None


def advise_files(request: Request, sources: SourceSettings, protocol: Protocol) -> Advice:
    """Return the advice on an implant given as files.

    Raises:
        GuidanceError, DoseError: something given cannot be used; the message says which.
    """
    drawn = read_structures(request.structures)
    plan = read_plan(request.plan, structures=drawn) if request.plan else None
    model = request.source or (plan.source_model if plan else "")
    if not model:
        raise CommandError("name the seed model with --source, or give a plan")
    source = sources.load(model)
    strength_u = request.strength_u or (plan.strength_u if plan else None)
    if strength_u is None:
        raise CommandError("give the strength of a further seed with --strength-u, or a plan")
    structures = tuple(s for s in drawn.structures if s.role != "BRACHY_CHANNEL")
    named = [s for s in structures if s.name == request.target]
    if request.target and not named:
        there = ", ".join(s.name for s in structures)
        raise CommandError(f"there is no ROI {request.target}; there are: {there}")
    target = named[0] if named else target_of(plan, structures)
    if target is None:
        raise CommandError("no ROI has the role of a target; name it with --target")
    seeds: tuple[Source, ...] = ()
    given = None
    if request.seeds is not None:
        common = Strength(strength_u=strength_u, strength_at=AT_IMPLANT)
        given = read_seeds(request.seeds, source, common)
        _one_frame(given.frame_of_reference_uid, drawn, request.seeds)
        seeds = tuple(Source(s.position_mm, s.axis, s.strength_u) for s in given.seeds)
    medium = _medium(request.dose, given, source, drawn) if request.dose else None
    organs = tuple(o for o in organs_at_risk(plan, structures) if o is not target)
    cord = cord_of(organs)
    return advise(
        Situation(
            event_number=0,
            target=target,
            cord=cord,
            source=source,
            strength_u=strength_u,
            seeds=seeds,
            pending=_to_come(plan, seeds, strength_u) if request.to_come else (),
            needles=_needles(request, plan, drawn),
            prescription_gy=request.prescription_gy or (plan.prescription_gy if plan else 100.0),
            protocol=protocol,
            courses=tuple(Course.parsed(c) for c in request.courses),
            spared=tuple(o for o in organs if o is not cord),
            remarks=(f"Each further seed has {strength_u:.3f} U at the implant.",),
            basis="seeds as given",
            medium=medium,
        )
    )


def _medium(
    path: Path, given: GivenSeeds | None, source: SourceModel, drawn: StructureSet
) -> MediumFactor:
    """Return what a model-based dose of the given seeds makes of their TG-43 dose."""
    if given is None:
        raise CommandError("a model-based dose is of seeds; give them with --seeds")
    dose = read_dose(path)
    _one_frame(dose.geometry.frame_of_reference_uid, drawn, path)
    try:
        used = ModelledUse(dose.description, seeds=len(given.seeds))
        return medium_factor(dose.dose_gy, dose.geometry, used, source, given.as_seeds())
    except RefusedError as error:
        raise RefusedError(f"{path}: {error}") from error


def _to_come(
    plan: ImplantPlan | None, seeds: tuple[Source, ...], strength_u: float
) -> tuple[Source, ...]:
    """Return the planned seeds with no given seed near."""
    if plan is None:
        raise CommandError("seeds can only be still to come from a plan; give one")
    return tuple(
        Source(p.position_mm, p.axis, strength_u)
        for p in plan.seeds
        if all(dist(p.position_mm, s.position_mm) > SAME_SEAT_MM for s in seeds)
    )


def _needles(request: Request, plan: ImplantPlan | None, drawn: StructureSet) -> tuple[Reach, ...]:
    if request.needles is None:
        if plan is None:
            raise CommandError("give the needles in place with --needles, or a plan")
        return tuple(Reach(n.number, n.tip_mm, n.entry_mm) for n in plan.needles)
    try:
        content = json.loads(request.needles.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{request.needles} cannot be read as JSON: {error}") from error
    listed = content.get("needles") if isinstance(content, dict) else content
    if not isinstance(listed, list) or not listed:
        raise CommandError(f"{request.needles}: there are no needles in it")
    if isinstance(content, dict):
        frame = str(content.get("frame_of_reference_uid") or "")
        _one_frame(frame, drawn, request.needles)
    return tuple(_needle(n, k, request.needles) for k, n in enumerate(listed, 1))


def _needle(value: Any, k: int, path: Path) -> Reach:
    try:
        tip, entry = (
            (float(x), float(y), float(z)) for x, y, z in (value["tip_mm"], value["entry_mm"])
        )
        reach = Reach(
            int(value.get("number", k)), tip, entry, float(value.get("retraction_mm", 0.0))
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CommandError(
            f"{path}: needle {k} needs tip_mm and entry_mm, three numbers each"
        ) from error
    if dist(tip, entry) < 1.0:
        raise CommandError(f"{path}: tip and entry of needle {k} are the same point")
    return reach


def _one_frame(frame: str, drawn: StructureSet, path: Path) -> None:
    if frame and drawn.frame_of_reference_uid and frame != drawn.frame_of_reference_uid:
        raise RefusedError(f"{path} and the structure set are in different frames of reference")
