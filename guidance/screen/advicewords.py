"""What is said of advice and of the dose that leads: snapshot in, words and colours out."""

from __future__ import annotations

import re

from guidance.advice import MODELLED, TG43, Advice
from guidance.procedure.snapshot import Snapshot
from guidance.screen import theme
from guidance.screen.language import marked, said, tr

VERDICTS = {
    "continue": marked("CONTINUE"),
    "adjust": marked("ADJUST"),
    "stop": marked("STOP"),
}
# The doses that can lead; none is shown without its name.
ENGINES = {TG43: TG43, MODELLED: marked("model-based, research")}
# Where the first sentence ends, in either language.
_FIRST = re.compile(r"(?<=。)|(?<=\.)\s")


def advice_line(snapshot: Snapshot) -> tuple[str, str]:
    """Return the advice with its reason and the implant it is about, and its colour."""
    advice = snapshot.proposal
    if advice is None:
        return said(snapshot.advice[0]) if snapshot.advice else "", theme.NOTE
    return _headed(snapshot, advice, said(advice.reason))


def _headed(snapshot: Snapshot, advice: Advice, reason: str) -> tuple[str, str]:
    """Return a reason under its verdict, the dose it is weighed by and the implant it is about."""
    line = tr("{verdict} ({dose}, after event {event}): {reason}")
    if snapshot.proposal_is_stale:
        line = tr("{verdict} ({dose}, after event {event} STALE): {reason}")
    text = line.format(
        verdict=tr(VERDICTS.get(advice.verdict, advice.verdict)),
        dose=tr(ENGINES[advice.engine]),
        event=advice.event_number,
        reason=reason,
    )
    return text, theme.WARN if snapshot.proposal_is_stale else theme.NOTE


def lead_line(snapshot: Snapshot) -> str:
    """Return which dose leads, and who chose it."""
    engine = tr(ENGINES[snapshot.engine])
    if not snapshot.engine_chosen_by:
        return tr("leading dose: {dose}", dose=engine)
    who = snapshot.engine_chosen_by
    return tr("leading dose: {dose}, chosen by {name}", dose=engine, name=who)


def advice_briefly(snapshot: Snapshot) -> tuple[str, str]:
    """Return the first sentence of the advice, or how much its seeds would mend.

    The page says it all.

    Where advice waits for the model-based dose, that is what is said.
    """
    if snapshot.advice_waits:
        return said(snapshot.advice_waits), theme.WARN
    advice = snapshot.proposal
    if advice is None:
        return advice_line(snapshot)
    if advice.predicted is None:
        return _headed(snapshot, advice, _FIRST.split(said(advice.reason), maxsplit=1)[0])
    brief = tr(
        "{n} more seeds would make D90 {gy} of {wanted} Gy",
        n=len(advice.seeds),
        gy=f"{advice.predicted.d90_gy:.0f}",
        wanted=f"{advice.prescription_gy:g}",
    ).replace(" Gy", "\u00a0Gy")
    return _headed(snapshot, advice, brief)
