"""The record of a case in words: each fact as a sentence, and what became of each seed.

A device record carries its journal and number, as it stands in the wire log (``E jid number``),
so that both can be laid side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from guidance.procedure.events import DeviceRecorded, ProcedureEvent
from guidance.procedure.state import CaseState

_ENDS = {
    "done": "every permitted seed was dropped",
    "host": "the console ended it",
    "hello": "a new session began",
    "nodrop": "a stroke brought no seed",
    "lease": "the console fell silent",
    "cable": "the plug was pulled",
}
_SHOWN = 160


def sentence(event: ProcedureEvent) -> str:
    """Return one line on a fact."""
    fact: Any = event.fact
    if isinstance(fact, DeviceRecorded):
        try:
            told = _device(fact.kind, fact.args)
        except (IndexError, ValueError):
            told = f"{fact.kind} {' '.join(fact.args)}"
        return f"[device {fact.eid}, start {fact.boot}] {told}"
    name = type(fact).__name__
    words = {
        "CaseOpened": lambda: f"{fact.by} opened the case",
        "CartridgeReceived": lambda: (
            f"{fact.by} checked in cartridge {fact.serial}: {fact.seeds} seeds "
            f"{fact.source_model} of {fact.strength_u:g} U"
            + (f", lot {fact.lot}" if fact.lot else "")
            + (f", assayed at {fact.assay_u:g} U" if fact.assay_u else "")
        ),
        "SeriesReceived": lambda: (
            f"{fact.modality} series received ({len(fact.files)} files): {fact.description}"
        ),
        "NeedlesConfirmed": lambda: f"{fact.by} confirmed the needles",
        "RegistrationAccepted": lambda: f"{fact.by} accepted the registration",
        "ScanAnalysed": lambda: (
            f"scan searched: {len(fact.seeds)} seeds and {len(fact.needles)} needles seen"
        ),
        "PlanImported": lambda: (
            f"plan read: {len(fact.plan.seeds)} seeds {fact.plan.source_model} of "
            f"{fact.plan.strength_u:.3g} U through {len(fact.plan.needles)} needles"
        ),
        "StructuresImported": lambda: f"structures read: {', '.join(fact.names)}",
        "Registered": lambda: f"plan registered to the room, residual {fact.residual_mm:.1f} mm",
        "NeedlesTracked": lambda: f"{len(fact.needles)} needles matched with the plan",
        "DoseReported": lambda: (
            f"dose ({fact.engine}) after record {fact.event_number} put on record"
        ),
        "Advised": lambda: (
            f"advice ({fact.advice.engine}): {fact.advice.verdict}: {fact.advice.reason}"
        ),
        "EngineChosen": lambda: f"{fact.by} chose {fact.engine} as the leading dose",
        "SeedsPermitted": lambda: (
            f"{fact.by} permitted {fact.count} seeds through needle {fact.needle} from cartridge "
            f"{fact.cartridge} (permit {fact.permit})"
        ),
        "PermitEnded": lambda: f"permit {fact.permit} did not come into force: {fact.reason}",
        "Disarmed": lambda: f"{fact.by} ended the permit",
        "WorkStopped": lambda: f"{fact.by} stopped the work {fact.key}",
        "WorkBrokeOff": lambda: f"the work {fact.key} broke off: {fact.reason}",
        "StrokeResolved": lambda: (
            f"{fact.by} says that the stroke of device record {fact.eid} "
            f"{'brought a seed' if fact.dropped else 'brought no seed'}"
        ),
        "LinkChanged": lambda: f"link {fact.state}{': ' if fact.detail else ''}{fact.detail}",
        "AlarmAcknowledged": lambda: f"{fact.by} acknowledged the alarm {fact.key}",
        "ImplantVerified": lambda: f"{fact.by} verified the implant",
        "CartridgeClosed": lambda: (
            f"{fact.by} counted {fact.remaining} seeds left in cartridge {fact.serial}: "
            f"{fact.disposition.value}"
        ),
        "CaseClosed": lambda: (
            f"{fact.by} closed the case" + (f': "{fact.sentence}"' if fact.sentence else "")
        ),
    }
    if name in words:
        return _short(words[name]())
    return _short(str(fact))


def raised(before: CaseState, after: CaseState) -> tuple[str, ...]:
    """Return the alarms that a fact raised, one line each."""
    known = {(a.key, a.text) for a in before.alarms}
    fresh = (a for a in after.alarms if (a.key, a.text) not in known)
    return tuple(f"ALARM ({a.priority.value}): {a.text}" for a in fresh)


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


def _device(kind: str, args: tuple[str, ...]) -> str:
    if kind in _PLAIN:
        return _PLAIN[kind].format(*args) + (
            _found(args) if kind in {"DROP", "NODROP", "DOUBLE"} else ""
        )
    match kind:
        case "NEEDLE":
            return f"put on needle {args[0]}" if args[0] != "0" else "taken off the needle"
        case "ARM":
            stops = f", at {_stops(args[4])} mm" if len(args) > 4 else ""
            return f"armed: {args[3]} seeds through needle {args[1]} from {args[2]}{stops}"
        case "DISARM":
            return f"locked: {_ENDS.get(args[0], ' '.join(args))}"
        case "RESOLVED":
            gone = "a seed had left" if args[1] == "DROP" else "no seed had left"
            return f"{args[2]} settled device record {args[0]}: {gone}"
        case "BLOCKED" if args[1] == "step":
            return f"stylet pulled at {args[3]} mm, seed belongs at {args[2]} mm: stayed locked"
        case "BLOCKED":
            return f"stylet pulled on needle {args[0]} without a permit: stayed locked"
    return f"{kind} {' '.join(args)}"


_PLAIN = {
    "BOOT": "the applicator started (firmware {0})",
    "CART-IN": "cartridge {0} put in, {1} seeds in it",
    "CART-OUT": "cartridge {0} taken out, {1} seeds in it",
    "RETRACT": "needle {0} drawn back to {1} mm",
    "INTENT": "stylet pulled on needle {0}, {1} seeds in the cartridge",
    "DROP": "SEED LEFT through needle {0}, {1} remain",
    "NODROP": "NO SEED left through needle {0}, {1} remain",
    "DOUBLE": "TWO SEEDS LEFT through needle {0}, {1} remain",
    "UNKNOWN": "WHETHER A SEED LEFT through needle {0} IS NOT KNOWN",
    "TEST": "self-test: {0}",
}


def _stops(words: str) -> str:
    return ", ".join(f"{int(w) / 10:g}" for w in words.split(","))


def _found(args: tuple[str, ...]) -> str:
    return {
        "recovered": " (the power went in the stroke; the follower told at the next start)",
        "found": " (found by the follower at the next start)",
    }.get(args[-1], "")


@dataclass(frozen=True)
class Stroke:
    """One pull of the stylet, and what it brought.

    Attributes:
        at: UTC time the outcome was recorded here.
        number: of that record in the case.
        eid: of that record in the device's journal.
        needle: it went through.
        retraction_mm: total, when the outcome was recorded.
        cartridge: serial, empty if none was in place.
        outcome: DROP, NODROP, DOUBLE or UNKNOWN.
        note: how it is known, if not at once; and who settled it.
    """

    at: datetime
    number: int
    eid: int
    needle: int
    retraction_mm: float
    cartridge: str
    outcome: str
    note: str = ""


def strokes(events: Iterable[ProcedureEvent]) -> tuple[Stroke, ...]:
    """Return every stroke of a case, in order."""
    told: list[Stroke] = []
    cartridge, retraction_mm, pulled = "", 0.0, False
    for event, fact in _device_facts(events):
        if fact.kind in {"CART-IN", "CART-OUT"}:
            cartridge = fact.args[0] if fact.kind == "CART-IN" else ""
        elif fact.kind == "RETRACT":
            retraction_mm = float(fact.args[1])
        elif fact.kind == "INTENT":
            pulled = True
        elif fact.kind in {"DROP", "NODROP", "DOUBLE", "UNKNOWN"}:
            note = _found(fact.args).strip(" ()") or ("" if pulled else "WITHOUT A STROKE")
            needle = int(fact.args[0])
            told.append(
                Stroke(
                    event.at, event.number, fact.eid, needle, retraction_mm, cartridge,
                    fact.kind, note,
                )
            )  # fmt: skip
            pulled = False
        elif fact.kind == "RESOLVED":
            told = [_settled(stroke, fact) for stroke in told]
    return tuple(told)


def _settled(stroke: Stroke, fact: DeviceRecorded) -> Stroke:
    if str(stroke.eid) != fact.args[0]:
        return stroke
    note = f"was UNKNOWN; {fact.args[2]} settled it (device record {fact.eid})"
    return Stroke(**{**vars(stroke), "outcome": fact.args[1], "note": note})


def _device_facts(
    events: Iterable[ProcedureEvent],
) -> Iterator[tuple[ProcedureEvent, DeviceRecorded]]:
    for event in events:
        if isinstance(event.fact, DeviceRecorded):
            yield event, event.fact


_HEAD = "seed  time      needle  at mm  cartridge     outcome  record  device  how it is known"


def tale(events: Iterable[ProcedureEvent]) -> tuple[str, ...]:
    """Return a table of the strokes, one line each; seeds are numbered as they left."""
    lines = [
        "seed  time      needle  at mm  cartridge     outcome  record  device  how it is known"
    ]
    seed = 0
    for stroke in strokes(events):
        gone = {"DROP": 1, "DOUBLE": 2}.get(stroke.outcome, 0)
        name = {0: "-", 1: f"{seed + 1}", 2: f"{seed + 1},{seed + 2}"}[gone]
        if stroke.outcome == "UNKNOWN":
            name = "?"
        seed += gone
        lines.append(
            f"{name:>4s}  {stroke.at:%H:%M:%S}  {stroke.needle:6d}  {stroke.retraction_mm:5.1f}  "
            f"{stroke.cartridge or '-':12s}  {stroke.outcome:7s}  {stroke.number:6d}  "
            f"{stroke.eid:6d}  {stroke.note}".rstrip()
        )
    return tuple(lines)
