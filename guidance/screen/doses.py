"""The dose figures as the panel shows them: known, counted, planned, and against the limit."""

from __future__ import annotations

from dataclasses import dataclass

from guidance.advice import MODELLED
from guidance.procedure.snapshot import DoseFigure, DoseView, Snapshot
from guidance.screen import theme
from guidance.screen.language import marked, said, tr

DASH = "–"
TARGET_ROLES = {"GTV", "CTV", "PTV"}
# Title, field and unit of the figures shown.
FIGURES_OF_TARGET = (
    ("D90", "D90_gy", "Gy"),
    ("V100", "V100_percent", "%"),
    ("V150", "V150_percent", "%"),
)
FIGURES_OF_ORGAN = (("Dmax", "Dmax_gy", "Gy"), ("D0.1cc", "D0.1cc_gy", "Gy"))
# Figures of the core whose names are words.
QUANTITIES = {"cumulative EQD2": marked("EQD2 in all")}
WORDS = {
    "kept": (marked("{limit} kept"), theme.GOOD),
    "below": (marked("{limit} BELOW"), theme.WARN),
    "above": (marked("{limit} ABOVE"), theme.BAD),
}


# A structure with the figures wanted of it.
Fields = tuple[str, tuple[tuple[str, str, str], ...]]


@dataclass(frozen=True)
class DoseRow:
    """One line of the panel, in words.

    Attributes:
        structure: its name.
        quantity: such as ``D90``.
        implant: seeds as seen, else as counted; with the unit of the whole line.
        counted: every counted seed where it was counted.
        planned: in the plan.
        limit: what is wanted and whether it is so; empty where the case sets none.
        colour: of the limit.
        modelled: by the model-based dose to medium; a dash where it has none.
    """

    structure: str
    quantity: str
    implant: str
    counted: str
    planned: str
    limit: str = ""
    colour: str = theme.QUIET
    modelled: str = DASH


def dose_rows(snapshot: Snapshot) -> tuple[DoseRow, ...]:
    """Return the lines: the target's, the organs', then those of other targets.

    Figures that the case holds against a limit stand with their structure, whether or not they
    can be read from a histogram.
    """
    begun = bool(snapshot.seeds)
    decisive = {(f.structure, f.quantity): f for f in snapshot.dose_figures}
    rows: list[DoseRow] = []
    for name, fields in _wanted(snapshot):
        for quantity, field, unit in fields:
            implant, counted, planned = (
                _figure(dose, name, field, unit)
                for dose in (snapshot.dose, snapshot.dose_counted, snapshot.planned_dose)
            )
            limit = limit_words(decisive.pop((name, quantity), None), begun=begun)
            model = _modelled_figure(snapshot, name, field, unit)
            rows.append(DoseRow(name, quantity, implant, counted, planned, *limit, model))
        for figure in [f for f in decisive.values() if f.structure == name]:
            rows.append(_of_core(decisive.pop((name, figure.quantity)), begun=begun))
    return tuple(rows + [_of_core(figure, begun=begun) for figure in decisive.values()])


def limit_words(figure: DoseFigure | None, *, begun: bool = True) -> tuple[str, str]:
    """Return what is wanted of a figure and whether it is so, with the colour.

    Before the first seed it is no news that a target lacks dose.
    """
    if figure is None or figure.limit is None:
        return "", theme.QUIET
    limit = f"{'≥' if figure.least else '≤'} {figure.limit:g}"
    if not figure.word or (figure.word == "below" and not begun):
        return limit, theme.QUIET
    text, colour = WORDS[figure.word]
    return tr(text, limit=limit), colour


def modelled_line(snapshot: Snapshot) -> str:
    """Return what the model-based dose is, how far it is, and its figures to water."""
    view, leads = snapshot.modelled, snapshot.engine == MODELLED
    if view is None:
        if not snapshot.modelled_refused:
            none = tr("the model-based dose (MC, research) leads; none is at hand")
            return none if leads else ""
        why = said(snapshot.modelled_refused)
        return tr("no model-based dose (MC, research): {why}", why=why)
    named = {"target": tr("target"), "cord": tr("cord")}
    reached = ", ".join(f"{named[name]} {100 * value:.1f} %" for name, value in view.reached)
    parts = [
        tr("MC: model-based (Monte Carlo), research, dose to medium"),
        tr("uncertainty {reached}", reached=reached),
        tr("{n} seeds after event {event}", n=view.seeds, event=view.event_number),
    ]
    target, cord = view.of(view.target), view.of(view.cord)
    water = [f"D90 {target.water['D90_gy']:.0f} Gy"] if target else []
    water += [f"{named['cord']} Dmax {cord.water['Dmax_gy']:.0f} Gy"] if cord else []
    if water:
        parts.append(tr("to water {figures}", figures=", ".join(water)))
    if not view.ended:
        parts.insert(1, tr("CONVERGING"))
    if leads:
        parts.insert(0, tr("LEADS"))
    line = "; ".join(parts)
    return tr("STALE, {origin}", origin=line) if snapshot.modelled_is_stale else line


def _of_core(figure: DoseFigure, *, begun: bool) -> DoseRow:
    values = (figure.value, figure.counted, figure.planned, figure.modelled)
    implant, counted, planned, model = (
        DASH if value is None else _said(value, figure.unit) for value in values
    )
    quantity = tr(QUANTITIES.get(figure.quantity, figure.quantity))
    limit = limit_words(figure, begun=begun)
    return DoseRow(figure.structure, quantity, implant, counted, planned, *limit, model)


def _wanted(snapshot: Snapshot) -> list[Fields]:
    target = snapshot.plan.target_name if snapshot.plan else ""
    roles = {s.name: s.role.upper() for s in snapshot.structures}
    names = [
        d.structure for view in (snapshot.dose, snapshot.planned_dose) if view for d in view.dvh
    ]
    names = [n for n in dict.fromkeys(names) if roles.get(n) != "EXTERNAL"]
    found: list[Fields] = []
    for name in sorted(names, key=lambda n: (n != target, roles.get(n) in TARGET_ROLES)):
        if name == target:
            found.append((name, FIGURES_OF_TARGET))
        elif roles.get(name) in TARGET_ROLES:
            found.append((name, FIGURES_OF_TARGET[:2]))
        else:
            found.append((name, FIGURES_OF_ORGAN))
    return found


def _figure(dose: DoseView | None, structure: str, field: str, unit: str) -> str:
    for dvh in dose.dvh if dose else ():
        if dvh.structure == structure and field in dvh.figures:
            return _said(dvh.figures[field], unit)
    return DASH


def _modelled_figure(snapshot: Snapshot, structure: str, field: str, unit: str) -> str:
    found = snapshot.modelled.of(structure) if snapshot.modelled is not None else None
    return _said(found.medium[field], unit) if found and field in found.medium else DASH


def _said(value: float, unit: str) -> str:
    return f"{value:.{0 if unit == 'Gy' else 1}f} {unit}"


def structure_colours(snapshot: Snapshot) -> dict[str, str]:
    """Return the colour of each structure that is dosed; the body's outline is left out."""
    return {
        s.name: "#{:02x}{:02x}{:02x}".format(*s.color)
        for s in snapshot.structures
        if s.role.upper() != "EXTERNAL"
    }
