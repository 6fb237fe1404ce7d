"""The scripted person at the console of a demonstration or a test: the next act, if any.

It does what a careful person would do and no more: it looks at the numbers, acknowledges what
is said, and stops where a limit is broken. Its acts carry its name in the journal.
"""

from __future__ import annotations

from dataclasses import dataclass

from guidance.ledger import Delivery, Disposition
from guidance.procedure.closing import ledger, roles_wanted
from guidance.procedure.dropping import permit_refusal
from guidance.procedure.events import (
    AlarmAcknowledged,
    CartridgeClosed,
    CartridgeReceived,
    CaseClosed,
    CaseOpened,
    CheckAnswered,
    DoseReported,
    Event,
    ImplantVerified,
    NeedlesConfirmed,
    QuestionAnswered,
    RegistrationAccepted,
    SeedsPermitted,
    Signed,
)
from guidance.procedure.snapshot import Snapshot
from guidance.procedure.state import CaseState

ACCEPTABLE_RESIDUAL_MM = 2.0


@dataclass(frozen=True)
class Autopilot:
    """Decides the next act from state and snapshot.

    Attributes:
        name: what it signs with.
        deliveries: cartridges on the delivery note.
    """

    name: str
    deliveries: tuple[Delivery, ...] = ()

    def next_act(self, state: CaseState, snapshot: Snapshot, permit: int) -> Event | None:
        """Return the act that the state calls for, None while there is nothing to do.

        Args:
            state: the case now.
            snapshot: what the room shows of it.
            permit: number for the next permit.
        """
        if not state.opened_by:
            return CaseOpened(self.name)
        if state.closed_by:
            return None
        for step in (self._check_in, self._acknowledge, self._answer, self._time_out, self._guide):
            if (act := step(state)) is not None:
                return act
        return self._permit(state, permit) or self._verify(state, snapshot) or self._close(state)

    def _check_in(self, state: CaseState) -> Event | None:
        if state.plan is None:
            return None
        for delivery in self.deliveries:
            known = state.account.cartridge(delivery.serial)
            if known is None or not known.received:
                return CartridgeReceived(
                    delivery.serial,
                    state.plan.source_model,
                    state.plan.strength_u,
                    delivery.seeds,
                    self.name,
                )
        return None

    def _acknowledge(self, state: CaseState) -> Event | None:
        for alarm in state.alarms:
            if not alarm.acknowledged_by:
                return AlarmAcknowledged(alarm.key, self.name)
        return None

    def _answer(self, state: CaseState) -> Event | None:
        """Leave out what is in doubt: that is the first answer of every question."""
        for question in state.questions:
            reason = f"scripted person: {question.answers[0]}"
            return QuestionAnswered(question.key, question.answers[0], self.name, reason)
        return None

    def _time_out(self, state: CaseState) -> Event | None:
        """Work off the list once there is a plan to hold patient and seeds against."""
        if state.plan is None:
            return None
        for check in state.checklist:
            if not check.answered_by:
                return CheckAnswered(check.item, True, self.name)
        return None

    def _sign(self, state: CaseState) -> Event | None:
        """Sign in each role; nobody signs in two, so the first name goes with the first."""
        for role in roles_wanted(state):
            name = f"{self.name} ({role})" if state.signatures else self.name
            return Signed(role, name)
        return None

    def _guide(self, state: CaseState) -> Event | None:
        registration = state.registration
        if registration is not None and not registration.accepted_by:
            if registration.result.residual_mm <= ACCEPTABLE_RESIDUAL_MM:
                return RegistrationAccepted(self.name)
            return None
        unconfirmed = state.tracked is not None and not state.needles_confirmed_by
        if unconfirmed and all(n.tip_mm is not None for n in state.needles):
            return NeedlesConfirmed(self.name)
        return None

    def _permit(self, state: CaseState, permit: int) -> Event | None:
        needle, device = state.device.needle, state.device
        if needle is None or state.plan is None or device.remaining is None:
            return None
        left = len(state.plan.seeds_of(needle)) - state.counted_through(needle)
        count = min(left, device.remaining)
        act = SeedsPermitted(permit, needle, device.cartridge, count, self.name)
        return None if permit_refusal(state, act) else act

    def _verify(self, state: CaseState, snapshot: Snapshot) -> Event | None:
        scan = state.latest("verification")
        if scan is None or not scan.analysed or state.verified_by or state.plan is None:
            return None
        if any(seed.scan_uid != scan.uid for seed in state.seeds) or snapshot.dose is None:
            return None
        if snapshot.event_number != state.number:
            return None
        if state.dose_reported_at <= state.seeds_changed_at:
            figures = {d.structure: dict(d.figures) for d in snapshot.dose.dvh}
            return DoseReported(snapshot.dose.event_number, snapshot.dose.method, figures)
        modelled = snapshot.modelled
        if modelled is not None and modelled.ended and not snapshot.modelled_is_stale:
            kept = state.modelled_reported
            if kept is None or kept.event_number != modelled.event_number:
                return modelled.reported()
        return ImplantVerified(self.name)

    def _close(self, state: CaseState) -> Event | None:
        if not state.verified_by:
            return None
        if (signature := self._sign(state)) is not None:
            return signature
        for cartridge in state.account.cartridges:
            if cartridge.closed_with is None and not cartridge.in_place:
                # What the follower counted when it came out; a sealed one is as delivered.
                count = cartridge.device_count
                remaining = cartridge.received if count is None else count
                return CartridgeClosed(cartridge.serial, remaining, Disposition.RETURNED, self.name)
        if any(c.in_place for c in state.account.cartridges) or not ledger(state).balanced:
            return None
        return CaseClosed(self.name, "")
