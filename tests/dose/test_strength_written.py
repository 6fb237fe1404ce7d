"""A strength as people write it: never without its unit."""

import pytest

from dose.errors import SeedError
from dose.strength import strength_u


@pytest.mark.parametrize(
    ("text", "nuclide", "expected"),
    [
        ("0.6 U", "I-125", 0.6),
        ("0.6u", "", 0.6),
        (" .5 U ", "I-125", 0.5),
        ("0.47 mCi", "I-125", 0.5969),
        ("1 mCi", "Pd-103", 1.293),
        ("18.5 MBq", "I-125", 0.635),
    ],
)
def test_with_its_unit_it_is_read(text: str, nuclide: str, expected: float) -> None:
    assert strength_u(text, nuclide) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "nuclide", "why"),
    [
        ("0.6", "I-125", "has no unit"),
        ("", "I-125", "cannot be read"),
        ("0,6 U", "I-125", "cannot be read"),
        ("-0.6 U", "I-125", "cannot be read"),
        ("0.6 mGy", "I-125", "unit mGy is not known"),
        ("0.5 mCi", "", "nuclide is not known"),
        ("0.5 mCi", "Cs-131", "no conversion"),
        ("0 U", "I-125", "no strength of a seed"),
        ("0 mCi", "I-125", "must be positive"),
        ("47 U", "I-125", "no strength of a seed"),
    ],
)
def test_without_it_or_unreadable_it_is_refused(text: str, nuclide: str, why: str) -> None:
    with pytest.raises(SeedError, match=why):
        strength_u(text, nuclide)
