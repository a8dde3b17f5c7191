"""Events as people look back at them, and what they may ask."""

import inspect
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from attrs import field, frozen

from core.checks import printable
from core.devices import DeviceOffline, DeviceOnline
from core.errors import Invalid
from core.events import EVENTS, Announced, Event
from core.facts import LONGEST_NAME, facts_of
from core.ids import DeviceUuid

MOST_EVENTS = 500

REGISTERED = "device.registered"
PROVISIONED = "device.provisioned"
ONLINE, OFFLINE = DeviceOnline.NAME, DeviceOffline.NAME
# The names of contract §9.9, where they exist, for ours.
_ON_THE_WIRE: Mapping[str, str] = {
    "target_state.deployed": "target_state.updated",
    "current_state.changed": "current_state.updated",
}
# What an event is about, by the first word of its name; other words stand for themselves.
_CATEGORIES: Mapping[str, str] = {
    "target_state": "state",
    "current_state": "state",
    "report": "state",
    "user": "access",
    "provisioning_key": "provisioning",
    "mqtt_account": "mqtt",
}
# These tell who tried what from where. Only who may read the audit log may see them.
PRIVATE_CATEGORIES = ("access", "provisioning")
_ELSEWHERE = {"at", "by", "uuid", "address", "user_agent"}


class Period(Enum):
    """The parts of time that events are counted in; weeks begin on Monday, all in UTC."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def start_of(self, moment: datetime) -> datetime:
        """When the part that the moment lies in begins."""
        hour = moment.replace(minute=0, second=0, microsecond=0)
        day = hour.replace(hour=0)
        starts = {
            Period.HOUR: hour,
            Period.DAY: day,
            Period.WEEK: day - timedelta(days=day.weekday()),
            Period.MONTH: day.replace(day=1),
        }
        return starts[self]


@frozen(kw_only=True)
class HistoryEvent:
    """One thing that happened. `type` is its name on the wire, `name` ours; ids grow in the order of storing."""

    id: int = 0
    announcement_id: int
    at: datetime
    type: str
    name: str
    severity: str
    actor: str
    device_uuid: DeviceUuid | None = None
    aggregate_type: str | None = None
    aggregate_id: str | None = None
    correlation_id: str | None = None
    data: Mapping[str, Any]

    @property
    def category(self) -> str:
        """What it is about: device, state, job…"""
        return category_of(self.name)

    @property
    def title(self) -> str:
        """For people: `Device provisioned`."""
        return self.type.replace(".", " ").replace("_", " ").capitalize()

    @property
    def description(self) -> str:
        """For people: what the event means, in a sentence; empty when its type is not known any more."""
        kind = EVENTS.get(self.name)
        return (inspect.getdoc(kind) or "").partition("\n")[0] if kind else ""

    @property
    def source(self) -> str:
        """Who brought it about: user, device or system."""
        return self.actor.partition(":")[0]


@frozen(kw_only=True)
class EventQuery:
    """Which events are wanted, newest first unless `ascending`. `after` and `before` are ids of events.

    `types` may be our names or those on the wire. From `since` on, up to and at `until`. `private` events are those of
    accounts and provisioning keys.
    """

    device_uuid: DeviceUuid | None = None
    types: tuple[str, ...] = ()
    category: str | None = None
    severity: str | None = None
    actor: str | None = None
    correlation_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    after: int | None = None
    before: int | None = None
    ascending: bool = False
    private: bool = False
    limit: int = field(default=100)

    @limit.validator
    def _(self, _attribute: object, value: int) -> None:
        if not 1 <= value <= MOST_EVENTS:
            raise Invalid(f"limit must be between 1 and {MOST_EVENTS}", field="limit")


@frozen(kw_only=True)
class Tally:
    """How often something happened, and when first and last."""

    type: str
    category: str
    severity: str
    count: int
    first: datetime
    last: datetime


@frozen(kw_only=True)
class Bucket:
    """How often something happened within a part of time."""

    start: datetime
    type: str
    category: str
    count: int


def category_of(name: str) -> str:
    """What an event of this name is about."""
    word = name.partition(".")[0]
    return _CATEGORIES.get(word, word)


def wire_types(name: str) -> tuple[str, ...]:
    """The types on the wire that a name stands for, ours or the wire's own."""
    if name == REGISTERED:
        return (REGISTERED, PROVISIONED)
    return (_ON_THE_WIRE.get(name, name),)


def event_of(announced: Announced[Any]) -> HistoryEvent:
    """What is kept of an announced event."""
    event: Event = announced.event
    name = printable(event.NAME or getattr(event, "name", "") or "unknown", longest=LONGEST_NAME)
    device = getattr(event, "uuid", None)
    device_uuid = DeviceUuid(printable(device, longest=LONGEST_NAME)) if isinstance(device, str) else None
    data = facts_of(event, without=_ELSEWHERE)
    aggregate_type, aggregate_id = ("device", device_uuid) if device_uuid else _aggregate(data)
    return HistoryEvent(
        announcement_id=announced.id,
        at=event.at,
        type=PROVISIONED if name == REGISTERED and data.get("fresh") else _ON_THE_WIRE.get(name, name),
        name=name,
        severity=event.SEVERITY,
        actor=printable(event.by, longest=LONGEST_NAME),
        device_uuid=device_uuid,
        aggregate_type=aggregate_type,
        aggregate_id=aggregate_id,
        correlation_id=announced.correlation_id,
        data=data,
    )


def regrouped(buckets: list[Bucket], period: Period) -> list[Bucket]:
    """The same counts in longer parts of time, the oldest first."""
    counts: dict[tuple[datetime, str, str], int] = {}
    for bucket in buckets:
        key = (period.start_of(bucket.start), bucket.type, bucket.category)
        counts[key] = counts.get(key, 0) + bucket.count
    return [
        Bucket(start=start, type=type_, category=category, count=counts[start, type_, category])
        for start, type_, category in sorted(counts)
    ]


def _aggregate(data: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """What an event that is of no device is about: the thing whose id comes first."""
    for name, value in data.items():
        found = re.fullmatch(r"([a-z_]+)_id", name)
        if found and value is not None:
            return found[1], str(value)
    return None, None
