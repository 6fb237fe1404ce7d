from datetime import UTC, datetime

import pytest

from guidance.alarms import Priority, acknowledged, raised, settled
from guidance.errors import RefusedError

AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_an_alarm_goes_only_when_acknowledged_and_over() -> None:
    alarms = raised((), "jam", Priority.HIGH, "The stylet is stuck.", AT)
    assert acknowledged(alarms, "jam", "Dr Li")[0].active
    assert settled(alarms, "jam")[0].active is False
    assert settled(acknowledged(alarms, "jam", "Dr Li"), "jam") == ()
    assert acknowledged(settled(alarms, "jam"), "jam", "Dr Li") == ()


def test_a_condition_that_goes_on_is_not_raised_twice_but_a_worse_one_is() -> None:
    alarms = acknowledged(raised((), "cord", Priority.MEDIUM, "9 mm", AT), "cord", "Dr Li")
    assert raised(alarms, "cord", Priority.MEDIUM, "9 mm", AT) == alarms
    worse = raised(alarms, "cord", Priority.MEDIUM, "8 mm", AT)
    assert len(worse) == 1
    assert worse[0].acknowledged_by == ""


def test_acknowledging_needs_a_name_and_an_alarm() -> None:
    alarms = raised((), "jam", Priority.HIGH, "The stylet is stuck.", AT)
    with pytest.raises(RefusedError, match="named"):
        acknowledged(alarms, "jam", " ")
    with pytest.raises(RefusedError, match="no alarm"):
        acknowledged(alarms, "other", "Dr Li")
