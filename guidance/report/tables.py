"""Tables of the report: rows of plain text, the first row the heading."""

from __future__ import annotations

from typing import Any

import numpy as np

from guidance.procedure.snapshot import Addition, DoseView, ModelledView, Snapshot

Rows = list[list[str]]
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


def method_rows(dose: DoseView, modelled: ModelledView, targets: set[str]) -> Rows:
    """Return the figures of TG-43 and of the model-based dose, each under its name."""
    titles = {key: title for key, title, _ in FIGURES}
    rows = [
        ["Structure", "Figure", "TG-43\n(water)", "Monte Carlo\nto medium",
         "Monte Carlo\nto water", "to medium\n/ TG-43"]
    ]  # fmt: skip
    for dvh in dose.dvh:
        found = modelled.of(dvh.structure)
        for key in COMPARED[dvh.structure not in targets] if found else ():
            tg43 = dvh.figures.get(key)
            if found is None or tg43 is None or key not in found.medium:
                continue
            ratio = f"{found.medium[key] / tg43:.2f}" if tg43 > 0 else "-"
            values = (tg43, found.medium[key], found.water[key])
            rows.append([dvh.structure, titles[key], *(f"{v:.1f}" for v in values), ratio])
    return rows


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
