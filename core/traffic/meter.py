"""Counts in memory, waiting to be written down: bounded, and cheap enough to be kept for every request and message."""

from datetime import datetime

from attrs import define

from core.ids import DeviceUuid
from core.mqtt import Message, device_of, parse_device_topic
from core.traffic.model import RequestCount, RequestKey, TopicCount

# Between two times of writing down. Real devices and our own routes make the keys; beyond that nothing is counted anew.
MOST_REQUEST_KEYS = 200_000
MOST_TOPIC_KEYS = 50_000
# Devices choose the ends of their topics: what one sends on more topics an hour is counted together.
MOST_TOPICS_PER_OWNER = 100
LONGEST_TOPIC = 256
OTHERS = "(others)"

_Key = tuple[datetime, DeviceUuid, str, str, int]


@define
class _Requests:
    count: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    seconds: float = 0.0


@define
class _Topic:
    device_uuid: DeviceUuid | None
    last_at: datetime
    messages: int = 0
    size: int = 0


class Requests:
    """Requests of devices by hour, device, endpoint, method and status; at most so many different ones at a time."""

    def __init__(self, most: int = MOST_REQUEST_KEYS) -> None:
        self._most = most
        self._counts: dict[_Key, _Requests] = {}

    def add(self, key: _Key, sizes: tuple[int, int], seconds: float) -> None:
        """One more, with the sizes of its bodies in and out."""
        counted = self._counts.get(key)
        if counted is None:
            if len(self._counts) >= self._most:
                return
            counted = self._counts[key] = _Requests()
        counted.count += 1
        counted.bytes_in += sizes[0]
        counted.bytes_out += sizes[1]
        counted.seconds += seconds

    def take(self) -> list[RequestCount]:
        """All counts; from now on they are counted anew."""
        taken, self._counts = self._counts, {}
        return [
            RequestCount(
                key=RequestKey(hour=hour, device_uuid=uuid, endpoint=endpoint, method=method, status=status),
                count=counted.count,
                bytes_in=counted.bytes_in,
                bytes_out=counted.bytes_out,
                seconds=counted.seconds,
            )
            for (hour, uuid, endpoint, method, status), counted in taken.items()
        ]

    def put_back(self, counts: list[RequestCount]) -> None:
        """These could not be written down: count them once more."""
        for each in counts:
            key = each.key
            counted = self._counts.setdefault(
                (key.hour, key.device_uuid, key.endpoint, key.method, key.status), _Requests()
            )
            counted.count += each.count
            counted.bytes_in += each.bytes_in
            counted.bytes_out += each.bytes_out
            counted.seconds += each.seconds

    def forget(self, uuid: DeviceUuid) -> None:
        """The device is gone."""
        self._counts = {key: counted for key, counted in self._counts.items() if key[1] != uuid}


class Topics:
    """Messages of clients by hour and topic."""

    def __init__(self) -> None:
        self._counts: dict[tuple[datetime, str], _Topic] = {}
        self._hour: datetime | None = None
        self._named: dict[str, set[str]] = {}

    def add(self, message: Message, now: datetime, hour: datetime) -> None:
        """One more."""
        topic = message.topic[:LONGEST_TOPIC]
        counted = self._counts.get((hour, topic)) or self._begun(topic, message.username, now, hour)
        if counted is not None:
            counted.messages += 1
            counted.size += len(message.payload)
            counted.last_at = now

    def take(self) -> list[TopicCount]:
        """All counts; from now on they are counted anew."""
        taken, self._counts = self._counts, {}
        return [
            TopicCount(
                hour=hour,
                topic=topic,
                device_uuid=counted.device_uuid,
                messages=counted.messages,
                size=counted.size,
                last_at=counted.last_at,
            )
            for (hour, topic), counted in taken.items()
        ]

    def put_back(self, counts: list[TopicCount]) -> None:
        """These could not be written down: count them once more."""
        for each in counts:
            counted = self._counts.setdefault((each.hour, each.topic), _Topic(each.device_uuid, each.last_at))
            counted.messages += each.messages
            counted.size += each.size

    def forget(self, uuid: DeviceUuid) -> None:
        """The device is gone."""
        self._counts = {key: counted for key, counted in self._counts.items() if counted.device_uuid != uuid}

    def _begun(self, topic: str, username: str, now: datetime, hour: datetime) -> _Topic | None:
        """A topic that was not counted in this hour since it was last written down; None where there is no room."""
        if hour != self._hour:
            self._hour, self._named = hour, {}
        parsed = parse_device_topic(topic)
        uuid = parsed.uuid if parsed else device_of(username)
        owner = f"iot/device/{uuid}" if uuid else username
        named = self._named.setdefault(owner, set())
        if topic not in named and len(named) >= MOST_TOPICS_PER_OWNER:
            topic = f"{owner}/{OTHERS}"
        else:
            named.add(topic)
        counted = self._counts.get((hour, topic))
        if counted is None and len(self._counts) < MOST_TOPIC_KEYS:
            counted = self._counts[hour, topic] = _Topic(uuid, now)
        return counted
