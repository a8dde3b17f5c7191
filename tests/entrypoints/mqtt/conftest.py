"""A listener in front of a real Mosquitto, and an inbox that tests open and shut."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from uuid import uuid4

import aiomqtt
import pytest
import pytest_asyncio
from attrs import define, field

from adapters.mosquitto.address import BrokerAddress
from adapters.sql.mqtt_seats import SqlMqttSeats
from adapters.system import SystemClock
from adapters.system.locks import OwnLocks
from core.errors import Unavailable
from core.locks import Locks
from core.mqtt import Message
from core.transactions import Transactions
from entrypoints.mqtt.intake import Bounds
from entrypoints.mqtt.listen import Listener
from entrypoints.mqtt.seats import Timing
from tests.adapters.amqtt.doubles import PASSWORD
from tests.support.mosquitto import Mosquitto

SECONDS = 15
QUICK = Timing(try_every=0.1, mark_every=0.05, orphaned_after=0.5)


@define(eq=False)
class Box:
    """An inbox that remembers what came, stores while it is open, and refuses while it is out of order."""

    stored: list[Message] = field(factory=list)
    tried: list[Message] = field(factory=list)
    open: asyncio.Event = field(factory=asyncio.Event)
    out_of_order: bool = False
    seen: list[Message] = field(factory=list)
    changed: asyncio.Event = field(factory=asyncio.Event)

    def __attrs_post_init__(self) -> None:
        self.open.set()

    def wants(self, topic: str) -> bool:
        """Everything of devices but their agents' words."""
        return "/agent/" not in topic

    async def receive(self, message: Message) -> None:
        """See `core.mqtt.Inbox`."""
        self.tried.append(message)
        self.changed.set()
        if self.out_of_order:
            raise Unavailable("out of order")
        await self.open.wait()
        self.stored.append(message)
        self.changed.set()

    def saw(self, message: Message) -> None:
        """See `core.mqtt.MessageObserver`."""
        self.seen.append(message)

    def payloads(self) -> Counter[bytes]:
        """What is stored, and how often."""
        return Counter(message.payload for message in self.stored)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns when it is so."""
        async with asyncio.timeout(SECONDS):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


@define(eq=False)
class Ground:
    """A broker, and listeners as if each were a process of its own."""

    broker: Mosquitto
    transactions: Transactions
    stack: AsyncExitStack
    locks: Locks = field(factory=OwnLocks)
    book: SqlMqttSeats = field(factory=SqlMqttSeats)

    @property
    def address(self) -> BrokerAddress:
        """Where the broker is."""
        return BrokerAddress.of(self.broker.url, username="iotistic", password=PASSWORD)

    async def listener(
        self, box: Box, *, locks: Locks | None = None, seats: int = 2, share: bool = True, **bounds: int
    ) -> Listener:
        """One that listens, once it has got so many seats."""
        listener = Listener.of(
            locks=locks or self.locks,
            address=self.address,
            messages=box,
            observers=[box],
            book=self.book,
            transactions=self.transactions,
            clock=SystemClock(),
            holder=uuid4().hex,
            share=share,
            bounds=Bounds(**bounds),
            timing=QUICK,
        )
        listener.start()
        self.stack.push_async_callback(listener.kill)
        await until(lambda: listener.statistics().subscribed == seats)
        return listener

    @asynccontextmanager
    async def device(self, **options: object) -> AsyncIterator[aiomqtt.Client]:
        """Somebody who publishes."""
        client = aiomqtt.Client("127.0.0.1", self.broker.port, identifier=uuid4().hex, timeout=10, **options)  # type: ignore[arg-type]
        client.pending_calls_threshold = 10_000
        async with client:
            yield client


async def until(condition: Callable[[], bool]) -> None:
    """Returns when it is so: of what happens in a thing that tells nobody."""
    async with asyncio.timeout(SECONDS):
        while not condition():  # noqa: ASYNC110 - statistics are to be asked for
            await asyncio.sleep(0.01)


def topic(device: object, what: str = "sensor/modbus") -> str:
    """A topic of the device's own."""
    return f"iot/device/{device}/{what}"


@pytest.fixture
def box() -> Box:
    """An open one."""
    return Box()


@pytest_asyncio.fixture
async def ground(mosquitto: Mosquitto, transactions: Transactions) -> AsyncIterator[Ground]:
    """A broker in front of which listeners can be put."""
    async with AsyncExitStack() as stack:
        yield Ground(mosquitto, transactions, stack)
