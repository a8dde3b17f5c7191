"""The vital signs in reports."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.telemetry import Vitals, vitals_of
from core.telemetry.vitals import NUMBERS
from tests.support.odd import anything

FIELDS = [*NUMBERS.values(), "top_processes", "network_interfaces", "os_version", "agent_version", "local_ip"]


def test_the_temperature_of_a_report_is_that_of_the_cpu() -> None:
    assert vitals_of({"temperature": 51.2}).cpu_temp == 51.2


def test_a_report_without_numbers_measures_nothing() -> None:
    vitals = vitals_of({"apps": {}, "is_online": True, "version": 2, "endpoints_health": {}})
    assert vitals == Vitals()
    assert not vitals.measured
    assert vitals.empty


def test_a_report_whose_numbers_are_none_measures_nothing() -> None:
    assert not vitals_of({"cpu_usage": float("nan"), "uptime": "long", "memory_total": None}).measured


def test_an_address_alone_is_news_but_no_measurement() -> None:
    vitals = vitals_of({"local_ip": "192.0.2.2"})
    assert not vitals.measured
    assert not vitals.empty


def test_processes_keep_their_four_values_and_their_command_if_they_have_one() -> None:
    sent = [{"pid": 1, "name": "init", "cpu": 12.2, "mem": 0, "secret": "x"}, "odd", {"name": "sh", "command": "sh -c"}]
    assert vitals_of({"top_processes": sent}).top_processes == [
        {"pid": 1, "name": "init", "cpu": 12.2, "mem": 0.0},
        {"pid": None, "name": "sh", "cpu": None, "mem": None, "command": "sh -c"},
    ]


def test_there_are_never_more_than_fifty_processes() -> None:
    assert len(vitals_of({"top_processes": [{"pid": n} for n in range(10_000)]}).top_processes or []) == 50


@given(report=st.dictionaries(st.sampled_from(FIELDS), anything))
def test_no_report_is_too_odd(report: dict[str, Any]) -> None:
    vitals = vitals_of(report)
    for name in NUMBERS:
        value = getattr(vitals, name)
        assert value is None or -(2**31) < value < 2**31
