"""``seedguide volume``: what a CT series is as a volume, and the volume as one file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guidance.imaging.volume import Volume

SUMMARY = "Say how a CT series lies in the patient; write it as NRRD or NIfTI."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("series", type=Path, metavar="SERIES_DIR", help="folder of one CT series")
    parser.add_argument("--out", type=Path, help="write the volume: .nrrd, .nii.gz, .mha")
    parser.add_argument(
        "--burst", type=int, metavar="N", help="of a place imaged several times: which time, from 1"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the geometry, what was set aside and why, and write the volume if asked to."""
    from guidance.errors import CommandError
    from guidance.exchange import write_volume
    from guidance.imaging import read_bursts, read_series

    if arguments.burst is None:
        volume = read_series(arguments.series)
    else:
        bursts = read_bursts(arguments.series)
        if not 1 <= arguments.burst <= len(bursts):
            raise CommandError(f"--burst {arguments.burst}: there are {len(bursts)}")
        volume = bursts[arguments.burst - 1]
    content = _described(volume)
    if arguments.out is not None:
        written = write_volume(arguments.out, volume)
        content["written"] = str(arguments.out)
        content["remarks"] = list(written.provenance.remarks)
    if arguments.json:
        print(json.dumps(content))
        return 0
    for key, value in content.items():
        if key not in {"remarks", "set_aside"}:
            print(f"{key:28s} {value}")
    for said in content["set_aside"]:
        print(f"set aside: {said}")
    for remark in content["remarks"]:
        print(f"note: {remark}")
    return 0


def _described(volume: Volume) -> dict[str, Any]:
    import numpy as np

    from guidance.imaging.stack import tilt_deg

    geometry, provenance = volume.geometry, volume.provenance
    axes = geometry.axes
    normal = np.cross(axes[:, 0], axes[:, 1])
    gaps = np.diff(provenance.slice_positions_mm)
    return {
        "series_instance_uid": provenance.series_instance_uid,
        "frame_of_reference_uid": geometry.frame_of_reference_uid,
        "shape_zyx": list(geometry.shape),
        "spacing_mm": geometry.spacing_mm.round(6).tolist(),
        "index_to_patient": geometry.index_to_patient.round(6).tolist(),
        "orientation": "".join(_letter(axes[:, i]) for i in range(3)),
        "patient_position": provenance.patient_position,
        "tilt_deg": round(tilt_deg(geometry.index_to_patient[:3, 2], normal), 3),
        "slice_thickness_mm": provenance.slice_thickness_mm,
        "gap_mm_least": round(float(gaps.min()), 4) if len(gaps) else None,
        "gap_mm_largest": round(float(gaps.max()), 4) if len(gaps) else None,
        "slices_imaged": len(provenance.sop_instance_uids),
        "hu_range": [int(volume.hu.min()), int(volume.hu.max())],
        "clipped_at_hu": provenance.clipped_at_hu,
        "set_aside": list(provenance.set_aside),
        "remarks": list(provenance.remarks),
    }


def _letter(axis: Any) -> str:
    """Return where in the patient an axis mostly leads: L or R, P or A, S or I."""
    largest = int(abs(axis).argmax())
    return ("LR", "PA", "SI")[largest][0 if axis[largest] > 0 else 1]
