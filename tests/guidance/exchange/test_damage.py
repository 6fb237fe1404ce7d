"""Objects damaged on their way: read or refused, never an error that nobody expects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dose.geometry import GridGeometry
from dose.structures import Structure
from guidance.errors import ImportRefused
from guidance.exchange import (
    read_dose,
    read_plan,
    read_structures,
    write_dose,
    write_plan,
    write_structures,
)
from guidance.imaging import read_series
from tests.guidance.exchange.test_round_trips import REFERENCE, an_implant, square
from tests.guidance.imaging.test_read_series import slices, written

Reader = Callable[[Path], object]
# Where, as a share of the object; what is done there; with which bytes.
Edit = tuple[float, str, bytes]
EDITS = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.sampled_from(["write", "write", "insert", "delete", "cut"]),
        st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=8,
)


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Reader, bytes]]:
    folder = tmp_path_factory.mktemp("whole")
    grid = GridGeometry.from_axes((0, 0, 0), 1.0, (2, 2, 2), frame_of_reference_uid="1.2.5")
    gtv = Structure("GTV", (square(0), square(2)), "GTV", "1.2.5")
    made: dict[str, tuple[Reader, Path]] = {
        "image": (read_series, next(written(folder, slices(1)).iterdir())),
        "dose": (
            read_dose,
            write_dose(
                folder / "d", np.ones((2, 2, 2), np.float32), grid, REFERENCE, description=""
            ),
        ),
        "structures": (
            read_structures,
            write_structures(folder / "s", (gtv,), REFERENCE, needles=()),
        ),
        "plan": (read_plan, write_plan(folder / "p", *an_implant(), REFERENCE)),
    }
    for reader, path in made.values():
        reader(path)
    return {name: (reader, path.read_bytes()) for name, (reader, path) in made.items()}


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.sampled_from(["image", "dose", "structures", "plan"]), edits=EDITS)
@pytest.mark.filterwarnings("ignore")  # pydicom warns of damaged values too
def test_a_damaged_object_is_read_or_refused(
    tmp_path: Path,
    objects: dict[str, tuple[Reader, bytes]],
    name: str,
    edits: list[Edit],
) -> None:
    reader, whole = objects[name]
    path = tmp_path / "damaged.dcm"
    path.write_bytes(damaged(whole, edits))
    said = path.name
    try:
        reader(path)
    except ImportRefused as refused:
        said = str(refused)
    assert path.name in said or "no CT slice" in said


@pytest.mark.parametrize(
    ("name", "element"),
    [
        ("image", b"\x28\0\x52\x10DS"),  # Rescale Intercept
        ("plan", b"\x0a\x30\x82\x02IS"),  # Channel Number
        ("structures", b"\x06\x30\x22\0IS"),  # ROI Number
    ],
)
@pytest.mark.filterwarnings("ignore")  # pydicom warns of damaged values too
def test_a_number_that_is_none_is_refused(
    tmp_path: Path, objects: dict[str, tuple[Reader, bytes]], name: str, element: bytes
) -> None:
    reader, whole = objects[name]
    value = whole.index(element) + 8
    path = tmp_path / "damaged.dcm"
    path.write_bytes(whole[:value] + b"?" + whole[value + 1 :])
    with pytest.raises(ImportRefused, match="damaged"):
        reader(path)


def damaged(whole: bytes, edits: list[Edit]) -> bytes:
    """Return an object after edits behind its preamble."""
    out = bytearray(whole)
    for share, what, content in edits:
        at = 132 + int(share * max(0, len(out) - 133))
        if what == "write":
            out[at : at + len(content)] = content
        elif what == "insert":
            out[at:at] = content
        elif what == "delete":
            del out[at : at + len(content)]
        else:
            del out[at:]
    return bytes(out)
