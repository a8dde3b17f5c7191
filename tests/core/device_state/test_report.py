"""One report, and how it changes what is known."""

from typing import Any

import pytest
from attrs import asdict, evolve
from hypothesis import given
from hypothesis import strategies as st

from core.device_state.documents import canonical
from core.device_state.model import Reported
from core.device_state.redaction import redacted
from core.device_state.report import LARGEST_VERSION, Report
from core.telemetry.vitals import vitals_of
from tests.core.device_state.test_documents import documents, odd, text
from tests.support.clock import NOON
from tests.support.states import UUID

objects = st.dictionaries(text, documents, max_size=4)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "apps": objects,
    "config": objects,
    "endpoints_health": objects,
    "sensor_health": objects,
    "is_online": st.booleans(),
    "os_version": text,
    "local_ip": text,
    "cpu_usage": st.floats(0, 100),
    "temperature": st.floats(-40, 120),
    "uptime": st.floats(0, 1e9),
}
reports = st.fixed_dictionaries({}, optional=FIELDS)


def merged(before: Reported | None, sent: dict[str, Any]) -> Reported:
    return Report.of(sent).merged_into(before, UUID, NOON)


@given(whole=reports, earlier=reports, split=st.lists(st.integers(0, 3), min_size=10, max_size=10))
def test_partial_reports_in_any_split_equal_the_whole(
    whole: dict[str, Any], earlier: dict[str, Any], split: list[int]
) -> None:
    before = merged(None, {**earlier, "version": 1})
    parts: list[dict[str, Any]] = [{"version": 2} for _ in range(4)]
    for part, name in zip(split, whole, strict=False):
        parts[part][name] = whole[name]
    stepwise = before
    for part_of_it in parts:
        stepwise = merged(stepwise, part_of_it)
    assert stepwise == merged(before, {**whole, "version": 2})


@given(first=reports, late=reports)
def test_a_late_report_replaces_nothing_that_is_known(first: dict[str, Any], late: dict[str, Any]) -> None:
    known = merged(None, {**first, "version": 3})
    after = merged(known, late)
    assert (after.apps, after.version, after.is_online) == (known.apps, known.version, known.is_online)
    assert after.reported_at == known.reported_at
    for name in ("config", "endpoints_health", "sensor_health"):
        assert getattr(known, name) is None or getattr(after, name) == getattr(known, name)
    assert {**after.system_info, **known.system_info} == after.system_info


@given(sent=reports)
def test_the_same_report_twice_changes_nothing_more(sent: dict[str, Any]) -> None:
    once = merged(None, {**sent, "version": 1})
    assert merged(once, {**sent, "version": 1}) == once


@given(sent=st.dictionaries(st.sampled_from([*FIELDS, "version", "top_processes", "network_interfaces"]), odd))
def test_nothing_a_device_sends_raises_or_stores_what_cannot_be_stored(sent: dict[str, Any]) -> None:
    report = Report.of(sent)
    after = report.merged_into(None, UUID, NOON)
    vitals = asdict(vitals_of(report.fields))
    stored = canonical(
        [after.apps, after.config, after.system_info, after.endpoints_health, after.sensor_health, vitals]
    )
    assert b"\\u0000" not in stored
    assert after.version is None or 0 <= after.version <= LARGEST_VERSION


@pytest.mark.parametrize(
    ("version", "kept"),
    [(3, 3), ("3", 3), (3.0, 3), (-5, 0), (2**80, LARGEST_VERSION), (True, None), ("x", None), ([], None)],
)
def test_an_odd_version_does_not_make_a_report_a_late_one(version: Any, kept: int | None) -> None:
    report = Report.of({"version": version})
    assert (report.version, report.late) == (kept, False)


def test_fields_of_the_wrong_type_are_left_out_and_noted() -> None:
    report = Report.of({"version": 1, "apps": [], "cpu_usage": "hot", "is_online": 1, "uptime": True, "config": {}})
    assert report.fields == {"config": {}}
    assert sorted(report.notes) == ["apps", "cpu_usage", "is_online", "uptime"]


def test_what_null_says_is_nothing() -> None:
    known = merged(None, {"version": 1, "config": {"a": 1}, "temperature": 50})
    assert merged(known, {"version": 1, "config": None, "temperature": None}) == known


def test_a_first_report_always_differs_and_the_same_one_never() -> None:
    known = merged(None, {"version": 1, "apps": {"1": {"services": ["odd", {"error": "text"}]}}})
    assert known.differs_from(None)
    assert not known.differs_from(known)
    assert evolve(known, version=2).differs_from(known)


def test_only_the_type_of_an_error_counts_as_a_difference() -> None:
    def with_error(error: Any) -> Reported:
        return merged(None, {"version": 1, "apps": {"1": {"services": [{"serviceId": 1, "error": error}]}}})

    first = with_error({"type": "ImagePullBackOff", "retryCount": 1, "timestamp": "a"})
    assert not with_error({"type": "ImagePullBackOff", "retryCount": 2, "timestamp": "b"}).differs_from(first)
    assert with_error({"type": "StartFailure"}).differs_from(first)


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "secret", "API_KEY", "GITHUB_TOKEN", "MYSQL_PWD", "AWS_CREDENTIALS", "PASSPHRASE"]
)
def test_variables_that_look_secret_are_redacted(name: str) -> None:
    assert redacted({"environment": {name: "x"}}) == {"environment": {name: "[redacted]"}}
    assert redacted({"environment": [f"{name}=x"]}) == {"environment": [f"{name}=[redacted]"]}


def test_variables_that_do_not_look_secret_stay() -> None:
    environment = {"PATH": "/bin", "PWD": "/app", "AUTHOR": "anna", "PORT": 80}
    assert redacted({"environment": environment}) == {"environment": environment}


def test_credentials_in_urls_and_connection_strings_are_redacted() -> None:
    assert redacted({"environment": {"URL": "postgres://anna:hunter2@db/x"}}) == {
        "environment": {"URL": "postgres://anna:[redacted]@db/x"}
    }
    sensor = {"connectionString": '{"host":"h","password":"hunter2"}', "password": "hunter2", "connection": {"port": 1}}
    assert "hunter2" not in str(redacted({"sensors": [sensor]}))
    assert redacted({"sensors": [sensor]})["sensors"][0]["connection"] == {"port": 1}
