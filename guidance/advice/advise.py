"""Continue, adjust or stop: each with its reason and numbers, never as an order."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

from guidance.advice.cold import cold_regions
from guidance.advice.ground import Ground, Situation
from guidance.advice.proposal import (
    MODELLED,
    TG43,
    Advice,
    ColdRegion,
    Figures,
    Point,
    Supplement,
)
from guidance.advice.search import Search


def advise(situation: Situation) -> Advice:
    """Return what the numbers speak for.

    The implant is taken with its planned seeds that are still to come; only what those leave
    cold is mended. Under a second for an implant of 100 seeds.

    Raises:
        RefusedError: the target cannot be sampled.
    """
    began = time.perf_counter()
    ground = Ground(situation)
    now_target, now_cord = ground.dose(situation.seeds)
    come_target, come_cord = ground.dose(situation.pending)
    target, cord = now_target + come_target, now_cord + come_cord
    now, expected = ground.figures(now_target, now_cord), ground.figures(target, cord)
    cold = cold_regions(ground.target, target, situation.prescription_gy, situation.needles)
    medium = situation.medium
    answer = Advice(
        situation.event_number,
        "continue",
        "",
        situation.prescription_gy,
        now,
        expected if situation.pending else None,
        cold,
        remarks=(*situation.remarks, *(medium.remarks if medium else ()), *ground.remarks),
        basis=situation.basis,
        engine=MODELLED if medium else TG43,
        modelled=medium.used if medium else None,
    )
    seats = ground.seats()
    search = Search(ground, seats, target, cord)
    answer = replace(answer, seats=len(seats), barred=seats.barred)
    broken = _cord_broken(ground, expected)
    if broken:
        answer = replace(answer, verdict="stop", reason=broken)
    elif search.reached([]):
        answer = _covered(situation, answer, expected)
    else:
        answer = _mended(ground, search, answer, expected)
    return replace(answer, elapsed_s=round(time.perf_counter() - began, 3))


def _covered(situation: Situation, answer: Advice, expected: Figures) -> Advice:
    words = _figures(expected, situation.prescription_gy)
    if situation.pending:
        reason = f"With the {len(situation.pending)} planned seeds still to come, {words}."
        return replace(answer, reason=reason)
    reason = f"The target is covered: {words}. No further seed is needed for it."
    return replace(answer, verdict="stop", reason=reason)


def _mended(ground: Ground, search: Search, answer: Advice, expected: Figures) -> Advice:
    situation = ground.situation
    chosen = search.best()
    lacking = f"{_figures(expected, situation.prescription_gy)}{_place(answer.cold)}"
    if situation.pending:
        lacking = f"With the planned seeds still to come, {lacking}"
    if not chosen:
        why = f" ({'; '.join(answer.barred)})" if answer.barred else ""
        barred_by_cord = len(search.seats) > 0 and not search.allowed([]).any()
        if barred_by_cord:
            limit, _ = ground.cord_limits_gy()
            reason = f"{lacking}. Every reachable seed would take the cord over {limit:.1f} Gy."
            return replace(answer, verdict="stop", reason=reason)
        reason = (
            f"{lacking}. No place through the needles in place would mend it{why}: "
            "consider another needle there."
        )
        return replace(answer, verdict="adjust", reason=reason)
    seeds, predicted = _supplements(ground, search, chosen)
    needles = ", ".join(str(n) for n in sorted({s.needle for s in seeds}))
    reason = (
        f"{lacking}. {len(seeds)} more seed{'s' if len(seeds) > 1 else ''} through needle "
        f"{needles} would make it D90 {predicted.d90_gy:.1f} Gy and V100 "
        f"{predicted.v100_percent:.1f} %"
        f"{_cost(expected, predicted, ground)}."
    )
    return replace(answer, verdict="adjust", reason=reason, predicted=predicted, seeds=seeds)


def _supplements(
    ground: Ground, search: Search, chosen: tuple[int, ...]
) -> tuple[tuple[Supplement, ...], Figures]:
    seats = search.seats
    found, figures = [], ground.figures(search.target_gy, search.cord_gy)
    for gain, seat in enumerate(chosen, 1):
        used = list(chosen[:gain])
        figures = ground.figures(
            search.target_gy + seats.target_gy[used].sum(axis=0),
            search.cord_gy + seats.cord_gy[used].sum(axis=0),
        )
        away = float(seats.cord_mm[seat])
        found.append(
            Supplement(
                0,
                int(seats.needle[seat]),
                _point(seats.position_mm[seat]),
                _point(seats.axis[seat]),
                float(seats.retraction_mm[seat]),
                figures,
                gain,
                away if np.isfinite(away) else None,
            )
        )
    found.sort(key=lambda s: (s.needle, s.retraction_mm))
    return tuple(replace(s, number=k) for k, s in enumerate(found, 1)), figures


def _cord_broken(ground: Ground, expected: Figures) -> str:
    """Return what the cord would have too much of, empty if its limits are kept."""
    if expected.cord_dmax_gy is None or expected.cord_d01cc_gy is None:
        return ""
    dmax, d01cc = ground.cord_limits_gy()
    if expected.cord_dmax_gy > dmax:
        return (
            f"The cord receives up to {expected.cord_dmax_gy:.1f} Gy (cumulative EQD2 "
            f"{expected.cord_eqd2_gy:.1f} Gy); the case's limit is {dmax:.1f} Gy."
        )
    if expected.cord_d01cc_gy > d01cc:
        return (
            f"D0.1cc of the cord is {expected.cord_d01cc_gy:.1f} Gy; "
            f"the case's limit is {d01cc:.1f} Gy."
        )
    return ""


def _figures(figures: Figures, prescription_gy: float) -> str:
    return (
        f"D90 is {figures.d90_gy:.1f} Gy of {prescription_gy:.0f} Gy "
        f"and V100 {figures.v100_percent:.1f} %"
    )


def _place(cold: tuple[ColdRegion, ...]) -> str:
    if not cold:
        return ""
    worst = cold[0]
    place = ", ".join(f"{x:.0f}" for x in worst.centre_mm)
    needle = (
        f", {worst.needle_distance_mm:.0f} mm from needle {worst.needle}"
        if worst.needle is not None
        else ""
    )
    return (
        f"; {worst.volume_cc:.1f} cc around ({place}) mm{needle} are cold, "
        f"down to {worst.least_gy:.0f} Gy"
    )


def _cost(before: Figures, after: Figures, ground: Ground) -> str:
    if before.cord_dmax_gy is None or after.cord_dmax_gy is None:
        return "; no cord is drawn, so its dose is not known"
    limit, _ = ground.cord_limits_gy()
    return (
        f"; the cord's largest dose goes from {before.cord_dmax_gy:.1f} to "
        f"{after.cord_dmax_gy:.1f} Gy (limit {limit:.1f} Gy, cumulative EQD2 "
        f"{after.cord_eqd2_gy:.1f} Gy)"
    )


def _point(values: np.ndarray) -> Point:
    x, y, z = (float(v) for v in values)
    return (x, y, z)
