"""What was taken away stops working now."""

import asyncio

import pytest
from attrs import define, field

from adapters.sql.signals import LocalSignals
from core.devices import DeviceDeactivated, DeviceOnline, DeviceRemoved
from core.errors import Unavailable
from core.events import Announced
from core.mqtt import MQTT_ACCOUNTS, BrokerStatistics, Revocation, device_branches, device_username
from tests.support.clock import NOON
from tests.support.enrolment import new_uuid


@define
class NotedBroker:
    """Implements `core.mqtt.Broker`: notes whom it was told to cut."""

    cut: asyncio.Queue[str] = field(factory=asyncio.Queue)
    forgotten: list[str] = field(factory=list)
    down: bool = False

    async def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Nobody listens."""

    @property
    def cuts_at_once(self) -> bool:
        return True

    async def disconnect(self, username: str) -> None:
        """Note it."""
        self.cut.put_nowait(username)
        if self.down:
            raise Unavailable("the broker is down")

    async def forget_retained(self, topic_filter: str) -> None:
        """Note it."""
        self.forgotten.append(topic_filter)

    def statistics(self) -> BrokerStatistics:
        """Nothing."""
        return BrokerStatistics()

    async def ping(self) -> None:
        """Works."""


@pytest.fixture
def broker() -> NotedBroker:
    """A broker."""
    return NotedBroker()


@pytest.fixture
def revocation(broker: NotedBroker, signals: LocalSignals) -> Revocation:
    """Revocation at this broker."""
    return Revocation(broker, signals)


async def test_a_device_out_of_service_or_removed_is_cut_and_what_it_left_is_forgotten(
    broker: NotedBroker, revocation: Revocation
) -> None:
    """Contract 10.3 item 9; 12.1 items 28 and 29."""
    uuid = new_uuid()
    [subscription] = revocation.subscriptions()
    for event in (
        DeviceDeactivated(at=NOON, by="system", uuid=uuid),
        DeviceRemoved(at=NOON, by="system", uuid=uuid, name="gateway"),
    ):
        assert subscription.wants(event)
        await subscription.reaction(Announced(id=1, event=event))
        assert broker.cut.get_nowait() == device_username(uuid)
    assert broker.forgotten == [*device_branches(uuid)] * 2
    assert not subscription.wants(DeviceOnline(at=NOON, by="system", uuid=uuid))


async def test_a_broker_that_is_down_makes_the_reaction_fail_so_that_it_is_tried_again(
    broker: NotedBroker, revocation: Revocation
) -> None:
    broker.down = True
    event = DeviceDeactivated(at=NOON, by="system", uuid=new_uuid())
    with pytest.raises(Unavailable):
        await revocation.revoke(Announced(id=1, event=event))


async def test_a_change_of_an_account_cuts_its_session_even_after_one_that_could_not_be_cut(
    broker: NotedBroker, revocation: Revocation, signals: LocalSignals
) -> None:
    assert revocation.subscriptions()
    async with asyncio.timeout(5):
        broker.down = True
        signals.send(MQTT_ACCOUNTS, "anna")
        assert await broker.cut.get() == "anna"
        broker.down = False
        signals.send(MQTT_ACCOUNTS, "bert")
        assert await broker.cut.get() == "bert"
