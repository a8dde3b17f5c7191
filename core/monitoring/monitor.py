"""Which topics are used, by messages that look how, and how busily (contract §4.16, §11.4 B-13)."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from core.actor import Actor
from core.checks import require
from core.clock import Clock
from core.errors import NotFound
from core.monitoring.book import Topic, TopicBook
from core.monitoring.events import MonitorStarted, MonitorStopped
from core.monitoring.model import DATA_READ, MOST_SHOWN, SETTINGS_WRITE, Activity, MonitorStatus, TopicView, Tree
from core.monitoring.tree import tree_of
from core.mqtt import Message
from core.transactions import Transactions

SECONDS_A_MINUTE = 60


class MqttMonitor:
    """Watches what passes through the broker. Implements `core.mqtt.MessageObserver`."""

    def __init__(self, *, transactions: Transactions, book: TopicBook, clock: Clock, enabled: bool) -> None:
        self._transactions = transactions
        self._book = book
        self._clock = clock
        self._since: datetime | None = clock.now() if enabled else None

    @property
    def running(self) -> bool:
        """Does it watch now?"""
        return self._since is not None

    def saw(self, message: Message) -> None:
        """A message has passed."""
        if self._since is not None:
            self._book.saw(message, self._clock.now(), self._minute())

    async def examine(self) -> None:
        """Look into some of the payloads that came lately; to be called every second."""
        self._book.examine()

    async def start(self, actor: Actor) -> MonitorStatus:
        """Watch from now on; nothing changes where it does already."""
        require(actor, SETTINGS_WRITE)
        if self._since is None:
            now = self._clock.now()
            async with self._transactions.begin() as tx:
                tx.announce(MonitorStarted(at=now, by=actor.reference))
            self._since = now
        return self._status()

    async def stop(self, actor: Actor) -> MonitorStatus:
        """Watch no more, and forget what was not saved."""
        require(actor, SETTINGS_WRITE)
        if self._since is not None:
            async with self._transactions.begin() as tx:
                tx.announce(MonitorStopped(at=self._clock.now(), by=actor.reference))
            self._since = None
            self._book.clear()
        return self._status()

    def status(self, actor: Actor) -> MonitorStatus:
        """How it is doing."""
        require(actor, DATA_READ)
        self._book.examine()
        return self._status()

    def topics(self, actor: Actor, *, within: timedelta | None = None, limit: int = MOST_SHOWN) -> Sequence[TopicView]:
        """The topics with a message within the span, the latest first; none while it does not watch."""
        require(actor, DATA_READ)
        self._book.examine()
        since = self._clock.now() - within if within is not None else None
        latest = [topic.view() for topic in self._book if since is None or topic.last_at >= since]
        return latest[::-1][:limit]

    def topic(self, actor: Actor, key: str) -> TopicView:
        """The topic of this name or id. NotFound."""
        require(actor, DATA_READ)
        self._book.examine()
        return self._found(key).view()

    def tree(self, actor: Actor) -> Tree:
        """All topics, by their levels."""
        return tree_of(self.topics(actor))

    def activity(self, actor: Actor, minutes: int) -> Sequence[Activity]:
        """The topics on which something came in the last minutes, the busiest first."""
        require(actor, DATA_READ)
        self._book.examine()
        minute = self._minute()
        activities = [topic.activity(minutes, minute) for topic in self._book]
        busy = [activity for activity in activities if activity.messages]
        return sorted(busy, key=lambda activity: activity.messages, reverse=True)

    def activity_of(self, actor: Actor, key: str, minutes: int) -> Activity:
        """What came lately on the topic of this name or id. NotFound."""
        require(actor, DATA_READ)
        self._book.examine()
        return self._found(key).activity(minutes, self._minute())

    def _found(self, key: str) -> Topic:
        topic = self._book.find(key)
        if topic is None:
            raise NotFound("no message has come on such a topic")
        return topic

    def _minute(self) -> int:
        return int(self._clock.monotonic()) // SECONDS_A_MINUTE

    def _status(self) -> MonitorStatus:
        topics = list(self._book)
        return MonitorStatus(
            running=self.running,
            since=self._since,
            topics=len(topics),
            messages=sum(topic.messages for topic in topics),
            size=sum(topic.size for topic in topics),
            types=Counter(topic.sample.type.value for topic in topics),
        )
