"""Topics as they are shown, and the spans of time one may ask about."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from attrs import frozen

from core.actor import Permission
from core.ids import DeviceUuid
from core.monitoring.payloads import MessageType, Sample
from core.monitoring.schema import Schema

DATA_READ = Permission("data:read")
SETTINGS_WRITE = Permission("settings:write")

MOST_SHOWN = 5_000


class TimeWindow(Enum):
    """How lately a topic must have been active."""

    HOUR = "1h"
    SIX_HOURS = "6h"
    DAY = "24h"
    WEEK = "7d"
    MONTH = "30d"
    ALL = "all"

    @property
    def length(self) -> timedelta | None:
        """The span; None is for ever."""
        return _LENGTHS.get(self.value)


_LENGTHS: Mapping[str, timedelta] = {
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}


class ActivityWindow(Enum):
    """How many minutes of activity are shown."""

    FIVE = "5"
    FIFTEEN = "15"
    THIRTY = "30"
    SIXTY = "60"

    @property
    def minutes(self) -> int:
        """The number."""
        return int(self.value)


@frozen(kw_only=True)
class TopicView:
    """A topic as of now. `messages` and `size` (bytes) are counted since the monitor began or made room."""

    id: str
    name: str
    device_uuid: DeviceUuid | None
    messages: int
    size: int
    first_at: datetime
    last_at: datetime
    sample: Sample
    schema: Schema | None


@frozen(kw_only=True)
class Activity:
    """What came on a topic, minute by minute, the oldest first."""

    topic: TopicView
    minutes: Sequence[int]

    @property
    def messages(self) -> int:
        """All of it."""
        return sum(self.minutes)


@frozen(kw_only=True)
class MonitorStatus:
    """How the monitor is doing."""

    running: bool
    since: datetime | None
    topics: int
    messages: int
    size: int
    types: Mapping[str, int]


@frozen(kw_only=True)
class TopicRecord:
    """A topic as it is kept. In what is to be saved, `messages` and `size` are what came since the last time."""

    name: str
    device_uuid: DeviceUuid | None
    messages: int
    size: int
    type: MessageType
    schema: Schema | None
    first_at: datetime
    last_at: datetime


@frozen(kw_only=True)
class SchemaChange:
    """Since when the messages of a topic have looked so."""

    at: datetime
    schema: Schema


@frozen(kw_only=True)
class ArchiveSummary:
    """What is kept in all."""

    topics: int
    messages: int
    size: int
    schemas: int
    types: Mapping[str, int]
    first_at: datetime | None
    last_at: datetime | None


Tree = dict[str, Any]
