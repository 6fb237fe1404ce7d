"""``seedguide detect``: needles and seeds of one CT series."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

SUMMARY = "Find needles and seeds in a CT series."


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("series", type=Path, metavar="SERIES_DIR", help="folder of one CT series")
    parser.add_argument("--expected-seeds", type=int, help="how many were dropped (only a check)")
    parser.add_argument(
        "--overlay", type=Path, metavar="DIR", help="write a picture of every detection there"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print what was found, in LPS mm of the series' own frame of reference."""
    from guidance.detection import detect
    from guidance.errors import CommandError
    from guidance.imaging import read_series

    if arguments.expected_seeds is not None and arguments.expected_seeds < 0:
        raise CommandError(f"--expected-seeds cannot be {arguments.expected_seeds}")
    volume = read_series(arguments.series)
    found = detect(volume, expected_seeds=arguments.expected_seeds)
    if arguments.overlay is not None:
        from guidance.detection.overlay import write_overlays

        write_overlays(volume, found, arguments.overlay)
    remarks = (*volume.provenance.remarks, *found.remarks)
    if arguments.json:
        content = {
            "seeds": [
                {
                    "position_mm": s.position_mm,
                    "axis": s.axis,
                    "confidence": s.confidence,
                    "covariance_mm2": s.covariance_mm2,
                }
                for s in found.seeds
            ],
            "needles": [
                {
                    "tip_mm": n.tip_mm,
                    "entry_mm": n.entry_mm,
                    "confidence": n.confidence,
                    "path_mm": n.path_mm,
                    "tip_sigma_mm": n.tip_sigma_mm,
                }
                for n in found.needles
            ],
            "elapsed_s": round(found.elapsed_s, 3),
            "frame_of_reference_uid": volume.geometry.frame_of_reference_uid,
            "series_instance_uid": volume.provenance.series_instance_uid,
            "remarks": remarks,
        }
        print(json.dumps(content))
        return 0
    print(f"{len(found.needles)} needles, {len(found.seeds)} seeds in {found.elapsed_s:.1f} s")
    for i, n in enumerate(found.needles, 1):
        print(f"needle {i:3d}  tip {_mm(n.tip_mm)}  entry {_mm(n.entry_mm)}  {n.confidence:.2f}")
    for i, s in enumerate(found.seeds, 1):
        print(f"seed   {i:3d}  at  {_mm(s.position_mm)}  {s.confidence:.2f}")
    for remark in remarks:
        print(f"note: {remark}")
    return 0


def _mm(point: tuple[float, float, float]) -> str:
    return " ".join(f"{v:8.2f}" for v in point)
