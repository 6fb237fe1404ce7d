"""The model-based dose beside TG-43: asked last, superseded by any seed, refused in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numba
import numpy as np
import pydicom
import pytest
from working_room import Room

from dose.geometry import GridGeometry
from dose.seeds import Seeds
from dose.structures import Structure
from guidance.advice import MODELLED, TG43, Advice
from guidance.conductor.adding import Carried, how_many_more
from guidance.conductor.carrying import PhotonRun
from guidance.conductor.desk import Desk
from guidance.conductor.exports import export_case
from guidance.conductor.library import Library
from guidance.conductor.modelling import Modelled, Modelling
from guidance.conductor.picture import Picture
from guidance.configuration import CtSettings, ModelledSettings
from guidance.detection import DetectedNeedle
from guidance.errors import RefusedError
from guidance.exchange import ExportReference, read_dose, write_structures
from guidance.imaging.volume import Volume
from guidance.journal import Journal
from guidance.planning.plan import ImplantPlan, PlannedNeedle, PlannedSeed
from guidance.procedure.advance import replayed
from guidance.procedure.events import (
    CaseOpened,
    DeviceRecorded,
    EngineChosen,
    Event,
    NeedlesConfirmed,
    NeedlesTracked,
    PlanImported,
    Registered,
    RegistrationAccepted,
    ScanAnalysed,
    SeriesReceived,
    StructuresImported,
    from_record,
    to_payload,
)
from guidance.procedure.jobs import ModelDose
from guidance.procedure.snapshot import ApplicatorView, ModelledView, Snapshot
from guidance.procedure.state import CaseState
from guidance.tracking.implant import NeedleTrack

AT = datetime(2026, 1, 13, 9, 0, tzinfo=UTC)
IDENTITY = tuple(tuple(float(i == j) for j in range(4)) for i in range(4))
QUICK = ModelledSettings(on=True, uncertainty_percent=20.0, time_limit_s=20.0, spacing_mm=4.0)
PLANNING, ROOM = "1.5.1", "1.5.2"


def tube(name: str, role: str, x: float, y: float, radius: float, reach: float) -> Structure:
    turn = np.linspace(0, 2 * np.pi, 32, endpoint=False)
    loops = tuple(
        np.column_stack((x + radius * np.cos(turn), y + radius * np.sin(turn), np.full(32, z)))
        for z in np.arange(-reach, reach + 0.1, 2.0)
    )
    return Structure(name, loops, role, PLANNING)


def volume() -> Volume:
    """Soft tissue with a slab of bone between the target and the cord at y = 34."""
    geometry = GridGeometry.from_axes(
        (-50, -50, -40), (2, 2, 2), (41, 51, 51), frame_of_reference_uid=ROOM
    )
    hu = np.full(geometry.shape, 40, np.int16)
    hu[:, 35:39, :] = 1300
    return Volume(geometry, hu)


def facts(structures: Path) -> tuple[Event, ...]:
    needle = PlannedNeedle(1, (0.0, 0.0, 0.0), (0.0, -45.0, 0.0))
    seats = tuple(
        PlannedSeed(k + 1, 1, (0.0, 2.25 - 10.0 * k, 0.0), (0.0, 1.0, 0.0), 10.0 * k)
        for k in range(3)
    )
    plan = ImplantPlan(
        "P", "1.9", "P1", PLANNING, "1.8", "6711", 0.8, AT, 20.0, "GTV", (needle,), seats
    )
    track = NeedleTrack(1, needle, needle.tip_mm, needle.entry_mm, 0.9, "1.2.4")

    def ct(number: int, frame: str) -> SeriesReceived:
        uid = f"1.2.{number}"
        return SeriesReceived(number, "CT", "P1", "", "1.1", uid, frame, "CT", (f"f{number}",))

    return (
        CaseOpened("Dr Li"),
        ct(1, PLANNING),
        StructuresImported("1.2.2", "1.8", "S", str(structures), PLANNING, ("GTV",)),
        PlanImported("1.2.3", plan),
        ct(4, ROOM),
        ScanAnalysed(
            "1.2.4", AT, (), (DetectedNeedle(needle.tip_mm, needle.entry_mm, 0.9),), (), 1.0
        ),
        Registered("1.2.4", "1.2.1", IDENTITY, 0.6, (), 3.0),
        RegistrationAccepted("Dr Li"),
        NeedlesTracked("1.2.4", 7, (track,)),
        NeedlesConfirmed("Dr Li"),
        record(1, "BOOT", "1.0"),
        record(2, "CART-IN", "C1", "15"),
        record(3, "NEEDLE", "1"),
        record(4, "RETRACT", "1", "0.0"),
        record(5, "INTENT", "1", "15"),
        record(6, "DROP", "1", "14"),
    )


def record(eid: int, kind: str, *args: str) -> DeviceRecorded:
    return DeviceRecorded("J1", eid, 1, eid, kind, args)


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """The journal of a case with its first seed dropped."""
    return written(tmp_path, 20.0)


def written(tmp_path: Path, reach: float) -> Path:
    path = tmp_path / "structures.dcm"
    drawn = (
        tube("GTV", "GTV", 0.0, 0.0, 8.0, 8.0), tube("Spinal cord", "ORGAN", 0.0, 34.0, 5.0, reach),
    )  # fmt: skip
    write_structures(path, drawn, ExportReference("P1", "", "1.1", "1.3", PLANNING, (), AT))
    with Journal(str(tmp_path / "journal.sqlite")) as journal:
        for fact in facts(path):
            kind, payload = to_payload(fact)
            journal.append("case", kind, payload, at=AT)
    return tmp_path / "journal.sqlite"


def state_of(case: Path) -> CaseState:
    with Journal(str(case), read_only=True) as journal:
        return replayed("case", map(from_record, journal.records("case")))


class Alone(Modelling):
    """Knows when the dose is due and makes it too, in one thread."""

    def __init__(self, settings: ModelledSettings, ct: CtSettings, scan: Volume) -> None:
        super().__init__(settings)
        self._photons = PhotonRun(Library(read=lambda _: scan), settings, ct)

    def run(self, job: ModelDose, state: CaseState, tell: Callable[[Modelled], None]) -> None:
        self._photons.run(job, state, tell, lambda: self._superseded)


def modelling(
    settings: ModelledSettings = QUICK, ct: CtSettings | None = None, scan: Volume | None = None
) -> Alone:
    return Alone(settings, ct or CtSettings(), scan or volume())


def done(found: list[Modelled]) -> ModelledView:
    assert found[-1].ended
    assert not found[-1].refused
    assert found[-1].view is not None
    return found[-1].view


def test_both_structures_get_figures_in_medium_and_to_water(case: Path) -> None:
    state, found, model = state_of(case), [], modelling()
    job = model.due(state)
    assert job is not None
    assert job.scan_uid == "1.2.4"
    cores = numba.get_num_threads()
    model.run(job, state, found.append)
    assert numba.get_num_threads() == cores
    view = done(found)
    assert view.event_number == state.seeds_changed_at
    assert (view.target, view.cord, view.seeds) == ("GTV", "Spinal cord", 1)
    assert dict(view.reached)["target"] <= 0.2
    assert "Monte Carlo (model-based, research), 6711" in view.method
    target, cord = view.of("GTV"), view.of("Spinal cord")
    assert target is not None
    assert cord is not None
    for key in ("D90_gy", "V100_percent", "V150_percent", "Dmax_gy", "D0.1cc_gy"):
        assert key in target.medium
        assert key in cord.water
    # In soft tissue near the seed MC is near TG-43; behind the bone far below it.
    near = (view.uncertainty < 0.03) & (view.dose_gy > 0)
    assert np.median(view.dose_gy[near] / view.tg43_gy[near]) == pytest.approx(1.0, abs=0.12)
    geometry = view.geometry
    at = np.rint(geometry.patient_to_indices(np.array((0.0, 34.0, 0.0)))).astype(int)
    k, j, i = at[::-1]
    behind = np.s_[k - 1 : k + 2, j - 1 : j + 2, i - 2 : i + 3]
    assert view.dose_gy[behind].mean() < 0.8 * view.tg43_gy[behind].mean()


def test_it_is_shown_as_it_converges_and_ends_when_something_newer_is_asked(case: Path) -> None:
    state = state_of(case)
    model = modelling(replace(QUICK, uncertainty_percent=0.1, time_limit_s=60.0))
    job, found = model.due(state), []
    assert job is not None

    def tell(one: Modelled) -> None:
        found.append(one)
        if one.view is not None and len(found) == 2:
            model.supersede()

    model.run(job, state, tell)
    first, second = (f.view for f in found[:2])
    assert first is not None
    assert second is not None
    assert not first.ended
    assert second.histories > first.histories
    assert dict(second.reached)["target"] < dict(first.reached)["target"]
    # Nothing of it counts any more, and it is due again.
    assert found[2:] == [Modelled(job, ended=True)]
    model.take(found[-1])
    model.free()
    assert model.due(state) == job


def test_it_is_not_computed_unless_the_site_wants_it(case: Path) -> None:
    assert Modelling().due(state_of(case)) is None


def test_without_a_calibration_it_is_refused_in_words_once(case: Path) -> None:
    state, found = state_of(case), []
    model = modelling(ct=CtSettings(uncalibrated="refuse"))
    job = model.due(state)
    assert job is not None
    model.run(job, state, found.append)
    model.take(found[-1])
    assert model.due(state) is None
    shown = model.beside(Snapshot(state.number, AT, "case"), state)
    assert shown.modelled is None
    assert "There is no calibration curve for a scanner" in shown.modelled_refused


@pytest.mark.parametrize(("reach", "said"), [(60.0, "taken as 0 Gy"), (39.0, "")])
def test_a_cord_longer_than_the_ct_keeps_its_maximum(
    tmp_path: Path, reach: float, said: str
) -> None:
    state, found, model = state_of(written(tmp_path, reach)), [], modelling()
    job = model.due(state)
    assert job is not None
    model.run(job, state, found.append)
    view = done(found)
    cord = view.of("Spinal cord")
    assert cord is not None
    assert cord.medium["Dmax_gy"] > 0
    assert any("of Spinal cord lies outside the CT" in r and said in r for r in view.remarks) == (
        bool(said)
    )


def test_a_target_that_reaches_beyond_the_ct_is_left_out(tmp_path: Path) -> None:
    state, found = state_of(written(tmp_path, 20.0)), []
    geometry = GridGeometry.from_axes(
        (-50, -50, -4), (2, 2, 2), (22, 51, 51), frame_of_reference_uid=ROOM
    )
    cut = Volume(geometry, np.full(geometry.shape, 40, np.int16))
    model = modelling(scan=cut)
    job = model.due(state)
    assert job is not None
    model.run(job, state, found.append)
    view = done(found)
    assert view.of("GTV") is None
    assert any(r.startswith("GTV is left out: ") for r in view.remarks)


def test_it_is_stale_when_a_seed_drops_and_gone_under_another_registration(case: Path) -> None:
    state, model = state_of(case), modelling()
    job, found = model.due(state), []
    assert job is not None
    model.run(job, state, found.append)
    model.take(found[-1])
    bare = Snapshot(state.number, AT, "case")
    assert not model.beside(bare, state).modelled_is_stale
    assert not model.beside(bare, replace(state, closed_by="Dr Li")).modelled_is_stale
    later = replace(state, seeds_changed_at=state.number + 1)
    assert model.beside(bare, later).modelled is found[-1].view
    assert model.beside(bare, later).modelled_is_stale
    assert state.registration is not None
    moved = replace(state, registration=replace(state.registration, number=99))
    assert model.beside(bare, moved).modelled is None


def dropped(case: Path, first: int, retraction_mm: float) -> CaseState:
    """Drop one more seed."""
    left = str(15 - (first - 4) // 3)
    with Journal(str(case)) as journal:
        for eid, (kind, *args) in enumerate(
            (("RETRACT", "1", f"{retraction_mm}"), ("INTENT", "1", left),
             ("DROP", "1", str(int(left) - 1))), start=first,
        ):  # fmt: skip
            name, payload = to_payload(record(eid, kind, *args))
            journal.append("case", name, payload, at=AT)
    return state_of(case)


def test_a_seed_more_is_added_at_once_before_all_are_run_again(case: Path) -> None:
    state, model = state_of(case), modelling()
    job, found = model.due(state), []
    assert job is not None
    model.run(job, state, found.append)
    one = done(found)
    model.take(found[-1])
    state, found = dropped(case, 7, 10.0), []
    job = model.due(state)
    assert job is not None
    model.run(job, state, found.append)
    quick, whole = found[0].view, done(found)
    assert quick is not None
    assert not quick.ended
    assert not found[0].ended
    assert quick.seeds == whole.seeds == 2
    assert quick.event_number == job.event_number
    # One seed's photons, on the grid that was there.
    assert one.histories < quick.histories <= one.histories + 400_000
    assert quick.geometry is one.geometry
    assert any(r.startswith("The last seed was run alone and added") for r in quick.remarks)
    assert not any("run alone" in r for r in whole.remarks)
    for name, share in (("GTV", 0.1), ("Spinal cord", 0.25)):
        a, b = quick.of(name), whole.of(name)
        assert a is not None
        assert b is not None
        assert a.medium["mean_gy"] == pytest.approx(b.medium["mean_gy"], rel=share)
    # No view of the whole run is shown that knows less than what stood there.
    reached = [dict(f.view.reached)["target"] for f in found[1:-1] if f.view is not None]
    assert all(r <= dict(quick.reached)["target"] for r in reached)


def test_a_seed_that_moved_is_no_seed_more(case: Path) -> None:
    state, model = state_of(case), modelling()
    job, found = model.due(state), []
    assert job is not None
    model.run(job, state, found.append)
    assert model._photons._carried is not None
    _, bench, dose = model._photons._carried
    carried = Carried(bench.patient.media, bench.seeds, dose)
    first = bench.seeds
    near = Seeds(first.position_mm + np.array((0, 6.0, 0)), first.axis, first.strength_u)
    assert how_many_more(carried, first) == 0
    assert how_many_more(carried, Seeds.together((first, near))) == 1
    assert how_many_more(carried, Seeds.together((near, first))) == 0
    far = Seeds(first.position_mm + np.array((500.0, 0, 0)), first.axis, first.strength_u)
    assert how_many_more(carried, Seeds.together((first, far))) == 0
    other = replace(job, scan_uid="1.2.99")
    assert model._photons._with_more(other, state) is None


@pytest.fixture
def room(case: Path) -> Iterator[Room]:
    room = Room(case, patience_s=120, read=lambda _: volume(), modelled=QUICK)
    yield room
    room.close()


def test_it_leaves_the_case_as_objects_under_its_own_name(room: Room, tmp_path: Path) -> None:
    snapshot, out = room.until(settled), tmp_path / "out"

    def leaving(shown: Snapshot) -> list[str]:
        export_case(out, shown, {"journal": {"digest": "d"}}, [])
        return sorted(p.name for p in out.glob("RTDOSE*.dcm"))

    assert leaving(snapshot) == ["RTDOSE-MC-medium.dcm", "RTDOSE-MC-water.dcm", "RTDOSE.dcm"]
    tg43, medium, water = (
        pydicom.dcmread(out / f"RTDOSE{name}.dcm") for name in ("", "-MC-medium", "-MC-water")
    )
    assert tg43.SeriesDescription.startswith("TG-43 2D line source")
    for found, name in ((medium, "medium"), (water, "water")):
        named = f"Monte Carlo (model-based, research), dose to {name}, 6711"
        assert found.SeriesDescription == found.DoseComment == named
    assert len({d.SeriesInstanceUID for d in (tg43, medium, water)}) == 3
    assert len({d.SOPInstanceUID for d in (tg43, medium, water)}) == 3
    assert len({d.FrameOfReferenceUID for d in (tg43, medium, water)}) == 1
    view = snapshot.modelled
    assert view is not None
    again = read_dose(out / "RTDOSE-MC-medium.dcm")
    assert again.geometry.same_grid(view.geometry)
    assert np.allclose(again.dose_gy, view.dose_gy, rtol=1e-6, atol=1e-6)
    # One of another implant must not lie beside the new TG-43 dose.
    assert leaving(replace(snapshot, modelled_is_stale=True)) == ["RTDOSE.dcm"]
    assert leaving(replace(snapshot, modelled=replace(view, ended=False))) == ["RTDOSE.dcm"]


def settled(snapshot: Snapshot) -> bool:
    view = snapshot.modelled
    return view is not None and view.ended and not snapshot.modelled_is_stale


def test_in_the_room_tg43_is_there_first_and_every_seed_asks_anew(room: Room) -> None:
    one = room.until(settled)
    assert one.modelled is not None
    assert one.modelled.seeds == 1
    for eid, (kind, *args) in enumerate(
        (("RETRACT", "1", "10.0"), ("INTENT", "1", "14"), ("DROP", "1", "13")), start=7
    ):
        room.conductor.offer(record(eid, kind, *args)).result(10)
    two = room.until(lambda s: settled(s) and s.modelled is not None and s.modelled.seeds == 2)
    assert two.modelled is not None
    assert two.dose is not None
    first = next(s for s in room.snapshots if s.dose is not None and s.dose.seeds == 2)
    # TG-43 did not wait; the old model-based dose stood beside it, marked.
    assert first.modelled is one.modelled
    assert first.modelled_is_stale
    target = two.modelled.of("GTV")
    before = one.modelled.of("GTV")
    assert target is not None
    assert before is not None
    assert target.medium["D90_gy"] > before.medium["D90_gy"]


def advised(snapshot: Snapshot, engine: str) -> bool:
    there = snapshot.proposal
    return there is not None and there.engine == engine and not snapshot.proposal_is_stale


def test_where_it_leads_advice_waits_for_it_and_is_weighed_and_recorded_by_it(
    room: Room, case: Path
) -> None:
    room.until(settled)
    old = room.until(lambda s: advised(s, TG43)).proposal
    room.conductor.offer(EngineChosen(MODELLED, "Dr Li")).result(10)
    # What is there already is not asked for again.
    new = room.until(lambda s: advised(s, MODELLED)).proposal
    assert old is not None
    assert new is not None
    # Bone between target and cord: the target has about as much, the cord far less.
    assert new.now.d90_gy == pytest.approx(old.now.d90_gy, rel=0.2)
    assert old.now.cord_dmax_gy is not None
    assert new.now.cord_dmax_gy is not None
    assert new.now.cord_dmax_gy < 0.8 * old.now.cord_dmax_gy
    for eid, (kind, *args) in enumerate(
        (("RETRACT", "1", "10.0"), ("INTENT", "1", "14"), ("DROP", "1", "13")), start=7
    ):
        room.conductor.offer(record(eid, kind, *args)).result(10)
    waiting = room.until(lambda s: bool(s.advice_waits))
    assert waiting.advice_waits.startswith("Advice waits for the model-based dose")
    # The advice on the implant before stands there meanwhile, as such.
    assert waiting.proposal == new
    assert waiting.proposal_is_stale
    two = room.until(lambda s: advised(s, MODELLED))
    assert not two.advice_waits
    assert two.modelled is not None
    assert two.proposal is not None
    used = two.proposal.modelled
    assert used is not None
    assert (used.seeds, used.event_number) == (2, two.modelled.event_number)
    assert used.histories == two.modelled.histories
    assert used.uncertainty == two.modelled.reached
    assert "Monte Carlo (model-based, research), 6711" in used.method
    assert any("not by TG-43" in remark for remark in two.proposal.remarks)
    # No advice on two seeds was weighed by the dose of one, nor by TG-43.
    given = [s.proposal for s in room.snapshots if s.proposal is not None]
    by_event: dict[int, Advice] = {a.event_number: a for a in given}
    assert [a.engine for a in by_event.values()] == [TG43, MODELLED, MODELLED]
    assert state_of(case).advice == two.proposal


def test_its_figures_are_recorded_when_a_person_verifies(room: Room, case: Path) -> None:
    shown = room.until(settled)
    assert shown.modelled is not None
    answer = Desk(room.conductor).verify_implant(shown.dose, "Dr Li", shown.modelled)
    with pytest.raises(RefusedError, match="no analysed verification scan"):
        answer.result(10)
    kept = state_of(case).modelled_reported
    assert kept is not None
    assert kept.engine == MODELLED
    target = shown.modelled.of("GTV")
    assert target is not None
    assert kept.figures["GTV"] == target.medium
    assert f"{shown.modelled.histories:,} histories" in kept.method
    # A case looked at again from its record has them; after another seed they are another's.
    again = Picture(Library(read=lambda _: volume())).of(state_of(case), ApplicatorView())
    assert again.modelled is None
    assert again.modelled_reported == kept
    later = replace(state_of(case), seeds_changed_at=state_of(case).number + 1)
    again = Picture(Library(read=lambda _: volume())).of(later, ApplicatorView())
    assert again.modelled_reported is None


def test_a_dose_that_is_not_computed_here_cannot_lead(case: Path) -> None:
    room = Room(case, read=lambda _: volume())
    try:
        with pytest.raises(RefusedError, match="is not computed here"):
            room.conductor.offer(EngineChosen(MODELLED, "Dr Li")).result(10)
    finally:
        room.close()


def test_where_it_cannot_be_had_there_is_no_advice_in_its_place(case: Path) -> None:
    room = Room(
        case, patience_s=60, read=lambda _: volume(), modelled=QUICK,
        ct=CtSettings(uncalibrated="refuse"),
    )  # fmt: skip
    try:
        room.conductor.offer(EngineChosen(MODELLED, "Dr Li")).result(10)
        said = "There is no advice: the model-based dose leads and cannot be had. There is no cal"
        shown = room.until(lambda s: any(a.text.startswith(said) for a in s.alarms))
        assert shown.proposal is None or shown.proposal.engine == TG43
        room.conductor.offer(EngineChosen(TG43, "Dr Li")).result(10)
        again = room.until(lambda s: advised(s, TG43))
        assert not any(a.active and a.text.startswith(said) for a in again.alarms)
    finally:
        room.close()
