"""Advice by a model-based dose: what the tissues make of the dose of the seeds in place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.advice import situation
from dose.geometry import GridGeometry
from dose.grid import DoseGrid
from dose.seeds import Seeds
from guidance.advice import (
    MODELLED,
    MediumFactor,
    ModelledUse,
    Situation,
    Source,
    advise,
    medium_factor,
)
from guidance.commands import main
from guidance.errors import RefusedError
from guidance.exchange import write_dose
from tests.guidance.advice.test_advise import REFERENCE, command_for

GRID = GridGeometry.from_axes(
    (-60.0, -60.0, -60.0), 2.0, (60, 60, 60), frame_of_reference_uid="1.4"
)


def as_seeds(given: Sequence[Source], shift_mm: float = 0.0) -> Seeds:
    return Seeds(
        np.array([np.add(s.position_mm, (shift_mm, 0.0, 0.0)) for s in given]),
        np.array([s.axis for s in given], dtype=np.float64),
        np.array([s.strength_u for s in given]),
    )


def in_water(asked: Situation, grid: GridGeometry = GRID, shift_mm: float = 0.0) -> np.ndarray:
    dose = DoseGrid(grid, asked.source)
    dose.become([str(k) for k in range(len(asked.seeds))], as_seeds(asked.seeds, shift_mm))
    return dose.dose_gy.copy()


def factor(asked: Situation, dose_gy: NDArray[np.float32], grid: GridGeometry) -> MediumFactor:
    used = ModelledUse("as drawn")
    return medium_factor(dose_gy, grid, used, asked.source, as_seeds(asked.seeds))


def weighed(asked: Situation, dose_gy: np.ndarray, grid: GridGeometry = GRID) -> Situation:
    return replace(asked, medium=factor(asked, dose_gy.astype(np.float32), grid))


def test_a_dose_as_in_water_changes_nothing() -> None:
    asked = situation(20)
    plain, found = advise(asked), advise(weighed(asked, in_water(asked)))
    assert found.now.d90_gy == pytest.approx(plain.now.d90_gy, rel=1e-4)
    assert found.now.cord_dmax_gy == pytest.approx(plain.now.cord_dmax_gy, rel=1e-4)
    assert [s.position_mm for s in found.seeds] == [s.position_mm for s in plain.seeds]


def test_tissue_that_takes_less_is_colder_and_asks_for_more() -> None:
    asked = situation(20)
    plain, found = advise(asked), advise(weighed(asked, 0.7 * in_water(asked)))
    assert found.now.d90_gy == pytest.approx(0.7 * plain.now.d90_gy, rel=1e-3)
    assert found.now.cord_dmax_gy == pytest.approx(0.7 * plain.now.cord_dmax_gy, rel=1e-3)
    assert len(found.seeds) > len(plain.seeds)


def test_bone_on_one_side_moves_the_seeds_there() -> None:
    """Half of the target behind bone: its colder half gets the further seeds."""
    asked = situation(20, missing=0.0)
    column = GRID.indices_to_patient(np.array([[i, 0, 0] for i in range(60)]))[:, 0]
    dose = in_water(asked) * np.where(column < 0, 0.6, 1.2)[None, None, :]
    found = advise(weighed(asked, dose))
    assert found.verdict == "adjust"
    assert found.cold[0].centre_mm[0] < 0
    assert all(s.position_mm[0] < 5.0 for s in found.seeds)


def test_a_dose_of_other_seeds_is_refused() -> None:
    asked = situation(20)
    with pytest.raises(RefusedError, match="not that of the given seeds"):
        weighed(asked, in_water(asked, shift_mm=12.0))
    with pytest.raises(RefusedError, match="not that of the given seeds"):
        weighed(asked, np.zeros(GRID.shape))


def test_a_dose_that_leaves_out_part_of_the_target_is_refused() -> None:
    asked = situation(20)
    # The target reaches down to -18.8 mm, its seeds to -13.8 mm.
    small = GridGeometry.from_axes((-60.0, -60.0, -15.0), 2.0, (60, 60, 60))
    with pytest.raises(RefusedError, match=r"% of GTV lies outside the model-based dose"):
        advise(weighed(asked, in_water(asked, small), small))


def test_where_it_says_nothing_of_the_cord_tg43_stands_and_is_named() -> None:
    asked = situation(20)
    # The target reaches to 18.8 mm headward and footward, the cord further.
    short = GridGeometry.from_axes((-60.0, -60.0, -25.0), 2.0, (26, 60, 60))
    plain = advise(asked)
    found = advise(weighed(asked, 0.7 * in_water(asked, short), short))
    said = [r for r in found.remarks if "the model-based dose says nothing; TG-43 is used" in r]
    assert len(said) == 1
    assert "% of the cord near the target" in said[0]
    assert found.now.d90_gy == pytest.approx(0.7 * plain.now.d90_gy, rel=1e-3)
    whole = advise(weighed(asked, 0.7 * in_water(asked)))
    assert not any("says nothing" in r for r in whole.remarks)


def test_the_command_line_takes_the_dose_and_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = situation(20)
    command = command_for(asked, tmp_path)
    dose = 0.7 * in_water(asked)
    path = write_dose(
        tmp_path / "RD.dcm", dose.astype(np.float32), GRID, REFERENCE,
        description="Monte Carlo (model-based, research)",
    )  # fmt: skip
    assert main([*command, "--dose", str(path), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    expected = advise(weighed(asked, dose))
    assert said["now"]["d90_gy"] == pytest.approx(expected.now.d90_gy, rel=0.01)
    assert said["engine"] == MODELLED
    assert "Monte Carlo" in said["modelled"]["method"]
    assert any("not by TG-43" in remark for remark in said["remarks"])
    without_seeds = [*command[:-4], *command[-2:], "--dose", str(path)]
    assert main(without_seeds) == 2
    assert "--seeds" in capsys.readouterr().err
