"""Messages on their way to one client."""

from collections import deque
from collections.abc import Iterator

from adapters.amqtt.gauge import Counters, Gauge
from core.mqtt import Message

_OVERHEAD = 200  # what a queued message weighs beside topic and payload


class Delivery:
    """A message on its way to one client, at the QoS that publisher and subscriber agree on."""

    __slots__ = ("message", "qos", "released", "replayed", "size", "topic")

    def __init__(self, message: Message, topic: bytes, qos: int, *, replayed: bool = False) -> None:
        self.message = message
        self.topic = topic
        self.qos = qos
        self.replayed = replayed  # from the retained messages: the only case in which RETAIN is set (§3.3.1.3)
        self.released = False  # QoS 2: PUBREC has come
        self.size = _OVERHEAD + len(topic) + len(message.payload)


class BoundedQueue:
    """First in, first out; the oldest go when there are too many, or too large ones, here or with all clients."""

    def __init__(self, *, count: int, size: int, total: Gauge, counters: Counters) -> None:
        self._count = count
        self._limit = size
        self._total = total
        self._counters = counters
        self._size = 0
        self._waiting: deque[Delivery] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Delivery]:
        return iter(self._waiting)

    @property
    def half_full(self) -> bool:
        """Is it time to wait, for those who can?"""
        return len(self._waiting) * 2 >= self._count or self._size * 2 >= self._limit or self._total.full

    def push(self, delivery: Delivery) -> None:
        """Put one at the end; the oldest are dropped, and counted, where there are too many."""
        self._waiting.append(delivery)
        self._book(delivery.size)
        while self._waiting and (len(self._waiting) > self._count or self._size > self._limit):
            self._drop()
        freed = 0
        # Nobody may grow at the cost of the others, nor be emptied because others are large.
        while self._waiting and self._total.used > self._total.limit and freed < delivery.size:
            freed += self._drop()

    def pop(self) -> Delivery:
        """Take the oldest out. Raises IndexError when there is none."""
        delivery = self._waiting.popleft()
        self._book(-delivery.size)
        return delivery

    def clear(self) -> list[Delivery]:
        """Take everything out."""
        taken = list(self._waiting)
        self._waiting.clear()
        self._book(-self._size)
        return taken

    def _drop(self) -> int:
        self._counters.messages_dropped += 1
        return self.pop().size

    def _book(self, size: int) -> None:
        self._size += size
        if size > 0:
            self._total.add(size)
        else:
            self._total.remove(-size)
