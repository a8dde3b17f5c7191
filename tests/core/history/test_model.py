"""Events as they are kept: under the names of the wire, about something, without secrets."""

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from core.access import LoginFailed, UserCreated
from core.device_state import CurrentStateChanged, TargetStateDeployed
from core.devices import DeviceOnline
from core.errors import Invalid
from core.events import Announced, Event
from core.history import Bucket, EventQuery, HistoryEvent, Period, event_of, regrouped, wire_types
from core.ids import DeviceUuid, ProvisioningKeyId, UserId
from core.provisioning import DeviceRegistered
from tests.support.clock import NOON

DEVICE = DeviceUuid("5f3a1deb-f4c3-4e1b-8e76-70de4d2e3f56")


@frozen(kw_only=True)
class SafeOpened(Event):
    """An event of a careless plugin."""

    NAME: ClassVar[str] = "test.safe_opened"
    SEVERITY: ClassVar[str] = "critical"
    password: str = "hunter2"


def kept(event: Event, correlation_id: str | None = None) -> HistoryEvent:
    """What is kept of it."""
    return event_of(Announced(id=1, event=event, correlation_id=correlation_id))


def registered(*, fresh: bool) -> DeviceRegistered:
    """A registration."""
    key = ProvisioningKeyId("k1")
    return DeviceRegistered(at=NOON, by=f"device:{DEVICE}", uuid=DEVICE, name="x", type="y", key_id=key, fresh=fresh)


def test_events_are_called_as_the_dashboard_knows_them() -> None:
    online = kept(DeviceOnline(at=NOON, by="system", uuid=DEVICE), "r-1")
    assert (online.type, online.category, online.source, online.correlation_id) == (
        "device.online",
        "device",
        "system",
        "r-1",
    )
    assert kept(registered(fresh=True)).type == "device.provisioned"
    assert kept(registered(fresh=False)).type == "device.registered"
    deployed = kept(TargetStateDeployed(at=NOON, by="user:7:anna", uuid=DEVICE, version=2))
    assert (deployed.type, deployed.name, deployed.category) == (
        "target_state.updated",
        "target_state.deployed",
        "state",
    )
    changed = kept(CurrentStateChanged(at=NOON, by="system", uuid=DEVICE, version=2, apps=("1001",)))
    assert (changed.type, changed.data) == ("current_state.updated", {"version": 2, "apps": ["1001"]})


def test_an_event_is_asked_for_by_either_name() -> None:
    assert wire_types("target_state.deployed") == wire_types("target_state.updated") == ("target_state.updated",)
    assert wire_types("device.registered") == ("device.registered", "device.provisioned")
    assert wire_types("device.provisioned") == ("device.provisioned",)


def test_people_read_a_title_and_a_sentence() -> None:
    event = kept(DeviceOnline(at=NOON, by="system", uuid=DEVICE))
    assert (event.title, event.description) == ("Device online", "A device that was silent has been heard of.")


def test_an_event_is_about_a_device_or_about_what_its_first_id_names() -> None:
    event = kept(DeviceOnline(at=NOON, by="system", uuid=DEVICE))
    assert (event.aggregate_type, event.aggregate_id, event.device_uuid) == ("device", DEVICE, DEVICE)
    created = kept(UserCreated(at=NOON, by="system", user_id=UserId(7), username="anna", role="viewer"))
    assert (created.aggregate_type, created.aggregate_id, created.device_uuid) == ("user", "7", None)


def test_neither_secrets_nor_addresses_are_kept() -> None:
    assert "hunter" not in str(kept(SafeOpened(at=NOON, by="system")))
    failed = LoginFailed(at=NOON, by="stranger", username="anna", address="198.51.100.7", reason="wrong password")
    assert "198.51.100.7" not in str(kept(failed))


@pytest.mark.parametrize("limit", [0, 501])
def test_nobody_asks_for_more_than_five_hundred_events(limit: int) -> None:
    with pytest.raises(Invalid):
        EventQuery(limit=limit)


def test_weeks_begin_on_monday_and_months_on_their_first() -> None:
    tuesday = datetime(2026, 11, 24, 12, 34, tzinfo=UTC)
    assert Period.WEEK.start_of(tuesday) == datetime(2026, 11, 23, tzinfo=UTC)
    assert Period.MONTH.start_of(tuesday) == datetime(2026, 11, 1, tzinfo=UTC)
    assert Period.HOUR.start_of(tuesday) == datetime(2026, 11, 24, 12, tzinfo=UTC)


@given(days=st.lists(st.integers(0, 400), unique=True), period=st.sampled_from([Period.DAY, Period.WEEK, Period.MONTH]))
def test_nothing_is_lost_when_days_become_longer_parts(days: list[int], period: Period) -> None:
    buckets = [Bucket(start=NOON + timedelta(days=day), type="a", category="b", count=day + 1) for day in days]
    found = regrouped(buckets, period)
    assert sum(bucket.count for bucket in found) == sum(bucket.count for bucket in buckets)
    starts: list[Any] = [bucket.start for bucket in found]
    assert starts == sorted(set(starts))
