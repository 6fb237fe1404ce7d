"""The seed account: every seed has a place at every moment.

    received = implanted + in cartridges + returned + assayed aside + waste + unresolved

The equation is kept for each cartridge. Seeds beyond those received (a count at close-out above
the booked one, a drop from a cartridge nobody checked in) are the surplus: they stand with the
received, and are unresolved as well. "Unresolved" is what nobody can place: a stroke whose
outcome is unknown, a count at close-out that differs from the booked one, a seed that came out
of a cartridge nobody checked in. Incident notices behind each rule: docs/hazards.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from guidance.errors import RefusedError


class Disposition(Enum):
    """Where the seeds left in a cartridge go at close-out."""

    RETURNED = "returned"
    ASSAYED = "assayed"
    WASTE = "waste"


@dataclass(frozen=True)
class Delivery:
    """A line of the delivery note: a cartridge and the number of seeds in it."""

    serial: str
    seeds: int


@dataclass(frozen=True)
class Cartridge:
    """One cartridge.

    Attributes:
        serial: its serial number.
        source_model: TG-43 name of the seeds in it.
        strength_u: air-kerma strength of one seed at the reference time, U.
        lot: the maker's lot; empty if not given.
        assay_u: strength that the department measured, U; None if not assayed.
        received: seeds checked in; 0 for a cartridge that nobody checked in.
        dropped: seeds that left it for the patient.
        unknown: strokes from it whose outcome is not known.
        in_place: whether it sits in the applicator.
        device_count: seeds in it when it was last put in or taken out, as the applicator's
            follower counts; None if it never was.
        closed_with: seeds a person counted in it at close-out, None while open.
        disposition: where those went.
    """

    serial: str
    source_model: str = ""
    strength_u: float = 0.0
    lot: str = ""
    assay_u: float | None = None
    received: int = 0
    dropped: int = 0
    unknown: int = 0
    in_place: bool = False
    device_count: int | None = None
    closed_with: int | None = None
    disposition: Disposition | None = None

    @property
    def booked(self) -> int:
        """Seeds that should be in it, unknown strokes taken as gone."""
        return self.received - self.dropped - self.unknown

    @property
    def surplus(self) -> int:
        """Seeds that came out of it, or were counted in it, beyond those received."""
        if self.closed_with is None:
            return max(0, -self.booked)
        return max(0, self.dropped + self.closed_with - self.received)

    @property
    def unresolved(self) -> int:
        """Seeds of this cartridge whose place is not known, the surplus among them."""
        if self.closed_with is None:
            return self.unknown + self.surplus
        # Counting the rest settles unknown strokes: what is not inside has left.
        return abs(self.received - self.dropped - self.closed_with)


@dataclass(frozen=True)
class LedgerView:
    """The account summed up: received = the sum of the places.

    Attributes:
        received: seeds checked in.
        implanted: counted by the applicator.
        seen: seen on the last scan, None before any.
        directive: seeds of the plan.
        in_cartridges: still in cartridges.
        returned: given back.
        assayed: set aside for assay.
        waste: to radioactive waste.
        unresolved: whose place is not known.
        surplus: those of them that are beyond the received.
        misfires: strokes that delivered no seed (not a place: for the record).
    """

    received: int = 0
    implanted: int = 0
    seen: int | None = None
    directive: int = 0
    in_cartridges: int = 0
    returned: int = 0
    assayed: int = 0
    waste: int = 0
    unresolved: int = 0
    misfires: int = 0
    surplus: int = 0

    @property
    def balanced(self) -> bool:
        """Whether every received seed has a known place."""
        placed = self.implanted + self.in_cartridges + self.returned + self.assayed + self.waste
        return self.unresolved == 0 and self.received == placed


@dataclass(frozen=True)
class Account:
    """All cartridges of a case.

    Attributes:
        cartridges: in the order they were first heard of.
        misfires: strokes that delivered no seed.
    """

    cartridges: tuple[Cartridge, ...] = ()
    misfires: int = 0

    def cartridge(self, serial: str) -> Cartridge | None:
        """Return the cartridge of that serial, None if never heard of."""
        return next((c for c in self.cartridges if c.serial == serial), None)

    def check_in(
        self,
        serial: str,
        source_model: str,
        strength_u: float,
        seeds: int,
        *,
        lot: str = "",
        assay_u: float | None = None,
    ) -> Account:
        """Receive a cartridge.

        Raises:
            RefusedError: it was received before, or the numbers make no sense.
        """
        known = self.cartridge(serial)
        if known is not None and known.received:
            raise RefusedError(f"cartridge {serial} was already received")
        if not serial or seeds < 1 or not strength_u > 0 or (assay_u is not None and assay_u <= 0):
            raise RefusedError(
                f"cartridge {serial!r} with {seeds} seeds of {strength_u} U cannot be received: "
                "serial, number and strength are needed"
            )
        return self._with(
            serial,
            lambda c: replace(
                c,
                source_model=source_model,
                strength_u=strength_u,
                lot=lot,
                assay_u=assay_u,
                received=seeds,
            ),
        )

    def insert(self, serial: str, device_count: int) -> Account:
        """Note that a cartridge sits in the applicator, with the follower's count."""
        return self._with(serial, lambda c: replace(c, in_place=True, device_count=device_count))

    def remove(self, serial: str, device_count: int) -> Account:
        """Note that a cartridge was taken out, with the follower's count."""
        return self._with(serial, lambda c: replace(c, in_place=False, device_count=device_count))

    def drop(self, serial: str, seeds: int = 1) -> Account:
        """Book seeds that left the cartridge for the patient."""
        return self._with(serial, lambda c: replace(c, dropped=c.dropped + seeds))

    def misfire(self) -> Account:
        """Note a stroke that delivered nothing; the seed stays where it was."""
        return replace(self, misfires=self.misfires + 1)

    def unknown(self, serial: str) -> Account:
        """Book a stroke whose outcome is not known."""
        return self._with(serial, lambda c: replace(c, unknown=c.unknown + 1))

    def resolve(self, serial: str, *, dropped: bool) -> Account:
        """Settle one unknown stroke.

        Raises:
            RefusedError: the cartridge has no unknown stroke.
        """
        cartridge = self.cartridge(serial)
        if cartridge is None or cartridge.unknown < 1:
            raise RefusedError(f"cartridge {serial} has no stroke of unknown outcome")
        settled = replace(
            cartridge,
            unknown=cartridge.unknown - 1,
            dropped=cartridge.dropped + (1 if dropped else 0),
        )
        return self._with(serial, lambda _: settled)

    def close(self, serial: str, remaining: int, disposition: Disposition) -> Account:
        """Close a cartridge with the seeds a person counted in it.

        Raises:
            RefusedError: no such cartridge, still in the applicator, closed before, or a
                number that no cartridge can hold.
        """
        cartridge = self.cartridge(serial)
        if cartridge is None:
            raise RefusedError(f"there is no cartridge {serial} in this case")
        if cartridge.in_place:
            raise RefusedError(f"cartridge {serial} is still in the applicator; take it out first")
        if cartridge.closed_with is not None:
            raise RefusedError(f"cartridge {serial} is already closed")
        if remaining < 0:
            raise RefusedError(f"cartridge {serial} cannot hold {remaining} seeds")
        return self._with(
            serial, lambda c: replace(c, closed_with=remaining, disposition=disposition)
        )

    def view(self, *, directive: int, seen: int | None) -> LedgerView:
        """Sum up the account beside the plan's and the last scan's count."""
        open_ones = [c for c in self.cartridges if c.closed_with is None]

        def closed(disposition: Disposition) -> int:
            return sum(c.closed_with or 0 for c in self.cartridges if c.disposition is disposition)

        return LedgerView(
            received=sum(c.received for c in self.cartridges),
            implanted=sum(c.dropped for c in self.cartridges),
            seen=seen,
            directive=directive,
            in_cartridges=sum(max(0, c.booked) for c in open_ones),
            returned=closed(Disposition.RETURNED),
            assayed=closed(Disposition.ASSAYED),
            waste=closed(Disposition.WASTE),
            unresolved=sum(c.unresolved for c in self.cartridges),
            misfires=self.misfires,
            surplus=sum(c.surplus for c in self.cartridges),
        )

    def _with(self, serial: str, change: Callable[[Cartridge], Cartridge]) -> Account:
        known = self.cartridges
        if self.cartridge(serial) is None:
            known = (*known, Cartridge(serial))
        return replace(
            self, cartridges=tuple(change(c) if c.serial == serial else c for c in known)
        )
