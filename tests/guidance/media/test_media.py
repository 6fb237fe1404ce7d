"""CT to media: calibration of the scanner, metal replaced, structures said to be something."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dose.geometry import GridGeometry
from dose.seeds import Seeds
from dose.structures import Structure, sample
from dose.transport.materials import CEMENT, MUSCLE
from dose.transport.tissues import SCHNEIDER_CURVE
from guidance.configuration import CtSettings
from guidance.errors import CommandError, RefusedError
from guidance.imaging import Provenance, Volume
from guidance.media import Assigned, Calibration, assign, calibration_of
from guidance.media.assignment import matched
from guidance.media.picture import write_pictures

CURVE = Calibration(SCHNEIDER_CURVE, "By a curve.")


def ct(*, slices: int = 60, clipped: int | None = None) -> Volume:
    """A trunk of muscle with a rod of bone, 1 mm by 1 mm by 2 mm, and a seed that blooms."""
    geometry = GridGeometry.from_axes((-60, -60, -slices), (1, 1, 2), (slices, 121, 121))
    hu = np.full(geometry.shape, 40, np.int16)
    hu[:, :30, :] = -1000
    hu[:, 70:80, 40:81] = 1100
    k = slices // 2
    hu[k - 1 : k + 2, 59:62, 59:62] = (900, 2600, 900)[1]
    hu[k, 60, 63:66] = -500
    return Volume(geometry, hu, Provenance(manufacturer="ACME Scan 5", clipped_at_hu=clipped))


def one_seed(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Seeds:
    return Seeds(np.array([[x, y, z]]), np.array([[0, 0, 1.0]]), np.array([1.0]))


def test_media_of_a_trunk(tmp_path: Path) -> None:
    found = assign(ct(clipped=3071), one_seed(), CURVE, spacing_mm=2.0)
    grid, media = found.media.geometry, found.media

    def at(x: float, y: float, z: float) -> tuple[str, float]:
        i, j, k = np.rint(grid.patient_to_indices((x, y, z))).astype(int)
        return media.materials[media.index[k, j, i]].name, float(media.density_g_cm3[k, j, i])

    assert at(0, 15, 0)[0] == "cortical bone"
    assert at(-30, -35, 0) == ("air", pytest.approx(0.0012, abs=1e-3))
    for place in ((0, 0, 0), (2, 0, 0), (4, 0, 0), (0, 0, 2)):
        assert at(*place)[0] == "muscle", place
    assert found.metal_cc == pytest.approx(0.4, abs=0.25)
    assert found.streak_cc == pytest.approx(0.006, abs=0.005)
    said = " ".join(found.remarks)
    for words in ("By a curve.", "took the tissue", "dark streaks", "clipped HU at 3071"):
        assert words in said
    assert sum(found.volumes_cc.values()) == pytest.approx(grid.size * 0.008, rel=1e-3)
    pictures = write_pictures(tmp_path / "p", found, one_seed())
    assert [p.read_bytes()[:4] for p in pictures] == [b"\x89PNG"] * len(pictures)
    assert pictures


def test_a_structure_is_what_it_is_said_to_be() -> None:
    square = np.array([[-7.7, 11.3, 0], [7.7, 11.3, 0], [7.7, 18.7, 0], [-7.7, 18.7, 0]])
    drawn = Structure(
        "Cement", tuple(np.add(square, (0, 0, z)) for z in (-4.0, -2.0, 0.0, 2.0, 4.0))
    )
    said = Assigned.parsed("Cement=bone cement")
    assert matched([drawn], [said]) == {"Cement": said}
    found = assign(
        ct(), one_seed(), CURVE, spacing_mm=1.0, assigned={"Cement": (sample(drawn), CEMENT)}
    )
    assert found.volumes_cc["bone cement"] == pytest.approx(15.4 * 7.4 * 10 / 1000, rel=0.1)
    assert re.search(r"Cement is taken as bone cement, 1\.[012] cc of it", str(found.remarks))
    far = Structure("Far", tuple(np.add(c, (0.0, 0.0, 500.0)) for c in drawn.contours))
    with pytest.raises(CommandError, match="Far fills no voxel of the transport's grid"):
        assign(ct(), one_seed(), CURVE, spacing_mm=1.0, assigned={"Far": (sample(far), CEMENT)})
    with pytest.raises(CommandError, match="no structure 'GTV'; there are Cement"):
        matched([drawn], [Assigned("GTV", MUSCLE)])
    with pytest.raises(CommandError, match="STRUCTURE=MATERIAL"):
        Assigned.parsed("muscle")
    with pytest.raises(CommandError, match="'butter' is not known; there are water, air"):
        Assigned.parsed("GTV=butter")


def test_seeds_must_lie_in_the_ct() -> None:
    with pytest.raises(RefusedError, match=r"seed 1 at \(0.0, 0.0, 300.0\) mm lies outside the CT"):
        assign(ct(), one_seed(z=300), CURVE, spacing_mm=2.0)
    short = ct(slices=4)
    with pytest.raises(RefusedError, match="covers too little"):
        assign(short, one_seed(z=-2), CURVE, spacing_mm=4.0)


def test_a_clip_below_the_metal_is_where_metal_begins() -> None:
    """Metal nobody named, in a scan that clips at 1500 HU: it was taken for dense bone before."""
    volume = ct(clipped=1500)
    hu = np.minimum(volume.hu, 1500)
    hu[29:32, 80:83, 95:98] = 1500
    found = assign(replace(volume, hu=hu), one_seed(), CURVE, spacing_mm=2.0)
    i, j, k = np.rint(found.media.geometry.patient_to_indices((36, 21, 0))).astype(int)
    assert found.media.materials[found.media.index[k, j, i]].name == "muscle"
    said = " ".join(found.remarks)
    assert "clipped HU at 1500; what reaches that is taken as metal" in said
    assert "cc of metal (1500 HU and more" in said


def test_what_lies_beyond_the_curve_is_said_with_its_volume() -> None:
    short = Calibration(((-500.0, 0.5), (1000.0, 1.6)), "Short.")
    said = " ".join(assign(ct(), one_seed(), short, spacing_mm=2.0).remarks)
    assert re.search(r"\d+\.\d+ cc have less HU than the calibration curve, .* 0\.5 g/cm3", said)
    assert re.search(
        r"\d+\.\d+ cc have more HU than .*, which ends at 1000 HU, .* 1\.6 g/cm3", said
    )
    assert "calibration curve, which" not in " ".join(
        assign(ct(), one_seed(), CURVE, spacing_mm=2.0).remarks
    )


def test_a_ct_that_ends_beside_a_seed_is_said() -> None:
    def said(z: float) -> str:
        return " ".join(assign(ct(), one_seed(z=z), CURVE, spacing_mm=2.0).remarks)

    assert "The CT ends 9 mm from seed 1, within the body" in said(50)
    assert "The CT ends" not in said(0)
    # In air it may end anywhere.
    volume = ct()
    in_air = replace(volume, hu=np.where(np.arange(60)[:, None, None] > 57, -1000, volume.hu))
    found = assign(in_air, one_seed(z=50), CURVE, spacing_mm=2.0)
    assert "The CT ends" not in " ".join(found.remarks)


def test_the_grid_ends_where_the_ct_ends() -> None:
    volume = ct()
    found = assign(volume, one_seed(z=50), CURVE, spacing_mm=2.0)
    assert volume.geometry.contains(found.media.geometry.corners_mm() * 0.9999).all()


def test_a_grid_that_ends_with_the_ct_is_within_it() -> None:
    # Far from the origin, where rounding is felt; 35 slices of 2 mm are just 35 voxels of 2 mm.
    for low_mm in (-1203.1, -311.7, 98.3, 777.7):
        geometry = GridGeometry.from_axes((-60.0, -60.0, low_mm), (0.75, 0.75, 2.0), (35, 160, 160))
        volume = Volume(geometry, np.full(geometry.shape, 40, np.int16))
        found = assign(
            volume, one_seed(z=low_mm + 34.0), Calibration(SCHNEIDER_CURVE, ""), spacing_mm=2.0
        )
        assert found.media.geometry.shape[0] == 35


def test_a_calibration_is_the_scanners_own_or_stated(tmp_path: Path) -> None:
    volume = ct()
    path = tmp_path / "acme.csv"
    path.write_text("# HU, g/cm3\n-1000, 0.001\n0, 1.0\n1500, 1.9\n")
    own = calibration_of(volume, CtSettings((f"acme = {path}",)))
    assert own.curve == ((-1000.0, 0.001), (0.0, 1.0), (1500.0, 1.9))
    assert "site's curve for acme" in own.said
    other = calibration_of(volume, CtSettings((f"Siemens = {path}",)))
    assert other.curve == SCHNEIDER_CURVE
    assert "No calibration curve is configured for ACME Scan 5" in other.said
    with pytest.raises(RefusedError, match="no calibration curve for ACME Scan 5"):
        calibration_of(volume, CtSettings((), "refuse"))
    unnamed = replace(volume, provenance=Provenance())
    with pytest.raises(RefusedError, match="a scanner that the CT does not name"):
        calibration_of(unnamed, CtSettings((f"acme = {path}",), "refuse"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0, 1\n-5, 2\n", "ascending"),
        ("0, 1\n5\n", "every line holds HU and g/cm3"),
        ("0, 1\n5, heavy\n", "every line holds HU and g/cm3"),
        ("0, 0\n5, 1\n", "densities above 0"),
        ("0, 1\n", "at least two pairs"),
        (None, "No such file"),
    ],
)
def test_a_wrong_curve_is_refused(tmp_path: Path, text: str | None, words: str) -> None:
    path = tmp_path / "curve.csv"
    if text is not None:
        path.write_text(text)
    with pytest.raises(RefusedError, match=words):
        calibration_of(ct(), CtSettings((f"ACME={path}",)))
    with pytest.raises(RefusedError, match="not written as"):
        calibration_of(ct(), CtSettings(("ACME",)))
