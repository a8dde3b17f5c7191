"""Who asks, and a broker that counts what it is told."""

from contextlib import AbstractAsyncContextManager

from attrs import define, field

from core.actor import Actor, ActorKind, Permission
from core.errors import Unavailable
from core.monitoring import DATA_READ, SETTINGS_WRITE
from core.mqtt import BrokerStatistics, Message
from core.transactions import Transaction, Transactions

READER = Actor(kind=ActorKind.USER, username="anna", permissions=frozenset({DATA_READ, Permission("device:read")}))
ADMIN = Actor(kind=ActorKind.USER, username="eva", permissions=frozenset({DATA_READ, SETTINGS_WRITE}))
NOBODY = Actor(kind=ActorKind.USER, username="otto")


def message(topic: str, payload: bytes = b'{"value": 1}', *, by: str = "plant") -> Message:
    """A message of a client."""
    return Message(topic=topic, payload=payload, username=by)


@define
class CountingBroker:
    """Implements `core.mqtt.Broker`: its counts are what the test sets."""

    counts: BrokerStatistics = field(factory=BrokerStatistics)
    down: bool = False

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Nobody listens."""

    @property
    def cuts_at_once(self) -> bool:
        return True

    async def disconnect(self, username: str) -> None:
        """Nobody is there."""

    async def forget_retained(self, topic_filter: str) -> None:
        """Nothing is retained."""

    def statistics(self) -> BrokerStatistics:
        """What the test set."""
        return self.counts

    async def ping(self) -> None:
        """Down, if the test says so."""
        if self.down:
            raise Unavailable("the broker is down")


@define
class Interrupted:
    """Implements `Transactions` on real ones: nothing can be written while it is `down`."""

    real: Transactions
    down: bool = False

    def begin(self) -> AbstractAsyncContextManager[Transaction]:
        """A unit that may write, if it is not down."""
        if self.down:
            raise Unavailable("the disk is full")
        return self.real.begin()

    def read(self) -> AbstractAsyncContextManager[Transaction]:
        """A unit that only reads."""
        return self.real.read()
