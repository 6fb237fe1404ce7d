"""The report's doses: TG-43 and the model-based one, the one that leads first, and the advice."""

from __future__ import annotations

from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer

from dose.structures import Structure
from guidance.advice import MODELLED, TG43
from guidance.procedure.snapshot import ModelledView, Snapshot, uncertainty_words
from guidance.report import tables
from guidance.report.figures import dvh_png, slices_png
from guidance.report.paper import BODY, CELL, SECTION, WIDTH, image, table, text

TARGET_ROLES = ("GTV", "CTV", "PTV")
NOT_VALIDATED = "It is not validated against measurements in bone."


def doses(snapshot: Snapshot) -> list[Flowable]:
    """Return both doses under their names, histograms, isodoses and advice."""
    tg43, modelled = _tg43(snapshot), _modelled(snapshot)
    histograms, slices, advice = _histograms(snapshot), _slices(snapshot), _advice(snapshot)
    if snapshot.engine == MODELLED:
        return [*modelled, *histograms, *tg43, *slices, *advice]
    return [*tg43, *histograms, *slices, *modelled, *advice]


def _title(snapshot: Snapshot, engine: str, name: str) -> Paragraph:
    leads = ": the dose that leads" if snapshot.engine == engine else ""
    return Paragraph(text(f"{name}{leads}"), SECTION)


def _tg43(snapshot: Snapshot) -> list[Flowable]:
    parts: list[Flowable] = [_title(snapshot, TG43, "Dose by TG-43")]
    dose = snapshot.dose
    if dose is None:
        return [*parts, Paragraph("No dose was computed: there is no registered plan.", BODY)]
    brackets = "; in brackets the plan's, in the room's frame" if snapshot.planned_dose else ""
    method = f"{dose.method}. Seeds in this dose: {dose.seeds}, after event {dose.event_number}"
    parts += [
        Paragraph(text(f"{method}{brackets}."), BODY),
        Spacer(0, 1.5 * mm),
        table(tables.dose_rows(dose, snapshot.planned_dose)),
    ]
    if snapshot.dose_is_stale:
        parts.append(Paragraph("<b>A seed has changed since this dose.</b>", BODY))
    return parts


def _histograms(snapshot: Snapshot) -> list[Flowable]:
    if snapshot.dose is None:
        return []
    png = dvh_png(snapshot.dose, snapshot.planned_dose, _current(snapshot), snapshot.engine)
    return [Spacer(0, 2 * mm), image(png, WIDTH)]


def _slices(snapshot: Snapshot) -> list[Flowable]:
    """Return isodoses of TG-43 on slices."""
    target = _target(snapshot)
    if snapshot.dose is None:
        return []
    if snapshot.volume is None or target is None:
        return [Paragraph("No slices: the scan or the target is missing.", BODY)]
    caption = snapshot.scan.description if snapshot.scan else "the latest scan"
    seeds = "Green: seeds seen; purple: not seen, as counted."
    return [
        KeepTogether(
            [
                Paragraph("Isodoses on CT, by TG-43", SECTION),
                Paragraph(text(f"On {caption}. {seeds}"), BODY),
                image(slices_png(snapshot, target), WIDTH),
            ]
        ),
    ]


def _modelled(snapshot: Snapshot) -> list[Flowable]:
    """Return the model-based dose beside TG-43; nothing where it neither is nor leads."""
    view, dose, leads = snapshot.modelled, snapshot.dose, snapshot.engine == MODELLED
    recorded = snapshot.modelled_reported
    if view is None and recorded is None and not snapshot.modelled_refused and not leads:
        return []
    parts: list[Flowable] = [_title(snapshot, MODELLED, "Model-based dose (Monte Carlo, research)")]
    if dose is None or (view is None and recorded is None):
        why = snapshot.modelled_refused or (
            "It was not computed to its end for this implant."
            if dose is not None
            else "There is no TG-43 dose to set it beside."
        )
        instead = " <b>The figures below are TG-43.</b>" if leads and dose is not None else ""
        return [*parts, Paragraph(text(f"There is no model-based dose. {why}") + instead, BODY)]
    if view is not None:
        said, figures = view.told, {f.structure: (f.medium, f.water) for f in view.figures}
    else:
        assert recorded is not None
        said = f"{recorded.method}. Its figures are those recorded when the implant was verified"
        figures = {name: (medium, {}) for name, medium in recorded.figures.items()}
    parts += [
        Paragraph(text(f"{said}. {NOT_VALIDATED} The isodoses are TG-43."), BODY),
        Spacer(0, 1.5 * mm),
        table(
            tables.method_rows(dose, figures, _targets(snapshot), snapshot.engine),
            widths=(0.22, 0.12, 0.16, 0.18, 0.18, 0.14),
        ),
        *(Paragraph(text(remark), CELL) for remark in (view.remarks if view else ())),
    ]
    if view is not None and snapshot.modelled_is_stale:
        parts.append(Paragraph("<b>The implant has changed since the model-based dose.</b>", BODY))
    elif view is not None and not view.ended:
        parts.append(Paragraph("<b>The model-based dose had not converged to its end.</b>", BODY))
    return [KeepTogether(parts)]


def _advice(snapshot: Snapshot) -> list[Flowable]:
    """Return the last advice under the name of the dose that weighed it."""
    advice = snapshot.proposal
    if advice is None:
        waits = snapshot.advice_waits
        return [Paragraph("Advice", SECTION), Paragraph(text(waits), BODY)] if waits else []
    about = f"{advice.verdict} ({advice.engine}, after event {advice.event_number})"
    parts: list[Flowable] = [
        Paragraph(text(f"Advice, weighed by {advice.engine}"), SECTION),
        Paragraph(text(f"{about}: {advice.reason} Never an order."), BODY),
        Spacer(0, 1.5 * mm),
        table(tables.advice_rows(advice), widths=(0.28, 0.11, 0.11, 0.11, 0.13, 0.13, 0.13)),
    ]
    used = advice.modelled
    if used is not None:
        known = uncertainty_words(used.uncertainty)
        of = f"{used.method}, after event {used.event_number}, {used.histories:,} histories"
        parts.append(Paragraph(text(f"The dose: {of}, {known}."), CELL))
    parts += [Paragraph(text(remark), CELL) for remark in advice.remarks]
    if advice.engine != snapshot.engine:
        other = f"Since then {snapshot.engine} leads; this advice is not by it."
        parts.append(Paragraph(text(other), BODY))
    elif snapshot.proposal_is_stale:
        parts.append(Paragraph("<b>The implant has changed since this advice.</b>", BODY))
    return [KeepTogether(parts)]


def _current(snapshot: Snapshot) -> ModelledView | None:
    """Return the model-based dose of this very implant."""
    return None if snapshot.modelled_is_stale else snapshot.modelled


def _targets(snapshot: Snapshot) -> set[str]:
    named = {snapshot.plan.target_name} if snapshot.plan else set()
    return named | {s.name for s in snapshot.structures if s.role.upper() in TARGET_ROLES}


def _target(snapshot: Snapshot) -> Structure | None:
    wanted = snapshot.plan.target_name if snapshot.plan else ""
    drawn = [s for s in snapshot.structures if s.contours]
    return next((s for s in drawn if s.name == wanted), drawn[0] if drawn else None)
