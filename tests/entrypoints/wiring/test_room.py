"""Who gets how much room."""

import pytest

from core.errors import Invalid
from core.settings import Settings
from entrypoints.wiring import features
from entrypoints.wiring.plugins import answers, plugin_manager
from entrypoints.wiring.room import MEGABYTE, limits_of

DECLARED = answers(plugin_manager([features], installed=False).hook.settings)


def test_each_series_has_the_room_that_is_set() -> None:
    limits = limits_of(Settings(DECLARED, {"METRICS_MAX_BYTES": "10MB", "AUDIT_MAX_BYTES": "1MB"}))
    assert (limits.metrics, limits.audit, limits.readings) == (10 * MEGABYTE, MEGABYTE, 1024 * MEGABYTE)


def test_in_a_database_that_may_not_grow_all_have_less_and_something_is_left_for_the_rest() -> None:
    limits = limits_of(Settings(DECLARED, {"DATABASE_MAX_BYTES": "100MB"}))
    assert 79 * MEGABYTE < limits.total <= 80 * MEGABYTE
    assert limits.readings == pytest.approx(limits.metrics * 4, rel=0.01)


def test_a_database_too_small_for_anything_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="DATABASE_MAX_BYTES"):
        Settings(DECLARED, {"DATABASE_MAX_BYTES": "1MB"})
