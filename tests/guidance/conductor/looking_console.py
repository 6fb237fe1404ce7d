"""A console that looks at a scan again and again, and says which process does it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

sys.path += [str(Path(__file__).parents[2])]

from virtual import scans

from guidance.conductor.foreman import Foreman
from guidance.conductor.library import Library
from guidance.conductor.orders import Settings
from guidance.configuration import CtSettings, ModelledSettings, SourceSettings
from guidance.procedure.events import SeriesReceived
from guidance.procedure.jobs import AnalyseScan
from guidance.procedure.state import CaseState, Scan

if __name__ == "__main__":
    scan = scans(2).needles
    series = SeriesReceived(4, "CT", "P1", "", "1.1", "1.2.4", "ROOM", "CT", ("f4",))
    settings = Settings(SourceSettings(), ModelledSettings(), CtSettings())
    foreman = Foreman(settings, Library(read=lambda _: scan))
    foreman.start()
    sys.stdout.write(f"{foreman.process_id}\n")
    sys.stdout.flush()
    while True:
        job = AnalyseScan(Scan(series, datetime.now(UTC), "needles"), None)
        foreman.run(job, CaseState("case"), lambda _: None)
