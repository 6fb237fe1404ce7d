"""What a case is held against: limits, checks and signatures, agreed when it is opened.

The defaults are one department's starting point, not a rule: a site sets its own in its
configuration (``[protocol]``), and every case keeps those it was opened with.
"""

from __future__ import annotations

from dataclasses import dataclass

from guidance.errors import RefusedError

# After the checklists of CIRSE (Lee et al., Cardiovasc Intervent Radiol 35:244, 2012) and SIR
# (J Vasc Interv Radiol 27:695, 2016), as far as they concern an implant under CT.
CHECKLIST = (
    "Patient, procedure and side or level confirmed",
    "Consent signed",
    "Allergies and medication known (anticoagulants, sedation)",
    "Coagulation within the limits for this puncture",
    "Planning images and plan of this patient on the screen",
    "Seed strength and unit (U or mCi) read aloud against the certificate",
    "Seed count read aloud against the delivery note",
    "Survey meter there and working",
)


@dataclass(frozen=True)
class Protocol:
    """The limits and formalities of a case.

    Attributes:
        clearance_mm: least distance of a needle or seed to the cord and other organs at risk.
        cord_dmax_gy: largest physical dose at any point of the cord; 0 sets none.
        cord_d01cc_gy: the same for the hottest 0.1 cc; 0 sets none.
        cord_eqd2_gy: largest EQD2 of the cord (alpha/beta 2 Gy) without an earlier course. 50 Gy
            carries about 0.2 % myelopathy (Kirkpatrick et al., Int J Radiat Oncol Biol Phys
            76:S42, 2010).
        cord_eqd2_again_gy: largest cumulative EQD2 with an earlier course; 70 Gy (Sahgal et
            al., ibid. 82:107, 2012).
        target_v100_percent: least part of the target that shall receive the prescription.
        seed_spacing_mm: least distance between the centres of seeds that are proposed.
        supplements_at_most: seeds in one proposal.
        residual_mm: a registration that leaves more than this needs a reason to be accepted.
        turn_deg: one that turns the patient by more than this from lying square as well.
        plan_days: a plan older than this when the case is opened needs a word.
        checklist: the items of the time-out.
        checklist_binding: whether seeds are refused while an item is open; else it is said.
        roles: who must sign before the case is closed; nobody twice. Empty asks for no more
            than the name that closes it.
    """

    clearance_mm: float = 10.0
    cord_dmax_gy: float = 0.0
    cord_d01cc_gy: float = 0.0
    cord_eqd2_gy: float = 50.0
    cord_eqd2_again_gy: float = 70.0
    target_v100_percent: float = 90.0
    seed_spacing_mm: float = 5.0
    supplements_at_most: int = 10
    residual_mm: float = 2.0
    turn_deg: float = 20.0
    plan_days: int = 30
    checklist: tuple[str, ...] = CHECKLIST
    checklist_binding: bool = False
    roles: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse limits that mean nothing."""
        for name in ("clearance_mm", "cord_dmax_gy", "cord_d01cc_gy", "cord_eqd2_gy",
                     "cord_eqd2_again_gy", "seed_spacing_mm", "residual_mm"):  # fmt: skip
            if not getattr(self, name) >= 0:
                raise RefusedError(f"protocol.{name} must not be below 0")
        if not 0 < self.target_v100_percent <= 100:
            raise RefusedError("protocol.target_v100_percent must be above 0 and at most 100")
        if not 1 <= self.supplements_at_most <= 40:
            raise RefusedError("protocol.supplements_at_most must be 1 to 40")
        if len(set(self.roles)) != len(self.roles):
            raise RefusedError("protocol.roles names a role twice")
