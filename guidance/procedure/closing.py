"""What follows from the acts that open, sign and close a case."""

from __future__ import annotations

from dataclasses import replace

from guidance.alarms import Priority, acknowledged
from guidance.errors import RefusedError
from guidance.ledger import LedgerView
from guidance.procedure.events import (
    AlarmAcknowledged,
    CartridgeClosed,
    CartridgeReceived,
    CaseClosed,
    CaseOpened,
    DoseReported,
    ImplantVerified,
)
from guidance.procedure.state import CaseState

# A strength further from the plan's than this needs a person (AAPM TG-56 and TG-137 set 5 % as
# the action level for the mean of a batch).
STRENGTH_TOLERANCE = 0.05


def case_opened(state: CaseState, fact: CaseOpened) -> CaseState:
    """Open the case."""
    if state.opened_by:
        raise RefusedError(f"case {state.case_id} is already open")
    if not fact.by.strip():
        raise RefusedError("a case is opened by a named person; give a name")
    return replace(
        state,
        opened_by=fact.by,
        patient_id=fact.patient_id or state.patient_id,
        patient_name=fact.patient_name or state.patient_name,
    )


def cartridge_received(state: CaseState, fact: CartridgeReceived) -> CaseState:
    """Check a cartridge in; compare its strength with the plan's."""
    _named(fact.by, "a cartridge is checked in")
    account = state.account.check_in(fact.serial, fact.source_model, fact.strength_u, fact.seeds)
    # The one raised if it was put into the applicator before it was checked in.
    state = replace(state, account=account).without_alarm(f"cartridge:{fact.serial}")
    plan = state.plan
    if plan is None or abs(fact.strength_u / plan.strength_u - 1) <= STRENGTH_TOLERANCE:
        return state
    return state.with_alarm(
        f"strength:{fact.serial}",
        Priority.HIGH,
        f"Cartridge {fact.serial} has {fact.strength_u:.3f} U a seed; "
        f"the plan was made for {plan.strength_u:.3f} U.",
    )


def alarm_acknowledged(state: CaseState, fact: AlarmAcknowledged) -> CaseState:
    """Put a name to an alarm."""
    return replace(state, alarms=acknowledged(state.alarms, fact.key, fact.by))


def dose_reported(state: CaseState, _fact: DoseReported) -> CaseState:
    """Keep the figures in the record; the state only knows that they were."""
    return replace(state, dose_reported_at=state.number)


def implant_verified(state: CaseState, fact: ImplantVerified) -> CaseState:
    """Accept the implant as the verification scan shows it."""
    _named(fact.by, "an implant is verified")
    scan = state.latest("verification")
    if scan is None or not scan.analysed:
        raise RefusedError("there is no analysed verification scan yet")
    unlooked = [s.number for s in state.seeds if s.scan_uid != scan.uid]
    if unlooked:
        raise RefusedError(
            f"{len(unlooked)} seeds were dropped after the last verification scan; scan again"
        )
    return replace(state, verified_by=fact.by)


def cartridge_closed(state: CaseState, fact: CartridgeClosed) -> CaseState:
    """Close a cartridge with the seeds a person counted in it."""
    _named(fact.by, "a cartridge is closed")
    account = state.account.close(fact.serial, fact.remaining, fact.disposition)
    state = replace(state, account=account)
    cartridge = account.cartridge(fact.serial)
    if cartridge is not None and cartridge.unresolved:
        return state.with_alarm(
            f"cartridge:{fact.serial}",
            Priority.HIGH,
            f"Cartridge {fact.serial}: {cartridge.received} received, {cartridge.dropped} "
            f"implanted, {fact.remaining} left; {cartridge.unresolved} not accounted for.",
        )
    return state.without_alarm(f"cartridge:{fact.serial}")


def case_closed(state: CaseState, fact: CaseClosed) -> CaseState:
    """Close the case, if every seed has a place or a person has signed a sentence."""
    _named(fact.by, "a case is closed")
    if state.closed_by:
        raise RefusedError("the case is already closed")
    if state.device.armed:
        raise RefusedError("the applicator is armed; end the permit first")
    open_ones = [c.serial for c in state.account.cartridges if c.closed_with is None]
    if open_ones:
        raise RefusedError(f"cartridge {', '.join(open_ones)} is not closed; count what is left")
    if not ledger(state).balanced and not fact.sentence.strip():
        raise RefusedError(
            f"{ledger(state).unresolved} seeds have no known place; "
            "the case closes only with a signed sentence"
        )
    return replace(state, closed_by=fact.by, closing_sentence=fact.sentence)


def ledger(state: CaseState) -> LedgerView:
    """Return the seed account of a case."""
    looked = any(seed.scan_uid for seed in state.seeds)
    seen = sum(1 for seed in state.seeds if seed.seen_mm is not None) if looked else None
    return state.account.view(directive=len(state.plan.seeds) if state.plan else 0, seen=seen)


def _named(by: str, what: str) -> None:
    if not by.strip():
        raise RefusedError(f"{what} by a named person; give a name")
