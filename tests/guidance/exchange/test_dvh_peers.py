"""Histograms from the same files as other programs make them, beside what is exact."""

from __future__ import annotations

import shutil

import pytest

from benchmarks.dvh import Case, cylinder, differences, sphere


@pytest.mark.parametrize("case", [cylinder(1.0), sphere(1.0)], ids=["cylinder", "sphere"])
def test_histograms_are_nearer_to_the_truth_than_the_peers(case: Case) -> None:
    found = differences(case)
    mine = found.pop("ours")
    assert max(abs(v) for v in mine.values()) < 5e-3
    assert ("plastimatch" in found) == (shutil.which("plastimatch") is not None)
    for name, theirs in found.items():
        # They see the same structure and dose, so they cannot be far off; their worst is worse.
        assert all(abs(v) < 0.15 for v in theirs.values()), name
        assert max(abs(v) for v in theirs.values()) > max(abs(v) for v in mine.values())


def test_thick_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    # plastimatch fills no gap between slices on a finer grid: its figures say nothing here.
    monkeypatch.setattr("benchmarks.dvh.plastimatch", lambda *_: None)
    for case in (cylinder(3.0), sphere(3.0)):
        assert max(abs(v) for v in differences(case)["ours"].values()) < 5e-3
