"""What the room is shown: one frozen picture of the case after one event.

The screen, the headless console and the report are functions of this and of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from dose.geometry import GridGeometry
from dose.structures import Structure
from guidance.advice import MODELLED, TG43, Advice
from guidance.alarms import Alarm, Priority
from guidance.imaging.volume import Volume
from guidance.ledger import LedgerView
from guidance.planning.plan import ImplantPlan, PlannedSeed
from guidance.planning.protocol import Protocol
from guidance.procedure.acts import Addition, Check, Edit, Nudge, Question, Signature
from guidance.procedure.events import DoseReported
from guidance.tracking.implant import ImplantSeed, NeedleTrack

__all__ = [
    "Addition",
    "Advice",
    "Alarm",
    "ApplicatorView",
    "Check",
    "DoseFigure",
    "DoseView",
    "DvhView",
    "Edit",
    "LedgerView",
    "ModelledFigures",
    "ModelledView",
    "Nudge",
    "Priority",
    "Protocol",
    "Question",
    "RegistrationView",
    "ScanView",
    "Signature",
    "Snapshot",
    "Step",
]


class Step(Enum):
    """The steps of the procedure, in order."""

    CASE = "case"
    PLAN = "plan"
    REGISTER = "register"
    NEEDLES = "needles"
    IMPLANT = "implant"
    VERIFY = "verify"
    CLOSE = "close"


@dataclass(frozen=True)
class ApplicatorView:
    """The applicator as last heard.

    Attributes:
        link: ``absent``, ``connecting``, ``up``, ``lost`` or ``refused``.
        serial_number: of the controller.
        armed: whether a permit is in force.
        needle: needle of the permit or the last one reported, None if none.
        permitted: seeds permitted; 0 when not armed.
        dropped: seeds dropped under the permit.
        cartridge: serial of the cartridge in place, empty if none.
        remaining: seeds left in it as the device counts, None if unknown.
        as_of: UTC time of the last answer; None before any.
        detail: one sentence on anything odd, else empty.
    """

    link: str = "absent"
    serial_number: str = ""
    armed: bool = False
    needle: int | None = None
    permitted: int = 0
    dropped: int = 0
    cartridge: str = ""
    remaining: int | None = None
    as_of: datetime | None = None
    detail: str = ""


@dataclass(frozen=True)
class DvhView:
    """The dose-volume histogram of one structure, ready to draw and to print.

    Attributes:
        structure: its name.
        volume_cc: its volume.
        dose_gy: (n,) ascending dose axis.
        volume_percent: (n,) volume receiving at least that dose.
        figures: figures by their field names, such as ``D90_gy``, ``V100_percent``,
            ``Dmax_gy``, ``D0.1cc_gy``.
    """

    structure: str
    volume_cc: float
    dose_gy: NDArray[np.float64]
    volume_percent: NDArray[np.float64]
    figures: dict[str, float]


@dataclass(frozen=True)
class DoseView:
    """Dose of the implant as known after ``event_number``.

    Attributes:
        geometry: of the dose grid.
        dose_gy: (nz, ny, nx) float32, to full decay, water in water (TG-43).
        prescription_gy: the 100 % of every percentage.
        dvh: by structure.
        event_number: the event whose implant was dosed.
        seeds: how many seeds are in it.
        method: one line naming formalism, source model and seed positions used.
        seen_in: (scan UID, how many seeds lie where that scan shows them), oldest scan first;
            the rest lie where they were counted or planned.
    """

    geometry: GridGeometry
    dose_gy: NDArray[np.float32]
    prescription_gy: float
    dvh: tuple[DvhView, ...]
    event_number: int
    seeds: int
    method: str
    seen_in: tuple[tuple[str, int], ...] = ()


def uncertainty_words(reached: Iterable[tuple[str, float]]) -> str:
    """Return how well a model-based dose is known, in words."""
    known = ", ".join(f"{100 * value:.1f} % in the {name}" for name, value in reached)
    return f"mean standard uncertainty {known}"


@dataclass(frozen=True)
class ModelledFigures:
    """Figures of one structure under the model-based dose, by names as in ``DvhView``.

    Attributes:
        structure: its name.
        medium: of dose to medium in medium.
        water: of dose to water in medium.
        dose_gy: (n,) ascending, of the histogram of dose to medium.
        volume_percent: (n,) of the structure that receives at least that.
    """

    structure: str
    medium: dict[str, float]
    water: dict[str, float]
    dose_gy: NDArray[np.float64]
    volume_percent: NDArray[np.float64]


@dataclass(frozen=True)
class ModelledView:
    """The model-based (Monte Carlo) dose, for research; beside TG-43, never in its place.

    Attributes:
        geometry: of its grid.
        dose_gy: (nz, ny, nx) float32, to medium in medium, to full decay.
        water_gy: (nz, ny, nx) float32, the same to water in medium.
        tg43_gy: (nz, ny, nx) float32, TG-43 of the same seeds on the same grid.
        uncertainty: (nz, ny, nx) float32, relative standard uncertainty of ``dose_gy``.
        figures: of target and organs.
        reached: (region, mean relative uncertainty) of target and cord.
        target: name of the target, empty without one.
        cord: name of the cord, empty without one.
        event_number: the event whose implant it holds for.
        scan_uid: of the CT through which photons were carried.
        seeds: how many are in it.
        histories: that were run.
        ended: false while it is still converging.
        method: one line naming method, source model, seeds and grid.
        remarks: what a reader must know, full sentences.
    """

    geometry: GridGeometry
    dose_gy: NDArray[np.float32]
    water_gy: NDArray[np.float32]
    tg43_gy: NDArray[np.float32]
    uncertainty: NDArray[np.float32]
    figures: tuple[ModelledFigures, ...]
    reached: tuple[tuple[str, float], ...]
    target: str
    cord: str
    event_number: int
    scan_uid: str
    seeds: int
    histories: int
    ended: bool
    method: str
    remarks: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """One sentence on what it is: method, implant, histories, uncertainty."""
        return (
            f"{self.method}, after event {self.event_number}; {self.histories:,} histories, "
            f"{uncertainty_words(self.reached)}"
        )

    def reported(self) -> DoseReported:
        """Return its figures to medium as a fact of the case."""
        figures = {f.structure: dict(f.medium) for f in self.figures}
        return DoseReported(self.event_number, self.told, figures, MODELLED)

    def of(self, structure: str) -> ModelledFigures | None:
        """Return the figures of a structure, None if it has none."""
        return next((f for f in self.figures if f.structure == structure), None)


@dataclass(frozen=True)
class DoseFigure:
    """One figure against its limit: as known now, as counted alone, and as planned.

    Attributes:
        structure: its name.
        quantity: such as ``D90``, ``V100``, ``Dmax``, ``D0.1cc`` or ``cumulative EQD2``.
        unit: ``Gy`` or ``%``.
        value: seeds as seen, else as counted; None before any dose.
        counted: every counted seed where it was counted, seen or not; None before any.
        planned: of the plan in the room's frame; None before a registration.
        limit: None where the case sets none.
        least: whether the limit is the least that is wanted (else the most).
        modelled: of the model-based dose to medium, once it is there whole for this implant.
        engine: the dose that leads: its value is the one held against the limit.
    """

    structure: str
    quantity: str
    unit: str
    value: float | None
    counted: float | None
    planned: float | None
    limit: float | None = None
    least: bool = False
    modelled: float | None = None
    engine: str = TG43

    @property
    def word(self) -> str:
        """One word: ``kept``, ``below``, ``above``, or empty without a value or a limit."""
        leading = self.value if self.engine == TG43 else self.modelled
        if leading is None or self.limit is None:
            return ""
        if self.least:
            return "kept" if leading >= self.limit else "below"
        return "kept" if leading <= self.limit else "above"


@dataclass(frozen=True)
class ScanView:
    """A scan that belongs to the case.

    Attributes:
        series_instance_uid: its UID.
        purpose: ``planning``, ``needles`` or ``verification``; empty if unused.
        description: SeriesDescription.
        acquired_at: UTC time, None if unknown.
        received_at: UTC time it became whole here.
    """

    series_instance_uid: str
    purpose: str
    description: str
    acquired_at: datetime | None
    received_at: datetime


@dataclass(frozen=True)
class RegistrationView:
    """How the plan was brought into the room's frame.

    Attributes:
        plan_to_room: 4x4 rigid matrix, LPS mm.
        residual_mm: median distance left between matched bone surfaces.
        accepted_by: name, empty while nobody has accepted it.
        residual_is_current: false while the residual of a nudged one is being measured.
        doubts: why it is implausible, one sentence each; it is then only accepted with a reason.
        remarks: of the search, such as another level that matches nearly as well.
        shift_mm: how far it carries the target (x, y, z).
        turn_deg: how far the patient lies turned, from supine or prone.
        nudges: moves by hand since the search.
        room_uid: SeriesInstanceUID of the scan of the room it was made with.
        planning_uid: of the planning CT.
    """

    plan_to_room: NDArray[np.float64]
    residual_mm: float
    accepted_by: str = ""
    residual_is_current: bool = True
    doubts: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    shift_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)
    turn_deg: float = 0.0
    nudges: tuple[Nudge, ...] = ()
    room_uid: str = ""
    planning_uid: str = ""


@dataclass(frozen=True)
class WorkView:
    """Long work that is under way.

    Attributes:
        key: names it; it is stopped by that.
        what: what is done, in words.
        since: UTC time it began.
        share: how much of it is done, 0 to 1; None where nobody can tell.
        can_stop: whether a person can stop it; not once somebody has.
    """

    key: str
    what: str
    since: datetime
    share: float | None = None
    can_stop: bool = True


@dataclass(frozen=True)
class Snapshot:
    """The whole picture after one event.

    Attributes:
        event_number: number of the last event folded in.
        at: UTC time of that event.
        case_id: identity of the case; views of two cases never mix.
        patient_id: DICOM PatientID, empty before a case is open.
        patient_name: DICOM PatientName.
        step: where the procedure stands.
        next_action: one sentence: what is expected next, and of whom.
        plan: in the room's frame once registered, else None.
        structures: in the room's frame once registered, else empty.
        volume: the CT to draw on (the latest scan of the room, else the planning CT).
        scan: the scan that volume belongs to.
        scans: all scans of the case.
        registration: None before it.
        needles: by number.
        seeds: by number.
        applicator: as last heard.
        ledger: the seed account.
        dose: None before the first; ``dose.event_number`` tells which implant it shows.
        dose_is_stale: whether a seed has changed since that dose.
        alarms: newest first.
        advice: sentences, each with its numbers.
        closed: whether the case is closed.
        planned_dose: dose of the plan in the room's frame, for comparison; may be None.
        busy: what long work is under way, in words; empty when none is.
        work: the same with when it began and how to stop it; also what nobody waits for, which
            ``busy`` leaves out. None when there is none.
        stops_left_mm: total retraction of each seed still to be dropped through the needle the
            applicator is on (of the permit while one is in force), in order.
        unknown_strokes: record number and needle of each stroke whose outcome is not known.
        protocol: limits and formalities agreed for the case.
        proposal: the advice with its numbers; ``proposal.event_number`` tells which implant it
            is about. None before any.
        proposal_is_stale: whether the implant has changed since.
        supplements: seeds that a person accepted beyond the plan, in the room's frame.
        additions: who accepted them and when, those taken back too, oldest first.
        dose_counted: dose of every counted seed where it was counted, seen or not; None before.
        dose_figures: the figures that decide, each with its limit.
        planning_volume: the planning CT, to blend with ``volume`` or take the difference by
            ``registration.plan_to_room``; None before it came.
        questions: what is held until a person answers, oldest first.
        edits: what people said of detections, oldest first.
        checklist: the items of the time-out.
        signatures: under the implant.
        roles_wanted: who has still to sign.
        courses: earlier external courses to the cord, such as ``10x3``.
        modelled: the model-based dose; None where it is not wanted or not there yet.
        modelled_is_stale: whether the implant or its scan has changed since that.
        modelled_refused: one sentence on why it could not be had, else empty.
        opened_by: who opened the case; empty while nobody has.
        engine: the dose that leads, one of ``guidance.advice.ENGINES``.
        engine_chosen_by: name; empty while nobody has chosen.
        modelled_reported: figures of the model-based dose of this very implant as they were
            recorded when a person verified it; None without.
        advice_waits: what advice waits for, in a sentence; empty where it does not.
    """

    event_number: int
    at: datetime
    case_id: str
    patient_id: str = ""
    patient_name: str = ""
    step: Step = Step.CASE
    next_action: str = ""
    plan: ImplantPlan | None = None
    structures: tuple[Structure, ...] = ()
    volume: Volume | None = None
    scan: ScanView | None = None
    scans: tuple[ScanView, ...] = ()
    registration: RegistrationView | None = None
    needles: tuple[NeedleTrack, ...] = ()
    seeds: tuple[ImplantSeed, ...] = ()
    applicator: ApplicatorView = field(default_factory=ApplicatorView)
    ledger: LedgerView = field(default_factory=LedgerView)
    dose: DoseView | None = None
    dose_is_stale: bool = False
    alarms: tuple[Alarm, ...] = ()
    advice: tuple[str, ...] = ()
    closed: bool = False
    planned_dose: DoseView | None = None
    busy: str = ""
    work: WorkView | None = None
    stops_left_mm: tuple[float, ...] = ()
    unknown_strokes: tuple[tuple[int, int | None], ...] = ()
    protocol: Protocol = field(default_factory=Protocol)
    proposal: Advice | None = None
    proposal_is_stale: bool = False
    supplements: tuple[PlannedSeed, ...] = ()
    additions: tuple[Addition, ...] = ()
    dose_counted: DoseView | None = None
    dose_figures: tuple[DoseFigure, ...] = ()
    planning_volume: Volume | None = None
    questions: tuple[Question, ...] = ()
    edits: tuple[Edit, ...] = ()
    checklist: tuple[Check, ...] = ()
    signatures: tuple[Signature, ...] = ()
    roles_wanted: tuple[str, ...] = ()
    courses: tuple[str, ...] = ()
    modelled: ModelledView | None = None
    modelled_is_stale: bool = False
    modelled_refused: str = ""
    opened_by: str = ""
    engine: str = TG43
    engine_chosen_by: str = ""
    modelled_reported: DoseReported | None = None
    advice_waits: str = ""
