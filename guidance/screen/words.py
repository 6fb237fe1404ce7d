"""What the panels say: snapshot in, words and colours out. No widgets here."""

from __future__ import annotations

import html
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from guidance.alarms import Alarm, Priority
from guidance.planning.plan import PlannedSeed
from guidance.procedure.snapshot import (
    ApplicatorView,
    DoseView,
    LedgerView,
    ScanView,
    Snapshot,
)
from guidance.screen import theme
from guidance.screen.language import marked, said, tr
from guidance.tracking.implant import NeedleTrack

# Bands of the tip deviation, display only. Published placement errors at the tip are
# 4.4 +- 2.9 mm (Ji 2021, PMC8438469): the first band asks for better than the mean.
TIP_GOOD_MM = 3.0
TIP_FAIR_MM = 5.0
ANGLE_GOOD_DEG = 2.0
ANGLE_FAIR_DEG = 4.0
TIP, DEPTH, ANGLE = marked("tip"), marked("depth"), marked("angle")
# The applicator answers several times a second; silence longer than this is said.
SILENT_AFTER_S = 3.0
DASH = "–"
# By the unit of ``counted_age``.
AGES = (marked("{n} s ago"), marked("{n} min ago"), marked("{n} h ago"), marked("{n} days ago"))
SILENCES = (
    marked("NO ANSWER FOR {n} s"),
    marked("NO ANSWER FOR {n} min"),
    marked("NO ANSWER FOR {n} h"),
    marked("NO ANSWER FOR {n} days"),
)
PURPOSES = {
    "planning": marked("planning CT"),
    "needles": marked("needles CT"),
    "verification": marked("verification CT"),
}
LINKS = {
    "absent": marked("absent"),
    "connecting": marked("connecting"),
    "up": marked("up"),
    "lost": marked("lost"),
    "refused": marked("refused"),
}
# Of what lies ahead of a needle: what is told from the scan has no name of its own.
MET = {"bone": marked("bone (scan)"), "gas": marked("gas (scan)")}
GRAVE = {"cord", "vessel"}
MOST_AHEAD = 3
ON_PLAN = {
    theme.GOOD: marked("on plan"),
    theme.WARN: marked("off plan"),
    theme.BAD: marked("FAR OFF PLAN"),
}
PRIORITIES = {
    Priority.HIGH: marked("HIGH"),
    Priority.MEDIUM: marked("MEDIUM"),
    Priority.LOW: marked("LOW"),
}


def coloured(text: str, colour: str) -> str:
    """Return text in a colour, for a label."""
    return f'<span style="color:{colour}">{html.escape(text)}</span>'


def person_name(name: str) -> str:
    """Return a DICOM PatientName (PS3.5 6.2.1.1) as people write it, in each of its scripts."""
    scripts = [" ".join(group.replace("^", " ").split()) for group in name.split("=")]
    scripts = [script for script in scripts if script]
    if len(scripts) < 2:
        return "".join(scripts)
    return f"{scripts[0]} ({', '.join(scripts[1:])})"


def clock_time(when: datetime, now: datetime) -> str:
    """Return a time of day of this room, with the date if it was not today."""
    there, here = when.astimezone(), now.astimezone()
    return there.strftime("%H:%M:%S" if there.date() == here.date() else "%Y-%m-%d %H:%M")


def counted_age(when: datetime, now: datetime) -> tuple[int, int]:
    """Return how long ago something was, and in which of the units s, min, h, days."""
    seconds = max(0, int((now - when).total_seconds()))
    if seconds < 100:
        return seconds, 0
    if seconds < 100 * 60:
        return seconds // 60, 1
    hours = seconds // 3600
    return (hours, 2) if hours < 48 else (hours // 24, 3)


def age(when: datetime, now: datetime) -> str:
    """Return how long ago something was."""
    n, unit = counted_age(when, now)
    return tr(AGES[unit], n=n)


def scan_line(snapshot: Snapshot, now: datetime) -> str:
    """Return which scan is shown, and how old it is."""
    scan = snapshot.scan
    if scan is None:
        return tr("no scan")
    return scan_words(scan, now)


def scan_words(scan: ScanView, now: datetime) -> str:
    """Return what a scan is, when it was taken (else received), and how long ago."""
    when = scan.acquired_at or scan.received_at
    purpose = tr(PURPOSES[scan.purpose]) if scan.purpose in PURPOSES else "CT"
    parts = {"purpose": purpose, "time": clock_time(when, now), "age": age(when, now)}
    if scan.acquired_at:
        return tr("{purpose} taken {time}, {age}", **parts)
    return tr("{purpose} received {time}, {age}", **parts)


def sighting_line(snapshot: Snapshot, needle: NeedleTrack | None, now: datetime) -> tuple[str, str]:
    """Return which scan the figures of a needle are of, and its colour; empty without one."""
    if needle is None or needle.tip_mm is None:
        return "", theme.QUIET
    scan = next((s for s in snapshot.scans if s.series_instance_uid == needle.scan_uid), None)
    if scan is None:
        return tr("of a scan that is not in this case"), theme.WARN
    text = scan_words(scan, now)
    shown = snapshot.scan.series_instance_uid if snapshot.scan else needle.scan_uid
    if needle.scan_uid != shown:
        return tr("EARLIER SCAN: {scan}", scan=text), theme.WARN
    return text, theme.QUIET


def tracks(snapshot: Snapshot) -> tuple[NeedleTrack, ...]:
    """Return the needles: as tracked, or as planned while none has been looked for."""
    if snapshot.needles or snapshot.plan is None:
        return snapshot.needles
    return tuple(NeedleTrack(n.number, planned=n) for n in snapshot.plan.needles)


def dropped_through(snapshot: Snapshot, needle: int) -> int:
    """Return how many seeds were counted through a needle."""
    return sum(1 for s in snapshot.seeds if s.needle == needle and s.event_key)


def planned_through(snapshot: Snapshot, needle: int) -> int:
    """Return how many seeds are planned for a needle, supplementary ones included."""
    planned = snapshot.plan.seeds if snapshot.plan else ()
    return sum(1 for s in (*planned, *snapshot.supplements) if s.needle == needle)


def supplement_line(seed: PlannedSeed) -> str:
    """Return which seed beyond the plan this is."""
    return tr(
        "supplementary seed {number}, planned: needle {needle}, drawn back {mm} mm",
        number=seed.number,
        needle=seed.needle,
        mm=f"{seed.retraction_mm:.0f}",
    )


def _band(value: float, good: float, fair: float) -> str:
    if abs(value) <= good:
        return theme.GOOD
    return theme.WARN if abs(value) <= fair else theme.BAD


def needle_rows(needle: NeedleTrack) -> Iterator[tuple[str, str, str, str]]:
    """Yield the figures of the needle card: title (for translation), number, words, colour."""
    if needle.tip_mm is None:
        yield (TIP, tr("not seen"), tr("no scan shows it yet"), theme.QUIET)
        return
    tip, depth, angle = needle.tip_deviation_mm, needle.depth_deviation_mm, needle.angle_deg
    if tip is None or depth is None or angle is None:
        yield (TIP, tr("not planned"), tr("nothing to compare it with"), theme.WARN)
    else:
        colour = _band(tip, TIP_GOOD_MM, TIP_FAIR_MM)
        yield (TIP, f"{tip:.1f} mm", tr(ON_PLAN[colour]), colour)
        colour = _band(depth, TIP_GOOD_MM, TIP_FAIR_MM)
        yield (DEPTH, f"{depth:+.1f} mm", _depth_words(depth, colour), colour)
        lateral = needle.lateral_deviation_mm
        beside = tr("{mm} mm beside", mm=f"{lateral:.1f}") if lateral is not None else ""
        yield (ANGLE, f"{angle:.1f}°", beside, _band(angle, ANGLE_GOOD_DEG, ANGLE_FAIR_DEG))
    for clearance in sorted(needle.clearances, key=lambda c: c.distance_mm - c.limit_mm)[:1]:
        kept = clearance.kept
        limit = f"{clearance.limit_mm:g} mm"
        words_ = (
            tr("limit {limit} kept", limit=limit)
            if kept
            else tr("TOO CLOSE, limit {limit}", limit=limit)
        )
        colour = theme.GOOD if kept else theme.BAD
        yield (clearance.structure, f"{clearance.distance_mm:.1f} mm", words_, colour)


def _depth_words(depth_mm: float, colour: str) -> str:
    """Return how deep: what is within the first band is deeper or shallower, not too much so."""
    if abs(depth_mm) < 1.0:
        return tr("at depth")
    if colour == theme.GOOD:
        return tr("deeper") if depth_mm > 0 else tr("shallower")
    return tr("too deep") if depth_mm > 0 else tr("too shallow")


def ahead_line(needle: NeedleTrack | None) -> tuple[str, str]:
    """Return what the needle would meet if pushed on, nearest first, with its colour.

    Empty where nothing is known to lie ahead; that is no word on what may.
    """
    met = sorted(needle.ahead, key=lambda e: e.distance_mm)[:MOST_AHEAD] if needle else []
    if not met:
        return "", theme.QUIET
    parts = []
    for encounter in met:
        what = tr(MET[encounter.kind]) if encounter.kind in MET else encounter.what
        if encounter.distance_mm > 0:
            parts.append(tr("{what} {mm} mm", what=what, mm=f"{encounter.distance_mm:.0f}"))
        else:
            parts.append(tr("tip in {what}", what=what))
    grave = any(encounter.kind in GRAVE for encounter in met)
    return tr("ahead: {what}", what=tr(", ").join(parts)), theme.WARN if grave else theme.NOTE


def seeds_line(snapshot: Snapshot, now: datetime) -> str:
    """Return what the last scan of the seeds says of those counted, and which scan that is."""
    seen = snapshot.ledger.seen
    if seen is None:
        return tr("dropped of planned; not scanned yet")
    looked_in = {seed.scan_uid for seed in snapshot.seeds}
    scans = [s for s in snapshot.scans if s.series_instance_uid in looked_in]
    if not scans:
        return tr("dropped of planned; {n} seen in the last scan", n=seen)
    return tr("dropped of planned; {n} seen: {scan}", n=seen, scan=scan_words(scans[-1], now))


def silence_s(applicator: ApplicatorView, now: datetime) -> float:
    """Return how long the applicator has been silent, 0 if no longer than it may."""
    if applicator.as_of is None:
        return 0.0
    silent = (now - applicator.as_of).total_seconds()
    return silent if silent > SILENT_AFTER_S else 0.0


def armed_line(applicator: ApplicatorView, now: datetime) -> tuple[str, str]:
    """Return the armed state in words, with its colour; unknown while nothing is heard."""
    if applicator.link != "up":
        link = tr(LINKS.get(applicator.link, applicator.link)).upper()
        return tr("LINK {link}", link=link), theme.LINK_COLOURS.get(applicator.link, theme.QUIET)
    if silent := silence_s(applicator, now):
        n, unit = counted_age(now - timedelta(seconds=silent), now)
        return tr(SILENCES[unit], n=n), theme.BAD
    if not applicator.armed:
        return tr("NOT ARMED"), theme.QUIET
    left = applicator.permitted - applicator.dropped
    if left <= 0:
        # The device is locked last; its record of that is on its way.
        return tr("ARMED"), theme.WARN
    return tr("ARMED: {n} of {of} to drop", n=left, of=applicator.permitted), theme.WARN


def applicator_line(applicator: ApplicatorView, now: datetime) -> str:
    """Return needle, cartridge and the time of the last answer."""
    parts = []
    if applicator.needle is not None:
        parts.append(tr("needle {number}", number=applicator.needle))
    if applicator.cartridge:
        count = "?" if applicator.remaining is None else str(applicator.remaining)
        parts.append(tr("cartridge {serial}, {n} left", serial=applicator.cartridge, n=count))
    if applicator.as_of is None:
        parts.append(tr("never heard"))
        return " · ".join(parts)
    parts.append(tr("as of {time}", time=clock_time(applicator.as_of, now)))
    return " · ".join(parts)


def retraction_line(snapshot: Snapshot) -> str:
    """Return where the barrel belongs for the next seed, and the spacing of those after it."""
    stops_mm = snapshot.stops_left_mm
    if not stops_mm:
        return ""
    # The plan's own rounding must not say -0 or 0.001.
    at = f"{round(stops_mm[0], 1) + 0.0:g}"
    steps = sorted({round(b - a, 1) for a, b in pairwise(stops_mm)})
    if not steps:
        return tr("last seed at {mm} mm", mm=at)
    spacing = "/".join(f"{step:g}" for step in steps)
    return tr("next seed at {mm} mm · spacing {spacing} mm", mm=at, spacing=spacing)


# The places a seed can be in, in the order of the account; those that hold none are left out.
PLACES = (
    ("implanted", marked("{n} implanted")),
    ("in_cartridges", marked("{n} in cartridges")),
    ("returned", marked("{n} returned")),
    ("assayed", marked("{n} assayed")),
    ("waste", marked("{n} waste")),
    ("unresolved", marked("{n} unresolved")),
)


def ledger_line(ledger: LedgerView) -> str:
    """Return the account: received = the sum of the places that hold seeds."""
    held = [(text, n) for name, text in PLACES if (n := getattr(ledger, name))]
    received = tr("{n} received", n=ledger.received)
    return " = ".join((received, " + ".join(tr(text, n=n) for text, n in held) or "0"))


def balance(ledger: LedgerView) -> tuple[str, str]:
    """Return whether the account balances, in words and colour."""
    if ledger.unresolved:
        return tr("{n} SEEDS UNRESOLVED", n=ledger.unresolved), theme.BAD
    if not ledger.balanced:
        return tr("ACCOUNT DOES NOT BALANCE"), theme.BAD
    if not ledger.received:
        return tr("no seeds yet"), ""
    return tr("every seed has its place"), theme.GOOD


def dose_origin(dose: DoseView, *, stale: bool) -> str:
    """Return what a dose is made of; every figure shown stands beside this."""
    origin = tr(
        "{n} seeds after event {event}; {method}",
        n=dose.seeds,
        event=dose.event_number,
        method=said(dose.method),
    )
    return tr("STALE, a seed has changed since: {origin}", origin=origin) if stale else origin


def foremost(alarms: tuple[Alarm, ...]) -> Alarm | None:
    """Return the alarm to show: not acknowledged first, then the most urgent, then newest."""
    rank = {Priority.HIGH: 0, Priority.MEDIUM: 1, Priority.LOW: 2}
    return min(alarms, key=lambda a: (bool(a.acknowledged_by), rank[a.priority]), default=None)


def alarm_line(alarm: Alarm, others: int) -> tuple[str, str]:
    """Return an alarm with symbol and priority word, and its colour."""
    symbol, colour = theme.PRIORITY_LOOK[alarm.priority]
    text = f"{symbol} {tr(PRIORITIES[alarm.priority])}: {said(alarm.text)}"
    if not alarm.active:
        text += tr(" (no longer so)")
    if alarm.acknowledged_by:
        text += tr(" (seen by {name})", name=alarm.acknowledged_by)
    return (text + tr(" (+{n} more)", n=others) if others else text), colour
