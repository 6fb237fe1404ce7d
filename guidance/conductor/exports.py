"""What leaves a case: report, DICOM objects, figures and journal, in one folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from guidance.conductor.naming import modelled_description
from guidance.exchange import ExportReference, write_dose, write_plan, write_structures
from guidance.journal import Record
from guidance.procedure.snapshot import Snapshot
from guidance.report import write_report


def export_case(
    folder: Path,
    snapshot: Snapshot,
    figures: dict[str, Any],
    records: Sequence[Record],
    *,
    go_on: Callable[[], None] = lambda: None,
) -> tuple[Path, ...]:
    """Write everything that leaves a case and return the files.

    Args:
        folder: made if it is not there.
        snapshot: the case at its end.
        figures: its summary.
        records: its journal.
        go_on: called before each part; what it raises ends the export there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    go_on()
    files = [
        write_json(folder / "summary.json", figures),
        _write_journal(folder / "journal.jsonl", records),
    ]
    go_on()
    files.extend(_write_dicom(folder, snapshot))
    go_on()
    report = folder / "report.pdf"
    write_report(report, snapshot, journal_digest=figures["journal"]["digest"])
    return (*files, report)


def write_json(path: Path, figures: dict[str, Any]) -> Path:
    """Write figures as JSON, all or nothing."""
    temporary = path.with_name(path.name + ".part")
    text = json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False)
    temporary.write_text(text + "\n", encoding="utf-8")
    temporary.replace(path)
    return path


def _write_journal(path: Path, records: Sequence[Record]) -> Path:
    lines = (
        json.dumps(
            {
                "number": r.number,
                "at": r.at.isoformat(),
                "kind": r.kind,
                "payload": r.payload,
                "hash": r.hash,
            },
            ensure_ascii=False,
        )
        for r in records
    )
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def _write_dicom(folder: Path, snapshot: Snapshot) -> list[Path]:
    volume, dose, plan = snapshot.volume, snapshot.dose, snapshot.plan
    if volume is None or dose is None or plan is None:
        return []
    frame = volume.geometry.frame_of_reference_uid
    reference = ExportReference.from_provenance(volume.provenance, frame)
    paths = [folder / name for name in ("RTDOSE.dcm", "RTSTRUCT.dcm", "RTPLAN.dcm")]
    write_dose(paths[0], dose.dose_gy, dose.geometry, reference, description=dose.method)
    write_structures(paths[1], snapshot.structures, reference, needles=snapshot.needles)
    write_plan(paths[2], plan, snapshot.seeds, reference, supplements=snapshot.supplements)
    return [*paths, *_write_modelled(folder, snapshot, reference)]


def _write_modelled(folder: Path, snapshot: Snapshot, reference: ExportReference) -> list[Path]:
    """Write the model-based dose as objects of its own; nothing while it is stale or coarse.

    Old files of it are taken away: beside a new TG-43 dose they would be of another implant.
    """
    view, plan = snapshot.modelled, snapshot.plan
    named = {name: folder / f"RTDOSE-MC-{name}.dcm" for name in ("medium", "water")}
    if view is None or plan is None or not view.ended or snapshot.modelled_is_stale:
        for path in named.values():
            path.unlink(missing_ok=True)
        return []
    doses = {"medium": view.dose_gy, "water": view.water_gy}
    return [
        write_dose(
            path, doses[name], view.geometry, reference,
            description=modelled_description(name, plan.source_model), variant=f"mc-{name}",
        )
        for name, path in named.items()
    ]  # fmt: skip
