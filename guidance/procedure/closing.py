"""What follows from the acts that open, sign and close a case."""

from __future__ import annotations

from dataclasses import replace

from dose.errors import DoseError
from dose.radiobiology import Course
from guidance.advice import MODELLED
from guidance.alarms import Priority, acknowledged
from guidance.errors import RefusedError
from guidance.ledger import LedgerView
from guidance.procedure.acts import Check, Signature
from guidance.procedure.events import (
    AlarmAcknowledged,
    CartridgeClosed,
    CartridgeReceived,
    CaseClosed,
    CaseOpened,
    CheckAnswered,
    CourseNoted,
    DoseReported,
    ImplantVerified,
    Signed,
)
from guidance.procedure.scanning import without_strangers
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
    if state.plan is not None and fact.patient_id not in {"", state.plan.patient_id}:
        raise RefusedError(
            f"this case has the plan of patient {state.plan.patient_id}; it is not opened for "
            f"patient {fact.patient_id}"
        )
    opened = replace(
        state,
        opened_by=fact.by,
        patient_id=fact.patient_id or state.patient_id,
        patient_name=fact.patient_name or state.patient_name,
        accession_number=fact.accession_number,
        protocol=fact.protocol,
        courses=(*state.courses, *fact.courses),
    )
    # What came before the patient was named may be another's.
    return without_strangers(opened) if fact.patient_id else opened


def course_noted(state: CaseState, fact: CourseNoted) -> CaseState:
    """Take note of an earlier external course."""
    _named(fact.by, "an earlier course is noted")
    try:
        Course.parsed(fact.course)
    except DoseError as error:
        raise RefusedError(str(error)) from error
    return replace(state, courses=(*state.courses, fact.course), needles_changed_at=state.number)


def check_answered(state: CaseState, fact: CheckAnswered) -> CaseState:
    """Take an answer to an item of the time-out; a later answer replaces an earlier one."""
    _named(fact.by, "an item of the time-out is answered")
    if fact.item not in state.protocol.checklist:
        raise RefusedError(f"the time-out has no item {fact.item!r}")
    if not fact.good and not fact.note.strip():
        raise RefusedError("an item that is not in order needs a note; say what is wrong")
    check = Check(fact.item, fact.by, fact.good, fact.note, state.at)
    state = replace(state, checks=(*(c for c in state.checks if c.item != fact.item), check))
    wrong = [c for c in state.checks if not c.good]
    state = state.without_alarm("time-out")
    if wrong:
        told = "; ".join(f"{c.item}: {c.note}" for c in wrong)
        state = state.with_alarm("time-out", Priority.HIGH, f"Not in order: {told}.")
    return state


def roles_wanted(state: CaseState) -> tuple[str, ...]:
    """Return who has still to sign."""
    signed = {s.role for s in state.signatures}
    return tuple(role for role in state.protocol.roles if role not in signed)


def signed(state: CaseState, fact: Signed) -> CaseState:
    """Take a signature under the verified implant; nobody signs in two roles."""
    _named(fact.by, "an implant is signed")
    if not state.verified_by:
        raise RefusedError("the implant is not verified yet; it is signed after that")
    if fact.role not in state.protocol.roles:
        wanted = ", ".join(state.protocol.roles) or "nobody"
        raise RefusedError(f"this case is signed by: {wanted}; not by {fact.role}")
    if any(s.role == fact.role for s in state.signatures):
        raise RefusedError(f"the {fact.role} has signed already")
    if any(s.by.strip().casefold() == fact.by.strip().casefold() for s in state.signatures):
        raise RefusedError(f"{fact.by} has signed in another role; another person must sign here")
    signature = Signature(fact.role, fact.by, state.at)
    return replace(state, signatures=(*state.signatures, signature))


def cartridge_received(state: CaseState, fact: CartridgeReceived) -> CaseState:
    """Check a cartridge in; compare its strength with the plan's."""
    _named(fact.by, "a cartridge is checked in")
    account = state.account.check_in(
        fact.serial,
        fact.source_model,
        fact.strength_u,
        fact.seeds,
        lot=fact.lot,
        assay_u=fact.assay_u,
    )
    # The one raised if it was put into the applicator before it was checked in.
    state = replace(state, account=account).without_alarm(f"cartridge:{fact.serial}")
    plan = state.plan
    for assayed, strength_u in ((False, fact.strength_u), (True, fact.assay_u)):
        if plan is None or strength_u is None:
            continue
        if abs(strength_u / plan.strength_u - 1) > STRENGTH_TOLERANCE:
            state = state.with_alarm(
                f"strength:{fact.serial}",
                Priority.HIGH,
                f"Cartridge {fact.serial} was assayed at {strength_u:.3f} U a seed; "
                f"the plan was made for {plan.strength_u:.3f} U."
                if assayed
                else f"Cartridge {fact.serial} has {strength_u:.3f} U a seed; "
                f"the plan was made for {plan.strength_u:.3f} U.",
            )
    return state


def alarm_acknowledged(state: CaseState, fact: AlarmAcknowledged) -> CaseState:
    """Put a name to an alarm."""
    return replace(state, alarms=acknowledged(state.alarms, fact.key, fact.by))


def dose_reported(state: CaseState, fact: DoseReported) -> CaseState:
    """Keep the figures in the record; of those that could not be had again, in the state too."""
    if fact.engine == MODELLED:
        return replace(state, modelled_reported=fact)
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
    for cartridge in state.account.cartridges:
        if cartridge.in_place:
            state = state.with_alarm(
                f"unproven:{cartridge.serial}",
                Priority.HIGH,
                f"Cartridge {cartridge.serial} was not seen to leave the applicator, which is "
                "not proven empty. Take it out and count it before the instrument is cleaned.",
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
    if wanted := roles_wanted(state):
        raise RefusedError(f"the case is not signed yet by: {', '.join(wanted)}")
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
    return state.account.view(directive=state.wanted, seen=seen)


def _named(by: str, what: str) -> None:
    if not by.strip():
        raise RefusedError(f"{what} by a named person; give a name")
