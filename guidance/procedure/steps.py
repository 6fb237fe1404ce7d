"""Where the procedure stands, and what is expected next, and of whom."""

from __future__ import annotations

from itertools import pairwise

from guidance.procedure.asking import blocking
from guidance.procedure.closing import ledger, roles_wanted
from guidance.procedure.snapshot import Step
from guidance.procedure.state import CaseState, Device


def step_of(state: CaseState) -> Step:
    """Return the step the case is at."""
    verification = state.latest("verification")
    if state.closed_by or state.verified_by:
        return Step.CLOSE
    if verification is not None:
        return Step.VERIFY
    if state.needles_confirmed_by:
        return Step.IMPLANT
    if state.registration is not None and state.registration.accepted_by:
        return Step.NEEDLES
    if state.plan is not None and state.structures is not None and state.latest("planning"):
        return Step.REGISTER
    return Step.PLAN if state.opened_by else Step.CASE


def next_action(state: CaseState) -> str:
    """Return one sentence: what is expected next, and of whom."""
    if not state.closed_by and (question := blocking(state)):
        return f"Decide: {question}"
    return _SENTENCES[step_of(state)](state)


def _case(_state: CaseState) -> str:
    return "Open the case."


def _plan(state: CaseState) -> str:
    missing = [
        name
        for name, there in (
            ("planning CT", state.latest("planning")),
            ("structure set", state.structures),
            ("plan", state.plan),
        )
        if there is None
    ]
    return f"Send from the planning system: {', '.join(missing)}."


def _register(state: CaseState) -> str:
    if state.latest("needles") is None:
        return "Scan the patient with the needles in place."
    if state.registration is None:
        return "The plan is being registered to the scan."
    if not state.registration.measured:
        return "The registration moved by hand is being measured."
    residual = state.registration.result.residual_mm
    return f"Check the registration (residual {residual:.1f} mm) and accept it."


def _needles(state: CaseState) -> str:
    if state.tracked is None:
        return "The needles are being matched with the plan."
    seen = sum(1 for n in state.needles if n.tip_mm is not None)
    return f"Check the {seen} needles seen, then confirm them or adjust and scan again."


def _implant(state: CaseState) -> str:
    device = state.device
    if device.unknown:
        return "Resolve the stroke of unknown outcome before anything else."
    if device.armed:
        return _drop(device)
    planned = state.wanted
    counted = sum(1 for s in state.seeds if s.event_key)
    if counted >= planned:
        return "All planned seeds are counted: scan to verify."
    if device.needle is None:
        return "Attach the applicator to the next needle."
    return f"Permit the seeds of needle {device.needle}."


def _drop(device: Device) -> str:
    """Say how many seeds are left, where the next one belongs, and the spacing after it."""
    left = device.permitted - device.dropped
    stops = device.stops_mm[device.dropped :]
    if left <= 0:
        return f"Needle {device.permit_needle}: every permitted seed has left."
    if not stops:
        return f"Needle {device.permit_needle}: drop {left} more, drawing back between seeds."
    steps = sorted({round(b - a, 1) for a, b in pairwise(stops)})
    at_mm = round(stops[0], 1) + 0.0
    spacing = f", then every {' or '.join(f'{s:g}' for s in steps)} mm" if steps else ""
    return f"Needle {device.permit_needle}: drop {left} more, next at {at_mm:g} mm{spacing}."


def _verify(state: CaseState) -> str:
    scan = state.latest("verification")
    if scan is None or not scan.analysed:
        return "The seeds are being looked for in the verification scan."
    seen = sum(1 for s in state.seeds if s.seen_mm is not None)
    return f"{seen} seeds seen. Check dose and seeds, then verify the implant or add seeds."


def _close(state: CaseState) -> str:
    if state.closed_by:
        return f"Closed by {state.closed_by}."
    open_ones = [c.serial for c in state.account.cartridges if c.closed_with is None]
    if open_ones:
        return f"Count the seeds left in cartridge {', '.join(open_ones)}."
    if wanted := roles_wanted(state):
        return f"Sign the implant: {', '.join(wanted)}."
    if not ledger(state).balanced:
        return f"{ledger(state).unresolved} seeds unresolved: find them or sign a sentence."
    return "Every seed has its place: close the case."


_SENTENCES = {
    Step.CASE: _case,
    Step.PLAN: _plan,
    Step.REGISTER: _register,
    Step.NEEDLES: _needles,
    Step.IMPLANT: _implant,
    Step.VERIFY: _verify,
    Step.CLOSE: _close,
}
