"""Messages of one connection on their way to the use cases, acknowledged when they are stored."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import Protocol

from attrs import define, field, frozen

from core.clock import Clock
from core.errors import Unavailable
from core.mqtt import Inbox, Message, MessageObserver, device_username, parse_device_topic
from entrypoints.mqtt.packets import Publish
from entrypoints.mqtt.pauses import Passage, Pauses
from entrypoints.mqtt.statistics import Tally

log = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
# What raises anything but Unavailable is a bug: one message must not stop a whole fleet for ever.
MOST_TRIES_OF_BUGS = 10
# One that is being stored when its connection breaks may take so long: it must not come after its own repetition.
FINISH_SECONDS = 5.0


class Line(Protocol):
    """What is asked of a connection."""

    def acknowledge(self, packet_id: int) -> None:
        """The message is on disk."""

    def pause(self) -> None:
        """Let nothing come."""

    def resume(self) -> None:
        """Let messages come again."""


@frozen(kw_only=True)
class Bounds:
    """How much of one connection is in memory. The broker keeps the rest."""

    messages: int = 500
    size: int = 8 * 1024 * 1024


@frozen(kw_only=True, eq=False)
class Desk:
    """What all intakes of a process share."""

    messages: Inbox
    observers: Sequence[MessageObserver]
    clock: Clock
    tally: Tally = field(factory=Tally)
    bounds: Bounds = field(factory=Bounds)
    passage: Passage = field(factory=Passage)


@define(eq=False)
class _Entry:
    message: Message
    packet_id: int
    came: float
    settled: bool = False
    storing: bool = False

    @property
    def size(self) -> int:
        return len(self.message.topic) + len(self.message.payload)


class Intake:
    """Stores the messages of one device one after the other, those of different devices at the same time.

    They are acknowledged in the order in which they came (MQTT 3.1.1 §4.6), each when it is stored, and never when it
    is not: then it is tried again from here, since to end the connection would only bring the same messages back.
    """

    def __init__(self, desk: Desk, line: Line) -> None:
        self._desk = desk
        self._line = line
        self._waiting: deque[_Entry] = deque()  # for their acknowledgement
        self._devices: dict[str, deque[_Entry]] = {}
        self._tasks: dict[asyncio.Task[None], deque[_Entry]] = {}
        self._full = False
        self._shut = False
        self._given_up = False
        self._idle = asyncio.Event()
        self._idle.set()
        self.taken = 0
        self.count = 0
        self.size = 0

    @property
    def oldest(self) -> float | None:
        """When the oldest message came that is not stored (by the clock's `monotonic`); None if there is none."""
        return self._waiting[0].came if self._waiting else None

    def take(self, publish: Publish) -> None:
        """A message has come."""
        if self._shut:
            return
        self.taken += 1
        self._desk.tally.messages += 1
        entry = _Entry(_message_of(publish), publish.packet_id, self._desk.clock.monotonic())
        self._enter(entry)
        # A retained one was said before we subscribed; it is not what the device says now.
        if publish.retained or not self._desk.messages.wants(publish.topic):
            self._settle(entry, stored=not publish.retained)
            return
        queue = self._devices.get(entry.message.username)
        if queue is not None:
            queue.append(entry)
            return
        queue = self._devices[entry.message.username] = deque((entry,))
        task = asyncio.create_task(self._work(entry.message.username, queue))
        self._tasks[task] = queue
        task.add_done_callback(self._tasks.pop)

    def shut(self) -> None:
        """Take no more: what comes now will come again."""
        self._shut = True

    async def settled(self) -> None:
        """Returns when there is nothing in hand."""
        await self._idle.wait()

    async def give_up(self, *, finish: float = FINISH_SECONDS) -> None:
        """Forget what is in hand: it will come again. What is just being stored has `finish` seconds to end."""
        self._shut = self._given_up = True
        for task, queue in list(self._tasks.items()):
            if not (queue and queue[0].storing):
                task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=finish)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._waiting.clear()
        self.count = self.size = 0

    def _enter(self, entry: _Entry) -> None:
        self.count += 1
        self.size += entry.size
        self._idle.clear()
        if entry.packet_id:
            self._waiting.append(entry)
        bounds = self._desk.bounds
        if not self._full and (self.count >= bounds.messages or self.size >= bounds.size):
            self._full = True
            self._line.pause()

    async def _work(self, device: str, queue: deque[_Entry]) -> None:
        while queue and not self._given_up:
            entry = queue[0]
            stored = await self._store(entry)
            queue.popleft()
            self._settle(entry, stored=stored)
        if not queue:
            self._devices.pop(device, None)

    async def _store(self, entry: _Entry) -> bool:
        """Whether it is stored; if not, then for good. Returns only when one of them is so."""
        pauses = Pauses(FIRST_PAUSE, LONGEST_PAUSE)
        bugs = 0
        while True:
            try:
                await self._desk.passage.through(partial(self._receive, entry))
                return True
            except Unavailable as refusal:
                if not entry.packet_id:
                    return False
                log.info("a message on %r is tried again: %s", entry.message.topic, refusal.message)
            except Exception:
                bugs += 1
                log.exception("a bug, in a message on %r that could not be set aside", entry.message.topic)
                if bugs >= MOST_TRIES_OF_BUGS or not entry.packet_id:
                    return False
            if self._given_up:
                return False
            self._desk.tally.retried += 1
            await asyncio.sleep(pauses.next())

    async def _receive(self, entry: _Entry) -> None:
        entry.storing = True
        try:
            await self._desk.messages.receive(entry.message)
        finally:
            entry.storing = False

    def _settle(self, entry: _Entry, *, stored: bool) -> None:
        if self._given_up:
            return
        if stored:
            self._tell(entry.message)
        else:
            self._desk.tally.dropped += 1
        entry.settled = True
        if not entry.packet_id:
            self._leave(entry)
        waiting = self._waiting
        while waiting and waiting[0].settled:
            first = waiting.popleft()
            self._line.acknowledge(first.packet_id)
            self._desk.tally.acknowledged += 1
            self._leave(first)

    def _tell(self, message: Message) -> None:
        for observer in self._desk.observers:
            observer.saw(message)

    def _leave(self, entry: _Entry) -> None:
        self.count -= 1
        self.size -= entry.size
        if not self.count:
            self._idle.set()
        bounds = self._desk.bounds
        if self._full and not self._shut and self.count < bounds.messages * 3 // 4 and self.size < bounds.size * 3 // 4:
            self._full = False
            self._line.resume()


def _message_of(publish: Publish) -> Message:
    """The broker does not say who sent it; it lets only the device, and who speaks for it, publish there."""
    topic = parse_device_topic(publish.topic)
    name = "" if topic is None else device_username(topic.uuid)
    return Message(topic=publish.topic, payload=publish.payload, qos=int(publish.packet_id > 0), username=name)
