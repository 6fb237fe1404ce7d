"""Every hazard has its proof, and the proof is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROWS = [
    [cell.strip() for cell in line.strip("| \n").split(" | ")]
    for line in (ROOT / "docs" / "hazards.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| hazard")
]
TRANSCRIPTS = ROOT / "tests" / "devices" / "applicator" / "transcripts"


def test_every_hazard_has_a_test_that_exists() -> None:
    assert len(ROWS) > 10
    for row in ROWS:
        named = re.findall(r"`(tests/[^`]+\.py)::(test_\w+)`", " ".join(row))
        assert named, f"no test is named for: {row[0]}"
        for path, test in named:
            source = (ROOT / path).read_text(encoding="utf-8")
            assert re.search(rf"^\s*def {test}\(", source, re.MULTILINE), f"{path}::{test}"


def test_every_hazard_has_a_transcript_or_says_that_it_is_none_of_the_applicators() -> None:
    for row in ROWS:
        assert re.fullmatch(r"`\w+`|–", row[-1]), row[0]


def test_every_transcript_is_of_a_hazard() -> None:
    told = set(re.findall(r"\| `(\w+)` \|", (ROOT / "docs" / "hazards.md").read_text() + " |"))
    assert told == {path.stem for path in TRANSCRIPTS.glob("*.txt")}
