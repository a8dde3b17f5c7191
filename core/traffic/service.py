"""How much devices talk, counted as it happens and shown to people (contract §4.21)."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from attrs import frozen

from core.actor import Actor, ActorKind
from core.checks import require
from core.clock import Clock
from core.devices import DeviceRemoved, Devices
from core.events import Announced
from core.ids import DeviceUuid
from core.mqtt import Message
from core.traffic.meter import Requests, Topics
from core.traffic.model import (
    DATA_READ,
    MOST_SHOWN,
    DeviceTraffic,
    EndpointTraffic,
    TopicOrder,
    TopicTotals,
    TopicTraffic,
)
from core.traffic.ports import TrafficStore
from core.transactions import Transaction, Transactions

# Few enough to hold nobody up for longer than some milliseconds.
BATCH = 500
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)

# Who asked, the HTTP status, the sizes of the bodies in and out, and the seconds it took.
Observe = Callable[[Actor, int, tuple[int, int], float], None]


@frozen(kw_only=True)
class TopicsShown:
    """Some of the topics, and what came on all of them."""

    totals: TopicTotals
    topics: Sequence[TopicTraffic]


class Traffic:
    """Counts what devices send, and writes it down by the hour. Implements `core.mqtt.MessageObserver`.

    Only who has proved to be a device counts (contract §11.2 T-33). What was counted since the last time of writing
    down is lost in a crash: these are statistics, not what devices have been promised.
    """

    def __init__(
        self, *, transactions: Transactions, store: TrafficStore, devices: Devices, clock: Clock, kept: timedelta
    ) -> None:
        self._transactions = transactions
        self._store = store
        self._devices = devices
        self._clock = clock
        self._kept = kept
        self._requests = Requests()
        self._topics = Topics()
        self._present = _hour(clock.now())

    def observer(self, endpoint: str, method: str) -> Observe:
        """What to call after each request on this endpoint; whoever is no device does not count."""
        requests = self._requests

        def observe(actor: Actor, status: int, sizes: tuple[int, int], seconds: float) -> None:
            if actor.kind is ActorKind.DEVICE and actor.device_uuid is not None:
                requests.add((self._hour(), actor.device_uuid, endpoint, method, status), sizes, seconds)

        return observe

    def saw(self, message: Message) -> None:
        """A message has passed. What we published ourselves does not count."""
        if message.username:
            self._topics.add(message, self._clock.now(), self._hour())

    async def flush(self) -> None:
        """Write down what was counted."""
        requests, topics = self._requests.take(), self._topics.take()
        try:
            while requests or topics:
                async with self._transactions.begin() as tx:
                    await self._store.add_requests(tx, requests[-BATCH:])
                    await self._store.add_topics(tx, topics[-BATCH:])
                del requests[-BATCH:], topics[-BATCH:]
        finally:
            self._requests.put_back(requests)
            self._topics.put_back(topics)

    async def endpoints(
        self, actor: Actor, *, span: timedelta = DAY, limit: int = MOST_SHOWN
    ) -> Sequence[EndpointTraffic]:
        """What devices asked lately, the busiest endpoints first."""
        require(actor, DATA_READ)
        await self.flush()
        async with self._transactions.read() as tx:
            return await self._store.endpoints(tx, self._since(span), limit)

    async def by_device(
        self, actor: Actor, *, span: timedelta = DAY, limit: int = MOST_SHOWN
    ) -> Sequence[DeviceTraffic]:
        """What devices asked lately, added up, the busiest first."""
        require(actor, DATA_READ)
        await self.flush()
        async with self._transactions.read() as tx:
            return await self._store.devices(tx, self._since(span), limit)

    async def of_device(self, actor: Actor, uuid: DeviceUuid, *, span: timedelta = DAY) -> Sequence[EndpointTraffic]:
        """What one device asked lately. NotFound if there is no such device."""
        require(actor, DATA_READ)
        await self._devices.overview(actor, uuid)
        await self.flush()
        async with self._transactions.read() as tx:
            return await self._store.endpoints(tx, self._since(span), MOST_SHOWN, uuid)

    async def topics(self, actor: Actor, order: TopicOrder, limit: int) -> TopicsShown:
        """What came over MQTT during the last 24 hours."""
        require(actor, DATA_READ)
        await self.flush()
        since = self._since(DAY)
        async with self._transactions.read() as tx:
            totals = await self._store.topic_totals(tx, since)
            return TopicsShown(totals=totals, topics=await self._store.topics(tx, since, order, limit))

    async def forget_old(self) -> int:
        """Forget what was counted too long ago; how many rows."""
        moment = self._clock.now() - self._kept
        return await self._repeat(lambda tx: self._store.drop_before(tx, moment, BATCH))

    async def forget(self, announced: Announced[DeviceRemoved]) -> None:
        """A device is gone: forget what it sent."""
        event = announced.event
        self._requests.forget(event.uuid)
        self._topics.forget(event.uuid)
        await self._repeat(lambda tx: self._store.drop_device(tx, event.uuid, event.at, BATCH))

    def _hour(self) -> datetime:
        """The present hour; reckoned anew only when it is another."""
        now = self._clock.now()
        if not self._present <= now < self._present + HOUR:
            self._present = _hour(now)
        return self._present

    def _since(self, span: timedelta) -> datetime:
        """The first hour that lies in the span, if only in part."""
        return _hour(self._clock.now() - span)

    async def _repeat(self, drop: Callable[[Transaction], Awaitable[int]]) -> int:
        total = 0
        while True:
            async with self._transactions.begin() as tx:
                dropped = await drop(tx)
            total += dropped
            if dropped < BATCH:
                return total


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
