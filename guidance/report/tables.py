"""Tables of the report: rows of plain text, the first row the heading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from guidance.advice import MODELLED, Advice, Figures
from guidance.procedure.snapshot import Addition, DoseView, Snapshot

Rows = list[list[str]]
# Figures of a structure by the model-based dose, to medium and to water.
Modelled = tuple[Mapping[str, float], Mapping[str, float]]
# Figures by which two methods are compared: of the target, of an organ.
COMPARED = (("D90_gy", "V100_percent", "V150_percent"), ("Dmax_gy", "D0.1cc_gy"))
# 1 mCi of apparent activity of I-125 in air-kerma strength (AAPM TG-43U1, Med. Phys. 31, 633).
U_PER_MCI_I125 = 1.270
FIGURES = (
    ("D90_gy", "D90 / Gy", 1),
    ("D100_gy", "D100 / Gy", 1),
    ("V90_percent", "V90 / %", 1),
    ("V100_percent", "V100 / %", 1),
    ("V150_percent", "V150 / %", 1),
    ("V200_percent", "V200 / %", 1),
    ("Dmax_gy", "Dmax / Gy", 1),
    ("D0.1cc_gy", "D0.1cc / Gy", 1),
    ("D2cc_gy", "D2cc / Gy", 1),
)


def patient_rows(snapshot: Snapshot) -> Rows:
    """Return patient, plan, scans and registration, two columns."""
    rows = [
        ["Patient", f"{snapshot.patient_name or 'no name'}   ID {snapshot.patient_id or 'none'}"],
        ["Case", f"{snapshot.case_id}, after event {snapshot.event_number}"],
        ["State", "closed" if snapshot.closed else "NOT CLOSED: this report is provisional"],
    ]
    by = f", chosen by {snapshot.engine_chosen_by}" if snapshot.engine_chosen_by else ""
    rows.append(["Leading dose", f"{snapshot.engine}{by}"])
    plan = snapshot.plan
    if plan is None:
        rows.append(["Plan", "none was registered to the room"])
    else:
        mci = plan.strength_u / U_PER_MCI_I125
        when = f"{plan.strength_at:%Y-%m-%d %H:%M} UTC" if plan.strength_at else "no date given"
        rows += [
            [
                "Plan",
                f"{plan.label}: {len(plan.seeds)} seeds in {len(plan.needles)} needles"
                f"{_beyond(len(snapshot.supplements))}",
            ],
            [
                "Prescription",
                f"{plan.prescription_gy:.0f} Gy to {plan.target_name or 'the target'}",
            ],
            [
                "Source",
                f"{plan.source_model}, air-kerma strength {plan.strength_u:.3f} U a seed "
                f"({mci:.3f} mCi apparent at {U_PER_MCI_I125:.3f} U/mCi, I-125), {when}",
            ],
        ]
    for scan in snapshot.scans:
        when = f"{scan.acquired_at:%Y-%m-%d %H:%M} UTC" if scan.acquired_at else "no time given"
        tail = scan.series_instance_uid[-12:]
        rows.append([f"CT, {scan.purpose or 'unused'}", f"{scan.description}, {when}, ...{tail}"])
    if snapshot.registration is not None:
        accepted = snapshot.registration.accepted_by or "NOBODY"
        rows.append(
            [
                "Registration",
                f"residual {snapshot.registration.residual_mm:.2f} mm (median distance of bone "
                f"surfaces), accepted by {accepted}",
            ]
        )
    return rows


def needle_rows(snapshot: Snapshot) -> Rows:
    """Return a row for each needle."""
    rows = [["Needle", "Tip", "Lateral", "Depth", "Angle", "Clearance", "Seeds"]]
    for needle in snapshot.needles:
        planned = (
            len(snapshot.plan.seeds_of(needle.number)) if needle.planned and snapshot.plan else 0
        )
        dropped = sum(1 for s in snapshot.seeds if s.needle == needle.number and s.event_key)
        more = sum(1 for s in snapshot.supplements if s.needle == needle.number)
        nearest = min(needle.clearances, key=lambda c: c.distance_mm, default=None)
        clearance = (
            "-"
            if nearest is None
            else f"{nearest.structure} {nearest.distance_mm:.1f} mm "
            f"({'kept' if nearest.kept else 'BELOW'} {nearest.limit_mm:.0f})"
        )
        rows.append(
            [
                str(needle.number),
                _or(needle.tip_deviation_mm, "mm") if needle.tip_mm else "NOT SEEN",
                _or(needle.lateral_deviation_mm, "mm"),
                _or(needle.depth_deviation_mm, "mm", sign=True),
                _or(needle.angle_deg, "°"),
                clearance,
                f"{dropped} of {planned}" + (f" + {more}" if more else ""),
            ]
        )
    return rows


def dose_rows(dose: DoseView, planned: DoseView | None) -> Rows:
    """Return the figures of each structure, implant and (in brackets) plan."""
    before = {d.structure: d.figures for d in planned.dvh} if planned else {}
    shown = [f for f in FIGURES if any(f[0] in d.figures for d in dose.dvh)]
    rows = [["Structure", "Volume / cc", *(title for _, title, _ in shown)]]
    for dvh in dose.dvh:
        row = [dvh.structure, f"{dvh.volume_cc:.1f}"]
        for key, _, digits in shown:
            text = f"{dvh.figures[key]:.{digits}f}" if key in dvh.figures else "-"
            if key in before.get(dvh.structure, {}):
                text += f"\n({before[dvh.structure][key]:.{digits}f})"
            row.append(text)
        rows.append(row)
    return rows


def method_rows(
    dose: DoseView, modelled: Mapping[str, Modelled], targets: set[str], engine: str
) -> Rows:
    """Return the figures of both doses, each under its name, those of the one that leads first.

    Args:
        dose: by TG-43.
        modelled: figures of the model-based dose to medium and to water, by structure; those to
            water may be empty.
        targets: names of targets.
        engine: the dose that leads.
    """
    titles = {key: title for key, title, _ in FIGURES}
    tg43_head, heads = ["TG-43\n(water)"], ["Monte Carlo\nto medium", "Monte Carlo\nto water"]
    leads = engine == MODELLED
    heads = [*heads, *tg43_head] if leads else [*tg43_head, *heads]
    rows = [["Structure", "Figure", *heads, "to medium\n/ TG-43"]]
    for dvh in dose.dvh:
        medium, water = modelled.get(dvh.structure, ({}, {}))
        for key in COMPARED[dvh.structure not in targets]:
            tg43 = dvh.figures.get(key)
            if tg43 is None or key not in medium:
                continue
            ratio = f"{medium[key] / tg43:.2f}" if tg43 > 0 else "-"
            by_water, by_medium = [f"{tg43:.1f}"], [f"{medium[key]:.1f}"]
            by_medium.append(f"{water[key]:.1f}" if key in water else "-")
            values = [*by_medium, *by_water] if leads else [*by_water, *by_medium]
            rows.append([dvh.structure, titles[key], *values, ratio])
    return rows


def advice_rows(advice: Advice) -> Rows:
    """Return the figures that advice weighed, as the implant is and with what it proposes."""
    rows = [
        [f"Figures by {advice.engine}", "D90 / Gy", "V100 / %", "V150 / %", "cord Dmax / Gy",
         "cord D0.1cc / Gy", "cord EQD2 in all / Gy"],
        ["the implant as it is", *_weighed(advice.now)],
    ]  # fmt: skip
    if advice.predicted is not None:
        seeds = f"with the {len(advice.seeds)} seeds proposed"
        rows.append([seeds, *_weighed(advice.predicted)])
    return rows


def _weighed(figures: Figures) -> list[str]:
    values = (
        figures.d90_gy, figures.v100_percent, figures.v150_percent, figures.cord_dmax_gy,
        figures.cord_d01cc_gy, figures.cord_eqd2_gy,
    )  # fmt: skip
    return ["-" if value is None else f"{value:.1f}" for value in values]


def seed_rows(snapshot: Snapshot) -> Rows:
    """Return a row for each seed."""
    rows = [["Seed", "Needle", "Planned", "x / mm", "y / mm", "z / mm", "Moved", "State"]]
    for seed in snapshot.seeds:
        moved = (
            f"{np.linalg.norm(np.subtract(seed.seen_mm, seed.counted_mm)):.1f} mm"
            if seed.seen_mm and seed.counted_mm
            else "-"
        )
        rows.append(
            [
                str(seed.number),
                str(seed.needle or "-"),
                str(seed.planned_number or "-"),
                *(f"{v:.1f}" for v in seed.position_mm),
                moved,
                seed.status,
            ]
        )
    return rows


def supplement_rows(snapshot: Snapshot) -> Rows:
    """Return a row for each seed that was planned in the room, those taken back too."""
    rows = [["Seed", "Needle", "Drawn back", "Asked for", "By", "What became of it"]]
    for addition in snapshot.additions:
        weighed = f", advice by {addition.advised_by}" if addition.advised_by else ""
        rows.append(
            [
                str(addition.seed),
                str(addition.needle),
                f"{addition.retraction_mm:.1f} mm",
                f"{addition.at:%Y-%m-%d %H:%M:%S} UTC, event {addition.number}{weighed}",
                addition.by,
                _became(snapshot, addition),
            ]
        )
    return rows


def _became(snapshot: Snapshot, addition: Addition) -> str:
    if addition.withdrawn_by:
        when = f", {addition.withdrawn_at:%H:%M:%S}" if addition.withdrawn_at else ""
        return f"taken back by {addition.withdrawn_by}{when}"
    dropped = next((s for s in snapshot.seeds if s.planned_number == addition.seed), None)
    return (
        "NOT DROPPED" if dropped is None else f"dropped as seed {dropped.number}, {dropped.status}"
    )


def _beyond(seeds: int) -> str:
    return f", and {seeds} beyond it, planned in the room" if seeds else ""


def check_rows(snapshot: Snapshot) -> Rows:
    """Return a row for each item of the time-out."""
    rows = [["Item", "Answer", "By", "Note", "Time (UTC)"]]
    for check in snapshot.checklist:
        answer = ("in order" if check.good else "NOT IN ORDER") if check.answered_by else "OPEN"
        when = f"{check.at:%H:%M:%S}" if check.at else "-"
        rows.append([check.item, answer, check.answered_by or "-", check.note or "-", when])
    return rows


def edit_rows(snapshot: Snapshot) -> Rows:
    """Return a row for each word of a person on a detection."""
    rows = [["Detection", "Act", "By", "Why", "Time (UTC)"]]
    rows += [[e.what, e.act, e.by, e.reason or "-", f"{e.at:%H:%M:%S}"] for e in snapshot.edits]
    return rows


def signature_rows(snapshot: Snapshot) -> Rows:
    """Return a row for each signature given in the room, and for each that is missing."""
    rows = [["Role", "Signed by", "Time (UTC)"]]
    rows += [[s.role, s.by, f"{s.at:%Y-%m-%d %H:%M:%S}"] for s in snapshot.signatures]
    rows += [[role, "NOBODY YET", "-"] for role in snapshot.roles_wanted]
    return rows


def ledger_rows(snapshot: Snapshot) -> Rows:
    """Return the account in one row under its heading."""
    ledger = snapshot.ledger
    names = (
        "received", "implanted", "in_cartridges", "returned", "assayed", "waste", "unresolved",
    )  # fmt: skip
    heading = [n.replace("_", " ") for n in names]
    heading[1:] = [f"{'=' if i == 1 else '+'} {n}" for i, n in enumerate(heading[1:], 1)]
    seen = "not looked" if ledger.seen is None else str(ledger.seen)
    return [
        [*heading, "directive", "seen", "misfires"],
        [*(str(getattr(ledger, n)) for n in names), str(ledger.directive), seen,
         str(ledger.misfires)],
    ]  # fmt: skip


def alarm_rows(snapshot: Snapshot) -> Rows:
    """Return a row for each alarm."""
    rows = [["Time (UTC)", "Priority", "Alarm", "Acknowledged by"]]
    rows += [
        [f"{a.raised_at:%H:%M:%S}", a.priority.value, a.text, a.acknowledged_by or "NOBODY"]
        for a in snapshot.alarms
    ]
    return rows


def comparison_rows(comparison: dict[str, Any]) -> Rows:
    """Return what was said beside what was true, for a simulated case."""
    rows = [["Simulated case", "True", "Said", "Error: mean (largest)"]]
    seeds, needles = comparison["seeds"], comparison["needles"]
    rows += [
        ["Seeds", str(seeds["true"]), f"{seeds['matched']}, invented {seeds['invented']}", ""],
        ["Seed centre", "", "", _spread(seeds["centre_error_mm"], "mm")],
        ["Seed axis", "", "", _spread(seeds["axis_error_deg"], "°")],
        [
            "Needles",
            str(needles["true"]),
            f"{needles['matched']}, invented {needles['invented']}",
            "",
        ],
        ["Needle tip", "", "", _spread(needles["tip_error_mm"], "mm")],
        ["Needle angle", "", "", _spread(needles["angle_error_deg"], "°")],
        ["Registration at the target", "", "", f"{comparison['registration_error_mm']:.2f} mm"],
    ]
    for structure, figures in comparison["dose"].items():
        for key in ("D90_gy", "Dmax_gy", "D0.1cc_gy"):
            if key in figures:
                pair = figures[key]
                rows.append(
                    [
                        f"{structure}: {key.removesuffix('_gy')} / Gy",
                        str(pair["true"]),
                        str(pair["reported"]),
                        "",
                    ]
                )
    return rows


def places(snapshot: Snapshot) -> str:
    """Return which seeds are missing or extra, in one sentence."""
    missing = [s.number for s in snapshot.seeds if s.status == "missing"]
    extra = [s.number for s in snapshot.seeds if s.status == "extra"]
    counted = sum(1 for s in snapshot.seeds if s.event_key)
    seen = sum(1 for s in snapshot.seeds if s.seen_mm is not None)
    parts = [f"{snapshot.ledger.directive} seeds planned, {counted} counted, {seen} seen."]
    if missing:
        parts.append(f"Not seen on the scan: {', '.join(map(str, missing))} (dosed as counted).")
    if extra:
        parts.append(f"Seen but never counted: {', '.join(map(str, extra))}.")
    return " ".join(parts)


def _or(value: float | None, unit: str, *, sign: bool = False) -> str:
    if value is None:
        return "-"
    return f"{value:+.1f} {unit}" if sign else f"{value:.1f} {unit}"


def _spread(values: dict[str, float] | None, unit: str) -> str:
    return "-" if values is None else f"{values['mean']:.2f} ({values['max']:.2f}) {unit}"
