"""Anything may happen in any order; the room itself, and what must hold in it, is in room.py."""

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from room import Room

LONG = settings(
    max_examples=10_000,
    stateful_step_count=25,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
Room.TestCase.settings = settings(max_examples=200, stateful_step_count=25, deadline=None)
TestRoom = Room.TestCase


@pytest.mark.nightly
def test_ten_thousand_stories() -> None:
    run_state_machine_as_test(Room, settings=LONG)
