"""How much devices talk: requests by route, messages by topic, hour by hour."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum

from attrs import frozen

from core.actor import Permission
from core.ids import DeviceUuid

DATA_READ = Permission("data:read")

FIRST_FAILURE = 400
MOST_SHOWN = 5_000


@frozen(kw_only=True)
class RequestKey:
    """What requests are counted by. `endpoint` is the route's path with its placeholders, never the path as sent."""

    hour: datetime
    device_uuid: DeviceUuid
    endpoint: str
    method: str
    status: int


@frozen(kw_only=True)
class RequestCount:
    """So many requests: bodies in bytes each way, and the seconds they took together."""

    key: RequestKey
    count: int
    bytes_in: int
    bytes_out: int
    seconds: float


@frozen(kw_only=True)
class TopicCount:
    """So many messages from clients on a topic during an hour, and their payloads in bytes."""

    hour: datetime
    topic: str
    device_uuid: DeviceUuid | None
    messages: int
    size: int
    last_at: datetime


@frozen(kw_only=True)
class EndpointTraffic:
    """What a device asked of one endpoint. `statuses` says how often which HTTP status was the answer."""

    device_uuid: DeviceUuid
    endpoint: str
    method: str
    bytes_in: int
    bytes_out: int
    seconds: float
    statuses: Mapping[int, int]

    @property
    def count(self) -> int:
        """All requests."""
        return sum(self.statuses.values())

    @property
    def failed(self) -> int:
        """Those that were answered with an error."""
        return sum(count for status, count in self.statuses.items() if status >= FIRST_FAILURE)

    @property
    def size(self) -> int:
        """Bytes in both directions."""
        return self.bytes_in + self.bytes_out


@frozen(kw_only=True)
class DeviceTraffic:
    """What a device asked in all."""

    device_uuid: DeviceUuid
    count: int
    failed: int
    size: int
    seconds: float
    endpoints: int

    @classmethod
    def of(cls, uuid: DeviceUuid, endpoints: Sequence[EndpointTraffic]) -> "DeviceTraffic":
        """What it asked of these together."""
        return cls(
            device_uuid=uuid,
            count=sum(each.count for each in endpoints),
            failed=sum(each.failed for each in endpoints),
            size=sum(each.size for each in endpoints),
            seconds=sum(each.seconds for each in endpoints),
            endpoints=len(endpoints),
        )


@frozen(kw_only=True)
class TopicTraffic:
    """What came on a topic."""

    topic: str
    device_uuid: DeviceUuid | None
    messages: int
    size: int
    last_at: datetime


@frozen(kw_only=True)
class TopicTotals:
    """What came on all topics."""

    topics: int
    messages: int
    size: int


class TopicOrder(Enum):
    """What topics can be sorted by: the most, the largest, or the latest first; or by name."""

    MESSAGES = "messageCount"
    SIZE = "bytesReceived"
    LATEST = "lastActivity"
    NAME = "topic"
