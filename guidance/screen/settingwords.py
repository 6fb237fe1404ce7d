"""What each setting is, in words, and under which heading it stands."""

from __future__ import annotations

from guidance.screen.language import marked

SCREEN, KEYS = marked("Screen, worklist"), marked("Keys, pedals")
LIMITS, CABLES, DOSE = marked("Limits"), marked("Cables, record"), marked("Seeds, dose")
HEADINGS = (SCREEN, KEYS, LIMITS, CABLES, DOSE)
HEADING_OF_TABLE = {
    "screen": SCREEN,
    "worklist": SCREEN,
    "protocol": LIMITS,
    "listener": CABLES,
    "applicator": CABLES,
    "journal": CABLES,
    "sources": DOSE,
    "ct": DOSE,
    "modelled": DOSE,
}
# Words and unit of each key of the configuration; the keys of the screen have rows of their own.
WORDS: dict[str, tuple[str, str]] = {
    "screen.language": (marked("language"), ""),
    "worklist.peer": (marked("worklist, AET@HOST:PORT"), ""),
    "worklist.modality": (marked("worklist: modality wanted"), ""),
    "worklist.station": (marked("worklist: station wanted"), ""),
    "worklist.answer_s": (marked("worklist: longest wait for an answer"), "s"),
    "protocol.clearance_mm": (marked("least distance to an organ at risk"), "mm"),
    "protocol.cord_dmax_gy": (marked("cord, largest dose (0: none set)"), "Gy"),
    "protocol.cord_d01cc_gy": (marked("cord, hottest 0.1 cc (0: none set)"), "Gy"),
    "protocol.cord_eqd2_gy": (marked("cord, EQD2 without an earlier course"), "Gy"),
    "protocol.cord_eqd2_again_gy": (marked("cord, EQD2 with an earlier course"), "Gy"),
    "protocol.target_v100_percent": (marked("target, least V100"), "%"),
    "protocol.seed_spacing_mm": (marked("least spacing of proposed seeds"), "mm"),
    "protocol.supplements_at_most": (marked("seeds in one proposal, at most"), ""),
    "protocol.residual_mm": (marked("residual that needs a reason"), "mm"),
    "protocol.turn_deg": (marked("turn that needs a reason"), "°"),
    "protocol.plan_days": (marked("age of a plan that needs a word"), marked("days")),
    "protocol.checklist": (marked("items of the time-out"), ""),
    "protocol.checklist_binding": (marked("no seeds while an item is open"), ""),
    "protocol.roles": (marked("who signs before the case is closed"), ""),
    "listener.host": (marked("listener: address"), ""),
    "listener.port": (marked("listener: port"), ""),
    "listener.ae_title": (marked("our AE title"), ""),
    "listener.store": (marked("listener: folder of the store"), ""),
    "listener.allow": (marked("listener: allowed callers"), ""),
    "listener.tls_cert": (marked("TLS: certificate"), ""),
    "listener.tls_key": (marked("TLS: its key"), ""),
    "listener.tls_ca": (marked("TLS: authorities of peers"), ""),
    "listener.quiet_s": (marked("a series is whole after quiet of"), "s"),
    "applicator.url": (marked("applicator: port"), ""),
    "journal.where": (marked("record of all cases"), ""),
    "sources.commissioned": (marked("seed models commissioned beyond the enabled"), ""),
    "sources.folders": (marked("folders of the department's source files"), ""),
    "ct.calibrations": (marked("HU to density, by scanner"), ""),
    "ct.uncalibrated": (marked("scanners without a curve"), ""),
    "modelled.on": (marked("model-based dose (research)"), ""),
    "modelled.research_models": (marked("seed models for it, for research alone"), ""),
    "modelled.uncertainty_percent": (marked("its uncertainty wanted"), "%"),
    "modelled.time_limit_s": (marked("its longest time"), "s"),
    "modelled.spacing_mm": (marked("spacing of its grid"), "mm"),
}
ORIGINS = {
    "default": marked("default"),
    "file": marked("file"),
    "command line": marked("command line"),
}
EFFECTS = {
    "at once": marked("at once"),
    "after a restart": marked("after a restart"),
    "in the file alone": marked("in the file alone"),
}
YES_NO = {"yes": marked("yes"), "no": marked("no")}
