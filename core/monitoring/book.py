"""What is known of the topics that messages came on: bounded in number and size, whatever clients send."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from itertools import islice

from attrs import define, evolve, field

from core.ids import DeviceUuid
from core.monitoring.minutes import Minutes
from core.monitoring.model import Activity, TopicRecord, TopicView
from core.monitoring.payloads import LONGEST_EXAMINED, TOO_LARGE, MessageType, Sample, examined
from core.monitoring.schema import Schema, merged, nodes_of
from core.mqtt import Message, device_of, device_username, parse_device_topic

MOST_TOPICS = 5_000
# Of one device or account: nobody pushes out what others sent by inventing topics.
MOST_TOPICS_PER_OWNER = 250
MOST_BYTES = 16 * 1024 * 1024
LONGEST_TOPIC = 256
# Samples that wait to be looked into; what comes beyond that is counted only.
MOST_WAITING = 256
MOST_WAITING_BYTES = 512 * 1024
# Looked into at one go.
MOST_AT_ONCE = 32

_TOPIC_WEIGHS = 800
_NODE_WEIGHS = 250
_UNSEEN = Sample(type=MessageType.EMPTY)


@define(eq=False)
class Topic:
    """One topic. `waiting` is the payload that is to be looked into; the `unsaved` counts have not been kept yet."""

    name: str
    device_uuid: DeviceUuid | None
    owner: str
    first_at: datetime
    last_at: datetime
    messages: int = 0
    size: int = 0
    unsaved_messages: int = 0
    unsaved_size: int = 0
    waiting: bytes | None = None
    sample: Sample = _UNSEEN
    schema: Schema | None = None
    weight: int = 0
    minutes: Minutes = field(factory=Minutes)

    @property
    def id(self) -> str:
        """A name for URLs, the same for ever."""
        return sha256(self.name.encode()).hexdigest()[:16]

    def view(self) -> TopicView:
        """As it is shown."""
        return TopicView(
            id=self.id,
            name=self.name,
            device_uuid=self.device_uuid,
            messages=self.messages,
            size=self.size,
            first_at=self.first_at,
            last_at=self.last_at,
            sample=self.sample,
            schema=self.schema,
        )

    def activity(self, minutes: int, minute: int) -> Activity:
        """The last minutes, as they are shown."""
        return Activity(topic=self.view(), minutes=self.minutes.last(minutes, minute))

    def weighed(self) -> int:
        """About how many bytes it takes."""
        nodes = nodes_of(self.schema) if self.schema is not None else 0
        return _TOPIC_WEIGHS + 2 * len(self.name) + 2 * len(self.sample.text) + _NODE_WEIGHS * nodes


class TopicBook:
    """The topics in the order of their last message. Where there is no room, the longest silent one is forgotten."""

    def __init__(self, *, most: int = MOST_TOPICS, per_owner: int = MOST_TOPICS_PER_OWNER) -> None:
        self._most = most
        self._per_owner = per_owner
        self._topics: OrderedDict[str, Topic] = OrderedDict()
        self._owned: dict[str, OrderedDict[str, Topic]] = {}
        self._waiting: dict[str, Topic] = {}
        self._waiting_bytes = 0
        self._weight = 0

    def __len__(self) -> int:
        return len(self._topics)

    def __iter__(self) -> Iterator[Topic]:
        """The topics, the longest silent first."""
        return iter(list(self._topics.values()))

    def saw(self, message: Message, now: datetime, minute: int) -> None:
        """A message has passed. Quick: the payload is looked into later."""
        name = message.topic[:LONGEST_TOPIC]
        topic = self._topics.get(name)
        if topic is None:
            topic = self._add(name, message.username, now)
        else:
            self._topics.move_to_end(name)
            self._owned[topic.owner].move_to_end(name)
        size = len(message.payload)
        topic.messages += 1
        topic.size += size
        topic.unsaved_messages += 1
        topic.unsaved_size += size
        topic.last_at = now
        topic.minutes.add(minute)
        self._let_wait(topic, message.payload)

    def examine(self) -> bool:
        """Look into some of the payloads that wait for it, the first to come first; whether more of them wait.

        A payload that is made to cost time costs a millisecond.
        """
        for topic in list(islice(self._waiting.values(), MOST_AT_ONCE)):
            self._examine(topic)
        self._make_room()
        return bool(self._waiting)

    def find(self, key: str) -> Topic | None:
        """The topic of this name or id."""
        found = self._topics.get(key[:LONGEST_TOPIC])
        found = found or next((topic for topic in self._topics.values() if topic.id == key), None)
        if found is not None:
            self._examine(found)
        return found

    def unsaved(self) -> list[TopicRecord]:
        """What came since it was last saved."""
        return [_record(topic) for topic in self._topics.values() if topic.unsaved_messages]

    def saved(self, records: Iterable[TopicRecord]) -> None:
        """These have been saved."""
        for record in records:
            topic = self._topics.get(record.name)
            if topic is not None:
                topic.unsaved_messages -= min(record.messages, topic.unsaved_messages)
                topic.unsaved_size -= min(record.size, topic.unsaved_size)

    def forget_device(self, uuid: DeviceUuid) -> None:
        """Forget the topics of a device."""
        for topic in self:
            if topic.device_uuid == uuid:
                self._forget(topic)

    def clear(self) -> None:
        """Forget everything."""
        for held in (self._topics, self._owned, self._waiting):
            held.clear()
        self._waiting_bytes = self._weight = 0

    def _add(self, name: str, username: str, now: datetime) -> Topic:
        parsed = parse_device_topic(name)
        uuid = parsed.uuid if parsed else device_of(username)
        owner = device_username(uuid) if uuid else username
        topic = Topic(name=name, device_uuid=uuid, owner=owner, first_at=now, last_at=now)
        self._topics[name] = topic
        owned = self._owned.setdefault(owner, OrderedDict())
        owned[name] = topic
        self._weigh(topic)
        if len(owned) > self._per_owner:
            self._forget(next(iter(owned.values())))
        self._make_room()
        return topic

    def _let_wait(self, topic: Topic, payload: bytes) -> None:
        if len(payload) > LONGEST_EXAMINED:
            topic.sample = TOO_LARGE
            return
        before = topic.waiting
        more = len(payload) - (len(before) if before is not None else 0)
        if self._waiting_bytes + more > MOST_WAITING_BYTES or (before is None and len(self._waiting) >= MOST_WAITING):
            return
        topic.waiting = payload
        self._waiting[topic.name] = topic
        self._waiting_bytes += more

    def _examine(self, topic: Topic) -> None:
        if self._waiting.pop(topic.name, None) is None:
            return
        payload, topic.waiting = topic.waiting or b"", None
        self._waiting_bytes -= len(payload)
        sample = examined(payload)
        if sample.schema is not None:
            topic.schema = sample.schema if topic.schema is None else merged(topic.schema, sample.schema)
        topic.sample = evolve(sample, schema=None)
        self._weigh(topic)

    def _weigh(self, topic: Topic) -> None:
        self._weight -= topic.weight
        topic.weight = topic.weighed()
        self._weight += topic.weight

    def _make_room(self) -> None:
        while len(self._topics) > self._most or (self._weight > MOST_BYTES and self._topics):
            self._forget(next(iter(self._topics.values())))

    def _forget(self, topic: Topic) -> None:
        del self._topics[topic.name]
        self._weight -= topic.weight
        owned = self._owned[topic.owner]
        del owned[topic.name]
        if not owned:
            del self._owned[topic.owner]
        if self._waiting.pop(topic.name, None) is not None:
            self._waiting_bytes -= len(topic.waiting or b"")


def _record(topic: Topic) -> TopicRecord:
    return TopicRecord(
        name=topic.name,
        device_uuid=topic.device_uuid,
        messages=topic.unsaved_messages,
        size=topic.unsaved_size,
        type=topic.sample.type,
        schema=topic.schema,
        first_at=topic.first_at,
        last_at=topic.last_at,
    )
