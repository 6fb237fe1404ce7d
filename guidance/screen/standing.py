"""What the values on the screen stand on: which scan, how old, and what was only counted.

A ``Standing`` is said in two lengths: briefly beside a group of values, in full where the
pointer rests on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from math import dist

from guidance.procedure.snapshot import DoseView, ScanView, Snapshot
from guidance.screen import theme
from guidance.screen.language import marked, said, tr
from guidance.screen.words import counted_age, scan_words
from guidance.tracking.implant import ImplantSeed

BRIEF_AGES = (marked("{n} s"), marked("{n} min"), marked("{n} h"), marked("{n} days"))
STATUSES = {
    "counted": marked("counted, in no scan yet"),
    "seen": marked("seen"),
    "missing": marked("counted, NOT SEEN"),
    "extra": marked("seen, never counted"),
}


@dataclass(frozen=True)
class Standing:
    """What a group of values stands on.

    Attributes:
        brief: such as ``14:02, 3 min``; empty where there is nothing to stand on.
        full: one sentence a line.
        colour: of the brief form; warns where it is not the scan shown, or is stale.
    """

    brief: str = ""
    full: str = ""
    colour: str = theme.QUIET


def brief_age(when: datetime, now: datetime) -> str:
    """Return how old something is, in few letters."""
    n, unit = counted_age(when, now)
    return tr(BRIEF_AGES[unit], n=n)


def brief_scan(scan: ScanView, now: datetime) -> str:
    """Return when a scan was taken (else received) and its age, such as ``14:02, 3 min``."""
    when = scan.acquired_at or scan.received_at
    there, here = when.astimezone(), now.astimezone()
    clock = there.strftime("%H:%M" if there.date() == here.date() else "%Y-%m-%d")
    return tr("{time}, {age}", time=clock, age=brief_age(when, now))


def scan_of(snapshot: Snapshot, uid: str) -> ScanView | None:
    """Return a scan of the case, None where it is not one."""
    return next((s for s in snapshot.scans if s.series_instance_uid == uid), None)


def of_scan(snapshot: Snapshot, uid: str, now: datetime) -> Standing:
    """Return what values of one scan stand on; another one than is shown warns."""
    scan = scan_of(snapshot, uid)
    if scan is None:
        return Standing("?", tr("of a scan that is not in this case"), theme.WARN)
    brief, full = brief_scan(scan, now), scan_words(scan, now)
    if snapshot.scan is not None and uid != snapshot.scan.series_instance_uid:
        full = tr("EARLIER SCAN: {scan}", scan=full)
        return Standing(tr("EARLIER {scan}", scan=brief), full, theme.WARN)
    return Standing(brief, full)


def of_needles(snapshot: Snapshot, now: datetime) -> Standing:
    """Return the scan that most needles were last seen in."""
    seen = [needle.scan_uid for needle in snapshot.needles if needle.tip_mm is not None]
    if not seen:
        return Standing()
    found = of_scan(snapshot, max(seen, key=seen.count), now)
    more = tr("Each needle names its own scan under the pointer.")
    return Standing(found.brief, f"{found.full}\n{more}", found.colour)


def of_seeds(snapshot: Snapshot, now: datetime) -> str:
    """Return how many seeds each scan shows, and how many no scan has been asked for."""
    lines = []
    for uid in dict.fromkeys(seed.scan_uid for seed in snapshot.seeds if seed.scan_uid):
        there = [seed.status for seed in snapshot.seeds if seed.scan_uid == uid]
        lines.append(
            tr(
                "{seen} seen, {missing} not seen: {scan}",
                seen=len(there) - there.count("missing"),
                missing=there.count("missing"),
                scan=of_scan(snapshot, uid, now).full,
            )
        )
    if waiting := sum(1 for seed in snapshot.seeds if not seed.scan_uid and seed.counted_mm):
        lines.append(tr("{n} counted, in no scan yet", n=waiting))
    return "\n".join(lines)


def of_seed(snapshot: Snapshot, seed: ImplantSeed, now: datetime) -> str:
    """Return what is known of one seed and from which scan, in one line."""
    parts = [tr("seed {number}", number=seed.number)]
    if seed.needle is not None:
        parts[0] += f" ({tr('needle {number}', number=seed.needle)})"
    what = tr(STATUSES[seed.status])
    if seed.scan_uid:
        what = f"{what}: {of_scan(snapshot, seed.scan_uid, now).full}"
    parts.append(what)
    if seed.seen_mm is not None and seed.counted_mm is not None:
        off = f"{dist(seed.seen_mm, seed.counted_mm):.1f}"
        parts.append(tr("{mm} mm from where it was counted", mm=off))
    if seed.confirmed_by:
        parts.append(tr("confirmed by {name}", name=seed.confirmed_by))
    return "; ".join(parts)


def through(snapshot: Snapshot, needle: int, now: datetime) -> str:
    """Return the seeds dropped through a needle, one a line."""
    seeds = (seed for seed in snapshot.seeds if seed.needle == needle)
    return "\n".join(of_seed(snapshot, seed, now) for seed in seeds)


def of_dose(snapshot: Snapshot, now: datetime) -> Standing:
    """Return what the dose of the implant, or else of the plan, stands on."""
    dose = snapshot.dose if snapshot.dose is not None else snapshot.planned_dose
    if dose is None:
        return Standing()
    if dose is snapshot.planned_dose:
        return Standing(tr("plan"), _planned(snapshot, dose, now))
    scans = [s for uid, _ in dose.seen_in if (s := scan_of(snapshot, uid)) is not None]
    none_seen = tr("{n} counted, in no scan yet", n=dose.seeds) if dose.seeds else tr("no seed yet")
    brief = _newest(scans, now) or none_seen
    if scans and (counted_only := dose.seeds - sum(n for _, n in dose.seen_in)):
        brief = tr("{scan} + {n} counted", scan=brief, n=counted_only)
    lines = [_implant(snapshot, dose, now)]
    if (counted := snapshot.dose_counted) is not None:
        n, event = counted.seeds, counted.event_number
        lines.append(tr("counted: {n} seeds after event {event}, as counted", n=n, event=event))
    if (planned := snapshot.planned_dose) is not None:
        lines.append(_planned(snapshot, planned, now))
    if (model := snapshot.modelled) is not None:
        n, event = model.seeds, model.event_number
        lines.append(
            tr(
                "MC (research): {n} seeds after event {event}; photons carried through {scan}",
                n=n,
                event=event,
                scan=of_scan(snapshot, model.scan_uid, now).full,
            )
        )
    if snapshot.dose_is_stale:
        brief = tr("STALE {what}", what=brief)
        lines.insert(0, tr("A seed has changed since this dose was computed."))
    return Standing(brief, "\n".join(lines), theme.WARN if snapshot.dose_is_stale else theme.QUIET)


def _newest(scans: Iterable[ScanView], now: datetime) -> str:
    newest = max(scans, key=lambda s: s.acquired_at or s.received_at, default=None)
    return "" if newest is None else brief_scan(newest, now)


def _implant(snapshot: Snapshot, dose: DoseView, now: datetime) -> str:
    """Return of how many seeds a dose is, and where it took each to be."""
    parts = []
    for uid, n in dose.seen_in:
        scan = scan_of(snapshot, uid)
        where = scan_words(scan, now) if scan else tr("a scan that is not in this case")
        parts.append(tr("{n} as seen: {scan}", n=n, scan=where))
    if rest := dose.seeds - sum(n for _, n in dose.seen_in):
        parts.append(tr("{n} as counted", n=rest))
    made = tr("implant: {n} seeds after event {event}", n=dose.seeds, event=dose.event_number)
    return f"{made}; {'; '.join(parts)}; {said(dose.method)}" if parts else made


def _planned(snapshot: Snapshot, dose: DoseView, now: datetime) -> str:
    n, event = dose.seeds, dose.event_number
    line = tr("plan: {n} seeds after event {event}, as planned", n=n, event=event)
    brought = of_registration(snapshot, now).full
    return f"{line}; {brought}" if brought else line


def of_registration(snapshot: Snapshot, now: datetime) -> Standing:
    """Return what brought the plan into the room, how well, and who accepted it."""
    found = snapshot.registration
    if found is None:
        return Standing()
    scan = of_scan(snapshot, found.room_uid, now)
    parts = [tr("registered on {scan}", scan=scan.full)]
    if found.residual_is_current:
        parts.append(tr("residual {mm} mm on bone", mm=f"{found.residual_mm:.1f}"))
    else:
        parts.append(tr("residual is being measured"))
    accepted = tr("not accepted yet")
    if found.accepted_by:
        accepted = tr("accepted by {name}", name=found.accepted_by)
    return Standing(scan.brief, "; ".join((*parts, accepted)), scan.colour)
